/*
 * What a decision costs in C, compared with other libraries: .ci/bench-c builds and runs it.
 *
 * Every library checks the signature, issuer, audience and times of the same token, and its subject is read. The libraries take
 * turns in batches of about 2 ms, so that other load slows down all of them. `ratio` is the median, over all turns, of the
 * library's time divided by that of libjwtauth in the same turn. Prints the rows of a table in Markdown.
 *
 * Usage: decisions ALG TOKEN JWK KEY TURNS. JWK is the key as JSON; KEY is the file of the public key (PEM) or of the secret.
 */
#include "contender.h"

#include <jwtauth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH_NS 2e6
/* How many times as long another library must take at least, with RS256. */
#define GOAL 1.6

const char *alg, *token, *jwk;
unsigned char key[8192];
size_t key_length;

void stop(const char *why) {
    fprintf(stderr, "error: %s\n", why);
    exit(1);
}

static double now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* libjwtauth */

static jwtauth_verifier *verifier;

static void jwtauth_set_up(void) {
    char config[16384], *reply = NULL;
    snprintf(config, sizeof config,
             "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"jwk\":%s}],\"algorithms\":[\"%s\"],\"issuer\":\"%s\","
             "\"audiences\":[\"%s\"],\"identity\":{\"name\":\"sub\"}}}",
             jwk, alg, ISSUER, AUDIENCE);
    if (jwtauth_verifier_new(config, &verifier, &reply) != JWTAUTH_STATUS_OK) stop(reply);
    jwtauth_string_free(reply);
}

static int jwtauth_decide(void) {
    char *reply = NULL;
    jwtauth_status status = jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply);
    int granted = status == JWTAUTH_STATUS_OK && reply && strstr(reply, "\"name\":") != NULL;
    jwtauth_string_free(reply);
    return granted;
}

typedef struct {
    const char *name;
    void (*set_up)(void);
    int (*decide)(void);
    long count;
    double *times;
} contender;

static contender contenders[] = {
    {"libjwtauth", jwtauth_set_up, jwtauth_decide, 0, NULL},
#ifdef HAVE_CJOSE
    {"cjose " HAVE_CJOSE, cjose_set_up, cjose_decide, 0, NULL},
#endif
#ifdef HAVE_LIBJWT
    {"libjwt " HAVE_LIBJWT, NULL, libjwt_decide, 0, NULL},
#endif
#ifdef HAVE_RHONABWY
    {"rhonabwy " HAVE_RHONABWY, rhonabwy_set_up, rhonabwy_decide, 0, NULL},
#endif
};
#define CONTENDERS (sizeof contenders / sizeof *contenders)

static double batch(const contender *one, long count) {
    double start = now_ns();
    for (long i = 0; i < count; i++) {
        if (!one->decide()) {
            fprintf(stderr, "error: %s refuses the token\n", one->name);
            exit(1);
        }
    }
    return (now_ns() - start) / (double)count;
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double quantile(const double *values, long count, double share) {
    double *sorted = malloc((size_t)count * sizeof *sorted), value;
    if (!sorted) stop("no memory");
    memcpy(sorted, values, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    value = sorted[(long)(share * (double)(count - 1))];
    free(sorted);
    return value;
}

int main(int argc, char **argv) {
    if (argc != 6) stop("usage: decisions ALG TOKEN JWK KEY TURNS");
    alg = argv[1];
    token = argv[2];
    jwk = argv[3];
    FILE *file = fopen(argv[4], "rb");
    if (!file) stop("the key's file cannot be read");
    key_length = fread(key, 1, sizeof key, file);
    fclose(file);
    long turns = atol(argv[5]);
    if (turns < 1) stop("TURNS must be a positive number");

    for (size_t i = 0; i < CONTENDERS; i++) {
        contender *one = &contenders[i];
        if (one->set_up) one->set_up();
        batch(one, 100);
        one->count = (long)(BATCH_NS / batch(one, 300)) + 1;
        one->times = calloc((size_t)turns, sizeof *one->times);
        if (!one->times) stop("no memory");
    }
    for (long turn = 0; turn < turns; turn++) {
        for (size_t i = 0; i < CONTENDERS; i++) {
            /* Each one runs after different ones. */
            size_t place = turn % 2 ? i : CONTENDERS - 1 - i;
            contender *one = &contenders[(place + (size_t)turn) % CONTENDERS];
            one->times[turn] = batch(one, one->count);
        }
    }
    int has_goal = strcmp(alg, "RS256") == 0;
    for (size_t i = 0; i < CONTENDERS; i++) {
        const contender *one = &contenders[i];
        double *ratios = malloc((size_t)turns * sizeof *ratios);
        if (!ratios) stop("no memory");
        for (long turn = 0; turn < turns; turn++) ratios[turn] = one->times[turn] / contenders[0].times[turn];
        double ratio = quantile(ratios, turns, 0.5);
        printf("| %s | %s | %.0f | ", alg, one->name, quantile(one->times, turns, 0.5));
        if (i == 0) printf("1");
        else printf(has_goal && ratio < GOAL ? "**%.2f**" : "%.2f", ratio);
        printf(" | %.0f–%.0f | ", quantile(one->times, turns, 0.1), quantile(one->times, turns, 0.9));
        if (i > 0 && has_goal) printf("%.1f |\n", GOAL);
        else printf("– |\n");
        free(ratios);
    }
    return 0;
}

/*
 * Many threads use one verifier while other threads build and free verifiers, all on small stacks.
 *
 * threads [ROUNDS]
 */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <stdlib.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

enum { USERS = 8, BUILDERS = 4 };

static int rounds = 500;

typedef struct {
    const jwtauth_verifier *shared;
    unsigned long mistakes;
} work;

static int is(char *reply, jwtauth_status status, jwtauth_status expected_status, const char *pointer,
              const char *expected) {
    char *value = jwtauth_json_get(reply, pointer);
    int fits = status == expected_status && value != NULL && strcmp(value, expected) == 0;
    jwtauth_string_free(value);
    jwtauth_string_free(reply);
    return fits;
}

static int decides_correctly(const jwtauth_verifier *verifier, int round) {
    static const char *const tokens[] = {SAMPLE_HS256, SAMPLE_RS256, SAMPLE_ES256};
    char *reply = NULL;
    jwtauth_status status;

    switch (round % 5) {
    case 3:
        status = jwtauth_verifier_authenticate_token(verifier, "eyJhbGciOiJub25lIn0.e30.", NULL, &reply);
        return is(reply, status, JWTAUTH_STATUS_DENIED, "/outcome", "failed");
    case 4:
        status = jwtauth_verifier_authenticate(verifier, "{\"token\":1}", &reply);
        return is(reply, status, JWTAUTH_STATUS_ARGUMENT, "/code", "request_invalid");
    default:
        status = jwtauth_verifier_authenticate_token(verifier, tokens[round % 5], NULL, &reply);
        return is(reply, status, JWTAUTH_STATUS_OK, "/identity/name", "joe");
    }
}

static void *use(void *argument) {
    work *mine = argument;
    int round;

    for (round = 0; round < rounds; round++) {
        mine->mistakes += !decides_correctly(mine->shared, round);
    }
    return NULL;
}

static void *build_and_free(void *argument) {
    work *mine = argument;
    int round;

    for (round = 0; round < rounds / 4; round++) {
        jwtauth_verifier *verifier = NULL;
        char *policy = NULL;
        if (jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) != JWTAUTH_STATUS_OK) {
            mine->mistakes++;
            continue;
        }
        mine->mistakes += !decides_correctly(verifier, round);
        mine->mistakes += jwtauth_verifier_policy(verifier, &policy) != JWTAUTH_STATUS_OK;
        jwtauth_string_free(policy);
        jwtauth_verifier_free(verifier);
    }
    return NULL;
}

static void threads_at_work(void) {
    pthread_t threads[USERS + BUILDERS];
    work jobs[USERS + BUILDERS];
    jwtauth_verifier *shared = NULL;
    pthread_attr_t attributes;
    int i;

    if (!CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &shared, NULL) == JWTAUTH_STATUS_OK) ||
        !CHECK(pthread_attr_init(&attributes) == 0) || !CHECK(pthread_attr_setstacksize(&attributes, SMALL_STACK) == 0)) {
        return;
    }
    for (i = 0; i < USERS + BUILDERS; i++) {
        jobs[i].shared = shared;
        jobs[i].mistakes = 0;
        if (pthread_create(&threads[i], &attributes, i < USERS ? use : build_and_free, &jobs[i]) != 0) {
            perror("pthread_create");
            exit(2);
        }
    }
    for (i = 0; i < USERS + BUILDERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(jobs[i].mistakes == 0);
    }
    CHECK(decides_correctly(shared, 0));
    jwtauth_verifier_free(shared);
    pthread_attr_destroy(&attributes);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        rounds = atoi(argv[1]);
    }
    return run("threads", threads_at_work);
}

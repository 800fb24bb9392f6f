/*
 * The memory of verifiers and decisions: .ci/bench-c builds and runs it. It counts what the library asks the allocator for, so
 * the result does not depend on the machine. Prints rows of a table in Markdown.
 *
 * Usage: memory ALG TOKEN JWK. JWK is the key as JSON.
 */
#define _GNU_SOURCE
#include "contender.h"

#include <jwtauth.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 1000
/* The most bytes of a verifier with one key. */
#define GOAL 8000

/* These replace the functions of the C library, for the program and for libjwtauth. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static long in_use, asked, calls;

static void *counted(void *memory) {
    if (memory) {
        in_use += (long)malloc_usable_size(memory);
        asked += (long)malloc_usable_size(memory);
        calls++;
    }
    return memory;
}

void *malloc(size_t size) { return counted(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = counted(__libc_memalign(alignment, size));
    return *memory ? 0 : 12; /* ENOMEM */
}

void *realloc(void *memory, size_t size) {
    if (memory) in_use -= (long)malloc_usable_size(memory);
    return counted(__libc_realloc(memory, size));
}

void free(void *memory) {
    if (memory) in_use -= (long)malloc_usable_size(memory);
    __libc_free(memory);
}

void stop(const char *why) {
    fprintf(stderr, "error: %s\n", why);
    exit(1);
}

const char *alg, *token;

/* A verifier with this number of keys, which have different names. */
static jwtauth_verifier *verifier_with(const char *jwk, int keys, const char *options) {
    size_t room = (strlen(jwk) + 64) * (size_t)keys + 1024;
    char *config = malloc(room), *reply = NULL;
    jwtauth_verifier *verifier = NULL;
    if (!config) stop("no memory");
    int length = snprintf(config, room, "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"jwks\":{\"keys\":[");
    for (int i = 0; i < keys; i++) {
        /* The first member of the key is its name. */
        length += snprintf(config + length, room - (size_t)length, "%s{\"kid\":\"k%d\",%s", i ? "," : "", i, jwk + 1);
    }
    snprintf(config + length, room - (size_t)length,
             "]}}],\"algorithms\":[\"%s\"],\"issuer\":\"%s\",\"audiences\":[\"%s\"],\"identity\":{\"name\":\"sub\"}},"
             "\"options\":{%s}}",
             alg, ISSUER, AUDIENCE, options);
    if (jwtauth_verifier_new(config, &verifier, &reply) != JWTAUTH_STATUS_OK) stop(reply);
    jwtauth_string_free(reply);
    free(config);
    return verifier;
}

static void decide(const jwtauth_verifier *verifier) {
    char *reply = NULL;
    if (jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply) != JWTAUTH_STATUS_OK) stop(reply);
    jwtauth_string_free(reply);
}

static void decision(const char *what, const jwtauth_verifier *verifier) {
    /* The first decisions allocate what later ones use again. */
    decide(verifier);
    decide(verifier);
    long bytes = asked, count = calls;
    decide(verifier);
    printf("| %s | %s | %ld | %ld | – |\n", alg, what, asked - bytes, calls - count);
}

int main(int argc, char **argv) {
    if (argc != 4) stop("usage: memory ALG TOKEN JWK");
    alg = argv[1];
    token = argv[2];
    /* What is allocated once for the whole process is not counted. */
    jwtauth_verifier_free(verifier_with(argv[3], 1, ""));
    long before = in_use, count = calls;
    jwtauth_verifier *one = verifier_with(argv[3], 1, "");
    long of_one = in_use - before;
    printf(of_one <= GOAL ? "| %s | a verifier with one key | %ld | %ld | %d |\n"
                          : "| %s | a verifier with one key | **%ld** | %ld | %d |\n",
           alg, of_one, calls - count, GOAL);
    before = in_use;
    jwtauth_verifier *many = verifier_with(argv[3], KEYS, "");
    printf("| %s | each further key of a set | %ld | – | – |\n", alg, (in_use - before - of_one) / (KEYS - 1));
    decision("a decision with its reply, in total", one);
    jwtauth_verifier *remembering = verifier_with(argv[3], 1, "\"token_cache\":{\"max_bytes\":1048576,\"max_ttl\":\"5m\"}");
    decision("a hit of the token cache with its reply, in total", remembering);
    jwtauth_verifier_free(remembering);
    jwtauth_verifier_free(many);
    jwtauth_verifier_free(one);
    return 0;
}

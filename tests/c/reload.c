/*
 * The library is loaded, used and unloaded repeatedly, also by threads that end afterwards.
 *
 * reload LIBRARY [ROUNDS]
 */

#define _POSIX_C_SOURCE 200809L

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

static const char *library;
static int rounds = 1500;

/* ISO C cannot cast an object pointer to a function pointer; POSIX guarantees that the bytes are the same. */
#define LOOK_UP(handle, function) look_up((handle), #function, &(function), sizeof(function))

static void look_up(void *handle, const char *name, void *function, size_t size) {
    void *symbol = dlsym(handle, name);
    memcpy(function, &symbol, size);
}

static int load_use_unload(void) {
    jwtauth_status (*jwtauth_verifier_new)(const char *, jwtauth_verifier **, char **);
    jwtauth_status (*jwtauth_verifier_authenticate_token)(const jwtauth_verifier *, const char *, const char *, char **);
    void (*jwtauth_verifier_free)(jwtauth_verifier *);
    void (*jwtauth_string_free)(char *);
    jwtauth_verifier *verifier = NULL;
    char *reply = NULL;
    int fine;
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

    if (handle == NULL) {
        fprintf(stderr, "%s\n", dlerror());
        return 0;
    }
    LOOK_UP(handle, jwtauth_verifier_new);
    LOOK_UP(handle, jwtauth_verifier_authenticate_token);
    LOOK_UP(handle, jwtauth_verifier_free);
    LOOK_UP(handle, jwtauth_string_free);
    fine = jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK &&
           jwtauth_verifier_authenticate_token(verifier, SAMPLE_RS256, NULL, &reply) == JWTAUTH_STATUS_OK;
    jwtauth_string_free(reply);
    jwtauth_verifier_free(verifier);
    return dlclose(handle) == 0 && fine;
}

static void *in_a_thread(void *fine) {
    *(int *)fine = load_use_unload();
    return NULL;
}

/* The resident pages of this process (the second number in /proc/self/statm); 0 if that file does not exist. */
static long resident_pages(void) {
    long size = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");

    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%ld %ld", &size, &resident) != 2) {
        resident = 0;
    }
    fclose(file);
    return resident;
}

static void reload(void) {
    int round;
    long before = 0;

    for (round = 0; round < rounds; round++) {
        pthread_t thread;
        int fine = 0;
        if (round == rounds / 4) {
            before = resident_pages();
        }
        CHECK(load_use_unload());
        CHECK(pthread_create(&thread, NULL, in_a_thread, &fine) == 0 && pthread_join(thread, NULL) == 0 && fine);
    }
    /* This fails if each round leaks only a hundred bytes. A few rounds would prove nothing. */
    if (rounds >= 1000) {
        CHECK(resident_pages() - before < 64);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: reload LIBRARY [ROUNDS]\n");
        return 2;
    }
    library = argv[1];
    if (argc > 2) {
        rounds = atoi(argv[2]);
    }
    return run("reload", reload);
}

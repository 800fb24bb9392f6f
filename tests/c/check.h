/*
 * Shared by the C tests. A test continues after a failed check; its exit status reports the failure.
 *
 * Tests run on a thread with a small stack, because some applications have only small stacks. When the thread ends, its
 * thread-local memory must be freed too.
 */

#ifndef CHECK_H
#define CHECK_H

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SMALL_STACK_KIB
#define SMALL_STACK_KIB 128
#endif

enum { SMALL_STACK = SMALL_STACK_KIB * 1024 };

static unsigned long checks_made;
static unsigned long checks_failed;

#define CHECK(condition) check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
#define CHECK_TEXT(text, expected) check_text((text), (expected), #text, __FILE__, __LINE__)

/* Atomic, because threads of a test may check too. */
static inline void count(unsigned long *checks) {
    __atomic_add_fetch(checks, 1, __ATOMIC_SEQ_CST);
}

static inline int check(int holds, const char *what, const char *file, int line) {
    count(&checks_made);
    if (!holds) {
        count(&checks_failed);
        fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    }
    return holds;
}

static inline int check_text(const char *text, const char *expected, const char *what, const char *file, int line) {
    int same = text != NULL && strcmp(text, expected) == 0;
    count(&checks_made);
    if (!same) {
        count(&checks_failed);
        fprintf(stderr, "%s:%d: %s is \"%s\", not \"%s\"\n", file, line, what, text != NULL ? text : "(NULL)", expected);
    }
    return same;
}

/* A text with a long middle, to be freed. */
static inline char *repeated(const char *before, char filler, size_t times, const char *after) {
    size_t start = strlen(before), end = strlen(after);
    char *text = (char *)malloc(start + times + end + 1);

    if (text == NULL) {
        perror("malloc");
        exit(2);
    }
    memcpy(text, before, start);
    memset(text + start, filler, times);
    memcpy(text + start + times, after, end + 1);
    return text;
}

static inline void *run_test(void *test) {
    (*(void (**)(void))test)();
    return NULL;
}

/* Runs a test and prints the result; returns the program's exit status. */
static inline int run(const char *name, void (*test)(void)) {
    pthread_attr_t attributes;
    pthread_t thread;

    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, SMALL_STACK) != 0 ||
        pthread_create(&thread, &attributes, run_test, &test) != 0 || pthread_join(thread, NULL) != 0) {
        fprintf(stderr, "%s: cannot start a thread\n", name);
        return 2;
    }
    pthread_attr_destroy(&attributes);
    printf("%s: %lu checks, %lu failed\n", name, checks_made, checks_failed);
    return checks_failed == 0 ? 0 : 1;
}

#endif

/* A forked child that checks something about a verifier. */

#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

/*
 * Whether a process may be forked at a moment when another thread may be allocating. With AddressSanitizer, its child may
 * hang: the lock of that allocator may be held by a thread that the child does not have. The other builds test it.
 */
#if defined(__SANITIZE_ADDRESS__)
enum { MAY_FORK_AT_ANY_MOMENT = 0 };
#elif defined(__has_feature)
enum { MAY_FORK_AT_ANY_MOMENT = !__has_feature(address_sanitizer) };
#else
enum { MAY_FORK_AT_ANY_MOMENT = 1 };
#endif

/* The time limit of a child in seconds, also under a tool that slows it down. */
enum { PATIENCE = 60 };

/*
 * Runs `holds` in a child; returns whether it held within the time limit. A child has only the thread that forked, so a
 * leak checker would report the memory of the other threads. Therefore a successful child ends by SIGKILL.
 */
static inline int child_finds(int (*holds)(const jwtauth_verifier *, void *), const jwtauth_verifier *verifier,
                              void *with) {
    int ended = -1;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        if (holds(verifier, with)) {
            raise(SIGKILL);
        }
        _exit(1);
    }
    return child > 0 && waitpid(child, &ended, 0) == child && WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL;
}

/* A verifier without fetches, for `be_busy`. */
static inline jwtauth_verifier *busy_verifier(void) {
    jwtauth_verifier *verifier = NULL;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    return verifier;
}

/*
 * Decides this many tokens, so that another thread gets further, to another moment for each number. A fixed time would
 * be too short under a tool that slows everything down.
 */
static inline void be_busy(const jwtauth_verifier *verifier, int decisions) {
    while (decisions-- > 0) {
        CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_RS256, NULL, NULL) == JWTAUTH_STATUS_OK);
    }
}

#endif

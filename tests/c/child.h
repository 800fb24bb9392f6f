/* A forked child that finds out something about a verifier. */

#ifndef CHILD_H
#define CHILD_H

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jwtauth.h>

/* What a child may take, in seconds, with a tool around it that slows it down. */
enum { PATIENCE = 60 };

/*
 * Runs this in a child, and says whether it held, in time. A child has only the thread that forked; a leak checker
 * would miss the others' memory, so a child in which it held ends by a signal that leaves no time for that.
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

#endif

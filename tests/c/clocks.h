/*
 * Clocks that a test can move. This definition of clock_gettime replaces libc's in the whole process, so the library
 * uses it too. The real clocks are read in a way that only Linux has.
 */

#ifndef CLOCKS_H
#define CLOCKS_H

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

/* The time of the wall clock; -1: the real time. */
static long long wall_clock = -1;
/* How far the monotonic clocks are ahead of the real ones, in seconds. */
static long long uptime_ahead;
/* Whether the monotonic clocks move only by `pass`. Then no time limit of a wait ends. Set before the first reading. */
static int uptime_stands;
/* How often the clocks were read. */
static unsigned long wall_clock_asked, uptime_asked;

int clock_gettime(clockid_t clock, struct timespec *now) {
    long status = syscall(SYS_clock_gettime, clock, now);
    long long wall = __atomic_load_n(&wall_clock, __ATOMIC_SEQ_CST);

    if (status != 0) {
        return (int)status;
    }
    if (clock == CLOCK_REALTIME || clock == 5 /* CLOCK_REALTIME_COARSE */) {
        __atomic_add_fetch(&wall_clock_asked, 1, __ATOMIC_SEQ_CST);
        now->tv_sec = wall >= 0 ? (time_t)wall : now->tv_sec;
    } else {
        __atomic_add_fetch(&uptime_asked, 1, __ATOMIC_SEQ_CST);
        if (uptime_stands) {
            now->tv_sec = DAY;
            now->tv_nsec = 0;
        }
        now->tv_sec += (time_t)__atomic_load_n(&uptime_ahead, __ATOMIC_SEQ_CST);
    }
    return 0;
}

static inline void set_wall_clock(long long seconds) {
    __atomic_store_n(&wall_clock, seconds, __ATOMIC_SEQ_CST);
}

/* Moves the monotonic clocks forward, without waiting. */
static inline void pass(long long seconds) {
    __atomic_add_fetch(&uptime_ahead, seconds, __ATOMIC_SEQ_CST);
}

#endif

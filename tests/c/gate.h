/* A fetch callback that hangs until it is released, and the threads that authenticate meanwhile. */

#ifndef GATE_H
#define GATE_H

#include "host.h"

/* A fetch that hangs until it is released. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int waiting;
    int open;
} gate;

#define GATE {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, 0}

static inline void hang(host *self, const char *request_json, jwtauth_fetch *fetch) {
    gate *at = self->own;

    (void)request_json;
    pthread_mutex_lock(&at->lock);
    at->waiting++;
    pthread_cond_broadcast(&at->changed);
    while (!at->open) {
        pthread_cond_wait(&at->changed, &at->lock);
    }
    at->waiting--;
    pthread_mutex_unlock(&at->lock);
    CHECK(jwtauth_fetch_respond(fetch, self->status, NULL, self->body, strlen(self->body)) == JWTAUTH_STATUS_OK);
}

static inline void until_so_many_hang(gate *at, int number) {
    pthread_mutex_lock(&at->lock);
    while (at->waiting < number) {
        pthread_cond_wait(&at->changed, &at->lock);
    }
    pthread_mutex_unlock(&at->lock);
}

static inline void until_it_hangs(gate *at) {
    until_so_many_hang(at, 1);
}

static inline void let_go(gate *at) {
    pthread_mutex_lock(&at->lock);
    at->open = 1;
    pthread_cond_broadcast(&at->changed);
    pthread_mutex_unlock(&at->lock);
}

typedef struct {
    const jwtauth_verifier *verifier;
    const char *token;
    jwtauth_status status;
    pthread_t thread;
} visitor;

static inline void *visit(void *argument) {
    visitor *self = argument;

    self->status = decide(self->verifier, self->token);
    return NULL;
}

static inline void send_in(visitor *self, const jwtauth_verifier *verifier, const char *token) {
    pthread_attr_t attributes;

    self->verifier = verifier;
    self->token = token;
    self->status = JWTAUTH_STATUS_INTERNAL;
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, SMALL_STACK) != 0 ||
        pthread_create(&self->thread, &attributes, visit, self) != 0) {
        perror("pthread_create");
        exit(2);
    }
    pthread_attr_destroy(&attributes);
}

static inline jwtauth_status comes_back(visitor *self) {
    CHECK(pthread_join(self->thread, NULL) == 0);
    return self->status;
}

#endif

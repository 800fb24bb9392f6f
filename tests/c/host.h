/* An application that fetches keys: it responds as a test specifies, and counts the calls. */

#ifndef HOST_H
#define HOST_H

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

typedef struct host host;

struct host {
    /* The function that answers; NULL: answer with the members below. */
    void (*answer)(host *self, const char *request_json, jwtauth_fetch *fetch);
    int status;
    const char *headers;
    const char *body;
    /* The data of `answer`. */
    void *own;
    pthread_mutex_t lock;
    unsigned calls;
    unsigned released;
    char last_request[1024];
};

/* A host that responds with this key set. */
#define HOST_WITH(set) {NULL, 200, NULL, (set), NULL, PTHREAD_MUTEX_INITIALIZER, 0, 0, ""}

static inline void host_fetch(void *user, const char *request_json, jwtauth_fetch *fetch) {
    host *self = user;

    pthread_mutex_lock(&self->lock);
    self->calls++;
    strncpy(self->last_request, request_json, sizeof self->last_request - 1);
    pthread_mutex_unlock(&self->lock);
    if (self->answer != NULL) {
        self->answer(self, request_json, fetch);
    } else {
        jwtauth_fetch_respond(fetch, self->status, self->headers, self->body, self->body ? strlen(self->body) : 0);
    }
}

static inline void host_release(void *user) {
    host *self = user;

    pthread_mutex_lock(&self->lock);
    self->released++;
    pthread_mutex_unlock(&self->lock);
}

static inline unsigned host_calls(host *self) {
    unsigned calls;

    pthread_mutex_lock(&self->lock);
    calls = self->calls;
    pthread_mutex_unlock(&self->lock);
    return calls;
}

/* A verifier that fetches through this host. */
static inline jwtauth_verifier *host_verifier(host *self, const char *config) {
    jwtauth_callbacks callbacks = {sizeof callbacks, NULL, host_fetch, host_release, NULL};
    jwtauth_verifier *verifier = NULL;
    char *reply = NULL;

    callbacks.user = self;
    if (jwtauth_verifier_new_with(config, &callbacks, &verifier, &reply) != JWTAUTH_STATUS_OK) {
        fprintf(stderr, "%s\n", reply);
        exit(2);
    }
    jwtauth_string_free(reply);
    return verifier;
}

static inline jwtauth_status decide(const jwtauth_verifier *verifier, const char *token) {
    return jwtauth_verifier_authenticate_token(verifier, token, NULL, NULL);
}

/* Whether the token is refused with this code, and with a detail that contains this text. */
static inline int refused_with(const jwtauth_verifier *verifier, const char *token, const char *code,
                               const char *detail) {
    char *reply = NULL, *got_code, *got_detail;
    int fits = jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply) != JWTAUTH_STATUS_OK;

    got_code = jwtauth_json_get(reply, "/code");
    got_detail = jwtauth_json_get(reply, "/detail");
    fits = fits && got_code != NULL && strcmp(got_code, code) == 0 &&
           strstr(got_detail != NULL ? got_detail : "", detail) != NULL;
    if (!fits) {
        fprintf(stderr, "expected %s with \"%s\", got %s\n", code, detail, reply);
    }
    jwtauth_string_free(got_detail);
    jwtauth_string_free(got_code);
    jwtauth_string_free(reply);
    return fits;
}

#endif

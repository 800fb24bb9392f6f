/* Events and counters: each decision and each fetch is reported once, on the thread that makes it. */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

enum { MAX_EVENTS = 400 };

/* The events that a verifier reported, and the threads on which it did. */
typedef struct {
    pthread_mutex_t lock;
    char *events[MAX_EVENTS];
    pthread_t threads[MAX_EVENTS];
    size_t count;
    unsigned released;
    /* If it is set, the callback decides too. */
    const jwtauth_verifier *verifier;
} observer;

static void on_event(void *user, const char *event_json) {
    observer *self = user;
    const jwtauth_verifier *verifier;

    pthread_mutex_lock(&self->lock);
    if (CHECK(self->count < MAX_EVENTS)) {
        self->threads[self->count] = pthread_self();
        self->events[self->count] = malloc(strlen(event_json) + 1);
        strcpy(self->events[self->count], event_json);
        self->count++;
    }
    verifier = self->verifier;
    self->verifier = NULL;
    pthread_mutex_unlock(&self->lock);
    if (verifier != NULL) {
        CHECK(jwtauth_verifier_authenticate_token(verifier, "a.b.c", NULL, NULL) == JWTAUTH_STATUS_DENIED);
    }
}

static void release(void *user) {
    observer *self = user;

    self->released++;
}

static void fetch(void *user, const char *request_json, jwtauth_fetch *fetch) {
    (void)user;
    (void)request_json;
    CHECK(jwtauth_fetch_respond(fetch, 200, NULL, SAMPLE_EC_SET, strlen(SAMPLE_EC_SET)) == JWTAUTH_STATUS_OK);
}

static jwtauth_verifier *observed(observer *self, const char *config, int with_fetch) {
    jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, release, on_event};
    jwtauth_verifier *verifier = NULL;

    memset(self, 0, sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    callbacks.user = self;
    callbacks.fetch = with_fetch ? fetch : NULL;
    CHECK(jwtauth_verifier_new_with(config, &callbacks, &verifier, NULL) == JWTAUTH_STATUS_OK);
    return verifier;
}

/* Frees the events. */
static void forget(observer *self) {
    size_t i;

    for (i = 0; i < self->count; i++) {
        free(self->events[i]);
    }
    self->count = 0;
}

/* Whether an event has this text at this pointer; NULL: nothing. */
static int has(const char *event, const char *pointer, const char *expected) {
    char *value = jwtauth_json_get(event, pointer);
    int same = value == NULL || expected == NULL ? value == expected : strcmp(value, expected) == 0;

    if (!same) {
        fprintf(stderr, "%s of %s is not %s\n", pointer, event, expected);
    }
    jwtauth_string_free(value);
    return same;
}

static void each_call_reports_its_decision(void) {
    observer self;
    jwtauth_verifier *verifier = observed(&self, SAMPLE_CONFIG, 0);
    jwtauth_options options = {sizeof options, "nobody", NULL, 0};

    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, NULL) == JWTAUTH_STATUS_OK);
    CHECK(self.count == 1 && pthread_equal(self.threads[0], pthread_self()));
    CHECK(has(self.events[0], "/event", "decision") && has(self.events[0], "/outcome", "granted"));
    CHECK(has(self.events[0], "/source", "keys[0].secret") && has(self.events[0], "/code", NULL));
    CHECK(jwtauth_json_type(self.events[0], "/duration_ns") == JWTAUTH_JSON_NUMBER);
    /* The claims of the token. */
    CHECK(strstr(self.events[0], "joe") == NULL && strstr(self.events[0], "is_root") == NULL);

    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_ES256, &options, NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(self.count == 2 && has(self.events[1], "/code", "subject_mismatch"));
    CHECK(has(self.events[1], "/profile", "nobody") && has(self.events[1], "/stage", "validate_claims"));

    CHECK(jwtauth_verifier_explain_with(verifier, "a.b.c", NULL, 0, NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(self.count == 3 && has(self.events[2], "/explained", "true") && has(self.events[2], "/level", "warning"));

    CHECK(jwtauth_verifier_authenticate(verifier, "{", NULL) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_verifier_authenticate_token(verifier, NULL, NULL, NULL) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(self.count == 3);

    jwtauth_verifier_free(verifier);
    CHECK(self.released == 1);
    forget(&self);
}

static void a_batch_reports_every_token(void) {
    enum { COUNT = 100 };
    const char *tokens[COUNT];
    jwtauth_status statuses[COUNT];
    observer self;
    jwtauth_verifier *verifier = observed(&self, SAMPLE_CONFIG, 0);
    size_t i, granted = 0;

    for (i = 0; i < COUNT; i++) {
        tokens[i] = i % 4 == 0 ? "a.b.c" : SAMPLE_ES256;
    }
    CHECK(jwtauth_verifier_authenticate_many(verifier, tokens, COUNT, NULL, 3, statuses, NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(self.count == COUNT);
    for (i = 0; i < self.count; i++) {
        granted += strstr(self.events[i], "\"outcome\":\"granted\"") != NULL;
    }
    CHECK(granted == COUNT * 3 / 4);
    jwtauth_verifier_free(verifier);
    forget(&self);
}

static void a_fetch_is_reported_before_its_decision(void) {
    observer self;
    jwtauth_verifier *verifier = observed(&self, SAMPLE_URL_CONFIG("https://issuer.example/keys?secret=hush", ""), 1);

    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_ES256, NULL, NULL) == JWTAUTH_STATUS_OK);
    CHECK(self.count == 2);
    CHECK(has(self.events[0], "/event", "fetch") && has(self.events[0], "/outcome", "fetched"));
    CHECK(has(self.events[0], "/source", "keys[0].jwks_url") && has(self.events[0], "/keys", "1"));
    CHECK(has(self.events[1], "/event", "decision") && strstr(self.events[0], "hush") == NULL);
    jwtauth_verifier_free(verifier);
    forget(&self);
}

static void a_callback_may_use_the_verifier(void) {
    observer self;
    jwtauth_verifier *verifier = observed(&self, SAMPLE_CONFIG, 0);

    self.verifier = verifier;
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, NULL) == JWTAUTH_STATUS_OK);
    CHECK(self.count == 2 && has(self.events[1], "/code", "token_malformed"));
    jwtauth_verifier_free(verifier);
    forget(&self);
}

static void decisions_are_counted_also_without_a_callback(void) {
    jwtauth_verifier *verifier = NULL;
    char *counters = NULL;
    int i;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    for (i = 0; i < 3; i++) {
        CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, NULL) == JWTAUTH_STATUS_OK);
        CHECK(jwtauth_verifier_authenticate_token(verifier, "a.b.c", NULL, NULL) == JWTAUTH_STATUS_DENIED);
    }
    CHECK(jwtauth_verifier_counters(verifier, &counters) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(counters, "{\"granted\":3,\"denied\":{\"token_malformed\":3},\"unavailable\":{},\"token_cache_hits\":0,"
                         "\"sources\":[]}");
    jwtauth_string_free(counters);
    CHECK(jwtauth_verifier_counters(NULL, &counters) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(has(counters, "/code", "argument_null"));
    jwtauth_string_free(counters);
    CHECK(jwtauth_verifier_counters(verifier, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
}

static void events(void) {
    each_call_reports_its_decision();
    a_batch_reports_every_token();
    a_fetch_is_reported_before_its_decision();
    a_callback_may_use_the_verifier();
    decisions_are_counted_also_without_a_callback();
}

int main(void) {
    return run("events", events);
}

/* Keys that a callback fetches: its requests, its answers and its mistakes. */

#define _POSIX_C_SOURCE 200809L

#include <stdint.h>

#include <jwtauth.h>

#include "host.h"

#define URL "https://issuer.example/keys"
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* Fetches as often as possible. */
static const char restless[] = SAMPLE_URL_CONFIG(URL "?key=hush", ",\"cache_ttl\":\"0s\",\"cool_down\":\"0s\"");
static const char plain[] = SAMPLE_URL_CONFIG(URL, "");

static void check_member(const char *json, const char *pointer, const char *expected) {
    char *value = jwtauth_json_get(json, pointer);

    CHECK_TEXT(value, expected);
    jwtauth_string_free(value);
}

static void keys_come_from_the_callback(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, SAMPLE_URL_CONFIG(URL, ",\"timeout\":\"60s\""));
    char *timeout;

    CHECK(own.calls == 0);
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    CHECK(own.calls == 1);
    check_member(own.last_request, "/url", URL);
    check_member(own.last_request, "/headers", "{\"Accept\":\"application/jwk-set+json, application/json;q=0.9, */*;q=0.1\"}");
    check_member(own.last_request, "/max_bytes", "1048576");
    timeout = jwtauth_json_get(own.last_request, "/timeout_ms");
    /* The rest of the minute. */
    CHECK(timeout != NULL && atoi(timeout) > 10000 && atoi(timeout) <= 60000);
    jwtauth_string_free(timeout);
    CHECK(own.released == 0);
    jwtauth_verifier_free(verifier);
    CHECK(own.released == 1);
}

static void a_304_response_keeps_the_keys(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, restless);

    own.headers = "{\"Server\":[\"a\",\"b\"],\"etag\":[\"\\\"one\\\"\"],"
                  "\"LAST-MODIFIED\":\"Thu, 01 Jan 2026 00:00:00 GMT\"}";
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    own.status = 304;
    own.headers = NULL;
    own.body = NULL;
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    CHECK(own.calls == 2);
    check_member(own.last_request, "/headers/If-None-Match", "\"one\"");
    check_member(own.last_request, "/headers/If-Modified-Since", "Thu, 01 Jan 2026 00:00:00 GMT");
    jwtauth_verifier_free(verifier);
}

/* --- answers --- */

static void fail_with(jwtauth_fetch *fetch, const char *phase) {
    CHECK(jwtauth_fetch_fail(fetch, phase, "as the host says") == JWTAUTH_STATUS_OK);
}

static void respond_with(jwtauth_fetch *fetch, int status, const void *body, size_t length) {
    CHECK(jwtauth_fetch_respond(fetch, status, "{}", body, length) == JWTAUTH_STATUS_OK);
}

#define ANSWER(name, statement) \
    static void name(host *self, const char *request_json, jwtauth_fetch *fetch) { \
        (void)self, (void)request_json, (void)fetch; \
        statement; \
    }

ANSWER(never, (void)0)
ANSWER(dns, fail_with(fetch, "dns"))
ANSWER(no_connection, fail_with(fetch, "connect"))
ANSWER(tls, fail_with(fetch, "tls"))
ANSWER(http, fail_with(fetch, "http"))
ANSWER(parse, fail_with(fetch, "parse"))
ANSWER(not_found, respond_with(fetch, 404, "<html>hush</html>", 17))
ANSWER(moved, respond_with(fetch, 302, NULL, 0))
ANSWER(unchanged, respond_with(fetch, 304, NULL, 0))
ANSWER(empty, respond_with(fetch, 200, NULL, 0))
ANSWER(a_page, respond_with(fetch, 200, "<html>hush</html>", 17))
ANSWER(not_utf8, respond_with(fetch, 200, "{\"keys\":[],\"\xff\":1}", 17))
ANSWER(truncated, respond_with(fetch, 200, SAMPLE_EC_SET, sizeof SAMPLE_EC_SET - 3))
/* The body must not be read: it is larger than the memory. */
ANSWER(endless, respond_with(fetch, 200, "{", SIZE_MAX))
ANSWER(endless_page, respond_with(fetch, 500, "{", SIZE_MAX))
ANSWER(loud, CHECK(jwtauth_fetch_fail(fetch, "tls", "one\r\ntwo\x1b[31m\x7f three") == JWTAUTH_STATUS_OK))

static void a_failed_fetch_is_unavailable(void) {
    static const struct {
        void (*answer)(host *, const char *, jwtauth_fetch *);
        const char *code;
        const char *detail;
    } table[] = {
        {never, "key_source_unavailable", URL ": http: the callback returned without an answer"},
        {dns, "key_source_unavailable", URL ": dns: as the host says"},
        {no_connection, "key_source_unavailable", URL ": connect: as the host says"},
        {tls, "key_source_unavailable", URL ": tls: as the host says"},
        {http, "key_source_unavailable", URL ": http: as the host says"},
        {parse, "key_source_unavailable", URL ": parse: as the host says"},
        {not_found, "key_source_unavailable", "http: status 404"},
        {moved, "key_source_unavailable", "http: status 302"},
        {unchanged, "key_source_unavailable", "http: status 304"},
        {empty, "key_set_invalid", "parse: "},
        {a_page, "key_set_invalid", "parse: "},
        {not_utf8, "key_set_invalid", "parse: "},
        {truncated, "key_set_invalid", "parse: "},
        {endless, "key_source_unavailable", "http: a body of more than 1048576 bytes"},
        {endless_page, "key_source_unavailable", "http: status 500"},
        {loud, "key_source_unavailable", "tls: one  two [31m  three"},
    };
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        host own = HOST_WITH(SAMPLE_EC_SET);
        jwtauth_verifier *verifier = host_verifier(&own, restless);
        char *reply = NULL;

        own.answer = table[i].answer;
        CHECK(refused_with(verifier, SAMPLE_ES256, table[i].code, table[i].detail));
        CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_ES256, NULL, &reply) ==
              JWTAUTH_STATUS_UNAVAILABLE);
        CHECK(strstr(reply, "hush") == NULL);
        check_member(reply, "/http_status", "503");
        jwtauth_string_free(reply);

        own.answer = NULL;
        CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
        own.answer = table[i].answer;
        CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
        jwtauth_verifier_free(verifier);
        CHECK(own.released == 1);
    }
}

/* --- invalid answers --- */

/* Each of these is rejected, and the fetch can still be answered. */
static void mistakes(jwtauth_fetch *fetch) {
    static const char *const headers[] = {"", "{", "[]", "null", "\xff", "{\"ETag\":1}", "{\"ETag\":[\"a\",null]}",
                                          "{\"ETag\":\"a\",\"ETag\":\"b\"}", "{\"ETag\":\"a\\r\\nb: c\"}"};
    static const char *const phases[] = {NULL, "", "HTTP", "https", "tls ", "\xff"};
    static const int statuses[] = {0, -1, 99, 600, 65736, 2147483647};
    char *many = repeated("{\"ETag\":\"", 'x', 1 << 20, "\"}");
    size_t i;

    for (i = 0; i < COUNT(statuses); i++) {
        CHECK(jwtauth_fetch_respond(fetch, statuses[i], NULL, "{}", 2) == JWTAUTH_STATUS_ARGUMENT);
    }
    for (i = 0; i < COUNT(headers); i++) {
        CHECK(jwtauth_fetch_respond(fetch, 200, headers[i], "{}", 2) == JWTAUTH_STATUS_ARGUMENT);
    }
    CHECK(jwtauth_fetch_respond(fetch, 200, many, "{}", 2) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_fetch_respond(fetch, 200, NULL, NULL, 1) == JWTAUTH_STATUS_ARGUMENT);
    for (i = 0; i < COUNT(phases); i++) {
        CHECK(jwtauth_fetch_fail(fetch, phases[i], "why") == JWTAUTH_STATUS_ARGUMENT);
    }
    CHECK(jwtauth_fetch_fail(fetch, "http", NULL) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_fetch_fail(fetch, "http", "caf\xe9") == JWTAUTH_STATUS_ARGUMENT);
    free(many);
}

ANSWER(only_mistakes, mistakes(fetch))
ANSWER(mistakes_first, mistakes(fetch); respond_with(fetch, 200, SAMPLE_EC_SET, sizeof SAMPLE_EC_SET - 1))
ANSWER(a_latin1_reason, jwtauth_fetch_fail(fetch, "connect", "caf\xe9"))

static void an_invalid_answer_is_rejected(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, plain);

    CHECK(jwtauth_fetch_respond(NULL, 200, NULL, "{}", 2) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_fetch_fail(NULL, "http", "why") == JWTAUTH_STATUS_ARGUMENT);
    own.answer = only_mistakes;
    CHECK(refused_with(verifier, SAMPLE_ES256, "key_source_unavailable",
                       "http: the callback's answer is invalid: the status must be"));
    jwtauth_verifier_free(verifier);

    verifier = host_verifier(&own, plain);
    own.answer = a_latin1_reason;
    CHECK(refused_with(verifier, SAMPLE_ES256, "key_source_unavailable", "answer is invalid: `reason`"));
    jwtauth_verifier_free(verifier);

    verifier = host_verifier(&own, plain);
    own.answer = mistakes_first;
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
    CHECK(own.released == 3);
}

static void twice(host *self, const char *request_json, jwtauth_fetch *fetch) {
    (void)request_json;
    if (self->own != NULL) {
        CHECK(jwtauth_fetch_respond(fetch, 200, NULL, SAMPLE_EC_SET, sizeof SAMPLE_EC_SET - 1) == JWTAUTH_STATUS_OK);
        CHECK(jwtauth_fetch_fail(fetch, "http", "second") == JWTAUTH_STATUS_ARGUMENT);
    } else {
        CHECK(jwtauth_fetch_fail(fetch, "http", "first") == JWTAUTH_STATUS_OK);
        CHECK(jwtauth_fetch_respond(fetch, 200, NULL, SAMPLE_EC_SET, sizeof SAMPLE_EC_SET - 1) ==
              JWTAUTH_STATUS_ARGUMENT);
    }
    CHECK(jwtauth_fetch_fail(fetch, "tls", "third") == JWTAUTH_STATUS_ARGUMENT);
}

static void the_first_answer_is_kept(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, restless);

    own.answer = twice;
    CHECK(refused_with(verifier, SAMPLE_ES256, "key_source_unavailable", "http: first"));
    own.own = &own;
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
}

static void *respond_from_a_thread(void *fetch) {
    respond_with(fetch, 200, SAMPLE_EC_SET, sizeof SAMPLE_EC_SET - 1);
    return NULL;
}

static void delegate(host *self, const char *request_json, jwtauth_fetch *fetch) {
    pthread_t thread;

    (void)self, (void)request_json;
    CHECK(pthread_create(&thread, NULL, respond_from_a_thread, fetch) == 0 && pthread_join(thread, NULL) == 0);
}

static void another_thread_may_answer(void) {
    host own = HOST_WITH(NULL);
    jwtauth_verifier *verifier = host_verifier(&own, plain);

    own.answer = delegate;
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
}

static void long_reason(host *self, const char *request_json, jwtauth_fetch *fetch) {
    char *reason = repeated("begin ", 'x', 1 << 20, " end");

    (void)self, (void)request_json;
    CHECK(jwtauth_fetch_fail(fetch, "dns", reason) == JWTAUTH_STATUS_OK);
    free(reason);
}

static void a_reason_is_bounded(void) {
    host own = HOST_WITH(NULL);
    jwtauth_verifier *verifier = host_verifier(&own, plain);
    char *reply = NULL;

    own.answer = long_reason;
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_ES256, NULL, &reply) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(strstr(reply, "dns: begin xxx") != NULL && strlen(reply) < 1000);
    jwtauth_string_free(reply);
    jwtauth_verifier_free(verifier);
}

/* --- a callback that uses the verifier that called it --- */

static void ask_the_same(host *self, const char *request_json, jwtauth_fetch *fetch) {
    (void)request_json;
    CHECK(decide(self->own, SAMPLE_ES256) == (self->calls == 1 ? JWTAUTH_STATUS_UNAVAILABLE : JWTAUTH_STATUS_OK));
    CHECK(jwtauth_verifier_policy(self->own, NULL) == JWTAUTH_STATUS_OK);
    respond_with(fetch, 200, SAMPLE_EC_SET, sizeof SAMPLE_EC_SET - 1);
}

static void a_callback_that_uses_its_own_verifier_does_not_deadlock(void) {
    host own = HOST_WITH(NULL);
    jwtauth_verifier *verifier =
        host_verifier(&own, SAMPLE_URL_CONFIG(URL, ",\"timeout\":\"100ms\",\"cool_down\":\"0s\""));

    own.answer = ask_the_same;
    own.own = verifier;
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_refresh_keys(verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(own.calls == 2);
    jwtauth_verifier_free(verifier);
}

/* --- the status of sources --- */

static void a_refresh_reports_every_source(void) {
    static const char two_sources[] =
        "{\"dialect\":\"native\",\"config\":{\"keys\":[" SAMPLE_EC_KEY ",{\"jwks_url\":\"" URL "?key=hush\"}],"
        "\"algorithms\":[\"RS256\",\"ES256\"]}}";
    host own = HOST_WITH(SAMPLE_RSA_SET);
    jwtauth_verifier *verifier = host_verifier(&own, two_sources);
    char *reply = NULL;

    CHECK(jwtauth_verifier_policy(verifier, &reply) == JWTAUTH_STATUS_OK);
    check_member(reply, "/key_status/0/state", "fixed");
    check_member(reply, "/key_status/1/state", "unfetched");
    jwtauth_string_free(reply);

    CHECK(jwtauth_verifier_refresh_keys(verifier, &reply) == JWTAUTH_STATUS_OK);
    check_member(reply, "/outcome", "refreshed");
    check_member(reply, "/sources/1/source", "keys[1].jwks_url");
    check_member(reply, "/sources/1/url", URL);
    check_member(reply, "/sources/1/state", "fresh");
    check_member(reply, "/sources/1/keys", "1");
    check_member(reply, "/sources/1/fetches", "1");
    jwtauth_string_free(reply);

    own.answer = tls;
    CHECK(jwtauth_verifier_refresh_keys(verifier, &reply) == JWTAUTH_STATUS_UNAVAILABLE);
    check_member(reply, "/outcome", "failed");
    check_member(reply, "/class", "unavailable");
    check_member(reply, "/code", "key_source_unavailable");
    check_member(reply, "/sources/0/state", "fixed");
    check_member(reply, "/sources/1/last_failure/phase", "tls");
    check_member(reply, "/sources/1/last_failure/reason", "as the host says");
    check_member(reply, "/sources/1/failures", "1");
    CHECK(strstr(reply, "hush") == NULL);
    jwtauth_string_free(reply);
    CHECK(jwtauth_verifier_refresh_keys(verifier, NULL) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(own.calls == 3);
    jwtauth_verifier_free(verifier);
}

static void cached_only_fetches_nothing(void) {
    static const char good[] = "{\"token\":\"" SAMPLE_ES256 "\",\"cached_only\":true}";
    static const char unknown[] = "{\"token\":\"" SAMPLE_RS256 "\",\"cached_only\":true}";
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, restless);

    CHECK(jwtauth_verifier_authenticate(verifier, good, NULL) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(own.calls == 0);
    CHECK(jwtauth_verifier_refresh_keys(verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate(verifier, good, NULL) == JWTAUTH_STATUS_OK);
    /* A fetch could deliver its key. */
    CHECK(jwtauth_verifier_authenticate(verifier, unknown, NULL) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(own.calls == 1);
    jwtauth_verifier_free(verifier);
}

/* --- the owner of `user` --- */

static void user_is_released_exactly_once(void) {
    static const char *const configs[] = {NULL, "", "{}", "\xff", SAMPLE_URL_CONFIG("http://issuer.example/", ""),
                                          SAMPLE_PUBLIC_CONFIG, plain};
    size_t i;
    int with_slot, with_fetch;

    for (i = 0; i < COUNT(configs); i++) {
        for (with_slot = 0; with_slot < 2; with_slot++) {
            for (with_fetch = 0; with_fetch < 2; with_fetch++) {
                host own = HOST_WITH(SAMPLE_EC_SET);
                jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, host_release, NULL};
                jwtauth_verifier *verifier = (jwtauth_verifier *)(uintptr_t)16;
                int built;

                callbacks.user = &own;
                callbacks.fetch = with_fetch ? host_fetch : NULL;
                built = jwtauth_verifier_new_with(configs[i], &callbacks, with_slot ? &verifier : NULL, NULL) ==
                        JWTAUTH_STATUS_OK;
                CHECK(built == (with_slot && i + 2 >= COUNT(configs)));
                CHECK(own.released == (built ? 0 : 1));
                if (with_slot) {
                    CHECK((verifier != NULL) == built);
                    jwtauth_verifier_free(verifier);
                }
                CHECK(own.released == 1);
                CHECK(own.calls == 0);
            }
        }
    }
}

static void without_callbacks_it_is_jwtauth_verifier_new(void) {
    jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, NULL, NULL};
    const jwtauth_callbacks *both[2] = {NULL, NULL};
    size_t i;

    both[1] = &callbacks;
    for (i = 0; i < COUNT(both); i++) {
        jwtauth_verifier *verifier = NULL;
        char *reply = NULL;

        CHECK(jwtauth_verifier_new_with(SAMPLE_CONFIG, both[i], &verifier, &reply) == JWTAUTH_STATUS_OK);
        CHECK(reply != NULL && strncmp(reply, "{\"outcome\":\"built\"", 18) == 0);
        CHECK(decide(verifier, SAMPLE_HS256) == JWTAUTH_STATUS_OK);
        jwtauth_string_free(reply);
        jwtauth_verifier_free(verifier);

        /* The library's own client; no server listens on this port. */
        CHECK(jwtauth_verifier_new_with(SAMPLE_URL_CONFIG("http://127.0.0.1:1/keys", ""), both[i], &verifier, NULL) ==
              JWTAUTH_STATUS_OK);
        CHECK(refused_with(verifier, SAMPLE_ES256, "key_source_unavailable", "http://127.0.0.1:1/keys: connect: "));
        jwtauth_verifier_free(verifier);
    }
}

/* --- the structure may grow --- */

typedef struct {
    jwtauth_callbacks known;
    void (*later)(void);
} grown_callbacks;

static void never_called(void) {
    CHECK(0);
}

static jwtauth_status build_with_size(host *own, size_t size, void (*later)(void), unsigned *calls) {
    grown_callbacks grown = {{0, NULL, host_fetch, host_release, NULL}, NULL};
    jwtauth_verifier *verifier = NULL;
    jwtauth_status status;

    grown.known.size = size;
    grown.known.user = own;
    grown.later = later;
    status = jwtauth_verifier_new_with(plain, (const jwtauth_callbacks *)&grown, &verifier, NULL);
    CHECK((verifier != NULL) == (status == JWTAUTH_STATUS_OK));
    if (status == JWTAUTH_STATUS_OK) {
        *calls = own->calls;
        /* Without `fetch` the library's own client would fetch, and the host does not exist. */
        if (size >= 3 * sizeof(void *)) {
            CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
        }
        *calls = own->calls - *calls;
    }
    jwtauth_verifier_free(verifier);
    return status;
}

static void older_and_newer_structures_are_accepted(void) {
    static const struct {
        size_t size;
        void (*later)(void);
        jwtauth_status status;
        unsigned calls, released;
    } table[] = {
        {0, NULL, JWTAUTH_STATUS_ARGUMENT, 0, 0},
        {1, NULL, JWTAUTH_STATUS_ARGUMENT, 0, 0},
        {SIZE_MAX, NULL, JWTAUTH_STATUS_ARGUMENT, 0, 0},
        {0x55555555, NULL, JWTAUTH_STATUS_ARGUMENT, 0, 0},
        {sizeof(size_t), NULL, JWTAUTH_STATUS_OK, 0, 0},
        {2 * sizeof(void *), NULL, JWTAUTH_STATUS_OK, 0, 0},
        {3 * sizeof(void *) - 1, NULL, JWTAUTH_STATUS_OK, 0, 0},
        {3 * sizeof(void *), NULL, JWTAUTH_STATUS_OK, 1, 0},
        {4 * sizeof(void *), never_called, JWTAUTH_STATUS_OK, 1, 1},
        {sizeof(jwtauth_callbacks), never_called, JWTAUTH_STATUS_OK, 1, 1},
        {sizeof(grown_callbacks), NULL, JWTAUTH_STATUS_OK, 1, 1},
        {sizeof(grown_callbacks), never_called, JWTAUTH_STATUS_ARGUMENT, 0, 1},
    };
    size_t i;

    for (i = 0; i < COUNT(table); i++) {
        host own = HOST_WITH(SAMPLE_EC_SET);
        unsigned calls = 0;

        CHECK(build_with_size(&own, table[i].size, table[i].later, &calls) == table[i].status);
        CHECK(calls == table[i].calls);
        CHECK(own.released == table[i].released);
    }
}

static void fetch(void) {
    keys_come_from_the_callback();
    a_304_response_keeps_the_keys();
    a_failed_fetch_is_unavailable();
    an_invalid_answer_is_rejected();
    the_first_answer_is_kept();
    another_thread_may_answer();
    a_reason_is_bounded();
    a_callback_that_uses_its_own_verifier_does_not_deadlock();
    a_refresh_reports_every_source();
    cached_only_fetches_nothing();
    user_is_released_exactly_once();
    without_callbacks_it_is_jwtauth_verifier_new();
    older_and_newer_structures_are_accepted();
}

int main(void) {
    return run("fetch", fetch);
}

/*
 * Sessions: every verb, invalid arguments, many threads that spend the uses of one session, a reload, and the lifetime of
 * what belongs together.
 *
 * sessions [ROUNDS]: how often threads spend the uses of a session
 */

#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jwtauth.h>

#include "check.h"
#include "host.h"
#include "sample.h"

#define SESSIONS_AT(now, session, sessions) \
    "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"secret\":\"" SAMPLE_SECRET "\"}],\"algorithms\":[\"HS256\"]," \
    "\"issuer\":\"joe\",\"identity\":{\"name\":\"iss\"},\"policies\":[\"read\"],\"session\":{" session "}," \
    "\"profiles\":{\"home\":{\"session\":{\"ttl\":\"1h\",\"bound_cidrs\":[\"10.0.0.0/8\"]}}}}," \
    "\"options\":{\"now\":" now "},\"sessions\":{" sessions "}}"
#define SESSIONS(session, sessions) SESSIONS_AT("1300819379", session, sessions)
#define HOUR "\"ttl\":\"1h\",\"max_ttl\":\"2h\""

enum { SPENDERS = 8, USES = 300 };

static char *const STALE = (char *)-1;
static int rounds = 20;

/* Sessions that must be possible. */
static jwtauth_sessions *made(const char *config) {
    jwtauth_sessions *sessions = (jwtauth_sessions *)STALE;
    char *reply = STALE;

    if (jwtauth_sessions_new(config, &sessions, &reply) != JWTAUTH_STATUS_OK) {
        fprintf(stderr, "%s\n", reply);
        exit(2);
    }
    CHECK(sessions != NULL && strncmp(reply, "{\"outcome\":\"built\",\"warnings\":", 30) == 0);
    jwtauth_string_free(reply);
    return sessions;
}

/* Logs in; the value at a pointer of the reply, to be freed. */
static char *logged_in(const jwtauth_sessions *sessions, const char *profile, const char *pointer) {
    jwtauth_options options = {sizeof options, NULL, NULL, 0};
    char *reply = STALE, *value;

    options.profile = profile;
    CHECK(jwtauth_sessions_login_token(sessions, SAMPLE_HS256, &options, NULL, &reply) == JWTAUTH_STATUS_OK);
    value = jwtauth_json_get(reply, pointer);
    CHECK(value != NULL);
    jwtauth_string_free(reply);
    return value;
}

/* A request with one member, to be freed. Tokens and accessors of sessions need no escapes. */
static char *request_with(const char *name, const char *value) {
    size_t length = strlen(name) + strlen(value) + 8;
    char *request = malloc(length);

    if (request == NULL) {
        perror("malloc");
        exit(2);
    }
    snprintf(request, length, "{\"%s\":\"%s\"}", name, value);
    return request;
}

/* Checks the text at a pointer of a reply, and frees the reply. */
static void has_text(char *reply, const char *pointer, const char *expected) {
    char *value = jwtauth_json_get(reply, pointer);

    CHECK_TEXT(value, expected);
    jwtauth_string_free(value);
    jwtauth_string_free(reply);
}

static void every_verb_answers(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, ""));
    char *login = STALE, *reply = STALE, *again = STALE, *token, *accessor, *by_token, *by_accessor;

    CHECK(jwtauth_sessions_login(sessions, "{\"token\":\"" SAMPLE_HS256 "\"}", &login) == JWTAUTH_STATUS_OK);
    token = jwtauth_json_get(login, "/token");
    accessor = jwtauth_json_get(login, "/accessor");
    CHECK(token != NULL && strncmp(token, "jas.", 4) == 0 && accessor != NULL && strcmp(token, accessor) != 0);
    by_token = request_with("token", token);
    by_accessor = request_with("accessor", accessor);
    has_text(login, "/outcome", "login");

    CHECK(jwtauth_sessions_lookup(sessions, by_token, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_lookup_token(sessions, token, &again) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(again, reply);
    jwtauth_string_free(again);
    CHECK(jwtauth_sessions_lookup_accessor(sessions, by_accessor, &again) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(again, reply);
    CHECK(strstr(reply, token) == NULL && strstr(reply, accessor) == NULL);
    has_text(again, "/session/subject", "joe");
    has_text(reply, "/session/ttl", "3600");

    CHECK(jwtauth_sessions_authorize(sessions, by_token, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, NULL, &again) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(again, reply);
    has_text(again, "/outcome", "authorized");
    jwtauth_string_free(reply);

    CHECK(jwtauth_sessions_renew(sessions, by_token, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/outcome", "renewed");
    CHECK(jwtauth_sessions_renew_token(sessions, token, 60, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/session/ttl", "60");

    CHECK(jwtauth_sessions_revoke(sessions, by_token, &reply) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(reply, "{\"outcome\":\"revoked\",\"count\":1}");
    jwtauth_string_free(reply);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, NULL, &reply) == JWTAUTH_STATUS_DENIED);
    CHECK(strstr(reply, token) == NULL);
    has_text(reply, "/code", "session_unknown");
    CHECK(jwtauth_sessions_revoke_token(sessions, token, &reply) == JWTAUTH_STATUS_DENIED);
    has_text(reply, "/code", "session_unknown");
    CHECK(jwtauth_sessions_lookup_accessor(sessions, by_accessor, NULL) == JWTAUTH_STATUS_DENIED);
    jwtauth_string_free(token);
    jwtauth_string_free(accessor);
    free(by_accessor);
    free(by_token);

    token = logged_in(sessions, NULL, "/token");
    CHECK(jwtauth_sessions_revoke_token(sessions, token, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_string_free(token);
    accessor = logged_in(sessions, NULL, "/accessor");
    by_accessor = request_with("accessor", accessor);
    CHECK(jwtauth_sessions_revoke_accessor(sessions, by_accessor, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/count", "1");
    free(by_accessor);
    jwtauth_string_free(accessor);

    jwtauth_string_free(logged_in(sessions, "home", "/token"));
    jwtauth_string_free(logged_in(sessions, NULL, "/token"));
    jwtauth_string_free(logged_in(sessions, NULL, "/token"));
    CHECK(jwtauth_sessions_revoke_all(sessions, "{\"profile\":\"home\"}", &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/count", "1");
    CHECK(jwtauth_sessions_revoke_all(sessions, "{\"subject\":\"joe\"}", &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/count", "2");
    CHECK(jwtauth_sessions_sweep(sessions, &reply) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(reply, "{\"outcome\":\"swept\",\"count\":0}");
    jwtauth_string_free(reply);
    jwtauth_sessions_free(sessions);
}

/* A look-up checks no networks and counts no use, so what it returns must not be taken for a permission. */
static void only_an_authorized_session_has_entitlements(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, ""));
    char *token = logged_in(sessions, NULL, "/token"), *reply = STALE;

    CHECK(jwtauth_sessions_authorize_token(sessions, token, "", &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_grant_has(reply, "policy", "read", NULL) == 1);
    CHECK(jwtauth_grant_has(reply, "policy", "read", "1") == 0);
    CHECK(jwtauth_grant_has(reply, "policy", "write", NULL) == 0);
    CHECK(jwtauth_grant_has(reply, "role", "read", NULL) == 0);
    jwtauth_string_free(reply);
    CHECK(jwtauth_sessions_lookup_token(sessions, token, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_grant_has(reply, "policy", "read", NULL) == 0);
    jwtauth_string_free(reply);
    CHECK(jwtauth_sessions_renew_token(sessions, token, 0, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_grant_has(reply, "policy", "read", NULL) == 0);
    jwtauth_string_free(reply);
    jwtauth_string_free(token);
    jwtauth_sessions_free(sessions);
}

static void a_session_is_bound_to_networks(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, ""));
    char *token = logged_in(sessions, "home", "/token"), *reply = STALE;

    CHECK(jwtauth_sessions_authorize_token(sessions, token, "10.1.2.3", NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, "10.1.2.3:80", NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, "11.1.2.3", NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, "", NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, NULL, &reply) == JWTAUTH_STATUS_DENIED);
    has_text(reply, "/code", "session_address_not_allowed");
    CHECK(jwtauth_sessions_authorize_token(sessions, token, "\xff", &reply) == JWTAUTH_STATUS_ARGUMENT);
    has_text(reply, "/code", "argument_not_utf8");
    jwtauth_string_free(token);
    jwtauth_sessions_free(sessions);
}

static void outputs_are_always_written(void) {
    static const char *const invalid[] = {NULL, "", "{}", "\xff", SESSIONS("", "\"stores\":{}"),
                                          SESSIONS("", "\"store\":{\"memory\":{\"max_sessions\":0}}"),
                                          "{\"dialect\":\"grafana\",\"config\":{\"ini\":\"\"}}"};
    jwtauth_sessions *sessions;
    char *reply;
    size_t i;

    for (i = 0; i < sizeof invalid / sizeof invalid[0]; i++) {
        jwtauth_status expected = invalid[i] == NULL || invalid[i][0] == '\xff' ? JWTAUTH_STATUS_ARGUMENT
                                                                                : JWTAUTH_STATUS_CONFIG;
        sessions = (jwtauth_sessions *)STALE;
        reply = STALE;
        CHECK(jwtauth_sessions_new(invalid[i], &sessions, &reply) == expected);
        CHECK(sessions == NULL);
        CHECK(reply != STALE && reply != NULL && strncmp(reply, "{\"outcome\":\"failed\",", 20) == 0);
        has_text(reply, "/class", jwtauth_status_name(expected));
        CHECK(jwtauth_sessions_new(invalid[i], NULL, NULL) == JWTAUTH_STATUS_ARGUMENT);
    }
    CHECK(jwtauth_sessions_new(SESSIONS("", ""), NULL, &reply) == JWTAUTH_STATUS_ARGUMENT);
    has_text(reply, "/detail", "`sessions`");
    /* Only the reply has the token, so a login without one would be a session that its owner cannot use. */
    sessions = made(SESSIONS(HOUR, ""));
    CHECK(jwtauth_sessions_login(sessions, "{\"token\":\"" SAMPLE_HS256 "\"}", NULL) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_sessions_login_token(sessions, SAMPLE_HS256, NULL, NULL, NULL) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_sessions_revoke_all(sessions, "{\"subject\":\"joe\"}", &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/count", "0");
    jwtauth_sessions_free(sessions);
}

/* Checks a failed call: its status, and the class of the reply if a reply was requested. */
static void refused(jwtauth_status status, char **slot) {
    CHECK(status > JWTAUTH_STATUS_OK && status < JWTAUTH_STATUS_INTERNAL);
    if (slot != NULL) {
        CHECK(*slot != NULL && *slot != STALE && strncmp(*slot, "{\"outcome\":\"failed\",", 20) == 0);
        has_text(*slot, "/class", jwtauth_status_name(status));
        *slot = STALE;
    }
}

static void invalid_arguments_are_refused(void) {
    static jwtauth_status (*const verbs[])(const jwtauth_sessions *, const char *, char **) = {
        jwtauth_sessions_authorize,       jwtauth_sessions_login,       jwtauth_sessions_lookup,
        jwtauth_sessions_lookup_accessor, jwtauth_sessions_renew,       jwtauth_sessions_revoke,
        jwtauth_sessions_revoke_accessor, jwtauth_sessions_revoke_all,  jwtauth_sessions_lookup_token,
        jwtauth_sessions_revoke_token,
    };
    static const char *const texts[] = {
        NULL, "", " ", "null", "[]", "{}", "{", "{\"token\":1}", "{\"token\":null}", "{\"token\":\"\\u0000\"}",
        "{\"token\":\"a\",\"token\":\"b\"}", "{\"token\":\"a\",\"other\":1}", "{\"accessor\":[]}", "{\"profile\":1}",
        "{\"profile\":\"a\",\"subject\":\"b\"}", "{\"token\":\"jas.a\",\"increment\":-1}", "{\"token\":\"\xff\"}", "\xff",
        "jas.", "jab.", "jab.\xc3\xa9", "{\"token\":\"a.b.c\",\"meta\":[]}", "{\"token\":\"a.b.c\",\"meta\":{\"a\":1}}",
    };
    static const char *const metas[] = {"", " ", "[]", "{", "1", "{\"a\":1}", "{\"a\":\"b\",\"a\":\"c\"}", "\xff"};
    static const jwtauth_options wrong_size = {sizeof(jwtauth_options) - 1, NULL, NULL, 0};
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, "")), *reloaded;
    jwtauth_verifier *verifier;
    char *long_texts[2];
    size_t verb, i;
    int with_reply;

    for (with_reply = 0; with_reply < 2; with_reply++) {
        char *reply = STALE;
        char **slot = with_reply ? &reply : NULL;
        for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
            for (verb = 0; verb < sizeof verbs / sizeof verbs[0]; verb++) {
                refused(verbs[verb](NULL, texts[i], slot), slot);
                refused(verbs[verb](sessions, texts[i], slot), slot);
            }
            refused(jwtauth_sessions_authorize_token(NULL, texts[i], NULL, slot), slot);
            refused(jwtauth_sessions_authorize_token(sessions, texts[i], NULL, slot), slot);
            refused(jwtauth_sessions_renew_token(NULL, texts[i], 1, slot), slot);
            refused(jwtauth_sessions_renew_token(sessions, texts[i], 1, slot), slot);
            refused(jwtauth_sessions_login_token(NULL, texts[i], NULL, NULL, slot), slot);
            refused(jwtauth_sessions_login_token(sessions, texts[i], NULL, NULL, slot), slot);
            reloaded = (jwtauth_sessions *)STALE;
            refused(jwtauth_sessions_reload(sessions, texts[i], &reloaded, slot), slot);
            CHECK(reloaded == NULL);
        }
        for (i = 0; i < sizeof metas / sizeof metas[0]; i++) {
            refused(jwtauth_sessions_login_token(sessions, SAMPLE_HS256, NULL, metas[i], slot), slot);
        }
        refused(jwtauth_sessions_login_token(sessions, SAMPLE_HS256, &wrong_size, NULL, slot), slot);
        refused(jwtauth_sessions_sweep(NULL, slot), slot);
        refused(jwtauth_sessions_reload(sessions, SESSIONS(HOUR, ""), NULL, slot), slot);
        refused(jwtauth_sessions_verifier(sessions, NULL, slot), slot);
        reloaded = (jwtauth_sessions *)STALE;
        refused(jwtauth_sessions_reload(NULL, SESSIONS(HOUR, ""), &reloaded, slot), slot);
        verifier = (jwtauth_verifier *)STALE;
        refused(jwtauth_sessions_verifier(NULL, &verifier, slot), slot);
        CHECK(reloaded == NULL && verifier == NULL);
    }
    long_texts[0] = repeated("{\"token\":\"", 'a', (size_t)8 << 20, "\"}");
    long_texts[1] = repeated("jab.", 'a', (size_t)8 << 20, "");
    for (i = 0; i < 2; i++) {
        char *reply = STALE;
        for (verb = 0; verb < sizeof verbs / sizeof verbs[0]; verb++) {
            refused(verbs[verb](sessions, long_texts[i], &reply), &reply);
        }
        refused(jwtauth_sessions_authorize_token(sessions, long_texts[i], NULL, &reply), &reply);
        free(long_texts[i]);
    }
    jwtauth_sessions_free(NULL);
    jwtauth_sessions_free(sessions);
}

typedef struct {
    const jwtauth_sessions *sessions;
    const char *token;
    unsigned passed;
} spender;

static void *spend(void *argument) {
    spender *self = argument;
    jwtauth_status status;

    do {
        char *reply = NULL;
        status = jwtauth_sessions_authorize_token(self->sessions, self->token, NULL, &reply);
        if (status == JWTAUTH_STATUS_OK) {
            self->passed++;
            jwtauth_string_free(reply);
        } else {
            has_text(reply, "/code", "session_unknown");
        }
    } while (status == JWTAUTH_STATUS_OK);
    return NULL;
}

/* Threads spend the uses of one session together, each on a small stack. Half of them use reloaded sessions. */
static void so_many_uses_pass_as_the_session_has(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR ",\"num_uses\":300", "")), *reloaded = NULL;
    pthread_attr_t attributes;
    int round, i;

    CHECK(jwtauth_sessions_reload(sessions, SESSIONS(HOUR, ""), &reloaded, NULL) == JWTAUTH_STATUS_OK);
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, SMALL_STACK) == 0);
    for (round = 0; round < rounds; round++) {
        pthread_t threads[SPENDERS];
        spender spenders[SPENDERS];
        char *token = logged_in(sessions, NULL, "/token");
        unsigned passed = 0;

        for (i = 0; i < SPENDERS; i++) {
            spenders[i].sessions = i % 2 == 0 ? sessions : reloaded;
            spenders[i].token = token;
            spenders[i].passed = 0;
            if (pthread_create(&threads[i], &attributes, spend, &spenders[i]) != 0) {
                perror("pthread_create");
                exit(2);
            }
        }
        for (i = 0; i < SPENDERS; i++) {
            CHECK(pthread_join(threads[i], NULL) == 0);
            passed += spenders[i].passed;
        }
        CHECK(passed == USES);
        jwtauth_string_free(token);
    }
    pthread_attr_destroy(&attributes);
    jwtauth_sessions_free(reloaded);
    jwtauth_sessions_free(sessions);
}

static void *log_in_and_out(void *argument) {
    const jwtauth_sessions *sessions = argument;
    int round;

    for (round = 0; round < rounds; round++) {
        char *token = logged_in(sessions, round % 2 == 0 ? NULL : "home", "/token");

        CHECK(jwtauth_sessions_authorize_token(sessions, token, "10.0.0.1", NULL) == JWTAUTH_STATUS_OK);
        CHECK(jwtauth_sessions_renew_token(sessions, token, 0, NULL) == JWTAUTH_STATUS_OK);
        CHECK(jwtauth_sessions_revoke_token(sessions, token, NULL) == JWTAUTH_STATUS_OK);
        CHECK(jwtauth_sessions_authorize_token(sessions, token, "10.0.0.1", NULL) == JWTAUTH_STATUS_DENIED);
        jwtauth_string_free(token);
    }
    return NULL;
}

static void threads_log_in_and_out(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, ""));
    pthread_t threads[SPENDERS];
    char *reply = NULL;
    int i;

    for (i = 0; i < SPENDERS; i++) {
        if (pthread_create(&threads[i], NULL, log_in_and_out, sessions) != 0) {
            perror("pthread_create");
            exit(2);
        }
    }
    for (i = 0; i < SPENDERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
    }
    CHECK(jwtauth_sessions_revoke_all(sessions, "{\"subject\":\"joe\"}", &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/count", "0");
    jwtauth_sessions_free(sessions);
}

static void reloaded_sessions_keep_the_store(void) {
    jwtauth_sessions *old = made(SESSIONS(HOUR, "")), *later = (jwtauth_sessions *)STALE, *end = NULL, *other;
    char *token = logged_in(old, NULL, "/token"), *revoked = logged_in(old, NULL, "/token"), *reply = STALE;

    /* Another store would lose every session. */
    other = (jwtauth_sessions *)STALE;
    CHECK(jwtauth_sessions_reload(old, SESSIONS(HOUR, "\"store\":{\"memory\":{\"max_sessions\":5}}"), &other, &reply) ==
          JWTAUTH_STATUS_CONFIG);
    CHECK(other == NULL);
    has_text(reply, "/code", "sessions_invalid");

    /* The clock stands in the tests, so a configuration moves it: to the last second of the session, then to its end. */
    CHECK(jwtauth_sessions_reload(old, SESSIONS_AT("1300822978", HOUR, ""), &later, &reply) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(reply, "{\"outcome\":\"reloaded\"}");
    jwtauth_string_free(reply);
    CHECK(jwtauth_sessions_authorize_token(old, token, NULL, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_revoke_token(later, revoked, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_authorize_token(old, revoked, NULL, NULL) == JWTAUTH_STATUS_DENIED);
    jwtauth_sessions_free(old);
    CHECK(jwtauth_sessions_authorize_token(later, token, NULL, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/session/ttl", "1");
    CHECK(jwtauth_sessions_reload(later, SESSIONS_AT("1300822979", HOUR, ""), &end, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_sessions_free(later);
    CHECK(jwtauth_sessions_authorize_token(end, token, NULL, &reply) == JWTAUTH_STATUS_DENIED);
    has_text(reply, "/code", "session_unknown");
    jwtauth_string_free(revoked);
    jwtauth_string_free(token);
    jwtauth_sessions_free(end);
}

static void the_verifier_outlives_its_sessions(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, ""));
    jwtauth_verifier *verifier = (jwtauth_verifier *)STALE;
    char *reply = STALE;

    jwtauth_string_free(logged_in(sessions, NULL, "/token"));
    CHECK(jwtauth_sessions_verifier(sessions, &verifier, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/outcome", "built");
    jwtauth_sessions_free(sessions);
    CHECK(jwtauth_verifier_counters(verifier, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/granted", "1");
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_grant_has(reply, "policy", "read", NULL) == 1);
    jwtauth_string_free(reply);
    CHECK(jwtauth_verifier_policy(verifier, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/dialect", "native");
    CHECK(jwtauth_verifier_refresh_keys(verifier, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
}

static unsigned long events;

static void on_event(void *user, const char *event_json) {
    (void)user;
    CHECK(event_json[0] == '{' && strstr(event_json, SAMPLE_ES256) == NULL);
    count(&events);
}

static void callbacks_are_those_of_a_verifier(void) {
    static const char config[] = SAMPLE_URL_CONFIG("https://issuer.example/keys", "");
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_callbacks callbacks = {sizeof callbacks, NULL, host_fetch, host_release, on_event};
    jwtauth_sessions *sessions = NULL, *reloaded = NULL;
    jwtauth_verifier *verifier = NULL;
    char *reply = NULL;

    callbacks.user = &own;
    CHECK(jwtauth_sessions_new_with(config, &callbacks, &sessions, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_login_token(sessions, SAMPLE_ES256, NULL, NULL, &reply) == JWTAUTH_STATUS_OK);
    CHECK(own.calls == 1 && events == 2);
    jwtauth_string_free(reply);
    CHECK(jwtauth_sessions_reload(sessions, config, &reloaded, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_verifier(reloaded, &verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_login_token(reloaded, SAMPLE_ES256, NULL, NULL, &reply) == JWTAUTH_STATUS_OK);
    CHECK(own.calls == 2 && events == 4);
    jwtauth_string_free(reply);
    jwtauth_sessions_free(sessions);
    jwtauth_sessions_free(reloaded);
    CHECK(own.released == 0);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_ES256, NULL, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
    CHECK(own.released == 1);

    CHECK(jwtauth_sessions_new_with("{}", &callbacks, &sessions, NULL) == JWTAUTH_STATUS_CONFIG && own.released == 2);
    CHECK(jwtauth_sessions_new_with(NULL, &callbacks, &sessions, NULL) == JWTAUTH_STATUS_ARGUMENT && own.released == 3);
    CHECK(jwtauth_sessions_new_with(config, &callbacks, NULL, NULL) == JWTAUTH_STATUS_ARGUMENT && own.released == 4);
    callbacks.size = 0;
    CHECK(jwtauth_sessions_new_with(config, &callbacks, &sessions, NULL) == JWTAUTH_STATUS_ARGUMENT && own.released == 4);
}

static void write_file(const char *path, const char *text) {
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* Relative paths start in the folder of the file, also those of a reload, which takes a text. */
static void sessions_are_built_from_a_file(void) {
    static const char config[] = SESSIONS("\"token_type\":\"batch\",\"ttl\":\"1h\"",
                                          "\"batch_keys\":[{\"id\":\"a\",\"key_file\":\"batch.key\"}]");
    char folder[] = "sessions-XXXXXX", path[64], key[64];
    jwtauth_sessions *sessions = (jwtauth_sessions *)STALE, *reloaded = NULL, *again = NULL;
    char *reply = STALE, *token, *detail;

    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/sessions.json", folder);
    snprintf(key, sizeof key, "%s/batch.key", folder);
    write_file(key, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n");
    write_file(path, config);
    CHECK(jwtauth_sessions_new_from_file(path, &sessions, &reply) == JWTAUTH_STATUS_OK);
    has_text(reply, "/outcome", "built");
    token = logged_in(sessions, NULL, "/token");
    CHECK(strncmp(token, "jab.", 4) == 0);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, NULL, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_revoke_token(sessions, token, &reply) == JWTAUTH_STATUS_DENIED);
    has_text(reply, "/code", "batch_token_limited");
    CHECK(jwtauth_sessions_reload(sessions, config, &reloaded, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_reload(reloaded, config, &again, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_sessions_authorize_token(again, token, NULL, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_string_free(token);
    jwtauth_sessions_free(sessions);
    jwtauth_sessions_free(reloaded);
    jwtauth_sessions_free(again);
    CHECK(jwtauth_sessions_new(config, &sessions, NULL) == JWTAUTH_STATUS_CONFIG);

    write_file(path, SESSIONS("", "\"max_tl\":\"1h\""));
    sessions = (jwtauth_sessions *)STALE;
    CHECK(jwtauth_sessions_new_from_file(path, &sessions, &reply) == JWTAUTH_STATUS_CONFIG);
    CHECK(sessions == NULL);
    detail = jwtauth_json_get(reply, "/detail");
    CHECK(detail != NULL && strncmp(detail, path, strlen(path)) == 0);
    CHECK(detail != NULL && strncmp(detail + strlen(path), ": `sessions", 11) == 0);
    jwtauth_string_free(detail);
    has_text(reply, "/code", "sessions_invalid");
    CHECK(remove(path) == 0 && remove(key) == 0 && rmdir(folder) == 0);
    CHECK(jwtauth_sessions_new_from_file(path, &sessions, NULL) == JWTAUTH_STATUS_CONFIG);
    CHECK(jwtauth_sessions_new_from_file("", &sessions, NULL) == JWTAUTH_STATUS_CONFIG);
    CHECK(jwtauth_sessions_new_from_file(NULL, &sessions, NULL) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(jwtauth_sessions_new_from_file(path, NULL, NULL) == JWTAUTH_STATUS_ARGUMENT);
}

/* Nothing listens at port 1 of loopback. */
static void without_its_store_no_token_is_given_out(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, "\"store\":{\"redis\":{\"url\":\"redis://127.0.0.1:1\"}}"));
    char *reply = STALE;

    CHECK(jwtauth_sessions_login_token(sessions, SAMPLE_HS256, NULL, NULL, &reply) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(jwtauth_json_type(reply, "/token") == JWTAUTH_JSON_ABSENT);
    has_text(reply, "/code", "store_unavailable");
    CHECK(jwtauth_sessions_authorize_token(sessions, "jas.abc", NULL, &reply) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(strstr(reply, "jas.abc") == NULL);
    jwtauth_string_free(reply);
    jwtauth_sessions_free(sessions);
}

/*
 * A child has only a copy of the memory, so a revocation of its parent would not reach it. A successful child ends by SIGKILL,
 * because a leak checker would report the memory of threads that it does not have.
 */
static void a_child_has_no_sessions_of_the_memory(void) {
    jwtauth_sessions *sessions = made(SESSIONS(HOUR, ""));
    char *token = logged_in(sessions, NULL, "/token");
    int ended = -1;
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        if (jwtauth_sessions_authorize_token(sessions, token, NULL, NULL) == JWTAUTH_STATUS_UNAVAILABLE) {
            raise(SIGKILL);
        }
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &ended, 0) == child && WIFSIGNALED(ended) && WTERMSIG(ended) == SIGKILL);
    CHECK(jwtauth_sessions_authorize_token(sessions, token, NULL, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_string_free(token);
    jwtauth_sessions_free(sessions);
}

static void sessions(void) {
    every_verb_answers();
    only_an_authorized_session_has_entitlements();
    a_session_is_bound_to_networks();
    outputs_are_always_written();
    invalid_arguments_are_refused();
    so_many_uses_pass_as_the_session_has();
    threads_log_in_and_out();
    reloaded_sessions_keep_the_store();
    the_verifier_outlives_its_sessions();
    callbacks_are_those_of_a_verifier();
    sessions_are_built_from_a_file();
    without_its_store_no_token_is_given_out();
    a_child_has_no_sessions_of_the_memory();
}

int main(int argc, char **argv) {
    if (argc > 1) {
        rounds = atoi(argv[1]);
    }
    return run("sessions", sessions);
}

/*
 * The conformance cases of sessions. From sessions.json, sessions are built; if there is a build.json, that must fail with
 * this reply. Otherwise each line of steps.txt is a verb: the step N has the request N-request.json, and its reply must equal
 * N-reply.json byte for byte. After a reload, the steps use the new sessions.
 *
 * A case is run twice: with requests of JSON, and with the functions that take a token, wherever a valid request can be passed
 * to them. The seed of the sessions makes both give the same replies.
 */

#ifndef SESSION_CASES_H
#define SESSION_CASES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwtauth.h>

#include "cases.h"

typedef struct {
    const char *name;
    jwtauth_status (*run)(const jwtauth_sessions *, const char *, char **);
} session_verb;

/* The verbs with a request of JSON. */
static const session_verb SESSION_VERBS[] = {
    {"login", jwtauth_sessions_login},
    {"lookup", jwtauth_sessions_lookup},
    {"lookup_accessor", jwtauth_sessions_lookup_accessor},
    {"renew", jwtauth_sessions_renew},
    {"revoke", jwtauth_sessions_revoke},
    {"revoke_accessor", jwtauth_sessions_revoke_accessor},
    {"revoke_all", jwtauth_sessions_revoke_all},
    {"authorize", jwtauth_sessions_authorize},
};

/* The members of a request, if all of them can be arguments. Strings are to be freed. */
typedef struct {
    char *token, *profile, *remote_addr, *meta, *increment, *cached_only;
} session_arguments;

/* The value of a member of this type. Reading it counts it off; a member of another type is left over. */
static inline char *session_member(const char *request, const char *pointer, jwtauth_json type, size_t *left) {
    char *value = jwtauth_json_type(request, pointer) == type ? jwtauth_json_get(request, pointer) : NULL;

    *left -= value != NULL;
    return value;
}

/* Whether a number can be passed as an increment. */
static inline int is_increment(const char *number) {
    return number == NULL || (strspn(number, "0123456789") == strlen(number) && strlen(number) < 20);
}

/*
 * Runs a verb with its request as arguments. Returns 0 if there is no such function, or if the request has other members or
 * is not valid.
 */
static inline int session_by_token(const char *verb, const jwtauth_sessions *sessions, const char *request,
                                   jwtauth_status *status, char **reply) {
    size_t left = jwtauth_json_count(request, "");
    session_arguments with = {NULL, NULL, NULL, NULL, NULL, NULL};
    jwtauth_options options = {sizeof options, NULL, NULL, 0};
    int ran = 1;

    with.token = session_member(request, "/token", JWTAUTH_JSON_STRING, &left);
    if (strcmp(verb, "login") == 0) {
        with.profile = session_member(request, "/profile", JWTAUTH_JSON_STRING, &left);
        with.meta = session_member(request, "/meta", JWTAUTH_JSON_OBJECT, &left);
        with.cached_only = session_member(request, "/cached_only", JWTAUTH_JSON_BOOLEAN, &left);
    }
    if (strcmp(verb, "login") == 0 || strcmp(verb, "authorize") == 0) {
        with.remote_addr = session_member(request, "/remote_addr", JWTAUTH_JSON_STRING, &left);
    }
    if (strcmp(verb, "renew") == 0) {
        with.increment = session_member(request, "/increment", JWTAUTH_JSON_NUMBER, &left);
    }
    if (with.token == NULL || left != 0 || !is_increment(with.increment)) {
        ran = 0;
    } else if (strcmp(verb, "login") == 0) {
        options.profile = with.profile;
        options.remote_addr = with.remote_addr;
        options.cached_only = with.cached_only != NULL && strcmp(with.cached_only, "true") == 0;
        *status = jwtauth_sessions_login_token(sessions, with.token, &options, with.meta, reply);
    } else if (strcmp(verb, "authorize") == 0) {
        *status = jwtauth_sessions_authorize_token(sessions, with.token, with.remote_addr, reply);
    } else if (strcmp(verb, "renew") == 0) {
        unsigned long long increment = with.increment != NULL ? strtoull(with.increment, NULL, 10) : 0;
        *status = jwtauth_sessions_renew_token(sessions, with.token, increment, reply);
    } else if (strcmp(verb, "lookup") == 0) {
        *status = jwtauth_sessions_lookup_token(sessions, with.token, reply);
    } else if (strcmp(verb, "revoke") == 0) {
        *status = jwtauth_sessions_revoke_token(sessions, with.token, reply);
    } else {
        ran = 0;
    }
    jwtauth_string_free(with.cached_only);
    jwtauth_string_free(with.increment);
    jwtauth_string_free(with.meta);
    jwtauth_string_free(with.remote_addr);
    jwtauth_string_free(with.profile);
    jwtauth_string_free(with.token);
    return ran;
}

/* Runs a verb. A reload that works replaces the sessions. */
static inline jwtauth_status session_step(const char *verb, jwtauth_sessions **sessions, const char *request, int by_token,
                                          char **reply) {
    jwtauth_status status = JWTAUTH_STATUS_INTERNAL;
    size_t i;

    if (strcmp(verb, "sweep") == 0) {
        return jwtauth_sessions_sweep(*sessions, reply);
    }
    if (strcmp(verb, "reload") == 0) {
        jwtauth_sessions *reloaded = NULL;
        status = jwtauth_sessions_reload(*sessions, request, &reloaded, reply);
        if (status == JWTAUTH_STATUS_OK) {
            jwtauth_sessions_free(*sessions);
            *sessions = reloaded;
        }
        return status;
    }
    if (by_token && session_by_token(verb, *sessions, request, &status, reply)) {
        return status;
    }
    for (i = 0; i < sizeof SESSION_VERBS / sizeof SESSION_VERBS[0]; i++) {
        if (strcmp(verb, SESSION_VERBS[i].name) == 0) {
            return SESSION_VERBS[i].run(*sessions, request, reply);
        }
    }
    fprintf(stderr, "no verb is named %s\n", verb);
    exit(2);
}

/* Whether a reply is the expected one, and the status is that of the reply. */
static inline int session_as_expected(const char *case_name, const char *step, jwtauth_status status, const char *reply,
                                      const char *expect) {
    int failed = strncmp(expect, "{\"outcome\":\"failed\",", 20) == 0;
    char *class_name = jwtauth_json_get(expect, "/class");
    const char *expected_status = failed && class_name != NULL ? class_name : "ok";
    int same = reply != NULL && strcmp(reply, expect) == 0 && strcmp(jwtauth_status_name(status), expected_status) == 0;

    if (!same) {
        fprintf(stderr, "%s, %s, status %s\n  expected %s\n  got      %s\n", case_name, step, jwtauth_status_name(status),
                expect, reply != NULL ? reply : "(NULL)");
    }
    jwtauth_string_free(class_name);
    return same;
}

/* Whether a step fails because its request is invalid or larger than 4 MiB, which its members need not be as arguments. */
static inline int session_request_is_invalid(const char *request, const char *expect) {
    char *class_name = jwtauth_json_get(expect, "/class");
    int invalid = strlen(request) > (size_t)4 << 20 || (class_name != NULL && strcmp(class_name, "argument") == 0);

    jwtauth_string_free(class_name);
    return invalid;
}

static inline int session_passes_with(const char *case_name, const char *folder, int by_token) {
    char *config = read_file(folder, "sessions.json");
    char *failure = read_if_there(folder, "build.json");
    char *steps = read_file(folder, "steps.txt");
    char *line = steps, *reply = NULL;
    jwtauth_sessions *sessions = NULL;
    jwtauth_status status = jwtauth_sessions_new(config, &sessions, &reply);
    int passed, number = 0;

    if (failure != NULL) {
        passed = sessions == NULL && session_as_expected(case_name, "building", status, reply, failure);
    } else {
        passed = status == JWTAUTH_STATUS_OK;
        if (!passed) {
            fprintf(stderr, "%s: the sessions cannot be built: %s\n", case_name, reply);
        }
    }
    jwtauth_string_free(reply);
    while (passed && failure == NULL && *line != '\0') {
        size_t length = strcspn(line, "\n");
        char *next = line + length + (line[length] != '\0');
        char name[64], label[64], *request, *expect;

        line[length] = '\0';
        number++;
        snprintf(name, sizeof name, "%d-request.json", number);
        request = read_file(folder, name);
        snprintf(name, sizeof name, "%d-reply.json", number);
        expect = read_file(folder, name);
        reply = NULL;
        status = session_step(line, &sessions, request, by_token && !session_request_is_invalid(request, expect), &reply);
        snprintf(label, sizeof label, "step %d (%.32s%s)", number, line, by_token ? ", by token" : "");
        passed = session_as_expected(case_name, label, status, reply, expect);
        jwtauth_string_free(reply);
        free(expect);
        free(request);
        line = next;
    }
    jwtauth_sessions_free(sessions);
    free(steps);
    free(failure);
    free(config);
    return passed;
}

static inline int session_passes(const char *case_name) {
    char folder[512];

    snprintf(folder, sizeof folder, "sessions/%s", case_name);
    return session_passes_with(case_name, folder, 0) && session_passes_with(case_name, folder, 1);
}

#endif

/*
 * Runs the flattened conformance cases: conformance [DIRECTORY [EVERY]]
 *
 * For each line of DIRECTORY/index.txt, a verifier is built from verifier.json and decides request.json. A grant must
 * equal expect.json byte for byte; a failure must have the same class, code and, if given, claim. A request with a token
 * only is also decided in a batch, which must give the same replies as the token alone. A verifier with a token cache
 * decides every request twice, with the same reply. Every request is also explained: the decision in the explanation must be
 * the reply, byte for byte, with the same status. The number of cases is written to ran-c.txt. With EVERY only every EVERYth
 * case is run, for slow tools, and nothing is written.
 *
 * The cases of sessions in DIRECTORY/sessions follow.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwtauth.h>

#include "cases.h"
#include "check.h"
#include "session_cases.h"

/* Whether two replies have the same value at a pointer, or both have none. */
static int agree(const char *reply, const char *expect, const char *pointer) {
    char *left = jwtauth_json_get(reply, pointer);
    char *right = jwtauth_json_get(expect, pointer);
    int same = left == NULL || right == NULL ? left == right : strcmp(left, right) == 0;

    jwtauth_string_free(right);
    jwtauth_string_free(left);
    return same;
}

static int has(const char *expect, const char *pointer) {
    char *value = jwtauth_json_get(expect, pointer);
    int there = value != NULL;

    jwtauth_string_free(value);
    return there;
}

/* Whether a batch with the token of a request gives the replies that the token gets alone; also if there is no token. */
static int same_in_a_batch(const jwtauth_verifier *verifier, const char *request_json) {
    char *token = jwtauth_json_count(request_json, "") == 1 ? jwtauth_json_get(request_json, "/token") : NULL;
    const char *const tokens[3] = {token, NULL, token};
    jwtauth_status statuses[3], whole, status;
    char *replies[3];
    int i, same;

    if (token == NULL) {
        return 1;
    }
    whole = jwtauth_verifier_authenticate_many(verifier, tokens, 3, NULL, 2, statuses, replies);
    same = whole != JWTAUTH_STATUS_OK;
    for (i = 0; i < 3; i++) {
        char *alone = NULL;
        status = jwtauth_verifier_authenticate_with(verifier, tokens[i], NULL, &alone);
        same = same && status == statuses[i] && strcmp(replies[i], alone) == 0;
        jwtauth_string_free(alone);
        jwtauth_string_free(replies[i]);
    }
    jwtauth_string_free(token);
    return same;
}

/* Whether the explanation of a request has this reply and this status. */
static int same_explained(const jwtauth_verifier *verifier, const char *request_json, jwtauth_status status,
                          const char *reply) {
    char *explanation = NULL;
    int same = jwtauth_verifier_explain(verifier, request_json, 0, &explanation) == status;
    char *decision = jwtauth_json_get(explanation, "/decision");

    same = same && decision != NULL && strcmp(decision, reply) == 0 && jwtauth_json_count(explanation, "/steps") > 0;
    jwtauth_string_free(decision);
    jwtauth_string_free(explanation);
    return same;
}

/* Whether a decision is the expected one. */
static int as_expected(jwtauth_status status, const char *reply, const char *expect) {
    if (status == JWTAUTH_STATUS_OK) {
        return strcmp(reply, expect) == 0;
    }
    return agree(reply, expect, "/outcome") && agree(reply, expect, "/class") && agree(reply, expect, "/code") &&
           (!has(expect, "/claim") || agree(reply, expect, "/claim"));
}

/* Whether the verifier has granted this many requests from its token cache. */
static int has_hits(const jwtauth_verifier *verifier, const char *hits) {
    char *policy = NULL, *counted;
    int same;

    if (jwtauth_verifier_policy(verifier, &policy) != JWTAUTH_STATUS_OK) {
        return 0;
    }
    counted = jwtauth_json_get(policy, "/token_cache/hits");
    same = counted != NULL && strcmp(counted, hits) == 0;
    jwtauth_string_free(counted);
    jwtauth_string_free(policy);
    return same;
}

/* Whether a verifier with a token cache decides as expected, twice. A second grant must be from the cache. */
static int same_with_a_cache(const char *case_name, const char *request_json, const char *expect) {
    char *verifier_json = read_file(case_name, "verifier-with-cache.json");
    jwtauth_verifier *verifier = NULL;
    jwtauth_status status;
    int i, same;

    same = jwtauth_verifier_new(verifier_json, &verifier, NULL) == JWTAUTH_STATUS_OK;
    for (i = 0; same && i < 2; i++) {
        char *reply = NULL;
        status = jwtauth_verifier_authenticate(verifier, request_json, &reply);
        same = as_expected(status, reply, expect) && (status != JWTAUTH_STATUS_OK || has_hits(verifier, i == 0 ? "0" : "1"));
        jwtauth_string_free(reply);
    }
    jwtauth_verifier_free(verifier);
    free(verifier_json);
    return same;
}

static int passes(const char *case_name) {
    char *verifier_json = read_file(case_name, "verifier.json");
    char *request_json = read_file(case_name, "request.json");
    char *expect = read_file(case_name, "expect.json");
    jwtauth_verifier *verifier = NULL;
    jwtauth_status status;
    char *reply = NULL;
    int built, passed;

    status = jwtauth_verifier_new(verifier_json, &verifier, &reply);
    built = status == JWTAUTH_STATUS_OK;
    if (built) {
        jwtauth_string_free(reply);
        status = jwtauth_verifier_authenticate(verifier, request_json, &reply);
    }
    passed = as_expected(status, reply, expect);
    if (built && !same_in_a_batch(verifier, request_json)) {
        fprintf(stderr, "%s: a batch gives other replies\n", case_name);
        passed = 0;
    }
    if (built && !same_explained(verifier, request_json, status, reply)) {
        fprintf(stderr, "%s: the explanation has another decision\n", case_name);
        passed = 0;
    }
    if (built && !same_with_a_cache(case_name, request_json, expect)) {
        fprintf(stderr, "%s: a verifier with a token cache gives other replies\n", case_name);
        passed = 0;
    }
    if (!passed) {
        fprintf(stderr, "%s\n  expected %s\n  got      %s\n", case_name, expect, reply);
    }
    jwtauth_string_free(reply);
    jwtauth_verifier_free(verifier);
    free(expect);
    free(request_json);
    free(verifier_json);
    return passed;
}

static unsigned long every = 1;

static void conformance(void) {
    char *sessions = read_if_there("sessions", "index.txt");

    run_cases("conformance c", ".", passes, every, "ran-c.txt");
    /* The cases of tests/oidc have none. If a language leaves some out, the summary of all languages fails. */
    if (sessions != NULL) {
        run_cases("conformance sessions c", "sessions", session_passes, every, "ran-sessions-c.txt");
    }
    free(sessions);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        directory = argv[1];
    }
    if (argc > 2) {
        every = strtoul(argv[2], NULL, 10);
    }
    if (every == 0) {
        every = 1;
    }
    return run("conformance", conformance);
}

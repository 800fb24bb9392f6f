/* Ownership: outputs are always written, and returned text can be kept, changed and freed in any order. */

#define _POSIX_C_SOURCE 200809L

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jwtauth.h>

#include "check.h"
#include "sample.h"

static char *const STALE = (char *)-1;

static void outputs_are_always_written(void) {
    jwtauth_verifier *verifier = (jwtauth_verifier *)STALE;
    char *reply = STALE;

    CHECK(jwtauth_verifier_new("{}", &verifier, &reply) == JWTAUTH_STATUS_CONFIG);
    CHECK(verifier == NULL);
    CHECK(reply != STALE && reply != NULL && strncmp(reply, "{\"outcome\":\"failed\"", 19) == 0);
    jwtauth_string_free(reply);

    verifier = (jwtauth_verifier *)STALE;
    reply = STALE;
    CHECK(jwtauth_verifier_new(NULL, &verifier, &reply) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(verifier == NULL);
    CHECK(reply != STALE && reply != NULL);
    jwtauth_string_free(reply);

    reply = STALE;
    CHECK(jwtauth_verifier_authenticate(NULL, "{}", &reply) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(reply != STALE && reply != NULL);
    jwtauth_string_free(reply);
}

static void a_verifier_is_built_from_a_file(void) {
    static const char path[] = "verifier-of-ownership.json";
    jwtauth_verifier *verifier = (jwtauth_verifier *)STALE;
    char *reply = STALE, *text;
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL && fputs(SAMPLE_CONFIG, file) >= 0 && fclose(file) == 0);
    CHECK(jwtauth_verifier_new_from_file(path, &verifier, &reply) == JWTAUTH_STATUS_OK);
    CHECK(verifier != NULL && reply != NULL && strncmp(reply, "{\"outcome\":\"built\"", 18) == 0);
    jwtauth_string_free(reply);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_RS256, NULL, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);

    verifier = (jwtauth_verifier *)STALE;
    reply = STALE;
    file = fopen(path, "wb");
    CHECK(file != NULL && fputs("{", file) >= 0 && fclose(file) == 0);
    CHECK(jwtauth_verifier_new_from_file(path, &verifier, &reply) == JWTAUTH_STATUS_CONFIG);
    CHECK(verifier == NULL);
    text = jwtauth_json_get(reply, "/detail");
    CHECK(text != NULL && strncmp(text, "verifier-of-ownership.json: ", 28) == 0);
    jwtauth_string_free(text);
    jwtauth_string_free(reply);
    CHECK(remove(path) == 0);

    CHECK(jwtauth_verifier_new_from_file(path, &verifier, NULL) == JWTAUTH_STATUS_CONFIG);
    CHECK(jwtauth_verifier_new_from_file("", &verifier, NULL) == JWTAUTH_STATUS_CONFIG);
    verifier = (jwtauth_verifier *)STALE;
    CHECK(jwtauth_verifier_new_from_file(NULL, &verifier, &reply) == JWTAUTH_STATUS_ARGUMENT);
    CHECK(verifier == NULL);
    text = jwtauth_json_get(reply, "/code");
    CHECK_TEXT(text, "argument_null");
    jwtauth_string_free(text);
    jwtauth_string_free(reply);
    CHECK(jwtauth_verifier_new_from_file("\xff.json", &verifier, &reply) == JWTAUTH_STATUS_ARGUMENT);
    text = jwtauth_json_get(reply, "/code");
    CHECK_TEXT(text, "argument_not_utf8");
    jwtauth_string_free(text);
    jwtauth_string_free(reply);
    CHECK(jwtauth_verifier_new_from_file(path, NULL, &reply) == JWTAUTH_STATUS_ARGUMENT);
    text = jwtauth_json_get(reply, "/code");
    CHECK_TEXT(text, "argument_null");
    jwtauth_string_free(text);
    jwtauth_string_free(reply);
}

static void replies_outlive_the_verifier(void) {
    jwtauth_verifier *verifier = NULL;
    char *built = NULL, *granted = NULL, *policy = NULL, *refreshed = NULL, *name = NULL;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, &built) == JWTAUTH_STATUS_OK);
    CHECK(verifier != NULL);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_RS256, NULL, &granted) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_policy(verifier, &policy) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_refresh_keys(verifier, &refreshed) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);

    CHECK(built != NULL && strncmp(built, "{\"outcome\":\"built\",\"warnings\":", 30) == 0);
    CHECK(refreshed != NULL && strncmp(refreshed, "{\"outcome\":\"refreshed\"", 22) == 0);
    name = jwtauth_json_get(granted, "/identity/name");
    CHECK_TEXT(name, "joe");
    jwtauth_string_free(granted);
    CHECK_TEXT(name, "joe");
    jwtauth_string_free(name);
    name = jwtauth_json_get(policy, "/dialect");
    CHECK_TEXT(name, "native");
    jwtauth_string_free(name);
    jwtauth_string_free(policy);
    jwtauth_string_free(refreshed);
    jwtauth_string_free(built);
}

static void a_verifier_can_be_built_from_the_policy(void) {
    jwtauth_verifier *first = NULL, *second = NULL;
    char *policy = NULL, *again = NULL, *reply = NULL;

    CHECK(jwtauth_verifier_new(SAMPLE_PUBLIC_CONFIG, &first, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_policy(first, &policy) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_new(policy, &second, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_policy(second, &again) == JWTAUTH_STATUS_OK);
    CHECK(policy != NULL && again != NULL && strcmp(policy, again) == 0);
    jwtauth_string_free(again);
    jwtauth_string_free(reply);
    jwtauth_string_free(policy);
    jwtauth_verifier_free(second);
    jwtauth_verifier_free(first);
}

static void a_policy_has_no_secrets(void) {
    jwtauth_verifier *verifier = NULL;
    char *policy = NULL;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_policy(verifier, &policy) == JWTAUTH_STATUS_OK);
    CHECK(policy != NULL && strstr(policy, SAMPLE_SECRET) == NULL);
    jwtauth_string_free(policy);
    jwtauth_verifier_free(verifier);
}

static void a_reply_is_optional(void) {
    jwtauth_verifier *verifier = NULL;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate(verifier, "{\"token\":\"" SAMPLE_ES256 "\"}", NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, "", NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, "nobody", NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256 "A", NULL, NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_verifier_refresh_keys(verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_policy(verifier, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
}

static void a_reply_may_be_modified(void) {
    jwtauth_verifier *verifier = NULL;
    char *reply = NULL;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, &reply) == JWTAUTH_STATUS_OK);
    CHECK_TEXT(strtok(reply, ","), "{\"outcome\":\"granted\"");
    jwtauth_string_free(reply);
    jwtauth_verifier_free(verifier);
}

static void a_child_process_decides_too(void) {
    jwtauth_verifier *before = NULL;
    int ended = -1;
    pid_t child;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &before, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_token(before, SAMPLE_ES256, NULL, NULL) == JWTAUTH_STATUS_OK);
    child = fork();
    if (child == 0) {
        jwtauth_verifier *after = NULL;
        int fine = jwtauth_verifier_authenticate_token(before, SAMPLE_ES256, NULL, NULL) == JWTAUTH_STATUS_OK &&
                   jwtauth_verifier_new(SAMPLE_CONFIG, &after, NULL) == JWTAUTH_STATUS_OK &&
                   jwtauth_verifier_authenticate_token(after, SAMPLE_RS256, NULL, NULL) == JWTAUTH_STATUS_OK;
        jwtauth_verifier_free(after);
        jwtauth_verifier_free(before);
        /* A leak checker would report the memory of threads that do not exist in the child, so it ends by SIGKILL. */
        if (fine) {
            raise(SIGKILL);
        }
        _exit(1);
    }
    CHECK(child > 0 && waitpid(child, &ended, 0) == child && WIFSIGNALED(ended));
    jwtauth_verifier_free(before);
}

static void json_get_returns_the_value(void) {
    const char *json = "{\"text\":\"a\\\"b\",\"list\":[1,{\"x\":null}],\"nul\":\"ad\\u0000min\",\"\":true}";
    struct {
        const char *pointer;
        const char *expected;
    } table[] = {
        {"/text", "a\"b"}, {"/list", "[1,{\"x\":null}]"}, {"/list/1/x", "null"}, {"/", "true"}, {"/list/2", NULL},
        {"/absent", NULL}, {"text", NULL},                {"/nul", NULL},
    };
    size_t i;

    for (i = 0; i < sizeof table / sizeof table[0]; i++) {
        char *value = jwtauth_json_get(json, table[i].pointer);
        if (table[i].expected == NULL) {
            CHECK(value == NULL);
        } else {
            CHECK_TEXT(value, table[i].expected);
        }
        jwtauth_string_free(value);
    }
}

static void an_array_is_visited_to_its_end(void) {
    const char *json = "{\"groups\":[\"a\",\"b\\u0000c\",\"ops\"],\"text\":\"true\",\"value\":true}";
    size_t i, seen = 0, count = jwtauth_json_count(json, "/groups");

    CHECK(count == 3);
    for (i = 0; i < count; i++) {
        char pointer[32];
        char *group;
        snprintf(pointer, sizeof pointer, "/groups/%zu", i);
        CHECK(jwtauth_json_type(json, pointer) == JWTAUTH_JSON_STRING);
        group = jwtauth_json_get(json, pointer);
        seen += group != NULL;
        jwtauth_string_free(group);
    }
    CHECK(seen == 2);
    CHECK(jwtauth_json_type(json, "/text") == JWTAUTH_JSON_STRING);
    CHECK(jwtauth_json_type(json, "/value") == JWTAUTH_JSON_BOOLEAN);
    CHECK(jwtauth_json_type(json, "/absent") == JWTAUTH_JSON_ABSENT);
    CHECK(jwtauth_json_count(json, "") == 3 && jwtauth_json_count(json, "/text") == 0);
}

static void only_a_grant_has_entitlements(void) {
    static const char config[] =
        "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"secret\":\"" SAMPLE_SECRET "\"}],\"algorithms\":[\"HS256\"],"
        "\"issuer\":\"joe\",\"policies\":[\"read\"],\"identity\":{\"name\":\"iss\"}},\"options\":{\"now\":1300819379}}";
    jwtauth_verifier *verifier = NULL;
    char *reply = NULL;

    CHECK(jwtauth_verifier_new(config, &verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_token(verifier, SAMPLE_HS256, NULL, &reply) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_grant_has(reply, "policy", "read", NULL) == 1);
    CHECK(jwtauth_grant_has(reply, "policy", "read", "1") == 0);
    CHECK(jwtauth_grant_has(reply, "policy", "", NULL) == 0);
    CHECK(jwtauth_grant_has(reply, "role", "read", NULL) == 0);
    jwtauth_string_free(reply);
    CHECK(jwtauth_verifier_authenticate_token(verifier, "x", NULL, &reply) == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_grant_has(reply, "policy", "read", NULL) == 0);
    jwtauth_string_free(reply);
    CHECK(jwtauth_grant_has("{\"entitlements\":[{\"kind\":\"policy\",\"name\":\"read\"}]}", "policy", "read", NULL) == 0);
    jwtauth_verifier_free(verifier);
}

static void a_token_has_options(void) {
    static const char config[] =
        "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"secret\":\"" SAMPLE_SECRET "\"}],\"algorithms\":[\"HS256\"],"
        "\"issuer\":\"joe\",\"identity\":{\"name\":\"iss\"},\"bound_cidrs\":[\"10.0.0.0/8\"],"
        "\"profiles\":{\"all\":{\"bound_cidrs\":[]}}},\"options\":{\"now\":1300819379}}";
    jwtauth_options options = {sizeof options, NULL, NULL, 0};
    jwtauth_verifier *verifier = NULL;

    CHECK(jwtauth_verifier_new(config, &verifier, NULL) == JWTAUTH_STATUS_OK);
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, NULL, NULL) == JWTAUTH_STATUS_DENIED);
    options.remote_addr = "10.1.2.3";
    options.cached_only = 1;
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_OK);
    options.size--;
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_ARGUMENT);
    options.size = sizeof options + 8;
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_ARGUMENT);
    options.size = sizeof options;
    options.remote_addr = "localhost";
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_DENIED);
    options.profile = "all";
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_OK);
    options.remote_addr = NULL;
    CHECK(jwtauth_verifier_authenticate_with(verifier, SAMPLE_HS256, &options, NULL) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
}

/* The status of the whole is OK only if every token is granted, and each reply is the one that its token gets alone. */
static void a_batch_is_granted_only_as_a_whole(void) {
    enum { COUNT = 40 };
    static const char *const some[] = {SAMPLE_RS256, NULL, "a.b.c", "\xff", SAMPLE_ES256, "", SAMPLE_HS256 "A"};
    const char *tokens[COUNT];
    jwtauth_status statuses[COUNT];
    char *replies[COUNT];
    jwtauth_options options = {sizeof options, NULL, NULL, 0};
    jwtauth_verifier *verifier = NULL;
    size_t i, threads;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    for (i = 0; i < COUNT; i++) {
        tokens[i] = some[i % (sizeof some / sizeof some[0])];
    }
    for (threads = 0; threads < 4; threads++) {
        char *all = STALE;
        options.cached_only = threads % 2 == 1;
        /* The first token that is not granted is NULL; under a profile that does not exist, it is the first of all. */
        CHECK(jwtauth_verifier_authenticate_many(verifier, tokens, COUNT, &options, threads, statuses, replies) ==
              (options.profile == NULL ? JWTAUTH_STATUS_ARGUMENT : JWTAUTH_STATUS_DENIED));
        CHECK(jwtauth_verifier_authenticate_many_json(verifier, tokens, COUNT, &options, threads, &all) ==
              (options.profile == NULL ? JWTAUTH_STATUS_ARGUMENT : JWTAUTH_STATUS_DENIED));
        CHECK(jwtauth_json_count(all, "") == COUNT);
        for (i = 0; i < COUNT; i++) {
            char *alone = STALE, *element, place[8];
            CHECK(jwtauth_verifier_authenticate_with(verifier, tokens[i], &options, &alone) == statuses[i]);
            CHECK_TEXT(replies[i], alone);
            snprintf(place, sizeof place, "/%u", (unsigned)i);
            element = jwtauth_json_get(all, place);
            CHECK_TEXT(element, alone);
            jwtauth_string_free(element);
            jwtauth_string_free(alone);
            jwtauth_string_free(replies[i]);
        }
        jwtauth_string_free(all);
        options.profile = "nobody";
    }
    for (i = 0; i < COUNT; i++) {
        tokens[i] = SAMPLE_ES256;
    }
    CHECK(jwtauth_verifier_authenticate_many(verifier, tokens, COUNT, NULL, 0, statuses, NULL) == JWTAUTH_STATUS_OK);
    tokens[COUNT - 1] = "a.b.c";
    CHECK(jwtauth_verifier_authenticate_many(verifier, tokens, COUNT, NULL, 0, statuses, NULL) == JWTAUTH_STATUS_DENIED);
    CHECK(statuses[0] == JWTAUTH_STATUS_OK && statuses[COUNT - 1] == JWTAUTH_STATUS_DENIED);
    CHECK(jwtauth_verifier_authenticate_many(verifier, tokens, 0, NULL, 0, statuses, replies) == JWTAUTH_STATUS_ARGUMENT);
    jwtauth_verifier_free(verifier);
}

/* The status is that of the decision, and the decision is the reply that the token gets without an explanation. */
static void an_explanation_has_the_status_of_its_decision(void) {
    static const char *const tokens[] = {SAMPLE_HS256, SAMPLE_HS256 "A", "a.b.c", "", "\xff", NULL};
    jwtauth_options options = {sizeof options, NULL, NULL, 0};
    jwtauth_verifier *verifier = NULL;
    size_t i;

    CHECK(jwtauth_verifier_new(SAMPLE_CONFIG, &verifier, NULL) == JWTAUTH_STATUS_OK);
    for (i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        char *alone = STALE, *explanation = STALE, *decision;
        jwtauth_status status = jwtauth_verifier_authenticate_with(verifier, tokens[i], &options, &alone);

        CHECK(jwtauth_verifier_explain_with(verifier, tokens[i], &options, 0, &explanation) == status);
        CHECK(strstr(explanation, "\"value\"") == NULL);
        decision = jwtauth_json_get(explanation, "/decision");
        CHECK_TEXT(decision, alone);
        /* An explanation is never taken for a grant. */
        CHECK(jwtauth_json_type(explanation, "/outcome") == JWTAUTH_JSON_ABSENT);
        CHECK(jwtauth_grant_has(explanation, "role", "editor", NULL) == 0);
        jwtauth_string_free(decision);
        jwtauth_string_free(explanation);
        CHECK(jwtauth_verifier_explain_with(verifier, tokens[i], NULL, 1, &explanation) == status);
        CHECK(i > 0 || strstr(explanation, "\"value\"") != NULL);
        jwtauth_string_free(explanation);
        jwtauth_string_free(alone);
    }
    CHECK(jwtauth_verifier_explain_with(verifier, SAMPLE_HS256, NULL, 0, NULL) == JWTAUTH_STATUS_OK);
    options.size--;
    CHECK(jwtauth_verifier_explain_with(verifier, SAMPLE_HS256, &options, 0, NULL) == JWTAUTH_STATUS_ARGUMENT);
    options.size++;
    options.profile = "nobody";
    CHECK(jwtauth_verifier_explain_with(verifier, SAMPLE_HS256, &options, 0, NULL) == JWTAUTH_STATUS_DENIED);
    jwtauth_verifier_free(verifier);
}

static void ownership(void) {
    outputs_are_always_written();
    a_verifier_is_built_from_a_file();
    replies_outlive_the_verifier();
    a_verifier_can_be_built_from_the_policy();
    a_policy_has_no_secrets();
    a_reply_is_optional();
    a_reply_may_be_modified();
    a_child_process_decides_too();
    json_get_returns_the_value();
    an_array_is_visited_to_its_end();
    only_a_grant_has_entitlements();
    a_token_has_options();
    a_batch_is_granted_only_as_a_whole();
    an_explanation_has_the_status_of_its_decision();
    jwtauth_verifier_free(NULL);
    jwtauth_string_free(NULL);
}

int main(void) {
    return run("ownership", ownership);
}

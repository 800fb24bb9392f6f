/*
 * Decides one case several times, so that a tool can count the instructions of a decision: cost CASE COUNT.
 * A case is a file of tests/cost/cases: JSON with `config`, `token` and `outcome`. An outcome is "granted" or a code.
 */
#include <jwtauth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *why) {
    fprintf(stderr, "error: %s\n", why);
    exit(1);
}

static char *read_case(const char *path) {
    FILE *file = fopen(path, "rb");
    static char content[65536];
    size_t length;
    if (!file) stop("the case cannot be read");
    length = fread(content, 1, sizeof content - 1, file);
    fclose(file);
    content[length] = '\0';
    return content;
}

static char *member(const char *json, const char *pointer) {
    char *value = jwtauth_json_get(json, pointer);
    if (!value) stop(pointer);
    return value;
}

int main(int argc, char **argv) {
    jwtauth_verifier *verifier = NULL;
    char *content, *config, *token, *outcome, *reply = NULL;
    long count, i;
    if (argc != 3) stop("usage: cost CASE COUNT");
    content = read_case(argv[1]);
    count = atol(argv[2]);
    config = member(content, "/config");
    token = member(content, "/token");
    outcome = member(content, "/outcome");
    if (jwtauth_verifier_new(config, &verifier, &reply) != JWTAUTH_STATUS_OK) stop(reply);
    jwtauth_string_free(reply);

    for (i = 0; i < count; i++) {
        jwtauth_status status = jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply);
        if (i == 0) {
            char *code = status == JWTAUTH_STATUS_OK ? NULL : member(reply, "/code");
            if (strcmp(code ? code : "granted", outcome) != 0) stop(reply);
            jwtauth_string_free(code);
        } else if ((status == JWTAUTH_STATUS_OK) != (strcmp(outcome, "granted") == 0)) {
            stop("the outcome changes");
        }
        jwtauth_string_free(reply);
    }

    jwtauth_verifier_free(verifier);
    jwtauth_string_free(config);
    jwtauth_string_free(token);
    jwtauth_string_free(outcome);
    return 0;
}

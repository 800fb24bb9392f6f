/*
 * Decides about one token: authenticate CONFIG TOKEN [PROFILE]
 *
 * CONFIG is a file with a configuration: JSON, or a grafana.ini. The decision is printed on standard output. The exit
 * status is 0 for a grant, 1 for a denial, 2 for an invalid configuration or command line, 3 if the keys are unavailable.
 */

#include <stdio.h>

#include <jwtauth.h>

static void print_grant(const char *reply);
static void print_failure(FILE *out, const char *reply);
static int exit_status(jwtauth_status status);

int main(int argc, char **argv) {
    jwtauth_verifier *verifier = NULL;
    jwtauth_status status;
    char *reply = NULL;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: authenticate CONFIG TOKEN [PROFILE]\n");
        return 2;
    }
    status = jwtauth_verifier_new_from_file(argv[1], &verifier, &reply);
    if (status != JWTAUTH_STATUS_OK) {
        print_failure(stderr, reply);
        jwtauth_string_free(reply);
        return exit_status(status);
    }
    jwtauth_string_free(reply);

    status = jwtauth_verifier_authenticate_token(verifier, argv[2], argc == 4 ? argv[3] : NULL, &reply);
    if (status == JWTAUTH_STATUS_OK) {
        print_grant(reply);
    } else {
        print_failure(stdout, reply);
    }
    jwtauth_string_free(reply);
    jwtauth_verifier_free(verifier);
    return exit_status(status);
}

static void print_grant(const char *reply) {
    char *name = jwtauth_json_get(reply, "/identity/name");
    char *entitlements = jwtauth_json_get(reply, "/entitlements");

    printf("granted: %s %s\n", name != NULL ? name : "(no name)", entitlements != NULL ? entitlements : "[]");
    jwtauth_string_free(entitlements);
    jwtauth_string_free(name);
}

static void print_failure(FILE *out, const char *reply) {
    char *code = jwtauth_json_get(reply, "/code");
    char *message = jwtauth_json_get(reply, "/message");
    char *detail = jwtauth_json_get(reply, "/detail");

    fprintf(out, "refused: %s: %s%s%s\n", code != NULL ? code : "internal_error", message != NULL ? message : "",
            detail != NULL ? ": " : "", detail != NULL ? detail : "");
    jwtauth_string_free(detail);
    jwtauth_string_free(message);
    jwtauth_string_free(code);
}

static int exit_status(jwtauth_status status) {
    switch (status) {
    case JWTAUTH_STATUS_OK:
        return 0;
    case JWTAUTH_STATUS_DENIED:
        return 1;
    case JWTAUTH_STATUS_UNAVAILABLE:
        return 3;
    default:
        return 2;
    }
}

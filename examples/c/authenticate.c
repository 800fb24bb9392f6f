/*
 * Decides about one token: authenticate CONFIG TOKEN [PROFILE]
 *
 * CONFIG is a file with a verifier's configuration. The decision is printed on standard output. The exit status is
 * 0 for a grant, 1 for a denial, 2 for an invalid configuration or command line, 3 if the keys are unavailable.
 */

#include <stdio.h>
#include <stdlib.h>

#include <jwtauth.h>

static char *read_file(const char *path);
static void print_grant(const char *reply);
static void print_failure(FILE *out, const char *reply);
static int exit_status(jwtauth_status status);

int main(int argc, char **argv) {
    jwtauth_verifier *verifier = NULL;
    jwtauth_status status;
    char *config;
    char *reply = NULL;

    if (argc < 3 || argc > 4) {
        fprintf(stderr, "usage: authenticate CONFIG TOKEN [PROFILE]\n");
        return 2;
    }
    config = read_file(argv[1]);
    if (config == NULL) {
        perror(argv[1]);
        return 2;
    }
    status = jwtauth_verifier_new(config, &verifier, &reply);
    free(config);
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

/* The text of a file, to be freed; NULL, with errno set, if it cannot be read. */
static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    size_t length = 0;

    if (file == NULL) {
        return NULL;
    }
    for (;;) {
        char *longer = realloc(text, length + 4096 + 1);
        size_t got;
        if (longer == NULL) {
            free(text);
            text = NULL;
            break;
        }
        text = longer;
        got = fread(text + length, 1, 4096, file);
        length += got;
        text[length] = '\0';
        if (got < 4096) {
            if (ferror(file)) {
                free(text);
                text = NULL;
            }
            break;
        }
    }
    fclose(file);
    return text;
}

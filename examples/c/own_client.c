/*
 * Decides about one token, with keys that this program fetches itself: own_client CONFIG TOKEN FILE
 *
 * CONFIG is a file with a verifier's configuration that names a URL for the keys. FILE contains the response of that
 * URL; another program with network access keeps it up to date. Any HTTP client could take its place. The exit status
 * is that of the example `authenticate`: 0 for a grant, 1 for a denial, 2 for an invalid configuration or command line,
 * 3 if the keys are unavailable.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwtauth.h>

static char *read_file(const char *path, size_t limit, size_t *length);

/* The library calls this whenever it needs the keys. It must answer before it returns. */
static void fetch_keys(void *user, const char *request_json, jwtauth_fetch *fetch) {
    const char *path = user;
    char *text = jwtauth_json_get(request_json, "/max_bytes");
    size_t limit = text != NULL ? (size_t)strtoul(text, NULL, 10) : 0;
    size_t length = 0;
    char *body;

    jwtauth_string_free(text);
    /* One byte more than the limit is enough for the library to detect a body that is too long. */
    body = read_file(path, limit + 1, &length);
    if (body == NULL) {
        jwtauth_fetch_fail(fetch, "connect", strerror(errno));
        return;
    }
    jwtauth_fetch_respond(fetch, 200, "{\"Cache-Control\":\"max-age=60\"}", body, length);
    free(body);
}

/* Called once, when the verifier no longer needs the path. */
static void free_path(void *user) {
    free(user);
}

int main(int argc, char **argv) {
    jwtauth_callbacks callbacks = {sizeof callbacks, NULL, fetch_keys, free_path, NULL};
    jwtauth_verifier *verifier = NULL;
    jwtauth_status status;
    char *config, *path, *reply = NULL, *shown;
    size_t length = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: own_client CONFIG TOKEN FILE\n");
        return 2;
    }
    config = read_file(argv[1], (size_t)1 << 22, &length);
    path = malloc(strlen(argv[3]) + 1);
    if (config == NULL || path == NULL) {
        perror(argv[1]);
        free(config);
        free(path);
        return 2;
    }
    callbacks.user = strcpy(path, argv[3]);

    status = jwtauth_verifier_new_with(config, &callbacks, &verifier, &reply);
    free(config);
    if (status == JWTAUTH_STATUS_OK) {
        jwtauth_string_free(reply);
        status = jwtauth_verifier_authenticate_token(verifier, argv[2], NULL, &reply);
    }
    shown = jwtauth_json_get(reply, status == JWTAUTH_STATUS_OK ? "/identity/name" : "/detail");
    if (status == JWTAUTH_STATUS_OK) {
        printf("granted: %s\n", shown != NULL ? shown : "(no name)");
    } else {
        char *code = jwtauth_json_get(reply, "/code");
        printf("refused: %s: %s\n", code != NULL ? code : jwtauth_status_name(status), shown != NULL ? shown : "");
        jwtauth_string_free(code);
    }
    jwtauth_string_free(shown);
    jwtauth_string_free(reply);
    jwtauth_verifier_free(verifier);
    return status == JWTAUTH_STATUS_OK            ? 0
           : status == JWTAUTH_STATUS_DENIED      ? 1
           : status == JWTAUTH_STATUS_UNAVAILABLE ? 3
                                                  : 2;
}

/* The first bytes of a file, NUL-terminated, to be freed; NULL, with errno set, if it cannot be read. */
static char *read_file(const char *path, size_t limit, size_t *length) {
    FILE *file = fopen(path, "rb");
    char *text = file != NULL ? malloc(limit + 1) : NULL;

    if (text != NULL) {
        *length = fread(text, 1, limit, file);
        text[*length] = '\0';
        if (ferror(file)) {
            free(text);
            text = NULL;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

/*
 * Decides about one token, with keys that this program gets by itself: own_client CONFIG TOKEN FILE
 *
 * CONFIG is a file with a verifier's configuration, and names a URL for the keys. FILE holds what that URL would
 * answer: another program, which may talk to the network, keeps it up to date. In its place there could be any HTTP
 * client. The exit status is that of the example `authenticate`: 0 for a grant, 1 for a denial, 2 for a mistake,
 * 3 if the keys are out of reach.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jwtauth.h>

static char *read_file(const char *path, size_t limit, size_t *length);

/* Called by the library whenever it wants the keys anew. It must answer before it returns. */
static void fetch_keys(void *user, const char *request_json, jwtauth_fetch *fetch) {
    const char *path = user;
    char *text = jwtauth_json_get(request_json, "/max_bytes");
    size_t limit = text != NULL ? (size_t)strtoul(text, NULL, 10) : 0;
    size_t length = 0;
    char *body;

    jwtauth_string_free(text);
    /* One byte more than may be is enough for the library to see that it is too much. */
    body = read_file(path, limit + 1, &length);
    if (body == NULL) {
        jwtauth_fetch_fail(fetch, "connect", strerror(errno));
        return;
    }
    jwtauth_fetch_respond(fetch, 200, "{\"Cache-Control\":\"max-age=60\"}", body, length);
    free(body);
}

/* Called once, when the verifier needs the path no more. */
static void forget_path(void *user) {
    free(user);
}

int main(int argc, char **argv) {
    jwtauth_callbacks callbacks = {sizeof callbacks, NULL, fetch_keys, forget_path};
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

/* The beginning of a file, to be freed, with a NUL behind it; NULL, with errno set, if it cannot be read. */
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

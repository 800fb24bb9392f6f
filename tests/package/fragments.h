/* What the fragments in C on docs/c-api.md use and do not define. */
#include <stdio.h>
#include <stdlib.h>

#include <jwtauth.h>

#define USED void

enum { COUNT = 2 };
extern jwtauth_verifier *verifier;
extern jwtauth_sessions *sessions;
extern jwtauth_options options;
extern jwtauth_status status;
extern char *reply, *explanation;
extern const char *config_json, *token, *jwt, *client_address, *const *tokens;
extern size_t i;

struct answer {
    int status;
    const char *headers_json, *error;
    const void *body;
    size_t body_length;
};
int my_http_get(void *client, const char *url, const char *timeout_ms, struct answer *answer);
void my_http_free(struct answer *answer);
void my_http_client_free(void *client);
void my_metrics_count(void *metrics, const char *outcome, const char *code);
extern void *my_http_client, *my_metrics;

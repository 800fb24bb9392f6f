#include "contender.h"

#include <jwt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* libjwt 1 does not read a list, so `aud` is compared as text. */
int libjwt_decide(void) {
    jwt_t *jwt = NULL;
    time_t now = time(NULL);
    int granted = 0;
    if (jwt_decode(&jwt, token, key, (int)key_length) != 0) return 0;
    if (jwt_get_alg(jwt) == jwt_str_alg(alg)) {
        const char *issuer = jwt_get_grant(jwt, "iss");
        char *audience = jwt_get_grants_json(jwt, "aud");
        granted = issuer && strcmp(issuer, ISSUER) == 0 && audience && strstr(audience, "\"" AUDIENCE "\"") &&
                  jwt_get_grant_int(jwt, "exp") > now && jwt_get_grant_int(jwt, "nbf") <= now &&
                  jwt_get_grant(jwt, "sub") != NULL;
        free(audience);
    }
    jwt_free(jwt);
    return granted;
}

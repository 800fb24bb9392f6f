#include "contender.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <string.h>
#include <time.h>

static cjose_jwk_t *cjose_key;

void cjose_set_up(void) {
    cjose_err error;
    cjose_key = cjose_jwk_import(jwk, strlen(jwk), &error);
    if (!cjose_key) stop(error.message);
}

static int is_audience(const json_t *claims) {
    const json_t *audience = json_object_get(claims, "aud"), *one;
    size_t place;
    if (json_is_string(audience)) return strcmp(json_string_value(audience), AUDIENCE) == 0;
    json_array_foreach(audience, place, one) {
        if (json_is_string(one) && strcmp(json_string_value(one), AUDIENCE) == 0) return 1;
    }
    return 0;
}

/* cjose checks signatures only, so the claims are checked as its users do: with jansson, which it depends on. */
int cjose_decide(void) {
    cjose_err error;
    uint8_t *payload = NULL;
    size_t length = 0;
    int granted = 0;
    time_t now = time(NULL);
    cjose_jws_t *jws = cjose_jws_import(token, strlen(token), &error);
    if (!jws) return 0;
    if (strcmp(cjose_header_get(cjose_jws_get_protected(jws), CJOSE_HDR_ALG, &error), alg) == 0 &&
        cjose_jws_verify(jws, cjose_key, &error) && cjose_jws_get_plaintext(jws, &payload, &length, &error)) {
        json_t *claims = json_loadb((const char *)payload, length, JSON_REJECT_DUPLICATES, NULL);
        const char *issuer = json_string_value(json_object_get(claims, "iss"));
        granted = issuer && strcmp(issuer, ISSUER) == 0 && is_audience(claims) &&
                  json_integer_value(json_object_get(claims, "exp")) > now &&
                  json_integer_value(json_object_get(claims, "nbf")) <= now &&
                  json_string_value(json_object_get(claims, "sub")) != NULL;
        json_decref(claims);
    }
    cjose_jws_release(jws);
    return granted;
}

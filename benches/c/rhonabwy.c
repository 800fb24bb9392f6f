#include "contender.h"

#include <rhonabwy.h>
#include <string.h>

static jwk_t *rhonabwy_key;

void rhonabwy_set_up(void) {
    if (r_global_init() != RHN_OK || r_jwk_init(&rhonabwy_key) != RHN_OK ||
        r_jwk_import_from_json_str(rhonabwy_key, jwk) != RHN_OK)
        stop("rhonabwy does not read the key");
}

int rhonabwy_decide(void) {
    int granted = 0;
    jwt_t *jwt = r_jwt_quick_parse(token, R_PARSE_NONE, 0);
    if (!jwt) return 0;
    if (r_jwt_get_sign_alg(jwt) == r_str_to_jwa_alg(alg) && r_jwt_verify_signature(jwt, rhonabwy_key, 0) == RHN_OK &&
        r_jwt_validate_claims(jwt, R_JWT_CLAIM_ISS, ISSUER, R_JWT_CLAIM_EXP, R_JWT_CLAIM_NOW, R_JWT_CLAIM_NBF,
                              R_JWT_CLAIM_NOW, R_JWT_CLAIM_NOP) == RHN_OK) {
        json_t *audience = r_jwt_get_claim_json_t_value(jwt, "aud");
        const json_t *one;
        size_t place;
        json_array_foreach(audience, place, one) {
            granted |= json_is_string(one) && strcmp(json_string_value(one), AUDIENCE) == 0;
        }
        json_decref(audience);
        granted = granted && r_jwt_get_claim_str_value(jwt, "sub") != NULL;
    }
    r_jwt_free(jwt);
    return granted;
}

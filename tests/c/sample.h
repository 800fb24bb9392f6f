/* Published keys and tokens (RFC 7515 A.1, A.2, A.3), so that a C test does not have to sign. */

#ifndef SAMPLE_H
#define SAMPLE_H

/* {"iss":"joe","exp":1300819380,"http://example.com/is_root":true} */
#define SAMPLE_PAYLOAD \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

#define SAMPLE_HS256 \
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." SAMPLE_PAYLOAD ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define SAMPLE_RS256 \
    "eyJhbGciOiJSUzI1NiJ9." SAMPLE_PAYLOAD \
    ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU" \
    "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--x" \
    "i12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypG" \
    "lUPQGe77Rw"
#define SAMPLE_ES256 \
    "eyJhbGciOiJFUzI1NiJ9." SAMPLE_PAYLOAD \
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

#define SAMPLE_SECRET "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

/* Accepts all three tokens, one second before they expire. */
#define SAMPLE_CONFIG SAMPLE_CONFIG_WITH("{\"secret\":\"" SAMPLE_SECRET "\"},")
/* Accepts the two tokens that are signed with private keys. */
#define SAMPLE_PUBLIC_CONFIG SAMPLE_CONFIG_WITH("")

/* The keys of the second and the third. */
#define SAMPLE_RSA_JWK \
    "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHm" \
    "fHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpa" \
    "SHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWN" \
    "moudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}"
#define SAMPLE_EC_JWK \
    "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\"," \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define SAMPLE_EC_KEY "{\"jwk\":" SAMPLE_EC_JWK "}"
#define SAMPLE_EC_PEM \
    "-----BEGIN PUBLIC KEY-----\\n" \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\\n" \
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\\n" \
    "-----END PUBLIC KEY-----\\n"

#define SAMPLE_CONFIG_WITH(first_key) \
    "{\"dialect\":\"native\",\"config\":{\"keys\":[" first_key \
    "{\"jwk\":" SAMPLE_RSA_JWK "}," SAMPLE_EC_KEY "]," \
    "\"algorithms\":[\"HS256\",\"RS256\",\"ES256\"],\"issuer\":\"joe\",\"identity\":{\"name\":\"iss\"}," \
    "\"profiles\":{\"nobody\":{\"subject\":\"nobody\"}}}," \
    "\"options\":{\"now\":1300819379}}"

/* Accepts the two tokens that are signed with private keys, after their keys were fetched. */
#define SAMPLE_URL_CONFIG(url, settings) \
    "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"jwks_url\":\"" url "\"" settings "}]," \
    "\"algorithms\":[\"RS256\",\"ES256\"],\"issuer\":\"joe\",\"identity\":{\"name\":\"iss\"}}," \
    "\"options\":{\"now\":1300819379}}"
#define SAMPLE_EC_SET "{\"keys\":[" SAMPLE_EC_JWK "]}"
#define SAMPLE_RSA_SET "{\"keys\":[" SAMPLE_RSA_JWK "]}"

#endif

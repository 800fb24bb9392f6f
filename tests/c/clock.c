/*
 * Which clock is used for what: the wall clock decides whether a token has expired. The monotonic clock decides how old
 * keys are and when to fetch again.
 */

#define _GNU_SOURCE

#include "clocks.h"

#include <jwtauth.h>

#include "host.h"

/* {"iss":"joe","nbf":1999996400,"exp":2000003600}, its key, and the time in the middle. Only this test uses the key. */
#define TOKEN \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLCJuYmYiOjE5OTk5OTY0MDAsImV4cCI6MjAwMDAwMzYwMH0." \
    "hR8AoeKpI_0Gv2YuJKcvAK-OkrZJa9MkZcyOarmmCCdsPMZ0wClppikHGqbfizdgwuN9v-Ri-z0j5Wq5UJQqeg"
#define SET \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"QIYu-VVfE81K05wGd2eWo6KxYIQGCk3jDrRjreLZQJ4\"," \
    "\"y\":\"YR10wLn_KvMRnLaM3wqo2gUxfhOzg-Vdc5GsM8_KRZY\"}]}"
#define NOON 2000000000LL

/* Keys are fresh for 15 minutes and stale for a day; an unknown key causes at most two fetches per minute. */
static const char config[] =
    "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"jwks_url\":\"https://issuer.example/keys\"}],"
    "\"algorithms\":[\"RS256\",\"ES256\"],\"issuer\":\"joe\",\"identity\":{\"name\":\"iss\"}}}";

static const char *is_denied_as(const jwtauth_verifier *verifier, const char *token) {
    static char kept[64];
    char *reply = NULL, *code;

    CHECK(jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply) == JWTAUTH_STATUS_DENIED);
    code = jwtauth_json_get(reply, "/code");
    snprintf(kept, sizeof kept, "%s", code != NULL ? code : "");
    jwtauth_string_free(code);
    jwtauth_string_free(reply);
    return kept;
}

static void tokens_use_the_wall_clock(host *own, const jwtauth_verifier *verifier) {
    unsigned before = own->calls;

    set_wall_clock(NOON + DAY);
    CHECK_TEXT(is_denied_as(verifier, TOKEN), "token_expired");
    set_wall_clock(NOON - DAY);
    CHECK_TEXT(is_denied_as(verifier, TOKEN), "token_not_yet_valid");
    set_wall_clock(0);
    CHECK_TEXT(is_denied_as(verifier, TOKEN), "token_not_yet_valid");
    set_wall_clock(NOON);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    CHECK(own->calls == before);
}

/* Moves the wall clock forward and back. The decision depends only on the token's times, and nothing is fetched. */
static void at_any_hour(host *own, const jwtauth_verifier *verifier, const char *token, const char *code) {
    static const long long hours[] = {NOON, NOON + DAY, NOON - DAY, NOON + 1000 * DAY, 0, NOON};
    unsigned before = own->calls;
    size_t i;

    for (i = 0; i < sizeof hours / sizeof hours[0]; i++) {
        set_wall_clock(hours[i]);
        if (code != NULL) {
            CHECK_TEXT(is_denied_as(verifier, token), code);
        } else {
            CHECK(decide(verifier, token) == (hours[i] == NOON ? JWTAUTH_STATUS_OK : JWTAUTH_STATUS_DENIED));
        }
    }
    CHECK(own->calls == before);
}

static void the_age_of_keys_uses_the_monotonic_clock(host *own, const jwtauth_verifier *verifier) {
    at_any_hour(own, verifier, TOKEN, NULL);
    CHECK(own->calls == 1);

    pass(10 * MINUTE);
    at_any_hour(own, verifier, TOKEN, NULL);
    CHECK(own->calls == 1);

    pass(5 * MINUTE);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    CHECK(own->calls == 2);
    at_any_hour(own, verifier, TOKEN, NULL);
}

static void cool_downs_use_the_monotonic_clock(host *own, const jwtauth_verifier *verifier) {
    unsigned before = own->calls;

    /* The key set does not have the key of this token. */
    at_any_hour(own, verifier, SAMPLE_ES256, "signature_invalid");
    pass(31);
    CHECK_TEXT(is_denied_as(verifier, SAMPLE_ES256), "signature_invalid");
    CHECK(own->calls == before + 1);
    at_any_hour(own, verifier, SAMPLE_ES256, "signature_invalid");
    pass(31);
    set_wall_clock(NOON - DAY);
    CHECK_TEXT(is_denied_as(verifier, SAMPLE_ES256), "signature_invalid");
    CHECK(own->calls == before + 2);
    set_wall_clock(NOON);
}

static void retries_and_stale_keys_use_the_monotonic_clock(host *own, const jwtauth_verifier *verifier) {
    unsigned before = own->calls;

    own->status = 500;
    pass(15 * MINUTE);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    CHECK(own->calls == before + 1);
    at_any_hour(own, verifier, TOKEN, NULL);
    pass(2);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    CHECK(own->calls == before + 2);
    at_any_hour(own, verifier, TOKEN, NULL);

    pass(DAY);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_UNAVAILABLE);
    CHECK(own->calls == before + 3);
    own->status = 200;
    pass(MINUTE);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    CHECK(own->calls == before + 4);
}

static void clock_test(void) {
    host own = HOST_WITH(SET);
    jwtauth_verifier *verifier;

    /* On a slow machine, a back-off of a second could end between two checks. */
    uptime_stands = 1;
    set_wall_clock(NOON);
    verifier = host_verifier(&own, config);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    /* The library must use these clocks; otherwise the other checks prove nothing. */
    CHECK(wall_clock_asked > 0 && uptime_asked > 0);
    tokens_use_the_wall_clock(&own, verifier);
    the_age_of_keys_uses_the_monotonic_clock(&own, verifier);
    cool_downs_use_the_monotonic_clock(&own, verifier);
    retries_and_stale_keys_use_the_monotonic_clock(&own, verifier);
    jwtauth_verifier_free(verifier);
}

int main(void) {
    return run("clock", clock_test);
}

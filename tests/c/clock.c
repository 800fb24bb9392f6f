/*
 * Two clocks, and which of them is asked about what: whether a token has expired is a question for the wall clock;
 * how old keys are, and whether it is time to fetch again, for the one that only goes forward.
 */

#define _GNU_SOURCE

#include "clocks.h"

#include <jwtauth.h>

#include "host.h"

/* {"iss":"joe","nbf":1999996400,"exp":2000003600}, its key, and the moment in the middle. The key is nobody's. */
#define TOKEN \
    "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLCJuYmYiOjE5OTk5OTY0MDAsImV4cCI6MjAwMDAwMzYwMH0." \
    "hR8AoeKpI_0Gv2YuJKcvAK-OkrZJa9MkZcyOarmmCCdsPMZ0wClppikHGqbfizdgwuN9v-Ri-z0j5Wq5UJQqeg"
#define SET \
    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"QIYu-VVfE81K05wGd2eWo6KxYIQGCk3jDrRjreLZQJ4\"," \
    "\"y\":\"YR10wLn_KvMRnLaM3wqo2gUxfhOzg-Vdc5GsM8_KRZY\"}]}"
#define NOON 2000000000LL

/* Fresh for 15 minutes, stale for a day, asked again for an unknown key twice a minute at most. */
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

static void tokens_live_by_the_wall_clock(host *own, const jwtauth_verifier *verifier) {
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

/* The wall clock goes forward and back by a day, and what a token is told and how often was fetched stays the same. */
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

static void keys_age_by_the_other(host *own, const jwtauth_verifier *verifier) {
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

static void cool_downs_too(host *own, const jwtauth_verifier *verifier) {
    unsigned before = own->calls;

    /* Nobody has the key of this one. */
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

static void and_pauses_after_failures_and_staleness(host *own, const jwtauth_verifier *verifier) {
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
    jwtauth_verifier *verifier = host_verifier(&own, config);

    set_wall_clock(NOON);
    CHECK(decide(verifier, TOKEN) == JWTAUTH_STATUS_OK);
    /* The library asks these clocks, or nothing here would show anything. */
    CHECK(wall_clock_asked > 0 && uptime_asked > 0);
    tokens_live_by_the_wall_clock(&own, verifier);
    keys_age_by_the_other(&own, verifier);
    cool_downs_too(&own, verifier);
    and_pauses_after_failures_and_staleness(&own, verifier);
    jwtauth_verifier_free(verifier);
}

int main(void) {
    return run("clock", clock_test);
}

/* Many threads authenticate concurrently: before the first fetch, and while a refresh hangs. */

#define _GNU_SOURCE

#include "clocks.h"

#include <jwtauth.h>

#include "gate.h"

enum { HERD = 64 };

/* How many of HERD concurrent calls get this status. */
static int herd_gets(const jwtauth_verifier *verifier, const char *token, jwtauth_status status) {
    visitor herd[HERD];
    int i, same = 0;

    for (i = 0; i < HERD; i++) {
        send_in(&herd[i], verifier, token);
    }
    for (i = 0; i < HERD; i++) {
        same += comes_back(&herd[i]) == status;
    }
    return same;
}

static void a_herd_on_a_cold_start_shares_one_fetch(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    gate at = GATE;
    jwtauth_verifier *verifier =
        host_verifier(&own, SAMPLE_URL_CONFIG("https://issuer.example/keys", ",\"timeout\":\"10m\""));
    visitor herd[HERD];
    int i;

    own.answer = hang;
    own.own = &at;
    for (i = 0; i < HERD; i++) {
        send_in(&herd[i], verifier, SAMPLE_ES256);
    }
    until_it_hangs(&at);
    let_go(&at);
    for (i = 0; i < HERD; i++) {
        CHECK(comes_back(&herd[i]) == JWTAUTH_STATUS_OK);
    }
    CHECK(own.calls == 1);
    jwtauth_verifier_free(verifier);
}

static void a_herd_waits_no_longer_than_the_timeout(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    gate at = GATE;
    jwtauth_verifier *verifier =
        host_verifier(&own, SAMPLE_URL_CONFIG("https://issuer.example/keys", ",\"timeout\":\"50ms\""));
    visitor first;

    own.answer = hang;
    own.own = &at;
    send_in(&first, verifier, SAMPLE_ES256);
    until_it_hangs(&at);
    CHECK(herd_gets(verifier, SAMPLE_ES256, JWTAUTH_STATUS_UNAVAILABLE) == HERD);
    CHECK(own.calls == 1);
    let_go(&at);
    CHECK(comes_back(&first) == JWTAUTH_STATUS_OK);
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    CHECK(own.calls == 1);
    jwtauth_verifier_free(verifier);
}

/* The herd returns before the hanging fetch is released, so it does not wait for that fetch. */
static void while_a_refresh_hangs_others_use_the_cached_keys(long long age) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    gate at = GATE;
    jwtauth_verifier *verifier =
        host_verifier(&own, SAMPLE_URL_CONFIG("https://issuer.example/keys", ",\"timeout\":\"10m\""));
    visitor first;

    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    own.answer = hang;
    own.own = &at;
    pass(age);
    send_in(&first, verifier, SAMPLE_ES256);
    until_it_hangs(&at);
    CHECK(herd_gets(verifier, SAMPLE_ES256, JWTAUTH_STATUS_OK) == HERD);
    /* This key is not in the set, and a refetch is not allowed yet. */
    CHECK(herd_gets(verifier, SAMPLE_RS256, JWTAUTH_STATUS_DENIED) == HERD);
    CHECK(host_calls(&own) == 2);
    own.body = SAMPLE_RSA_SET;
    let_go(&at);
    CHECK(comes_back(&first) == JWTAUTH_STATUS_DENIED);
    CHECK(herd_gets(verifier, SAMPLE_RS256, JWTAUTH_STATUS_OK) == HERD);
    CHECK(own.calls == 2);
    jwtauth_verifier_free(verifier);
}

static void a_herd_at_expiry_costs_one_fetch(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, SAMPLE_URL_CONFIG("https://issuer.example/keys", ""));

    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    pass(20 * MINUTE);
    CHECK(herd_gets(verifier, SAMPLE_ES256, JWTAUTH_STATUS_OK) == HERD);
    CHECK(own.calls == 2);
    jwtauth_verifier_free(verifier);
}

#define SLOW_SOURCE(url) "\"jwks_url\":\"" url "\",\"timeout\":\"10m\""
static const char several_sources[] =
    SAMPLE_URL_CONFIG("https://a.example/keys", ",\"timeout\":\"10m\"},{" SLOW_SOURCE("https://b.example/keys") "},{" SLOW_SOURCE(
        "https://c.example/keys"));

/* No fetch ends before all three are in progress, so a thread that waited for one after the other would never end. */
static void sources_that_hang_are_waited_for_together(int threads) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    gate at = GATE;
    jwtauth_verifier *verifier = host_verifier(&own, several_sources);
    visitor herd[HERD];
    int i;

    own.answer = hang;
    own.own = &at;
    for (i = 0; i < threads; i++) {
        send_in(&herd[i], verifier, SAMPLE_ES256);
    }
    until_so_many_hang(&at, 3);
    let_go(&at);
    for (i = 0; i < threads; i++) {
        CHECK(comes_back(&herd[i]) == JWTAUTH_STATUS_OK);
    }
    CHECK(own.calls == 3);
    jwtauth_verifier_free(verifier);
}

static void herd(void) {
    a_herd_on_a_cold_start_shares_one_fetch();
    a_herd_waits_no_longer_than_the_timeout();
    while_a_refresh_hangs_others_use_the_cached_keys(14 * MINUTE);
    while_a_refresh_hangs_others_use_the_cached_keys(20 * HOUR);
    a_herd_at_expiry_costs_one_fetch();
    sources_that_hang_are_waited_for_together(1);
    sources_that_hang_are_waited_for_together(HERD);
}

int main(void) {
    return run("herd", herd);
}

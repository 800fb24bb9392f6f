/*
 * A process forks while its verifiers have keys, have none, or are fetching them. The child decides, with a fetch if it
 * needs one, and the parent continues.
 *
 * fork [ROUNDS]: how often a child is forked at some moment of a fetch
 */

#define _GNU_SOURCE

#include <jwtauth.h>

#include "child.h"
#include "gate.h"
#include "server.h"

#define URL "https://issuer.example/keys"

static int rounds = 100;

/* --- a callback fetches --- */

static int decides_without_a_fetch(const jwtauth_verifier *verifier, void *with) {
    host *own = with;
    unsigned before = own->calls;

    return decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK &&
           decide(verifier, SAMPLE_RS256) == JWTAUTH_STATUS_DENIED && own->calls == before;
}

static int fetches_and_decides(const jwtauth_verifier *verifier, void *with) {
    host *own = with;
    unsigned before;

    /* A thread that does not exist in the child may hold the lock, so the child initialises it again. */
    pthread_mutex_init(&own->lock, NULL);
    own->answer = NULL;
    before = own->calls;
    return decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK && own->calls == before + 1 &&
           decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK && own->calls == before + 1;
}

static int fetches_and_so_does_its_child(const jwtauth_verifier *verifier, void *with) {
    return child_finds(fetches_and_decides, verifier, with) && fetches_and_decides(verifier, with) &&
           child_finds(decides_without_a_fetch, verifier, with);
}

/* For a source whose keys are never cached. */
static int fetches_each_time(const jwtauth_verifier *verifier, void *with) {
    host *own = with;
    unsigned before;

    pthread_mutex_init(&own->lock, NULL);
    own->answer = NULL;
    before = own->calls;
    return decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK && own->calls == before + 1 &&
           decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK && own->calls == before + 2;
}

static void with_a_warm_cache(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, SAMPLE_URL_CONFIG(URL, ""));

    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    CHECK(child_finds(decides_without_a_fetch, verifier, &own));
    CHECK(decides_without_a_fetch(verifier, &own));
    CHECK(own.calls == 1);
    jwtauth_verifier_free(verifier);
}

static void with_a_cold_cache(void) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    jwtauth_verifier *verifier = host_verifier(&own, SAMPLE_URL_CONFIG(URL, ""));

    CHECK(child_finds(fetches_and_so_does_its_child, verifier, &own));
    CHECK(own.calls == 0);
    CHECK(fetches_and_decides(verifier, &own));
    jwtauth_verifier_free(verifier);
    CHECK(own.released == 1);
}

static void with_a_fetch_in_flight(const char *config, int warm) {
    host own = HOST_WITH(SAMPLE_EC_SET);
    gate at = GATE;
    jwtauth_verifier *verifier = host_verifier(&own, config);
    visitor first;

    if (warm) {
        CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    }
    own.answer = hang;
    own.own = &at;
    send_in(&first, verifier, SAMPLE_ES256);
    until_it_hangs(&at);
    CHECK(child_finds(warm ? fetches_each_time : fetches_and_so_does_its_child, verifier, &own));
    let_go(&at);
    CHECK(comes_back(&first) == JWTAUTH_STATUS_OK);
    CHECK(decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK);
    jwtauth_verifier_free(verifier);
    CHECK(own.released == 1);
}

/* --- the library's own client fetches --- */

static jwtauth_verifier *verifier_for(const server *from, const char *timeout) {
    static const char format[] = SAMPLE_URL_CONFIG("http://127.0.0.1:%d/keys", ",\"timeout\":\"%s\"");
    jwtauth_verifier *verifier = NULL;
    char config[sizeof format + 64], *reply = NULL;

    snprintf(config, sizeof config, format, from->port, timeout);
    if (jwtauth_verifier_new(config, &verifier, &reply) != JWTAUTH_STATUS_OK) {
        fprintf(stderr, "%s\n", reply);
        exit(2);
    }
    jwtauth_string_free(reply);
    return verifier;
}

static int decides(const jwtauth_verifier *verifier, void *with) {
    (void)with;
    return decide(verifier, SAMPLE_ES256) == JWTAUTH_STATUS_OK;
}

static void with_a_fetch_of_the_library_in_flight(void) {
    server from;
    jwtauth_verifier *verifier;
    visitor first;

    server_start(&from, SAMPLE_EC_SET);
    verifier = verifier_for(&from, "10m");
    CHECK(child_finds(decides, verifier, NULL));
    server_hangs(&from, 1);
    send_in(&first, verifier, SAMPLE_ES256);
    server_has_seen(&from, 2);
    server_forgets(&from);
    CHECK(child_finds(decides, verifier, NULL));
    server_hangs(&from, 0);
    CHECK(comes_back(&first) == JWTAUTH_STATUS_OK);
    CHECK(child_finds(decides, verifier, NULL));
    CHECK(from.requests == 3);
    jwtauth_verifier_free(verifier);
    server_stop(&from);
}

/* The other thread may be creating the client, connecting, waiting or reading. */
static void at_any_moment_of_a_fetch(void) {
    jwtauth_verifier *other = busy_verifier();
    server from;
    int round;

    server_start(&from, SAMPLE_EC_SET);
    for (round = 0; round < rounds; round++) {
        jwtauth_verifier *verifier = verifier_for(&from, "30s");
        visitor first;

        send_in(&first, verifier, SAMPLE_ES256);
        be_busy(other, round * 100 / rounds);
        CHECK(child_finds(decides, verifier, NULL));
        CHECK(comes_back(&first) == JWTAUTH_STATUS_OK);
        jwtauth_verifier_free(verifier);
    }
    server_stop(&from);
    jwtauth_verifier_free(other);
}

static void fork_test(void) {
    with_a_warm_cache();
    with_a_cold_cache();
    with_a_fetch_in_flight(SAMPLE_URL_CONFIG(URL, ",\"timeout\":\"10m\""), 0);
    with_a_fetch_in_flight(SAMPLE_URL_CONFIG(URL, ",\"timeout\":\"10m\",\"cache_ttl\":\"0s\""), 1);
    with_a_fetch_of_the_library_in_flight();
    if (MAY_FORK_AT_ANY_MOMENT) {
        at_any_moment_of_a_fetch();
    }
}

int main(int argc, char **argv) {
    if (argc > 1) {
        rounds = atoi(argv[1]);
    }
    return run("fork", fork_test);
}

// Fetching with the application's client in C++: the requests, responses and exceptions of the callable, and its owner.

#include <csignal>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jwtauth.hpp>

#include "../c/check.h"
#include "../c/sample.h"

#define KEY_SET "application/jwk-set+json, application/json;q=0.9, */*;q=0.1"

using jwtauth::FetchError;
using jwtauth::FetchRequest;
using jwtauth::FetchResponse;
using jwtauth::Reply;
using jwtauth::Verifier;

static const char config[] = SAMPLE_URL_CONFIG("https://issuer.example/keys", "");
// Fetches as often as possible.
static const char restless[] =
    SAMPLE_URL_CONFIG("https://issuer.example/keys", ",\"cache_ttl\":\"0s\",\"cool_down\":\"0s\"");

static FetchResponse keys() {
    FetchResponse response;
    response.status = 200;
    response.body = SAMPLE_EC_SET;
    return response;
}

static void keys_come_from_the_callable() {
    int calls = 0;
    FetchRequest asked;
    const Verifier verifier(config, [&](const FetchRequest &request) {
        calls++;
        asked = request;
        return keys();
    });

    CHECK(calls == 0);
    CHECK(verifier.authenticate_token(SAMPLE_ES256));
    CHECK(verifier.authenticate_token(SAMPLE_ES256));
    CHECK(calls == 1);
    CHECK(asked.url == "https://issuer.example/keys");
    CHECK(asked.timeout > std::chrono::seconds(1) && asked.timeout <= std::chrono::seconds(5));
    CHECK(asked.max_bytes == 1048576);
    CHECK(asked.headers.size() == 1 && asked.headers[0].first == "Accept");
    CHECK(asked.headers[0].second == KEY_SET);

    CHECK(verifier.refresh_keys().get("/sources/0/fetches") == "2");
    CHECK(verifier.policy().get("/key_status/0/state") == "fresh");
}

static void a_304_response_keeps_the_keys() {
    std::string headers;
    const Verifier verifier(restless, [&](const FetchRequest &request) {
        FetchResponse response = keys();
        headers.clear();
        for (const auto &[name, value] : request.headers) {
            headers += name + ": " + value + "\n";
        }
        if (request.headers.size() > 1) {
            response.status = 304;
            response.body.clear();
        } else {
            response.cache_control = "public, max-age=60";
            response.etag = "W/\"a\\b\"";
            response.last_modified = "Thu, 01 Jan 2026 00:00:00 GMT";
        }
        return response;
    });

    CHECK(verifier.authenticate_token(SAMPLE_ES256));
    CHECK(headers == "Accept: " KEY_SET "\n");
    CHECK(verifier.authenticate_token(SAMPLE_ES256));
    CHECK(headers == "Accept: " KEY_SET "\nIf-None-Match: W/\"a\\b\"\n"
                     "If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT\n");
}

// HTTP allows these values. The library does not use a value that is not printable ASCII, but it uses the keys.
static void headers_that_http_allows_do_not_end_a_fetch() {
    const struct {
        std::string etag;
        bool is_sent_back;
    } table[] = {
        {"\"a\tb\"", true}, {"\"a\xe9\"", false}, {"\"\xc3\x80\"", false}, {"\"\x80\x9f\xff\"", false}, {"\"a/~!\"", true},
    };
    for (const auto &row : table) {
        std::string sent_back;
        const Verifier verifier(restless, [&](const FetchRequest &request) {
            FetchResponse response = keys();
            sent_back.clear();
            for (const auto &[name, value] : request.headers) {
                sent_back = name == "If-None-Match" ? value : sent_back;
            }
            response.etag = row.etag;
            response.cache_control = "public,\tmax-age=60";
            response.last_modified = response.expires = response.content_encoding = "\xa0";
            return response;
        });
        for (int round = 0; round < 2; ++round) {
            const Reply reply = verifier.authenticate_token(SAMPLE_ES256);
            if (!CHECK(reply)) {
                std::fprintf(stderr, "%s: %s\n", row.etag.c_str(), reply.get("/detail").value_or("").c_str());
            }
        }
        CHECK(sent_back == (row.is_sent_back ? row.etag : ""));
    }
}

static void every_exception_is_a_failed_fetch() {
    const struct {
        jwtauth::Fetch fetch;
        const char *detail;
    } table[] = {
        {[](const FetchRequest &) -> FetchResponse { throw FetchError("tls", "the certificate has expired"); },
         "keys: tls: the certificate has expired"},
        {[](const FetchRequest &) -> FetchResponse { throw FetchError("weather", "rain"); },
         "keys: http: the callback's answer is invalid: `phase` must be one of"},
        {[](const FetchRequest &) -> FetchResponse { throw FetchError("http", "no\nanswer"); },
         "keys: http: no answer"},
        {[](const FetchRequest &) -> FetchResponse { throw std::runtime_error("https://a:hush@proxy"); },
         "keys: http: the fetch function threw an exception other than FetchError"},
        {[](const FetchRequest &) -> FetchResponse { throw 17; },
         "keys: http: the fetch function threw an exception other than FetchError"},
        {[](const FetchRequest &) { return FetchResponse(); }, "answer is invalid: the status must be"},
        {[](const FetchRequest &) {
             FetchResponse response = keys();
             response.etag = "a\r\nb: c";
             return response;
         },
         "answer is invalid: the headers must be"},
        {[](const FetchRequest &) {
             FetchResponse response = keys();
             response.etag = "\xe9\x7f";
             return response;
         },
         "answer is invalid: the headers must be"},
        {[](const FetchRequest &) {
             FetchResponse response = keys();
             response.expires = std::string("a\0b", 3);
             return response;
         },
         "answer is invalid: the headers must be"},
        {[](const FetchRequest &) {
             FetchResponse response = keys();
             response.body.resize(2 << 20);
             return response;
         },
         "http: a body of more than 1048576 bytes"},
    };
    for (const auto &row : table) {
        const Reply reply = Verifier(restless, row.fetch).authenticate_token(SAMPLE_ES256);
        CHECK(reply.status() == JWTAUTH_STATUS_UNAVAILABLE);
        const std::string detail = reply.get("/detail").value_or("");
        if (!CHECK(detail.find(row.detail) != std::string::npos)) {
            std::fprintf(stderr, "%s: %s\n", row.detail, detail.c_str());
        }
    }
}

static void the_callable_lives_as_long_as_the_verifier() {
    const auto token = std::make_shared<int>(0);
    const auto fetch = [token](const FetchRequest &) { return keys(); };

    CHECK(token.use_count() == 2);
    {
        Verifier first(config, fetch);
        CHECK(token.use_count() == 3);
        Verifier second(std::move(first));
        CHECK(token.use_count() == 3);
        CHECK(second.authenticate_token(SAMPLE_ES256));
        first = Verifier(config, fetch);
        CHECK(token.use_count() == 4);
    }
    CHECK(token.use_count() == 2);

    Reply reply;
    CHECK(!Verifier::make("{}", reply, fetch));
    CHECK(reply.status() == JWTAUTH_STATUS_CONFIG);
    CHECK(token.use_count() == 2);
    try {
        const Verifier verifier(std::string_view("{\0}", 3), fetch);
        CHECK(false);
    } catch (const jwtauth::Error &error) {
        CHECK(error.status() == JWTAUTH_STATUS_ARGUMENT);
    }
    CHECK(token.use_count() == 2);

    const auto made = Verifier::make(config, reply, fetch);
    CHECK(made && made->authenticate_token(SAMPLE_ES256));
    CHECK(Verifier(SAMPLE_CONFIG, jwtauth::Fetch()).authenticate_token(SAMPLE_ES256));
}

static void throws(void *, const char *, jwtauth_fetch *) {
    throw std::runtime_error("this leaves the callback");
}

// The C interface does not catch an exception: it ends the process, so no work continues half done.
static void an_exception_that_leaves_a_callback_ends_the_process() {
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        std::signal(SIGABRT, SIG_DFL);
        if (std::freopen("/dev/null", "w", stderr) == nullptr) {
            _exit(2);
        }
        const jwtauth_callbacks callbacks = {sizeof callbacks, nullptr, throws, nullptr, nullptr};
        jwtauth_verifier *verifier = nullptr;
        if (jwtauth_verifier_new_with(config, &callbacks, &verifier, nullptr) != JWTAUTH_STATUS_OK) {
            _exit(3);
        }
        _exit(jwtauth_verifier_authenticate_token(verifier, SAMPLE_ES256, nullptr, nullptr) == JWTAUTH_STATUS_OK);
    }
    int ended = -1;
    CHECK(child > 0 && waitpid(child, &ended, 0) == child);
    CHECK(WIFSIGNALED(ended) && WTERMSIG(ended) == SIGABRT);
}

static void events_reach_the_handler() {
    std::string seen;
    const auto token = std::make_shared<int>();
    Reply reply;
    {
        const Verifier verifier(
            config, [](const FetchRequest &) { return keys(); },
            [&seen, token](const jwtauth::Event &event) {
                seen += event.get("/event").value_or("") + ":" + event.get("/outcome").value_or("") + " ";
                throw std::runtime_error("this changes no decision");
            });
        CHECK(verifier.authenticate_token(SAMPLE_ES256));
        CHECK(!verifier.authenticate_token("a.b.c"));
        CHECK(seen == "fetch:fetched decision:granted decision:denied ");
        CHECK(verifier.counters().get("/denied/token_malformed") == "1");
        CHECK(verifier.counters().get("/sources/0/fetches") == "1");
        CHECK(token.use_count() == 2);
    }
    CHECK(token.use_count() == 1);
    seen.clear();
    const auto made = Verifier::make(SAMPLE_CONFIG, reply, {}, [&seen](const jwtauth::Event &event) { seen += event.json(); });
    CHECK(made && made->authenticate_token(SAMPLE_HS256));
    CHECK(seen.find("\"outcome\":\"granted\"") != std::string::npos);
    CHECK(!Verifier::make("{", reply, {}, [token](const jwtauth::Event &) {}));
    CHECK(token.use_count() == 1);
}

static void fetch() {
    keys_come_from_the_callable();
    a_304_response_keeps_the_keys();
    headers_that_http_allows_do_not_end_a_fetch();
    every_exception_is_a_failed_fetch();
    the_callable_lives_as_long_as_the_verifier();
    an_exception_that_leaves_a_callback_ends_the_process();
    events_reach_the_handler();
}

int main() {
    return run("fetch_cpp", fetch);
}

// Sessions in C++: every verb, exceptions, ownership, and the functions of the application.

#include <cstdio>
#include <fstream>
#include <type_traits>
#include <utility>

#include <jwtauth.hpp>

#include "../c/check.h"
#include "../c/sample.h"

static_assert(!std::is_copy_constructible_v<jwtauth::Sessions>);
static_assert(std::is_nothrow_move_constructible_v<jwtauth::Sessions>);
static_assert(std::is_nothrow_move_assignable_v<jwtauth::Sessions>);

using jwtauth::Reply;
using jwtauth::Sessions;

static std::string config(const std::string &now = "1300819379", const std::string &sessions = "") {
    return R"({"dialect":"native","config":{"keys":[{"secret":")" SAMPLE_SECRET R"("}],"algorithms":["HS256"],"issuer":"joe",
               "identity":{"name":"iss"},"policies":["read"],"session":{"ttl":"1h","max_ttl":"2h"},
               "profiles":{"home":{"session":{"bound_cidrs":["10.0.0.0/8"]}}}},"options":{"now":)" +
           now + R"(},"sessions":{)" + sessions + "}}";
}

static std::string with(const std::string &name, const std::string &value) {
    return "{\"" + name + "\":\"" + value + "\"}";
}

static void every_verb_answers() {
    const Sessions sessions(config());
    const Reply login = sessions.login_token(SAMPLE_HS256).or_throw();
    const std::string token = login.get("/token").value(), accessor = login.get("/accessor").value();
    CHECK(login.get("/session/subject") == "joe" && login.get("/response/token") == token);
    CHECK(sessions.login(with("token", SAMPLE_HS256)).get("/outcome") == "login");

    CHECK(sessions.lookup_token(token).json() == sessions.lookup(with("token", token)).json());
    CHECK(sessions.lookup_accessor(with("accessor", accessor)).json() == sessions.lookup_token(token).json());
    const Reply authorized = sessions.authorize_token(token);
    CHECK(authorized && authorized.has("policy", "read") && !authorized.has("policy", "write"));
    CHECK(authorized.json() == sessions.authorize(with("token", token)).json());
    CHECK(!sessions.lookup_token(token).has("policy", "read"));
    CHECK(sessions.renew_token(token, 60).get("/session/ttl") == "60");
    CHECK(sessions.renew(with("token", token)).get("/session/ttl") == "3600");
    CHECK(sessions.revoke_token(token));
    CHECK(sessions.authorize_token(token).get("/code") == "session_unknown");
    CHECK(sessions.revoke(with("token", token)).status() == JWTAUTH_STATUS_DENIED);
    CHECK(!sessions.revoke_accessor(with("accessor", accessor)));
    CHECK(sessions.revoke_all(with("subject", "joe")).get("/count") == "1");
    CHECK(sessions.sweep().get("/count") == "0");
}

static void a_login_has_options() {
    const Sessions sessions(config());
    jwtauth::Options options;
    options.profile = "home";
    const std::string token = sessions.login_token(SAMPLE_HS256, options, R"({"pod":"web"})").get("/token").value();
    CHECK(sessions.authorize_token(token, "10.1.2.3").get("/session/profile") == "home");
    CHECK(sessions.authorize_token(token).get("/code") == "session_address_not_allowed");
    CHECK(sessions.login_token(SAMPLE_HS256, options, "[]").status() == JWTAUTH_STATUS_ARGUMENT);
    options.profile = "absent";
    CHECK(sessions.login_token(SAMPLE_HS256, options).status() == JWTAUTH_STATUS_DENIED);
}

static void failures_are_thrown_on_request() {
    const Sessions sessions(config());
    int caught = 0;
    try {
        sessions.authorize_token("jas.unknown").or_throw();
    } catch (const jwtauth::Denied &error) {
        caught += error.code() == "session_unknown" && error.stage() == "session";
    }
    try {
        sessions.lookup("{").or_throw();
    } catch (const jwtauth::ArgumentError &error) {
        caught += error.code() == "session_request_invalid";
    }
    try {
        const Sessions wrong(config("1300819379", R"("stores":{})"));
    } catch (const jwtauth::ConfigError &error) {
        caught += error.code() == "sessions_invalid";
    }
    try {
        (void)sessions.reload(config("1300819379", R"("store":{"memory":{"max_sessions":5}})"));
    } catch (const jwtauth::ConfigError &error) {
        caught += error.code() == "sessions_invalid";
    }
    try {
        const Sessions unreachable(config("1300819379", R"("store":{"redis":{"url":"redis://127.0.0.1:1"}})"));
        unreachable.login_token(SAMPLE_HS256).or_throw();
    } catch (const jwtauth::Unavailable &error) {
        caught += error.code() == "store_unavailable";
    }
    CHECK(caught == 5);
    Reply reply;
    CHECK(!Sessions::make("{}", reply) && reply.status() == JWTAUTH_STATUS_CONFIG);
    const auto made = Sessions::make(config(), reply);
    CHECK(reply && made && made->login_token(SAMPLE_HS256));
}

static void text_is_never_truncated() {
    const Sessions sessions(config());
    const std::string token = sessions.login_token(SAMPLE_HS256).get("/token").value();
    const std::string longer = token + '\0' + "more";
    CHECK(sessions.authorize_token(longer).status() == JWTAUTH_STATUS_ARGUMENT);
    CHECK(sessions.revoke_token(longer).status() == JWTAUTH_STATUS_ARGUMENT);
    CHECK(sessions.authorize_token(token, std::string_view("\0", 1)).status() == JWTAUTH_STATUS_ARGUMENT);
    CHECK(sessions.authorize_token(std::string_view(longer).substr(0, token.size())));
}

static void sessions_move_and_reload() {
    Sessions first(config());
    const std::string token = first.login_token(SAMPLE_HS256).get("/token").value();
    Sessions second(std::move(first));
    CHECK(second.authorize_token(token));
    CHECK(first.authorize_token(token).status() == JWTAUTH_STATUS_ARGUMENT);
    bool refused = false;
    try {
        (void)first.verifier();
    } catch (const jwtauth::ArgumentError &) {
        refused = true;
    }
    CHECK(refused);
    first = second.reload(config("1300819380"));
    CHECK(first.authorize_token(token).get("/session/ttl") == "3599");
    second = std::move(first);
    CHECK(second.revoke_token(token));
}

static void the_verifier_outlives_its_sessions() {
    const jwtauth::Verifier verifier = Sessions(config()).verifier();
    CHECK(verifier.authenticate_token(SAMPLE_HS256).has("policy", "read"));
    CHECK(verifier.policy().get("/dialect") == "native" && verifier.counters().get("/granted") == "1");
}

static void sessions_are_built_from_a_file() {
    const std::string path = "sessions-of-cpp.json";
    std::ofstream(path) << config();
    CHECK(Sessions::from_file(path).login_token(SAMPLE_HS256));
    CHECK(std::remove(path.c_str()) == 0);
    int caught = 0;
    for (const std::string &wrong : {path, std::string(), path + '\0' + "x"}) {
        try {
            (void)Sessions::from_file(wrong);
        } catch (const jwtauth::Error &) {
            ++caught;
        }
    }
    CHECK(caught == 3);
}

static void the_application_fetches_and_observes() {
    int fetches = 0, events = 0;
    const auto fetch = [&fetches](const jwtauth::FetchRequest &) {
        ++fetches;
        jwtauth::FetchResponse response;
        response.status = 200;
        response.body = SAMPLE_EC_SET;
        return response;
    };
    const auto observe = [&events](const jwtauth::Event &) { ++events; };
    const std::string text = SAMPLE_URL_CONFIG("https://issuer.example/keys", "");
    const Sessions sessions(text, fetch, observe);
    CHECK(sessions.login_token(SAMPLE_ES256) && fetches == 1 && events == 2);
    CHECK(sessions.reload(text).login_token(SAMPLE_ES256) && fetches == 2 && events == 4);
}

static void sessions() {
    every_verb_answers();
    a_login_has_options();
    failures_are_thrown_on_request();
    text_is_never_truncated();
    sessions_move_and_reload();
    the_verifier_outlives_its_sessions();
    sessions_are_built_from_a_file();
    the_application_fetches_and_observes();
}

int main() {
    return run("sessions_cpp", sessions);
}

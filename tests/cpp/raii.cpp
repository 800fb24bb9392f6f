// The C++ interface: ownership, exceptions, and that only a grant is true in a condition.

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <type_traits>
#include <utility>

#include <jwtauth.h>

// jwtauth.hpp reads JSON with these, which count the bytes that are parsed.
static std::size_t parsed = 0;

static char *counted_get(const char *json, const char *pointer) {
    parsed += json ? std::strlen(json) : 0;
    return jwtauth_json_get(json, pointer);
}

static jwtauth_json counted_type(const char *json, const char *pointer) {
    parsed += json ? std::strlen(json) : 0;
    return jwtauth_json_type(json, pointer);
}

static std::size_t counted_count(const char *json, const char *pointer) {
    parsed += json ? std::strlen(json) : 0;
    return jwtauth_json_count(json, pointer);
}

#define jwtauth_json_get counted_get
#define jwtauth_json_type counted_type
#define jwtauth_json_count counted_count
#include <jwtauth.hpp>

#include "../c/check.h"
#include "../c/sample.h"

static_assert(!std::is_copy_constructible_v<jwtauth::Reply> && !std::is_copy_assignable_v<jwtauth::Reply>);
static_assert(std::is_nothrow_move_constructible_v<jwtauth::Reply>);
static_assert(std::is_nothrow_move_assignable_v<jwtauth::Reply>);
static_assert(!std::is_copy_constructible_v<jwtauth::Explanation> && !std::is_copy_assignable_v<jwtauth::Explanation>);
static_assert(std::is_nothrow_move_constructible_v<jwtauth::Explanation>);
static_assert(std::is_nothrow_move_assignable_v<jwtauth::Explanation>);
static_assert(!std::is_copy_constructible_v<jwtauth::Verifier>);
static_assert(std::is_nothrow_move_constructible_v<jwtauth::Verifier>);
static_assert(std::is_nothrow_move_assignable_v<jwtauth::Verifier>);
static_assert(!std::is_convertible_v<jwtauth::Reply, bool>, "a reply converts to bool only in a condition");

using jwtauth::Error;
using jwtauth::Reply;
using jwtauth::Verifier;

static void only_a_grant_is_true() {
    const Verifier verifier(SAMPLE_CONFIG);

    const Reply granted = verifier.authenticate_token(SAMPLE_RS256);
    CHECK(granted);
    CHECK(granted.status() == JWTAUTH_STATUS_OK);
    CHECK(granted.get("/identity/name") == "joe");
    CHECK(granted.get("/claims/exp") == "1300819380");
    CHECK(!granted.get("/identity/email"));
    CHECK(granted.json().substr(0, 20) == "{\"outcome\":\"granted\"");
    CHECK(verifier.authenticate("{\"token\":\"" SAMPLE_ES256 "\"}"));

    const Reply denied = verifier.authenticate_token(SAMPLE_RS256, "nobody");
    CHECK(!denied);
    CHECK(denied.status() == JWTAUTH_STATUS_DENIED);
    CHECK(denied.get("/code").has_value());

    CHECK(!verifier.authenticate("{}"));
    CHECK(verifier.authenticate("{").status() == JWTAUTH_STATUS_ARGUMENT);
    CHECK(!Reply());
    CHECK(Reply().json().empty());
    CHECK(!Reply().get("/outcome"));
}

static void text_is_never_truncated() {
    const Verifier verifier(SAMPLE_CONFIG);
    const std::string token(SAMPLE_HS256);
    const std::string longer = token + '\0' + "more";
    const std::string_view view(longer);

    CHECK(verifier.authenticate_token(view).status() == JWTAUTH_STATUS_ARGUMENT);
    CHECK(verifier.authenticate_token(view.substr(0, token.size())));
    CHECK(verifier.authenticate_token(token, std::string_view("\0nobody", 7)).status() == JWTAUTH_STATUS_ARGUMENT);
    CHECK(!verifier.authenticate_token(token).get(std::string_view("/code\0", 6)));
}

static void a_verifier_is_built_from_a_file() {
    const std::string path = "verifier-of-raii.json";
    std::ofstream(path) << SAMPLE_CONFIG;
    CHECK(Verifier::from_file(path).authenticate_token(SAMPLE_RS256));
    CHECK(std::remove(path.c_str()) == 0);
    int caught = 0;
    for (const std::string &wrong : {path, std::string(), path + '\0' + "x"}) {
        try {
            (void)Verifier::from_file(wrong);
        } catch (const Error &) {
            ++caught;
        }
    }
    CHECK(caught == 3);
}

static void a_refused_configuration_throws() {
    bool caught = false;
    try {
        const Verifier verifier("{\"dialect\":\"native\",\"config\":{},\"confg\":{}}");
    } catch (const Error &error) {
        caught = true;
        CHECK(error.status() == JWTAUTH_STATUS_CONFIG);
        CHECK(error.code() == "config_invalid");
        CHECK(error.json().substr(0, 19) == "{\"outcome\":\"failed\"");
        CHECK(std::string(error.what()).find("confg") != std::string::npos);
    }
    CHECK(caught);
}

static void a_reply_has_lists_types_and_entitlements() {
    const Verifier verifier(
        "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"secret\":\"" SAMPLE_SECRET "\"}],\"algorithms\":[\"HS256\"],"
        "\"issuer\":\"joe\",\"policies\":[\"read\"],\"identity\":{\"name\":\"iss\",\"groups\":{\"claim\":\"iss\"}}},"
        "\"options\":{\"now\":1300819379}}");
    const Reply granted = verifier.authenticate_token(SAMPLE_HS256).or_throw();

    CHECK(granted.groups() == std::vector<std::string>{"joe"});
    CHECK(granted.list("/identity/name").empty());
    CHECK(granted.count("/entitlements") == 1 && granted.count("/identity/name") == 0);
    CHECK(granted.type("/claims/exp") == JWTAUTH_JSON_NUMBER);
    CHECK(granted.type("/identity/groups") == JWTAUTH_JSON_ARRAY);
    CHECK(granted.type("/absent") == JWTAUTH_JSON_ABSENT);
    CHECK(granted.has("policy", "read"));
    CHECK(!granted.has("policy", "write") && !granted.has("role", "read") && !granted.has("king", "read"));
    CHECK(!granted.has("policy", "read", "1"));
    CHECK(!granted.has(std::string_view("policy\0", 7), "read"));
    CHECK(!Reply().has("policy", "read"));
}

// A text that a program may also read as a reply.
static Reply reply_with(const std::string &json) {
    char *copy = jwtauth_json_get(json.c_str(), "");
    return Reply(JWTAUTH_STATUS_OK, copy);
}

static void a_list_has_every_element() {
    const Reply reply = reply_with(R"( {"list": [ "a,b]" , "\"\\" ,"\\\",[", [1,["]"] ], {"]":"}","x":[]},7, null,"\u00e9" ,
                                      "a\u0000b", ""],"none":[ ],"text":"[1,2]","object":{"0":1}} )");
    CHECK(reply.list("/list") == (std::vector<std::string>{"a,b]", "\"\\", "\\\",[", "[1,[\"]\"] ]", R"({"]":"}","x":[]})", "7",
                                                           "null", "\u00e9", ""}));
    CHECK(reply.list("/list/3") == (std::vector<std::string>{"1", "[\"]\"]"}));
    CHECK(reply.list("/none").empty() && reply.list("/text").empty() && reply.list("/object").empty());
    CHECK(reply.list("").empty() && reply.list("/absent").empty() && Reply().list("/list").empty());
}

static void a_list_is_parsed_a_fixed_number_of_times() {
    std::string json = R"({"identity":{"groups":[)";
    for (int group = 0; group < 1000; ++group) {
        json += (group ? ",\"group-" : "\"group-") + std::to_string(group) + '"';
    }
    const Reply reply = reply_with(json + "]}}");
    parsed = 0;
    const std::vector<std::string> groups = reply.groups();
    CHECK(groups.size() == 1000 && groups.front() == "group-0" && groups.back() == "group-999");
    if (!CHECK(parsed <= 4 * reply.json().size())) {
        std::fprintf(stderr, "%zu bytes of %zu\n", parsed, reply.json().size());
    }
}

// Moves `from` into itself; a compiler that sees this warns.
template <typename Value> static void move_into_itself(Value &from) {
    Value &same = from;
    from = std::move(same);
}

template <typename Thrown> static bool throws_internal_error(const Thrown &thrown) {
    try {
        thrown();
    } catch (const jwtauth::InternalError &error) {
        return error.status() == JWTAUTH_STATUS_INTERNAL && error.code() == "internal_error";
    }
    return false;
}

static bool is_empty_failure(const Reply &reply) {
    return !reply && reply.status() == JWTAUTH_STATUS_INTERNAL && reply.json().empty() && !reply.has("policy", "read") &&
           throws_internal_error([&] { (void)reply.or_throw(); });
}

static void a_moved_from_reply_is_a_failure() {
    const Verifier verifier(SAMPLE_CONFIG);
    Reply first = verifier.authenticate_token(SAMPLE_HS256);
    Reply second = std::move(first);
    CHECK(second && second.get("/identity/name") == "joe");
    CHECK(is_empty_failure(first));

    first = std::move(second);
    CHECK(first && first.get("/identity/name") == "joe");
    CHECK(is_empty_failure(second));

    move_into_itself(first);
    CHECK(first && first.get("/identity/name") == "joe");
    const Reply thrown = std::move(first).or_throw();
    CHECK(thrown && is_empty_failure(first));

    Reply denied = verifier.authenticate_token("a.b.c");
    second = std::move(denied);
    CHECK(second.status() == JWTAUTH_STATUS_DENIED && is_empty_failure(denied));
}

static void what_remove_if_leaves_behind_is_a_failure() {
    const Verifier verifier(SAMPLE_CONFIG);
    auto replies = verifier.authenticate_many({"a.b.c", SAMPLE_HS256, "a.b.c", SAMPLE_RS256});
    const auto end = std::remove_if(replies.begin(), replies.end(), [](const Reply &reply) { return !reply; });
    CHECK(end - replies.begin() == 2 && replies[0] && replies[1]);
    CHECK(std::none_of(end, replies.end(), [](const Reply &reply) { return static_cast<bool>(reply); }));
}

static void a_moved_from_explanation_explains_a_failure() {
    const Verifier verifier(SAMPLE_CONFIG);
    jwtauth::Explanation first = verifier.explain_token(SAMPLE_HS256);
    jwtauth::Explanation second = std::move(first);
    CHECK(second.decision() && is_empty_failure(first.decision()) && first.json().empty());

    first = std::move(second);
    CHECK(first.decision() && is_empty_failure(second.decision()));
    move_into_itself(first);
    CHECK(first.decision() && first.decision().get("/identity/name") == "joe");
}

static void a_failure_is_thrown_on_request() {
    const Verifier verifier(SAMPLE_CONFIG);
    bool denied = false, argument = false, internal = false;

    try {
        verifier.authenticate_token("a.b.c").or_throw();
    } catch (const jwtauth::Denied &error) {
        denied = true;
        CHECK(error.status() == JWTAUTH_STATUS_DENIED && error.code() == "token_malformed");
        CHECK(error.stage() == "decode" && error.detail() && error.applicable() && !error.claim());
    }
    try {
        verifier.authenticate("{").or_throw();
    } catch (const jwtauth::ArgumentError &error) {
        argument = error.code() == "request_invalid";
    }
    try {
        Reply().or_throw();
    } catch (const jwtauth::InternalError &) {
        internal = true;
    }
    CHECK(denied && argument && internal);
}

static void a_token_has_options() {
    const Verifier verifier(
        "{\"dialect\":\"native\",\"config\":{\"keys\":[{\"secret\":\"" SAMPLE_SECRET "\"}],\"algorithms\":[\"HS256\"],"
        "\"issuer\":\"joe\",\"identity\":{\"name\":\"iss\"},\"bound_cidrs\":[\"10.0.0.0/8\"],"
        "\"profiles\":{\"all\":{\"bound_cidrs\":[]}}},\"options\":{\"now\":1300819379}}");
    jwtauth::Options options;

    CHECK(verifier.authenticate_token(SAMPLE_HS256, options).get("/code") == "address_not_allowed");
    options.remote_addr = "10.1.2.3";
    options.cached_only = true;
    CHECK(verifier.authenticate_token(SAMPLE_HS256, options));
    options.remote_addr = "10.1.2.3.4";
    CHECK(verifier.authenticate_token(SAMPLE_HS256, options).get("/code") == "address_not_allowed");
    options.remote_addr.clear();
    options.profile = "all";
    CHECK(verifier.authenticate_token(SAMPLE_HS256, options).get("/profile") == "all");
    CHECK(jwtauth::version() == jwtauth_version());
}

static void a_batch_has_the_replies_of_its_tokens() {
    const Verifier verifier(SAMPLE_CONFIG);
    std::vector<std::string> tokens(30, SAMPLE_ES256);
    tokens[7] = "a.b.c";
    tokens[8] += '\0';
    jwtauth::Options options;

    for (const std::size_t threads : {0, 1, 3}) {
        const std::vector<Reply> replies = verifier.authenticate_many(tokens, options, threads);
        CHECK(replies.size() == tokens.size());
        for (std::size_t index = 0; index < tokens.size(); ++index) {
            const Reply alone = verifier.authenticate_token(tokens[index], options);
            CHECK(replies[index].status() == alone.status() && replies[index].json() == alone.json());
        }
        CHECK(replies[6] && !replies[7] && replies[8].status() == JWTAUTH_STATUS_ARGUMENT);
    }
    options.profile = "nobody";
    CHECK(!verifier.authenticate_many(tokens, options).front());
    CHECK(verifier.authenticate_many({}).empty());
}

static void an_explanation_has_the_decision() {
    const Verifier verifier(SAMPLE_CONFIG);
    jwtauth::Options options;

    for (const std::string &token : {std::string(SAMPLE_HS256), std::string("a.b.c"), std::string(1, '\0')}) {
        const Reply alone = verifier.authenticate_token(token);
        const jwtauth::Explanation explained = verifier.explain_token(token);
        CHECK(explained.decision().status() == alone.status() && explained.decision().json() == alone.json());
        CHECK(explained.count("/steps") > 0 && !explained.get("/steps/0/text").value_or("").empty());
        CHECK(explained.json().find("\"value\"") == std::string_view::npos);
    }
    CHECK(verifier.explain("{\"token\":\"" SAMPLE_HS256 "\"}").decision());
    CHECK(verifier.explain("{").decision().get("/code") == "request_invalid");
    CHECK(verifier.explain_token(SAMPLE_HS256, options, true).json().find("\"value\"") != std::string_view::npos);
    options.profile = "nobody";
    CHECK(verifier.explain_token(SAMPLE_HS256, options).decision().get("/code") == "subject_mismatch");
}

static void make_builds_without_exceptions() {
    Reply reply;
    CHECK(!Verifier::make("{}", reply));
    CHECK(reply.status() == JWTAUTH_STATUS_CONFIG);

    const auto verifier = Verifier::make(SAMPLE_CONFIG, reply);
    CHECK(reply && verifier && verifier->authenticate_token(SAMPLE_HS256));
}

static void a_verifier_moves() {
    Verifier first(SAMPLE_CONFIG);
    Verifier second(std::move(first));
    CHECK(second.authenticate_token(SAMPLE_HS256));
    CHECK(first.authenticate_token(SAMPLE_HS256).status() == JWTAUTH_STATUS_ARGUMENT);

    first = Verifier(SAMPLE_CONFIG);
    CHECK(first.authenticate_token(SAMPLE_HS256));

    CHECK(first.refresh_keys());

    const Reply policy = Verifier(SAMPLE_PUBLIC_CONFIG).policy();
    CHECK(policy);
    CHECK(Verifier(policy.json()).policy().json() == policy.json());
}

static void raii() {
    only_a_grant_is_true();
    text_is_never_truncated();
    a_verifier_is_built_from_a_file();
    a_refused_configuration_throws();
    a_reply_has_lists_types_and_entitlements();
    a_list_has_every_element();
    a_list_is_parsed_a_fixed_number_of_times();
    a_moved_from_reply_is_a_failure();
    what_remove_if_leaves_behind_is_a_failure();
    a_moved_from_explanation_explains_a_failure();
    a_failure_is_thrown_on_request();
    a_token_has_options();
    a_batch_has_the_replies_of_its_tokens();
    an_explanation_has_the_decision();
    make_builds_without_exceptions();
    a_verifier_moves();
}

int main() {
    return run("raii", raii);
}

/*
 * jwtauth.h for C++17. Memory is freed automatically, and a failed reply is false in a condition.
 *
 *     jwtauth::Verifier verifier(config);                      // throws jwtauth::Error
 *     if (auto reply = verifier.authenticate_token(token)) {
 *         admit(reply.get("/identity/name").value());
 *     } else {
 *         refuse(reply.get("/code").value_or("internal_error"));
 *     }
 *
 * The rules at the top of jwtauth.h apply here too. Inputs are std::string_view. Text that contains a NUL character is
 * refused like text that is not UTF-8, because C would truncate it at the NUL.
 */

#ifndef JWTAUTH_HPP
#define JWTAUTH_HPP

#if !defined(__cplusplus) || __cplusplus < 201703L
#error "jwtauth.hpp needs C++17 or newer (-std=c++17); jwtauth.h is for C and older C++"
#endif

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <jwtauth.h>

namespace jwtauth {

namespace detail {

struct Free {
    void operator()(char *text) const noexcept { jwtauth_string_free(text); }
    void operator()(jwtauth_verifier *verifier) const noexcept { jwtauth_verifier_free(verifier); }
    void operator()(jwtauth_sessions *sessions) const noexcept { jwtauth_sessions_free(sessions); }
};

/* A C string ends at its first NUL. Each NUL is replaced by a byte that is invalid in UTF-8, so the text is refused. */
inline std::string c_text(std::string_view text) {
    std::string copy(text);
    std::replace(copy.begin(), copy.end(), '\0', '\xff');
    return copy;
}

/* The value at a JSON pointer: a string as its text, any other value as JSON. */
inline std::optional<std::string> json_get(const char *json, const char *pointer) {
    const std::unique_ptr<char, Free> value(jwtauth_json_get(json, pointer));
    return value ? std::optional<std::string>(value.get()) : std::nullopt;
}

/*
 * The JSON texts of the elements of a valid array, with the white space around them; a blank text for an empty array. A
 * lookup of a JSON pointer reads an array from its start. So to look up each element would take a time that grows with the
 * square of their number.
 */
inline std::vector<std::string> elements(std::string_view array) {
    std::vector<std::string> all;
    std::size_t depth = 0, start = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < array.size(); ++at) {
        const char letter = array[at];
        if (in_string) {
            at += letter == '\\';
            in_string = letter != '"';
            continue;
        }
        in_string = letter == '"';
        const bool opens = letter == '[' || letter == '{', closes = letter == ']' || letter == '}';
        if (depth == 1 && (closes || letter == ',')) {
            all.emplace_back(array.substr(start, at - start));
        }
        depth += opens;
        depth -= closes;
        if (depth == 1 && (opens || letter == ',')) {
            start = at + 1;
        }
    }
    return all;
}

/* A status and its JSON text. A move leaves a failure behind, as a default-constructed one is: nothing moved is a grant. */
class Outcome {
public:
    Outcome() = default;
    Outcome(jwtauth_status status, char *json) noexcept : status_(status), json_(json) {}

    Outcome(Outcome &&other) noexcept
        : status_(std::exchange(other.status_, JWTAUTH_STATUS_INTERNAL)), json_(std::move(other.json_)) {}

    Outcome &operator=(Outcome &&other) noexcept {
        status_ = std::exchange(other.status_, JWTAUTH_STATUS_INTERNAL);
        json_ = std::move(other.json_);
        return *this;
    }

    ~Outcome() = default;

    jwtauth_status status() const noexcept { return status_; }
    const char *json() const noexcept { return json_.get(); }
    std::string_view text() const noexcept { return json_ ? std::string_view(json_.get()) : std::string_view(); }

private:
    jwtauth_status status_ = JWTAUTH_STATUS_INTERNAL;
    std::unique_ptr<char, Free> json_;
};

} // namespace detail

/* The result of a call: true if it succeeded. A default-constructed or moved-from one is a failure. */
class Reply {
public:
    Reply() = default;

    /* Takes ownership of a reply from a function of jwtauth.h. */
    Reply(jwtauth_status status, char *json) noexcept : outcome_(status, json) {}

    explicit operator bool() const noexcept { return status() == JWTAUTH_STATUS_OK; }

    jwtauth_status status() const noexcept { return outcome_.status(); }

    /* The reply as JSON text. It is valid as long as this object. */
    std::string_view json() const noexcept { return outcome_.text(); }

    /* The value at a JSON pointer, such as "/identity/name": a string as its text, any other value as JSON. */
    std::optional<std::string> get(std::string_view pointer) const {
        return detail::json_get(outcome_.json(), detail::c_text(pointer).c_str());
    }

    /* The type of the value at a JSON pointer. */
    jwtauth_json type(std::string_view pointer) const {
        return jwtauth_json_type(outcome_.json(), detail::c_text(pointer).c_str());
    }

    /* The number of elements of an array, or of members of an object; 0 if the value is neither. */
    std::size_t count(std::string_view pointer) const {
        return jwtauth_json_count(outcome_.json(), detail::c_text(pointer).c_str());
    }

    /*
     * The elements of an array: strings as their text, other values as JSON. A string that contains a NUL character
     * cannot be returned, and is left out.
     */
    std::vector<std::string> list(std::string_view pointer) const {
        std::vector<std::string> all;
        if (type(pointer) != JWTAUTH_JSON_ARRAY) {
            return all;
        }
        for (const std::string &element : detail::elements(get(pointer).value_or(""))) {
            if (auto one = detail::json_get(element.c_str(), "")) {
                all.push_back(*std::move(one));
            }
        }
        return all;
    }

    /* The caller's groups, in the order of the token. */
    std::vector<std::string> groups() const { return list("/identity/groups"); }

    /* Whether this is a grant, or an authorized session, with an entitlement that is valid everywhere, such as
     * has("role", "editor"). */
    bool has(std::string_view kind, std::string_view name) const {
        return jwtauth_grant_has(outcome_.json(), detail::c_text(kind).c_str(), detail::c_text(name).c_str(), nullptr) == 1;
    }

    /* Whether this is a grant, or an authorized session, with an entitlement that is valid in this scope, such as
     * has("org_role", "Editor", "1"). */
    bool has(std::string_view kind, std::string_view name, std::string_view scope) const {
        return jwtauth_grant_has(outcome_.json(), detail::c_text(kind).c_str(), detail::c_text(name).c_str(),
                                 detail::c_text(scope).c_str()) == 1;
    }

    /* Returns this grant, or throws the failure: Denied, Unavailable, ArgumentError or InternalError. */
    const Reply &or_throw() const &;
    Reply or_throw() &&;

private:
    detail::Outcome outcome_;
};

/* A decision, and every check that led to it. It is not a condition: test the decision. That of a moved-from one is a
 * failure. */
class Explanation {
public:
    /* Takes ownership of an explanation from a function of jwtauth.h. */
    Explanation(jwtauth_status status, char *json) noexcept : outcome_(status, json) {}

    /* The decision: the reply that the request gets without an explanation. */
    Reply decision() const { return Reply(outcome_.status(), jwtauth_json_get(outcome_.json(), "/decision")); }

    /* The explanation as JSON text. It is valid as long as this object. */
    std::string_view json() const noexcept { return outcome_.text(); }

    /* The value at a JSON pointer, such as "/steps/0/text": a string as its text, any other value as JSON. */
    std::optional<std::string> get(std::string_view pointer) const {
        return detail::json_get(outcome_.json(), detail::c_text(pointer).c_str());
    }

    /* The number of elements of an array, such as "/steps", or of members of an object; 0 if the value is neither. */
    std::size_t count(std::string_view pointer) const {
        return jwtauth_json_count(outcome_.json(), detail::c_text(pointer).c_str());
    }

private:
    detail::Outcome outcome_;
};

/*
 * A failure, as an exception: thrown if a verifier cannot be built, and by Reply::or_throw. what() is for people; code()
 * is for programs. The class of the exception is the status.
 */
class Error : public std::runtime_error {
public:
    explicit Error(const Reply &reply)
        : std::runtime_error(text(reply)), status_(reply.status()), code_(reply.get("/code").value_or("internal_error")),
          json_(reply.json()) {}

    jwtauth_status status() const noexcept { return status_; }
    const std::string &code() const noexcept { return code_; }
    const std::string &json() const noexcept { return json_; }

    /* The stage in which it happened; the claim that it concerns, and details, if the failure has them. */
    std::string stage() const { return get("/stage").value_or(""); }
    std::optional<std::string> claim() const { return get("/claim"); }
    std::optional<std::string> detail() const { return get("/detail"); }

    /* The HTTP status with which the configured system would respond. */
    std::optional<int> http_status() const {
        const auto status = get("/http_status");
        return status ? std::optional<int>(std::stoi(*status)) : std::nullopt;
    }

    /* False: the configured system would ask its next authenticator. It is still a denial. */
    bool applicable() const { return get("/applicable") != "false"; }

private:
    std::optional<std::string> get(const char *pointer) const { return jwtauth::detail::json_get(json_.c_str(), pointer); }

    static std::string text(const Reply &reply) {
        std::string text = reply.get("/message").value_or("internal error");
        if (const auto more = reply.get("/detail")) {
            text += ": " + *more;
        }
        return text;
    }

    jwtauth_status status_;
    std::string code_;
    std::string json_;
};

/* The request is denied. */
class Denied : public Error {
    using Error::Error;
};

/* The configuration is invalid. */
class ConfigError : public Error {
    using Error::Error;
};

/* There is no decision, because keys or the store of the sessions could not be reached. A retry can help only here. */
class Unavailable : public Error {
    using Error::Error;
};

/* The program passed an invalid argument. */
class ArgumentError : public Error {
    using Error::Error;
};

/* An internal error of the library. */
class InternalError : public Error {
    using Error::Error;
};

namespace detail {

[[noreturn]] inline void raise(const Reply &reply) {
    switch (reply.status()) {
    case JWTAUTH_STATUS_DENIED:
        throw Denied(reply);
    case JWTAUTH_STATUS_CONFIG:
        throw ConfigError(reply);
    case JWTAUTH_STATUS_UNAVAILABLE:
        throw Unavailable(reply);
    case JWTAUTH_STATUS_ARGUMENT:
        throw ArgumentError(reply);
    case JWTAUTH_STATUS_OK:
    case JWTAUTH_STATUS_INTERNAL:
        break;
    }
    throw InternalError(reply);
}

} // namespace detail

inline const Reply &Reply::or_throw() const & {
    if (!*this) {
        detail::raise(*this);
    }
    return *this;
}

inline Reply Reply::or_throw() && {
    if (!*this) {
        detail::raise(*this);
    }
    return std::move(*this);
}

/* The version of the library in use, such as "0.1.0". */
inline std::string_view version() noexcept { return jwtauth_version(); }

/* What the application adds to a token. All of it is trusted: never fill it with data from the client. */
struct Options {
    /* The profile to decide under; empty for none. */
    std::string profile;
    /* The caller's address, such as "10.1.2.3"; empty if it is unknown. Where networks are bound, other texts are denied. */
    std::string remote_addr;
    /* Decide with the cached keys, without a fetch and without waiting. */
    bool cached_only = false;
};

namespace detail {

/* Options as jwtauth.h takes them, valid as long as this object. */
class OptionTexts {
public:
    explicit OptionTexts(const Options &options)
        : profile_(c_text(options.profile)), address_(c_text(options.remote_addr)), cached_only_(options.cached_only) {}

    jwtauth_options get() const noexcept {
        return {sizeof(jwtauth_options), profile_.c_str(), address_.empty() ? nullptr : address_.c_str(),
                cached_only_ ? 1 : 0};
    }

private:
    std::string profile_;
    std::string address_;
    bool cached_only_;
};

} // namespace detail

/* A document of keys to fetch. */
struct FetchRequest {
    std::string url;
    /* The headers to send: names and values. */
    std::vector<std::pair<std::string, std::string>> headers;
    /* The deadline for the response. */
    std::chrono::milliseconds timeout{};
    /* A longer body is refused, so reading more is unnecessary. */
    std::uint64_t max_bytes = 0;
};

/* A server's response. The headers are those that the library uses; empty if the server did not send one. */
struct FetchResponse {
    int status = 0;
    std::string body;
    std::string cache_control;
    std::string expires;
    std::string etag;
    std::string last_modified;
    /* Only if the body is still encoded: it explains why the body cannot be read. */
    std::string content_encoding;
};

/* Thrown by a Fetch that failed: the phase ("dns", "connect", "tls", "http" or "parse") and the reason. */
class FetchError : public std::runtime_error {
public:
    FetchError(std::string phase, const std::string &reason) : std::runtime_error(reason), phase_(std::move(phase)) {}

    const std::string &phase() const noexcept { return phase_; }

private:
    std::string phase_;
};

/*
 * Fetches documents of keys with the application's HTTP client. It runs on the authenticating thread or on a thread of
 * the library, and concurrently if there are several key sources. Any exception makes the fetch fail. Only a FetchError's
 * phase and reason appear in the reply's `detail`.
 */
using Fetch = std::function<FetchResponse(const FetchRequest &)>;

/* A decision or a fetch, for metrics and logs. It contains neither a token nor the value of a claim. */
class Event {
public:
    explicit Event(const char *json) noexcept : json_(json) {}

    /* The event as JSON text. It is valid until the handler returns. */
    std::string_view json() const noexcept { return json_; }

    /* The value at a JSON pointer, such as "/outcome": a string as its text, any other value as JSON. */
    std::optional<std::string> get(std::string_view pointer) const {
        return detail::json_get(json_, detail::c_text(pointer).c_str());
    }

private:
    const char *json_;
};

/*
 * Gets each event. It runs on the thread that decides or fetches, and concurrently on several threads, so it should not
 * wait. Its exceptions are discarded: they change no decision.
 */
using OnEvent = std::function<void(const Event &)>;

namespace detail {

/* The application's functions, which a verifier or sessions own. */
struct Host {
    Fetch fetch;
    OnEvent on_event;
};

/* The callbacks of jwtauth.h for a Host. */
struct HostCallbacks {
    /* The function that they are passed to takes ownership of the Host. */
    static jwtauth_callbacks of(Host host) {
        jwtauth_callbacks callbacks = {sizeof callbacks, nullptr, nullptr, nullptr, nullptr};
        callbacks.fetch = host.fetch ? fetch : nullptr;
        callbacks.event = host.on_event ? event : nullptr;
        if (host.fetch || host.on_event) {
            callbacks.user = new Host(std::move(host));
            callbacks.release = release;
        }
        return callbacks;
    }

    static void fetch(void *user, const char *request_json, jwtauth_fetch *fetch) noexcept {
        try {
            const FetchResponse response = static_cast<const Host *>(user)->fetch(request(request_json));
            const std::string headers = "{\"cache-control\":" + quoted(response.cache_control) +
                                        ",\"expires\":" + quoted(response.expires) +
                                        ",\"etag\":" + quoted(response.etag) +
                                        ",\"last-modified\":" + quoted(response.last_modified) +
                                        ",\"content-encoding\":" + quoted(response.content_encoding) + "}";
            jwtauth_fetch_respond(fetch, response.status, headers.c_str(), response.body.data(), response.body.size());
        } catch (const FetchError &error) {
            jwtauth_fetch_fail(fetch, error.phase().c_str(), error.what());
        } catch (...) {
            /* The text of other exceptions may contain a password or a URL's query. */
            jwtauth_fetch_fail(fetch, "http", "the fetch function threw an exception other than FetchError");
        }
    }

    static void event(void *user, const char *event_json) noexcept {
        try {
            static_cast<const Host *>(user)->on_event(Event(event_json));
        } catch (...) {
        }
    }

    static void release(void *user) noexcept { delete static_cast<const Host *>(user); }

private:
    static FetchRequest request(const char *json) {
        FetchRequest request;
        request.url = json_get(json, "/url").value();
        request.timeout = std::chrono::milliseconds(std::stoll(json_get(json, "/timeout_ms").value()));
        request.max_bytes = std::stoull(json_get(json, "/max_bytes").value());
        for (const char *name : {"Accept", "If-None-Match", "If-Modified-Since"}) {
            if (auto value = json_get(json, (std::string("/headers/") + name).c_str())) {
                request.headers.emplace_back(name, *std::move(value));
            }
        }
        return request;
    }

    /* The value of a header as JSON. HTTP allows all bytes from 0x80 in it; they are passed on as Latin-1, as other languages do,
     * and the library does not use such a value. */
    static std::string quoted(const std::string &text) {
        static constexpr char digits[] = "0123456789abcdef";
        std::string json = "\"";
        for (const char letter : text) {
            const auto byte = static_cast<unsigned char>(letter);
            if (byte < ' ' || byte > '~') {
                json += "\\u00";
                json += digits[byte >> 4];
                json += digits[byte & 15];
                continue;
            }
            if (letter == '"' || letter == '\\') {
                json += '\\';
            }
            json += letter;
        }
        return json + '"';
    }
};

} // namespace detail

/* Decides requests by one configuration. Any number of threads may use one verifier concurrently. */
class Verifier {
public:
    /* Builds a verifier from a configuration. Throws ConfigError if it is invalid. */
    explicit Verifier(std::string_view config) : Verifier(config, Fetch()) {}

    /* Builds a verifier that fetches keys with the application's HTTP client, or reports events. An empty function has no
     * effect. Throws Error if that fails. */
    Verifier(std::string_view config, Fetch fetch, OnEvent on_event = {}) {
        if (const Reply reply = build(config, {std::move(fetch), std::move(on_event)}); !reply) {
            detail::raise(reply);
        }
    }

    /* Builds a verifier from a file: a configuration as JSON, or a grafana.ini. Relative paths in it start in its folder.
     * Throws ConfigError if it is invalid or cannot be read. */
    static Verifier from_file(std::string_view path) {
        Verifier verifier;
        jwtauth_verifier *handle = nullptr;
        char *reply = nullptr;
        const auto status = jwtauth_verifier_new_from_file(detail::c_text(path).c_str(), &handle, &reply);
        verifier.handle_.reset(handle);
        if (const Reply built(status, reply); !built) {
            detail::raise(built);
        }
        return verifier;
    }

    /* Builds a verifier without exceptions. Returns nullopt if that fails; `reply` then gives the reason. */
    static std::optional<Verifier> make(std::string_view config, Reply &reply, Fetch fetch = {}, OnEvent on_event = {}) {
        std::optional<Verifier> verifier(Verifier{});
        reply = verifier->build(config, {std::move(fetch), std::move(on_event)});
        if (!reply) {
            verifier.reset();
        }
        return verifier;
    }

    /* Decides a request that the application describes as JSON. Never paste a token into one. */
    Reply authenticate(std::string_view request) const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_authenticate(handle_.get(), detail::c_text(request).c_str(), &reply);
        return Reply(status, reply);
    }

    /* Decides about one token, passed unchanged. The application chooses the profile; empty means none. */
    Reply authenticate_token(std::string_view token, std::string_view profile = {}) const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_authenticate_token(handle_.get(), detail::c_text(token).c_str(),
                                                                detail::c_text(profile).c_str(), &reply);
        return Reply(status, reply);
    }

    /* Decides about one token, passed unchanged, with options. */
    Reply authenticate_token(std::string_view token, const Options &options) const {
        const detail::OptionTexts texts(options);
        const jwtauth_options more = texts.get();
        char *reply = nullptr;
        const auto status =
            jwtauth_verifier_authenticate_with(handle_.get(), detail::c_text(token).c_str(), &more, &reply);
        return Reply(status, reply);
    }

    /* Decides about many tokens on several threads; 0 stands for the number of cores. There is one reply for each token, in
     * their order: the reply of authenticate_token. */
    std::vector<Reply> authenticate_many(const std::vector<std::string> &tokens, const Options &options = {},
                                         std::size_t threads = 0) const {
        if (tokens.empty()) {
            return {};
        }
        std::vector<std::string> copies;
        std::vector<const char *> texts;
        copies.reserve(tokens.size());
        texts.reserve(tokens.size());
        for (const std::string &token : tokens) {
            copies.push_back(detail::c_text(token));
            texts.push_back(copies.back().c_str());
        }
        std::vector<jwtauth_status> statuses(tokens.size(), JWTAUTH_STATUS_INTERNAL);
        std::vector<char *> json(tokens.size(), nullptr);
        std::vector<Reply> replies(tokens.size());
        const detail::OptionTexts option_texts(options);
        const jwtauth_options more = option_texts.get();
        /* Each reply has its own status. */
        (void)!jwtauth_verifier_authenticate_many(handle_.get(), texts.data(), texts.size(), &more, threads, statuses.data(),
                                                  json.data());
        for (std::size_t index = 0; index < replies.size(); ++index) {
            replies[index] = Reply(statuses[index], json[index]);
        }
        return replies;
    }

    /* Decides a request that the application describes as JSON, and explains the decision. With `show_values`, the steps
     * contain values of the token and of the request. */
    Explanation explain(std::string_view request, bool show_values = false) const {
        char *reply = nullptr;
        const auto status =
            jwtauth_verifier_explain(handle_.get(), detail::c_text(request).c_str(), show_values ? 1 : 0, &reply);
        return Explanation(status, reply);
    }

    /* Decides about one token, passed unchanged, and explains the decision. */
    Explanation explain_token(std::string_view token, const Options &options = {}, bool show_values = false) const {
        const detail::OptionTexts texts(options);
        const jwtauth_options more = texts.get();
        char *reply = nullptr;
        const auto status = jwtauth_verifier_explain_with(handle_.get(), detail::c_text(token).c_str(), &more,
                                                          show_values ? 1 : 0, &reply);
        return Explanation(status, reply);
    }

    /* Fetches the keys of every key source now. */
    Reply refresh_keys() const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_refresh_keys(handle_.get(), &reply);
        return Reply(status, reply);
    }

    /* The configuration in native form, and warnings about it. A new verifier accepts it, after the secrets, which are
     * printed as `(redacted)`, are put back. */
    Reply policy() const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_policy(handle_.get(), &reply);
        return Reply(status, reply);
    }

    /* What this verifier has done since it was built: "/granted", "/denied/token_expired" and so on. */
    Reply counters() const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_counters(handle_.get(), &reply);
        return Reply(status, reply);
    }

private:
    friend class Sessions;

    Verifier() = default;

    Reply build(std::string_view config, detail::Host host) {
        const std::string text = detail::c_text(config);
        const jwtauth_callbacks callbacks = detail::HostCallbacks::of(std::move(host));
        jwtauth_verifier *handle = nullptr;
        char *reply = nullptr;
        const auto status = jwtauth_verifier_new_with(text.c_str(), &callbacks, &handle, &reply);
        handle_.reset(handle);
        return Reply(status, reply);
    }

    std::unique_ptr<jwtauth_verifier, detail::Free> handle_;
};

/*
 * Makes sessions from logins that are granted, and checks them. Any number of threads may use them concurrently.
 *
 * The functions with `request` take JSON that the application writes. The functions with `token` are for tokens that a
 * client sent, which are passed unchanged.
 */
class Sessions {
public:
    /* Builds sessions from the configuration of a verifier, which may have a member `sessions`. Throws ConfigError if it is
     * invalid. */
    explicit Sessions(std::string_view config) : Sessions(config, Fetch()) {}

    /* Builds sessions whose verifier fetches keys with the application's HTTP client, or reports events. An empty function
     * has no effect. Throws Error if that fails. */
    Sessions(std::string_view config, Fetch fetch, OnEvent on_event = {}) {
        if (const Reply reply = build(config, {std::move(fetch), std::move(on_event)}); !reply) {
            detail::raise(reply);
        }
    }

    /* Builds sessions from a file. Relative paths in it start in its folder. Throws ConfigError if it is invalid or cannot be
     * read. */
    static Sessions from_file(std::string_view path) {
        return made([&](jwtauth_sessions **handle, char **reply) {
            return jwtauth_sessions_new_from_file(detail::c_text(path).c_str(), handle, reply);
        });
    }

    /* Builds sessions without exceptions. Returns nullopt if that fails; `reply` then gives the reason. */
    static std::optional<Sessions> make(std::string_view config, Reply &reply, Fetch fetch = {}, OnEvent on_event = {}) {
        std::optional<Sessions> sessions(Sessions{});
        reply = sessions->build(config, {std::move(fetch), std::move(on_event)});
        if (!reply) {
            sessions.reset();
        }
        return sessions;
    }

    /* Builds sessions from a changed configuration that keep the store of these, and so every session. These stay usable.
     * Relative paths start where those of the old configuration start. Throws ConfigError if the configuration is invalid, or
     * has another store. */
    Sessions reload(std::string_view config) const {
        return made([&](jwtauth_sessions **handle, char **reply) {
            return jwtauth_sessions_reload(handle_.get(), detail::c_text(config).c_str(), handle, reply);
        });
    }

    /* Decides a login, and makes a session for what is granted. The reply has "/token", "/accessor", "/session" and
     * "/response", the answer of the configured system. */
    Reply login(std::string_view request) const { return verb(jwtauth_sessions_login, request); }

    /* Decides a login with a token of an issuer. `meta` is a JSON object of texts that are kept with the session (Consul);
     * empty for none. */
    Reply login_token(std::string_view token, const Options &options = {}, std::string_view meta = {}) const {
        const detail::OptionTexts texts(options);
        const jwtauth_options more = texts.get();
        const std::string kept = detail::c_text(meta);
        char *reply = nullptr;
        const auto status = jwtauth_sessions_login_token(handle_.get(), detail::c_text(token).c_str(), &more,
                                                         kept.empty() ? nullptr : kept.c_str(), &reply);
        return Reply(status, reply);
    }

    /* Checks the token of a later request, and counts a use off if the session's uses are counted. The reply has "/session",
     * and Reply::has for what the caller may do. */
    Reply authorize(std::string_view request) const { return verb(jwtauth_sessions_authorize, request); }
    Reply authorize_token(std::string_view token, std::string_view remote_addr = {}) const {
        char *reply = nullptr;
        const auto status = jwtauth_sessions_authorize_token(handle_.get(), detail::c_text(token).c_str(),
                                                             detail::c_text(remote_addr).c_str(), &reply);
        return Reply(status, reply);
    }

    /* Returns a session. It counts no use and checks no networks, so it lets no request in. */
    Reply lookup(std::string_view request) const { return verb(jwtauth_sessions_lookup, request); }
    Reply lookup_token(std::string_view token) const { return verb(jwtauth_sessions_lookup_token, token); }
    Reply lookup_accessor(std::string_view request) const { return verb(jwtauth_sessions_lookup_accessor, request); }

    /* Makes a session last longer. `increment` is the wish for the new lease in seconds; 0 leaves it to the configuration. */
    Reply renew(std::string_view request) const { return verb(jwtauth_sessions_renew, request); }
    Reply renew_token(std::string_view token, unsigned long long increment = 0) const {
        char *reply = nullptr;
        const auto status =
            jwtauth_sessions_renew_token(handle_.get(), detail::c_text(token).c_str(), increment, &reply);
        return Reply(status, reply);
    }

    /* Ends a session: a logout. */
    Reply revoke(std::string_view request) const { return verb(jwtauth_sessions_revoke, request); }
    Reply revoke_token(std::string_view token) const { return verb(jwtauth_sessions_revoke_token, token); }
    Reply revoke_accessor(std::string_view request) const { return verb(jwtauth_sessions_revoke_accessor, request); }

    /* Ends all sessions of a `profile` or of a `subject` that exist now; "/count" is their number. */
    Reply revoke_all(std::string_view request) const { return verb(jwtauth_sessions_revoke_all, request); }

    /* Removes from the store what has ended; "/count" is the number of removed entries. */
    Reply sweep() const {
        char *reply = nullptr;
        const auto status = jwtauth_sessions_sweep(handle_.get(), &reply);
        return Reply(status, reply);
    }

    /* The verifier that decides the logins: for the status of its keys, its policy and its counters. It stays usable after
     * the sessions are gone. Throws ArgumentError for moved-from sessions. */
    Verifier verifier() const {
        Verifier verifier;
        jwtauth_verifier *handle = nullptr;
        char *reply = nullptr;
        const auto status = jwtauth_sessions_verifier(handle_.get(), &handle, &reply);
        verifier.handle_.reset(handle);
        if (const Reply found(status, reply); !found) {
            detail::raise(found);
        }
        return verifier;
    }

private:
    using Verb = jwtauth_status(const jwtauth_sessions *, const char *, char **);

    Sessions() = default;

    Reply verb(Verb *run, std::string_view text) const {
        char *reply = nullptr;
        const auto status = run(handle_.get(), detail::c_text(text).c_str(), &reply);
        return Reply(status, reply);
    }

    Reply build(std::string_view config, detail::Host host) {
        const std::string text = detail::c_text(config);
        const jwtauth_callbacks callbacks = detail::HostCallbacks::of(std::move(host));
        jwtauth_sessions *handle = nullptr;
        char *reply = nullptr;
        const auto status = jwtauth_sessions_new_with(text.c_str(), &callbacks, &handle, &reply);
        handle_.reset(handle);
        return Reply(status, reply);
    }

    /* The sessions that a function of jwtauth.h makes. */
    template <typename Make> static Sessions made(Make make) {
        Sessions sessions;
        jwtauth_sessions *handle = nullptr;
        char *reply = nullptr;
        const auto status = make(&handle, &reply);
        sessions.handle_.reset(handle);
        if (const Reply built(status, reply); !built) {
            detail::raise(built);
        }
        return sessions;
    }

    std::unique_ptr<jwtauth_sessions, detail::Free> handle_;
};

} // namespace jwtauth

#endif /* JWTAUTH_HPP */

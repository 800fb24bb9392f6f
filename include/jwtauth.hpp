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

#include <algorithm>
#include <chrono>
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

} // namespace detail

/* The result of a call: true if it succeeded. A default-constructed one is a failure. */
class Reply {
public:
    Reply() = default;

    /* Takes ownership of a reply from a function of jwtauth.h. */
    Reply(jwtauth_status status, char *json) noexcept : status_(status), json_(json) {}

    explicit operator bool() const noexcept { return status_ == JWTAUTH_STATUS_OK; }

    jwtauth_status status() const noexcept { return status_; }

    /* The reply as JSON text. It is valid as long as this object. */
    std::string_view json() const noexcept { return json_ ? std::string_view(json_.get()) : std::string_view(); }

    /* The value at a JSON pointer, such as "/identity/name": a string as its text, any other value as JSON. */
    std::optional<std::string> get(std::string_view pointer) const {
        return detail::json_get(json_.get(), detail::c_text(pointer).c_str());
    }

private:
    jwtauth_status status_ = JWTAUTH_STATUS_INTERNAL;
    std::unique_ptr<char, detail::Free> json_;
};

/* Thrown if a verifier cannot be built. what() is for people; code() is for programs. */
class Error : public std::runtime_error {
public:
    explicit Error(const Reply &reply)
        : std::runtime_error(text(reply)), status_(reply.status()), code_(reply.get("/code").value_or("internal_error")),
          json_(reply.json()) {}

    jwtauth_status status() const noexcept { return status_; }
    const std::string &code() const noexcept { return code_; }
    const std::string &json() const noexcept { return json_; }

private:
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

/* A server's response. The headers are those that control caching; empty if the server did not send one. */
struct FetchResponse {
    int status = 0;
    std::string body;
    std::string cache_control;
    std::string expires;
    std::string etag;
    std::string last_modified;
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

namespace detail {

/* The callbacks of jwtauth.h for a Fetch. */
struct Fetcher {
    static void fetch(void *user, const char *request_json, jwtauth_fetch *fetch) noexcept {
        try {
            const FetchResponse response = (*static_cast<const Fetch *>(user))(request(request_json));
            const std::string headers = "{\"cache-control\":" + quoted(response.cache_control) +
                                        ",\"expires\":" + quoted(response.expires) +
                                        ",\"etag\":" + quoted(response.etag) +
                                        ",\"last-modified\":" + quoted(response.last_modified) + "}";
            jwtauth_fetch_respond(fetch, response.status, c_text(headers).c_str(), response.body.data(),
                                  response.body.size());
        } catch (const FetchError &error) {
            jwtauth_fetch_fail(fetch, error.phase().c_str(), error.what());
        } catch (...) {
            /* The text of other exceptions may contain a password or a URL's query. */
            jwtauth_fetch_fail(fetch, "http", "the fetch function threw an exception other than FetchError");
        }
    }

    static void release(void *user) noexcept { delete static_cast<const Fetch *>(user); }

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

    static std::string quoted(const std::string &text) {
        std::string json = "\"";
        for (const char letter : text) {
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
    /* Builds a verifier from a configuration. Throws Error if that fails. */
    explicit Verifier(std::string_view config) : Verifier(config, Fetch()) {}

    /* Builds a verifier that fetches keys with the application's HTTP client. Throws Error if that fails. */
    Verifier(std::string_view config, Fetch fetch) {
        if (const Reply reply = build(config, std::move(fetch)); !reply) {
            throw Error(reply);
        }
    }

    /* Builds a verifier without exceptions. Returns nullopt if that fails; `reply` then gives the reason. */
    static std::optional<Verifier> make(std::string_view config, Reply &reply, Fetch fetch = {}) {
        std::optional<Verifier> verifier(Verifier{});
        reply = verifier->build(config, std::move(fetch));
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

    /* Fetches the keys of every key source now. */
    Reply refresh_keys() const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_refresh_keys(handle_.get(), &reply);
        return Reply(status, reply);
    }

    /* The configuration in native form, with secrets redacted, and warnings about it. */
    Reply policy() const {
        char *reply = nullptr;
        const auto status = jwtauth_verifier_policy(handle_.get(), &reply);
        return Reply(status, reply);
    }

private:
    Verifier() = default;

    Reply build(std::string_view config, Fetch fetch) {
        const std::string text = detail::c_text(config);
        jwtauth_callbacks callbacks = {sizeof callbacks, nullptr, nullptr, nullptr};
        if (fetch) {
            callbacks.user = new Fetch(std::move(fetch));
            callbacks.fetch = detail::Fetcher::fetch;
            callbacks.release = detail::Fetcher::release;
        }
        jwtauth_verifier *handle = nullptr;
        char *reply = nullptr;
        const auto status = jwtauth_verifier_new_with(text.c_str(), &callbacks, &handle, &reply);
        handle_.reset(handle);
        return Reply(status, reply);
    }

    std::unique_ptr<jwtauth_verifier, detail::Free> handle_;
};

} // namespace jwtauth

#endif /* JWTAUTH_HPP */

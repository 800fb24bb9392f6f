/*
 * `libjwtauth`: who sent this token, and what may they do?
 *
 * A verifier is built once from a configuration and then decides requests. Everything goes in and comes out as
 * JSON text; `docs/wire-format.md` has the members, `docs/c-api.md` this interface at length.
 *
 * jwtauth_verifier *verifier = NULL;
 * char *reply = NULL;
 * if (jwtauth_verifier_new(config_json, &verifier, &reply) == JWTAUTH_STATUS_OK) {
 *     jwtauth_string_free(reply);
 *     if (jwtauth_verifier_authenticate_token(verifier, token, NULL, &reply) == JWTAUTH_STATUS_OK) {
 *         char *name = jwtauth_json_get(reply, "/identity/name");
 *         ...
 *         jwtauth_string_free(name);
 *     }
 * }
 * jwtauth_string_free(reply);
 * jwtauth_verifier_free(verifier);
 *
 * The rules, the same for every function:
 *
 * - Only JWTAUTH_STATUS_OK means yes. Compare with it, by name. Everything else is a refusal; the reply says why.
 * - Inputs are NUL-terminated UTF-8 and are borrowed for the call only. NULL or other bytes where text is required
 *   give JWTAUTH_STATUS_ARGUMENT, never a crash.
 * - Outputs are always written, whatever the status: a verifier is valid or NULL, a reply is JSON text. What an
 *   output held before is overwritten, not freed. Pass NULL for `reply_json` if only the status matters.
 * - What a call hands out is the caller's: free it once, with jwtauth_verifier_free or jwtauth_string_free, never
 *   with free(). Both accept NULL.
 * - A token goes in by jwtauth_verifier_authenticate_token, as it came. Never paste it into JSON: a token could
 *   bring members of its own.
 * - Any number of threads may use one verifier at once. Only jwtauth_verifier_free needs it to be unused. The
 *   library keeps no "last error", and starts no threads; where its own client fetches keys, the lookup of a name
 *   is the exception.
 * - An internal mistake gives JWTAUTH_STATUS_INTERNAL; it does not unwind into the caller, and the verifier stays
 *   usable.
 * - Messages never carry the token, the values of its claims, or keys. Replies to granted requests carry the claims.
 *
 * Generated from the sources of the library; not to be edited.
 */

#ifndef JWTAUTH_H
#define JWTAUTH_H

#include <stddef.h>

/* A status that nobody looks at is a door left open; a reply that nobody takes is memory lost. */
#if defined(__GNUC__)
#define JWTAUTH_MUST_USE __attribute__((warn_unused_result))
#else
#define JWTAUTH_MUST_USE
#endif

/**
 * What a call came to. Only JWTAUTH_STATUS_OK means yes. Numbers are never changed or reused.
 */
typedef enum jwtauth_status {
    /**
     * Granted, or done.
     */
    JWTAUTH_STATUS_OK = 0,
    /**
     * The answer is no.
     */
    JWTAUTH_STATUS_DENIED = 1,
    /**
     * The configuration must be mended by the operator.
     */
    JWTAUTH_STATUS_CONFIG = 2,
    /**
     * The answer is not known, because keys could not be obtained. The only failure worth a retry.
     */
    JWTAUTH_STATUS_UNAVAILABLE = 3,
    /**
     * The calling program made a mistake.
     */
    JWTAUTH_STATUS_ARGUMENT = 4,
    /**
     * The library made a mistake.
     */
    JWTAUTH_STATUS_INTERNAL = 5,
} jwtauth_status;

/**
 * One fetch that a callback is to answer. It may be answered by another thread, while the callback waits for it.
 */
typedef struct jwtauth_fetch jwtauth_fetch;

/**
 * Decides requests by one configuration. Made by jwtauth_verifier_new, freed by jwtauth_verifier_free.
 */
typedef struct jwtauth_verifier jwtauth_verifier;

/**
 * What a host does for a verifier. Begin with `jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, NULL};`.
 * Members may be added at the end; `size` tells the library which there are.
 *
 * No callback may throw an exception, or leave by longjmp; that ends the process. No callback may free the verifier.
 */
typedef struct jwtauth_callbacks {
    /**
     * `sizeof(jwtauth_callbacks)`.
     */
    size_t size;
    /**
     * Handed to the callbacks as it is. It is used by whatever thread authenticates, by several at once if the
     * verifier has several key sources.
     */
    void *user;
    /**
     * Fetches one document and answers by jwtauth_fetch_respond or jwtauth_fetch_fail, once, before it returns. NULL:
     * the library's own client fetches.
     *
     * It runs on the thread that authenticates, one call at a time for each key source. `request_json` has `url`,
     * `headers` to send, `timeout_ms` and `max_bytes`; it and `fetch` are there until the callback returns.
     */
    void (*fetch)(void *user,
                  const char *request_json,
                  struct jwtauth_fetch *fetch);
    /**
     * Called once with `user`, when it is not needed any more: by jwtauth_verifier_free, or before
     * jwtauth_verifier_new_with returns anything but JWTAUTH_STATUS_OK. May be NULL.
     */
    void (*release)(void *user);
} jwtauth_callbacks;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status: "ok", or the `class` that replies with this status carry. "unknown" for any other number.
 *
 * @param status Any number.
 * @return A static string, never NULL. Not to be freed.
 */
const char *jwtauth_status_name(jwtauth_status status);

/**
 * The version of the library in use, such as "0.1.0".
 *
 * @return A static string, never NULL. Not to be freed.
 */
const char *jwtauth_version(void);

/**
 * Builds a verifier from a configuration.
 *
 * Reads the files that the configuration names and opens no connection. Nothing of `config_json` is needed
 * afterwards.
 *
 * @param config_json The configuration: an object with `dialect`, `config` and perhaps `options`.
 * @param verifier Gets the verifier, or NULL on any failure. Free it with jwtauth_verifier_free.
 * @param reply_json Gets the reply: `outcome` "built" and `warnings`, or what is wrong. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_new(const char *config_json,
                                         struct jwtauth_verifier **verifier,
                                         char **reply_json);

/**
 * Builds a verifier that uses functions of the host, for example to fetch keys with the host's HTTP client.
 *
 * @param config_json As for jwtauth_verifier_new.
 * @param callbacks The functions; NULL does the same as jwtauth_verifier_new. The structure is copied. `user` belongs
 * to the verifier from now on, and `release` is called for it once, whatever this returns; only when `size` cannot be
 * right (none, or thousands of bytes) is nothing of it believed, and nothing called.
 * @param verifier As for jwtauth_verifier_new.
 * @param reply_json As for jwtauth_verifier_new.
 * @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_new_with(const char *config_json,
                                              const struct jwtauth_callbacks *callbacks,
                                              struct jwtauth_verifier **verifier,
                                              char **reply_json);

/**
 * Decides a request that the host describes as JSON.
 *
 * The request is the host's own word: `profile` and `remote_addr` are believed. Never forward a client's body as
 * the request, and never paste a token into one; jwtauth_verifier_authenticate_token is for that.
 *
 * @param verifier The verifier.
 * @param request_json The request: `token`, or `headers` and `url`; `profile`, `remote_addr`; `cached_only`.
 * @param reply_json Gets the reply: the grant, or why there is none. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate(const struct jwtauth_verifier *verifier,
                                                  const char *request_json,
                                                  char **reply_json);

/**
 * Decides about one token, taken as it came from wherever the host found it.
 *
 * @param verifier The verifier.
 * @param token The token alone, without "Bearer ". Any text is safe here.
 * @param profile The profile to decide under, chosen by the host; NULL or "" for none.
 * @param reply_json Gets the reply: the grant, or why there is none. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate_token(const struct jwtauth_verifier *verifier,
                                                        const char *token,
                                                        const char *profile,
                                                        char **reply_json);

/**
 * Asks every key source for its keys now, for example at start-up. May open connections.
 *
 * @param verifier The verifier.
 * @param reply_json Gets the reply: `outcome` "refreshed", or what failed; in either case `sources`, an entry for each.
 * May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if every source answered; else _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
enum jwtauth_status jwtauth_verifier_refresh_keys(const struct jwtauth_verifier *verifier,
                                                  char **reply_json);

/**
 * The configuration in its native form, whatever the dialect it was written in, warnings about it, and how its key
 * sources are.
 *
 * The reply can be given to jwtauth_verifier_new, once the secrets are put back: they are left out.
 *
 * @param verifier The verifier.
 * @param reply_json Gets the reply: `dialect` "native", `config`, `warnings` and `key_status`. May be NULL.
 * Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_policy(const struct jwtauth_verifier *verifier,
                                            char **reply_json);

/**
 * Frees a verifier. No other thread may be using it, or use it afterwards.
 *
 * @param verifier What jwtauth_verifier_new gave, once; or NULL, which does nothing.
 */
void jwtauth_verifier_free(struct jwtauth_verifier *verifier);

/**
 * The value at a JSON pointer (RFC 6901) in a reply, such as "/identity/name" or "/identity/groups/0".
 *
 * A string comes as its plain text, anything else as JSON text.
 *
 * @param json A reply, or any other JSON text.
 * @param pointer Where to look; the empty string is the whole document.
 * @return New text, to be freed with jwtauth_string_free. NULL if there is nothing at that place, if an argument is
 * NULL, not UTF-8, not JSON or not a pointer, and if the text has a NUL character in it, which a C string would cut
 * short: a name that comes back is the whole name.
 */
JWTAUTH_MUST_USE
char *jwtauth_json_get(const char *json,
                       const char *pointer);

/**
 * Frees text that this library handed out.
 *
 * @param string A reply or the result of jwtauth_json_get, once; or NULL, which does nothing.
 */
void jwtauth_string_free(char *string);

/**
 * Answers a fetch with what a server said.
 *
 * A body beyond `max_bytes` is a failed fetch, and so is every status but 200 and 304. The library follows no
 * redirects for a callback.
 *
 * @param fetch What the callback was given.
 * @param status The status, 100 to 599.
 * @param headers_json The headers as an object of names to a string or a list of strings; NULL for none. All may be
 * there; `Cache-Control`, `Expires`, `ETag` and `Last-Modified` are used, in any case.
 * @param body The body; NULL if `body_len` is 0. It is copied.
 * @param body_len Its length in bytes.
 * @return JWTAUTH_STATUS_OK if this is the answer; _ARGUMENT if it cannot be taken, or there is one already, which
 * stays; _INTERNAL.
 */
enum jwtauth_status jwtauth_fetch_respond(struct jwtauth_fetch *fetch,
                                          int status,
                                          const char *headers_json,
                                          const void *body,
                                          size_t body_len);

/**
 * Answers a fetch that failed.
 *
 * @param fetch What the callback was given.
 * @param phase How far it came: "dns", "connect", "tls", "http" or "parse".
 * @param reason Why, for people; it goes into `detail`. Its beginning is kept, in one line. Leave out what a server
 * sent, and what is secret.
 * @return JWTAUTH_STATUS_OK if this is the answer; _ARGUMENT if it cannot be taken, or there is one already, which
 * stays; _INTERNAL.
 */
enum jwtauth_status jwtauth_fetch_fail(struct jwtauth_fetch *fetch,
                                       const char *phase,
                                       const char *reason);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* JWTAUTH_H */

/*
 * `libjwtauth`: who sent this token, and what may they do?
 *
 * A verifier is built once from a configuration and then decides requests. Sessions (`docs/sessions.md`) answer a granted
 * login with a token of their own, which later requests carry. Configurations, requests and replies are
 * JSON text. `docs/wire-format.md` lists the members; `docs/c-api.md` describes this interface in full.
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
 * Rules for every function:
 *
 * - Only JWTAUTH_STATUS_OK is a success. Compare with it by name. Every other status is a failure; the reply gives the
 *   reason.
 * - Inputs are NUL-terminated UTF-8 and are borrowed for the duration of the call. NULL or invalid UTF-8 where text is
 *   required returns JWTAUTH_STATUS_ARGUMENT, never a crash.
 * - Outputs are always written, also on failure: a verifier is valid or NULL, a reply is JSON text. The previous value
 *   of an output is overwritten, not freed. Pass NULL for `reply_json` if only the status matters; only a login of
 *   sessions needs it, for the token.
 * - The caller owns what a call returns. Free it once, with jwtauth_verifier_free, jwtauth_sessions_free or
 *   jwtauth_string_free, never with free(). All of them accept NULL.
 * - Pass a token unchanged to jwtauth_verifier_authenticate_token or jwtauth_sessions_login_token, and the token of a
 *   session to jwtauth_sessions_authorize_token. Never paste it into JSON: a crafted token could add members to the
 *   request.
 * - Any number of threads may use one verifier or sessions concurrently. Only freeing them requires that no other call
 *   uses them. The library keeps no "last error". It starts threads only to decide many tokens in one call, and to fetch
 *   keys: for each further key source that one call fetches, and for the name lookups of its own HTTP client.
 * - An internal error returns JWTAUTH_STATUS_INTERNAL. It does not unwind into the caller, and the verifier stays
 *   usable.
 * - Messages never contain the token, the values of its claims, or keys. Replies to granted requests contain the
 *   claims. Replies to logins and renewals contain the token of the session.
 *
 * Generated from the sources of the library; do not edit.
 */

#ifndef JWTAUTH_H
#define JWTAUTH_H

#include <stddef.h>

/* Warn if a status is ignored (a missed denial) or a returned string is dropped (a leak). */
#if defined(__GNUC__)
#define JWTAUTH_MUST_USE __attribute__((warn_unused_result))
#else
#define JWTAUTH_MUST_USE
#endif

/**
 * The version of this header. A program that runs with another library can compare it with jwtauth_version.
 */
#define JWTAUTH_VERSION_MAJOR 0

/**
 * The second number of the version.
 */
#define JWTAUTH_VERSION_MINOR 1

/**
 * The third number of the version.
 */
#define JWTAUTH_VERSION_PATCH 0

/**
 * The result of a call. Only JWTAUTH_STATUS_OK is a success. Numbers are never changed or reused.
 */
typedef enum jwtauth_status {
    /**
     * Granted, or done.
     */
    JWTAUTH_STATUS_OK = 0,
    /**
     * The request is denied.
     */
    JWTAUTH_STATUS_DENIED = 1,
    /**
     * The configuration is invalid.
     */
    JWTAUTH_STATUS_CONFIG = 2,
    /**
     * There is no decision, because keys or the store of the sessions could not be reached. A retry can help only here.
     */
    JWTAUTH_STATUS_UNAVAILABLE = 3,
    /**
     * The calling program passed an invalid argument.
     */
    JWTAUTH_STATUS_ARGUMENT = 4,
    /**
     * An internal error of the library.
     */
    JWTAUTH_STATUS_INTERNAL = 5,
} jwtauth_status;

/**
 * The type of a JSON value.
 */
typedef enum jwtauth_json {
    /**
     * There is no such value.
     */
    JWTAUTH_JSON_ABSENT = 0,
    /**
     * null
     */
    JWTAUTH_JSON_NULL = 1,
    /**
     * true or false
     */
    JWTAUTH_JSON_BOOLEAN = 2,
    /**
     * A number.
     */
    JWTAUTH_JSON_NUMBER = 3,
    /**
     * A string.
     */
    JWTAUTH_JSON_STRING = 4,
    /**
     * An array.
     */
    JWTAUTH_JSON_ARRAY = 5,
    /**
     * An object.
     */
    JWTAUTH_JSON_OBJECT = 6,
} jwtauth_json;

/**
 * One fetch that a callback must answer. Another thread may answer it while the callback waits for that thread.
 */
typedef struct jwtauth_fetch jwtauth_fetch;

/**
 * Decides requests by one configuration. Created by jwtauth_verifier_new, freed by jwtauth_verifier_free.
 */
typedef struct jwtauth_verifier jwtauth_verifier;

/**
 * Makes sessions from logins that are granted, and checks them. Created by jwtauth_sessions_new and
 * jwtauth_sessions_reload, freed by jwtauth_sessions_free.
 */
typedef struct jwtauth_sessions jwtauth_sessions;

/**
 * Functions that the application provides to a verifier or to sessions.
 *
 * Initialise it with `jwtauth_callbacks callbacks = {sizeof callbacks, NULL, NULL, NULL, NULL};`. Later versions may add
 * members at the end; `size` tells the library which members exist.
 *
 * A callback must not throw an exception or leave by longjmp; that ends the process. A callback must not free the
 * verifier.
 */
typedef struct jwtauth_callbacks {
    /**
     * `sizeof(jwtauth_callbacks)`.
     */
    size_t size;
    /**
     * Passed unchanged to every callback. Callbacks run on several threads, and concurrently if there are several key
     * sources, so `user` must be thread-safe.
     */
    void *user;
    /**
     * Fetches one document. It must call jwtauth_fetch_respond or jwtauth_fetch_fail once before it returns. If it is
     * NULL, the library's own client fetches.
     *
     * It runs on the authenticating thread or, if one call fetches several key sources, on a thread of the library. It
     * never runs concurrently for one key source. `request_json` contains `url`, `headers` to send, `timeout_ms` and
     * `max_bytes`. `request_json` and `fetch` are valid until the callback returns.
     */
    void (*fetch)(void *user,
                  const char *request_json,
                  struct jwtauth_fetch *fetch);
    /**
     * Called once with `user` when the library no longer needs it: by jwtauth_verifier_free or jwtauth_sessions_free, or by
     * jwtauth_verifier_new_with or jwtauth_sessions_new_with before it returns a failure. May be NULL.
     */
    void (*release)(void *user);
    /**
     * Gets an event for each decision and for each fetch, for metrics and logs. May be NULL.
     *
     * `event_json` is an object with `event`, `outcome`, `duration_ns` and others. It never contains a token or the value of
     * a claim, and is valid until the callback returns. The callback runs on the thread that decides or fetches, and
     * concurrently on several threads, so it should not wait. It may use the verifier, but must not free it. It cannot
     * change a decision.
     */
    void (*event)(void *user,
                  const char *event_json);
} jwtauth_callbacks;

/**
 * What the application adds to a token. All of it is trusted: never fill it with data from the client.
 *
 * Initialise it with `jwtauth_options options = {sizeof options, NULL, NULL, 0};`. A library that does not know this
 * size refuses it, because it must not ignore an option.
 */
typedef struct jwtauth_options {
    /**
     * `sizeof(jwtauth_options)`.
     */
    size_t size;
    /**
     * The profile to decide under; NULL or "" for none.
     */
    const char *profile;
    /**
     * The caller's address, such as "10.1.2.3" or "2001:db8::1", with or without a port; NULL or "" if it is unknown. It is
     * used only where the configuration binds networks, and any other text is then denied. Behind a proxy, pass the address
     * of the client: the library does not read X-Forwarded-For.
     */
    const char *remote_addr;
    /**
     * 1: decide with the cached keys, without a fetch and without waiting. 0: fetch keys where they are needed.
     */
    int cached_only;
} jwtauth_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status: "ok", or the `class` in replies with this status. "unknown" for any other number.
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
 * Reads the files that the configuration names and opens no connection. `config_json` is not needed afterwards.
 *
 * @param config_json The configuration: an object with `dialect`, `config` and optionally `options`.
 * @param verifier Receives the verifier, or NULL on any failure. Free it with jwtauth_verifier_free.
 * @param reply_json Receives the reply: `outcome` "built" and `warnings`, or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_new(const char *config_json,
                                         struct jwtauth_verifier **verifier,
                                         char **reply_json);

/**
 * Builds a verifier from a file.
 *
 * The file contains a configuration as JSON, or is a grafana.ini if its name ends in ".ini". Relative paths in it start
 * in the folder of the file, unless it sets `base_dir`. An error names the file.
 *
 * @param path The path of the file. A relative path starts in the current folder.
 * @param verifier As for jwtauth_verifier_new.
 * @param reply_json As for jwtauth_verifier_new.
 * @return JWTAUTH_STATUS_OK; _CONFIG, also if the file cannot be read; _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_new_from_file(const char *path,
                                                   struct jwtauth_verifier **verifier,
                                                   char **reply_json);

/**
 * Builds a verifier that uses functions of the application: to fetch keys with its HTTP client, or to get events.
 *
 * @param config_json As for jwtauth_verifier_new.
 * @param callbacks The functions; with NULL this is jwtauth_verifier_new. The structure is copied. The verifier takes
 * ownership of `user`: `release(user)` is called exactly once, even if this function fails. Exception: if `size` is
 * smaller than a pointer or larger than 4096, the structure is ignored and nothing is called.
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
 * Decides a request that the application describes as JSON.
 *
 * `profile` and `remote_addr` in the request are trusted. Never forward a client's body as the request, and never
 * paste a token into one; use jwtauth_verifier_authenticate_with for that.
 *
 * @param verifier The verifier.
 * @param request_json The request: `token`, or `headers` and `url`; `profile`, `remote_addr`; `cached_only`.
 * @param reply_json Receives the reply: the grant, or the failure. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate(const struct jwtauth_verifier *verifier,
                                                  const char *request_json,
                                                  char **reply_json);

/**
 * Decides about one token. The caller passes the token unchanged.
 *
 * @param verifier The verifier.
 * @param token The token only, without "Bearer ". Any text is safe here.
 * @param profile The profile to decide under, chosen by the application; NULL or "" for none.
 * @param reply_json Receives the reply: the grant, or the failure. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate_token(const struct jwtauth_verifier *verifier,
                                                        const char *token,
                                                        const char *profile,
                                                        char **reply_json);

/**
 * Decides about one token, with options. The caller passes the token unchanged.
 *
 * @param verifier The verifier.
 * @param token The token only, without "Bearer ". Any text is safe here.
 * @param options The options; NULL for none.
 * @param reply_json Receives the reply: the grant, or the failure. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the request is granted; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL. _ARGUMENT if
 * `size` is not that of a known version.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate_with(const struct jwtauth_verifier *verifier,
                                                       const char *token,
                                                       const struct jwtauth_options *options,
                                                       char **reply_json);

/**
 * Fetches the keys of every key source now, for example at start-up. May open connections.
 *
 * @param verifier The verifier.
 * @param reply_json Receives the reply: `outcome` "refreshed", or the failure; in both cases `sources`, with one entry
 * per source. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if every source delivered keys; else _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
enum jwtauth_status jwtauth_verifier_refresh_keys(const struct jwtauth_verifier *verifier,
                                                  char **reply_json);

/**
 * The configuration in native form, with warnings about it and the status of its key sources.
 *
 * Every dialect is translated to the native form. jwtauth_verifier_new accepts the reply, and the new verifier decides in
 * the same way. Secrets are printed as `(redacted)`, which is refused: put the secrets back first.
 *
 * @param verifier The verifier.
 * @param reply_json Receives the reply: `dialect` "native", `config`, `warnings`, `key_status`, and `token_cache` if
 * there is one. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_policy(const struct jwtauth_verifier *verifier,
                                            char **reply_json);

/**
 * What a verifier has done since it was built: `granted`, `denied` and `unavailable` by code, `token_cache_hits`, and the
 * fetches and failures of each of its `sources`. It is counted also without an `event` callback.
 *
 * @param verifier The verifier.
 * @param reply_json Receives the counters. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_counters(const struct jwtauth_verifier *verifier,
                                              char **reply_json);

/**
 * Frees a verifier. Other threads must not use it now or later.
 *
 * @param verifier A verifier from this library; free it once. NULL has no effect.
 */
void jwtauth_verifier_free(struct jwtauth_verifier *verifier);

/**
 * Decides about many tokens on several threads, with the same options for all of them.
 *
 * Each token gets the status and the reply of jwtauth_verifier_authenticate_with, also a token that is NULL or not UTF-8.
 * Keys that the tokens lack are fetched once for all of them. The threads end before the function returns.
 *
 * @param verifier The verifier.
 * @param tokens The tokens, each without "Bearer ". Any text is safe here.
 * @param count The number of tokens.
 * @param options The options; NULL for none.
 * @param threads The number of threads at most, the calling one included; 0 for the number of cores.
 * @param statuses An array of `count` statuses: receives the status of each token. Required.
 * @param replies An array of `count` texts: receives the reply of each token: the grant, or the failure. May be NULL.
 * Free each reply with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK only if every token is granted; else the status of the first token that is not. _ARGUMENT if
 * `statuses` is NULL. _ARGUMENT if `count` is 0, because an empty batch grants nothing, or larger than an array can be;
 * then nothing is written.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate_many(const struct jwtauth_verifier *verifier,
                                                       const char *const *tokens,
                                                       size_t count,
                                                       const struct jwtauth_options *options,
                                                       size_t threads,
                                                       enum jwtauth_status *statuses,
                                                       char **replies);

/**
 * Decides about many tokens, as jwtauth_verifier_authenticate_many does, and returns the replies as one JSON array.
 *
 * Use it to pass the replies to a JSON library or to another program. jwtauth_json_get reads an array from its start each
 * time, so to read many replies in C, use jwtauth_verifier_authenticate_many.
 *
 * @param verifier The verifier.
 * @param tokens As for jwtauth_verifier_authenticate_many.
 * @param count As for jwtauth_verifier_authenticate_many.
 * @param options As for jwtauth_verifier_authenticate_many.
 * @param threads As for jwtauth_verifier_authenticate_many.
 * @param reply_json Receives the array, with the reply to each token in their order; or the failure of the whole call, which
 * is an object. May be NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK only if every token is granted; else the status of the first token that is not, or of the failure
 * of the whole call: _ARGUMENT if an argument is invalid or `count` is 0, because an empty batch grants nothing.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_authenticate_many_json(const struct jwtauth_verifier *verifier,
                                                            const char *const *tokens,
                                                            size_t count,
                                                            const struct jwtauth_options *options,
                                                            size_t threads,
                                                            char **reply_json);

/**
 * Decides a request as jwtauth_verifier_authenticate does, and explains the decision.
 *
 * The reply is an object with `decision`, which is the reply of jwtauth_verifier_authenticate, and `steps`: every check, in
 * order, with what was configured, what was seen, and the outcome. It has this form for every failure, also for an invalid
 * argument. It is for people and logs: to decide, use the status, or jwtauth_verifier_authenticate.
 *
 * @param verifier The verifier.
 * @param request_json As for jwtauth_verifier_authenticate.
 * @param show_values 1: the steps contain values of the token and of the request, never its signature. 0: only their types
 * and lengths. The decision of a granted request contains the claims in both cases.
 * @param reply_json Receives the explanation. May be NULL. Free it with jwtauth_string_free.
 * @return The status of the decision: JWTAUTH_STATUS_OK only if the request is granted; else _DENIED, _UNAVAILABLE,
 * _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_explain(const struct jwtauth_verifier *verifier,
                                             const char *request_json,
                                             int show_values,
                                             char **reply_json);

/**
 * Decides about one token as jwtauth_verifier_authenticate_with does, and explains the decision. The caller passes the
 * token unchanged.
 *
 * @param verifier The verifier.
 * @param token The token only, without "Bearer ". Any text is safe here.
 * @param options The options; NULL for none.
 * @param show_values As for jwtauth_verifier_explain.
 * @param reply_json Receives the explanation. May be NULL. Free it with jwtauth_string_free.
 * @return As for jwtauth_verifier_explain.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_verifier_explain_with(const struct jwtauth_verifier *verifier,
                                                  const char *token,
                                                  const struct jwtauth_options *options,
                                                  int show_values,
                                                  char **reply_json);

/**
 * Builds sessions from a configuration.
 *
 * Reads the files that the configuration names and opens no connection. A store in another process is first used when a
 * session needs it.
 *
 * @param config_json The configuration of a verifier, which may have a member `sessions`.
 * @param sessions Receives the sessions, or NULL on any failure. Free them with jwtauth_sessions_free.
 * @param reply_json Receives the reply: `outcome` "built" and `warnings`, or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_new(const char *config_json,
                                         struct jwtauth_sessions **sessions,
                                         char **reply_json);

/**
 * Builds sessions whose verifier uses functions of the application: to fetch keys with its HTTP client, or to get events.
 *
 * @param config_json As for jwtauth_sessions_new.
 * @param callbacks As for jwtauth_verifier_new_with. `user` is released when the last of these objects is freed: the
 * sessions, sessions that were reloaded from them, and their verifiers.
 * @param sessions As for jwtauth_sessions_new.
 * @param reply_json As for jwtauth_sessions_new.
 * @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_new_with(const char *config_json,
                                              const struct jwtauth_callbacks *callbacks,
                                              struct jwtauth_sessions **sessions,
                                              char **reply_json);

/**
 * Builds sessions from a file with a configuration as JSON.
 *
 * Relative paths in it start in the folder of the file, unless it sets `base_dir`. An error names the file.
 *
 * @param path The path of the file. A relative path starts in the current folder.
 * @param sessions As for jwtauth_sessions_new.
 * @param reply_json As for jwtauth_sessions_new.
 * @return JWTAUTH_STATUS_OK; _CONFIG, also if the file cannot be read; _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_new_from_file(const char *path,
                                                   struct jwtauth_sessions **sessions,
                                                   char **reply_json);

/**
 * Builds sessions from a changed configuration that keep the store of the old ones, and so every session.
 *
 * The old sessions stay usable, until they are freed with jwtauth_sessions_free. The new ones have the same callbacks.
 *
 * @param sessions The old sessions.
 * @param config_json The configuration. Its `dialect` and `sessions.store` must not change. Relative paths in it start where
 * those of the old configuration start.
 * @param reloaded Receives the new sessions, or NULL on any failure. Free them with jwtauth_sessions_free.
 * @param reply_json Receives the reply: `outcome` "reloaded", or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_reload(const struct jwtauth_sessions *sessions,
                                            const char *config_json,
                                            struct jwtauth_sessions **reloaded,
                                            char **reply_json);

/**
 * The verifier that decides the logins, for jwtauth_verifier_policy, jwtauth_verifier_refresh_keys and others.
 *
 * It is not built again: it has the same keys and counters. It stays usable after the sessions are freed.
 *
 * @param sessions The sessions.
 * @param verifier Receives the verifier, or NULL on any failure. Free it with jwtauth_verifier_free.
 * @param reply_json Receives the reply of jwtauth_verifier_new, or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_verifier(const struct jwtauth_sessions *sessions,
                                              struct jwtauth_verifier **verifier,
                                              char **reply_json);

/**
 * Frees sessions. Other threads must not use them now or later.
 *
 * With the store `memory`, the sessions end when the last of these objects is freed: the sessions, sessions that were
 * reloaded from them, and their verifiers.
 *
 * @param sessions Sessions from this library; free them once. NULL has no effect.
 */
void jwtauth_sessions_free(struct jwtauth_sessions *sessions);

/**
 * Decides a login that the application describes as JSON, and makes a session for what is granted.
 *
 * `profile`, `remote_addr` and `meta` in the request are trusted. Never forward a client's body as the request, and never
 * paste a token into one; use jwtauth_sessions_login_token for that.
 *
 * @param sessions The sessions.
 * @param request_json The request of jwtauth_verifier_authenticate, and `meta`: an object of texts.
 * @param reply_json Receives the reply: `outcome` "login", `token`, `accessor`, `session`, and `response`, the answer of the
 * configured system; or the failure. Required, because only the reply has the token. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if there is a session; else _DENIED, _UNAVAILABLE, _CONFIG, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_login(const struct jwtauth_sessions *sessions,
                                           const char *request_json,
                                           char **reply_json);

/**
 * Returns the session of a token. It counts no use, and checks no networks: use jwtauth_sessions_authorize to let a request
 * in.
 *
 * @param sessions The sessions.
 * @param request_json The request: `token`.
 * @param reply_json Receives the reply: `outcome` "session" and `session`, or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_lookup(const struct jwtauth_sessions *sessions,
                                            const char *request_json,
                                            char **reply_json);

/**
 * Returns the session with an accessor, which cannot be used in place of the token.
 *
 * @param sessions The sessions.
 * @param request_json The request: `accessor`.
 * @param reply_json As for jwtauth_sessions_lookup.
 * @return As for jwtauth_sessions_lookup.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_lookup_accessor(const struct jwtauth_sessions *sessions,
                                                     const char *request_json,
                                                     char **reply_json);

/**
 * Makes a session last longer.
 *
 * @param sessions The sessions.
 * @param request_json The request: `token`, and optionally `increment`, the wish for the new lease in seconds.
 * @param reply_json Receives the reply: `outcome` "renewed" and the members of a login, or the failure. May be NULL. Free it
 * with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the session is renewed; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_renew(const struct jwtauth_sessions *sessions,
                                           const char *request_json,
                                           char **reply_json);

/**
 * Ends the session of a token: a logout.
 *
 * @param sessions The sessions.
 * @param request_json The request: `token`.
 * @param reply_json Receives the reply: `outcome` "revoked" and `count`, or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the session has ended; _DENIED if there is none; else _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_revoke(const struct jwtauth_sessions *sessions,
                                            const char *request_json,
                                            char **reply_json);

/**
 * Ends the session with an accessor.
 *
 * @param sessions The sessions.
 * @param request_json The request: `accessor`.
 * @param reply_json As for jwtauth_sessions_revoke.
 * @return As for jwtauth_sessions_revoke.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_revoke_accessor(const struct jwtauth_sessions *sessions,
                                                     const char *request_json,
                                                     char **reply_json);

/**
 * Ends all sessions of a profile or of a subject that exist now.
 *
 * @param sessions The sessions.
 * @param request_json The request: `profile` or `subject`.
 * @param reply_json Receives the reply: `outcome` "revoked" and `count`, their number, or the failure. May be NULL. Free it
 * with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, also if there are none; else _UNAVAILABLE, _ARGUMENT or _INTERNAL. After _UNAVAILABLE, some
 * may have ended; another call ends the others.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_revoke_all(const struct jwtauth_sessions *sessions,
                                                const char *request_json,
                                                char **reply_json);

/**
 * Checks the token of a later request, and counts a use off if the session's uses are counted.
 *
 * `remote_addr` in the request is trusted. Never paste a token into a request; use jwtauth_sessions_authorize_token for that.
 *
 * @param sessions The sessions.
 * @param request_json The request: `token`, and `remote_addr` where sessions are bound to networks.
 * @param reply_json Receives the reply: `outcome` "authorized" and `session`, or the failure. May be NULL. Free it with
 * jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK if the request may pass; else _DENIED, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_authorize(const struct jwtauth_sessions *sessions,
                                               const char *request_json,
                                               char **reply_json);

/**
 * Removes from the store what has ended. Call it now and then; Redis does it on its own.
 *
 * @param sessions The sessions.
 * @param reply_json Receives the reply: `outcome` "swept" and `count`, the number of removed entries, or the failure. May be
 * NULL. Free it with jwtauth_string_free.
 * @return JWTAUTH_STATUS_OK, _UNAVAILABLE, _ARGUMENT or _INTERNAL.
 */
enum jwtauth_status jwtauth_sessions_sweep(const struct jwtauth_sessions *sessions,
                                           char **reply_json);

/**
 * Decides a login with one token of an issuer, and makes a session for what is granted. The caller passes the token
 * unchanged.
 *
 * @param sessions The sessions.
 * @param token The token only, without "Bearer ". Any text is safe here.
 * @param options The options; NULL for none.
 * @param meta_json Texts that are kept with the session, as a JSON object (Consul's `Meta`); NULL for none. They are trusted.
 * @param reply_json As for jwtauth_sessions_login. Required.
 * @return As for jwtauth_sessions_login. _ARGUMENT if the `size` of the options is not that of a known version.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_login_token(const struct jwtauth_sessions *sessions,
                                                 const char *token,
                                                 const struct jwtauth_options *options,
                                                 const char *meta_json,
                                                 char **reply_json);

/**
 * Returns the session of a token, as jwtauth_sessions_lookup does. The caller passes the token unchanged.
 *
 * @param sessions The sessions.
 * @param token The token of the session. Any text is safe here.
 * @param reply_json As for jwtauth_sessions_lookup.
 * @return As for jwtauth_sessions_lookup.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_lookup_token(const struct jwtauth_sessions *sessions,
                                                  const char *token,
                                                  char **reply_json);

/**
 * Makes a session last longer, as jwtauth_sessions_renew does. The caller passes the token unchanged.
 *
 * @param sessions The sessions.
 * @param token The token of the session. Any text is safe here.
 * @param increment The wish for the new lease in seconds; 0 leaves it to the configuration.
 * @param reply_json As for jwtauth_sessions_renew.
 * @return As for jwtauth_sessions_renew.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_renew_token(const struct jwtauth_sessions *sessions,
                                                 const char *token,
                                                 unsigned long long increment,
                                                 char **reply_json);

/**
 * Ends the session of a token, as jwtauth_sessions_revoke does. The caller passes the token unchanged.
 *
 * @param sessions The sessions.
 * @param token The token of the session. Any text is safe here.
 * @param reply_json As for jwtauth_sessions_revoke.
 * @return As for jwtauth_sessions_revoke.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_revoke_token(const struct jwtauth_sessions *sessions,
                                                  const char *token,
                                                  char **reply_json);

/**
 * Checks the token of a later request, as jwtauth_sessions_authorize does. The caller passes the token unchanged.
 *
 * @param sessions The sessions.
 * @param token The token of the session. Any text is safe here.
 * @param remote_addr The caller's address, as in jwtauth_options; NULL or "" if it is unknown.
 * @param reply_json As for jwtauth_sessions_authorize.
 * @return As for jwtauth_sessions_authorize.
 */
JWTAUTH_MUST_USE
enum jwtauth_status jwtauth_sessions_authorize_token(const struct jwtauth_sessions *sessions,
                                                     const char *token,
                                                     const char *remote_addr,
                                                     char **reply_json);

/**
 * The value at a JSON pointer (RFC 6901) in a reply, such as "/identity/name" or "/identity/groups/0".
 *
 * A string is returned as its plain text, any other value as JSON text.
 *
 * @param json A reply, or any other JSON text.
 * @param pointer The JSON pointer; the empty string is the whole document.
 * @return New text; free it with jwtauth_string_free. NULL if the value does not exist, or if an argument is NULL, not
 * UTF-8, not JSON or not a JSON pointer. Also NULL if the string contains a NUL character (U+0000), so that a C
 * program never sees a truncated name. Therefore do not treat NULL as the end of an array; use jwtauth_json_count.
 */
JWTAUTH_MUST_USE
char *jwtauth_json_get(const char *json,
                       const char *pointer);

/**
 * The type of the value at a JSON pointer (RFC 6901). It distinguishes the string "true" from the value true.
 *
 * @param json A reply, or any other JSON text.
 * @param pointer The JSON pointer; the empty string is the whole document.
 * @return The type; JWTAUTH_JSON_ABSENT if the value does not exist, or if an argument is NULL, not UTF-8, not JSON or
 * not a JSON pointer.
 */
enum jwtauth_json jwtauth_json_type(const char *json,
                                    const char *pointer);

/**
 * The number of elements of an array, or of members of an object. Use it to visit "/identity/groups/0", "/1" and so
 * on: a group whose name jwtauth_json_get cannot return does not end the array. Each call reads its text from the start, so
 * get a long array once, and visit "/0", "/1" and so on in its own text.
 *
 * @param json A reply, or any other JSON text.
 * @param pointer The JSON pointer of the array or object.
 * @return The number; 0 if the value does not exist or is neither, or if an argument is invalid.
 */
size_t jwtauth_json_count(const char *json,
                          const char *pointer);

/**
 * Whether a grant or an authorized session has an entitlement: a role, a policy or another right.
 *
 * An entitlement with variables (a templated policy) never matches; read its members with jwtauth_json_get.
 *
 * @param reply_json The reply of a decision, or of jwtauth_sessions_authorize. For any other text, and for a failure, the
 * result is 0.
 * @param kind The kind, such as "role", "policy" or "org_role".
 * @param name The name, such as "editor".
 * @param scope Where it is valid: an organisation's id, or a datacenter. NULL matches only an entitlement that is valid
 * everywhere.
 * @return 1 if the grant or session has it, else 0.
 */
int jwtauth_grant_has(const char *reply_json,
                      const char *kind,
                      const char *name,
                      const char *scope);

/**
 * Frees text that this library returned.
 *
 * @param string A reply or a result of jwtauth_json_get; free it once. NULL has no effect.
 */
void jwtauth_string_free(char *string);

/**
 * Answers a fetch with a server's response.
 *
 * A body longer than `max_bytes` and every status except 200 and 304 make the fetch fail. The library does not follow
 * redirects for a callback.
 *
 * @param fetch The `fetch` argument of the callback.
 * @param status The HTTP status, 100 to 599.
 * @param headers_json The headers as a JSON object; each value is a string or a list of strings. NULL for none. Only
 * `Cache-Control`, `Expires`, `ETag`, `Last-Modified` and `Content-Encoding` are used; names are case-insensitive.
 * @param body The decompressed body; NULL if `body_len` is 0. It is copied.
 * @param body_len The length of the body in bytes.
 * @return JWTAUTH_STATUS_OK if the answer is accepted; _ARGUMENT if it is invalid or the fetch already has an answer,
 * which is kept; _INTERNAL.
 */
enum jwtauth_status jwtauth_fetch_respond(struct jwtauth_fetch *fetch,
                                          int status,
                                          const char *headers_json,
                                          const void *body,
                                          size_t body_len);

/**
 * Reports that a fetch failed.
 *
 * @param fetch The `fetch` argument of the callback.
 * @param phase The phase in which it failed: "dns", "connect", "tls", "http" or "parse".
 * @param reason The reason, for people. It becomes part of `detail`, on one line, and long text is cut off. It must
 * not contain text from the server or secrets.
 * @return JWTAUTH_STATUS_OK if the answer is accepted; _ARGUMENT if it is invalid or the fetch already has an answer,
 * which is kept; _INTERNAL.
 */
enum jwtauth_status jwtauth_fetch_fail(struct jwtauth_fetch *fetch,
                                       const char *phase,
                                       const char *reason);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/* The library writes arrays of statuses, so do not compile with -fshort-enums. */
typedef char jwtauth_status_must_have_the_size_of_int[sizeof(jwtauth_status) == sizeof(int) ? 1 : -1];

#endif  /* JWTAUTH_H */

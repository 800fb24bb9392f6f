/*
 * What the files of the module share.
 *
 * A worker never waits. It decides with the cached keys, which takes microseconds. If keys must be fetched first, a thread of a
 * thread pool decides, and the request sleeps until the thread has ended.
 */

#ifndef NGX_HTTP_JWTAUTH_H
#define NGX_HTTP_JWTAUTH_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>

#include <jwtauth.h>

#if !(NGX_THREADS)
#error "nginx must be built with --with-threads: keys are fetched on a thread"
#endif

typedef struct ngx_http_jwtauth_job_s ngx_http_jwtauth_job_t;

/* The verifier of a configuration file. The master builds it, and each worker has a copy of it after the fork. */
typedef struct {
    ngx_pool_t *pool;
    jwtauth_verifier *handle;
    ngx_str_t file;

    /* Where requests carry the token, in lower case, as the policy specifies. Empty: not there. */
    ngx_str_t header;
    ngx_str_t cookie;
    ngx_str_t org_header;
    /* The policy names no place, so the token is in `Authorization: Bearer` (RFC 6750, section 2.1). */
    unsigned reads_bearer : 1;

    /* Whether a key source fetches for every request: then cached keys never decide. */
    unsigned always_fetches : 1;

    /* Whether any key source fetches; the time from which cached keys should be renewed, and whether a thread does it now. */
    unsigned fetches : 1;
    unsigned is_due_later : 1;
    unsigned is_refreshing : 1;
    ngx_msec_t due;

    /* Used by the configuration, and by each job, which can outlive it. */
    ngx_uint_t users;
} ngx_http_jwtauth_verifier_t;

/* What `jwtauth_require` asks of a grant. Alternatives have the same group, and one of them is enough. */
typedef struct {
    ngx_uint_t group;
    /* The kind of an entitlement, or NULL. */
    const char *kind;
    const char *scope;
    /* The JSON pointer of a text or list in the reply, or NULL. */
    const char *pointer;
    const char *name;
} ngx_http_jwtauth_need_t;

typedef struct {
    ngx_array_t verifiers; /* ngx_http_jwtauth_verifier_t * */
    ngx_str_t thread_pool;
    /* Set in a worker that has threads. */
    ngx_thread_pool_t *threads;
} ngx_http_jwtauth_main_conf_t;

typedef struct {
    ngx_flag_t enabled;
    ngx_str_t realm;
    /* Whether `jwtauth on`, or a realm, decided about the realm. */
    unsigned has_realm : 1;
    ngx_http_jwtauth_verifier_t *verifier;
    ngx_str_t profile;
    ngx_array_t *needs; /* ngx_http_jwtauth_need_t */
    /* Whether the block itself has requirements. */
    unsigned has_own_needs : 1;
} ngx_http_jwtauth_loc_conf_t;

/* What a verifier decided about a client's request. A subrequest to a location with the same verifier and profile shares it. */
typedef struct ngx_http_jwtauth_decision_s ngx_http_jwtauth_decision_t;
struct ngx_http_jwtauth_decision_s {
    ngx_http_jwtauth_verifier_t *verifier;
    ngx_str_t profile;
    jwtauth_status status;
    char *reply;
    ngx_http_jwtauth_decision_t *next;
};

/* What is known about a request in its current location. nginx forgets it with an internal redirect, so the next location
 * decides again. */
typedef struct {
    ngx_http_jwtauth_decision_t *decision;
    /* The decisions of the client's request; only of the main request. */
    ngx_http_jwtauth_decision_t *decisions;
    ngx_http_jwtauth_job_t *job;
} ngx_http_jwtauth_ctx_t;

/* The last outcome of a request, for logs and error pages. It survives internal redirects, and grants nothing. */
typedef struct {
    ngx_http_request_t *request;
    ngx_str_t class;
    ngx_str_t code;
    ngx_table_elt_t *challenge;
    ngx_table_elt_t *retry_after;
} ngx_http_jwtauth_outcome_t;

extern ngx_module_t ngx_http_jwtauth_module;

/* The phases. */
ngx_int_t ngx_http_jwtauth_access(ngx_http_request_t *r);
ngx_int_t ngx_http_jwtauth_preaccess(ngx_http_request_t *r);
void ngx_http_jwtauth_decided(ngx_http_request_t *r, jwtauth_status status, char *reply);

/* The verifiers. */
ngx_http_jwtauth_verifier_t *ngx_http_jwtauth_verifier(ngx_conf_t *cf, ngx_http_jwtauth_main_conf_t *mcf, ngx_str_t *file);
ngx_int_t ngx_http_jwtauth_check_profile(ngx_conf_t *cf, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *profile);
void ngx_http_jwtauth_release(ngx_http_jwtauth_verifier_t *verifier);

/* The work of threads. */
ngx_int_t ngx_http_jwtauth_start(ngx_cycle_t *cycle, ngx_http_jwtauth_main_conf_t *mcf);
ngx_int_t ngx_http_jwtauth_fetch(ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *request);
void ngx_http_jwtauth_renew(ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier);

/* A request as JSON, which ends with NGX_HTTP_JWTAUTH_CACHED_ONLY. NGX_DECLINED: it contains more than one token. */
#define NGX_HTTP_JWTAUTH_CACHED_ONLY ",\"cached_only\":true}"
ngx_int_t ngx_http_jwtauth_request(ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *profile,
    ngx_str_t *json);

/* Reading replies. */
ngx_int_t ngx_http_jwtauth_find(ngx_pool_t *pool, const char *json, const char *pointer, ngx_str_t *value);
ngx_int_t ngx_http_jwtauth_find_text(ngx_pool_t *pool, const char *json, const char *pointer, ngx_str_t *text);
ngx_int_t ngx_http_jwtauth_next_item(const u_char **next, ngx_str_t *item);
ngx_int_t ngx_http_jwtauth_item_text(ngx_pool_t *pool, ngx_str_t *item);
ngx_int_t ngx_http_jwtauth_is(const ngx_str_t *text, const char *other);
char *ngx_http_jwtauth_pointer(ngx_pool_t *pool, const char *folder, const u_char *name, size_t length);

/* Requirements. */
char *ngx_http_jwtauth_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_jwtauth_is_met(ngx_pool_t *pool, ngx_array_t *needs, const char *reply);
ngx_int_t ngx_http_jwtauth_is_utf8(ngx_str_t *text);

/* Responses. */
ngx_int_t ngx_http_jwtauth_granted(ngx_http_request_t *r);
ngx_int_t ngx_http_jwtauth_refuse(ngx_http_request_t *r, ngx_http_jwtauth_decision_t *decision);
ngx_int_t ngx_http_jwtauth_refuse_repeated(ngx_http_request_t *r);
ngx_int_t ngx_http_jwtauth_refuse_not_enough(ngx_http_request_t *r);
ngx_http_jwtauth_outcome_t *ngx_http_jwtauth_outcome(ngx_http_request_t *r);

/* Variables. */
ngx_int_t ngx_http_jwtauth_add_variables(ngx_conf_t *cf);
char *ngx_http_jwtauth_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

#endif

/*
 * Verifiers: one for each configuration file.
 *
 * The master builds them while it reads nginx's configuration, and workers inherit them with the fork. So a mistake is found
 * before anything changes, files that only root may read can be used, and a worker that is started later has the configuration
 * that was checked. The library supports this: building starts no thread and opens no connection, and after a fork each process
 * has its own keys.
 */

#include "ngx_http_jwtauth.h"

static void on_cleanup(void *data) {
    ngx_http_jwtauth_release(data);
}

void ngx_http_jwtauth_release(ngx_http_jwtauth_verifier_t *verifier) {
    if (--verifier->users > 0) {
        return;
    }
    jwtauth_verifier_free(verifier->handle);
    /* The log of the configuration may be gone. */
    verifier->pool->log = ngx_cycle->log;
    ngx_destroy_pool(verifier->pool);
}

/* Logs a failure to build: where, the code, what it means, and what is wrong. */
static void log_failure(ngx_conf_t *cf, jwtauth_status status, const char *reply) {
    char *code = jwtauth_json_get(reply, "/code");
    char *message = jwtauth_json_get(reply, "/message");
    char *detail = jwtauth_json_get(reply, "/detail");

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "jwtauth_config: %s: %s%s%s", code != NULL ? code : jwtauth_status_name(status),
        message != NULL ? message : "the verifier cannot be built", detail != NULL ? ": " : "", detail != NULL ? detail : "");
    jwtauth_string_free(detail);
    jwtauth_string_free(message);
    jwtauth_string_free(code);
}

static void log_warnings(ngx_conf_t *cf, const ngx_str_t *file, const char *reply) {
    size_t i, count = jwtauth_json_count(reply, "/warnings");
    char pointer[64], *rule, *key, *message;

    for (i = 0; i < count; i++) {
        *ngx_snprintf((u_char *)pointer, sizeof pointer - 1, "/warnings/%uz/rule", i) = '\0';
        rule = jwtauth_json_get(reply, pointer);
        *ngx_snprintf((u_char *)pointer, sizeof pointer - 1, "/warnings/%uz/key", i) = '\0';
        key = jwtauth_json_get(reply, pointer);
        *ngx_snprintf((u_char *)pointer, sizeof pointer - 1, "/warnings/%uz/message", i) = '\0';
        message = jwtauth_json_get(reply, pointer);
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0, "jwtauth_config: %V: %s: %s (%s)", file, key != NULL ? key : "",
            message != NULL ? message : "", rule != NULL ? rule : "");
        jwtauth_string_free(message);
        jwtauth_string_free(key);
        jwtauth_string_free(rule);
    }
}

/* The text at a pointer of the policy, in lower case; empty if there is none. */
static ngx_int_t lower(ngx_http_jwtauth_verifier_t *verifier, const char *policy, const char *pointer, ngx_str_t *text) {
    /* `null` stands for the absence of a usual place. */
    char *found = jwtauth_json_type(policy, pointer) == JWTAUTH_JSON_STRING ? jwtauth_json_get(policy, pointer) : NULL;

    ngx_str_null(text);
    if (found == NULL) {
        return NGX_OK;
    }
    text->len = ngx_strlen(found);
    text->data = ngx_pnalloc(verifier->pool, text->len + 1);
    if (text->data != NULL) {
        ngx_strlow(text->data, (u_char *)found, text->len + 1);
    }
    jwtauth_string_free(found);
    return text->data == NULL ? NGX_ERROR : NGX_OK;
}

/* Reads from the policy where requests carry the token, and whether keys are fetched. */
static ngx_int_t read_policy(ngx_http_jwtauth_verifier_t *verifier) {
    char *policy = NULL, *sources;
    ngx_str_t query;
    ngx_int_t rc = NGX_ERROR;

    if (jwtauth_verifier_policy(verifier->handle, &policy) == JWTAUTH_STATUS_OK
        && lower(verifier, policy, "/config/token/header", &verifier->header) == NGX_OK
        && lower(verifier, policy, "/config/token/cookie", &verifier->cookie) == NGX_OK
        && lower(verifier, policy, "/config/token/query", &query) == NGX_OK
        && lower(verifier, policy, "/config/token/requested_org/header", &verifier->org_header) == NGX_OK) {
        verifier->reads_bearer = verifier->header.len == 0 && verifier->cookie.len == 0 && query.len == 0;
        if (verifier->reads_bearer) {
            ngx_str_set(&verifier->header, "authorization");
        }
        if (verifier->cookie.len > 0) {
            ngx_str_set(&verifier->cookie, "cookie");
        }
        sources = jwtauth_json_get(policy, "/key_status");
        verifier->fetches = sources != NULL && ngx_strstr(sources, "\"next_refresh\":") != NULL;
        jwtauth_string_free(sources);
        sources = jwtauth_json_get(policy, "/config/keys");
        verifier->always_fetches = sources != NULL && ngx_strstr(sources, "\"cache_ttl\":\"0s\"") != NULL;
        jwtauth_string_free(sources);
        rc = NGX_OK;
    }
    jwtauth_string_free(policy);
    return rc;
}

static ngx_http_jwtauth_verifier_t *build(ngx_conf_t *cf, const ngx_str_t *file) {
    ngx_pool_t *pool = ngx_create_pool(1024, cf->log);
    ngx_http_jwtauth_verifier_t *verifier;
    ngx_pool_cleanup_t *cleanup;
    jwtauth_status status;
    char *reply = NULL;

    if (pool == NULL) {
        return NULL;
    }
    verifier = ngx_pcalloc(pool, sizeof *verifier);
    cleanup = ngx_pool_cleanup_add(cf->pool, 0);
    if (verifier == NULL || cleanup == NULL
        || (verifier->file.data = ngx_pnalloc(pool, file->len + 1)) == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }
    ngx_memcpy(verifier->file.data, file->data, file->len);
    verifier->file.data[file->len] = '\0';
    verifier->file.len = file->len;
    verifier->pool = pool;
    verifier->users = 1;
    cleanup->handler = on_cleanup;
    cleanup->data = verifier;

    status = jwtauth_verifier_new_from_file((char *)verifier->file.data, &verifier->handle, &reply);
    if (status != JWTAUTH_STATUS_OK) {
        log_failure(cf, status, reply);
        verifier = NULL;
    } else {
        log_warnings(cf, file, reply);
        if (read_policy(verifier) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "jwtauth_config: the policy of \"%V\" cannot be read", file);
            verifier = NULL;
        }
    }
    jwtauth_string_free(reply);
    return verifier;
}

/* The verifier of a file: the one that another directive has built, or a new one. */
ngx_http_jwtauth_verifier_t *ngx_http_jwtauth_verifier(ngx_conf_t *cf, ngx_http_jwtauth_main_conf_t *mcf, ngx_str_t *file) {
    ngx_http_jwtauth_verifier_t **known = mcf->verifiers.elts, *verifier;
    ngx_uint_t i;

    for (i = 0; i < mcf->verifiers.nelts; i++) {
        if (known[i]->file.len == file->len && ngx_memcmp(known[i]->file.data, file->data, file->len) == 0) {
            return known[i];
        }
    }
    verifier = build(cf, file);
    if (verifier == NULL || (known = ngx_array_push(&mcf->verifiers)) == NULL) {
        return NULL;
    }
    *known = verifier;
    return verifier;
}

/* Finds profiles that would deny every request: one that the configuration does not have, or none where it needs one. */
ngx_int_t ngx_http_jwtauth_check_profile(ngx_conf_t *cf, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *profile) {
    jwtauth_options options = {sizeof options, (const char *)profile->data, NULL, 1};
    char *reply = NULL, *code, *message;
    ngx_int_t rc = NGX_OK;

    /* The library looks at the profile before it looks at the token, so that no token is needed. */
    if (jwtauth_verifier_authenticate_with(verifier->handle, "", &options, &reply) == JWTAUTH_STATUS_OK || reply == NULL) {
        jwtauth_string_free(reply);
        return NGX_ERROR;
    }
    code = jwtauth_json_get(reply, "/code");
    if (code != NULL && (ngx_strcmp(code, "profile_unknown") == 0 || ngx_strcmp(code, "profile_missing") == 0)) {
        message = jwtauth_json_get(reply, "/message");
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "jwtauth_profile \"%V\": %s: %s in \"%V\"", profile, code,
            message != NULL ? message : "", &verifier->file);
        jwtauth_string_free(message);
        rc = NGX_ERROR;
    }
    jwtauth_string_free(code);
    jwtauth_string_free(reply);
    return rc;
}

/* The response to a request that is not let in (RFC 6750, section 3), as the integrations of other languages give it. */

#include "ngx_http_jwtauth.h"

/* As the core decides for the native configuration: the token is valid, but does not allow this. The stage `decide` is added. */
static const char *const not_enough[] = {"address_not_allowed", "profile_closed", "claim_mismatch", "subject_mismatch"};

static void on_cleanup(void *data) {
    (void)data;
}

/*
 * The outcome of a request; NULL if there is none. nginx forgets what a module knows about a request with an internal redirect,
 * such as that to an error page, but not the clean-up functions of its memory.
 */
ngx_http_jwtauth_outcome_t *ngx_http_jwtauth_outcome(ngx_http_request_t *r) {
    ngx_http_jwtauth_outcome_t *outcome;
    ngx_pool_cleanup_t *cleanup;

    for (cleanup = r->pool->cleanup; cleanup != NULL; cleanup = cleanup->next) {
        outcome = cleanup->data;
        if (cleanup->handler == on_cleanup && outcome->request == r) {
            return outcome;
        }
    }
    return NULL;
}

/* Sets the outcome. The headers of an earlier one are removed. */
static ngx_http_jwtauth_outcome_t *set_outcome(ngx_http_request_t *r, const char *class, const ngx_str_t *code) {
    ngx_http_jwtauth_outcome_t *outcome = ngx_http_jwtauth_outcome(r);
    ngx_pool_cleanup_t *cleanup;

    if (outcome == NULL) {
        cleanup = ngx_pool_cleanup_add(r->pool, sizeof *outcome);
        if (cleanup == NULL) {
            return NULL;
        }
        outcome = cleanup->data;
        ngx_memzero(outcome, sizeof *outcome);
        outcome->request = r;
        cleanup->handler = on_cleanup;
    }
    if (outcome->challenge != NULL) {
        outcome->challenge->hash = 0;
        outcome->challenge = NULL;
    }
    if (outcome->retry_after != NULL) {
        outcome->retry_after->hash = 0;
        outcome->retry_after = NULL;
    }
    outcome->class.data = (u_char *)class;
    outcome->class.len = ngx_strlen(class);
    ngx_str_null(&outcome->code);
    if (code != NULL) {
        outcome->code = *code;
    }
    return outcome;
}

ngx_int_t ngx_http_jwtauth_granted(ngx_http_request_t *r) {
    return set_outcome(r, "granted", NULL) == NULL ? NGX_HTTP_INTERNAL_SERVER_ERROR : NGX_OK;
}

static ngx_table_elt_t *add_header(ngx_http_request_t *r) {
    ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);

    if (header != NULL) {
        header->hash = 1;
        header->lowcase_key = NULL;
#if (nginx_version >= 1023000)
        header->next = NULL;
#endif
    }
    return header;
}

/* Adds the challenge. Messages belong to their codes, and contain neither quotes nor backslashes. */
static ngx_int_t challenge(ngx_http_request_t *r, ngx_http_jwtauth_outcome_t *outcome, ngx_int_t status, const char *error,
    const ngx_str_t *message) {
    ngx_http_jwtauth_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_jwtauth_module);
    ngx_table_elt_t *header;
    u_char *value, *end;

    value = ngx_pnalloc(r->pool, sizeof "Bearer realm=\"\", error=\"\", error_description=\"\"" + lcf->realm.len
            + (error != NULL ? ngx_strlen(error) : 0) + message->len);
    header = value == NULL ? NULL : add_header(r);
    if (header == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    end = ngx_sprintf(value, "Bearer");
    if (lcf->realm.len > 0) {
        end = ngx_sprintf(end, " realm=\"%V\"", &lcf->realm);
    }
    if (error != NULL) {
        end = ngx_sprintf(end, "%s error=\"%s\", error_description=\"%V\"", lcf->realm.len > 0 ? "," : "", error, message);
    }
    ngx_str_set(&header->key, "WWW-Authenticate");
    header->value.data = value;
    header->value.len = (size_t)(end - value);
#if (nginx_version >= 1023000)
    /* That of another module, with `satisfy any`. */
    header->next = r->headers_out.www_authenticate;
#endif
    r->headers_out.www_authenticate = header;
    outcome->challenge = header;
    return status;
}

static ngx_int_t refuse_denied(ngx_http_request_t *r, ngx_http_jwtauth_outcome_t *outcome, const ngx_str_t *code,
    const ngx_str_t *stage, const ngx_str_t *message) {
    ngx_int_t is_enough = !ngx_http_jwtauth_is(stage, "decide");
    size_t i;

    for (i = 0; i < sizeof not_enough / sizeof *not_enough; i++) {
        is_enough = is_enough && !ngx_http_jwtauth_is(code, not_enough[i]);
    }
    if (!is_enough) {
        return challenge(r, outcome, NGX_HTTP_FORBIDDEN, "insufficient_scope", message);
    }
    /* Without a token, the challenge has no error (RFC 6750, section 3.1). */
    return challenge(r, outcome, NGX_HTTP_UNAUTHORIZED, ngx_http_jwtauth_is(code, "token_missing") ? NULL : "invalid_token",
        message);
}

static ngx_int_t refuse_unavailable(ngx_http_request_t *r, ngx_http_jwtauth_outcome_t *outcome) {
    ngx_table_elt_t *header = add_header(r);

    if (header == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_str_set(&header->key, "Retry-After");
    ngx_str_set(&header->value, "5");
    outcome->retry_after = header;
    return NGX_HTTP_SERVICE_UNAVAILABLE;
}

/* The response to a failure. The status is not its `http_status`, which is that of the configured system's login. */
ngx_int_t ngx_http_jwtauth_refuse(ngx_http_request_t *r, ngx_http_jwtauth_decision_t *decision) {
    static ngx_str_t internal = ngx_string("internal_error"), unknown = ngx_string("there is no reply");
    const char *class = jwtauth_status_name(decision->status);
    ngx_uint_t level = decision->status == JWTAUTH_STATUS_DENIED ? NGX_LOG_INFO : NGX_LOG_ERR;
    ngx_str_t code, stage, message, detail;
    ngx_http_jwtauth_outcome_t *outcome;

    if (ngx_http_jwtauth_find_text(r->pool, decision->reply, "/code", &code) != NGX_OK) {
        code = internal;
    }
    if (ngx_http_jwtauth_find_text(r->pool, decision->reply, "/message", &message) != NGX_OK) {
        message = unknown;
    }
    ngx_http_jwtauth_find_text(r->pool, decision->reply, "/stage", &stage);
    ngx_http_jwtauth_find_text(r->pool, decision->reply, "/detail", &detail);
    ngx_log_error(level, r->connection->log, 0, "jwtauth: %s: %V: %V%s%V", class, &code, &message, detail.len > 0 ? ": " : "",
        &detail);
    outcome = set_outcome(r, class, &code);
    if (outcome != NULL && decision->status == JWTAUTH_STATUS_DENIED) {
        return refuse_denied(r, outcome, &code, &stage, &message);
    }
    if (outcome != NULL && decision->status == JWTAUTH_STATUS_UNAVAILABLE) {
        return refuse_unavailable(r, outcome);
    }
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
}

static ngx_int_t refuse_here(ngx_http_request_t *r, ngx_int_t status, const char *error, ngx_str_t *code, ngx_str_t *message) {
    ngx_http_jwtauth_outcome_t *outcome = set_outcome(r, "denied", code);

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0, "jwtauth: denied: %V: %V", code, message);
    return outcome == NULL ? NGX_HTTP_INTERNAL_SERVER_ERROR : challenge(r, outcome, status, error, message);
}

ngx_int_t ngx_http_jwtauth_refuse_repeated(ngx_http_request_t *r) {
    static ngx_str_t code = ngx_string("token_ambiguous"), message = ngx_string("the request contains more than one token");

    return refuse_here(r, NGX_HTTP_UNAUTHORIZED, "invalid_token", &code, &message);
}

ngx_int_t ngx_http_jwtauth_refuse_not_enough(ngx_http_request_t *r) {
    static ngx_str_t code = ngx_string("insufficient_scope"),
                     message = ngx_string("the grant does not have what this request requires");

    return refuse_here(r, NGX_HTTP_FORBIDDEN, "insufficient_scope", &code, &message);
}

/*
 * Decides requests: the main request in the access phase, and subrequests in the phase before it, because nginx skips the access
 * phase for them.
 */

#include "ngx_http_jwtauth.h"

static ngx_int_t check(ngx_http_request_t *r, ngx_http_jwtauth_loc_conf_t *lcf);

ngx_int_t ngx_http_jwtauth_access(ngx_http_request_t *r) {
    ngx_http_jwtauth_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_jwtauth_module);

    return lcf->enabled ? check(r, lcf) : NGX_DECLINED;
}

/*
 * Every subrequest needs a grant for its own location, also with `satisfy any`: that another check has let the main request in
 * says nothing about this location, and the subrequest of `auth_request` runs before anything has.
 */
ngx_int_t ngx_http_jwtauth_preaccess(ngx_http_request_t *r) {
    ngx_http_jwtauth_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_jwtauth_module);
    ngx_int_t rc;

    if (r == r->main || !lcf->enabled) {
        return NGX_DECLINED;
    }
    rc = check(r, lcf);
    /* The other checks of this phase come next. */
    return rc == NGX_OK ? NGX_DECLINED : rc;
}

static ngx_http_jwtauth_ctx_t *context_of(ngx_http_request_t *r) {
    ngx_http_jwtauth_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_jwtauth_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof *ctx);
        if (ctx != NULL) {
            ngx_http_set_ctx(r, ctx, ngx_http_jwtauth_module);
        }
    }
    return ctx;
}

/* Only the same verifier with the same profile gives the same decision. What a location requires is compared for each of them. */
static ngx_http_jwtauth_decision_t *earlier(ngx_http_jwtauth_ctx_t *main, ngx_http_jwtauth_loc_conf_t *lcf) {
    ngx_http_jwtauth_decision_t *decision;

    for (decision = main->decisions; decision != NULL; decision = decision->next) {
        if (decision->verifier == lcf->verifier && decision->profile.len == lcf->profile.len
            && ngx_memcmp(decision->profile.data, lcf->profile.data, lcf->profile.len) == 0) {
            break;
        }
    }
    return decision;
}

static void free_reply(void *data) {
    ngx_http_jwtauth_decision_t *decision = data;

    jwtauth_string_free(decision->reply);
}

/* Keeps a decision for as long as the request exists. Takes ownership of the reply. */
void ngx_http_jwtauth_decided(ngx_http_request_t *r, jwtauth_status status, char *reply) {
    ngx_http_jwtauth_loc_conf_t *lcf = ngx_http_get_module_loc_conf(r, ngx_http_jwtauth_module);
    ngx_http_jwtauth_ctx_t *ctx = context_of(r), *main = context_of(r->main);
    ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_jwtauth_decision_t));
    ngx_http_jwtauth_decision_t *decision;

    if (ctx == NULL || main == NULL || cleanup == NULL) {
        jwtauth_string_free(reply);
        return;
    }
    decision = cleanup->data;
    decision->verifier = lcf->verifier;
    decision->profile = lcf->profile;
    /* Without a reply there is nothing to read requirements from. */
    decision->status = reply == NULL && status == JWTAUTH_STATUS_OK ? JWTAUTH_STATUS_INTERNAL : status;
    decision->reply = reply;
    decision->next = main->decisions;
    cleanup->handler = free_reply;
    main->decisions = decision;
    ctx->decision = decision;
}

/* Decides with the cached keys. NGX_AGAIN: a thread decides, because keys must be fetched. */
static ngx_int_t decide(ngx_http_request_t *r, ngx_http_jwtauth_loc_conf_t *lcf) {
    jwtauth_status status = JWTAUTH_STATUS_UNAVAILABLE;
    ngx_str_t request;
    char *reply = NULL;
    ngx_int_t rc = ngx_http_jwtauth_request(r, lcf->verifier, &lcf->profile, &request);

    if (rc != NGX_OK) {
        return rc == NGX_DECLINED ? ngx_http_jwtauth_refuse_repeated(r) : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (!lcf->verifier->always_fetches) {
        status = jwtauth_verifier_authenticate(lcf->verifier->handle, (char *)request.data, &reply);
    }
    if (status == JWTAUTH_STATUS_UNAVAILABLE && ngx_http_jwtauth_fetch(r, lcf->verifier, &request) == NGX_OK) {
        jwtauth_string_free(reply);
        return NGX_AGAIN;
    }
    if (status != JWTAUTH_STATUS_UNAVAILABLE) {
        ngx_http_jwtauth_renew(r, lcf->verifier);
    }
    ngx_http_jwtauth_decided(r, status, reply);
    return NGX_OK;
}

static ngx_int_t check(ngx_http_request_t *r, ngx_http_jwtauth_loc_conf_t *lcf) {
    ngx_http_jwtauth_ctx_t *ctx = context_of(r), *main = context_of(r->main);
    ngx_int_t rc;

    if (ctx == NULL || main == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    if (ctx->job != NULL) {
        return NGX_AGAIN;
    }
    if (ctx->decision == NULL) {
        ctx->decision = earlier(main, lcf);
    }
    if (ctx->decision == NULL) {
        rc = decide(r, lcf);
        if (rc != NGX_OK) {
            return rc;
        }
        if (ctx->decision == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    if (ctx->decision->status != JWTAUTH_STATUS_OK) {
        return ngx_http_jwtauth_refuse(r, ctx->decision);
    }
    if (lcf->needs != NULL && !ngx_http_jwtauth_is_met(r->pool, lcf->needs, ctx->decision->reply)) {
        return ngx_http_jwtauth_refuse_not_enough(r);
    }
    return ngx_http_jwtauth_granted(r);
}

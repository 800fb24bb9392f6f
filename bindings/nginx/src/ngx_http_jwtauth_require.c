/*
 * `jwtauth_require`: what a grant must have. It reads the grant, and never the token.
 *
 * Every directive must hold. In one directive, alternatives of one kind are repeated, and every kind must hold.
 */

#include "ngx_http_jwtauth.h"

static char *invalid(ngx_conf_t *cf, const ngx_str_t *text) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
        "\"jwtauth_require\": \"%V\" must be role=NAME, policy=NAME, group=NAME, entitlement=KIND:NAME, "
        "entitlement=KIND/SCOPE:NAME or claim:CLAIM=VALUE, all in UTF-8",
        text);
    return NGX_CONF_ERROR;
}

ngx_int_t ngx_http_jwtauth_is_utf8(ngx_str_t *text) {
    u_char *next = text->data, *end = text->data + text->len;

    while (next < end) {
        if (*next == '\0') {
            return NGX_DECLINED;
        }
        if (*next < 0x80) {
            next++;
        } else if (ngx_utf8_decode(&next, (size_t)(end - next)) > 0x10ffff) {
            return NGX_DECLINED;
        }
    }
    return NGX_OK;
}

static ngx_int_t starts_with(const ngx_str_t *text, const char *start) {
    size_t length = ngx_strlen(start);

    return text->len > length && ngx_memcmp(text->data, start, length) == 0;
}

static const char *copy(ngx_conf_t *cf, const u_char *start, const u_char *end) {
    char *text = ngx_pnalloc(cf->pool, (size_t)(end - start) + 1);

    if (text != NULL) {
        ngx_memcpy(text, start, (size_t)(end - start));
        text[end - start] = '\0';
    }
    return text;
}

/* Reads `KIND:NAME` or `KIND/SCOPE:NAME`. */
static char *read_entitlement(ngx_conf_t *cf, ngx_str_t *text, u_char *start, ngx_http_jwtauth_need_t *need) {
    u_char *end = text->data + text->len, *colon = ngx_strlchr(start, end, ':'), *slash;

    if (colon == NULL || colon + 1 == end) {
        return invalid(cf, text);
    }
    slash = ngx_strlchr(start, colon, '/');
    if (start == (slash != NULL ? slash : colon) || slash == colon - 1) {
        return invalid(cf, text);
    }
    need->kind = copy(cf, start, slash != NULL ? slash : colon);
    need->scope = slash != NULL ? copy(cf, slash + 1, colon) : NULL;
    need->name = copy(cf, colon + 1, end);
    if (need->kind == NULL || (slash != NULL && need->scope == NULL) || need->name == NULL) {
        return NGX_CONF_ERROR;
    }
    return NGX_CONF_OK;
}

/* Reads `CLAIM=VALUE`. */
static char *read_claim(ngx_conf_t *cf, ngx_str_t *text, u_char *start, ngx_http_jwtauth_need_t *need) {
    u_char *end = text->data + text->len, *equals = ngx_strlchr(start, end, '=');

    if (equals == NULL || equals == start || equals + 1 == end) {
        return invalid(cf, text);
    }
    need->pointer = ngx_http_jwtauth_pointer(cf->pool, "/claims/", start, (size_t)(equals - start));
    need->name = copy(cf, equals + 1, end);
    return need->pointer == NULL || need->name == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}

static char *read_need(ngx_conf_t *cf, ngx_str_t *text, ngx_http_jwtauth_need_t *need) {
    if (ngx_http_jwtauth_is_utf8(text) != NGX_OK) {
        return invalid(cf, text);
    }
    if (starts_with(text, "claim:")) {
        return read_claim(cf, text, text->data + ngx_strlen("claim:"), need);
    }
    if (starts_with(text, "entitlement=")) {
        return read_entitlement(cf, text, text->data + ngx_strlen("entitlement="), need);
    }
    if (starts_with(text, "role=")) {
        need->kind = "role";
    } else if (starts_with(text, "policy=")) {
        need->kind = "policy";
    } else if (starts_with(text, "group=")) {
        need->pointer = "/identity/groups";
    } else {
        return invalid(cf, text);
    }
    need->name = copy(cf, (u_char *)ngx_strchr(text->data, '=') + 1, text->data + text->len);
    return need->name == NULL ? NGX_CONF_ERROR : NGX_CONF_OK;
}

/* Whether two parameters of one directive are alternatives: the text before the name is the same. */
static ngx_int_t is_alternative(const ngx_str_t *one, const ngx_str_t *other) {
    const u_char *end = (u_char *)ngx_strchr(one->data, '=');
    size_t length = (size_t)(end - one->data) + 1;

    return other->len >= length && ngx_memcmp(one->data, other->data, length) == 0;
}

char *ngx_http_jwtauth_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_http_jwtauth_loc_conf_t *lcf = conf;
    ngx_str_t *value = cf->args->elts;
    ngx_http_jwtauth_need_t *need;
    ngx_uint_t i, j, before;
    char *rc;

    (void)cmd;
    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        if (lcf->needs != NGX_CONF_UNSET_PTR) {
            return "has both \"off\" and requirements in one block";
        }
        lcf->needs = NULL;
        return NGX_CONF_OK;
    }
    if (lcf->needs == NULL) {
        return "has both \"off\" and requirements in one block";
    }
    if (lcf->needs == NGX_CONF_UNSET_PTR) {
        lcf->needs = ngx_array_create(cf->pool, 4, sizeof(ngx_http_jwtauth_need_t));
        if (lcf->needs == NULL) {
            return NGX_CONF_ERROR;
        }
    }
    lcf->has_own_needs = 1;
    before = lcf->needs->nelts;
    for (i = 1; i < cf->args->nelts; i++) {
        need = ngx_array_push(lcf->needs);
        if (need == NULL) {
            return NGX_CONF_ERROR;
        }
        ngx_memzero(need, sizeof *need);
        rc = read_need(cf, &value[i], need);
        if (rc != NGX_CONF_OK) {
            return rc;
        }
        /* The number of the first alternative, counted over all directives of the block, is that of the group. */
        for (j = 1; j < i && !is_alternative(&value[i], &value[j]); j++) {
        }
        need->group = before + j - 1;
    }
    return NGX_CONF_OK;
}

/* Whether an element is the wanted text. Lists, objects and null have none. */
static ngx_int_t is_text(ngx_pool_t *pool, ngx_str_t *item, const char *wanted) {
    return item->data[0] != '[' && item->data[0] != '{' && ngx_http_jwtauth_item_text(pool, item) == NGX_OK
        && ngx_http_jwtauth_is(item, wanted);
}

/* Whether a value is the wanted text, or a list that contains it. A string is compared as text; true, false and a number are
 * compared as the token writes them. */
static ngx_int_t has_text(ngx_pool_t *pool, const char *reply, const ngx_http_jwtauth_need_t *need) {
    ngx_str_t value, item;
    const u_char *next;

    if (ngx_http_jwtauth_find(pool, reply, need->pointer, &value) != NGX_OK) {
        return 0;
    }
    if (value.data[0] != '[') {
        return is_text(pool, &value, need->name);
    }
    for (next = value.data; ngx_http_jwtauth_next_item(&next, &item);) {
        if (is_text(pool, &item, need->name)) {
            return 1;
        }
    }
    return 0;
}

/* Whether a member of an entitlement is the wanted text; with NULL, whether it is absent. */
static ngx_int_t has_member(ngx_pool_t *pool, ngx_str_t *entitlement, const char *pointer, const char *wanted) {
    ngx_str_t found;
    ngx_int_t rc = ngx_http_jwtauth_find(pool, (char *)entitlement->data, pointer, &found);

    return wanted == NULL ? rc == NGX_DECLINED : rc == NGX_OK && is_text(pool, &found, wanted);
}

/* As `jwtauth_grant_has`: an entitlement with variables has no name that could be compared. */
static ngx_int_t has_entitlement(ngx_pool_t *pool, const char *reply, const ngx_http_jwtauth_need_t *need) {
    ngx_str_t list, item;
    const u_char *next;

    if (ngx_http_jwtauth_find(pool, reply, "/entitlements", &list) != NGX_OK) {
        return 0;
    }
    for (next = list.data; ngx_http_jwtauth_next_item(&next, &item);) {
        if (has_member(pool, &item, "/name", need->name) && has_member(pool, &item, "/kind", need->kind)
            && has_member(pool, &item, "/scope", need->scope) && has_member(pool, &item, "/variables", NULL)) {
            return 1;
        }
    }
    return 0;
}

static ngx_int_t holds(ngx_pool_t *pool, const ngx_http_jwtauth_need_t *need, const char *reply) {
    return need->kind != NULL ? has_entitlement(pool, reply, need) : has_text(pool, reply, need);
}

ngx_int_t ngx_http_jwtauth_is_met(ngx_pool_t *pool, ngx_array_t *needs, const char *reply) {
    const ngx_http_jwtauth_need_t *need = needs->elts;
    ngx_uint_t i, j;
    ngx_int_t found;

    for (i = 0; i < needs->nelts; i++) {
        if (need[i].group != i) {
            continue;
        }
        found = 0;
        for (j = i; j < needs->nelts && !found; j++) {
            found = need[j].group == i && holds(pool, &need[j], reply);
        }
        if (!found) {
            return 0;
        }
    }
    return 1;
}

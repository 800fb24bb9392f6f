/*
 * The variables. All of them read the grant of the request in its current location; without a grant they are not set.
 *
 * nginx puts a variable into a header without any change. So values are percent-encoded where they could end a header or be read
 * as another list: control characters, `%` and bytes beyond ASCII, in lists and claims the comma, and all spaces if one is at an
 * end.
 */

#include "ngx_http_jwtauth.h"

static ngx_int_t get_text(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t get_value(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t get_claim(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t get_metadata(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t get_list(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t get_entitlements(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t get_outcome(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data);

/* The kinds of entitlements that are roles, and those that are policies. */
static const char *const roles[] = {"role", "org_role", NULL};
static const char *const policies[] = {"policy", NULL};

/* Not cacheable: a location after an internal redirect, and a subrequest, must not see the grant of another one. */
#define FLAGS NGX_HTTP_VAR_NOCACHEABLE

static ngx_http_variable_t variables[] = {
    {ngx_string("jwtauth_name"), NULL, get_text, (uintptr_t) "/identity/name", FLAGS, 0},
    {ngx_string("jwtauth_subject"), NULL, get_text, (uintptr_t) "/identity/subject", FLAGS, 0},
    {ngx_string("jwtauth_email"), NULL, get_text, (uintptr_t) "/identity/email", FLAGS, 0},
    {ngx_string("jwtauth_display_name"), NULL, get_text, (uintptr_t) "/identity/display_name", FLAGS, 0},
    {ngx_string("jwtauth_profile"), NULL, get_text, (uintptr_t) "/profile", FLAGS, 0},
    {ngx_string("jwtauth_group"), NULL, get_value, (uintptr_t) "/identity/groups", FLAGS, 0},
    {ngx_string("jwtauth_role"), NULL, get_entitlements, (uintptr_t)roles, FLAGS, 0},
    {ngx_string("jwtauth_policy"), NULL, get_entitlements, (uintptr_t)policies, FLAGS, 0},
    {ngx_string("jwtauth_claim_"), NULL, get_claim, 0, FLAGS | NGX_HTTP_VAR_PREFIX, 0},
    {ngx_string("jwtauth_metadata_"), NULL, get_metadata, 0, FLAGS | NGX_HTTP_VAR_PREFIX, 0},
    {ngx_string("jwtauth_list_"), NULL, get_list, 0, FLAGS | NGX_HTTP_VAR_PREFIX, 0},
    {ngx_string("jwtauth_class"), NULL, get_outcome, offsetof(ngx_http_jwtauth_outcome_t, class), FLAGS, 0},
    {ngx_string("jwtauth_code"), NULL, get_outcome, offsetof(ngx_http_jwtauth_outcome_t, code), FLAGS, 0},
};

ngx_int_t ngx_http_jwtauth_add_variables(ngx_conf_t *cf) {
    ngx_http_variable_t *variable;
    size_t i;

    for (i = 0; i < sizeof variables / sizeof *variables; i++) {
        variable = ngx_http_add_variable(cf, &variables[i].name, variables[i].flags);
        if (variable == NULL) {
            return NGX_ERROR;
        }
        variable->get_handler = variables[i].get_handler;
        variable->data = variables[i].data;
    }
    return NGX_OK;
}

/* `jwtauth_set $variable POINTER`: any value of the grant. */
char *ngx_http_jwtauth_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    ngx_str_t *value = cf->args->elts, name = value[1];
    ngx_http_variable_t *variable;

    (void)cmd;
    (void)conf;
    if (name.len < 2 || name.data[0] != '$') {
        return "must begin with the name of a variable, such as $department";
    }
    if (value[2].data[0] != '/' || ngx_http_jwtauth_is_utf8(&value[2]) != NGX_OK) {
        return "must end with a JSON pointer, such as /claims/department";
    }
    name.data++;
    name.len--;
    variable = ngx_http_add_variable(cf, &name, FLAGS);
    if (variable == NULL) {
        return NGX_CONF_ERROR;
    }
    variable->get_handler = get_value;
    variable->data = (uintptr_t)value[2].data;
    return NGX_CONF_OK;
}

/*
 * The request that was decided. nginx clones a request to fetch a slice, and to update its cache in the background: the clone
 * starts in the content phase of the same location, after all checks. Without the grant of its origin, what is fetched for one
 * user would be stored in the cache without a name, and found for all.
 */
static ngx_http_request_t *origin_of(ngx_http_request_t *r) {
    ngx_http_core_main_conf_t *cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);
    ngx_http_phase_handler_t *phases = cmcf->phase_engine.handlers;

    while (r != r->main && ngx_http_get_module_ctx(r, ngx_http_jwtauth_module) == NULL && r->loc_conf == r->parent->loc_conf
        && phases[r->phase_handler].checker == ngx_http_core_content_phase) {
        r = r->parent;
    }
    return r;
}

/* The reply of the grant; NULL without one. */
static const char *grant_of(ngx_http_request_t *r) {
    ngx_http_jwtauth_ctx_t *ctx = ngx_http_get_module_ctx(origin_of(r), ngx_http_jwtauth_module);

    if (ctx == NULL || ctx->decision == NULL || ctx->decision->status != JWTAUTH_STATUS_OK) {
        return NULL;
    }
    return ctx->decision->reply;
}

static ngx_int_t set_absent(ngx_http_variable_value_t *v) {
    v->len = 0;
    v->data = (u_char *)"";
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 1;
    return NGX_OK;
}

static ngx_int_t set_present(ngx_http_variable_value_t *v, u_char *data, size_t length) {
    /* As nginx stores lengths. A longer value does not come from a token. */
    if (length >= (1 << 28)) {
        return set_absent(v);
    }
    v->len = (unsigned)length & 0x0fffffff;
    v->data = data;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
    return NGX_OK;
}

static ngx_int_t is_encoded(u_char byte, ngx_uint_t is_item, ngx_uint_t is_spaced) {
    return byte < ' ' || byte >= 0x7f || byte == '%' || (byte == ',' && (is_item || is_spaced)) || (byte == ' ' && is_spaced);
}

/* Writes an encoded text, or with `end` NULL returns only its length. */
static size_t encode(u_char *end, const u_char *text, size_t length, ngx_uint_t is_item) {
    static const u_char hex[] = "0123456789ABCDEF";
    ngx_uint_t is_spaced = length > 0 && (text[0] == ' ' || text[length - 1] == ' ');
    size_t i, written = 0;

    for (i = 0; i < length; i++) {
        if (!is_encoded(text[i], is_item, is_spaced)) {
            if (end != NULL) {
                end[written] = text[i];
            }
            written++;
            continue;
        }
        if (end != NULL) {
            end[written] = '%';
            end[written + 1] = hex[text[i] >> 4];
            end[written + 2] = hex[text[i] & 15];
        }
        written += 3;
    }
    return written;
}

static ngx_int_t set_encoded(ngx_http_request_t *r, ngx_http_variable_value_t *v, const u_char *text, size_t length,
    ngx_uint_t is_item) {
    size_t needed = encode(NULL, text, length, is_item);
    u_char *data = ngx_pnalloc(r->pool, needed + 1);

    if (data == NULL) {
        return NGX_ERROR;
    }
    encode(data, text, length, is_item);
    return set_present(v, data, needed);
}

/* The encoded elements of a list, with commas between them. Elements without a text are left out. */
static ngx_int_t set_list(ngx_http_request_t *r, ngx_http_variable_value_t *v, const ngx_str_t *list) {
    /* An encoded byte takes three, and each element in the list has a comma or bracket. */
    u_char *data = ngx_pnalloc(r->pool, 3 * list->len + 1);
    const u_char *next = list->data;
    ngx_uint_t is_first = 1;
    size_t length = 0;
    ngx_str_t item;

    if (data == NULL) {
        return NGX_ERROR;
    }
    while (ngx_http_jwtauth_next_item(&next, &item)) {
        if (ngx_http_jwtauth_item_text(r->pool, &item) != NGX_OK) {
            continue;
        }
        if (!is_first) {
            data[length++] = ',';
        }
        is_first = 0;
        length += encode(data + length, item.data, item.len, 1);
    }
    return set_present(v, data, length);
}

/* A text of the identity. */
static ngx_int_t get_text(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    ngx_str_t text;

    if (ngx_http_jwtauth_find_text(r->pool, grant_of(r), (const char *)data, &text) != NGX_OK) {
        return set_absent(v);
    }
    return set_encoded(r, v, text.data, text.len, 0);
}

/* Any value: a text, a list, or the notation of another value. */
static ngx_int_t get_value(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    ngx_str_t value;

    if (ngx_http_jwtauth_find(r->pool, grant_of(r), (const char *)data, &value) != NGX_OK) {
        return set_absent(v);
    }
    if (value.data[0] == '[') {
        return set_list(r, v, &value);
    }
    if (ngx_http_jwtauth_item_text(r->pool, &value) != NGX_OK) {
        return set_absent(v);
    }
    return set_encoded(r, v, value.data, value.len, 1);
}

/* The member of an object that the rest of the variable's name names. */
static ngx_int_t get_member(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data, const char *prefix,
    const char *folder) {
    ngx_str_t *name = (ngx_str_t *)data;
    size_t skipped = ngx_strlen(prefix);
    char *pointer;

    if (grant_of(r) == NULL) {
        return set_absent(v);
    }
    pointer = ngx_http_jwtauth_pointer(r->pool, folder, name->data + skipped, name->len - skipped);
    return pointer == NULL ? NGX_ERROR : get_value(r, v, (uintptr_t)pointer);
}

static ngx_int_t get_claim(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    return get_member(r, v, data, "jwtauth_claim_", "/claims/");
}

static ngx_int_t get_metadata(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    return get_member(r, v, data, "jwtauth_metadata_", "/identity/metadata/");
}

static ngx_int_t get_list(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    return get_member(r, v, data, "jwtauth_list_", "/identity/lists/");
}

/* Appends the text at a pointer of an entitlement, encoded. */
static size_t append(ngx_pool_t *pool, u_char *end, ngx_str_t *entitlement, const char *pointer, const char *after) {
    ngx_str_t text;
    size_t length;

    if (ngx_http_jwtauth_find_text(pool, (char *)entitlement->data, pointer, &text) != NGX_OK) {
        return 0;
    }
    length = encode(end, text.data, text.len, 1);
    ngx_memcpy(end + length, after, ngx_strlen(after));
    return length + ngx_strlen(after);
}

static ngx_int_t is_of_kind(ngx_pool_t *pool, ngx_str_t *entitlement, const char *const *kinds) {
    ngx_str_t kind;

    if (ngx_http_jwtauth_find_text(pool, (char *)entitlement->data, "/kind", &kind) != NGX_OK) {
        return 0;
    }
    for (; *kinds != NULL; kinds++) {
        if (ngx_http_jwtauth_is(&kind, *kinds)) {
            return 1;
        }
    }
    return 0;
}

/* The names of entitlements, each after its scope: `1:Editor`. */
static ngx_int_t get_entitlements(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    ngx_str_t list, item;
    const u_char *next;
    size_t length = 0;
    u_char *text;

    if (ngx_http_jwtauth_find(r->pool, grant_of(r), "/entitlements", &list) != NGX_OK) {
        return set_absent(v);
    }
    text = ngx_pnalloc(r->pool, 3 * list.len + 1);
    if (text == NULL) {
        return NGX_ERROR;
    }
    for (next = list.data; ngx_http_jwtauth_next_item(&next, &item);) {
        if (is_of_kind(r->pool, &item, (const char *const *)data)) {
            if (length > 0) {
                text[length++] = ',';
            }
            length += append(r->pool, text + length, &item, "/scope", ":");
            length += append(r->pool, text + length, &item, "/name", "");
        }
    }
    return set_present(v, text, length);
}

static ngx_int_t get_outcome(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    ngx_http_jwtauth_outcome_t *outcome = ngx_http_jwtauth_outcome(origin_of(r));
    ngx_str_t *text = outcome == NULL ? NULL : (ngx_str_t *)((u_char *)outcome + data);

    return text == NULL || text->len == 0 ? set_absent(v) : set_present(v, text->data, text->len);
}

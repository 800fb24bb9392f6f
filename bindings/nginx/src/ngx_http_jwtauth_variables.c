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

/* The reply of the grant; NULL without one. */
static const char *grant_of(ngx_http_request_t *r) {
    ngx_http_jwtauth_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_jwtauth_module);

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
static ngx_int_t set_list(ngx_http_request_t *r, ngx_http_variable_value_t *v, const char *list) {
    /* An encoded byte takes three, and each element in the list has a comma or bracket. */
    u_char *data = ngx_pnalloc(r->pool, 3 * ngx_strlen(list) + 1);
    ngx_uint_t is_first = 1;
    size_t length = 0;
    ngx_str_t item;

    if (data == NULL) {
        return NGX_ERROR;
    }
    while (ngx_http_jwtauth_next_item(&list, &item)) {
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
    const char *grant = grant_of(r);
    char *text = grant == NULL ? NULL : jwtauth_json_get(grant, (const char *)data);
    ngx_int_t rc;

    if (text == NULL) {
        return set_absent(v);
    }
    rc = set_encoded(r, v, (u_char *)text, ngx_strlen(text), 0);
    jwtauth_string_free(text);
    return rc;
}

/* Any value: a text, a list, or the notation of another value. */
static ngx_int_t get_value(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    const char *grant = grant_of(r);
    jwtauth_json type = grant == NULL ? JWTAUTH_JSON_ABSENT : jwtauth_json_type(grant, (const char *)data);
    char *text = type == JWTAUTH_JSON_ABSENT || type == JWTAUTH_JSON_NULL ? NULL : jwtauth_json_get(grant, (const char *)data);
    ngx_int_t rc;

    if (text == NULL) {
        return set_absent(v);
    }
    rc = type == JWTAUTH_JSON_ARRAY ? set_list(r, v, text) : set_encoded(r, v, (u_char *)text, ngx_strlen(text), 1);
    jwtauth_string_free(text);
    return rc;
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
static size_t append(u_char *end, const char *entitlement, const char *pointer, const char *after) {
    char *text = jwtauth_json_get(entitlement, pointer);
    size_t length = 0;

    if (text != NULL) {
        length = encode(end, (u_char *)text, ngx_strlen(text), 1);
        ngx_memcpy(end + length, after, ngx_strlen(after));
        length += ngx_strlen(after);
    }
    jwtauth_string_free(text);
    return length;
}

static ngx_int_t is_of_kind(const char *entitlement, const char *const *kinds) {
    char *kind = jwtauth_json_get(entitlement, "/kind");
    ngx_int_t found = 0;

    for (; kind != NULL && *kinds != NULL && !found; kinds++) {
        found = ngx_strcmp(kind, *kinds) == 0;
    }
    jwtauth_string_free(kind);
    return found;
}

/* The names of entitlements, each after its scope: `1:Editor`. */
static ngx_int_t get_entitlements(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    const char *grant = grant_of(r), *next;
    char *list = grant == NULL ? NULL : jwtauth_json_get(grant, "/entitlements"), *entitlement;
    u_char *text;
    size_t length = 0;
    ngx_str_t item;

    if (list == NULL) {
        return set_absent(v);
    }
    text = ngx_pnalloc(r->pool, 3 * ngx_strlen(list) + 1);
    for (next = list; text != NULL && ngx_http_jwtauth_next_item(&next, &item);) {
        entitlement = ngx_pnalloc(r->pool, item.len + 1);
        if (entitlement == NULL) {
            text = NULL;
            break;
        }
        ngx_memcpy(entitlement, item.data, item.len);
        entitlement[item.len] = '\0';
        if (is_of_kind(entitlement, (const char *const *)data)) {
            if (length > 0) {
                text[length++] = ',';
            }
            length += append(text + length, entitlement, "/scope", ":");
            length += append(text + length, entitlement, "/name", "");
        }
    }
    jwtauth_string_free(list);
    return text == NULL ? NGX_ERROR : set_present(v, text, length);
}

static ngx_int_t get_outcome(ngx_http_request_t *r, ngx_http_variable_value_t *v, uintptr_t data) {
    ngx_http_jwtauth_outcome_t *outcome = ngx_http_jwtauth_outcome(r);
    ngx_str_t *text = outcome == NULL ? NULL : (ngx_str_t *)((u_char *)outcome + data);

    return text == NULL || text->len == 0 ? set_absent(v) : set_present(v, text->data, text->len);
}

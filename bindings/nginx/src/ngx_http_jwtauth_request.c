/*
 * A client's request as the JSON that the library reads.
 *
 * Only the headers that the policy reads are passed on, and each of them with every value that the client sent. A byte beyond
 * ASCII becomes the character with its number (ISO 8859-1), so that any bytes give valid JSON.
 */

#include "ngx_http_jwtauth.h"

/* Counts bytes if there is no place for them yet. */
typedef struct {
    u_char *end;
    size_t length;
} json_t;

static void put(json_t *json, const void *bytes, size_t length) {
    if (json->end != NULL) {
        json->end = ngx_cpymem(json->end, bytes, length);
    }
    json->length += length;
}

#define put_literal(json, text) put(json, text, sizeof(text) - 1)

/* Puts the inside of a string. Text of the configuration is UTF-8 already. */
static void put_inside(json_t *json, const u_char *text, size_t length, unsigned is_utf8) {
    static const u_char hex[] = "0123456789abcdef";
    size_t i, start = 0;
    u_char escape[6] = {'\\', 'u', '0', '0'};

    for (i = 0; i < length; i++) {
        u_char byte = text[i];

        if (byte >= ' ' && byte != '"' && byte != '\\' && (byte < 0x7f || (byte >= 0x80 && is_utf8))) {
            continue;
        }
        put(json, text + start, i - start);
        start = i + 1;
        escape[4] = hex[byte >> 4];
        escape[5] = hex[byte & 15];
        put(json, escape, sizeof escape);
    }
    put(json, text + start, length - start);
}

static void put_text(json_t *json, const ngx_str_t *text, unsigned is_utf8) {
    put_literal(json, "\"");
    put_inside(json, text->data, text->len, is_utf8);
    put_literal(json, "\"");
}

/* Calls `each` with every value of a header. */
static ngx_uint_t each_value(ngx_http_request_t *r, const ngx_str_t *name, void (*each)(void *data, ngx_str_t *value, ngx_uint_t n),
    void *data) {
    ngx_list_part_t *part = &r->headers_in.headers.part;
    ngx_uint_t i, count = 0;

    for (; part != NULL; part = part->next) {
        ngx_table_elt_t *header = part->elts;
        for (i = 0; i < part->nelts; i++) {
            if (header[i].key.len == name->len && ngx_strncasecmp(header[i].key.data, name->data, name->len) == 0) {
                each(data, &header[i].value, count++);
            }
        }
    }
    return count;
}

static void put_value(void *data, ngx_str_t *value, ngx_uint_t n) {
    json_t *json = data;

    if (n > 0) {
        put_literal(json, ",");
    }
    put_text(json, value, 0);
}

static void take_first(void *data, ngx_str_t *value, ngx_uint_t n) {
    if (n == 0) {
        *(ngx_str_t *)data = *value;
    }
}

/* Puts a header with the list of its values. An empty list stands for a header that is not there. */
static void put_header(json_t *json, ngx_http_request_t *r, const ngx_str_t *name, unsigned *is_first) {
    ngx_str_t first;

    if (name->len == 0 || each_value(r, name, take_first, &first) == 0) {
        return;
    }
    if (!*is_first) {
        put_literal(json, ",");
    }
    *is_first = 0;
    put_text(json, name, 1);
    put_literal(json, ":[");
    each_value(r, name, put_value, json);
    put_literal(json, "]");
}

static ngx_int_t is_same(const ngx_str_t *one, const ngx_str_t *other) {
    return one->len == other->len && ngx_memcmp(one->data, other->data, one->len) == 0;
}

static void put_request(json_t *json, ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *profile,
    const ngx_str_t *bearer) {
    unsigned is_first = 1;

    if (verifier->reads_bearer) {
        put_literal(json, "{\"remote_addr\":");
        put_text(json, &r->connection->addr_text, 0);
        if (bearer->len > 0) {
            put_literal(json, ",\"token\":");
            put_text(json, bearer, 0);
        }
    } else {
        put_literal(json, "{\"headers\":{");
        put_header(json, r, &verifier->header, &is_first);
        if (!is_same(&verifier->cookie, &verifier->header)) {
            put_header(json, r, &verifier->cookie, &is_first);
        }
        if (!is_same(&verifier->org_header, &verifier->header) && !is_same(&verifier->org_header, &verifier->cookie)) {
            put_header(json, r, &verifier->org_header, &is_first);
        }
        /* As the client sent it, so that a rewrite, an internal redirect or a subrequest decides about the same token. */
        put_literal(json, "},\"url\":");
        put_text(json, &r->unparsed_uri, 0);
        put_literal(json, ",\"remote_addr\":");
        put_text(json, &r->connection->addr_text, 0);
    }
    if (profile->len > 0) {
        put_literal(json, ",\"profile\":");
        put_text(json, profile, 1);
    }
    put_literal(json, NGX_HTTP_JWTAUTH_CACHED_ONLY);
}

/* The token of `Authorization: Bearer`, as the other integrations find it; empty if there is none. */
static ngx_int_t find_bearer(ngx_http_request_t *r, const ngx_str_t *name, ngx_str_t *bearer) {
    static const u_char scheme[] = "bearer ";
    ngx_str_t value = ngx_null_string;

    ngx_str_null(bearer);
    if (each_value(r, name, take_first, &value) > 1) {
        return NGX_DECLINED;
    }
    if (value.len < sizeof scheme - 1 || ngx_strncasecmp(value.data, (u_char *)scheme, sizeof scheme - 1) != 0) {
        return NGX_OK;
    }
    value.data += sizeof scheme - 1;
    value.len -= sizeof scheme - 1;
    while (value.len > 0 && value.data[0] == ' ') {
        value.data++;
        value.len--;
    }
    if (value.len > 0 && value.data[0] != '\t') {
        *bearer = value;
    }
    return NGX_OK;
}

ngx_int_t ngx_http_jwtauth_request(ngx_http_request_t *r, ngx_http_jwtauth_verifier_t *verifier, const ngx_str_t *profile,
    ngx_str_t *text) {
    json_t json = {NULL, 0};
    ngx_str_t bearer = ngx_null_string;

    if (verifier->reads_bearer && find_bearer(r, &verifier->header, &bearer) != NGX_OK) {
        return NGX_DECLINED;
    }
    put_request(&json, r, verifier, profile, &bearer);
    text->len = json.length;
    text->data = ngx_pnalloc(r->pool, json.length + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }
    json.end = text->data;
    put_request(&json, r, verifier, profile, &bearer);
    *json.end = '\0';
    return NGX_OK;
}

/*
 * Reads parts of replies where they stand, in one pass and without a copy: a location may read many of them for each request.
 *
 * A reply is valid JSON without white space and without duplicate names, because the library wrote it.
 */

#include "ngx_http_jwtauth.h"

/* The end of the value at `text`: what comes after it, or the end of the reply. */
static const u_char *skip(const u_char *text) {
    ngx_uint_t depth = 0, in_string = 0;

    for (; *text != '\0'; text++) {
        if (in_string) {
            if (*text == '\\' && text[1] != '\0') {
                text++;
            } else if (*text == '"') {
                in_string = 0;
            }
        } else if (*text == '"') {
            in_string = 1;
        } else if (*text == '[' || *text == '{') {
            depth++;
        } else if (depth > 0 && (*text == ']' || *text == '}')) {
            depth--;
        } else if (depth == 0 && (*text == ',' || *text == ']' || *text == '}' || *text == ':')) {
            break;
        }
    }
    return text;
}

/* The next element of a list, or the next name of an object, in its notation. `next` is the text of the list at first. */
ngx_int_t ngx_http_jwtauth_next_item(const u_char **next, ngx_str_t *item) {
    const u_char *start = *next;

    if (*start != '[' && *start != '{' && *start != ',') {
        return 0;
    }
    start++;
    if (*start == ']' || *start == '}' || *start == '\0') {
        return 0;
    }
    *next = skip(start);
    item->data = (u_char *)start;
    item->len = (size_t)(*next - start);
    return 1;
}

/* Whether a name in its notation is that of a part of a JSON pointer. */
static ngx_int_t is_named(ngx_pool_t *pool, ngx_str_t *name, const char *part, size_t length) {
    ngx_str_t text = *name;
    size_t i, used = 0;

    if (ngx_http_jwtauth_item_text(pool, &text) != NGX_OK) {
        return 0;
    }
    for (i = 0; i < length; i++) {
        char wanted = part[i];

        if (wanted == '~' && i + 1 < length) {
            wanted = part[++i] == '1' ? '/' : '~';
        }
        if (used == text.len || text.data[used++] != (u_char)wanted) {
            return 0;
        }
    }
    return used == text.len;
}

static ngx_int_t find_member(ngx_pool_t *pool, ngx_str_t *value, const char *part, size_t length) {
    const u_char *next = value->data, *end;
    ngx_str_t name;

    while (ngx_http_jwtauth_next_item(&next, &name)) {
        if (*next != ':') {
            return NGX_DECLINED;
        }
        end = skip(next + 1);
        if (is_named(pool, &name, part, length)) {
            value->data = (u_char *)next + 1;
            value->len = (size_t)(end - value->data);
            return NGX_OK;
        }
        next = end;
    }
    return NGX_DECLINED;
}

static ngx_int_t find_element(ngx_str_t *value, const char *part, size_t length) {
    ngx_int_t index = length > 1 && part[0] == '0' ? NGX_ERROR : ngx_atoi((u_char *)part, length);
    const u_char *next = value->data;

    for (; index >= 0 && ngx_http_jwtauth_next_item(&next, value); index--) {
        if (index == 0) {
            return NGX_OK;
        }
    }
    return NGX_DECLINED;
}

/* Finds the value at a JSON pointer (RFC 6901), in its notation. NGX_DECLINED: there is none. */
ngx_int_t ngx_http_jwtauth_find(ngx_pool_t *pool, const char *json, const char *pointer, ngx_str_t *value) {
    ngx_int_t rc = json == NULL ? NGX_DECLINED : NGX_OK;
    size_t length;

    value->data = (u_char *)json;
    value->len = json == NULL ? 0 : ngx_strlen(json);
    while (rc == NGX_OK && *pointer == '/') {
        pointer++;
        length = strcspn(pointer, "/");
        if (value->data[0] == '{') {
            rc = find_member(pool, value, pointer, length);
        } else {
            rc = value->data[0] == '[' ? find_element(value, pointer, length) : NGX_DECLINED;
        }
        pointer += length;
    }
    return rc;
}

/* Finds the string at a JSON pointer, as text. */
ngx_int_t ngx_http_jwtauth_find_text(ngx_pool_t *pool, const char *json, const char *pointer, ngx_str_t *text) {
    if (ngx_http_jwtauth_find(pool, json, pointer, text) == NGX_OK && text->data[0] == '"') {
        return ngx_http_jwtauth_item_text(pool, text);
    }
    ngx_str_null(text);
    return NGX_DECLINED;
}

ngx_int_t ngx_http_jwtauth_is(const ngx_str_t *text, const char *other) {
    return text->len == ngx_strlen(other) && ngx_memcmp(text->data, other, text->len) == 0;
}

/* Replaces an element by its text: that of a string, or the notation of another value. NGX_DECLINED: it is null, or has none. */
ngx_int_t ngx_http_jwtauth_item_text(ngx_pool_t *pool, ngx_str_t *item) {
    char *copy, *text;

    if (item->len < 2 || item->data[0] != '"') {
        return item->len == 4 && ngx_memcmp(item->data, "null", 4) == 0 ? NGX_DECLINED : NGX_OK;
    }
    if (ngx_strlchr(item->data, item->data + item->len, '\\') == NULL) {
        item->data++;
        item->len -= 2;
        return NGX_OK;
    }
    copy = ngx_pnalloc(pool, item->len + 1);
    if (copy == NULL) {
        return NGX_ERROR;
    }
    ngx_memcpy(copy, item->data, item->len);
    copy[item->len] = '\0';
    text = jwtauth_json_get(copy, "");
    if (text == NULL) {
        /* It contains U+0000, which would cut it off. */
        return NGX_DECLINED;
    }
    /* A text is never longer than its notation. */
    item->len = ngx_strlen(text);
    item->data = (u_char *)copy;
    ngx_memcpy(copy, text, item->len);
    jwtauth_string_free(text);
    return NGX_OK;
}

/* The JSON pointer of a member, whatever its name contains (RFC 6901, section 3). */
char *ngx_http_jwtauth_pointer(ngx_pool_t *pool, const char *folder, const u_char *name, size_t length) {
    size_t i, start = ngx_strlen(folder);
    u_char *pointer = ngx_pnalloc(pool, start + 2 * length + 1), *end;

    if (pointer == NULL) {
        return NULL;
    }
    end = ngx_cpymem(pointer, folder, start);
    for (i = 0; i < length; i++) {
        if (name[i] == '~' || name[i] == '/') {
            *end++ = '~';
            *end++ = name[i] == '~' ? '0' : '1';
        } else {
            *end++ = name[i];
        }
    }
    *end = '\0';
    return (char *)pointer;
}

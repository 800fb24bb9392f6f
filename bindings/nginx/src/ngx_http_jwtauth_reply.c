/* Reads parts of replies: the elements of lists, in one pass, and JSON pointers to members with any name. */

#include "ngx_http_jwtauth.h"

/*
 * The next element of a list, in the notation of the reply. `next` is the list's text at first. The reply is valid JSON without
 * white space.
 */
ngx_int_t ngx_http_jwtauth_next_item(const char **next, ngx_str_t *item) {
    const char *start = *next, *end;
    ngx_uint_t depth = 0, in_string = 0;

    if (*start != '[' && *start != ',') {
        return 0;
    }
    start++;
    if (*start == ']' || *start == '\0') {
        return 0;
    }
    for (end = start; *end != '\0'; end++) {
        if (in_string) {
            if (*end == '\\' && end[1] != '\0') {
                end++;
            } else if (*end == '"') {
                in_string = 0;
            }
        } else if (*end == '"') {
            in_string = 1;
        } else if (*end == '[' || *end == '{') {
            depth++;
        } else if (depth > 0 && (*end == ']' || *end == '}')) {
            depth--;
        } else if (depth == 0 && (*end == ',' || *end == ']')) {
            break;
        }
    }
    item->data = (u_char *)start;
    item->len = (size_t)(end - start);
    *next = end;
    return 1;
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

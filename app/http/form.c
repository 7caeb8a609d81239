/* Decoding of percent-escapes and of urlencoded pairs. Used by request.c for the target and
 * the query, by serve/dispatch for the forms of pages, and by ingest's conventions that post
 * forms. */
#include "http/form.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool http_decode(struct arena *arena, struct str text, bool is_form, struct str *out)
{
    char *bytes = arena_alloc(arena, text.len + 1);
    size_t len = 0;

    if (!bytes) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1;
            int low = text.len - i > 2 ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0) {
                return false;
            }
            c = (char)(high * 16 + low);
            i += 2;
        } else if (c == '+' && is_form) {
            c = ' ';
        }
        bytes[len++] = c;
    }
    *out = (struct str){ bytes, len };
    return str_is_utf8(*out);
}

static enum err add_pair(struct op *op, const char *what, struct str piece, struct http_param *pair)
{
    struct str value = piece;
    struct str name = str_cut(&value, '=');

    if (!http_decode(op->arena, name, true, &pair->name) ||
        !http_decode(op->arena, value, true, &pair->value)) {
        return fail(op, ERR_MALFORMED, "The %s holds a bad escape or bytes that are not UTF-8.",
                    what);
    }
    return OK;
}

enum err http_parse_form(struct op *op, const char *what, struct str text, struct http_param *pairs,
                         int max, int *out_n)
{
    int n = 0;

    *out_n = 0;
    while (text.ptr && text.len > 0) {
        struct str piece = str_cut(&text, '&');
        if (piece.len == 0) {
            continue;
        }
        if (n == max) {
            return fail(op, ERR_MALFORMED, "The %s holds more than %d fields.", what, max);
        }
        enum err err = add_pair(op, what, piece, &pairs[n]);
        if (err != OK) {
            return err;
        }
        n++;
        *out_n = n;
    }
    return OK;
}

struct str http_param_find(const struct http_param *pairs, int n, const char *name)
{
    struct str wanted = str_of(name);

    for (int i = 0; i < n; i++) {
        if (str_equal(pairs[i].name, wanted)) {
            return pairs[i].value;
        }
    }
    return (struct str){ NULL, 0 };
}

enum err http_read_form(struct http_request *request, size_t cap)
{
    struct http_param *fields;
    struct str body;

    if (request->is_form_read ||
        !str_equal(request->content_type, STR("application/x-www-form-urlencoded"))) {
        return OK;
    }
    fields = arena_array(request->op->arena, MAX_FORM_FIELDS, sizeof *fields);
    if (!fields) {
        return fail_memory(request->op);
    }
    enum err err = http_read_decoded_body(request, cap, &body);
    if (err == OK) {
        err = http_parse_form(request->op, "form", body, fields, MAX_FORM_FIELDS,
                              &request->n_form);
    }
    if (err == OK) {
        request->form = fields;
        request->is_form_read = true;
    }
    return err;
}

size_t http_stranger_cap(const struct http_request *request)
{
    return http_is_packed(request) ? MAX_FORM_BODY_BYTES : MAX_INGEST_BODY_BYTES;
}

struct str http_field(const struct http_request *request, const char *name)
{
    struct str value = http_query(request, name);

    return value.ptr || !request->form ? value
                                       : http_param_find(request->form, request->n_form, name);
}

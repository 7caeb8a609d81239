/* Makes a request of what the wire says: method, target, path segments decoded once, query,
 * headers, cookies, and the body within its cap. Knows neither FastCGI nor routes. Called by
 * serve/dispatch and the handlers. */
#include "http/request.h"

#include "base/buf.h"
#include "http/coding.h"
#include "http/form.h"
#include "http/transport.h"

static const struct {
    const char *name;
    enum http_method method;
} METHODS[] = {
    { "GET", HTTP_GET },         { "HEAD", HTTP_HEAD },   { "POST", HTTP_POST },
    { "PUT", HTTP_PUT },         { "PATCH", HTTP_PATCH }, { "DELETE", HTTP_DELETE },
    { "OPTIONS", HTTP_OPTIONS },
};
#define N_METHODS (sizeof METHODS / sizeof METHODS[0])

#define MAX_HEADER_NAME_BYTES 64

static struct str variable(const struct http_request *request, const char *name)
{
    struct http_transport *transport = request->transport;

    return str_of(transport ? transport->variable(transport, name) : NULL);
}

const char *http_method_name(enum http_method method)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if (METHODS[i].method == method) {
            return METHODS[i].name;
        }
    }
    return "?";
}

static enum http_method method_of(struct str name)
{
    for (size_t i = 0; i < N_METHODS; i++) {
        if (str_equal(name, str_of(METHODS[i].name))) {
            return METHODS[i].method;
        }
    }
    return HTTP_OTHER;
}

/* "Text/HTML; charset=utf-8" → "text/html". */
static struct str media_type(struct arena *arena, struct str value)
{
    struct str type = str_trim(str_cut(&value, ';'));
    char *lower = arena_copy(arena, type);

    if (!lower) {
        return (struct str){ NULL, 0 };
    }
    for (size_t i = 0; i < type.len; i++) {
        if (lower[i] >= 'A' && lower[i] <= 'Z') {
            lower[i] = (char)(lower[i] - 'A' + 'a');
        }
    }
    return (struct str){ lower, type.len };
}

/* nginx says nothing where there is no body, and the true length of a chunked one it buffered. */
static enum err read_length(struct http_request *request)
{
    struct str text = variable(request, "CONTENT_LENGTH");
    long long length = -1;

    request->content_length = -1;
    if (text.len > 0 && (!str_to_int64(text, &length) || length < 0 || text.ptr[0] == '+')) {
        return fail(request->op, ERR_MALFORMED, "Content-Length is not a number of bytes.");
    }
    request->content_length = length;
    return OK;
}

static enum err add_segment(struct http_request *request, struct str piece)
{
    struct str *segment = &request->segments[request->n_segments];

    if (request->n_segments == MAX_PATH_SEGMENTS) {
        return fail(request->op, ERR_NOT_FOUND, "There is nothing at this address.");
    }
    if (!http_decode(request->op->arena, piece, false, segment)) {
        return fail(request->op, ERR_MALFORMED,
                    "The path holds a bad escape or bytes that are not UTF-8.");
    }
    if (str_equal(*segment, STR(".")) || str_equal(*segment, STR(".."))) {
        return fail(request->op, ERR_MALFORMED, "The path holds a dot segment.");
    }
    request->n_segments++;
    return OK;
}

static enum err split_target(struct http_request *request)
{
    struct str query = request->target;
    struct str rest;

    if (request->target.len == 0 || request->target.ptr[0] != '/') {
        return fail(request->op, ERR_MALFORMED, "The request's target is not a path.");
    }
    request->path = str_cut(&query, '?');
    rest = (struct str){ request->path.ptr + 1, request->path.len - 1 };
    while (rest.ptr && request->path.len > 1) {
        enum err err = add_segment(request, str_cut(&rest, '/'));
        if (err != OK) {
            return err;
        }
    }
    return http_parse_form(request->op, "query", query, request->query, MAX_QUERY_PARAMS,
                           &request->n_query);
}

enum err http_request_init(struct http_request *request, struct op *op,
                           struct http_transport *transport)
{
    *request = (struct http_request){ .op = op, .transport = transport };
    request->method = method_of(variable(request, "REQUEST_METHOD"));
    request->target = variable(request, "REQUEST_URI");
    request->remote_addr = variable(request, "REMOTE_ADDR");
    request->is_https = str_equal_nocase(variable(request, "HTTPS"), STR("on"));
    request->content_type = media_type(op->arena, variable(request, "CONTENT_TYPE"));

    enum err err = split_target(request);
    return err != OK ? err : read_length(request);
}

/* "Accept-Language" → "HTTP_ACCEPT_LANGUAGE". */
struct str http_header(const struct http_request *request, const char *name)
{
    char cgi[MAX_HEADER_NAME_BYTES + 6] = "HTTP_";
    size_t len = strlen(name);

    if (len > MAX_HEADER_NAME_BYTES) {
        return (struct str){ NULL, 0 };
    }
    for (size_t i = 0; i < len; i++) {
        char c = name[i];
        cgi[5 + i] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    cgi[5 + len] = '\0';
    if (strcmp(cgi, "HTTP_CONTENT_TYPE") == 0 || strcmp(cgi, "HTTP_CONTENT_LENGTH") == 0) {
        return variable(request, cgi + 5); /* CGI names these two without the prefix */
    }
    return variable(request, cgi);
}

struct str http_cookie(const struct http_request *request, const char *name)
{
    struct str rest = http_header(request, "Cookie");
    struct str wanted = str_of(name);

    while (rest.ptr && rest.len > 0) {
        struct str value = str_trim(str_cut(&rest, ';'));
        if (str_equal(str_trim(str_cut(&value, '=')), wanted) && value.ptr) {
            value = str_trim(value);
            if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
                value = (struct str){ value.ptr + 1, value.len - 2 };
            }
            return value;
        }
    }
    return (struct str){ NULL, 0 };
}

struct str http_query(const struct http_request *request, const char *name)
{
    return http_param_find(request->query, request->n_query, name);
}

struct str http_capture(const struct http_request *request, const char *name)
{
    return http_param_find(request->captures, request->n_captures, name);
}

static enum err fail_cut(struct http_request *request)
{
    return fail(request->op, ERR_MALFORMED, "The body ended before its announced length.");
}

/* Nothing was read: the request may be looked at again when its body is there. */
static enum err fail_coming(struct http_request *request)
{
    request->op->would_wait = true;
    return fail(request->op, ERR_UNAVAILABLE, "the body is still to come");
}

static enum err fail_too_large(struct http_request *request, size_t cap)
{
    return fail(request->op, ERR_TOO_LARGE, "The body is larger than %zu bytes.", cap);
}

static enum err fail_longer(struct http_request *request)
{
    return fail(request->op, ERR_MALFORMED, "The body is longer than its Content-Length.");
}

/* A body of announced length that is in memory. */
static enum err take_whole(struct http_request *request, struct str *out)
{
    size_t length = (size_t)request->content_length;

    *out = request->transport->whole(request->transport);
    if (out->len < length) {
        return fail_cut(request);
    }
    return out->len == length ? OK : fail_longer(request);
}

/* A body of announced length: one block of its size, and nothing may follow. */
static enum err read_announced(struct http_request *request, struct str *out)
{
    struct http_transport *transport = request->transport;
    size_t length = (size_t)request->content_length;
    char *bytes = arena_alloc(request->op->arena, length + 1);
    size_t at = 0;

    if (!bytes) {
        return fail_memory(request->op);
    }
    while (at <= length) { /* one byte more than announced is asked for: it must not be there */
        int64_t n = transport->read(transport, bytes + at, length + 1 - at);
        if (n < 0) {
            return fail_cut(request);
        }
        if (n == 0) {
            break;
        }
        at += (size_t)n;
    }
    if (at < length) {
        return fail_cut(request);
    }
    if (at > length) {
        return fail_longer(request);
    }
    *out = (struct str){ bytes, length };
    return OK;
}

/* A body of unknown length, read until it ends. */
static enum err read_unannounced(struct http_request *request, size_t cap, struct str *out)
{
    struct http_transport *transport = request->transport;
    struct buf body;
    char block[8192];

    buf_init(&body, request->op->arena, cap);
    for (;;) {
        int64_t n = transport->read(transport, block, sizeof block);
        if (n < 0) {
            return fail_cut(request);
        }
        if (n == 0) {
            break;
        }
        if (body.len + (size_t)n > cap) {
            return fail_too_large(request, cap);
        }
        buf_add(&body, block, (size_t)n);
    }
    *out = buf_str(&body);
    return body.is_broken ? fail_memory(request->op) : OK;
}

enum err http_read_body(struct http_request *request, size_t cap, struct str *out)
{
    *out = (struct str){ NULL, 0 };
    if (request->transport->is_coming) {
        return fail_coming(request);
    }
    if (request->content_length < 0) {
        return read_unannounced(request, cap, out);
    }
    if ((uint64_t)request->content_length > cap) {
        return fail_too_large(request, cap);
    }
    return request->transport->whole ? take_whole(request, out) : read_announced(request, out);
}

/* NULL: it is not known. */
static const struct http_coding *coding_of(const struct http_request *request)
{
    return http_coding_find(str_trim(http_header(request, "Content-Encoding")));
}

bool http_is_packed(const struct http_request *request)
{
    const struct http_coding *coding = coding_of(request);

    return coding && coding->decode;
}

static enum err read_decoded(struct http_request *request, size_t cap, struct str *out)
{
    const struct http_coding *coding = coding_of(request);
    struct str body;

    if (!coding) {
        return fail(request->op, ERR_MEDIA_TYPE, "Content-Encoding may be " HTTP_CODING_NAMES ".");
    }
    enum err err = http_read_body(request, cap, &body);
    if (err != OK || !coding->decode) {
        *out = body;
        return err;
    }
    return coding->decode(request->op, body, cap, out);
}

enum err http_read_decoded_body(struct http_request *request, size_t cap, struct str *out)
{
    if (!request->is_body_read) {
        enum err err = read_decoded(request, cap, &request->body);
        if (err != OK) {
            return err;
        }
        request->is_body_read = true;
    }
    *out = request->body;
    return OK;
}

bool http_drain_body(struct http_transport *transport, size_t cap)
{
    char block[8192];
    size_t dropped = 0;

    while (dropped <= cap) {
        int64_t n = transport->read(transport, block, sizeof block);
        if (n <= 0) {
            return n == 0;
        }
        dropped += (size_t)n;
    }
    return false;
}

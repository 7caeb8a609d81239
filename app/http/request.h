/* One HTTP request as the handlers see it: decoded once, bounded, borrowed from the
 * operation's arena. Knows nothing of FastCGI (http/fcgi does) nor of routes. */
#ifndef TIDEMARK_HTTP_REQUEST_H
#define TIDEMARK_HTTP_REQUEST_H

#include "base/limits.h"
#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

enum http_method {
    HTTP_GET = 1,
    HTTP_HEAD = 2,
    HTTP_POST = 4,
    HTTP_PUT = 8,
    HTTP_PATCH = 16,
    HTTP_DELETE = 32,
    HTTP_OPTIONS = 64,
    HTTP_OTHER = 128
};

struct http_param {
    struct str name, value;
};

struct http_request {
    struct op *op;
    enum http_method method;
    struct str target;                         /* REQUEST_URI as sent */
    struct str path;                           /* its path, still encoded */
    struct str segments[MAX_PATH_SEGMENTS];    /* of the path, each decoded once; UTF-8 */
    int n_segments;                            /* "/" has none */
    struct http_param query[MAX_QUERY_PARAMS]; /* decoded */
    int n_query;
    struct http_param captures[4]; /* {name} parts of the matched route */
    int n_captures;
    struct str content_type; /* without parameters, lower case */
    int64_t content_length;  /* -1: not said (chunked, unbuffered) */
    struct str remote_addr;  /* of the client, after TRUSTED_PROXIES */
    bool is_https;
    struct http_transport *transport; /* headers and body; NULL: no headers (a body read again) */
    struct str body;                  /* decoded, once it was read; see http_read_decoded_body */
    const struct http_param *form;    /* fields of a form's body, once read; see http_read_form */
    int n_form;
    bool is_body_read, is_form_read;
    const char *receipt; /* what the sender of a sealed body waits for (auth/sealed.h); or NULL */
    const void *note; /* a format's of ingest, from reading to answering */
};

/* The value of a header by its ordinary name ("Accept-Language"); empty view when absent. */
struct str http_header(const struct http_request *request, const char *name);

/* The value of a cookie; empty view when absent. */
struct str http_cookie(const struct http_request *request, const char *name);

/* The first value of a query parameter; ptr NULL when absent. */
struct str http_query(const struct http_request *request, const char *name);

/* A part of the path that the route captured; never NULL for a name of the route. */
struct str http_capture(const struct http_request *request, const char *name);

/* Reads the whole body, at most `cap` bytes. ERR_TOO_LARGE beyond, ERR_MALFORMED when it
 * was cut short (Content-Length longer than what came, or a broken chunked body); ERR_UNAVAILABLE,
 * with op->would_wait, while the transport says that it is still to come. */
enum err http_read_body(struct http_request *request, size_t cap, struct str *out) MUST_CHECK;

/* The same with its Content-Encoding undone (http/coding.h); `cap` counts decoded bytes.
 * ERR_MEDIA_TYPE for an encoding that is not known, and the failure of http_fail_over. Who reads it
 * again gets the same bytes. */
enum err http_read_decoded_body(struct http_request *request, size_t cap,
                                struct str *out) MUST_CHECK;

/* True for a body that its Content-Encoding says is packed. */
bool http_is_packed(const struct http_request *request);

/* Percent-decodes into the arena; `is_form` turns + into a space. False on a bad escape,
 * NUL or bytes that are not UTF-8. */
bool http_decode(struct arena *arena, struct str text, bool is_form, struct str *out);

#endif

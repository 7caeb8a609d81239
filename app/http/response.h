/* The answer, built in memory and sent by the pipeline after the transaction was
 * committed. Knows nothing of FastCGI. */
#ifndef TIDEMARK_HTTP_RESPONSE_H
#define TIDEMARK_HTTP_RESPONSE_H

#include "base/buf.h"
#include "base/op.h"

#define HTTP_MAX_HEADERS 24

/* One entry of the `errors` list of a problem or a 207. */
struct http_item_error {
    int index;         /* position in the request, or -1 */
    const char *field; /* or NULL */
    const char *detail;
};

struct http_response {
    int status;               /* 200 unless set */
    const char *content_type; /* NULL when there is no body */
    struct {
        const char *name, *value;
    } headers[HTTP_MAX_HEADERS];
    int n_headers;
    struct buf body;
    bool is_streamed; /* the body goes on after `body`; its length is not known */
    struct arena *arena;
    const struct http_item_error *errors; /* what a handler found wrong; told by http_problem */
    int n_errors;
};

/* An empty 200. */
void http_response_init(struct http_response *response, struct arena *arena);

/* Adds a header; the value is copied, and refused (false) when it holds CR, LF or NUL. */
bool http_add_header(struct http_response *response, const char *name, const char *value);

/* The value of a header added before; NULL when there is none. */
const char *http_response_header(const struct http_response *response, const char *name);

/* 303 to `location` (a path of ours). */
void http_redirect(struct http_response *response, const char *location);

/* Turns the operation's failure into an RFC 9457 problem document, with the response's list of
 * errors. `instance` is the request's path. Drops what the body held before; keeps headers. */
void http_problem(struct http_response *response, const struct op *op, struct str instance);

/* What a client may read of the operation's failure: its detail, or a general sentence where
 * the detail is not the client's. */
const char *http_public_detail(const struct op *op);

/* As http_problem, with this list of errors. */
void http_problem_items(struct http_response *response, const struct op *op, struct str instance,
                        const struct http_item_error *items, int n_items);

/* The words of a status line, "Not Found". */
const char *http_reason(int status);

#endif

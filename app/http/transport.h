/* What a request needs of the wire: named variables and a body that is read once.
 * http/fcgi implements it over FastCGI, unit tests over memory. */
#ifndef TIDEMARK_HTTP_TRANSPORT_H
#define TIDEMARK_HTTP_TRANSPORT_H

#include "http/request.h"

#include <stddef.h>
#include <stdint.h>

struct http_transport {
    /* A CGI variable ("REQUEST_URI", "HTTP_ACCEPT"); NULL when absent. */
    const char *(*variable)(struct http_transport *transport, const char *name);
    /* Up to `cap` bytes of the body: their number, 0 at its end, -1 when it was cut short. */
    int64_t (*read)(struct http_transport *transport, char *out, size_t cap);
    /* What is left of the body, where all of it is in memory, followed by a NUL; it is read then.
     * NULL: it has to be read. */
    struct str (*whole)(struct http_transport *transport);
    /* Some of the body is still to come, and whoever would read it now has to wait. */
    bool is_coming;
};

/* Fills `request` from the wire. ERR_MALFORMED for a target, a path segment, a query or a
 * Content-Length that cannot be understood; what was understood until then is filled in. */
enum err http_request_init(struct http_request *request, struct op *op,
                           struct http_transport *transport) MUST_CHECK;

/* "GET", …; "?" for HTTP_OTHER. */
const char *http_method_name(enum http_method method);

/* Reads and drops what is left of the body, at most `cap` bytes: true when its end was reached,
 * so that the connection can carry another request. */
bool http_drain_body(struct http_transport *transport, size_t cap);

#endif

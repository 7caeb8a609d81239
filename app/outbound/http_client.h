/* Requests to other servers: one at a time on a connection that is kept alive. The only
 * place that includes libcurl. Not shared between threads. */
#ifndef TIDEMARK_OUTBOUND_HTTP_CLIENT_H
#define TIDEMARK_OUTBOUND_HTTP_CLIENT_H

#include "base/op.h"
#include "base/str.h"

struct http_client {
    void *handle;               /* libcurl's */
};

struct http_client_request {
    const char *url;            /* http or https */
    const char *content_type;   /* of the body */
    const char *bearer;         /* token, or NULL */
    struct str body;            /* sent by POST */
    int timeout_ms;             /* for all of it, connecting included */
};

struct http_client_answer {
    int status;                 /* HTTP status */
    int retry_after_s;          /* of Retry-After; 0: not said */
    struct str body;            /* its first 64 KiB, in the op's arena */
};

/* False without memory. Release with http_client_close. */
bool http_client_open(struct http_client *client);
void http_client_close(struct http_client *client);

/* POSTs and waits for the answer, whatever its status; redirects are not followed.
 * ERR_UNAVAILABLE when there is none: no connection, cut, or too slow. */
enum err http_client_post(struct http_client *client, struct op *op,
                          const struct http_client_request *request,
                          struct http_client_answer *out) MUST_CHECK;

#endif

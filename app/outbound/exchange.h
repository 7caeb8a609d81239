/* Single requests to a server of any method, with headers, a body from memory and an answer that
 * may be longer than memory: what a protocol of its own (objects/s3) is made of. Connections are
 * kept alive between requests. Not shared between threads. */
#ifndef TIDEMARK_OUTBOUND_EXCHANGE_H
#define TIDEMARK_OUTBOUND_EXCHANGE_H

#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct exchange_client {
    void *handle;        /* libcurl's */
    const char *ca_file; /* of those that servers are believed by; NULL: the system's */
};

#define EXCHANGE_MAX_HEADERS 12

/* Takes a piece of the answer's body; anything but OK ends the exchange with that. */
typedef enum err (*exchange_sink)(void *context, struct op *op, struct str bytes);

struct exchange_request {
    const char *method, *url;  /* the url is sent as it is written */
    const char *headers[EXCHANGE_MAX_HEADERS]; /* "Name: value" */
    int n_headers;
    struct str body;           /* ptr NULL: none */
    exchange_sink sink;        /* of the body of an answer with `sink_status`; NULL: it is kept */
    void *context;
    int sink_status;
    size_t max_body;           /* bytes of a body that is kept; a longer one is ERR_INTERNAL */
};

struct exchange_answer {
    int status;              /* 0: there was none */
    int64_t content_length;  /* as the headers say; -1: not */
    int64_t modified_s;      /* of Last-Modified; -1: not said */
    int retry_after_s;       /* 0: not said */
    struct str body;         /* what was not for the sink; in the op's arena */
};

/* False without memory. Release with exchange_close. The path is borrowed. */
bool exchange_open(struct exchange_client *client, const char *ca_file);
void exchange_close(struct exchange_client *client);

/* Sends and waits for the answer, whatever its status; redirects are not followed. ERR_UNAVAILABLE
 * when there is none, or it was cut short or stood still for half a minute: what was received of it
 * until then is in *out. The sink's error where that ended it. */
enum err exchange_run(struct exchange_client *client, struct op *op,
                      const struct exchange_request *request,
                      struct exchange_answer *out) MUST_CHECK;

/* A header of the last answer, in the op's arena; NULL: it has none. */
const char *exchange_header(struct exchange_client *client, struct op *op, const char *name);

#endif

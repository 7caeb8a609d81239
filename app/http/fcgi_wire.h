/* FastCGI's records (its specification 1.0, the responder's side): from the bytes of a connection
 * to one request, whole in memory, and from an answer to bytes. Knows neither sockets nor
 * threads; who owns the connection feeds it. For the ingest process's loop (http/fcgi_loop). */
#ifndef TIDEMARK_HTTP_FCGI_WIRE_H
#define TIDEMARK_HTTP_FCGI_WIRE_H

#include "http/response.h"
#include "http/transport.h"

#define FCGI_HEADER_BYTES 8

enum fcgi_wire_state {
    FCGI_WIRE_HEAD,  /* parameters are still to come */
    FCGI_WIRE_BODY,  /* the parameters are known, more of the body is to come */
    FCGI_WIRE_WHOLE, /* all is there; what is fed now would be the next request's */
    FCGI_WIRE_BROKEN /* no FastCGI, an aborted request, or more than memory is for */
};

struct fcgi_wire {
    struct http_transport transport; /* first, so that it converts back */
    enum fcgi_wire_state state;
    struct arena *arena;
    uint8_t header[FCGI_HEADER_BYTES]; /* of the record at hand, as far as it came */
    size_t header_len;
    size_t content_left, padding_left; /* of the record whose header is whole */
    uint16_t id;                       /* of the request */
    bool has_begun;
    bool is_kept;                      /* the connection carries another request afterwards */
    struct buf params, body;
    bool is_dropping;                  /* the body is not kept */
    size_t max_body;
    size_t read_at;                    /* how much of the body transport->read gave away */
    struct http_param *variables;      /* their texts end in NUL */
    size_t n_variables, variables_size;
    int64_t content_length; /* as announced; -1: not */
};

/* Makes ready for a request, whose bytes go to the arena; `max_body` bytes of a body at most, a
 * longer one is BROKEN. The arena was reset since the last request. */
void fcgi_wire_begin(struct fcgi_wire *wire, struct arena *arena, size_t max_body);

/* Takes bytes until the request is whole; returns how many. All of them where it is not. */
size_t fcgi_wire_feed(struct fcgi_wire *wire, const uint8_t *bytes, size_t n);

/* Of a request whose body is still to come: makes room for all of it, where its length was
 * announced, so that it need not move as it grows. */
void fcgi_wire_expect_body(struct fcgi_wire *wire);

/* Likewise: lets what is still to come of the body pass by. */
void fcgi_wire_drop_body(struct fcgi_wire *wire);

/* Lets the body be read from its start once more. */
void fcgi_wire_rewind(struct fcgi_wire *wire);

/* Appends the answer as records, with what ends the request. `is_head`: its headers only. */
void fcgi_wire_answer(struct buf *out, uint16_t id, const struct http_response *response,
                      bool is_head);

#endif

/* A FastCGI server for many small requests: one thread that watches all connections, reads each
 * request whole, and is not held up by any; a request that has to wait for something (a lookup
 * in the database, a large body) goes to one of some threads that may. Used by the ingest
 * process; pages and files use http/fcgi. */
#ifndef TIDEMARK_HTTP_FCGI_LOOP_H
#define TIDEMARK_HTTP_FCGI_LOOP_H

#include "http/response.h"
#include "http/transport.h"

/* One request from its arrival to its answer. */
struct fcgi_call;

enum fcgi_call_state {
    FCGI_CALL_ANSWERED, /* its response is filled */
    FCGI_CALL_PENDING,  /* fcgi_call_end will be called, once, by any thread, perhaps before this
                           is returned */
    FCGI_CALL_WAITS,    /* not without waiting: nothing was done, `serve` may */
    FCGI_CALL_LONG      /* likewise, not in a moment: behind those that wait */
};

/* Whether a request's body is to be read. */
enum fcgi_admission {
    FCGI_REFUSED,  /* no: its response is filled */
    FCGI_UNKNOWN,  /* not to be said without waiting */
    FCGI_ADMITTED
};

struct fcgi_loop_options {
    int listen_fd;             /* non-blocking */
    int stop_fd;               /* readable: finish what is there, then return */
    int max_connections, n_threads;
    size_t max_body;           /* bytes; a connection that sends more is closed */
    size_t quick_body;         /* longer ones are left to the threads */
    size_t arena_bytes;        /* of one request: its body, twice, and its answer */
    void *context;
    /* Of a request with a long body, before that is there: on the loop's thread, and again on
     * a thread (`may_wait`) where that did not know. FCGI_ADMITTED: `serve` is given it whole;
     * FCGI_REFUSED: the body is dropped as it comes, which takes neither memory nor a thread. */
    enum fcgi_admission (*admit)(void *context, struct fcgi_call *call, bool may_wait);
    /* On the loop's thread; must not wait. */
    enum fcgi_call_state (*begin)(void *context, struct fcgi_call *call);
    /* After fcgi_call_end, on the loop's thread: fills the response. */
    void (*end)(void *context, struct fcgi_call *call);
    /* On a thread of its own: likewise, but may wait; never of the last two. */
    enum fcgi_call_state (*serve)(void *context, struct fcgi_call *call);
};

/* Serves until stop_fd is readable and every answer was given. 0; 1 (and a line in the log) when
 * it could not start, or its listening socket is of no use. */
int fcgi_loop_run(const struct fcgi_loop_options *options);

/* ---- of a call, while it is in the hands of begin, end or serve ---- */

struct http_transport *fcgi_call_transport(struct fcgi_call *call);
struct arena *fcgi_call_arena(struct fcgi_call *call);           /* reset after the answer */
struct http_response *fcgi_call_response(struct fcgi_call *call); /* empty at first */
void **fcgi_call_data(struct fcgi_call *call); /* the user's own, at first NULL, then as it was */

/* For `begin`, of a call that WAITS: calls of the same number wait for a thread behind each other,
 * and each number has its turn. */
void fcgi_call_share(struct fcgi_call *call, uint32_t sharer);

/* What a pending call waited for has happened. Safe from any thread, never waits. */
void fcgi_call_end(struct fcgi_call *call);

#endif

/* The inside of a call, for http/fcgi_loop, its threads and its lists alone: a connection's slot
 * and the request that it carries. */
#ifndef TIDEMARK_HTTP_FCGI_CALL_H
#define TIDEMARK_HTTP_FCGI_CALL_H

#include "http/call_list.h"
#include "http/fcgi_loop.h"
#include "http/fcgi_wire.h"

#define FCGI_STALL_SECONDS 30 /* nginx buffers both ways: longer silence is a dead peer */
#define FCGI_READ_BYTES (64u << 10)

enum call_state {
    CALL_EMPTY,   /* no connection */
    CALL_IDLE,    /* nothing of the next request is there yet */
    CALL_READING,
    CALL_BUSY,    /* pending, or with a thread */
    CALL_WRITING  /* the peer takes its answer slowly */
};

struct fcgi_call {
    struct fcgi_wire wire;
    struct fcgi_loop *loop;
    struct arena *arena;
    struct http_response response;
    void *data;
    int fd;
    uint32_t index, generation; /* of the slot's connection: tells a stale event */
    enum call_state state;
    bool is_refused; /* answered before its body came: the response is filled */
    bool is_served;  /* by a thread, to the end: the response is filled */
    bool is_awaited; /* counted by the loop, which began it, as pending */
    bool is_stirred; /* an event came while the call was busy */
    int64_t since_us;
    struct buf out;
    size_t out_at;
    struct fcgi_call *next; /* in a list */
};

/* Reads the rest of the calls of `waiting` and lets `serve` answer them, until that is closed. What
 * could not be read comes back not WHOLE. For pthread_create. */
struct fcgi_threads {
    const struct fcgi_loop_options *options;
    struct call_list waiting;
};
void *fcgi_threads_run(void *threads);
/* Likewise, but only of urgent ones. */
void *fcgi_threads_run_urgent(void *threads);

#endif

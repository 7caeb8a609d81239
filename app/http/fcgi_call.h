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
    uint32_t sharer; /* whose turn it takes where it waits for a thread */
    int fd;
    uint32_t index, generation; /* of the slot's connection: tells a stale event */
    enum call_state state;
    bool is_admitted; /* its body is to be read */
    bool is_refused; /* answered before its body came: the response is filled */
    bool is_served;  /* by a thread, to the end: the response is filled */
    bool is_awaited; /* counted by the loop, which began it, as pending */
    bool is_stirred; /* an event came while the call was busy */
    int64_t since_us;
    struct buf out;
    size_t out_at;
    struct fcgi_call *next; /* in a list */
};

#define FCGI_MAX_THREADS 256

/* Those who let `serve` answer the calls of `waiting`, once `admit` lets them and the rest of them
 * was read. What could not be read comes back not WHOLE; so does what was refused (is_refused). */
struct fcgi_threads {
    const struct fcgi_loop_options *options;
    struct call_list waiting; /* the loop's to make and to free */
    pthread_t ids[FCGI_MAX_THREADS];
    int n;
};

/* Starts as many as the options say, which stay as they are, or as can be; returns how many. */
int fcgi_threads_start(struct fcgi_threads *threads, const struct fcgi_loop_options *options);

/* Ends them, when no call is waiting any more. */
void fcgi_threads_stop(struct fcgi_threads *threads);

#endif

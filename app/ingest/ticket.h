/* A request on its way through the queue: its columns and what became of them. Made by the
 * thread that answers the request, which keeps everything alive until it is done. */
#ifndef TIDEMARK_INGEST_TICKET_H
#define TIDEMARK_INGEST_TICKET_H

#include "ingest/columns.h"

#include <pthread.h>

#define TICKET_DETAIL_BYTES 200

struct queue_room;

struct ingest_ticket {
    struct ingest_columns *columns; /* sealed and resolved; events' outcomes are written here */
    int32_t tenant_id;
    bool is_live, is_replay, is_queued; /* the service's own */
    size_t bytes;                   /* its weight in the queue */
    struct queue_room *room;        /* that it was promised; NULL: none */
    struct ingest_ticket *next;     /* in the queue or the batch */

    /* Told when it is done, in place of a thread that waits; must not wait, nor call the queue.
     * NULL: ingest_queue_wait will be called. */
    void (*on_done)(void *context);
    void *context;

    /* the queue's, under its mutex */
    pthread_cond_t ready;
    bool is_done;
    uint64_t batch;                 /* number of the fast lane's batch that it begins */
    uint64_t after;                 /* late lane: number of the last batch to be waited for */

    /* the writer's, the request's own once it is done */
    size_t n_late;                  /* rows, and events without any, left to the late lane */
    bool is_put_off;                /* something of it found its chunk locked */
    int64_t put_off_us;             /* when that was so first (monotonic); 0: never */
    bool is_held_up;                /* the batch that it begins took more than one attempt */
    enum err result;
    char detail[TICKET_DETAIL_BYTES]; /* of a failure */
};

#endif

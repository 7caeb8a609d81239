/* The queue between the threads that answer requests and the writers: two lanes, in each of
 * which tenants take turns and a tenant's requests keep their order. A free writer takes all that
 * waits (up to a batch's limits), so that a lone event is not delayed and many are committed
 * together. */
#ifndef TIDEMARK_INGEST_QUEUE_H
#define TIDEMARK_INGEST_QUEUE_H

#include "ingest/ticket.h"

enum ingest_lane { LANE_FAST, LANE_LATE, LANE_COUNT };

struct ingest_queue;

struct ingest_queue_counts {
    size_t waiting_bytes; /* of requests that are not done, and what others were promised */
    size_t waiting;       /* requests that are not done */
    size_t refused;       /* for a full queue or share, since the start */
};

/* A queue that refuses work beyond `max_bytes`. NULL without memory. */
struct ingest_queue *ingest_queue_new(size_t max_bytes);
/* Nobody may wait in it any more. NULL is allowed. */
void ingest_queue_free(struct ingest_queue *queue);

/* Room in the queue that a request was promised while it is read; zeroed: none. */
struct queue_room {
    struct ingest_queue *queue;
    int32_t tenant_id;
    size_t bytes;
};

/* Promises room for so many bytes to a request of the tenant (0: not known yet), so that one that
 * would find none is neither read nor parsed. Fails as ingest_queue_push does. */
enum err ingest_queue_reserve(struct ingest_queue *queue, struct op *op, int32_t tenant_id,
                              size_t bytes, struct queue_room *room) MUST_CHECK;

/* The most bytes that a request may have beside no other. */
size_t ingest_queue_most(const struct ingest_queue *queue);

/* Makes of a room, which may be of nobody yet, one of so many bytes of the tenant. False, and it
 * stays what it is, where that finds no place among the others. */
bool ingest_queue_grow(struct queue_room *room, int32_t tenant_id, size_t bytes) MUST_CHECK;

/* Gives back what was promised and not used. A `struct queue_room *`, for arena_on_reset. */
void ingest_queue_leave(void *room);

/* Hands a ticket over, which uses up its room. ERR_UNAVAILABLE (and the op of its columns failed)
 * when the queue is closed, or, for a ticket that weighs more than its tenant was promised, full,
 * or its tenant has as much in it as is left to all others; a ticket larger than the queue is
 * taken when the queue is empty. */
enum err ingest_queue_push(struct ingest_queue *queue, struct ingest_ticket *ticket) MUST_CHECK;

/* Waits until the ticket is done. The ticket's cond is destroyed then. Of a ticket with on_done
 * it is called after that, and does not wait. */
void ingest_queue_wait(struct ingest_queue *queue, struct ingest_ticket *ticket);

/* For writers: waits for work and takes a batch, linked by `next`; NULL when the queue is closed
 * and the lane will stay empty. Every taken ticket must come back by ingest_queue_finish before
 * the next take. */
struct ingest_ticket *ingest_queue_take(struct ingest_queue *queue, enum ingest_lane lane);

/* For a writer of the fast lane: the batch is executed and only being committed, so that the next
 * one may begin. To be said once or more often of a batch, or not at all. */
void ingest_queue_commits(struct ingest_queue *queue, const struct ingest_ticket *batch);

/* Ends tickets linked by `next`: those with late rows left go on to the late lane, those that it
 * put off wait in it again, the others are done. */
void ingest_queue_finish(struct ingest_queue *queue, enum ingest_lane lane,
                         struct ingest_ticket *tickets);

/* No more pushes; takes go on until the lanes are empty. */
void ingest_queue_close(struct ingest_queue *queue);

/* Waits until every ticket is done, at most until `deadline_us` (monotonic). True when it is. */
bool ingest_queue_drain(struct ingest_queue *queue, int64_t deadline_us);

/* What is in the queue and went through it, for the metrics. */
struct ingest_queue_counts ingest_queue_count(struct ingest_queue *queue);

#endif

/* The queue: one mutex, held for pointer work only; a condition for the writers of each lane
 * and one in each ticket for its owner, so that nobody wakes for another's sake. Answers for
 * limits and waking; not for whose turn it is (turns) nor for writing (writer). */
#include "ingest/queue.h"

#include "base/clock.h"
#include "ingest/at_work.h"
#include "ingest/turns.h"

#include <time.h>

#define LATE_MARK_BITS 14 /* series that share a mark wait for each other */

struct lane {
    struct turns waiting;
    int n_busy;        /* writers at work */
    int64_t since_us;  /* when the last one began */
    size_t n_last;     /* requests of the last batch that was finished */
    pthread_cond_t work;
};

struct ingest_queue {
    struct arena *arena;
    pthread_mutex_t lock;
    pthread_cond_t idle; /* nothing is waiting or at work */
    struct lane lanes[LANE_COUNT];
    /* bytes of a line's tenants, those being written included; the last: of who is not known */
    size_t shares[TURN_LINES + 1];
    struct at_work at_work;              /* in the fast lane */
    uint32_t late_marks[1 << LATE_MARK_BITS]; /* of series: requests in late batches at work */
    size_t max_bytes;
    struct ingest_queue_counts counts;
    bool is_closed;
};

/* A condition that measures waits by the clock of clock_monotonic_us. */
static void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attributes;

    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_us)
{
    struct timespec deadline = {
        .tv_sec = (time_t)(deadline_us / US_PER_SECOND),
        .tv_nsec = (long)(deadline_us % US_PER_SECOND) * 1000,
    };
    (void)pthread_cond_timedwait(cond, lock, &deadline);
}

struct ingest_queue *ingest_queue_new(size_t max_bytes)
{
    struct arena *arena = arena_new(sizeof(struct ingest_queue) + 64);
    struct ingest_queue *queue = arena ? arena_alloc(arena, sizeof *queue) : NULL;

    if (!queue) {
        arena_free(arena);
        return NULL;
    }
    queue->arena = arena;
    queue->max_bytes = max_bytes;
    (void)pthread_mutex_init(&queue->lock, NULL);
    cond_init(&queue->idle);
    for (int i = 0; i < LANE_COUNT; i++) {
        turns_init(&queue->lanes[i].waiting);
        cond_init(&queue->lanes[i].work);
    }
    return queue;
}

void ingest_queue_free(struct ingest_queue *queue)
{
    if (!queue) {
        return;
    }
    for (int i = 0; i < LANE_COUNT; i++) {
        (void)pthread_cond_destroy(&queue->lanes[i].work);
    }
    (void)pthread_cond_destroy(&queue->idle);
    (void)pthread_mutex_destroy(&queue->lock);
    arena_free(queue->arena);
}

static size_t *share_of(struct ingest_queue *queue, int32_t tenant_id)
{
    return &queue->shares[tenant_id ? turn_line_of(tenant_id) : TURN_LINES];
}

/* True when so much of a tenant finds no room: the queue is full, or what the tenant has in it
 * would be more than what is left to all others. So one that floods gets half of the queue, two a
 * third each, and there is always room for whoever comes next; who has little in it is let in where
 * one large request fills it. All whose tenant is not known yet (0), who may be nobody's, have a
 * small part of it together. */
static bool is_full_for(struct ingest_queue *queue, int32_t tenant_id, size_t bytes)
{
    const struct ingest_queue_counts *counts = &queue->counts;
    size_t share = *share_of(queue, tenant_id);

    if (counts->waiting_bytes == 0) {
        return false;
    }
    if (tenant_id && share + bytes <= queue->max_bytes / QUEUE_LEAST_PART) {
        return counts->waiting_bytes + bytes >
               queue->max_bytes + queue->max_bytes / QUEUE_SPARE_PART;
    }
    if (counts->waiting_bytes + bytes > queue->max_bytes) {
        return true;
    }
    if (tenant_id == 0 && share + bytes > queue->max_bytes / QUEUE_UNKNOWN_PART) {
        return true;
    }
    return share > 0 && share + bytes > queue->max_bytes - counts->waiting_bytes;
}

/* Under the lock: whether so much is let in; what is not is counted. */
static enum err admit(struct ingest_queue *queue, struct op *op, int32_t tenant_id, size_t bytes)
{
    if (!queue->is_closed && !is_full_for(queue, tenant_id, bytes)) {
        return OK;
    }
    queue->counts.refused++;
    return fail(op, ERR_UNAVAILABLE, "%s",
                queue->is_closed ? "the service is stopping" : "too much is waiting to be written");
}

/* Under the lock. */
static void weigh(struct ingest_queue *queue, int32_t tenant_id, size_t bytes)
{
    queue->counts.waiting_bytes += bytes;
    *share_of(queue, tenant_id) += bytes;
}

static void unweigh(struct ingest_queue *queue, int32_t tenant_id, size_t bytes)
{
    queue->counts.waiting_bytes -= bytes;
    *share_of(queue, tenant_id) -= bytes;
}

enum err ingest_queue_reserve(struct ingest_queue *queue, struct op *op, int32_t tenant_id,
                              size_t bytes, struct queue_room *room)
{
    (void)pthread_mutex_lock(&queue->lock);
    enum err err = admit(queue, op, tenant_id, bytes);
    if (!err) {
        *room = (struct queue_room){ queue, tenant_id, bytes };
        weigh(queue, tenant_id, bytes);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return err;
}

/* Under the lock. */
static void leave(struct queue_room *room)
{
    unweigh(room->queue, room->tenant_id, room->bytes);
    room->bytes = 0;
}

size_t ingest_queue_most(const struct ingest_queue *queue)
{
    return queue->max_bytes;
}

bool ingest_queue_grow(struct queue_room *room, int32_t tenant_id, size_t bytes)
{
    struct ingest_queue *queue = room->queue;

    (void)pthread_mutex_lock(&queue->lock);
    unweigh(queue, room->tenant_id, room->bytes);
    bool has_grown = !queue->is_closed && !is_full_for(queue, tenant_id, bytes);
    if (has_grown) {
        room->tenant_id = tenant_id;
        room->bytes = bytes;
    }
    queue->counts.refused += !has_grown;
    weigh(queue, room->tenant_id, room->bytes);
    (void)pthread_mutex_unlock(&queue->lock);
    return has_grown;
}

void ingest_queue_leave(void *context)
{
    struct queue_room *room = context;

    if (room->bytes) {
        (void)pthread_mutex_lock(&room->queue->lock);
        leave(room);
        (void)pthread_mutex_unlock(&room->queue->lock);
    }
}

/* When a writer may begin with what waits in the lane, by the monotonic clock. While another one
 * executes, only when that is held up; and when a crowd was answered, as soon as half of it is back
 * or had time for that: more writers, and writers in a hurry, make smaller batches, and one that
 * waits for the last of a crowd leaves the database idle. */
static int64_t due_of(const struct ingest_queue *queue, const struct lane *lane)
{
    bool is_fast = lane == &queue->lanes[LANE_FAST];
    int n_executing = lane->n_busy - (is_fast ? queue->at_work.n_committing : 0);

    if (lane->waiting.n_rows >= SECOND_WRITER_ROWS) {
        return INT64_MIN;
    }
    if (n_executing) {
        return lane->since_us + SECOND_WRITER_WAIT_US;
    }
    return 2 * lane->waiting.n >= lane->n_last ? INT64_MIN : lane->since_us + GATHER_US;
}

/* Under the lock: whether the ticket is let in, as it is when it weighs no more than what it was
 * promised. Its room is used up. */
static enum err let_in(struct ingest_queue *queue, const struct ingest_ticket *ticket)
{
    struct queue_room *room = ticket->room;
    size_t promised = room && room->tenant_id == ticket->tenant_id ? room->bytes : 0;

    if (room && room->bytes) {
        leave(room);
    }
    return ticket->bytes <= promised && !queue->is_closed
               ? OK
               : admit(queue, ticket->columns->op, ticket->tenant_id, ticket->bytes);
}

enum err ingest_queue_push(struct ingest_queue *queue, struct ingest_ticket *ticket)
{
    ticket->is_done = false;
    (void)pthread_mutex_lock(&queue->lock);
    enum err err = let_in(queue, ticket);
    if (err) {
        (void)pthread_mutex_unlock(&queue->lock);
        return err;
    }
    if (!ticket->on_done) {
        cond_init(&ticket->ready);
    }
    queue->counts.waiting++;
    weigh(queue, ticket->tenant_id, ticket->bytes);
    struct lane *lane = &queue->lanes[LANE_FAST];
    turns_add(&lane->waiting, ticket);
    /* after the first one an idle writer looks again by itself, when it is due */
    if (lane->waiting.n == 1 || due_of(queue, lane) == INT64_MIN) {
        (void)pthread_cond_signal(&lane->work);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return OK;
}

void ingest_queue_wait(struct ingest_queue *queue, struct ingest_ticket *ticket)
{
    if (ticket->on_done) {
        return; /* and it was told */
    }
    (void)pthread_mutex_lock(&queue->lock);
    while (!ticket->is_done) {
        (void)pthread_cond_wait(&ticket->ready, &queue->lock);
    }
    (void)pthread_mutex_unlock(&queue->lock);
    (void)pthread_cond_destroy(&ticket->ready);
}

/* True when nothing will ever come into the lane again. */
static bool is_over(const struct ingest_queue *queue, enum ingest_lane lane)
{
    return queue->is_closed &&
           (lane == LANE_FAST || (!queue->lanes[LANE_FAST].waiting.end &&
                                  queue->lanes[LANE_FAST].n_busy == 0));
}

/* ---- what a late batch has to wait for ----
 * A row is late where another batch claimed its time, and only when that one is finished does
 * the database know whether the row is new. For the same reason a series is in one late batch
 * at a time. */

/* Fibonacci hashing: the upper bits. */
static size_t late_mark(const struct ingest_ticket *ticket, size_t i)
{
    return ((uint32_t)ticket->columns->series[i].id * 2654435769u) >> (32 - LATE_MARK_BITS);
}

static void mark_late(struct ingest_queue *queue, const struct ingest_ticket *batch, uint32_t step)
{
    for (const struct ingest_ticket *ticket = batch; ticket; ticket = ticket->next) {
        for (size_t i = 0; i < ticket->columns->n_series; i++) {
            queue->late_marks[late_mark(ticket, i)] += step;
        }
    }
}

/* True when no late batch at work has one of the ticket's series. */
static bool is_late_free(const struct ingest_queue *queue, const struct ingest_ticket *ticket)
{
    if (queue->lanes[LANE_LATE].n_busy == 0) {
        return true;
    }
    for (size_t i = 0; i < ticket->columns->n_series; i++) {
        if (queue->late_marks[late_mark(ticket, i)]) {
            return false;
        }
    }
    return true;
}

void ingest_queue_commits(struct ingest_queue *queue, const struct ingest_ticket *batch)
{
    struct lane *lane = &queue->lanes[LANE_FAST];

    (void)pthread_mutex_lock(&queue->lock);
    if (at_work_commit(&queue->at_work, batch) && lane->waiting.end) {
        (void)pthread_cond_signal(&lane->work);
    }
    (void)pthread_mutex_unlock(&queue->lock);
}

static bool may_go_at_once(const void *context, const struct ingest_ticket *ticket)
{
    (void)context;
    return ticket != NULL;
}

/* True when every batch up to the ticket's `after` is finished, and its series are in no other. */
static bool may_go_late(const void *context, const struct ingest_ticket *ticket)
{
    const struct ingest_queue *queue = context;

    return at_work_is_over(&queue->at_work, ticket->after) && is_late_free(queue, ticket);
}

/* How many rows a batch of the lane may have. */
static size_t most_rows(const struct ingest_queue *queue, enum ingest_lane lane)
{
    return lane == LANE_FAST ? at_work_most_rows(&queue->at_work) : BATCH_MAX_ROWS;
}

struct ingest_ticket *ingest_queue_take(struct ingest_queue *queue, enum ingest_lane which)
{
    struct lane *lane = &queue->lanes[which];
    turn_test may_go = which == LANE_FAST ? may_go_at_once : may_go_late;
    struct ingest_ticket *batch = NULL;

    (void)pthread_mutex_lock(&queue->lock);
    for (;;) {
        int64_t now_us = clock_monotonic_us();
        int64_t due_us = queue->is_closed ? INT64_MIN : due_of(queue, lane);
        bool is_ready = turns_have(&lane->waiting, may_go, queue);
        if (is_ready && now_us >= due_us) {
            batch = turns_cut(&lane->waiting, may_go, queue, most_rows(queue, which));
            lane->n_busy++;
            lane->since_us = now_us;
            if (which == LANE_FAST) {
                at_work_begin(&queue->at_work, batch, now_us);
            } else {
                mark_late(queue, batch, 1);
            }
            break;
        }
        if (is_ready) {
            cond_wait_until(&lane->work, &queue->lock, due_us);
        } else if (!lane->waiting.end && is_over(queue, which)) {
            break;
        } else {
            (void)pthread_cond_wait(&lane->work, &queue->lock);
        }
    }
    (void)pthread_mutex_unlock(&queue->lock);
    return batch;
}

static void ticket_done(struct ingest_queue *queue, struct ingest_ticket *ticket)
{
    queue->counts.waiting--;
    unweigh(queue, ticket->tenant_id, ticket->bytes);
    ticket->is_done = true;
    if (ticket->on_done) {
        ticket->on_done(ticket->context);
    } else {
        (void)pthread_cond_signal(&ticket->ready);
    }
}

void ingest_queue_finish(struct ingest_queue *queue, enum ingest_lane lane,
                         struct ingest_ticket *tickets)
{
    struct lane *late = &queue->lanes[LANE_LATE];
    size_t n = 0;

    (void)pthread_mutex_lock(&queue->lock);
    if (lane == LANE_FAST) {
        at_work_end(&queue->at_work, tickets);
    } else {
        mark_late(queue, tickets, UINT32_MAX); /* less one */
    }
    while (tickets) {
        /* before it is done: its owner may be gone right after */
        struct ingest_ticket *next = tickets->next;
        if (lane == LANE_FAST && tickets->result == OK && tickets->n_late) {
            tickets->after = queue->at_work.n_batches;
            turns_add(&late->waiting, tickets);
        } else if (lane == LANE_LATE && tickets->result == OK && tickets->is_put_off) {
            turns_add(&late->waiting, tickets);
        } else {
            ticket_done(queue, tickets);
        }
        tickets = next;
        n++;
    }
    /* whoever finishes takes next, so nobody is woken for this lane's sake */
    queue->lanes[lane].n_busy--;
    queue->lanes[lane].n_last = n;
    if (late->waiting.end || queue->is_closed) {
        (void)pthread_cond_broadcast(&late->work);
    }
    if (queue->counts.waiting == 0) {
        (void)pthread_cond_broadcast(&queue->idle);
    }
    (void)pthread_mutex_unlock(&queue->lock);
}

void ingest_queue_close(struct ingest_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    for (int i = 0; i < LANE_COUNT; i++) {
        (void)pthread_cond_broadcast(&queue->lanes[i].work);
    }
    (void)pthread_mutex_unlock(&queue->lock);
}

bool ingest_queue_drain(struct ingest_queue *queue, int64_t deadline_us)
{
    (void)pthread_mutex_lock(&queue->lock);
    while (queue->counts.waiting && clock_monotonic_us() < deadline_us) {
        cond_wait_until(&queue->idle, &queue->lock, deadline_us);
    }
    bool is_empty = queue->counts.waiting == 0;
    (void)pthread_mutex_unlock(&queue->lock);
    return is_empty;
}

struct ingest_queue_counts ingest_queue_count(struct ingest_queue *queue)
{
    (void)pthread_mutex_lock(&queue->lock);
    struct ingest_queue_counts counts = queue->counts;
    (void)pthread_mutex_unlock(&queue->lock);
    return counts;
}

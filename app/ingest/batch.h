/* The rows of many requests in the order of samples' primary key: what a lane writes. */
#ifndef TIDEMARK_INGEST_BATCH_H
#define TIDEMARK_INGEST_BATCH_H

#include "ingest/queue.h"
#include "ingest/series_cache.h"

struct batch_row {
    int32_t tenant_id, series_id;
    int64_t time_us;
    double value;
    uint32_t ticket, row; /* where it comes from: also the order of arrival */
};

/* The rows of one series: rows[first] … rows[end - 1], by time, then by arrival. */
struct batch_run {
    struct series_claim claim;
    size_t first, end;
};

/* An event that has a row of its own. */
struct batch_event {
    uint32_t ticket, event;
};

struct ingest_batch {
    struct op *op;                  /* of the writer; its arena holds all of this */
    struct ingest_ticket **tickets;
    size_t n_tickets;
    struct batch_row *rows;         /* by tenant, series, time, arrival */
    size_t n_rows;
    struct batch_run *runs;
    size_t n_runs;
    struct batch_event *events;
    size_t n_events;
    size_t n_put_off;               /* rows that found their chunk locked: for another batch */
    char sqlstate[6];               /* of the last failure, or "" */
    /* What one transaction needs lives in here and goes with the next one; NULL: in op's arena,
     * where there are few. The writer's. */
    struct arena *scratch;
    struct op tx_op;
};

/* Gathers what the lane is to write of the tickets, linked by `next`. */
enum err batch_gather(struct op *op, struct ingest_ticket *tickets, enum ingest_lane lane,
                      struct ingest_batch **out) MUST_CHECK;

/* Leaves to the late lane what is not newer than its series' last time, or older than `oldest_us`:
 * marks those rows in their columns, counts them in their tickets, takes them and their events out
 * of the batch; likewise events without rows that are older. */
void batch_split(struct ingest_batch *batch, struct series_cache *cache, int64_t oldest_us);

/* Leaves all rows, and their events, to the late lane. */
void batch_leave_rows(struct ingest_batch *batch);
/* Likewise events without rows. */
void batch_leave_all(struct ingest_batch *batch);

/* Days since 1970-01-01 UTC. */
int64_t batch_day_of(int64_t time_us);

/* Puts the rows, and the events, in the order of the late lane: by UTC day first. */
void batch_sort_by_day(struct ingest_batch *batch);

/* True when both are of the same series and time. */
static inline bool batch_is_same_key(const struct batch_row *a, const struct batch_row *b)
{
    return a->series_id == b->series_id && a->time_us == b->time_us && a->tenant_id == b->tenant_id;
}

/* When the event of that position was, in µs since 1970. */
static inline int64_t batch_event_time(const struct ingest_batch *batch, size_t at)
{
    const struct batch_event *event = &batch->events[at];

    return batch->tickets[event->ticket]->columns->events[event->event].time_us;
}

/* Adds outcome bits to the event that a row belongs to. */
static inline void batch_note(const struct ingest_batch *batch, const struct batch_row *row,
                              uint8_t outcome)
{
    const struct ingest_columns *columns = batch->tickets[row->ticket]->columns;
    columns->events[columns->rows[row->row].event].outcome |= outcome;
}

#endif

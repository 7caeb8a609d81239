/* Partitions for rows that found none: the worker makes them ahead, but may be dead, and old
 * days are made when they are needed. Called by the writers. */
#include "base/clock.h"
#include "gen/queries.h"
#include "ingest/lane_parts.h"

/* Far apart times are asked for one by one, so that what lies between is not made. */
#define MAX_SPANS 64
#define SPAN_US (366 * US_PER_DAY)

struct spans {
    int n;
    int64_t from[MAX_SPANS], to[MAX_SPANS];
};

/* Widens the span that holds the time, or begins one; the last one takes what is too much. */
static void spans_add(struct spans *spans, int64_t time_us)
{
    for (int i = 0; i < spans->n; i++) {
        bool is_near = time_us > spans->from[i] - SPAN_US && time_us < spans->to[i] + SPAN_US;
        if (is_near || i == MAX_SPANS - 1) {
            spans->from[i] = time_us < spans->from[i] ? time_us : spans->from[i];
            spans->to[i] = time_us > spans->to[i] ? time_us : spans->to[i];
            return;
        }
    }
    spans->from[spans->n] = spans->to[spans->n] = time_us;
    spans->n++;
}

enum err lanes_make_partitions(struct ingest_batch *batch, struct db_conn *conn)
{
    struct spans spans = { .n = 0 };
    struct db_tx *tx;
    enum err err = lane_begin(batch, conn, 0, &tx);

    if (err) {
        return err;
    }
    for (size_t at = 0; at < batch->n_rows; at++) {
        spans_add(&spans, batch->rows[at].time_us);
    }
    for (size_t i = 0; i < batch->n_events; i++) {
        const struct ingest_columns *columns = batch->tickets[batch->events[i].ticket]->columns;
        spans_add(&spans, columns->events[batch->events[i].event].time_us);
    }
    for (int i = 0; !err && i < spans.n; i++) {
        struct db_args args;
        db_args_init(&args, db_op(tx)->arena);
        db_arg_time(&args, spans.from[i]);
        db_arg_time(&args, spans.to[i]);
        err = db_run(tx, &q_ingest_partitions_ensure, &args, NULL);
    }
    return lane_end(batch, tx, err);
}

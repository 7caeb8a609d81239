/* The late lane: rows that may be there already, one transaction per UTC day, so that a day
 * whose chunk is being compressed holds up no other; then the events they belong to. Called by
 * the late writers. */
#include "gen/queries.h"
#include "ingest/lane_parts.h"

/* The statements of a transaction of the late lane, and what they answer. */
struct late_work {
    struct db_args firsts, lasts, events;
    struct db_step steps[3];
    int n;
    struct db_rows *outcomes, *is_new;
};

/* Adds what writes rows[0 … end - 1]: of each key the first arrival, whose outcome only the
 * database knows, then the last one where the value changed on the way. */
static enum err add_rows(struct late_work *work, const struct ingest_batch *batch, size_t end,
                         struct op *op)
{
    struct row_arrays firsts, lasts;

    if (!row_arrays_open(&firsts, op->arena, end) || !row_arrays_open(&lasts, op->arena, end)) {
        return fail_memory(op);
    }
    for (size_t at = 0, first = 0; at < end; at++) {
        if (at == 0 || !batch_is_same_key(&batch->rows[at - 1], &batch->rows[at])) {
            first = at;
            row_arrays_add(&firsts, &batch->rows[at]);
        }
        bool is_last = at + 1 == end || !batch_is_same_key(&batch->rows[at], &batch->rows[at + 1]);
        if (is_last && batch->rows[at].value != batch->rows[first].value) {
            row_arrays_add(&lasts, &batch->rows[at]);
        }
    }
    row_arrays_bind(&firsts, op->arena, &work->firsts);
    work->steps[work->n++] = (struct db_step){ &q_ingest_samples, &work->firsts, &work->outcomes };
    if (lasts.n) {
        row_arrays_bind(&lasts, op->arena, &work->lasts);
        work->steps[work->n++] = (struct db_step){ &q_ingest_samples, &work->lasts, NULL };
    }
    return OK;
}

static enum err add_events(struct late_work *work, const struct ingest_batch *batch, struct op *op)
{
    work->steps[work->n++] = (struct db_step){ &q_ingest_events, &work->events, &work->is_new };
    return lane_events_bind(batch, op, &work->events);
}

/* Where the transaction that begins with rows[0] ends: with its day, or when it is large, but not
 * between rows of one key. */
static size_t share_end(const struct ingest_batch *batch)
{
    const struct batch_row *rows = batch->rows;
    int64_t day = batch_day_of(rows[0].time_us);
    size_t end = 1;

    while (end < batch->n_rows && batch_day_of(rows[end].time_us) == day &&
           (end < BATCH_MAX_ROWS || batch_is_same_key(&rows[end - 1], &rows[end]))) {
        end++;
    }
    return end;
}

static enum err commit_rows(struct ingest_batch *batch, struct db_conn *conn, size_t n)
{
    struct late_work work = { .n = 0 };
    enum err err = add_rows(&work, batch, n, lane_op(batch));

    err = lane_transact(batch, conn, work.steps, work.n, err);
    if (!err) {
        lane_note_rows(batch, 0, n, work.outcomes);
    }
    return err;
}

static enum err commit_events(struct ingest_batch *batch, struct db_conn *conn)
{
    struct late_work work = { .n = 0 };
    enum err err = add_events(&work, batch, lane_op(batch));

    err = lane_transact(batch, conn, work.steps, work.n, err);
    if (!err) {
        lane_note_events(batch, work.is_new);
    }
    return err;
}

enum err lanes_write_late(struct ingest_batch *batch, struct db_conn *conn)
{
    batch->sqlstate[0] = '\0';
    while (batch->n_rows) {
        size_t n = share_end(batch);
        enum err err = commit_rows(batch, conn, n);
        if (err) {
            return err;
        }
        batch->rows += n;
        batch->n_rows -= n;
    }
    return batch->n_events ? commit_events(batch, conn) : OK;
}

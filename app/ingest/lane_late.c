/* The late lane: rows that may be there already, and those of old days, one transaction per UTC
 * day, so that a day whose chunk is being compressed holds up no other; then the events they belong
 * to. Called by the late writers. */
#include "gen/queries.h"
#include "ingest/lane_parts.h"

/* The statements of a transaction of the late lane, and what they answer. */
struct late_work {
    struct db_args patience, firsts, lasts, events;
    struct db_step steps[4];
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

/* Likewise for events[0]. */
static size_t events_share_end(const struct ingest_batch *batch)
{
    int64_t day = batch_day_of(batch_event_time(batch, 0));
    size_t end = 1;

    while (end < batch->n_events && batch_day_of(batch_event_time(batch, end)) == day) {
        end++;
    }
    return end;
}

static enum err commit_rows(struct ingest_batch *batch, struct db_conn *conn, size_t n,
                            int patience_ms)
{
    struct late_work work = { .n = 0 };
    struct op *op = lane_op(batch);

    work.steps[work.n++] = lane_patience(&work.patience, patience_ms, op);
    enum err err = add_rows(&work, batch, n, op);
    err = lane_transact(batch, conn, work.steps, work.n, err);
    if (!err) {
        lane_note_rows(batch, 0, n, work.outcomes);
        for (size_t at = 0; at < n; at++) {
            const struct batch_row *row = &batch->rows[at];
            batch->tickets[row->ticket]->columns->lanes[row->row] = INGEST_ROW_DONE;
        }
    }
    return err;
}

/* Writes the first `n` events of the batch. */
static enum err commit_events(struct ingest_batch *batch, struct db_conn *conn, size_t n,
                              int patience_ms)
{
    struct late_work work = { .n = 0 };
    struct op *op = lane_op(batch);
    size_t n_all = batch->n_events;

    batch->n_events = n;
    work.steps[work.n++] = lane_patience(&work.patience, patience_ms, op);
    enum err err = add_events(&work, batch, op);
    err = lane_transact(batch, conn, work.steps, work.n, err);
    if (!err) {
        lane_note_events(batch, work.is_new);
    }
    batch->n_events = n_all;
    return err;
}

/* True after a failure that only says that somebody has a lock; it is none any more then. */
static bool is_locked(struct ingest_batch *batch, int *patience_ms)
{
    if (strcmp(batch->sqlstate, SQLSTATE_LOCKED) != 0) {
        return false;
    }
    op_clear_fault(batch->op);
    *patience_ms = LOCK_GLANCE_MS;
    return true;
}

static enum err write_rows(struct ingest_batch *batch, struct db_conn *conn, int *patience_ms)
{
    while (batch->n_rows) {
        size_t n = share_end(batch);
        enum err err = commit_rows(batch, conn, n, *patience_ms);
        if (err && !is_locked(batch, patience_ms)) {
            return err;
        }
        for (size_t at = 0; err && at < n; at++) {
            batch->tickets[batch->rows[at].ticket]->is_put_off = true;
        }
        batch->n_put_off += err ? n : 0;
        batch->rows += n;
        batch->n_rows -= n;
    }
    return OK;
}

/* An event follows its samples. */
static void leave_out_put_off(struct ingest_batch *batch)
{
    size_t kept = 0;

    for (size_t i = 0; i < batch->n_events; i++) {
        if (!batch->tickets[batch->events[i].ticket]->is_put_off) {
            batch->events[kept++] = batch->events[i];
        }
    }
    batch->n_events = kept;
}

static enum err write_events(struct ingest_batch *batch, struct db_conn *conn, int *patience_ms)
{
    leave_out_put_off(batch);
    while (batch->n_events) {
        size_t n = events_share_end(batch);
        enum err err = commit_events(batch, conn, n, *patience_ms);
        if (err && !is_locked(batch, patience_ms)) {
            return err;
        }
        for (size_t at = 0; err && at < n; at++) {
            batch->tickets[batch->events[at].ticket]->is_put_off = true;
        }
        batch->events += n;
        batch->n_events -= n;
    }
    return OK;
}

enum err lanes_write_late(struct ingest_batch *batch, struct db_conn *conn)
{
    int patience_ms = LOCK_PATIENCE_MS;

    batch->sqlstate[0] = '\0';
    enum err err = write_rows(batch, conn, &patience_ms);
    return err ? err : write_events(batch, conn, &patience_ms);
}

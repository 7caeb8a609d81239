/* The late lane: rows that may be there already, one transaction per UTC day, so that a day
 * whose chunk is being compressed holds up no other; then the events they belong to. Called by
 * the late writers, and by the dry run for everything. */
#include "gen/queries.h"
#include "ingest/lane_parts.h"

#include <stdio.h>

/* Writes rows[from … end - 1]: of each key the first arrival, whose outcome only the database
 * knows, then the last one where the value changed on the way. */
static enum err upsert(struct ingest_batch *batch, struct db_tx *tx, size_t from, size_t end,
                       struct db_rows **out)
{
    struct row_arrays firsts, lasts;

    if (!row_arrays_open(&firsts, db_op(tx)->arena, end - from) ||
        !row_arrays_open(&lasts, db_op(tx)->arena, end - from)) {
        return fail_memory(db_op(tx));
    }
    for (size_t at = from, first = from; at < end; at++) {
        if (at == from || !batch_is_same_key(&batch->rows[at - 1], &batch->rows[at])) {
            first = at;
            row_arrays_add(&firsts, &batch->rows[at]);
        }
        bool is_last = at + 1 == end || !batch_is_same_key(&batch->rows[at], &batch->rows[at + 1]);
        if (is_last && batch->rows[at].value != batch->rows[first].value) {
            row_arrays_add(&lasts, &batch->rows[at]);
        }
    }
    enum err err = row_arrays_run(tx, &q_ingest_samples, &firsts, out);
    if (!err && lasts.n) {
        err = row_arrays_run(tx, &q_ingest_samples, &lasts, NULL);
    }
    return err;
}

/* Of api.ingest_samples. */
static uint8_t outcome_of(int32_t code)
{
    return code == 1 ? INGEST_NEW : code == 2 ? INGEST_UPDATED : 0;
}

static void note_late(struct ingest_batch *batch, size_t from, size_t end,
                      const struct db_rows *outcomes)
{
    int n = 0;

    for (size_t at = from; at < end; at++) {
        const struct batch_row *row = &batch->rows[at];
        bool is_repeat = at > from && batch_is_same_key(row - 1, row);
        uint8_t outcome = is_repeat
                              ? lane_outcome_after(row - 1, row)
                              : outcome_of(db_int(outcomes, n++, INGEST_SAMPLES_OUTCOME));
        batch_note(batch, row, outcome);
    }
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
    struct db_rows *outcomes;
    struct db_tx *tx;
    enum err err = lane_begin(batch, conn, &tx);

    if (err) {
        return err;
    }
    err = lane_end(batch, tx, upsert(batch, tx, 0, n, &outcomes));
    if (!err) {
        note_late(batch, 0, n, outcomes);
    }
    return err;
}

static enum err commit_events(struct ingest_batch *batch, struct db_conn *conn)
{
    struct db_rows *rows;
    struct db_tx *tx;
    enum err err = lane_begin(batch, conn, &tx);

    if (err) {
        return err;
    }
    err = lane_end(batch, tx, lane_insert_events(batch, tx, &rows));
    if (!err) {
        lane_note_events(batch, rows);
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

enum err lanes_try(struct ingest_batch *batch, struct db_tx *tx)
{
    struct db_rows *outcomes = NULL, *events = NULL;
    enum err err = OK;

    if (batch->n_rows) {
        err = upsert(batch, tx, 0, batch->n_rows, &outcomes);
    }
    if (!err) {
        err = lane_insert_events(batch, tx, &events);
    }
    if (err) {
        (void)snprintf(batch->sqlstate, sizeof batch->sqlstate, "%s", db_sqlstate(tx));
        return err;
    }
    if (batch->n_rows) {
        note_late(batch, 0, batch->n_rows, outcomes);
    }
    lane_note_events(batch, events);
    return OK;
}

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

    if (!row_arrays_open(&firsts, batch->op->arena, end - from) ||
        !row_arrays_open(&lasts, batch->op->arena, end - from)) {
        return fail_memory(batch->op);
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

static size_t day_end(const struct ingest_batch *batch, size_t from)
{
    size_t end = from + 1;

    while (end < batch->n_rows && batch_day_of(batch->rows[end].time_us) ==
                                      batch_day_of(batch->rows[from].time_us)) {
        end++;
    }
    return end;
}

static enum err commit_day(struct ingest_batch *batch, struct db_conn *conn, size_t from,
                           size_t end)
{
    struct db_rows *outcomes;
    struct db_tx *tx;
    enum err err = db_begin(batch->op, conn, DB_WRITE, 0, &tx);

    if (err) {
        return err;
    }
    err = upsert(batch, tx, from, end, &outcomes);
    if (err) {
        lane_roll_back(batch, tx);
        return err;
    }
    err = db_commit(tx);
    if (!err) {
        note_late(batch, from, end, outcomes);
    }
    return err;
}

static enum err commit_events(struct ingest_batch *batch, struct db_conn *conn)
{
    struct db_rows *rows;
    struct db_tx *tx;
    enum err err = db_begin(batch->op, conn, DB_WRITE, 0, &tx);

    if (err) {
        return err;
    }
    err = lane_insert_events(batch, tx, &rows);
    if (err) {
        lane_roll_back(batch, tx);
        return err;
    }
    err = db_commit(tx);
    if (!err) {
        lane_note_events(batch, rows);
    }
    return err;
}

enum err lanes_write_late(struct ingest_batch *batch, struct db_conn *conn)
{
    batch->sqlstate[0] = '\0';
    while (batch->n_rows) {
        size_t end = day_end(batch, 0);
        enum err err = commit_day(batch, conn, 0, end);
        if (err) {
            return err;
        }
        batch->rows += end;
        batch->n_rows -= end;
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

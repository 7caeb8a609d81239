/* What would become of a batch: judged by reading what is there, so that nobody waits for it.
 * Called by the dry run. */
#include "gen/queries.h"
#include "ingest/lane_parts.h"

/* Where the statement that begins with rows[from] ends: when it is large, but not between rows of
 * one key. */
static size_t part_end(const struct ingest_batch *batch, size_t from)
{
    size_t end = from + 1;

    while (end < batch->n_rows && (end - from < BATCH_MAX_ROWS ||
                                   batch_is_same_key(&batch->rows[end - 1], &batch->rows[end]))) {
        end++;
    }
    return end;
}

/* Of each key the first arrival, whose outcome only the database knows. */
static enum err try_rows(struct ingest_batch *batch, struct db_tx *tx, size_t from, size_t end)
{
    struct arena *arena = db_op(tx)->arena;
    struct row_arrays firsts;
    struct db_args args;
    struct db_rows *outcomes;

    if (!row_arrays_open(&firsts, arena, end - from)) {
        return fail_memory(db_op(tx));
    }
    for (size_t at = from; at < end; at++) {
        if (at == from || !batch_is_same_key(&batch->rows[at - 1], &batch->rows[at])) {
            row_arrays_add(&firsts, &batch->rows[at]);
        }
    }
    db_args_init(&args, arena);
    db_arg_int_array(&args, firsts.series, firsts.n);
    db_arg_time_array(&args, firsts.times, firsts.n);
    db_arg_double_array(&args, firsts.values, firsts.n);
    enum err err = db_run(tx, &q_ingest_samples_try, &args, &outcomes);
    if (!err) {
        lane_note_rows(batch, from, end, outcomes);
    }
    return err;
}

static enum err try_events(struct ingest_batch *batch, struct db_tx *tx)
{
    struct db_args args;
    struct db_rows *is_new;
    enum err err = lane_events_bind_try(batch, db_op(tx), &args);

    if (!err) {
        err = db_run(tx, &q_ingest_events_try, &args, &is_new);
    }
    if (!err) {
        lane_note_events(batch, is_new);
    }
    return err;
}

enum err lanes_try(struct ingest_batch *batch, struct db_conn *conn, int32_t tenant_id)
{
    enum err err = OK;
    struct db_tx *tx;

    for (size_t from = 0; !err && from < batch->n_rows;) {
        size_t end = part_end(batch, from);
        err = lane_begin(batch, conn, tenant_id, &tx);
        if (!err) {
            err = lane_end(batch, tx, try_rows(batch, tx, from, end));
        }
        from = end;
    }
    if (!err && batch->n_events) {
        err = lane_begin(batch, conn, tenant_id, &tx);
        if (!err) {
            err = lane_end(batch, tx, try_events(batch, tx));
        }
    }
    return err;
}

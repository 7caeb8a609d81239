/* Rows as parameters of a statement, and what the lanes do alike. Called by lane_*.c. */
#include "gen/queries.h"
#include "ingest/lane_parts.h"

#include <stdio.h>

bool row_arrays_open(struct row_arrays *arrays, struct arena *arena, size_t n)
{
    *arrays = (struct row_arrays){
        .tenants = arena_array(arena, n + 1, sizeof *arrays->tenants),
        .series = arena_array(arena, n + 1, sizeof *arrays->series),
        .times = arena_array(arena, n + 1, sizeof *arrays->times),
        .values = arena_array(arena, n + 1, sizeof *arrays->values),
    };
    return arrays->tenants && arrays->series && arrays->times && arrays->values;
}

void row_arrays_add(struct row_arrays *arrays, const struct batch_row *row)
{
    size_t at = arrays->n++;

    arrays->tenants[at] = row->tenant_id;
    arrays->series[at] = row->series_id;
    arrays->times[at] = row->time_us;
    arrays->values[at] = row->value;
}

void row_arrays_bind(const struct row_arrays *arrays, struct arena *arena, struct db_args *args)
{
    db_args_init(args, arena);
    db_arg_int_array(args, arrays->tenants, arrays->n);
    db_arg_int_array(args, arrays->series, arrays->n);
    db_arg_time_array(args, arrays->times, arrays->n);
    db_arg_double_array(args, arrays->values, arrays->n);
}

/* Of api.ingest_samples and ingest_samples_try. */
static uint8_t outcome_of(int32_t code)
{
    return code == 1 ? INGEST_NEW : code == 2 ? INGEST_UPDATED : 0;
}

void lane_note_rows(struct ingest_batch *batch, size_t from, size_t end,
                    const struct db_rows *outcomes)
{
    int n = 0;

    for (size_t at = from; at < end; at++) {
        const struct batch_row *row = &batch->rows[at];
        bool is_repeat = at > from && batch_is_same_key(row - 1, row);
        uint8_t outcome = is_repeat ? lane_outcome_after(row - 1, row)
                                    : outcome_of(db_int(outcomes, n++, INGEST_SAMPLES_OUTCOME));
        batch_note(batch, row, outcome);
    }
}

/* Makes the failure of a transaction the batch's, with the place where it was discovered. */
static enum err hand_on(struct ingest_batch *batch, enum err err)
{
    const struct fault *fault = &batch->tx_op.fault;

    return op_fail(batch->op, err, fault->file, fault->line, "%s", fault->detail);
}

struct op *lane_op(struct ingest_batch *batch)
{
    batch->sqlstate[0] = '\0';
    if (batch->scratch) {
        arena_reset(batch->scratch);
    }
    op_init(&batch->tx_op, batch->scratch ? batch->scratch : batch->op->arena, batch->op->id);
    return &batch->tx_op;
}

enum err lane_transact(struct ingest_batch *batch, struct db_conn *conn,
                       const struct db_step *steps, int n, enum err err)
{
    if (!err) {
        err = db_transact(&batch->tx_op, conn, steps, n, batch->sqlstate);
    }
    return err ? hand_on(batch, err) : OK;
}

enum err lane_begin(struct ingest_batch *batch, struct db_conn *conn, int32_t tenant_id,
                    struct db_tx **tx)
{
    enum err err = db_begin(lane_op(batch), conn, DB_WRITE, tenant_id, tx);

    return err ? hand_on(batch, err) : OK;
}

enum err lane_end(struct ingest_batch *batch, struct db_tx *tx, enum err err)
{
    if (!err) {
        err = db_commit(tx);
        return err ? hand_on(batch, err) : OK;
    }
    (void)snprintf(batch->sqlstate, sizeof batch->sqlstate, "%s", db_sqlstate(tx));
    db_rollback(tx);
    return hand_on(batch, err);
}

struct db_step lane_patience(struct db_args *args, int patience_ms, struct op *op)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%d", patience_ms);
    db_args_init(args, op->arena);
    db_arg_str(args, str_of(text));
    return (struct db_step){ &q_ingest_patience, args, NULL };
}

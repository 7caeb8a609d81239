/* Rows as parameters of a statement, and what the lanes do alike. Called by lane_*.c. */
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

enum err row_arrays_run(struct db_tx *tx, const struct db_query *query,
                        const struct row_arrays *arrays, struct db_rows **out)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int_array(&args, arrays->tenants, arrays->n);
    db_arg_int_array(&args, arrays->series, arrays->n);
    db_arg_time_array(&args, arrays->times, arrays->n);
    db_arg_double_array(&args, arrays->values, arrays->n);
    return db_run(tx, query, &args, out);
}

void lane_roll_back(struct ingest_batch *batch, struct db_tx *tx)
{
    (void)snprintf(batch->sqlstate, sizeof batch->sqlstate, "%s", db_sqlstate(tx));
    db_rollback(tx);
}

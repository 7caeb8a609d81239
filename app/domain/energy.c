/* Reads what series amount to. Called by overview_energy.c. */
#include "domain/energy.h"

#include "db/db.h"
#include "gen/queries.h"

/* The points in two columns: their times, and what they amount to. */
static enum err read_points(struct db_tx *tx, const struct db_rows *rows, int row, int column,
                            struct energy_points *out)
{
    struct db_int64_list at, nkwh;
    enum err err = db_int64_list(tx, rows, row, column, &at);
    if (err == OK) {
        err = db_int64_list(tx, rows, row, column + 1, &nkwh);
    }
    if (err == OK && at.n != nkwh.n) {
        err = fail(db_op(tx), ERR_INTERNAL, "%d times of %d amounts", at.n, nkwh.n);
    }
    if (err == OK) {
        *out = (struct energy_points){ at.items, nkwh.items, at.n };
    }
    return err;
}

static enum err read_source(struct db_tx *tx, const struct db_rows *rows, int row,
                            struct energy_source *out)
{
    *out = (struct energy_source){
        .device = db_text(rows, row, ENERGY_TOLD_DEVICE),
        .role = db_text(rows, row, ENERGY_TOLD_ROLE),
        .zone = db_text(rows, row, ENERGY_TOLD_ZONE),
        .place = db_int(rows, row, ENERGY_TOLD_PLACE),
    };
    enum err err = read_points(tx, rows, row, ENERGY_TOLD_QUARTERS, &out->quarters);
    if (err == OK) {
        err = read_points(tx, rows, row, ENERGY_TOLD_DAYS, &out->days);
    }
    return err == OK ? read_points(tx, rows, row, ENERGY_TOLD_OPEN, &out->open) : err;
}

enum err energy_load(struct db_tx *tx, int64_t quarters_us, int64_t days_us,
                     struct energy_sources *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_time(&args, quarters_us);
    db_arg_time(&args, days_us);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_energy_told, &args, &rows);
    if (err != OK) {
        return err;
    }
    *out = (struct energy_sources){ .n = db_count(rows) };
    out->items = arena_array(op->arena, (size_t)out->n, sizeof *out->items);
    if (out->items == NULL && out->n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; err == OK && i < out->n; i++) {
        err = read_source(tx, rows, i, &out->items[i]);
    }
    return err;
}

/* Energy in buckets over the tenant's function. */
#include "domain/energy_list.h"

#include "db/db.h"
#include "gen/queries.h"

enum err energy_bucket_list(struct db_tx *tx, const struct energy_filter *filter,
                            struct energy_bucket_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_text(&args, sample_bucket_name(filter->bucket));
    db_arg_text(&args, filter->zone_name);
    db_arg_str(&args, filter->site);
    db_arg_str(&args, filter->device);
    db_arg_time(&args, filter->from_us);
    db_arg_time(&args, filter->to_us);
    db_arg_int(&args, filter->limit);
    enum err err = db_run(tx, &q_energy_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct energy_bucket *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct energy_bucket){
            .time_us = db_time(rows, i, ENERGY_LIST_BUCKET),
            .used_kwh = db_text(rows, i, ENERGY_LIST_ENERGY_KWH),
            .consumption_kwh = db_text(rows, i, ENERGY_LIST_CONSUMPTION_KWH),
            .generation_kwh = db_text(rows, i, ENERGY_LIST_GENERATION_KWH),
            .grid_import_kwh = db_text(rows, i, ENERGY_LIST_GRID_IMPORT_KWH),
            .grid_export_kwh = db_text(rows, i, ENERGY_LIST_GRID_EXPORT_KWH),
        };
    }
    *out = (struct energy_bucket_list){ items, n };
    return OK;
}

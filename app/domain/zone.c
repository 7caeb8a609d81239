/* Reads a zone's offsets and the starts of its local buckets. Called by what shows or groups
 * times: pages and, through them, charts. */
#include "domain/zone.h"

#include "db/db.h"
#include "gen/queries.h"

enum err zone_load(struct db_tx *tx, const char *name, int64_t from_us, int64_t to_us,
                   struct zone *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, name);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_zone_offsets, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct zone_offset *offsets = arena_array(op->arena, (size_t)n, sizeof *offsets);
    if (offsets == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        offsets[i] = (struct zone_offset){
            .from_us = db_time(rows, i, ZONE_OFFSETS_FROM_TIME),
            .offset_s = db_int(rows, i, ZONE_OFFSETS_OFFSET_S),
        };
    }
    *out = (struct zone){ .name = name, .offsets = offsets, .n_offsets = n };
    return OK;
}

enum err zone_bucket_starts(struct db_tx *tx, const char *name, const char *bucket,
                            int64_t from_us, int64_t to_us, struct zone_starts *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, name);
    db_arg_text(&args, bucket);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_zone_bucket_starts, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    int64_t *starts = arena_array(op->arena, (size_t)n, sizeof *starts);
    if (starts == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        starts[i] = db_time(rows, i, ZONE_BUCKET_STARTS_START);
    }
    *out = (struct zone_starts){ .us = starts, .n = n };
    return OK;
}

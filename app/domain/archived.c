/* Files of the archive over the tenant's functions. Called by transfer/, the API and the page. */
#include "domain/archived.h"

#include "db/db.h"
#include "gen/queries.h"

/* Of the file `id`, or of all (0). */
static enum err load(struct db_tx *tx, int64_t id, const struct archived_filter *filter, int limit,
                     struct archived_list *out)
{
    struct arena *arena = db_op(tx)->arena;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, arena);
    db_arg_int64(&args, id);
    db_arg_int64(&args, filter->before_id);
    db_arg_str(&args, filter->table);
    db_arg_text(&args, filter->from_day);
    db_arg_text(&args, filter->to_day);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_archived_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(arena, (size_t)out->n + 1, sizeof *out->items);
    if (out->items == NULL) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct archived){
            .id = db_int64(rows, i, ARCHIVED_LIST_ID),
            .table = db_text(rows, i, ARCHIVED_LIST_RELATION),
            .is_derived = str_equal(db_str(rows, i, ARCHIVED_LIST_RELATION), STR("costs")),
            .day = db_text(rows, i, ARCHIVED_LIST_DAY),
            .n = db_int(rows, i, ARCHIVED_LIST_N),
            .kind = db_text(rows, i, ARCHIVED_LIST_KIND),
            .object = db_text(rows, i, ARCHIVED_LIST_OBJECT),
            .n_rows = db_int64(rows, i, ARCHIVED_LIST_N_ROWS),
            .n_bytes = db_int64(rows, i, ARCHIVED_LIST_N_BYTES),
            .sha256 = db_text(rows, i, ARCHIVED_LIST_SHA256),
            .archived_us = db_time(rows, i, ARCHIVED_LIST_ARCHIVED_AT),
            .verified_us = db_time(rows, i, ARCHIVED_LIST_VERIFIED_AT),
            .place = db_text(rows, i, ARCHIVED_LIST_PLACE),
            .wish = db_text(rows, i, ARCHIVED_LIST_WISH),
            .problem = db_text(rows, i, ARCHIVED_LIST_PROBLEM),
            .verify = db_text(rows, i, ARCHIVED_LIST_VERIFY),
            .checked_us = db_time_or(rows, i, ARCHIVED_LIST_CHECKED_AT, ARCHIVED_UNCHECKED),
        };
    }
    return OK;
}

enum err archived_list(struct db_tx *tx, const struct archived_filter *filter, int limit,
                       struct archived_list *out)
{
    return load(tx, 0, filter, limit, out);
}

enum err archived_find(struct db_tx *tx, int64_t id, struct archived *out)
{
    struct archived_list list = { .n = 0 };
    enum err err = id > 0 ? load(tx, id, &(struct archived_filter){ 0 }, 1, &list) : OK;

    if (err == OK && list.n == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, ARCHIVED_NONE);
    }
    if (err == OK) {
        *out = list.items[0];
    }
    return err;
}

enum err archived_total(struct db_tx *tx, struct archived_total *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_archived_total, NULL, &rows);

    if (err == OK) {
        *out = (struct archived_total){ db_int64(rows, 0, ARCHIVED_TOTAL_N_DAYS),
                                        db_int64(rows, 0, ARCHIVED_TOTAL_N_FILES),
                                        db_int64(rows, 0, ARCHIVED_TOTAL_N_BYTES) };
    }
    return err;
}

enum err archived_is_on(struct db_tx *tx, bool *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_archived_is_on, NULL, &rows);

    *out = err == OK && db_bool(rows, 0, ARCHIVED_IS_ON_IS_ON);
    return err;
}

static void add_days(struct db_args *args, struct arena *arena,
                     const struct archived_filter *filter)
{
    db_args_init(args, arena);
    db_arg_str(args, filter->table);
    db_arg_text(args, filter->from_day);
    db_arg_text(args, filter->to_day);
}

enum err archived_away(struct db_tx *tx, const struct archived_filter *filter,
                       struct archived_away *out)
{
    struct db_args args;
    struct db_rows *rows;

    add_days(&args, db_op(tx)->arena, filter);
    enum err err = db_run(tx, &q_archived_away, &args, &rows);
    if (err == OK) {
        *out = (struct archived_away){ db_int64(rows, 0, ARCHIVED_AWAY_N_DAYS),
                                       db_int64(rows, 0, ARCHIVED_AWAY_N_PARTS) };
    }
    return err;
}

enum err archived_restore_days(struct db_tx *tx, const struct archived_filter *filter)
{
    struct db_args args;

    add_days(&args, db_op(tx)->arena, filter);
    return db_run(tx, &q_archived_restore_days, &args, NULL);
}

enum err archived_verify(struct db_tx *tx, int64_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    return db_run(tx, &q_archived_verify, &args, NULL);
}

enum err archived_restore(struct db_tx *tx, int64_t id, bool *is_there)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int64(&args, id);
    enum err err = db_run(tx, &q_archived_restore, &args, &rows);
    if (err == OK) {
        *is_there = str_equal(db_str(rows, 0, ARCHIVED_RESTORE_STATE), STR("there"));
    }
    return err;
}

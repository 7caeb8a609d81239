/* Rejected items and hourly accounts as the database keeps them. */
#include "domain/reject.h"

#include "db/db.h"
#include "gen/queries.h"

static void arg_id(struct db_args *args, int64_t id)
{
    if (id) {
        db_arg_int64(args, id);
    } else {
        db_arg_null(args);
    }
}

static void arg_filter(struct db_args *args, const struct reject_filter *filter)
{
    db_arg_time(args, filter->from_us);
    db_arg_time(args, filter->to_us);
    db_arg_str(args, filter->device);
    db_arg_str(args, filter->reason);
    db_arg_str(args, filter->convention);
}

static struct reject_row row_of(const struct db_rows *rows, int i)
{
    return (struct reject_row){
        .id = db_int64(rows, i, REJECT_LIST_ID),
        .time_us = db_time(rows, i, REJECT_LIST_TIME),
        .token_id = db_int64(rows, i, REJECT_LIST_TOKEN_ID),
        .request_id = db_text(rows, i, REJECT_LIST_REQUEST_ID),
        .device = db_text(rows, i, REJECT_LIST_DEVICE),
        .convention = db_text(rows, i, REJECT_LIST_CONVENTION),
        .item = db_is_null(rows, i, REJECT_LIST_ITEM) ? -1 : db_int(rows, i, REJECT_LIST_ITEM),
        .field = db_text(rows, i, REJECT_LIST_FIELD),
        .reason = db_text(rows, i, REJECT_LIST_REASON),
        .state = db_text(rows, i, REJECT_LIST_STATE),
        .outcome = db_text(rows, i, REJECT_LIST_OUTCOME),
        .attempts = db_int(rows, i, REJECT_LIST_ATTEMPTS),
        .tried_us = db_time_or(rows, i, REJECT_LIST_TRIED_AT, INT64_MIN),
        .method = db_text(rows, i, REJECT_LIST_METHOD),
        .target = db_text(rows, i, REJECT_LIST_TARGET),
        .content_type = db_text(rows, i, REJECT_LIST_CONTENT_TYPE),
        .text = db_str(rows, i, REJECT_LIST_TEXT),
        .size = db_int(rows, i, REJECT_LIST_SIZE),
        .is_item = db_bool(rows, i, REJECT_LIST_IS_ITEM),
        .is_whole = db_bool(rows, i, REJECT_LIST_IS_WHOLE),
    };
}

enum err reject_list(struct db_tx *tx, const struct reject_filter *filter, int64_t before_id,
                     int excerpt, int limit, struct reject_rows *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    arg_id(&args, filter->only_id);
    arg_id(&args, before_id);
    arg_filter(&args, filter);
    db_arg_str(&args, filter->state);
    db_arg_int(&args, excerpt);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_reject_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = row_of(rows, i);
    }
    return OK;
}

enum err reject_replay(struct db_tx *tx, const struct reject_filter *filter, int64_t *n)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    arg_id(&args, filter->only_id);
    arg_filter(&args, filter);
    enum err err = db_run(tx, &q_reject_replay, &args, &rows);
    if (err == OK) {
        *n = db_int64(rows, 0, REJECT_REPLAY_PENDING);
    }
    return err;
}

enum err reject_delete(struct db_tx *tx, const struct reject_filter *filter, int64_t *n)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    arg_id(&args, filter->only_id);
    arg_filter(&args, filter);
    db_arg_str(&args, filter->state);
    enum err err = db_run(tx, &q_reject_delete, &args, &rows);
    if (err == OK) {
        *n = db_int64(rows, 0, REJECT_DELETE_DELETED);
    }
    return err;
}

enum err ingest_hours_list(struct db_tx *tx, int64_t from_us, int64_t to_us, int limit,
                           struct ingest_hours *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_ingest_hours_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct ingest_hour){
            .time_us = db_time(rows, i, INGEST_HOURS_LIST_HOUR),
            .received = db_int64(rows, i, INGEST_HOURS_LIST_RECEIVED),
            .accepted = db_int64(rows, i, INGEST_HOURS_LIST_ACCEPTED),
            .duplicates = db_int64(rows, i, INGEST_HOURS_LIST_DUPLICATES),
            .updated = db_int64(rows, i, INGEST_HOURS_LIST_UPDATED),
            .rejected = db_int64(rows, i, INGEST_HOURS_LIST_REJECTED),
            .replayed = db_int64(rows, i, INGEST_HOURS_LIST_REPLAYED),
            .dropped = db_int64(rows, i, INGEST_HOURS_LIST_DROPPED),
            .refused = db_int64(rows, i, INGEST_HOURS_LIST_REFUSED),
        };
    }
    return OK;
}

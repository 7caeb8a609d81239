/* Uploads over the tenant's functions. Called by transfer/ and the page. */
#include "domain/upload.h"

#include "db/db.h"
#include "domain/event.h"
#include "gen/queries.h"

/* ---- sending ---- */

enum err upload_begin(struct db_tx *tx, const struct upload_draft *draft, struct upload_begun *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, draft->name);
    db_arg_text(&args, draft->type);
    if (draft->length >= 0) {
        db_arg_int64(&args, draft->length);
    } else {
        db_arg_null(&args);
    }
    db_arg_text(&args, draft->device);
    db_arg_text(&args, draft->event);
    db_arg_bool(&args, draft->is_by_parts);
    db_arg_int64(&args, draft->quota);
    enum err err = db_run(tx, &q_upload_begin, &args, &rows);
    if (err == OK) {
        *out = (struct upload_begun){ db_text(rows, 0, UPLOAD_BEGIN_ID),
                                      db_text(rows, 0, UPLOAD_BEGIN_KEY),
                                      db_int64(rows, 0, UPLOAD_BEGIN_ROOM) };
    }
    return err;
}

enum err upload_finish(struct db_tx *tx, const char *id, int64_t size,
                       const uint8_t sha256[CRYPTO_HASH_BYTES], int64_t quota)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    db_arg_int64(&args, size);
    db_arg_bytes(&args, sha256, CRYPTO_HASH_BYTES);
    db_arg_int64(&args, quota);
    return db_run(tx, &q_upload_finish, &args, NULL);
}

/* Runs a statement of an id alone. */
static enum err run_by_id(struct db_tx *tx, const struct db_query *query, const char *id,
                          struct db_rows **rows)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    return db_run(tx, query, &args, rows);
}

enum err upload_abandon(struct db_tx *tx, const char *id)
{
    return run_by_id(tx, &q_upload_abandon, id, NULL);
}

/* ---- in parts ---- */

/* What a row of upload_resume or of upload_progress says, which have the same columns. */
static bool read_progress(const struct db_rows *rows, struct upload_progress *out)
{
    if (db_count(rows) == 0) {
        return false;
    }
    struct str sha256 = db_str(rows, 0, UPLOAD_RESUME_SHA256);
    *out = (struct upload_progress){ .id = db_text(rows, 0, UPLOAD_RESUME_ID),
                                     .key = db_text(rows, 0, UPLOAD_RESUME_KEY),
                                     .received = db_int64(rows, 0, UPLOAD_RESUME_RECEIVED),
                                     .is_stored = sha256.len == CRYPTO_HASH_BYTES };
    if (out->is_stored) {
        memcpy(out->sha256, sha256.ptr, sha256.len);
    }
    return true;
}

enum err upload_resume(struct db_tx *tx, const struct upload_draft *draft, int64_t length,
                       bool *found, struct upload_progress *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, draft->name);
    db_arg_int64(&args, length);
    db_arg_text(&args, draft->device);
    db_arg_text(&args, draft->event);
    enum err err = db_run(tx, &q_upload_resume, &args, &rows);
    *found = err == OK && read_progress(rows, out);
    return err;
}

enum err upload_find_progress(struct db_tx *tx, const char *id, bool *found,
                              struct upload_progress *out)
{
    struct db_rows *rows;
    enum err err = run_by_id(tx, &q_upload_progress, id, &rows);

    *found = err == OK && read_progress(rows, out);
    return err;
}

enum err upload_part_begin(struct db_tx *tx, const char *id, int64_t first, int64_t size,
                           struct upload_part_begun *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    db_arg_int64(&args, first);
    db_arg_int64(&args, size);
    enum err err = db_run(tx, &q_upload_part_begin, &args, &rows);
    if (err == OK) {
        *out = (struct upload_part_begun){ db_text(rows, 0, UPLOAD_PART_BEGIN_ID),
                                           db_text(rows, 0, UPLOAD_PART_BEGIN_KEY) };
    }
    return err;
}

enum err upload_part_finish(struct db_tx *tx, const char *id, const char *part, int64_t *received)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    db_arg_text(&args, part);
    enum err err = db_run(tx, &q_upload_part_finish, &args, &rows);
    if (err == OK) {
        *received = db_int64(rows, 0, UPLOAD_PART_FINISH_RECEIVED);
    }
    return err;
}

/* A query of a file and of one of its attempts that answers with nothing. */
static enum err run_attempt(struct db_tx *tx, const struct db_query *query, const char *id,
                            const char *attempt)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    db_arg_text(&args, attempt);
    return db_run(tx, query, &args, NULL);
}

enum err upload_part_abandon(struct db_tx *tx, const char *id, const char *part)
{
    return run_attempt(tx, &q_upload_part_abandon, id, part);
}

enum err upload_join_beat(struct db_tx *tx, const char *id, const char *join)
{
    return run_attempt(tx, &q_upload_join_beat, id, join);
}

enum err upload_join_begin(struct db_tx *tx, const char *id, struct upload_part_begun *out)
{
    struct db_rows *rows;
    enum err err = run_by_id(tx, &q_upload_join_begin, id, &rows);

    if (err == OK && db_count(rows) == 0) {
        return fail(db_op(tx), ERR_CHANGING, "The parts of this file are being joined.");
    }
    if (err == OK) {
        *out = (struct upload_part_begun){ db_text(rows, 0, UPLOAD_JOIN_BEGIN_ID),
                                           db_text(rows, 0, UPLOAD_JOIN_BEGIN_KEY) };
    }
    return err;
}

enum err upload_join_finish(struct db_tx *tx, const char *id, const char *join,
                            const uint8_t sha256[CRYPTO_HASH_BYTES], int64_t quota)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    db_arg_text(&args, join);
    db_arg_bytes(&args, sha256, CRYPTO_HASH_BYTES);
    db_arg_int64(&args, quota);
    return db_run(tx, &q_upload_join_finish, &args, NULL);
}

enum err upload_part_lost(struct db_tx *tx, const char *id, const char *part, int64_t *received)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, id);
    db_arg_text(&args, part);
    enum err err = db_run(tx, &q_upload_part_lost, &args, &rows);
    if (err == OK) {
        *received = db_int64(rows, 0, UPLOAD_PART_LOST_RECEIVED);
    }
    return err;
}

enum err upload_parts(struct db_tx *tx, const char *id, struct upload_part_list *out)
{
    struct db_rows *rows;
    enum err err = run_by_id(tx, &q_upload_part_list, id, &rows);

    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct upload_part){ db_text(rows, i, UPLOAD_PART_LIST_ID),
                                              db_text(rows, i, UPLOAD_PART_LIST_KEY),
                                              db_int64(rows, i, UPLOAD_PART_LIST_SIZE) };
    }
    return OK;
}

/* ---- reading and removing ---- */

/* In hexadecimal, in the arena; NULL without memory. */
static const char *hash_text(struct arena *arena, struct str sha256)
{
    char *hex = arena_alloc(arena, CRYPTO_HEX_SIZE);

    if (hex && sha256.len == CRYPTO_HASH_BYTES) {
        crypto_hex(sha256.ptr, sha256.len, hex);
    }
    return hex;
}

enum err upload_list(struct db_tx *tx, const struct upload_filter *filter, int limit,
                     struct upload_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_time(&args, filter->before_us);
    db_arg_text(&args, filter->before_id ? filter->before_id : UPLOAD_LAST_ID);
    db_arg_str(&args, filter->device);
    db_arg_text(&args, filter->event);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_upload_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct upload){
            .id = db_text(rows, i, UPLOAD_LIST_ID),
            .name = db_text(rows, i, UPLOAD_LIST_NAME),
            .type = db_text(rows, i, UPLOAD_LIST_CONTENT_TYPE),
            .device = db_text(rows, i, UPLOAD_LIST_DEVICE),
            .event = db_text(rows, i, UPLOAD_LIST_EVENT),
            .made_by = db_text(rows, i, UPLOAD_LIST_MADE_BY),
            .sha256 = hash_text(op->arena, db_str(rows, i, UPLOAD_LIST_SHA256)),
            .size = db_int64(rows, i, UPLOAD_LIST_SIZE),
            .stored_us = db_time(rows, i, UPLOAD_LIST_STORED_AT),
        };
    }
    return OK;
}

enum err upload_find(struct db_tx *tx, const char *id, struct upload *out)
{
    struct op *op = db_op(tx);
    struct db_rows *rows;
    enum err err = run_by_id(tx, &q_upload_find, id, &rows);

    if (err == OK && db_count(rows) == 0) {
        err = fail(op, ERR_NOT_FOUND, "There is no such file.");
    }
    if (err != OK) {
        return err;
    }
    *out = (struct upload){
        .id = id,
        .key = db_text(rows, 0, UPLOAD_FIND_KEY),
        .name = db_text(rows, 0, UPLOAD_FIND_NAME),
        .type = db_text(rows, 0, UPLOAD_FIND_CONTENT_TYPE),
        .sha256 = hash_text(op->arena, db_str(rows, 0, UPLOAD_FIND_SHA256)),
        .size = db_int64(rows, 0, UPLOAD_FIND_SIZE),
        .stored_us = db_time(rows, 0, UPLOAD_FIND_STORED_AT),
    };
    return out->sha256 ? OK : fail_memory(op);
}

enum err upload_total(struct db_tx *tx, struct upload_totals *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_upload_total, NULL, &rows);

    if (err == OK) {
        *out = (struct upload_totals){ db_int64(rows, 0, UPLOAD_TOTAL_FILES),
                                       db_int64(rows, 0, UPLOAD_TOTAL_BYTES),
                                       db_int64(rows, 0, UPLOAD_TOTAL_HELD) };
    }
    return err;
}

/* The ids of the events that have one. */
static enum err ask_events(struct db_tx *tx, const struct event_list *events,
                           struct db_rows **rows)
{
    struct db_args args;
    struct str *ids = arena_array(db_op(tx)->arena, (size_t)events->n + 1, sizeof *ids);
    size_t n = 0;

    *rows = NULL;
    if (!ids) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < events->n; i++) {
        if (events->items[i].id) {
            ids[n++] = str_of(events->items[i].id);
        }
    }
    if (n == 0) {
        return OK;
    }
    db_args_init(&args, db_op(tx)->arena);
    db_arg_str_array(&args, ids, n);
    return db_run(tx, &q_upload_events, &args, rows);
}

enum err upload_mark_events(struct db_tx *tx, struct event_list *events)
{
    struct db_rows *rows;
    enum err err = ask_events(tx, events, &rows);

    for (int i = 0; err == OK && rows && i < events->n; i++) {
        struct event *event = &events->items[i];
        for (int r = 0; event->id && !event->has_files && r < db_count(rows); r++) {
            event->has_files = strcmp(event->id, db_text(rows, r, UPLOAD_EVENTS_EVENT)) == 0;
        }
    }
    return err;
}

enum err upload_remove(struct db_tx *tx, const char *id)
{
    return run_by_id(tx, &q_upload_remove, id, NULL);
}

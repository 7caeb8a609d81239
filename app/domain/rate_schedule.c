/* Rate schedules and their versions over the tenant's views and functions. Called by the handlers
 * of rate schedules. */
#include "domain/rate_schedule.h"

#include "db/db.h"
#include "domain/span.h"
#include "domain/tariff_write.h"
#include "gen/queries.h"

#define MAX_DOCUMENT_BYTES (16u << 20) /* as written; what is read is bounded by the route */

static enum err missing(struct db_tx *tx)
{
    return fail(db_op(tx), ERR_NOT_FOUND, "no rate schedule has this number");
}

/* ---- reading ---- */

enum err rate_schedule_list(struct db_tx *tx, int32_t after_id, int limit,
                            struct rate_schedule_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_int(&args, after_id);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_rate_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct rate_schedule *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct rate_schedule){
            .id = db_int(rows, i, RATE_LIST_ID),
            .name = db_text(rows, i, RATE_LIST_NAME),
            .created_us = db_time(rows, i, RATE_LIST_CREATED_AT),
            .newest = { .number = db_int(rows, i, RATE_LIST_VERSIONS),
                        .timezone = db_text(rows, i, RATE_LIST_TIMEZONE),
                        .currency = db_text(rows, i, RATE_LIST_CURRENCY),
                        .from_day = db_text(rows, i, RATE_LIST_FROM_DAY),
                        .to_day = db_text(rows, i, RATE_LIST_TO_DAY),
                        .known_us = db_time(rows, i, RATE_LIST_KNOWN_SINCE) },
            .assignments = db_int64(rows, i, RATE_LIST_ASSIGNMENTS),
        };
    }
    *out = (struct rate_schedule_list){ items, n };
    return OK;
}

enum err rate_schedule_find(struct db_tx *tx, int32_t id, struct rate_schedule *out)
{
    struct rate_schedule_list list = { .n = 0 };
    enum err err = rate_schedule_list(tx, id - 1, 1, &list);

    if (err != OK) {
        return err;
    }
    if (list.n == 0 || !list.items || list.items[0].id != id) {
        return missing(tx);
    }
    *out = list.items[0];
    return OK;
}

enum err rate_version_list(struct db_tx *tx, int32_t id, struct rate_version_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_int(&args, id);
    db_arg_int(&args, RATE_MAX_SHOWN);
    enum err err = db_run(tx, &q_rate_versions, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct rate_version *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct rate_version){
            .number = db_int(rows, i, RATE_VERSIONS_NUMBER),
            .timezone = db_text(rows, i, RATE_VERSIONS_TIMEZONE),
            .currency = db_text(rows, i, RATE_VERSIONS_CURRENCY),
            .from_day = db_text(rows, i, RATE_VERSIONS_FROM_DAY),
            .to_day = db_text(rows, i, RATE_VERSIONS_TO_DAY),
            .known_us = db_time(rows, i, RATE_VERSIONS_KNOWN_SINCE),
            .made_by = db_text(rows, i, RATE_VERSIONS_MADE_BY),
            .format = db_text(rows, i, RATE_VERSIONS_FORMAT),
        };
    }
    *out = (struct rate_version_list){ items, n };
    return OK;
}

enum err rate_version_document(struct db_tx *tx, int32_t id, int32_t number, const char **out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int(&args, id);
    db_arg_int(&args, number);
    enum err err = db_run(tx, &q_rate_document, &args, &rows);
    if (err == OK && db_count(rows) == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "the rate schedule has no such version");
    }
    if (err == OK) {
        *out = db_text(rows, 0, RATE_DOCUMENT_DOCUMENT);
    }
    return err;
}

/* ---- changing ---- */

/* The document's text; ptr NULL beyond the arena's cap. */
static struct str written(struct op *op, const struct tariff *tariff)
{
    struct json_writer json;
    struct buf text;

    buf_init(&text, op->arena, MAX_DOCUMENT_BYTES);
    json_writer_init(&json, &text);
    tariff_write(&json, tariff);
    return text.is_broken ? (struct str){ NULL, 0 } : buf_str(&text);
}

enum err rate_version_add(struct db_tx *tx, const struct tariff *tariff, const char *format,
                          int32_t *id)
{
    struct op *op = db_op(tx);
    struct str document = written(op, tariff);
    struct db_args args;
    struct db_rows *rows;

    if (!document.ptr) {
        return fail_memory(op);
    }
    db_args_init(&args, op->arena);
    db_arg_int(&args, *id);
    db_arg_text(&args, tariff->name);
    db_arg_text(&args, tariff->timezone);
    db_arg_text(&args, tariff->currency);
    db_arg_text(&args, span_day_text(op->arena, tariff->from_day));
    db_arg_text(&args, tariff->to_day == TARIFF_NEVER ? NULL
                                                      : span_day_text(op->arena, tariff->to_day));
    db_arg_text(&args, format);
    db_arg_str(&args, document);
    enum err err = db_run(tx, &q_rate_version_add, &args, &rows);
    if (err == OK) {
        *id = db_int(rows, 0, RATE_VERSION_ADD_ID);
    }
    return err;
}

enum err rate_schedule_hold(struct db_tx *tx, int32_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int(&args, id);
    return db_run(tx, &q_rate_hold, &args, NULL);
}

enum err rate_schedule_remove(struct db_tx *tx, int32_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int(&args, id);
    return db_run(tx, &q_rate_remove, &args, NULL);
}

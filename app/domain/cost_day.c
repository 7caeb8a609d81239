/* Reads the ledger's days and lines. Called by cost_ledger.c and cost_work.c. */
#include "domain/cost_day.h"

#include "base/json.h"
#include "db/ask.h"
#include "gen/queries.h"

/* ---- days ---- */

static bool read_period(struct json_reader *reader, struct arena *arena, struct cost_period *out)
{
    struct str key, text;
    bool is_read = json_enter_object(reader);

    while (is_read && json_next_member(reader, &key)) {
        is_read = json_read_string(reader, &text);
        if (!is_read) {
            break;
        }
        if (str_equal(key, STR("period"))) {
            is_read = (out->name = arena_copy(arena, text)) != NULL;
        } else if (str_equal(key, STR("title"))) {
            is_read = (out->title = arena_copy(arena, text)) != NULL;
        } else if (str_equal(key, STR("nkwh"))) {
            is_read = quantity_read(text, &out->import);
        } else {
            is_read = money_read(text, &out->cost);
        }
    }
    return is_read && out->name && out->title;
}

static bool read_periods(struct arena *arena, struct str text, struct cost_bucket *out)
{
    struct json_reader reader;

    json_reader_init(&reader, text, arena, 2);
    out->periods = arena_array(arena, TARIFF_MAX_PERIODS, sizeof *out->periods);
    if (!out->periods || !json_enter_array(&reader)) {
        return false;
    }
    while (json_next_element(&reader)) {
        if (out->n_periods == TARIFF_MAX_PERIODS ||
            !read_period(&reader, arena, &out->periods[out->n_periods++])) {
            return false;
        }
    }
    return json_at_end(&reader);
}

static bool read_bucket(struct arena *arena, const struct db_rows *rows, int row,
                        struct cost_bucket *out)
{
    *out = (struct cost_bucket){
        .from_us = db_time(rows, row, COST_DAYS_FROM_TIME),
        .to_us = db_time(rows, row, COST_DAYS_TO_TIME),
        .is_known = db_bool(rows, row, COST_DAYS_IS_KNOWN),
        .is_priced = db_bool(rows, row, COST_DAYS_IS_PRICED),
        .is_final = db_bool(rows, row, COST_DAYS_IS_FINAL),
    };
    return quantity_read(db_str(rows, row, COST_DAYS_IMPORT_NKWH), &out->import) &&
           quantity_read(db_str(rows, row, COST_DAYS_EXPORT_NKWH), &out->export) &&
           money_read(db_str(rows, row, COST_DAYS_COST), &out->cost) &&
           money_read(db_str(rows, row, COST_DAYS_EXPORTED), &out->exported) &&
           money_read(db_str(rows, row, COST_DAYS_ONCE), &out->once) &&
           read_periods(arena, db_str(rows, row, COST_DAYS_BY_PERIOD), out);
}

static enum err read_day(struct db_tx *tx, const struct db_rows *rows, int row,
                         struct cost_day *out)
{
    *out = (struct cost_day){
        .day = db_int(rows, row, COST_DAYS_DAY),
        .zone = db_text(rows, row, COST_DAYS_ZONE),
        .is_partly = db_bool(rows, row, COST_DAYS_IS_PARTLY),
        .n_missing = db_int(rows, row, COST_DAYS_N_MISSING),
        .known = db_str(rows, row, COST_DAYS_KNOWN),
    };
    if (!read_bucket(db_op(tx)->arena, rows, row, &out->bucket)) {
        return fail(db_op(tx), ERR_INTERNAL, "the ledger's day %lld cannot be read",
                    (long long)out->day);
    }
    enum err err = db_int64_list(tx, rows, row, COST_DAYS_IMPORTS, &out->imports);
    if (err == OK) {
        err = db_int64_list(tx, rows, row, COST_DAYS_EXPORTS, &out->exports);
    }
    if (err == OK && (out->imports.n != out->exports.n ||
                      (out->imports.n > 0 && (size_t)out->imports.n != out->known.len))) {
        return fail(db_op(tx), ERR_INTERNAL, "the ledger's day %lld has not as many quarter hours",
                    (long long)out->day);
    }
    return err;
}

enum err cost_days_load(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                        int64_t to_day, int64_t quarters_day, struct cost_days *out)
{
    struct op *op = db_op(tx);
    struct db_ask ask;

    db_ask_init(&ask, op, &q_cost_days);
    ask.stamp = account->stamp;
    db_arg_text(&ask.args, account->site);
    db_arg_text(&ask.args, account->device);
    db_arg_int(&ask.args, (int32_t)from_day);
    db_arg_int(&ask.args, (int32_t)to_day);
    db_arg_int(&ask.args, (int32_t)quarters_day);
    *out = (struct cost_days){ NULL, 0 };
    enum err err = db_ask_all(tx, &ask, 1);
    if (err != OK) {
        return err;
    }
    int n = db_count(ask.rows);
    out->items = arena_array(op->arena, (size_t)n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; err == OK && i < n; i++) {
        err = read_day(tx, ask.rows, i, &out->items[out->n++]);
    }
    return err;
}

/* ---- lines ---- */

static bool read_line(const struct db_rows *rows, int row, struct cost_kept_line *out)
{
    *out = (struct cost_kept_line){
        .schedule_id = db_int(rows, row, COST_LINES_SCHEDULE_ID),
        .number = db_int(rows, row, COST_LINES_VERSION),
        .line = {
            .day = db_int(rows, row, COST_LINES_DAY),
            .charge = db_int(rows, row, COST_LINES_CHARGE_NO),
            .season = db_int(rows, row, COST_LINES_SEASON),
            .period = db_int(rows, row, COST_LINES_PERIOD_NO),
            .tier = db_int(rows, row, COST_LINES_TIER),
            .quantity = db_int64(rows, row, COST_LINES_QUANTITY),
            .rate = db_int64(rows, row, COST_LINES_RATE),
            .has_one_rate = db_bool(rows, row, COST_LINES_HAS_ONE_RATE),
            .n_days = db_int(rows, row, COST_LINES_N_DAYS),
            .of_days = db_int(rows, row, COST_LINES_OF_DAYS),
            .at_us = db_time(rows, row, COST_LINES_AT),
            .n_unpriced = db_int(rows, row, COST_LINES_N_UNPRICED),
        },
    };
    return money_read(db_str(rows, row, COST_LINES_AMOUNT), &out->line.amount);
}

enum err cost_lines_load(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                         int64_t to_day, struct cost_kept_lines *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_text(&args, account->site);
    db_arg_text(&args, account->device);
    db_arg_int(&args, (int32_t)from_day);
    db_arg_int(&args, (int32_t)to_day);
    enum err err = db_run(tx, &q_cost_lines, &args, &rows);
    if (err != OK) {
        return err;
    }
    *out = (struct cost_kept_lines){ .n = db_count(rows) };
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        if (!read_line(rows, i, &out->items[i])) {
            return fail(op, ERR_INTERNAL, "a line of the ledger cannot be read");
        }
    }
    return OK;
}

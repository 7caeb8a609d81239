/* Entries of meters' timelines over the tenant's view and functions; what may be entered is the
 * database's to say. Called by the handlers of the API and of the device's page. */
#include "domain/meter.h"

#include "db/db.h"
#include "gen/queries.h"

#include <math.h>

#define PART(name) (1U << METER_##name)

const char *const METER_PART_NAMES[METER_PARTS] = {
    [METER_UNTIL] = "until", [METER_FINAL] = "final",   [METER_INITIAL] = "initial",
    [METER_SIZE] = "size",   [METER_FACTOR] = "factor", [METER_UNIT] = "unit",
};

const struct meter_kind METER_KIND_LIST[METER_KINDS] = {
    { "swap", PART(FINAL) | PART(INITIAL), 0 },
    { "reset", PART(INITIAL), 0 },
    { "rollover", PART(UNTIL) | PART(SIZE), PART(SIZE) },
    { "gap", PART(UNTIL), PART(UNTIL) },
    { "factor", PART(UNTIL) | PART(FACTOR), PART(FACTOR) },
    { "unit", PART(UNTIL) | PART(UNIT), PART(UNIT) },
};

/* ---- reading ---- */

static struct meter_entry read_entry(const struct db_rows *rows, int row)
{
    return (struct meter_entry){
        .id = db_int(rows, row, METER_ENTRIES_ID),
        .metric = db_text(rows, row, METER_ENTRIES_METRIC),
        .labels = db_text(rows, row, METER_ENTRIES_LABELS),
        .kind = db_text(rows, row, METER_ENTRIES_KIND),
        .at_us = db_time(rows, row, METER_ENTRIES_AT),
        .until_us = db_time_or(rows, row, METER_ENTRIES_UNTIL, METER_INSTANT),
        .final = db_double(rows, row, METER_ENTRIES_FINAL),
        .initial = db_double(rows, row, METER_ENTRIES_INITIAL),
        .size = db_double(rows, row, METER_ENTRIES_SIZE),
        .factor = db_text(rows, row, METER_ENTRIES_FACTOR),
        .unit = db_text(rows, row, METER_ENTRIES_UNIT),
        .note = db_text(rows, row, METER_ENTRIES_NOTE),
        .made_by = db_text(rows, row, METER_ENTRIES_MADE_BY),
        .made_us = db_time(rows, row, METER_ENTRIES_MADE_AT),
        .withdrawn_by = db_text(rows, row, METER_ENTRIES_WITHDRAWN_BY),
        .withdrawn_us = db_time(rows, row, METER_ENTRIES_WITHDRAWN_AT),
    };
}

/* A page of entries, or one alone (`only_id`, not 0). */
static enum err read_list(struct db_tx *tx, struct str device, const struct meter_entry *before,
                          int32_t only_id, int limit, struct meter_entry_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_str(&args, device);
    db_arg_time(&args, before->at_us);
    db_arg_int(&args, before->id);
    db_arg_int(&args, only_id);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_meter_entries, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = read_entry(rows, i);
    }
    return OK;
}

enum err meter_list(struct db_tx *tx, struct str device, int64_t before_us, int32_t before_id,
                    int limit, struct meter_entry_list *out)
{
    struct meter_entry before = { .at_us = before_us, .id = before_id };

    return read_list(tx, device, &before, 0, limit, out);
}

enum err meter_find(struct db_tx *tx, struct str device, int32_t id, struct meter_entry *out)
{
    struct meter_entry before = { .at_us = INT64_MAX, .id = INT32_MAX };
    struct meter_entry_list list;
    enum err err = read_list(tx, device, &before, id, 1, &list);

    if (err == OK && list.n == 0) {
        err = fail(db_op(tx), ERR_NOT_FOUND, "the device has no such entry");
    }
    if (err == OK) {
        *out = list.items[0];
    }
    return err;
}

/* ---- changing ---- */

static void add_number(struct db_args *args, double value)
{
    if (isnan(value)) {
        db_arg_null(args);
    } else {
        db_arg_double(args, value);
    }
}

static void add_given(struct db_args *args, struct db_tx *tx, const struct meter_given *given)
{
    db_args_init(args, db_op(tx)->arena);
    db_arg_str(args, given->device);
    db_arg_str(args, given->metric);
    db_arg_str(args, given->labels);
    db_arg_text(args, given->kind->name);
    db_arg_time(args, given->at_us);
    if (given->until_us == METER_OPEN || given->until_us == METER_INSTANT) {
        db_arg_null(args);
    } else {
        db_arg_time(args, given->until_us);
    }
    add_number(args, given->final);
    add_number(args, given->initial);
    add_number(args, given->size);
    db_arg_str(args, given->factor);
    db_arg_str(args, given->unit);
}

enum err meter_check(struct db_tx *tx, const struct meter_given *given,
                     struct meter_problems *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    add_given(&args, tx, given);
    enum err err = db_run(tx, &q_meter_problems, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct meter_problem){ db_text(rows, i, METER_PROBLEMS_FIELD),
                                                db_text(rows, i, METER_PROBLEMS_PROBLEM) };
    }
    return OK;
}

enum err meter_add(struct db_tx *tx, const struct meter_given *given, int32_t *id)
{
    struct db_args args;
    struct db_rows *rows;

    add_given(&args, tx, given);
    db_arg_str(&args, given->note);
    enum err err = db_run(tx, &q_meter_add, &args, &rows);
    if (err == OK) {
        *id = db_int(rows, 0, METER_ADD_ID);
    }
    return err;
}

enum err meter_withdraw(struct db_tx *tx, struct str device, int32_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, device);
    db_arg_int(&args, id);
    return db_run(tx, &q_meter_withdraw, &args, NULL);
}

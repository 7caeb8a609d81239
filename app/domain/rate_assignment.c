/* Assignments of rate schedules over the tenant's views and functions. Called by the handlers of
 * rate schedules. */
#include "domain/rate_assignment.h"

#include "db/db.h"
#include "domain/rate_schedule.h"
#include "gen/queries.h"

enum err rate_assignment_list(struct db_tx *tx, int32_t schedule_id, bool with_withdrawn,
                              struct rate_assignment_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_int(&args, schedule_id);
    db_arg_bool(&args, with_withdrawn);
    db_arg_int(&args, RATE_MAX_SHOWN);
    enum err err = db_run(tx, &q_rate_assignments, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct rate_assignment *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct rate_assignment){
            .id = db_int(rows, i, RATE_ASSIGNMENTS_ID),
            .schedule_id = db_int(rows, i, RATE_ASSIGNMENTS_SCHEDULE_ID),
            .schedule = db_text(rows, i, RATE_ASSIGNMENTS_SCHEDULE),
            .site = db_text(rows, i, RATE_ASSIGNMENTS_SITE),
            .device = db_text(rows, i, RATE_ASSIGNMENTS_DEVICE),
            .from_day = db_text(rows, i, RATE_ASSIGNMENTS_FROM_DAY),
            .to_day = db_text(rows, i, RATE_ASSIGNMENTS_TO_DAY),
            .known_us = db_time(rows, i, RATE_ASSIGNMENTS_KNOWN_SINCE),
            .known_until_us = db_time_or(rows, i, RATE_ASSIGNMENTS_KNOWN_UNTIL, RATE_IN_FORCE),
            .made_by = db_text(rows, i, RATE_ASSIGNMENTS_MADE_BY),
        };
    }
    *out = (struct rate_assignment_list){ items, n };
    return OK;
}

static void add_place(struct db_args *args, const struct rate_place *place)
{
    db_arg_str(args, place->site);
    db_arg_str(args, place->device);
    db_arg_str(args, place->from_day);
    db_arg_str(args, place->to_day);
}

enum err rate_assignment_add(struct db_tx *tx, int32_t schedule_id, const struct rate_place *place,
                             int32_t *id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int(&args, schedule_id);
    add_place(&args, place);
    enum err err = db_run(tx, &q_rate_assign, &args, &rows);
    if (err == OK) {
        *id = db_int(rows, 0, RATE_ASSIGN_ID);
    }
    return err;
}

enum err rate_assignment_withdraw(struct db_tx *tx, int32_t schedule_id, int32_t id)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_int(&args, schedule_id);
    db_arg_int(&args, id);
    return db_run(tx, &q_rate_unassign, &args, NULL);
}

enum err rate_applied_list(struct db_tx *tx, const struct rate_place *place, int64_t known_us,
                           struct rate_applied_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    add_place(&args, place);
    db_arg_time(&args, known_us);
    enum err err = db_run(tx, &q_rate_applied, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct rate_applied *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct rate_applied){
            .from_day = db_text(rows, i, RATE_APPLIED_FROM_DAY),
            .to_day = db_text(rows, i, RATE_APPLIED_TO_DAY),
            .schedule_id = db_int(rows, i, RATE_APPLIED_SCHEDULE_ID),
            .version = db_int(rows, i, RATE_APPLIED_VERSION),
            .assignment_id = db_int(rows, i, RATE_APPLIED_ASSIGNMENT_ID),
            .name = db_text(rows, i, RATE_APPLIED_NAME),
        };
    }
    *out = (struct rate_applied_list){ items, n };
    return OK;
}

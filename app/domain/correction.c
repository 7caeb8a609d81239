/* Corrections, deletion of samples, erasure of devices; what may be is the database's to say.
 * Called by the handlers of the API and of the device's page. */
#include "domain/correction.h"

#include "db/db.h"
#include "gen/queries.h"

static enum err add_list(struct db_args *args, struct op *op, struct str device,
                         const struct correction_list *list)
{
    struct str *metrics = arena_array(op->arena, list->n + 1, sizeof *metrics);
    struct str *labels = arena_array(op->arena, list->n + 1, sizeof *labels);
    int64_t *times = arena_array(op->arena, list->n + 1, sizeof *times);
    double *values = arena_array(op->arena, list->n + 1, sizeof *values);

    if (!metrics || !labels || !times || !values) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < list->n; i++) {
        metrics[i] = list->items[i].metric;
        labels[i] = list->items[i].labels;
        times[i] = list->items[i].time_us;
        values[i] = list->items[i].value;
    }
    db_args_init(args, op->arena);
    db_arg_str(args, device);
    db_arg_str_array(args, metrics, list->n);
    db_arg_str_array(args, labels, list->n);
    db_arg_time_array(args, times, list->n);
    db_arg_double_array(args, values, list->n);
    return OK;
}

/* "time: is more than 24 hours ahead" as its field and the rest. */
static struct correction_problem problem_of(struct arena *arena, int index, const char *text)
{
    struct str rest = str_of(text);
    struct str field = str_cut(&rest, ':');

    return (struct correction_problem){
        .index = index,
        .field = arena_copy(arena, field),
        .detail = arena_copy(arena, str_trim(rest)),
    };
}

enum err correction_check(struct db_tx *tx, struct str device, const struct correction_list *list,
                          int max, struct correction_problems *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows = NULL;
    enum err err = add_list(&args, op, device, list);

    if (err == OK) {
        err = db_run(tx, &q_correction_problems, &args, &rows);
    }
    if (err != OK) {
        return err;
    }
    int n = db_count(rows) > max ? max : db_count(rows);
    struct correction_problem *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        int at = db_int(rows, i, CORRECTION_PROBLEMS_ORD) - 1;
        items[i] = problem_of(op->arena, list->items[at].index,
                              db_text(rows, i, CORRECTION_PROBLEMS_PROBLEM));
    }
    *out = (struct correction_problems){ items, n };
    return OK;
}

enum err correction_put(struct db_tx *tx, struct str device, const struct correction_list *list,
                        struct correction_counts *out)
{
    struct db_args args;
    struct db_rows *rows = NULL;
    enum err err = add_list(&args, db_op(tx), device, list);

    if (err == OK) {
        err = db_run(tx, &q_correction_put, &args, &rows);
    }
    if (err == OK) {
        *out = (struct correction_counts){
            .updated = db_int64(rows, 0, CORRECTION_PUT_UPDATED),
            .inserted = db_int64(rows, 0, CORRECTION_PUT_INSERTED),
            .unchanged = db_int64(rows, 0, CORRECTION_PUT_UNCHANGED),
        };
    }
    return err;
}

static void add_range(struct db_args *args, struct db_tx *tx, const struct correction_range *range)
{
    db_args_init(args, db_op(tx)->arena);
    db_arg_str(args, range->device);
    db_arg_str(args, range->metric);
    db_arg_time(args, range->from_us);
    db_arg_time(args, range->to_us);
}

enum err correction_delete_check(struct db_tx *tx, const struct correction_range *range,
                                 struct correction_found *out)
{
    struct db_args args;
    struct db_rows *rows;

    add_range(&args, tx, range);
    enum err err = db_run(tx, &q_correction_delete_check, &args, &rows);
    if (err == OK) {
        out->n_samples = db_int64(rows, 0, CORRECTION_DELETE_CHECK_N_SAMPLES);
        out->n_days = db_int64(rows, 0, CORRECTION_DELETE_CHECK_N_DAYS);
        out->problem = db_text(rows, 0, CORRECTION_DELETE_CHECK_PROBLEM);
    }
    return err;
}

enum err correction_delete(struct db_tx *tx, const struct correction_range *range,
                           int64_t *n_deleted)
{
    struct db_args args;
    struct db_rows *rows;

    add_range(&args, tx, range);
    enum err err = db_run(tx, &q_correction_delete, &args, &rows);
    if (err == OK) {
        *n_deleted = db_int64(rows, 0, CORRECTION_DELETE_DELETED);
    }
    return err;
}

enum err correction_device_erase(struct db_tx *tx, struct str device, const char **counts)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, device);
    enum err err = db_run(tx, &q_device_erase, &args, &rows);
    if (err == OK) {
        *counts = db_text(rows, 0, DEVICE_ERASE_COUNTS);
    }
    return err;
}

/* Goes through the days that the archive alone has, one after another, a window of samples at a
 * time. A window outlives its page, so that the next page goes on with it as long as the day is
 * what it was. */
#include "archive/reach.h"

#include "archive/reach_parts.h"

#include "gen/queries.h"

#define LASTING_ARENA_BYTES (96u << 20) /* names of all series of a large tenant */
#define FILE_ARENA_BYTES (192u << 20)   /* a row group read and unpacked, of long texts */
#define SLAB_ARENA_BYTES (128u << 20)   /* open buckets of all series of a large tenant */

enum err reach_until(struct db_tx *tx, int64_t *until_us, int64_t *shown_us)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_reach_until, NULL, &rows);

    *until_us = err == OK ? db_time_or(rows, 0, REACH_UNTIL_UNTIL, INT64_MIN) : INT64_MIN;
    *shown_us = err == OK ? db_time_or(rows, 0, REACH_UNTIL_SHOWN_FROM, INT64_MIN) : INT64_MIN;
    return err;
}

enum err reach_check_dropped(struct db_tx *tx, bool is_raw)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_bool(&args, is_raw);
    enum err err = db_run(tx, &q_reach_dropped, &args, &rows);
    if (err == OK && db_bool(rows, 0, REACH_DROPPED_IS_DROPPED)) {
        return fail(db_op(tx), ERR_CHANGING, "Old days went to the archive while this was read.");
    }
    return err;
}

static void close_reach(void *context)
{
    struct reach *reach = context;

    arena_free(reach->archive.files);
    arena_free(reach->slabs);
    arena_free(reach->lasting);
}

enum err reach_open(struct op *op, const struct reach_setup *setup, struct reach **out)
{
    struct reach *reach = arena_alloc(setup->arena, sizeof *reach);

    if (setup->store == NULL) {
        return fail(op, ERR_UNAVAILABLE, "the archive's store could not be opened");
    }
    if (reach == NULL) {
        return fail_memory(op);
    }
    *reach = (struct reach){ .op = op, .setup = *setup };
    reach->lasting = arena_new(LASTING_ARENA_BYTES);
    reach->slabs = arena_new(SLAB_ARENA_BYTES);
    reach->archive = (struct archive){ .op = op, .store = setup->store,
                                       .files = arena_new(FILE_ARENA_BYTES) };
    if (!arena_on_reset(setup->arena, close_reach, reach) || reach->lasting == NULL ||
        reach->slabs == NULL || reach->archive.files == NULL) {
        return fail_memory(op);
    }
    op_init(&reach->archive.file, reach->archive.files, setup->id);
    reach->read_until_us = INT64_MAX;
    reach->setup.max_days = setup->max_days > 0 ? setup->max_days : REACH_MAX_DAYS;
    reach->window.cap = setup->window;
    reach->window.start_us = INT64_MIN;
    reach->window.rows =
        arena_array(reach->lasting, 2 * setup->window, sizeof *reach->window.rows);
    *out = reach;
    return reach->window.rows != NULL ? OK : fail_memory(op);
}

/* ---- a page ---- */

/* What of the page's days was asked for, as long as its operation. */
static struct archive_file read_file(const struct db_rows *rows, int at)
{
    return (struct archive_file){
        .tenant = db_text(rows, at, REACH_FILES_TENANT),
        .relation = "samples",
        .day = db_text(rows, at, REACH_FILES_DAY),
        .n = db_int(rows, at, REACH_FILES_N),
        .kind = db_text(rows, at, REACH_FILES_KIND),
        .object = db_text(rows, at, REACH_FILES_OBJECT),
        .n_rows = db_int64(rows, at, REACH_FILES_N_ROWS),
        .n_bytes = db_int64(rows, at, REACH_FILES_N_BYTES),
    };
}

static enum err load_days(struct reach *reach, struct db_tx *tx)
{
    const struct reach_span *span = &reach->span;
    int64_t from_us = span->from_us;
    struct db_args args;
    struct db_rows *rows;

    if (span->is_after && span->after_us >= from_us) { /* nothing has that time behind the last */
        from_us = span->after_us + (span->after_series == INT32_MAX);
    }
    db_args_init(&args, reach->op->arena);
    db_arg_time(&args, from_us);
    db_arg_time(&args, span->to_us);
    db_arg_int(&args, reach->setup.max_days);
    db_arg_bool(&args, span->has_all);
    enum err err = db_run(tx, &q_reach_files, &args, &rows);
    if (err != OK) {
        return err;
    }
    size_t n = (size_t)db_count(rows);
    struct archive_file *files = arena_array(reach->op->arena, n + 1, sizeof *files);
    reach->days = arena_array(reach->op->arena, n + 1, sizeof *reach->days);
    if (files == NULL || reach->days == NULL) {
        return fail_memory(reach->op);
    }
    reach->n_days = reach->at_day = 0;
    for (int i = 0; i < (int)n; i++) {
        int64_t start_us = db_time(rows, i, REACH_FILES_START);
        files[i] = read_file(rows, i);
        if (reach->n_days == 0 || reach->days[reach->n_days - 1].start_us != start_us) {
            reach->days[reach->n_days++] = (struct reach_day){ files[i].day, start_us, &files[i],
                                                               0 };
        }
        reach->days[reach->n_days - 1].n_files++;
    }
    reach->is_more = reach->n_days == reach->setup.max_days;
    return OK;
}

static enum err load_erased(struct reach *reach, struct db_tx *tx)
{
    struct op *op = reach->op;
    struct db_args args;
    struct db_rows *rows;

    reach->n_erased = 0;
    if (reach->n_days == 0) {
        return OK;
    }
    db_args_init(&args, op->arena);
    db_arg_text(&args, reach->days[0].name);
    db_arg_text(&args, reach->days[reach->n_days - 1].name);
    enum err err = db_run(tx, &q_reach_erased, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    reach->erased = arena_array(op->arena, (size_t)n + 1, sizeof *reach->erased);
    for (int i = 0; i < n && reach->erased != NULL; i++) {
        int32_t id = reach_names_find(&reach->names, db_str(rows, i, REACH_ERASED_DEVICE),
                                      db_str(rows, i, REACH_ERASED_METRIC),
                                      db_str(rows, i, REACH_ERASED_LABELS));
        if (id != 0) {
            reach->erased[reach->n_erased++] =
                (struct reach_erased){ db_text(rows, i, REACH_ERASED_DAY), id,
                                       db_time(rows, i, REACH_ERASED_FROM_TIME),
                                       db_time(rows, i, REACH_ERASED_TO_TIME) };
        }
    }
    return reach->erased != NULL ? OK : fail_memory(op);
}

/* What a day was made of when its window was read. */
static int64_t mark_of(const struct reach *reach, const struct reach_day *day)
{
    return (int64_t)day->n_files << 32 | reach->n_erased;
}

/* Goes on in the window that is there, where it is of the page's first day and has what comes after
 * the page's position; false: it does not. */
static bool resume_window(struct reach *reach)
{
    struct reach_window *window = &reach->window;
    const struct reach_span *span = &reach->span;

    if (!span->is_after || reach->n_days == 0 || window->start_us != reach->days[0].start_us ||
        window->mark != mark_of(reach, &reach->days[0]) ||
        reach_order(span->after_us, span->after_series, window->after_us,
                    window->after_series) < 0) {
        return false;
    }
    for (window->at = 0; window->at < window->n; window->at++) {
        const struct reach_sample *row = &window->rows[window->at];
        if (reach_order(row->time_us, row->series_id, span->after_us, span->after_series) > 0) {
            break;
        }
    }
    return true;
}

enum err reach_load_names(struct reach *reach, struct db_tx *tx)
{
    enum err err = OK;

    reach->op = reach->archive.op = db_op(tx);
    if (!reach->has_names) {
        err = reach_names_load(&reach->names, tx, reach->lasting, &reach->setup);
        reach->has_names = err == OK;
    }
    return err;
}

enum err reach_begin(struct reach *reach, struct db_tx *tx, const struct reach_span *span,
                     bool *is_any)
{
    reach->span = *span;
    reach->patience_until_us = clock_monotonic_us() + reach->setup.patience_us;
    enum err err = reach_load_names(reach, tx);
    if (err == OK) {
        err = load_days(reach, tx);
    }
    if (err == OK) {
        err = load_erased(reach, tx);
    }
    if (err == OK && !resume_window(reach)) {
        reach->window.start_us = INT64_MIN;
    }
    *is_any = err == OK && reach->n_days > 0;
    return err;
}

/* ---- samples ---- */

/* Reads on in the day at hand, after what the window had of it, or after the page's position. */
static enum err load_window(struct reach *reach)
{
    const struct reach_day *day = &reach->days[reach->at_day];
    const struct reach_span *span = &reach->span;
    struct reach_window *window = &reach->window;
    int64_t after_us = span->is_after ? span->after_us : INT64_MIN;
    int32_t after_series = span->is_after ? span->after_series : 0;

    if (window->start_us == day->start_us && window->n > 0) {
        const struct reach_sample *last = &window->rows[window->n - 1];
        if (reach_order(last->time_us, last->series_id, after_us, after_series) > 0) {
            after_us = last->time_us;
            after_series = last->series_id;
        }
    }
    enum err err = reach_day_load(reach, day, after_us, after_series);
    window->mark = mark_of(reach, day);
    return err;
}

/* Tells from where another page goes on: nothing from there on was begun. */
static void be_late(int64_t start_us, struct reach_sample *out, enum reach_state *state)
{
    *out = (struct reach_sample){ .time_us = start_us - 1, .series_id = INT32_MAX };
    *state = REACH_LATE;
}

enum err reach_next(struct reach *reach, struct reach_sample *out, enum reach_state *state)
{
    struct reach_window *window = &reach->window;
    enum err err = OK;

    while (err == OK && reach->at_day < reach->n_days) {
        const struct reach_day *day = &reach->days[reach->at_day];
        bool is_open = window->start_us == day->start_us;
        if (is_open && window->at < window->n) {
            *out = window->rows[window->at++];
            *state = REACH_SAMPLE;
            return OK;
        }
        if (is_open && !window->is_cut) {
            reach->at_day++;
            continue;
        }
        if (!is_open && reach->at_day > 0 && clock_monotonic_us() > reach->patience_until_us) {
            be_late(day->start_us, out, state);
            return OK;
        }
        err = load_window(reach);
    }
    *state = REACH_END;
    if (err == OK && reach->is_more && reach->n_days > 0) {
        be_late(reach->days[reach->n_days - 1].start_us + US_PER_DAY, out, state);
    }
    return err;
}

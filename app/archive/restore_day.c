/* Brings a day back: its files in their order, each number's tombstones before its rows, in one
 * transaction, so that the day is there whole or not at all. Each file is verified before it is
 * applied. Series and devices that later tombstones void whole (erased.h) are left out from the
 * start, so that neither they nor their sites are made again. */
#include "archive/restore.h"

#include "gen/queries.h"

static enum err run(struct restoring *restoring, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    return db_run(restoring->tx, query, args, out);
}

/* ---- files ---- */

static enum err add_void(struct restoring *restoring, const struct parquet_value *row)
{
    int n_names = restoring->table->n_names;
    struct db_args args;

    arena_reset(restoring->archive->batches);
    db_args_init(&args, restoring->archive->batches);
    db_arg_text(&args, restoring->task->day);
    for (int i = 0; i < n_names; i++) {
        db_arg_str_array(&args, &row[i].text, 1);
    }
    db_arg_time_array(&args, &row[n_names].number, 1);
    db_arg_time_array(&args, &row[n_names + 1].number, 1);
    return run(restoring, restoring->table->restore_void, &args, NULL);
}

typedef enum err (*take_row)(struct restoring *restoring, const struct parquet_value *row);

static enum err read_file(struct restoring *restoring, const struct archive_file *file,
                          take_row take)
{
    const struct archive_table *table = restoring->table;
    struct parquet_value row[PARQUET_MAX_COLUMNS];
    struct archive_reading reading;
    bool is_end = false;

    restoring->number = file->n;
    arena_reset(restoring->archive->files);
    enum err err = archive_file_open(restoring->archive, file->object, file->n_bytes,
                                     archive_is_rows(file) ? table->rows : table->voids, &reading);
    while (err == OK) {
        err = parquet_next(reading.parquet, row, &is_end);
        if (err != OK || is_end) {
            break;
        }
        err = take(restoring, row);
    }
    return err == OK ? table->flush(restoring) : err;
}

static enum err note_erased(struct restoring *restoring, const struct parquet_value *row)
{
    int n_names = restoring->table->n_names;
    struct str names[3] = { STR(""), STR(""), STR("") };

    if (!erased_is_whole(restoring->task->day, row[n_names].number, row[n_names + 1].number)) {
        return OK;
    }
    for (int i = 0; i < n_names; i++) {
        names[i] = row[i].text;
    }
    bool is_noted = erased_add(&restoring->erased, names[0], names[1], names[2],
                               restoring->number);
    return is_noted ? OK : fail_memory(&restoring->archive->file);
}

/* What is left out: known before any row is looked at. */
static enum err load_erased(struct restoring *restoring)
{
    enum err err = OK;

    erased_init(&restoring->erased, restoring->archive->days);
    for (int i = 0; i < restoring->n_files && err == OK; i++) {
        const struct archive_file *file = &restoring->files[i];
        err = archive_verify_file(restoring->archive, file);
        if (err == OK && !archive_is_rows(file)) {
            err = read_file(restoring, file, note_erased);
        }
    }
    erased_sort(&restoring->erased);
    return err;
}

/* ---- the day ---- */

/* *is_held: the database has the day. */
static enum err begin(struct restoring *restoring, bool *is_held)
{
    struct op *op = &restoring->archive->rows;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_text(&args, restoring->task->relation);
    db_arg_text(&args, restoring->task->day);
    enum err err = run(restoring, &q_archive_restore_begin, &args, &rows);
    if (err != OK) {
        return err;
    }
    struct str problem = db_str(rows, 0, ARCHIVE_RESTORE_BEGIN_PROBLEM);
    *is_held = str_equal(problem, STR("held"));
    if (str_equal(problem, STR("changes"))) {
        return fail(op, ERR_CONFLICT,
                    "changes of %s %s %s wait to be archived: run `tidemark archive run` first",
                    restoring->task->slug, restoring->task->relation, restoring->task->day);
    }
    return OK;
}

static enum err end(struct restoring *restoring, int pin_days, int64_t *n_rows)
{
    struct db_args args;
    struct db_rows *rows;

    arena_reset(restoring->archive->batches);
    db_args_init(&args, restoring->archive->batches);
    db_arg_text(&args, restoring->task->relation);
    db_arg_text(&args, restoring->task->day);
    db_arg_int(&args, pin_days);
    enum err err = run(restoring, &q_archive_restore_end, &args, &rows);
    if (err == OK) {
        *n_rows = db_int64(rows, 0, ARCHIVE_RESTORE_END_ROWS);
    }
    return err;
}

/* Nobody adds a file from archive_restore_begin on. */
static enum err load_files(struct restoring *restoring)
{
    struct archive *archive = restoring->archive;
    const struct archive_task *task = restoring->task;
    struct db_args args;
    struct db_rows *rows;

    arena_reset(archive->batches);
    db_args_init(&args, archive->batches);
    db_arg_text(&args, task->relation);
    db_arg_text(&args, task->day);
    enum err err = run(restoring, &q_archive_restore_files, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    restoring->files = arena_array(archive->days, (size_t)n + 1, sizeof *restoring->files);
    for (int i = 0; i < n && restoring->files != NULL; i++) {
        struct str sum = db_str(rows, i, ARCHIVE_RESTORE_FILES_SHA256);
        restoring->files[i] = (struct archive_file){
            .tenant = task->slug, .relation = task->relation, .day = task->day,
            .n = db_int(rows, i, ARCHIVE_RESTORE_FILES_N),
            .kind = arena_copy(archive->days, db_str(rows, i, ARCHIVE_RESTORE_FILES_KIND)),
            .object = arena_copy(archive->days, db_str(rows, i, ARCHIVE_RESTORE_FILES_OBJECT)),
            .n_rows = db_int64(rows, i, ARCHIVE_RESTORE_FILES_N_ROWS),
            .n_bytes = db_int64(rows, i, ARCHIVE_RESTORE_FILES_N_BYTES),
            .sha256 = { arena_copy(archive->days, sum), sum.len },
        };
        const struct archive_file *file = &restoring->files[i];
        if (file->kind == NULL || file->object == NULL || file->sha256.ptr == NULL) {
            return fail_memory(&archive->rows);
        }
    }
    restoring->n_files = n;
    return restoring->files != NULL ? OK : fail_memory(&archive->rows);
}

/* A day gets its numbers one after another: one that nobody knows was lost. 0: none. */
static int lost_number(const struct restoring *restoring)
{
    int last = 0;

    for (int i = 0; i < restoring->n_files; i++) {
        if (restoring->files[i].n > last + 1) {
            return last + 1;
        }
        last = restoring->files[i].n;
    }
    return 0;
}

/* The files of all numbers: of those that were lost, where their manifests are there again. */
static enum err load_numbers(struct restoring *restoring)
{
    const struct archive_task *task = restoring->task;
    enum err err = load_files(restoring);
    int lost;

    while (err == OK && (lost = lost_number(restoring)) > 0) {
        bool is_found;
        err = restore_lost(restoring, lost, &is_found);
        if (err == OK && !is_found) {
            err = fail(&restoring->archive->rows, ERR_INVALID,
                       "file %d of " ARCHIVE_DAY_FORMAT " is missing: there is no manifest of it",
                       lost, task->relation, task->slug, task->day);
        }
        err = err ? err : load_files(restoring);
    }
    return err;
}

static enum err take_files(struct restoring *restoring, struct archive_done *done)
{
    enum err err = load_numbers(restoring);

    if (err == OK) {
        err = restoring->table->open(restoring);
    }
    if (err == OK) {
        err = load_erased(restoring);
    }
    for (int i = 0; i < restoring->n_files && err == OK; i++) {
        const struct archive_file *file = &restoring->files[i];
        bool is_rows = archive_is_rows(file);
        done->n_bytes += file->n_bytes;
        done->n_void += is_rows ? 0 : file->n_rows;
        err = read_file(restoring, file, is_rows ? restoring->table->add : add_void);
    }
    return err;
}

enum err archive_restore_day(struct archive *archive, const struct archive_task *task,
                             int pin_days, struct archive_done *out)
{
    struct restoring restoring = { .archive = archive, .task = task };

    *out = (struct archive_done){ .n_rows = 0 };
    arena_reset(archive->days);
    arena_reset(archive->files);
    arena_reset(archive->batches);
    enum err err = archive_table_find(&archive->rows, task->relation, &restoring.table);
    if (err == OK && restoring.table->is_derived) {
        out->is_skipped = out->is_derived = true;
        return OK;
    }
    if (err == OK) {
        err = db_begin(&archive->rows, archive->conn, DB_WRITE, task->tenant_id, &restoring.tx);
    }
    if (err != OK) {
        return archive_fail(archive, err);
    }
    err = begin(&restoring, &out->is_skipped);
    if (err == OK && !out->is_skipped) {
        err = take_files(&restoring, out);
    }
    if (err == OK && !out->is_skipped) {
        err = end(&restoring, pin_days, &out->n_rows);
    }
    if (err != OK || out->is_skipped) {
        db_rollback(restoring.tx);
        return archive_fail(archive, err);
    }
    return archive_fail(archive, db_commit(restoring.tx));
}

/* Brings a day back: its files in their order, each number's tombstones before its rows, in one
 * transaction, so that the day is there whole or not at all. Each file is verified before it is
 * applied. Series that later tombstones void whole (erased.h) are left out from the start, so that
 * neither they nor their devices and sites are made again. */
#include "archive/erased.h"
#include "archive/parts.h"

#include "base/buf.h"
#include "gen/queries.h"

#define BATCH_ROWS 10000

/* The names of a series, as a file has them, and its number here; 0: it is left out. */
struct named {
    struct str device, metric, unit, site, labels;
    int32_t id;
};

struct restoring {
    struct archive *archive;
    const struct archive_task *task;
    struct db_tx *tx;
    struct archive_file *files; /* of the day; in its arena, as all that follows */
    int n_files;
    struct erased erased;
    int number;            /* of the file at hand */
    bool has_last;
    struct named last;     /* of the row before; its texts in `names` */
    struct buf names;
    int32_t *series;       /* of the batch */
    int64_t *times;
    double *values;
    size_t n;
};

static enum err run(struct restoring *restoring, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    return db_run(restoring->tx, query, args, out);
}

static enum err flush(struct restoring *restoring)
{
    struct db_args args;

    if (restoring->n == 0) {
        return OK;
    }
    arena_reset(restoring->archive->batches);
    db_args_init(&args, restoring->archive->batches);
    db_arg_text(&args, restoring->task->day);
    db_arg_int_array(&args, restoring->series, restoring->n);
    db_arg_time_array(&args, restoring->times, restoring->n);
    db_arg_double_array(&args, restoring->values, restoring->n);
    restoring->n = 0;
    return run(restoring, &q_archive_restore_samples, &args, NULL);
}

/* ---- names ---- */

static struct str text_of(const struct parquet_value *value)
{
    return value->is_null ? (struct str){ NULL, 0 } : value->text;
}

static bool is_last(const struct named *last, const struct named *named)
{
    return str_equal(last->device, named->device) &&
           str_equal(last->metric, named->metric) && str_equal(last->labels, named->labels) &&
           str_equal(last->unit, named->unit) && str_equal(last->site, named->site);
}

static enum err find_series(struct restoring *restoring, struct named *named)
{
    struct db_args args;
    struct db_rows *rows;
    enum err err;

    db_args_init(&args, restoring->archive->batches); /* until the batch is stored */
    db_arg_str_array(&args, &named->device, 1);
    db_arg_str_array(&args, &named->metric, 1);
    db_arg_str_array(&args, &named->unit, 1);
    db_arg_str_array(&args, &named->site, 1);
    db_arg_str_array(&args, &named->labels, 1);
    err = run(restoring, &q_archive_restore_series, &args, &rows);
    if (err == OK && db_count(rows) != 1) {
        err = fail(&restoring->archive->rows, ERR_INTERNAL, "a series has no place");
    }
    named->id = err == OK ? db_int(rows, 0, ARCHIVE_RESTORE_SERIES_SERIES_ID) : 0;
    return err;
}

static struct str keep(struct buf *names, struct str text)
{
    size_t start = names->len;

    buf_add_str(names, text);
    return (struct str){ text.ptr == NULL || names->is_broken ? NULL : names->data + start,
                         names->is_broken ? 0 : text.len };
}

/* Remembers the names beyond the row they came with. */
static enum err remember(struct restoring *restoring, const struct named *named)
{
    struct buf *names = &restoring->names;
    size_t total = named->device.len + named->metric.len + named->unit.len + named->site.len +
                   named->labels.len;

    buf_clear(names);
    if (buf_reserve(names, total + 1) == NULL) {
        return fail_memory(&restoring->archive->file);
    }
    restoring->last = (struct named){
        keep(names, named->device), keep(names, named->metric), keep(names, named->unit),
        keep(names, named->site),   keep(names, named->labels), named->id,
    };
    restoring->has_last = true;
    return OK;
}

/* ---- files ---- */

static enum err add_sample(struct restoring *restoring, const struct parquet_value *row)
{
    struct named named = {
        text_of(&row[SAMPLE_DEVICE]), text_of(&row[SAMPLE_METRIC]), text_of(&row[SAMPLE_UNIT]),
        text_of(&row[SAMPLE_SITE]),   text_of(&row[SAMPLE_LABELS]), 0,
    };
    enum err err = OK;

    if (!restoring->has_last || !is_last(&restoring->last, &named)) {
        bool is_left_out = erased_after(&restoring->erased, named.device, named.metric,
                                        named.labels, restoring->number);
        err = is_left_out ? OK : find_series(restoring, &named);
        if (err == OK) {
            err = remember(restoring, &named);
        }
    }
    if (err == OK && restoring->n == BATCH_ROWS) {
        err = flush(restoring);
    }
    if (err != OK || restoring->last.id == 0) {
        return err;
    }
    restoring->series[restoring->n] = restoring->last.id;
    restoring->times[restoring->n] = row[SAMPLE_TIME].number;
    restoring->values[restoring->n++] = row[SAMPLE_VALUE].real;
    return OK;
}

static enum err add_void(struct restoring *restoring, const struct parquet_value *row)
{
    struct db_args args;

    arena_reset(restoring->archive->batches);
    db_args_init(&args, restoring->archive->batches);
    db_arg_text(&args, restoring->task->day);
    db_arg_str_array(&args, &row[VOID_DEVICE].text, 1);
    db_arg_str_array(&args, &row[VOID_METRIC].text, 1);
    db_arg_str_array(&args, &row[VOID_LABELS].text, 1);
    db_arg_time_array(&args, &row[VOID_FROM].number, 1);
    db_arg_time_array(&args, &row[VOID_TO].number, 1);
    return run(restoring, &q_archive_restore_void, &args, NULL);
}

typedef enum err (*take_row)(struct restoring *restoring, const struct parquet_value *row);

static enum err read_file(struct restoring *restoring, const struct archive_file *file,
                          take_row take)
{
    const struct parquet_schema *schema = archive_is_rows(file) ? &archive_samples : &archive_voids;
    struct parquet_value row[PARQUET_MAX_COLUMNS];
    struct archive_reading reading;
    bool is_end = false;

    restoring->number = file->n;
    restoring->has_last = false;
    arena_reset(restoring->archive->files);
    enum err err = archive_file_open(restoring->archive, file->object, file->n_bytes, schema,
                                     &reading);
    while (err == OK) {
        err = parquet_next(reading.parquet, row, &is_end);
        if (err != OK || is_end) {
            break;
        }
        err = take(restoring, row);
    }
    return err == OK ? flush(restoring) : err;
}

static enum err note_erased(struct restoring *restoring, const struct parquet_value *row)
{
    if (!erased_is_whole(restoring->task->day, row[VOID_FROM].number, row[VOID_TO].number)) {
        return OK;
    }
    bool is_noted = erased_add(&restoring->erased, row[VOID_DEVICE].text, row[VOID_METRIC].text,
                               row[VOID_LABELS].text, restoring->number);
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

static enum err allocate(struct restoring *restoring)
{
    struct arena *arena = restoring->archive->days;

    restoring->series = arena_array(arena, BATCH_ROWS, sizeof *restoring->series);
    restoring->times = arena_array(arena, BATCH_ROWS, sizeof *restoring->times);
    restoring->values = arena_array(arena, BATCH_ROWS, sizeof *restoring->values);
    buf_init(&restoring->names, arena, 1u << 20);
    bool is_there = restoring->series && restoring->times && restoring->values;
    return is_there ? OK : fail_memory(&restoring->archive->file);
}

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
                    "changes of %s %s wait to be archived: run `tidemark archive run` first",
                    restoring->task->slug, restoring->task->day);
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
        *n_rows = db_int64(rows, 0, ARCHIVE_RESTORE_END_SAMPLES);
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

static enum err take_files(struct restoring *restoring, struct archive_done *done)
{
    enum err err = load_files(restoring);

    if (err == OK) {
        err = allocate(restoring);
    }
    if (err == OK) {
        err = load_erased(restoring);
    }
    for (int i = 0; i < restoring->n_files && err == OK; i++) {
        const struct archive_file *file = &restoring->files[i];
        bool is_rows = archive_is_rows(file);
        done->n_bytes += file->n_bytes;
        done->n_void += is_rows ? 0 : file->n_rows;
        err = read_file(restoring, file, is_rows ? add_sample : add_void);
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
    enum err err = db_begin(&archive->rows, archive->conn, DB_WRITE, task->tenant_id,
                            &restoring.tx);
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

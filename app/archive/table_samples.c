/* The table of samples: rows by series, whose names are asked for once. */
#include "archive/restore.h"

#include "base/buf.h"
#include "gen/queries.h"

#define MAX_NAMES_BYTES (1u << 20) /* of a series */

/* ---- archiving ---- */

/* Has the names of the batch's series, which is sorted by them within a day. */
static enum err load_names(struct archive *archive, struct db_tx *tx, const struct db_rows *batch)
{
    int n = db_count(batch);
    size_t n_ids = 0;
    int32_t *ids = arena_array(archive->batches, (size_t)n, sizeof *ids);

    if (ids == NULL) {
        return fail_memory(&archive->rows);
    }
    for (int i = 0; i < n; i++) {
        int32_t id = db_int(batch, i, ARCHIVE_FETCH_SAMPLES_SERIES_ID);
        if (n_ids == 0 || ids[n_ids - 1] != id) {
            ids[n_ids++] = id;
        }
    }
    return archive_names_load(&archive->names, &archive->rows, tx, ids, n_ids);
}

static enum err put_sample(const struct archive *archive, struct parquet_writer *out,
                           const struct db_rows *batch, int row)
{
    const struct archive_name *name = archive_names_find(
        &archive->names, db_int(batch, row, ARCHIVE_FETCH_SAMPLES_SERIES_ID));

    if (name == NULL) {
        return OK; /* erased meanwhile: archive_mark will refuse the days */
    }
    parquet_put_time(out, SAMPLE_TIME, db_time(batch, row, ARCHIVE_FETCH_SAMPLES_TIME));
    parquet_put_double(out, SAMPLE_VALUE, db_double(batch, row, ARCHIVE_FETCH_SAMPLES_VALUE));
    parquet_put_str(out, SAMPLE_DEVICE, name->device);
    parquet_put_str(out, SAMPLE_METRIC, name->metric);
    parquet_put_str(out, SAMPLE_UNIT, name->unit);
    parquet_put_str(out, SAMPLE_SITE, name->site);
    parquet_put_str(out, SAMPLE_LABELS, name->labels);
    return parquet_end_row(out);
}

/* ---- restoring ---- */

/* The names of a series, as a file has them, and its number here; 0: it is left out. */
struct named {
    struct str device, metric, unit, site, labels;
    int32_t id;
};

struct samples {
    int last_number;   /* of the file that `last` is of; 0: there is none yet */
    struct named last; /* of the row before; its texts in `names` */
    struct buf names;
    int32_t *series;   /* of the batch */
    int64_t *times;
    double *values;
    size_t n;
};

static enum err open_samples(struct restoring *restoring)
{
    struct arena *arena = restoring->archive->days;
    struct samples *samples = arena_alloc(arena, sizeof *samples);

    if (samples == NULL) {
        return fail_memory(&restoring->archive->rows);
    }
    *samples = (struct samples){
        .series = arena_array(arena, RESTORE_BATCH_ROWS, sizeof *samples->series),
        .times = arena_array(arena, RESTORE_BATCH_ROWS, sizeof *samples->times),
        .values = arena_array(arena, RESTORE_BATCH_ROWS, sizeof *samples->values),
    };
    buf_init(&samples->names, arena, MAX_NAMES_BYTES);
    restoring->batch = samples;
    bool is_there = samples->series && samples->times && samples->values;
    return is_there ? OK : fail_memory(&restoring->archive->rows);
}

static enum err flush_samples(struct restoring *restoring)
{
    struct samples *samples = restoring->batch;
    struct db_args args;

    if (samples->n == 0) {
        return OK;
    }
    arena_reset(restoring->archive->batches);
    db_args_init(&args, restoring->archive->batches);
    db_arg_text(&args, restoring->task->day);
    db_arg_int_array(&args, samples->series, samples->n);
    db_arg_time_array(&args, samples->times, samples->n);
    db_arg_double_array(&args, samples->values, samples->n);
    samples->n = 0;
    return db_run(restoring->tx, &q_archive_restore_samples, &args, NULL);
}

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
    err = db_run(restoring->tx, &q_archive_restore_series, &args, &rows);
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
    struct samples *samples = restoring->batch;
    struct buf *names = &samples->names;
    size_t total = named->device.len + named->metric.len + named->unit.len + named->site.len +
                   named->labels.len;

    buf_clear(names);
    if (buf_reserve(names, total + 1) == NULL) {
        return fail_memory(&restoring->archive->file);
    }
    samples->last = (struct named){
        keep(names, named->device), keep(names, named->metric), keep(names, named->unit),
        keep(names, named->site),   keep(names, named->labels), named->id,
    };
    samples->last_number = restoring->number;
    return OK;
}

static enum err add_sample(struct restoring *restoring, const struct parquet_value *row)
{
    struct samples *samples = restoring->batch;
    struct named named = {
        text_of(&row[SAMPLE_DEVICE]), text_of(&row[SAMPLE_METRIC]), text_of(&row[SAMPLE_UNIT]),
        text_of(&row[SAMPLE_SITE]),   text_of(&row[SAMPLE_LABELS]), 0,
    };
    enum err err = OK;

    if (samples->last_number != restoring->number || !is_last(&samples->last, &named)) {
        bool is_left_out = erased_after(&restoring->erased, named.device, named.metric,
                                        named.labels, restoring->number);
        err = is_left_out ? OK : find_series(restoring, &named);
        if (err == OK) {
            err = remember(restoring, &named);
        }
    }
    if (err == OK && samples->n == RESTORE_BATCH_ROWS) {
        err = flush_samples(restoring);
    }
    if (err != OK || samples->last.id == 0) {
        return err;
    }
    samples->series[samples->n] = samples->last.id;
    samples->times[samples->n] = row[SAMPLE_TIME].number;
    samples->values[samples->n++] = row[SAMPLE_VALUE].real;
    return OK;
}

const struct archive_table archive_table_samples = {
    .name = "samples",
    .rows = &archive_samples,
    .voids = &archive_voids,
    .n_names = 3,
    .fetch = &q_archive_fetch_samples,
    .time_column = ARCHIVE_FETCH_SAMPLES_TIME,
    .load = load_names,
    .put = put_sample,
    .restore_void = &q_archive_restore_void,
    .open = open_samples,
    .add = add_sample,
    .flush = flush_samples,
};

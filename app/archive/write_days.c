/* Archives days of a tenant. First a transaction notes the keys of the objects to come, which
 * nobody else will have. Everything else is one transaction: begin (the keys are locked, the
 * cursor is opened), of each day rows, tombstones, what is read back and a manifest, then mark
 * (what is in the store is noted, and committed). What ends it before the commit leaves objects
 * whose keys are noted as garbage. Where the days take long, those that are done are noted, and no
 * more. */
#include "archive/write.h"

#include "base/clock.h"
#include "gen/queries.h"

#define ENOUGH_US (US_PER_SECOND / 2) /* for one transaction: no further day is begun */

struct span {
    struct archive *archive;
    const struct archive_task *task; /* of the first day */
    const struct archive_table *table;
    struct db_tx *tx;
    int64_t started_us; /* monotonic */
    int64_t first_us;   /* the first day's begin */
    bool is_changed, is_first;
    const char *seen;   /* the snapshot: which changes are in it */
    struct archive_day *days;
    int n_days;
    int at;             /* the day whose file is being written; -1: none */
    int n_done;         /* days that were looked at, from the first on */
};

/* ---- days and keys ---- */

static enum err make_days(struct span *span, const char *last_day)
{
    int64_t last_us;
    char text[CLOCK_TEXT_SIZE];

    if (!clock_parse(str_of(span->task->day), &span->first_us) ||
        !clock_parse(str_of(last_day), &last_us)) {
        return fail(&span->archive->rows, ERR_INTERNAL, "%s to %s: no days", span->task->day,
                    last_day);
    }
    span->n_days = 1 + (int)((last_us - span->first_us) / US_PER_DAY);
    span->days = arena_array(span->archive->days, (size_t)span->n_days, sizeof *span->days);
    if (span->days == NULL) {
        return fail_memory(&span->archive->rows);
    }
    enum err err = OK;
    for (int i = 0; i < span->n_days && err == OK; i++) {
        struct archive_day *day = &span->days[i];
        *day = (struct archive_day){ .archive = span->archive, .task = span->task,
                                     .table = span->table };
        clock_format(span->first_us + i * US_PER_DAY, text);
        memcpy(day->name, text, ARCHIVE_DAY_SIZE - 1);
        err = archive_day_name(day);
    }
    return err;
}

/* The keys that may be written: tombstones are of one day that changed alone. NULL without
 * memory. */
static const struct str *list_keys(const struct span *span, size_t *out_n)
{
    size_t n_each = span->is_changed ? KEYS : KEY_VOIDS;
    struct str *keys = arena_array(span->archive->batches, (size_t)span->n_days * n_each,
                                   sizeof *keys);

    for (size_t i = 0; i < (size_t)span->n_days && keys != NULL; i++) {
        memcpy(keys + i * n_each, span->days[i].keys, n_each * sizeof *keys);
    }
    *out_n = (size_t)span->n_days * n_each;
    return keys;
}

/* Notes the keys before there is anything of theirs, so that it is found should this come to
 * nothing. */
static enum err intend(struct span *span, const struct str *keys, size_t n_keys)
{
    struct archive *archive = span->archive;
    struct db_args args;

    db_args_init(&args, archive->batches);
    db_arg_str_array(&args, keys, n_keys);
    return db_run_committed(&archive->rows, archive->conn, 0, &q_archive_intend, &args, NULL);
}

/* *is_free: nobody else is at the days, nor was at the keys. */
static enum err begin(struct span *span, const struct str *keys, size_t n_keys, bool *is_free)
{
    struct archive *archive = span->archive;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, archive->batches);
    db_arg_text(&args, span->task->relation);
    db_arg_text(&args, span->days[0].name);
    db_arg_text(&args, span->days[span->n_days - 1].name);
    db_arg_bool(&args, span->is_changed);
    db_arg_str_array(&args, keys, n_keys);
    enum err err = db_run(span->tx, &q_archive_begin, &args, &rows);
    if (err != OK) {
        return err;
    }
    *is_free = !db_is_null(rows, 0, ARCHIVE_BEGIN_N);
    const char *begun_at = arena_copy(archive->days, db_str(rows, 0, ARCHIVE_BEGIN_BEGUN_AT));
    for (int i = 0; i < span->n_days; i++) {
        span->days[i].n = db_int(rows, 0, ARCHIVE_BEGIN_N);
        span->days[i].begun_at = begun_at;
    }
    span->is_first = db_bool(rows, 0, ARCHIVE_BEGIN_IS_FIRST);
    span->seen = arena_copy(archive->days, db_str(rows, 0, ARCHIVE_BEGIN_SEEN));
    return span->seen != NULL && begun_at != NULL ? OK : fail_memory(&archive->rows);
}

/* ---- rows ---- */

/* Ends the file of rows at hand; its day is whole in the store where none of tombstones comes. */
static enum err end_rows(struct span *span)
{
    struct archive_day *day = &span->days[span->at];

    if (span->at < 0) {
        return OK;
    }
    span->n_done = span->at + 1;
    span->at = -1;
    enum err err = archive_day_end(day);
    return err == OK && !span->is_changed ? archive_day_seal(day) : err;
}

/* Goes on to the day of a row. *is_enough: there is to be no further one. ERR_INTERNAL where that
 * day was ended before: its file would be taken for all of it. */
static enum err turn_to(struct span *span, int at, bool *is_enough)
{
    enum err err = end_rows(span);

    *is_enough = span->n_done > 0 && clock_monotonic_us() - span->started_us > ENOUGH_US;
    if (err != OK || *is_enough) {
        return err;
    }
    if (at < span->n_done || at >= span->n_days) {
        return fail(&span->archive->rows, ERR_INTERNAL,
                    "%s of %s from %s on do not come day by day", span->table->name,
                    span->task->slug, span->days[0].name);
    }
    err = archive_day_begin(&span->days[at], true);
    span->at = err == OK ? at : -1;
    return err;
}

static enum err put_batch(struct span *span, const struct db_rows *batch, bool *is_enough)
{
    const struct archive_table *table = span->table;
    enum err err = table->load != NULL ? table->load(span->archive, span->tx, batch) : OK;

    for (int i = 0; i < db_count(batch) && err == OK && !*is_enough; i++) {
        int64_t time_us = db_time(batch, i, table->time_column);
        int at = (int)((time_us - span->first_us) / US_PER_DAY);
        if (at != span->at) {
            err = turn_to(span, at, is_enough);
        }
        if (err == OK && !*is_enough) {
            err = table->put(span->archive, span->days[at].writing.parquet, batch, i);
        }
    }
    return err;
}

/* The next rows. Days that were never archived begin with one that has some: ERR_CONFLICT where
 * none of them is read, so that they are looked at again. */
static enum err fetch(struct span *span, bool is_start, struct db_rows **out)
{
    arena_reset(span->archive->batches);
    enum err err = db_run(span->tx, span->table->fetch, NULL, out);

    if (err == OK && is_start && !span->is_changed && db_count(*out) == 0) {
        err = fail(&span->archive->rows, ERR_CONFLICT, "%s of %s %s were there, and are not",
                   span->table->name, span->task->slug, span->days[0].name);
    }
    return err;
}

static enum err write_rows(struct span *span)
{
    struct db_rows *batch;
    bool is_start = true, is_enough = false;
    enum err err;

    do {
        err = fetch(span, is_start, &batch);
        is_start = false;
        if (err == OK && db_count(batch) > 0) {
            err = put_batch(span, batch, &is_enough);
        }
    } while (err == OK && !is_enough && db_count(batch) > 0);
    if (err != OK) {
        if (span->at >= 0) {
            archive_file_abort(&span->days[span->at].writing);
        }
        return err;
    }
    err = end_rows(span);
    span->n_done = is_enough ? span->n_done : span->n_days;
    return err;
}

/* ---- tombstones ---- */

static enum err put_voids(const struct archive_table *table, struct parquet_writer *out,
                          const struct db_rows *voids)
{
    int n = table->n_names; /* the first columns of both */
    enum err err = OK;

    for (int i = 0; i < db_count(voids) && err == OK; i++) {
        for (int name = 0; name < n; name++) {
            parquet_put_str(out, name, db_str(voids, i, ARCHIVE_TOMBSTONES_DEVICE + name));
        }
        parquet_put_time(out, n, db_time(voids, i, ARCHIVE_TOMBSTONES_FROM_TIME));
        parquet_put_time(out, n + 1, db_time(voids, i, ARCHIVE_TOMBSTONES_TO_TIME));
        err = parquet_end_row(out);
    }
    return err;
}

/* Of the one day that changed. */
static enum err write_voids(struct span *span)
{
    struct archive_day *day = span->days;
    struct db_args args;
    struct db_rows *voids;

    arena_reset(span->archive->batches);
    db_args_init(&args, span->archive->batches);
    db_arg_text(&args, span->task->relation);
    db_arg_text(&args, day->name);
    db_arg_text(&args, span->seen);
    enum err err = db_run(span->tx, &q_archive_tombstones, &args, &voids);
    if (err != OK || db_count(voids) == 0) {
        return err;
    }
    err = archive_day_begin(day, false);
    if (err != OK) {
        return err;
    }
    err = put_voids(span->table, day->writing.parquet, voids);
    if (err != OK) {
        archive_file_abort(&day->writing);
        return err;
    }
    return archive_day_end(day);
}

/* ---- what makes them count ---- */

/* Parallel arrays, an item a file. */
struct marks {
    struct str days[ARCHIVE_SPAN_DAYS * ARCHIVE_MAX_FILES];
    struct str kinds[ARCHIVE_SPAN_DAYS * ARCHIVE_MAX_FILES];
    struct str objects[ARCHIVE_SPAN_DAYS * ARCHIVE_MAX_FILES];
    struct str sums[ARCHIVE_SPAN_DAYS * ARCHIVE_MAX_FILES];
    int64_t rows[ARCHIVE_SPAN_DAYS * ARCHIVE_MAX_FILES];
    int64_t bytes[ARCHIVE_SPAN_DAYS * ARCHIVE_MAX_FILES];
    size_t n;
};

static void list_marks(const struct span *span, struct marks *out)
{
    out->n = 0;
    for (int i = 0; i < span->n_done; i++) {
        for (int j = 0; j < span->days[i].n_files; j++) {
            const struct archive_file *file = &span->days[i].files[j];
            out->days[out->n] = str_of(file->day);
            out->kinds[out->n] = str_of(file->kind);
            out->objects[out->n] = str_of(file->object);
            out->sums[out->n] = file->sha256;
            out->rows[out->n] = file->n_rows;
            out->bytes[out->n++] = file->n_bytes;
        }
    }
}

static enum err mark(struct span *span)
{
    struct marks marks;
    struct db_args args;

    list_marks(span, &marks);
    arena_reset(span->archive->batches);
    db_args_init(&args, span->archive->batches);
    db_arg_text(&args, span->task->relation);
    db_arg_text(&args, span->days[0].name);
    db_arg_text(&args, span->days[span->n_done - 1].name);
    db_arg_bool(&args, !span->is_changed);
    db_arg_int(&args, span->days[0].n);
    db_arg_text(&args, span->seen);
    db_arg_str_array(&args, marks.days, marks.n);
    db_arg_str_array(&args, marks.kinds, marks.n);
    db_arg_str_array(&args, marks.objects, marks.n);
    db_arg_int64_array(&args, marks.rows, marks.n);
    db_arg_int64_array(&args, marks.bytes, marks.n);
    db_arg_bytes_array(&args, marks.sums, marks.n);
    return db_run(span->tx, &q_archive_mark, &args, NULL);
}

/* What an archived day that changed has instead of its files before: of what is derived no rows are
 * a file, too. */
static enum err write_change(struct span *span)
{
    if (!span->table->is_derived) {
        return write_voids(span);
    }
    struct archive_day *day = span->days;
    enum err err = day->n_files > 0 ? OK : archive_day_begin(day, true);
    return err == OK && day->n_files == 0 ? archive_day_end(day) : err;
}

static enum err write_span(struct span *span)
{
    enum err err = write_rows(span);

    if (err == OK && !span->is_first) {
        err = write_change(span);
    }
    if (err == OK && span->is_changed) {
        err = archive_day_seal(span->days);
    }
    return err == OK ? mark(span) : err;
}

static void tell(const struct span *span, struct archive_written *out)
{
    for (int i = 0; i < span->n_done; i++) {
        const struct archive_day *day = &span->days[i];
        struct archive_done *done = &out->days[out->n].done;
        *done = (struct archive_done){ .n_rows = 0 };
        memcpy(out->days[out->n].day, day->name, ARCHIVE_DAY_SIZE);
        for (int j = 0; j < day->n_files; j++) {
            *(archive_is_rows(&day->files[j]) ? &done->n_rows : &done->n_void) +=
                day->files[j].n_rows;
            done->n_bytes += day->files[j].n_bytes;
        }
        out->n += day->n_files > 0;
    }
}

/* What is written, up to the commit, which is the caller's. */
static enum err take_steps(struct span *span, const char *last_day, bool *is_free)
{
    struct archive *archive = span->archive;
    size_t n_keys = 0;
    enum err err = archive_table_find(&archive->rows, span->task->relation, &span->table);

    if (err == OK) {
        err = make_days(span, last_day);
    }
    const struct str *keys = err == OK ? list_keys(span, &n_keys) : NULL;

    if (err != OK || keys == NULL) {
        return err != OK ? err : fail_memory(&archive->rows);
    }
    err = intend(span, keys, n_keys);
    if (err == OK) {
        err = db_begin(&archive->rows, archive->conn, DB_WRITE, span->task->tenant_id, &span->tx);
    }
    if (err == OK) {
        err = begin(span, keys, n_keys, is_free);
    }
    return err == OK && *is_free ? write_span(span) : err;
}

enum err archive_write_days(struct archive *archive, const struct archive_span *span,
                            struct archive_written *out)
{
    struct span days = { .archive = archive, .task = &span->task, .at = -1,
                         .is_changed = span->is_changed, .started_us = clock_monotonic_us() };
    bool is_free = false;

    out->n = 0;
    archive_names_forget(&archive->names);
    arena_reset(archive->days);
    arena_reset(archive->files);
    arena_reset(archive->batches);
    enum err err = take_steps(&days, span->last_day, &is_free);
    out->is_skipped = err == OK && !is_free;
    if (err == OK && is_free) {
        tell(&days, out);
        return archive_fail(archive, db_commit(days.tx));
    }
    if (days.tx != NULL) {
        db_rollback(days.tx);
    }
    return archive_fail(archive, err);
}

/* Archives one tenant-day. First a transaction notes the keys of the objects to come, which nobody
 * else will have. Everything else is one transaction: begin (the keys are locked, the cursor is
 * opened), rows, tombstones, verify (read back), manifest, mark (what is in the store is noted, and
 * committed). What ends it before the commit leaves objects whose keys are noted as garbage. */
#include "archive/parts.h"

#include "base/json.h"
#include "gen/queries.h"

#include <stdio.h>

#define MAX_FILES 2 /* of one number: rows and tombstones */
#define MAX_MANIFEST_BYTES (64u << 10)
#define ID_BYTES 16 /* random, of an attempt */

/* The objects of a number. */
enum { KEY_ROWS, KEY_VOIDS, KEY_MANIFEST, KEYS };

struct day {
    struct archive *archive;
    const struct archive_task *task;
    struct db_tx *tx;
    struct str keys[KEYS];
    int n;            /* the number of its files */
    bool is_first;
    const char *seen; /* the snapshot: which changes are in it */
    struct archive_file files[MAX_FILES];
    int n_files;
    struct archive_writing writing; /* the file at hand */
};

/* ---- keys ---- */

static enum err make_keys(struct day *day)
{
    static const struct {
        const char *suffix, *ending;
    } PARTS[KEYS] = { { "", "parquet" }, { ".tombstones", "parquet" }, { "", "json" } };
    const struct archive_task *task = day->task;
    char id[2 * ID_BYTES + 1];
    uint8_t random[ID_BYTES];

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, id);
    for (int i = 0; i < KEYS; i++) {
        char *key = arena_printf(day->archive->days, "archive/%s%s/tenant=%s/day=%s/%s.%s",
                                 task->relation, PARTS[i].suffix, task->slug, task->day, id,
                                 PARTS[i].ending);
        if (key == NULL) {
            return fail_memory(&day->archive->rows);
        }
        day->keys[i] = str_of(key);
    }
    return OK;
}

/* Notes the keys before there is anything of theirs, so that it is found should this come to
 * nothing. */
static enum err intend(struct day *day)
{
    struct archive *archive = day->archive;
    struct db_args args;
    struct db_tx *tx;
    enum err err = make_keys(day);

    if (err == OK) {
        err = db_begin(&archive->rows, archive->conn, DB_WRITE, 0, &tx);
    }
    if (err != OK) {
        return err;
    }
    db_args_init(&args, archive->batches);
    db_arg_str_array(&args, day->keys, KEYS);
    err = db_run(tx, &q_archive_intend, &args, NULL);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

/* ---- files ---- */

static enum err begin_file(struct day *day, const char *kind, const struct parquet_schema *schema)
{
    const char *key = day->keys[schema == &archive_samples ? KEY_ROWS : KEY_VOIDS].ptr;

    arena_reset(day->archive->files);
    day->files[day->n_files] = (struct archive_file){
        .tenant = day->task->slug, .relation = day->task->relation, .day = day->task->day,
        .n = day->n, .kind = kind, .object = key,
    };
    return archive_file_begin(day->archive, key, schema, &day->writing);
}

static enum err end_file(struct day *day)
{
    struct archive_file *file = &day->files[day->n_files];
    struct store_written written;
    char number[16];

    snprintf(number, sizeof number, "%d", day->n);
    const struct parquet_note notes[] = {
        { "tidemark.table", day->task->relation }, { "tidemark.kind", file->kind },
        { "tidemark.tenant", day->task->slug },    { "tidemark.day", day->task->day },
        { "tidemark.number", number },
    };
    file->n_rows = parquet_rows(day->writing.parquet);
    enum err err = archive_file_end(&day->writing, notes, sizeof notes / sizeof *notes, &written);
    if (err != OK) {
        return err;
    }
    char *sum = arena_alloc(day->archive->days, sizeof written.sha256);
    if (sum == NULL) {
        return fail_memory(&day->archive->file);
    }
    memcpy(sum, written.sha256, sizeof written.sha256);
    file->sha256 = (struct str){ sum, sizeof written.sha256 };
    file->n_bytes = written.size;
    day->n_files++;
    return OK;
}

/* ---- rows ---- */

/* The names of the batch's series, in the order of their numbers. */
static enum err load_series(struct day *day, const struct db_rows *batch, struct db_rows **out)
{
    struct arena *arena = day->archive->batches;
    int n = db_count(batch), n_ids = 0;
    int32_t *ids = arena_array(arena, (size_t)n, sizeof *ids);
    struct db_args args;

    if (ids == NULL) {
        return fail_memory(&day->archive->rows);
    }
    for (int i = 0; i < n; i++) {
        int32_t id = db_int(batch, i, ARCHIVE_FETCH_SERIES_ID);
        if (n_ids == 0 || ids[n_ids - 1] != id) {
            ids[n_ids++] = id;
        }
    }
    db_args_init(&args, arena);
    db_arg_int_array(&args, ids, (size_t)n_ids);
    return db_run(day->tx, &q_archive_series, &args, out);
}

static void put_names(struct parquet_writer *out, const struct db_rows *series, int at)
{
    parquet_put_str(out, SAMPLE_DEVICE, db_str(series, at, ARCHIVE_SERIES_DEVICE));
    parquet_put_str(out, SAMPLE_METRIC, db_str(series, at, ARCHIVE_SERIES_METRIC));
    parquet_put_str(out, SAMPLE_UNIT, db_str(series, at, ARCHIVE_SERIES_UNIT));
    parquet_put_str(out, SAMPLE_SITE, db_str(series, at, ARCHIVE_SERIES_SITE));
    parquet_put_str(out, SAMPLE_LABELS, db_str(series, at, ARCHIVE_SERIES_LABELS));
}

/* Both are sorted by series; one that was erased meanwhile has no name, and is left out. */
static enum err put_batch(struct day *day, const struct db_rows *batch)
{
    struct parquet_writer *out = day->writing.parquet;
    struct db_rows *series = NULL;
    enum err err = load_series(day, batch, &series);
    int at = 0;

    for (int i = 0; i < db_count(batch) && err == OK; i++) {
        int32_t id = db_int(batch, i, ARCHIVE_FETCH_SERIES_ID);
        while (at < db_count(series) && db_int(series, at, ARCHIVE_SERIES_SERIES_ID) < id) {
            at++;
        }
        if (at == db_count(series) || db_int(series, at, ARCHIVE_SERIES_SERIES_ID) != id) {
            continue;
        }
        parquet_put_time(out, SAMPLE_TIME, db_time(batch, i, ARCHIVE_FETCH_TIME));
        parquet_put_double(out, SAMPLE_VALUE, db_double(batch, i, ARCHIVE_FETCH_VALUE));
        put_names(out, series, at);
        err = parquet_end_row(out);
    }
    return err;
}

static enum err fetch(struct day *day, struct db_rows **out)
{
    arena_reset(day->archive->batches);
    return db_run(day->tx, &q_archive_fetch, NULL, out);
}

static enum err write_rows(struct day *day)
{
    struct db_rows *batch;
    enum err err = fetch(day, &batch);

    if (err != OK || db_count(batch) == 0) {
        return err;
    }
    err = begin_file(day, "rows", &archive_samples);
    if (err != OK) {
        return err;
    }
    while (err == OK && db_count(batch) > 0) {
        err = put_batch(day, batch);
        if (err == OK) {
            err = fetch(day, &batch);
        }
    }
    if (err != OK) {
        archive_file_abort(&day->writing);
        return err;
    }
    return end_file(day);
}

static enum err put_voids(struct day *day, const struct db_rows *voids)
{
    struct parquet_writer *out = day->writing.parquet;
    enum err err = OK;

    for (int i = 0; i < db_count(voids) && err == OK; i++) {
        parquet_put_str(out, VOID_DEVICE, db_str(voids, i, ARCHIVE_TOMBSTONES_DEVICE));
        parquet_put_str(out, VOID_METRIC, db_str(voids, i, ARCHIVE_TOMBSTONES_METRIC));
        parquet_put_str(out, VOID_LABELS, db_str(voids, i, ARCHIVE_TOMBSTONES_LABELS));
        parquet_put_time(out, VOID_FROM, db_time(voids, i, ARCHIVE_TOMBSTONES_FROM_TIME));
        parquet_put_time(out, VOID_TO, db_time(voids, i, ARCHIVE_TOMBSTONES_TO_TIME));
        err = parquet_end_row(out);
    }
    return err;
}

static enum err write_voids(struct day *day)
{
    struct db_args args;
    struct db_rows *voids;

    if (day->is_first) {
        return OK;
    }
    arena_reset(day->archive->batches);
    db_args_init(&args, day->archive->batches);
    db_arg_text(&args, day->task->relation);
    db_arg_text(&args, day->task->day);
    db_arg_text(&args, day->seen);
    enum err err = db_run(day->tx, &q_archive_tombstones, &args, &voids);
    if (err != OK || db_count(voids) == 0) {
        return err;
    }
    err = begin_file(day, "tombstones", &archive_voids);
    if (err != OK) {
        return err;
    }
    err = put_voids(day, voids);
    if (err != OK) {
        archive_file_abort(&day->writing);
        return err;
    }
    return end_file(day);
}

/* ---- what makes them count ---- */

/* Whatever the store acknowledged, it is asked for it again. */
static enum err verify(struct day *day)
{
    enum err err = OK;

    for (int i = 0; i < day->n_files && err == OK; i++) {
        err = archive_verify_file(day->archive, &day->files[i]);
    }
    return err;
}

static void put_manifest_file(struct json_writer *json, const struct archive_file *file)
{
    char sum[CRYPTO_HEX_SIZE];

    crypto_hex(file->sha256.ptr, file->sha256.len, sum);
    json_open_object(json);
    json_key(json, "kind");
    json_text(json, file->kind);
    json_key(json, "object");
    json_text(json, file->object);
    json_key(json, "rows");
    json_int(json, file->n_rows);
    json_key(json, "bytes");
    json_int(json, file->n_bytes);
    json_key(json, "sha256");
    json_text(json, sum);
    json_close_object(json);
}

static enum err write_manifest(struct day *day)
{
    struct op *op = &day->archive->file;
    struct json_writer json;
    struct buf out;

    if (day->n_files == 0) {
        return OK;
    }
    buf_init(&out, op->arena, MAX_MANIFEST_BYTES);
    json_writer_init(&json, &out);
    json_open_object(&json);
    json_key(&json, "table");
    json_text(&json, day->task->relation);
    json_key(&json, "tenant");
    json_text(&json, day->task->slug);
    json_key(&json, "day");
    json_text(&json, day->task->day);
    json_key(&json, "number");
    json_int(&json, day->n);
    json_key(&json, "files");
    json_open_array(&json);
    for (int i = 0; i < day->n_files; i++) {
        put_manifest_file(&json, &day->files[i]);
    }
    json_close_array(&json);
    json_close_object(&json);
    if (out.is_broken) {
        return fail_memory(op);
    }
    return store_put_bytes(day->archive->store, op, day->keys[KEY_MANIFEST].ptr, buf_str(&out),
                           NULL);
}

static enum err mark(struct day *day)
{
    struct str kinds[MAX_FILES], objects[MAX_FILES], sums[MAX_FILES];
    int64_t rows[MAX_FILES], bytes[MAX_FILES];
    size_t n = (size_t)day->n_files;
    struct db_args args;

    for (size_t i = 0; i < n; i++) {
        kinds[i] = str_of(day->files[i].kind);
        objects[i] = str_of(day->files[i].object);
        sums[i] = day->files[i].sha256;
        rows[i] = day->files[i].n_rows;
        bytes[i] = day->files[i].n_bytes;
    }
    arena_reset(day->archive->batches);
    db_args_init(&args, day->archive->batches);
    db_arg_text(&args, day->task->relation);
    db_arg_text(&args, day->task->day);
    db_arg_int(&args, day->n);
    db_arg_text(&args, day->seen);
    db_arg_str_array(&args, kinds, n);
    db_arg_str_array(&args, objects, n);
    db_arg_int64_array(&args, rows, n);
    db_arg_int64_array(&args, bytes, n);
    db_arg_bytes_array(&args, sums, n);
    return db_run(day->tx, &q_archive_mark, &args, NULL);
}

/* *is_free: nobody else is at the day, nor was at the keys. */
static enum err begin(struct day *day, bool *is_free)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, day->archive->batches);
    db_arg_text(&args, day->task->relation);
    db_arg_text(&args, day->task->day);
    db_arg_str_array(&args, day->keys, KEYS);
    enum err err = db_run(day->tx, &q_archive_begin, &args, &rows);
    if (err != OK) {
        return err;
    }
    *is_free = !db_is_null(rows, 0, ARCHIVE_BEGIN_N);
    day->n = db_int(rows, 0, ARCHIVE_BEGIN_N);
    day->is_first = db_bool(rows, 0, ARCHIVE_BEGIN_IS_FIRST);
    day->seen = arena_copy(day->archive->days, db_str(rows, 0, ARCHIVE_BEGIN_SEEN));
    return day->seen != NULL ? OK : fail_memory(&day->archive->rows);
}

static enum err take_steps(struct day *day, bool *is_free)
{
    enum err err = begin(day, is_free);

    if (err != OK || !*is_free) {
        return err;
    }
    err = write_rows(day);
    if (err == OK) {
        err = write_voids(day);
    }
    if (err == OK) {
        err = verify(day);
    }
    if (err == OK) {
        err = write_manifest(day);
    }
    return err == OK ? mark(day) : err;
}

enum err archive_write_day(struct archive *archive, const struct archive_task *task,
                           struct archive_done *out)
{
    struct day day = { .archive = archive, .task = task };
    bool is_free = false;

    *out = (struct archive_done){ .n_rows = 0 };
    arena_reset(archive->days);
    arena_reset(archive->files);
    arena_reset(archive->batches);
    enum err err = intend(&day);
    if (err == OK) {
        err = db_begin(&archive->rows, archive->conn, DB_WRITE, task->tenant_id, &day.tx);
    }
    if (err != OK) {
        return archive_fail(archive, err);
    }
    err = take_steps(&day, &is_free);
    if (err != OK || !is_free) {
        db_rollback(day.tx);
        out->is_skipped = err == OK;
        return archive_fail(archive, err);
    }
    for (int i = 0; i < day.n_files; i++) {
        *(archive_is_rows(&day.files[i]) ? &out->n_rows : &out->n_void) += day.files[i].n_rows;
        out->n_bytes += day.files[i].n_bytes;
    }
    return archive_fail(archive, db_commit(day.tx));
}

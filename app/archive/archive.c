/* What the archive is opened with, its tables' schemas, and files on their way into the store and
 * out of it. */
#include "archive/archive.h"

#include "archive/given_up.h"
#include "archive/parts.h"
#include "db/conn.h"
#include "gen/queries.h"

#define FILE_ARENA_BYTES (192u << 20) /* a row group read and unpacked, of long texts */
#define BATCH_ARENA_BYTES (64u << 20)
#define DAY_ARENA_BYTES (64u << 20) /* the names of what was erased of a day */
#define TENANT_ARENA_BYTES (16u << 20)
#define NAMES_ARENA_BYTES (64u << 20)

static const struct parquet_column sample_columns[SAMPLE_COLUMNS] = {
    [SAMPLE_TIME] = { "time", PARQUET_TIME, false },
    [SAMPLE_DEVICE] = { "device", PARQUET_STRING, false },
    [SAMPLE_METRIC] = { "metric", PARQUET_STRING, false },
    [SAMPLE_VALUE] = { "value", PARQUET_DOUBLE, false },
    [SAMPLE_UNIT] = { "unit", PARQUET_STRING, false },
    [SAMPLE_SITE] = { "site", PARQUET_STRING, true },
    [SAMPLE_LABELS] = { "labels", PARQUET_STRING, false },
};
static const struct parquet_column void_columns[VOID_COLUMNS] = {
    [VOID_DEVICE] = { "device", PARQUET_STRING, false },
    [VOID_METRIC] = { "metric", PARQUET_STRING, false },
    [VOID_LABELS] = { "labels", PARQUET_STRING, false },
    [VOID_FROM] = { "from", PARQUET_TIME, false },
    [VOID_TO] = { "to", PARQUET_TIME, false },
};
const struct parquet_schema archive_samples = { sample_columns, SAMPLE_COLUMNS };
const struct parquet_schema archive_voids = { void_columns, VOID_COLUMNS };

enum err archive_open(struct archive *archive, struct op *op, struct db_conn *conn,
                      const struct config *config)
{
    struct arena *names = arena_new(NAMES_ARENA_BYTES);

    *archive = (struct archive){ .op = op, .conn = conn, .days = arena_new(DAY_ARENA_BYTES),
                                 .tenants = arena_new(TENANT_ARENA_BYTES),
                                 .files = arena_new(FILE_ARENA_BYTES),
                                 .batches = arena_new(BATCH_ARENA_BYTES) };
    archive_names_init(&archive->names, names);
    if (archive->days == NULL || archive->tenants == NULL || archive->files == NULL ||
        archive->batches == NULL || names == NULL) {
        return fail_memory(op);
    }
    op_init(&archive->list, archive->tenants, op->id);
    op_init(&archive->file, archive->files, op->id);
    op_init(&archive->rows, archive->batches, op->id);
    return store_open(op, config, &archive->store);
}

void archive_close(struct archive *archive)
{
    store_close(archive->store);
    arena_free(archive->names.arena);
    arena_free(archive->tenants);
    arena_free(archive->days);
    arena_free(archive->files);
    arena_free(archive->batches);
    *archive = (struct archive){ .op = archive->op };
}

enum err archive_fail(struct archive *archive, enum err err)
{
    struct op *const ops[] = { &archive->file, &archive->rows, &archive->list };

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (err != OK && archive->op->fault.code == OK && ops[i]->fault.code != OK) {
            archive->op->fault = ops[i]->fault;
        }
        op_clear_fault(ops[i]);
    }
    return err;
}

/* ---- writing ---- */

static enum err take_bytes(void *context, const void *bytes, size_t len)
{
    struct archive_writing *writing = context;

    return store_put_write(writing->put, &writing->archive->file, (struct str){ bytes, len });
}

enum err archive_file_begin(struct archive *archive, const char *key,
                            const struct parquet_schema *schema, struct archive_writing *out)
{
    *out = (struct archive_writing){ .archive = archive };
    enum err err = store_put_begin(archive->store, &archive->file, key, &out->put);
    if (err == OK) {
        err = parquet_begin(&archive->file, schema, take_bytes, out, &out->parquet);
    }
    if (err != OK) {
        archive_file_abort(out);
    }
    return err;
}

enum err archive_file_end(struct archive_writing *writing, const struct parquet_note *notes, int n,
                          struct store_written *out)
{
    enum err err = parquet_end(writing->parquet, notes, n);

    if (err != OK) {
        archive_file_abort(writing);
        return err;
    }
    err = store_put_finish(writing->put, &writing->archive->file, out);
    writing->put = NULL;
    return err;
}

void archive_file_abort(struct archive_writing *writing)
{
    store_put_abort(writing->put);
    writing->put = NULL;
}

/* ---- reading ---- */

static enum err give_bytes(void *context, int64_t offset, size_t len, char *out)
{
    struct archive_reading *reading = context;

    return store_read(reading->archive->store, &reading->archive->file, reading->object, offset,
                      len, out);
}

static bool is_schema(const struct parquet_schema *got, const struct parquet_schema *wanted)
{
    bool is_same = got->n_columns == wanted->n_columns;

    for (int i = 0; is_same && i < wanted->n_columns; i++) {
        const struct parquet_column *a = &got->columns[i], *b = &wanted->columns[i];
        is_same = a->type == b->type && a->is_nullable == b->is_nullable &&
                  strcmp(a->name, b->name) == 0;
    }
    return is_same;
}

enum err archive_file_open(struct archive *archive, const char *object, int64_t n_bytes,
                           const struct parquet_schema *schema, struct archive_reading *out)
{
    *out = (struct archive_reading){ .archive = archive, .object = object };
    out->source = (struct parquet_source){ out, n_bytes, give_bytes };
    enum err err = parquet_open(&archive->file, &out->source, &out->parquet);
    if (err == OK && !is_schema(parquet_schema(out->parquet), schema)) {
        err = fail(&archive->file, ERR_INVALID, "%s: not the columns of its table", object);
    }
    return err;
}

/* ---- where it is ---- */

enum err archive_find_place(struct op *op, struct db_conn *conn, struct store *store)
{
    struct db_rows *rows;
    enum err err = db_run_committed(op, conn, 0, &q_object_any, NULL, &rows);

    if (err != OK) {
        return err;
    }
    return db_bool(rows, 0, OBJECT_ANY_IS_ANY) ? store_adopt(store, op) : store_prepare(store, op);
}

/* ---- what is in the way ---- */

static enum err sweep(struct archive *archive, struct db_tx *tx, int *out_n)
{
    struct arena *arena = archive->batches;
    struct db_rows *rows;
    struct db_args args;
    enum err err = db_run(tx, &q_archive_garbage_list, NULL, &rows);
    int n = err == OK ? db_count(rows) : 0;
    const char **keys = arena_array(arena, (size_t)n + 1, sizeof *keys);
    struct str *names = arena_array(arena, (size_t)n + 1, sizeof *names);

    if (err != OK || n == 0) {
        return err;
    }
    if (keys == NULL || names == NULL) {
        return fail_memory(&archive->rows);
    }
    for (int i = 0; i < n; i++) {
        keys[i] = db_text(rows, i, ARCHIVE_GARBAGE_LIST_OBJECT);
        names[i] = str_of(keys[i]);
    }
    err = store_delete_many(archive->store, &archive->rows, keys, n);
    if (err != OK) {
        return err;
    }
    db_args_init(&args, arena);
    db_arg_str_array(&args, names, (size_t)n);
    *out_n += n;
    return db_run(tx, &q_archive_garbage_done, &args, NULL);
}

enum err archive_sweep(struct archive *archive, int *out_n)
{
    struct db_tx *tx;
    int before;
    enum err err;

    *out_n = 0;
    err = archive_take_back(archive);
    if (err != OK) {
        return err;
    }
    do {
        before = *out_n;
        arena_reset(archive->batches);
        err = db_begin(&archive->rows, archive->conn, DB_WRITE, 0, &tx);
        if (err != OK) {
            break;
        }
        err = db_end(tx, sweep(archive, tx, out_n));
    } while (err == OK && *out_n > before);
    return archive_fail(archive, err);
}

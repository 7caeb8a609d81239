/* The files of one day under one number: their keys, notes and checksums, that they are in the
 * store as they were written, and their manifest. */
#include "archive/write.h"

#include "archive/manifest.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>

#define ID_BYTES 16 /* random, of an attempt */

enum err archive_day_name(struct archive_day *day)
{
    static const struct {
        const char *suffix, *ending;
    } PARTS[KEYS] = { [KEY_ROWS] = { "", "parquet" },
                      [KEY_MANIFEST] = { "", "json" },
                      [KEY_VOIDS] = { ".tombstones", "parquet" } };
    const struct archive_task *task = day->task;
    char id[2 * ID_BYTES + 1];
    uint8_t random[ID_BYTES];

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, id);
    for (int i = 0; i < KEYS; i++) {
        char *key = arena_printf(day->archive->days, "archive/%s%s/tenant=%s/day=%s/%s.%s",
                                 task->relation, PARTS[i].suffix, task->slug, day->name, id,
                                 PARTS[i].ending);
        if (key == NULL) {
            return fail_memory(&day->archive->rows);
        }
        day->keys[i] = str_of(key);
    }
    return OK;
}

enum err archive_day_begin(struct archive_day *day, bool is_rows)
{
    const char *key = day->keys[is_rows ? KEY_ROWS : KEY_VOIDS].ptr;

    arena_reset(day->archive->files);
    day->files[day->n_files] = (struct archive_file){
        .tenant = day->task->slug, .relation = day->task->relation, .day = day->name,
        .n = day->n, .kind = is_rows ? "rows" : "tombstones", .object = key,
    };
    return archive_file_begin(day->archive, key, is_rows ? day->table->rows : day->table->voids,
                              &day->writing);
}

enum err archive_day_end(struct archive_day *day)
{
    struct archive_file *file = &day->files[day->n_files];
    struct store_written written;
    char number[16];

    snprintf(number, sizeof number, "%d", day->n);
    const struct parquet_note notes[] = {
        { "tidemark.table", day->task->relation }, { "tidemark.kind", file->kind },
        { "tidemark.tenant", day->task->slug },    { "tidemark.day", day->name },
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

/* ---- what makes them count ---- */

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

/* What was written, as far as it was not given back. */
struct comparison {
    struct str left;
    bool is_same;
};

static enum err compare(void *context, struct op *op, struct str bytes)
{
    struct comparison *comparison = context;
    struct str *left = &comparison->left;

    (void)op;
    comparison->is_same = comparison->is_same && bytes.len <= left->len &&
                          memcmp(bytes.ptr, left->ptr, bytes.len) == 0;
    if (comparison->is_same) {
        *left = (struct str){ left->ptr + bytes.len, left->len - bytes.len };
    }
    return OK;
}

/* Puts an object and reads it back. */
static enum err put_and_compare(struct archive *archive, const char *key, struct str bytes)
{
    struct op *op = &archive->file;
    struct comparison comparison = { bytes, true };
    enum err err = store_put_bytes(archive->store, op, key, bytes, NULL);

    if (err == OK) {
        err = store_get(archive->store, op, key, STORE_WHOLE, compare, &comparison);
    }
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return fail(op, ERR_INTERNAL, "%s was written, and is not in the store", key);
    }
    return err != OK || (comparison.is_same && comparison.left.len == 0)
               ? err
               : fail(op, ERR_INTERNAL, "%s is not what was written", key);
}

enum err archive_day_note(const struct archive_day *day)
{
    struct op *op = &day->archive->file;
    struct json_writer json;
    struct buf out;

    buf_init(&out, op->arena, MANIFEST_MAX_BYTES);
    json_writer_init(&json, &out);
    json_open_object(&json);
    json_key(&json, "table");
    json_text(&json, day->task->relation);
    json_key(&json, "tenant");
    json_text(&json, day->task->slug);
    json_key(&json, "day");
    json_text(&json, day->name);
    json_key(&json, "number");
    json_int(&json, day->n);
    json_key(&json, "written_at");
    json_text(&json, day->begun_at);
    json_key(&json, "files");
    json_open_array(&json);
    for (int i = 0; i < day->n_files; i++) {
        put_manifest_file(&json, &day->files[i]);
    }
    json_close_array(&json);
    json_close_object(&json);
    return out.is_broken ? fail_memory(op)
                         : put_and_compare(day->archive, day->keys[KEY_MANIFEST].ptr,
                                           buf_str(&out));
}

/* What the store has otherwise than it was just given is a failure of the store, for the log. */
static enum err verify_written(struct archive_day *day, const struct archive_file *file)
{
    enum err err = archive_verify_file(day->archive, file);

    if (err == ERR_INVALID || err == ERR_NOT_FOUND) {
        err = day->archive->op->fault.code = ERR_INTERNAL;
    }
    return err;
}

enum err archive_day_seal(struct archive_day *day)
{
    enum err err = OK;

    for (int i = 0; i < day->n_files && err == OK; i++) {
        err = verify_written(day, &day->files[i]);
    }
    return err == OK && day->n_files > 0 ? archive_day_note(day) : err;
}

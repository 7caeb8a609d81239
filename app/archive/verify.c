/* Verifies a file: its bytes by their checksum, each row by reading it, and that its notes say what
 * it is thought to be; and the manifest beside it. */
#include "archive/manifest.h"
#include "archive/table.h"

#include <stdio.h>

struct sum {
    struct sha256 sha;
    int64_t bytes;
};

static enum err add(void *context, struct op *op, struct str bytes)
{
    struct sum *sum = context;

    (void)op;
    sha256_add(&sum->sha, bytes);
    sum->bytes += (int64_t)bytes.len;
    return OK;
}

static enum err verify_bytes(struct archive *archive, const struct archive_file *file)
{
    struct op *op = &archive->file;
    struct sum sum = { .bytes = 0 };
    uint8_t digest[CRYPTO_HASH_BYTES];

    if (!sha256_open(&sum.sha)) {
        return fail_memory(op);
    }
    enum err err = store_get(archive->store, op, file->object, STORE_WHOLE, add, &sum);
    bool is_summed = sha256_end(&sum.sha, digest);
    sha256_close(&sum.sha);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return fail(op, ERR_NOT_FOUND, "%s is not in the store", file->object);
    }
    if (err != OK) {
        return err;
    }
    if (sum.bytes != file->n_bytes) {
        return fail(op, ERR_INVALID, "%s has %lld bytes, %lld were written", file->object,
                    (long long)sum.bytes, (long long)file->n_bytes);
    }
    if (!is_summed ||
        !str_equal((struct str){ (const char *)digest, sizeof digest }, file->sha256)) {
        return fail(op, ERR_INVALID, "%s is not what was written: its checksum differs",
                    file->object);
    }
    return OK;
}

static bool says(const struct archive_reading *reading, const char *key, const char *expected)
{
    const char *value = parquet_note(reading->parquet, key);

    return value != NULL && strcmp(value, expected) == 0;
}

enum err archive_file_check(struct archive_reading *reading, const struct archive_file *file)
{
    char number[16];

    snprintf(number, sizeof number, "%d", file->n);
    bool is_it = says(reading, "tidemark.table", file->relation) &&
                 says(reading, "tidemark.kind", file->kind) &&
                 says(reading, "tidemark.tenant", file->tenant) &&
                 says(reading, "tidemark.day", file->day) &&
                 says(reading, "tidemark.number", number);
    if (!is_it) {
        return fail(&reading->archive->file, ERR_INVALID, "%s: its notes are of another file",
                    file->object);
    }
    if (parquet_total(reading->parquet) != file->n_rows) {
        return fail(&reading->archive->file, ERR_INVALID, "%s has %lld rows, %lld were written",
                    file->object, (long long)parquet_total(reading->parquet),
                    (long long)file->n_rows);
    }
    return OK;
}

static enum err verify_rows(struct archive *archive, const struct archive_file *file)
{
    bool is_end = false;
    struct parquet_value row[PARQUET_MAX_COLUMNS];
    const struct archive_table *table;
    struct archive_reading reading = { .parquet = NULL };
    enum err err = archive_table_find(&archive->file, file->relation, &table);

    if (err == OK) {
        err = archive_file_open(archive, file->object, file->n_bytes,
                                archive_is_rows(file) ? table->rows : table->voids, &reading);
    }
    if (err == OK) {
        err = archive_file_check(&reading, file);
    }
    while (err == OK && !is_end) {
        err = parquet_next(reading.parquet, row, &is_end);
    }
    return err;
}

enum err archive_verify_file(struct archive *archive, const struct archive_file *file)
{
    arena_reset(archive->files);
    enum err err = verify_bytes(archive, file);

    return archive_fail(archive, err == OK ? verify_rows(archive, file) : err);
}

/* ---- manifests ---- */

const char *archive_manifest_key(struct arena *arena, const struct archive_file *file)
{
    static const char VOIDS[] = ".tombstones/", ENDING[] = ".parquet";
    struct str object = str_of(file->object);
    const char *voids = strstr(file->object, VOIDS);
    size_t n_before = voids != NULL ? (size_t)(voids - file->object) : object.len;
    const char *after = voids != NULL ? voids + strlen(VOIDS) - 1 : "";

    if (object.len < strlen(ENDING)) {
        return NULL;
    }
    char *key = arena_printf(arena, "%.*s%s", (int)n_before, file->object, after);
    return key != NULL ? arena_printf(arena, "%.*s%s", (int)(strlen(key) - strlen(ENDING)), key,
                                      MANIFEST_ENDING)
                       : NULL;
}

static bool is_same_file(const struct archive_file *a, const struct archive_file *b)
{
    return strcmp(a->kind, b->kind) == 0 && strcmp(a->object, b->object) == 0 && a->n == b->n &&
           a->n_rows == b->n_rows && a->n_bytes == b->n_bytes && str_equal(a->sha256, b->sha256);
}

static enum err verify_manifest(struct archive *archive, const struct archive_file *file)
{
    struct op *op = &archive->rows;
    const char *key = archive_manifest_key(archive->batches, file);
    struct store_object object;
    struct manifest manifest;

    if (key == NULL) {
        return fail_memory(op);
    }
    enum err err = store_head(archive->store, op, key, &object);
    err = err ? err : manifest_fetch(archive, &object, &manifest);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(op);
        return fail(op, ERR_NOT_FOUND, "%s is not in the store", key);
    }
    for (int i = 0; err == OK && i < manifest.n_files; i++) {
        if (is_same_file(file, &manifest.files[i])) {
            return OK;
        }
    }
    return err ? err : fail(op, ERR_INVALID, "%s does not say what %s is", key, file->object);
}

enum err archive_verify_manifest(struct archive *archive, const struct archive_file *file)
{
    arena_reset(archive->batches);
    return archive_fail(archive, verify_manifest(archive, file));
}

const char *archive_finding(enum err err)
{
    switch (err) {
    case OK:
        return "sound";
    case ERR_INVALID:
        return "damaged";
    case ERR_NOT_FOUND:
        return "missing";
    default:
        return "failed";
    }
}

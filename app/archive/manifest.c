/* Reads manifests: strictly, for what they say becomes files of the archive, whoever wrote it. */
#include "archive/manifest.h"

#include "base/clock.h"
#include "base/json.h"

#define DEPTH 4       /* of its JSON, with room */
#define MAX_COUNT 1e15 /* of rows or bytes: exact as a double */

/* A manifest as it is read: the first thing that is wrong with it, or NULL. */
struct reading {
    struct op *op;
    const char *key;
    struct json_reader json;
    struct manifest *out;
    const char *wrong;
};

static bool is_wrong(struct reading *reading, const char *why)
{
    reading->wrong = reading->wrong != NULL ? reading->wrong : why;
    return false;
}

/* ---- members ---- */

static bool read_text(struct reading *reading, const char **out)
{
    struct str text;

    if (!json_read_string(&reading->json, &text)) {
        return false;
    }
    *out = arena_copy(reading->op->arena, text);
    return *out != NULL;
}

static bool read_count(struct reading *reading, double most, int64_t *out)
{
    double number;

    if (!json_read_number(&reading->json, &number, NULL)) {
        return false;
    }
    if (!(number >= 0 && number <= most) || number != (double)(int64_t)number) {
        return is_wrong(reading, "a number is out of bounds");
    }
    *out = (int64_t)number;
    return true;
}

static bool read_sum(struct reading *reading, struct str *out)
{
    char *sum = arena_alloc(reading->op->arena, CRYPTO_HASH_BYTES);
    struct str text;

    if (sum == NULL || !json_read_string(&reading->json, &text)) {
        return false;
    }
    if (!crypto_hex_decode(text, sum, CRYPTO_HASH_BYTES)) {
        return is_wrong(reading, "a checksum is none");
    }
    *out = (struct str){ sum, CRYPTO_HASH_BYTES };
    return true;
}

static bool read_time(struct reading *reading, int64_t *out_us)
{
    struct str text;

    return json_read_string(&reading->json, &text) &&
           (clock_parse_rfc3339(text, out_us) || is_wrong(reading, "its time is none"));
}

static bool read_file_member(struct reading *reading, struct str name, struct archive_file *file)
{
    if (str_equal(name, STR("kind"))) {
        return read_text(reading, &file->kind);
    }
    if (str_equal(name, STR("object"))) {
        return read_text(reading, &file->object);
    }
    if (str_equal(name, STR("rows"))) {
        return read_count(reading, MAX_COUNT, &file->n_rows);
    }
    if (str_equal(name, STR("bytes"))) {
        return read_count(reading, MAX_COUNT, &file->n_bytes);
    }
    if (str_equal(name, STR("sha256"))) {
        return read_sum(reading, &file->sha256);
    }
    return json_skip(&reading->json, NULL);
}

static bool read_file(struct reading *reading)
{
    struct manifest *out = reading->out;
    struct archive_file *file = &out->files[out->n_files];
    struct str name;

    if (out->n_files == ARCHIVE_MAX_FILES) {
        return is_wrong(reading, "it has too many files");
    }
    *file = (struct archive_file){ .n_rows = -1, .n_bytes = -1 };
    if (!json_enter_object(&reading->json)) {
        return false;
    }
    while (json_next_member(&reading->json, &name)) {
        if (!read_file_member(reading, name, file)) {
            return false;
        }
    }
    out->n_files++;
    return reading->json.error == NULL;
}

static bool read_files(struct reading *reading)
{
    if (!json_enter_array(&reading->json)) {
        return false;
    }
    reading->out->n_files = 0;
    while (json_next_element(&reading->json)) {
        if (!read_file(reading)) {
            return false;
        }
    }
    return reading->json.error == NULL;
}

static bool read_member(struct reading *reading, struct str name)
{
    struct manifest *out = reading->out;
    int64_t number = 0;

    if (str_equal(name, STR("table"))) {
        return read_text(reading, &out->relation);
    }
    if (str_equal(name, STR("tenant"))) {
        return read_text(reading, &out->tenant);
    }
    if (str_equal(name, STR("day"))) {
        return read_text(reading, &out->day);
    }
    if (str_equal(name, STR("number"))) {
        bool is_read = read_count(reading, INT32_MAX, &number);
        out->n = (int)number;
        return is_read;
    }
    if (str_equal(name, STR("written_at"))) {
        return read_time(reading, &out->written_us);
    }
    if (str_equal(name, STR("files"))) {
        return read_files(reading);
    }
    return json_skip(&reading->json, NULL);
}

static bool read_all(struct reading *reading)
{
    struct str name;

    if (!json_enter_object(&reading->json)) {
        return false;
    }
    while (json_next_member(&reading->json, &name)) {
        if (!read_member(reading, name)) {
            return false;
        }
    }
    return reading->json.error == NULL && json_at_end(&reading->json);
}

/* ---- against its key ---- */

static bool is_day(const char *text)
{
    int64_t us;

    return strlen(text) + 1 == ARCHIVE_DAY_SIZE && text[4] == '-' &&
           clock_parse(str_of(text), &us);
}

/* Whether all of it is there, and of the day that it says. */
static bool is_whole(struct reading *reading)
{
    const struct manifest *out = reading->out;

    if (out->relation == NULL || out->tenant == NULL || out->day == NULL || out->n < 1 ||
        out->written_us == INT64_MIN || out->n_files < 1) {
        return is_wrong(reading, "a part of it is missing");
    }
    if (archive_table_named(out->relation) == NULL) {
        return is_wrong(reading, "it is of a table that this tidemark does not know");
    }
    return is_day(out->day) || is_wrong(reading, "its day is none");
}

/* Its id, between the last slash and the ending, where the key is that of what it says. */
static bool find_id(struct reading *reading, struct str *out)
{
    const struct manifest *said = reading->out;
    const char *folder = arena_printf(reading->op->arena, ARCHIVE_DAY_FORMAT, said->relation,
                                      said->tenant, said->day);
    size_t len = strlen(reading->key), ending = strlen(MANIFEST_ENDING);
    size_t skipped = folder != NULL ? strlen(folder) : 0;

    if (folder == NULL || strncmp(reading->key, folder, skipped) != 0 ||
        len <= skipped + ending || strchr(reading->key + skipped, '/') != NULL) {
        const char *why = arena_printf(reading->op->arena, "it is of %s %s %s", said->tenant,
                                       said->relation, said->day);
        return is_wrong(reading, why);
    }
    *out = (struct str){ reading->key + skipped, len - skipped - ending };
    return true;
}

/* Whether a file is whole and one of those beside the manifest, whose notes it gets. */
static bool take_file(struct reading *reading, struct archive_file *file, struct str id)
{
    const struct manifest *said = reading->out;

    if (file->kind == NULL || file->object == NULL || file->n_rows < 0 || file->n_bytes < 0 ||
        file->sha256.ptr == NULL) {
        return is_wrong(reading, "a part of it is missing");
    }
    bool is_rows = archive_is_rows(file);
    if (!is_rows && strcmp(file->kind, "tombstones") != 0) {
        return is_wrong(reading, "a file is of no known kind");
    }
    const char *own = arena_printf(reading->op->arena, "archive/%s%s/tenant=%s/day=%s/%.*s.parquet",
                                   said->relation, is_rows ? "" : ".tombstones", said->tenant,
                                   said->day, (int)id.len, id.ptr);
    if (own == NULL || strcmp(own, file->object) != 0) {
        return is_wrong(reading, "a file of it is another's");
    }
    file->tenant = said->tenant;
    file->relation = said->relation;
    file->day = said->day;
    file->n = said->n;
    return true;
}

static bool judge(struct reading *reading)
{
    struct manifest *out = reading->out;
    struct str id;

    if (!is_whole(reading) || !find_id(reading, &id)) {
        return false;
    }
    for (int i = 0; i < out->n_files; i++) {
        if (!take_file(reading, &out->files[i], id)) {
            return false;
        }
    }
    return out->n_files == 1 || strcmp(out->files[0].kind, out->files[1].kind) != 0 ||
           is_wrong(reading, "it has a file twice");
}

enum err manifest_parse(struct op *op, const char *key, struct str text, struct manifest *out)
{
    struct reading reading = { .op = op, .key = key, .out = out };

    *out = (struct manifest){ .written_us = INT64_MIN };
    json_reader_init(&reading.json, text, op->arena, DEPTH);
    if (read_all(&reading) && judge(&reading)) {
        return OK;
    }
    if (reading.wrong == NULL) {
        reading.wrong = text.len == 0        ? "it is empty"
                        : reading.json.error ? reading.json.error
                                             : "it is not what is written as one";
    }
    return fail(op, ERR_INVALID, "%s is not the manifest that its name says: %s", key,
                reading.wrong);
}

enum err manifest_fetch(struct archive *archive, const struct store_object *object,
                        struct manifest *out)
{
    struct op *op = &archive->rows;
    enum err err = OK;

    if (object->size > MANIFEST_MAX_BYTES) {
        return fail(op, ERR_INVALID, "%s is too large for a manifest", object->key);
    }
    char *text = arena_alloc(archive->batches, (size_t)object->size + 1);
    if (text == NULL) {
        return fail_memory(op);
    }
    if (object->size > 0) {
        err = store_read(archive->store, op, object->key, 0, (size_t)object->size, text);
    }
    return err ? err
               : manifest_parse(op, object->key, (struct str){ text, (size_t)object->size }, out);
}

void manifest_list_files(struct db_args *args, const struct manifest *manifest)
{
    struct str kinds[ARCHIVE_MAX_FILES], objects[ARCHIVE_MAX_FILES], sums[ARCHIVE_MAX_FILES];
    int64_t rows[ARCHIVE_MAX_FILES], bytes[ARCHIVE_MAX_FILES];
    size_t n = (size_t)manifest->n_files;

    for (size_t i = 0; i < n; i++) {
        kinds[i] = str_of(manifest->files[i].kind);
        objects[i] = str_of(manifest->files[i].object);
        rows[i] = manifest->files[i].n_rows;
        bytes[i] = manifest->files[i].n_bytes;
        sums[i] = manifest->files[i].sha256;
    }
    db_arg_str_array(args, kinds, n);
    db_arg_str_array(args, objects, n);
    db_arg_int64_array(args, rows, n);
    db_arg_int64_array(args, bytes, n);
    db_arg_bytes_array(args, sums, n);
}

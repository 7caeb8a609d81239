/* Manifests, to JSON and back. */
#include "backup/manifest.h"

#include "base/clock.h"
#include "base/json.h"

#define FORMAT 1
#define MAX_TABLES 2000
#define MAX_DEPTH 4

/* ---- writing ---- */

static void write_tables(struct json_writer *json, const struct backup *backup)
{
    json_key(json, "rows");
    json_open_object(json);
    for (int i = 0; i < backup->n_tables; i++) {
        json_key(json, backup->tables[i].name);
        json_int(json, backup->tables[i].n_rows);
    }
    json_close_object(json);
    json_key(json, "checksums");
    json_open_object(json);
    for (int i = 0; i < backup->n_tables; i++) {
        json_key(json, backup->tables[i].name);
        json_text(json, backup->tables[i].sum);
    }
    json_close_object(json);
}

struct str manifest_write(struct arena *arena, const struct backup *backup)
{
    struct buf text;
    struct json_writer json;
    char sum[CRYPTO_HEX_SIZE], made[CLOCK_TEXT_SIZE];

    buf_init(&text, arena, MANIFEST_MAX_BYTES);
    json_writer_init(&json, &text);
    json_open_object(&json);
    json_key(&json, "format");
    json_int(&json, FORMAT);
    json_key(&json, "made_at");
    json_text(&json, clock_format(backup->made_us, made));
    json_key(&json, "tidemark");
    json_text(&json, backup->program);
    json_key(&json, "schema");
    json_int(&json, backup->schema);
    json_key(&json, "engine");
    json_text(&json, backup->engine);
    json_key(&json, "timescaledb");
    json_text(&json, backup->extension);
    json_key(&json, "installation");
    json_text(&json, backup->installation);
    json_key(&json, "postgresql_major");
    json_int(&json, backup->server_major);
    json_key(&json, "postgresql");
    json_text(&json, backup->server_version);
    json_key(&json, "bytes");
    json_int(&json, backup->n_bytes);
    crypto_hex(backup->sha256, sizeof backup->sha256, sum);
    json_key(&json, "sha256");
    json_text(&json, sum);
    write_tables(&json, backup);
    json_close_object(&json);
    buf_add_char(&text, '\n');
    return text.is_broken ? (struct str){ NULL, 0 } : buf_str(&text);
}

/* ---- reading ---- */

struct reading {
    struct json_reader json;
    struct arena *arena;
    struct backup *backup;
    int64_t format;
    bool has_made, has_sum;
};

static bool read_whole(struct reading *reading, int64_t *out)
{
    struct str text;
    double number;
    long long whole = 0;

    if (!json_read_number(&reading->json, &number, &text)) {
        return false;
    }
    if (!str_to_int64(text, &whole) || whole < 0) {
        return json_fail(&reading->json, "not a count");
    }
    *out = whole;
    return true;
}

static bool read_small(struct reading *reading, int *out)
{
    int64_t whole = 0;

    if (!read_whole(reading, &whole)) {
        return false;
    }
    *out = (int)whole;
    return whole <= 1000000 || json_fail(&reading->json, "too large a number");
}

static bool read_text(struct reading *reading, const char **out)
{
    struct str text;

    if (json_peek(&reading->json) == JSON_NULL) {
        *out = NULL;
        return json_read_null(&reading->json);
    }
    if (!json_read_string(&reading->json, &text)) {
        return false;
    }
    *out = arena_copy(reading->arena, text);
    return *out || json_fail(&reading->json, "no memory");
}

/* The table of that name, made where it is not known yet; NULL without room. */
static struct backup_table *find_table(struct reading *reading, struct str name)
{
    struct backup *backup = reading->backup;

    for (int i = 0; i < backup->n_tables; i++) {
        if (str_equal(str_of(backup->tables[i].name), name)) {
            return &backup->tables[i];
        }
    }
    struct backup_table *table = &backup->tables[backup->n_tables];
    if (backup->n_tables == MAX_TABLES) {
        return NULL;
    }
    *table = (struct backup_table){ .name = arena_copy(reading->arena, name), .n_rows = -1 };
    backup->n_tables += table->name != NULL;
    return table->name ? table : NULL;
}

static bool read_rows(struct reading *reading, struct backup_table *table)
{
    return read_whole(reading, &table->n_rows);
}

static bool read_table_sum(struct reading *reading, struct backup_table *table)
{
    return read_text(reading, &table->sum);
}

/* An object with a member a table: rows or checksums, whichever comes first. */
static bool read_tables(struct reading *reading,
                        bool (*read)(struct reading *reading, struct backup_table *table))
{
    struct backup *backup = reading->backup;
    struct str name;

    if (!backup->tables) {
        backup->tables = arena_array(reading->arena, MAX_TABLES, sizeof *backup->tables);
    }
    if (!backup->tables || !json_enter_object(&reading->json)) {
        return false;
    }
    while (json_next_member(&reading->json, &name)) {
        struct backup_table *table = find_table(reading, name);
        if (!table) {
            return json_fail(&reading->json, "too many tables");
        }
        if (!read(reading, table)) {
            return false;
        }
    }
    return reading->json.error == NULL;
}

static bool read_made(struct reading *reading)
{
    struct str text;

    reading->has_made = json_read_string(&reading->json, &text) &&
                        clock_parse_rfc3339(text, &reading->backup->made_us);
    return reading->has_made || json_fail(&reading->json, "not a time");
}

static bool read_sum(struct reading *reading)
{
    struct str text;
    uint8_t *sum = reading->backup->sha256;

    reading->has_sum = json_read_string(&reading->json, &text) && text.len == CRYPTO_HEX_SIZE - 1 &&
                       crypto_hex_decode(text, sum, CRYPTO_HASH_BYTES);
    return reading->has_sum || json_fail(&reading->json, "not a checksum");
}

static bool read_member(struct reading *reading, struct str key)
{
    struct backup *backup = reading->backup;

    if (str_equal(key, STR("format"))) {
        return read_whole(reading, &reading->format);
    }
    if (str_equal(key, STR("made_at"))) {
        return read_made(reading);
    }
    if (str_equal(key, STR("tidemark"))) {
        return read_text(reading, &backup->program);
    }
    if (str_equal(key, STR("schema"))) {
        return read_small(reading, &backup->schema);
    }
    if (str_equal(key, STR("engine"))) {
        return read_text(reading, &backup->engine);
    }
    if (str_equal(key, STR("timescaledb"))) {
        return read_text(reading, &backup->extension);
    }
    if (str_equal(key, STR("installation"))) {
        return read_text(reading, &backup->installation);
    }
    if (str_equal(key, STR("postgresql_major"))) {
        return read_small(reading, &backup->server_major);
    }
    if (str_equal(key, STR("postgresql"))) {
        return read_text(reading, &backup->server_version);
    }
    if (str_equal(key, STR("bytes"))) {
        return read_whole(reading, &backup->n_bytes);
    }
    if (str_equal(key, STR("sha256"))) {
        return read_sum(reading);
    }
    if (str_equal(key, STR("rows"))) {
        return read_tables(reading, read_rows);
    }
    return str_equal(key, STR("checksums")) ? read_tables(reading, read_table_sum)
                                            : json_skip(&reading->json, NULL);
}

/* A table of which a checksum alone is told is none; and each has one, or none has. */
static bool has_all_tables(const struct backup *backup)
{
    for (int i = 0; i < backup->n_tables; i++) {
        const struct backup_table *table = &backup->tables[i];
        if (table->n_rows < 0 || !table->sum != !backup->tables[0].sum) {
            return false;
        }
    }
    return backup->n_tables > 0;
}

enum err manifest_read(struct op *op, struct str text, struct backup *out)
{
    struct reading reading = { .arena = op->arena, .backup = out };
    struct str key;

    json_reader_init(&reading.json, text, op->arena, MAX_DEPTH);
    bool is_good = json_enter_object(&reading.json);
    while (is_good && json_next_member(&reading.json, &key)) {
        is_good = read_member(&reading, key);
    }
    is_good = is_good && json_at_end(&reading.json);
    if (is_good && reading.format > FORMAT) {
        return fail(op, ERR_INVALID, "the backup is of a later tidemark's form (%lld)",
                    (long long)reading.format);
    }
    is_good = is_good && reading.format == FORMAT && reading.has_made && reading.has_sum &&
              out->schema > 0 && out->engine && out->program && out->server_version &&
              out->server_major > 0 && out->n_bytes > 0 && has_all_tables(out);
    return is_good ? OK : fail(op, ERR_INVALID, "the manifest of the backup is damaged");
}

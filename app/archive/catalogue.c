/* Catalogues on their way into the store and out of it. The database makes and loads their text
 * (sql/migrations/0064_catalogue.sql): a line is a JSON object, the first says format, tenant and
 * time. A key ends with the SHA-256 of the bytes under it. */
#include "archive/catalogue.h"

#include "archive/parts.h"
#include "base/clock.h"
#include "base/json.h"
#include "gen/queries.h"

#include <stdio.h>

#define PAGE_TENANTS 100
#define SLUG_SIZE 64     /* core.tenant's limit, with the NUL */
#define HEAD_DEPTH 4     /* of the first line's JSON, with room */
#define KEY_SUM_CHARS 64 /* SHA-256 in hexadecimal, before the ending */

/* ---- reading ---- */

static enum err add(void *context, struct op *op, struct str bytes)
{
    struct buf *text = context;

    buf_add_str(text, bytes);
    return text->is_broken ? fail_memory(op) : OK;
}

static enum err load(struct archive *archive, const char *key, struct str *out)
{
    struct op *op = &archive->file;
    struct store_object object;
    struct buf text;
    enum err err = store_head(archive->store, op, key, &object);

    if (err != OK) {
        return err;
    }
    if (object.size > CATALOGUE_MAX_BYTES) {
        return fail(op, ERR_INVALID, "%s is too large for a catalogue", key);
    }
    buf_init(&text, op->arena, CATALOGUE_MAX_BYTES + 1);
    if (buf_reserve(&text, (size_t)object.size + 1) == NULL) {
        return fail_memory(op);
    }
    err = store_get(archive->store, op, key, STORE_WHOLE, add, &text);
    buf_add_char(&text, '\0');
    if (err == OK && text.is_broken) {
        err = fail_memory(op);
    }
    *out = (struct str){ text.data, text.is_broken ? 0 : text.len - 1 };
    return err;
}

/* Whether the key's sum is that of the bytes. */
static bool is_whole(const char *key, struct str bytes)
{
    size_t tail = KEY_SUM_CHARS + strlen(CATALOGUE_ENDING);
    size_t len = strlen(key);
    uint8_t wanted[CRYPTO_HASH_BYTES], found[CRYPTO_HASH_BYTES];

    if (len < tail ||
        !crypto_hex_decode((struct str){ key + len - tail, KEY_SUM_CHARS }, wanted,
                           sizeof wanted)) {
        return false;
    }
    crypto_sha256(bytes, found);
    return memcmp(wanted, found, sizeof wanted) == 0;
}

/* The format that a catalogue's first line tells; 0: it does not. */
static int format_of(struct op *op, struct str text)
{
    const char *end = memchr(text.ptr, '\n', text.len);
    struct str name;
    struct json_reader json;
    double format = 0;

    json_reader_init(&json, (struct str){ text.ptr, end ? (size_t)(end - text.ptr) : text.len },
                     op->arena, HEAD_DEPTH);
    if (!json_enter_object(&json) || !json_next_member(&json, &name) ||
        !str_equal(name, STR("catalogue")) || !json_enter_object(&json)) {
        return 0;
    }
    while (json_next_member(&json, &name)) {
        if (!str_equal(name, STR("format"))) {
            (void)json_skip(&json, NULL);
        } else if (!json_read_number(&json, &format, NULL)) {
            return 0;
        }
    }
    return format >= 1 && format < 1e6 ? (int)format : 0;
}

static enum err judge(struct archive *archive, const char *key, struct str text)
{
    struct op *op = &archive->file;

    if (!is_whole(key, text)) {
        return fail(op, ERR_INVALID, "%s is damaged: its SHA-256 is not that of its name", key);
    }
    int format = text.len > 0 ? format_of(op, text) : 0;
    if (format > CATALOGUE_FORMAT) {
        return fail(op, ERR_CONFLICT,
                    "%s is of format %d, this tidemark knows %d: take the tidemark that made it "
                    "or a later one",
                    key, format, CATALOGUE_FORMAT);
    }
    return format > 0 ? OK : fail(op, ERR_INVALID, "%s is no catalogue", key);
}

enum err catalogue_read(struct archive *archive, const char *key, struct str *out)
{
    arena_reset(archive->files);
    enum err err = load(archive, key, out);

    return archive_fail(archive, err == OK ? judge(archive, key, *out) : err);
}

/* ---- writing ---- */

/* Runs one statement in a transaction of its own, in the memory of rows. */
static enum err ask(struct archive *archive, int32_t tenant_id, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    struct db_tx *tx;
    enum err err = db_begin(&archive->rows, archive->conn, DB_WRITE, tenant_id, &tx);

    if (err != OK) {
        return err;
    }
    err = db_run(tx, query, args, out);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

/* Notes the key before there is anything of it, so that it is swept should this come to nothing. */
static enum err intend(struct archive *archive, struct str key)
{
    struct db_args args;

    db_args_init(&args, archive->batches);
    db_arg_str_array(&args, &key, 1);
    return ask(archive, 0, &q_archive_intend, &args, NULL);
}

static enum err put(struct archive *archive, const char *key, struct str document)
{
    struct str back;

    arena_reset(archive->files);
    if (document.len > CATALOGUE_MAX_BYTES) {
        return fail(&archive->file, ERR_TOO_LARGE, "%s: a catalogue of %zu bytes is too large", key,
                    document.len);
    }
    enum err err = store_put_bytes(archive->store, &archive->file, key, document, NULL);
    return err ? err : catalogue_read(archive, key, &back);
}

/* Notes the catalogue and writes it, in one transaction: nobody sweeps it meanwhile, and where this
 * comes to nothing it stays garbage. */
static enum err note_and_put(struct archive *archive, int32_t tenant_id, const struct db_rows *made)
{
    const char *key = db_text(made, 0, CATALOGUE_MAKE_OBJECT);
    struct str digest = db_str(made, 0, CATALOGUE_MAKE_DIGEST);
    struct db_args args;
    struct db_tx *tx;
    enum err err = db_begin(&archive->rows, archive->conn, DB_WRITE, tenant_id, &tx);

    if (err != OK) {
        return err;
    }
    db_args_init(&args, archive->batches);
    db_arg_text(&args, key);
    db_arg_bytes(&args, digest.ptr, digest.len);
    err = db_run(tx, &q_catalogue_note, &args, NULL);
    err = err ? err : put(archive, key, db_str(made, 0, CATALOGUE_MAKE_DOCUMENT));
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

/* What there is of a tenant, unless the newest catalogue says it. */
static enum err write_one(struct archive *archive, int32_t tenant_id)
{
    struct db_rows *made;

    arena_reset(archive->batches);
    enum err err = ask(archive, tenant_id, &q_catalogue_make, NULL, &made);
    if (err != OK || db_is_null(made, 0, CATALOGUE_MAKE_OBJECT)) {
        return err;
    }
    err = intend(archive, str_of(db_text(made, 0, CATALOGUE_MAKE_OBJECT)));
    return err ? err : note_and_put(archive, tenant_id, made);
}

/* The page after that tenant; the one before is released. */
static enum err load_page(struct archive *archive, const char *after, struct db_rows **out)
{
    struct db_args args;
    struct db_tx *tx;

    arena_reset(archive->tenants);
    db_args_init(&args, archive->tenants);
    db_arg_text(&args, after[0] != '\0' ? after : NULL);
    db_arg_int(&args, PAGE_TENANTS);
    enum err err = db_begin(&archive->list, archive->conn, DB_READ, 0, &tx);
    if (err != OK) {
        return archive_fail(archive, err);
    }
    err = db_run(tx, &q_catalogue_tenants, &args, out);
    if (err != OK) {
        db_rollback(tx);
        return archive_fail(archive, err);
    }
    return archive_fail(archive, db_commit(tx));
}

enum err catalogues_write(struct archive *archive, struct archive_run *run, bool *is_stopped)
{
    struct db_rows *page = NULL;
    char after[SLUG_SIZE] = "";
    enum err err;
    int n;

    *is_stopped = false;
    do {
        err = load_page(archive, after, &page);
        n = err == OK ? db_count(page) : 0;
        for (int i = 0; i < n && !*is_stopped; i++) {
            int64_t started_us = clock_monotonic_us();
            int32_t tenant_id = db_int(page, i, CATALOGUE_TENANTS_TENANT_ID);
            if (archive_fail(archive, write_one(archive, tenant_id)) != OK) {
                op_log_fault(archive->op);
                op_clear_fault(archive->op);
                run->n_failed++;
            }
            *is_stopped = run->goes_on != NULL &&
                         !run->goes_on(run->context, clock_monotonic_us() - started_us);
        }
        if (n > 0) {
            snprintf(after, sizeof after, "%s", db_text(page, n - 1, CATALOGUE_TENANTS_SLUG));
        }
    } while (n == PAGE_TENANTS && !*is_stopped);
    return err;
}

/* Catalogues on their way into the store. The database makes their lines, some MiB at a time, so
 * that one may be of any size. */
#include "archive/catalogue.h"

#include "archive/parts.h"
#include "archive/write.h"
#include "base/clock.h"
#include "gen/queries.h"

#include <stdio.h>

#define PAGE_TENANTS 100
#define SLUG_SIZE 64     /* core.tenant's limit, with the NUL */

/* Runs one statement in a transaction of its own, in the memory of rows. */
static enum err ask(struct archive *archive, int32_t tenant_id, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    return db_run_committed(&archive->rows, archive->conn, tenant_id, query, args, out);
}

/* Notes the key before there is anything of it, so that it is swept should this come to nothing. */
static enum err intend(struct archive *archive, struct str key)
{
    struct db_args args;

    db_args_init(&args, archive->batches);
    db_arg_str_array(&args, &key, 1);
    return ask(archive, 0, &q_archive_intend, &args, NULL);
}

/* A catalogue on its way; texts are in the archive's memory of days. */
struct writing {
    struct archive *archive;
    struct db_tx *tx;
    const char *key, *head;
    struct store_put *put;
    struct sha256 sha;  /* of what was put */
    struct sha256 said; /* of the SHA-256 of each line, as ops.catalogue_make has it */
};

static enum err put(struct writing *writing, struct str lines)
{
    sha256_add(&writing->sha, lines);
    return store_put_write(writing->put, &writing->archive->file, lines);
}

/* Adds lines to what the catalogue says, where each can be read back. */
static enum err add_said(struct writing *writing, struct str lines)
{
    uint8_t digest[CRYPTO_HASH_BYTES];

    for (const char *end; (end = memchr(lines.ptr, '\n', lines.len)) != NULL;) {
        size_t len = (size_t)(end - lines.ptr);
        if (len >= (size_t)CATALOGUE_LINE_MIB << 20) {
            return fail(&writing->archive->file, ERR_INVALID,
                        "%s would have a line longer than %d MiB: %.60s…", writing->key,
                        CATALOGUE_LINE_MIB, lines.ptr);
        }
        crypto_sha256((struct str){ lines.ptr, len }, digest);
        sha256_add(&writing->said, (struct str){ (const char *)digest, sizeof digest });
        lines = (struct str){ end + 1, lines.len - len - 1 };
    }
    return OK;
}

static enum err put_lines(struct writing *writing)
{
    struct archive *archive = writing->archive;
    bool is_first = true, is_last = false;
    struct db_args args;
    struct db_rows *rows;
    enum err err = OK;

    while (err == OK && !is_last) {
        arena_reset(archive->batches);
        db_args_init(&args, archive->batches);
        db_arg_bool(&args, is_first);
        err = db_run(writing->tx, &q_catalogue_fetch, &args, &rows);
        is_last = err == OK && db_is_null(rows, 0, CATALOGUE_FETCH_LINES);
        if (err == OK && !is_last) {
            struct str lines = db_str(rows, 0, CATALOGUE_FETCH_LINES);
            err = add_said(writing, lines);
            err = err ? err : put(writing, lines);
        }
        is_first = false;
    }
    return err;
}

static enum err put_all(struct writing *writing)
{
    struct archive *archive = writing->archive;
    uint8_t digest[CRYPTO_HASH_BYTES];
    char sum[CRYPTO_HEX_SIZE], last[sizeof sum + 64];

    enum err err = put(writing, str_of(writing->head));
    err = err ? err : put(writing, STR("\n"));
    err = err ? err : put_lines(writing);
    if (err != OK) {
        return err;
    }
    if (!sha256_end(&writing->sha, digest)) {
        return fail_memory(&archive->file);
    }
    crypto_hex(digest, sizeof digest, sum);
    snprintf(last, sizeof last, CATALOGUE_END "{\"sha256\": \"%s\"}}\n", sum);
    return store_put_write(writing->put, &archive->file, str_of(last));
}

/* Notes what was put, before anybody can see it: from then on nobody sweeps it. */
static enum err note(struct writing *writing)
{
    struct archive *archive = writing->archive;
    uint8_t digest[CRYPTO_HASH_BYTES];
    struct db_args args;

    if (!sha256_end(&writing->said, digest)) {
        return fail_memory(&archive->file);
    }
    arena_reset(archive->batches);
    db_args_init(&args, archive->batches);
    db_arg_text(&args, writing->key);
    db_arg_bytes(&args, digest, sizeof digest);
    return db_run(writing->tx, &q_catalogue_note, &args, NULL);
}

static enum err put_object(struct writing *writing)
{
    struct archive *archive = writing->archive;
    struct store_written written;
    enum err err = OK;

    arena_reset(archive->files);
    if (!sha256_open(&writing->sha) || !sha256_open(&writing->said)) {
        err = fail_memory(&archive->file);
    }
    err = err ? err : store_put_begin(archive->store, &archive->file, writing->key, &writing->put);
    if (err == OK) {
        err = put_all(writing);
        err = err ? err : note(writing);
        if (err == OK) {
            err = store_put_finish(writing->put, &archive->file, &written);
        } else {
            store_put_abort(writing->put);
        }
    }
    sha256_close(&writing->sha);
    sha256_close(&writing->said);
    return err ? err : catalogue_read(archive, writing->key, NULL, NULL);
}

/* Writes the catalogue and notes it, in one transaction: where this comes to nothing it stays
 * garbage. */
static enum err put_and_note(struct writing *writing, int32_t tenant_id)
{
    struct archive *archive = writing->archive;
    enum err err = db_begin(&archive->rows, archive->conn, DB_WRITE, tenant_id, &writing->tx);

    if (err != OK) {
        return err;
    }
    return db_end(writing->tx, put_object(writing));
}

/* What there is of a tenant, unless the newest catalogue says it. */
static enum err write_one(struct archive *archive, int32_t tenant_id)
{
    struct writing writing = { .archive = archive };
    struct db_rows *made;

    arena_reset(archive->batches);
    arena_reset(archive->days);
    enum err err = ask(archive, tenant_id, &q_catalogue_make, NULL, &made);
    if (err != OK || db_is_null(made, 0, CATALOGUE_MAKE_OBJECT)) {
        return err;
    }
    writing.key = arena_copy(archive->days, db_str(made, 0, CATALOGUE_MAKE_OBJECT));
    writing.head = arena_copy(archive->days, db_str(made, 0, CATALOGUE_MAKE_HEAD));
    if (writing.key == NULL || writing.head == NULL) {
        return fail_memory(&archive->rows);
    }
    err = intend(archive, str_of(writing.key));
    return err ? err : put_and_note(&writing, tenant_id);
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
    return archive_fail(archive, db_end(tx, db_run(tx, &q_catalogue_tenants, &args, out)));
}

enum err catalogues_write(struct archive *archive, struct archive_run *run, bool *is_stopped)
{
    struct db_rows *page = NULL;
    char after[SLUG_SIZE] = "";
    enum err err = OK;
    int n;

    *is_stopped = false;
    do {
        err = load_page(archive, after, &page);
        n = err == OK ? db_count(page) : 0;
        for (int i = 0; i < n && !*is_stopped; i++) {
            int64_t started_us = clock_monotonic_us();
            int32_t tenant_id = db_int(page, i, CATALOGUE_TENANTS_TENANT_ID);
            const struct archive_task task = {
                tenant_id, db_text(page, i, CATALOGUE_TENANTS_SLUG), "catalogue", NULL
            };
            if (archive_fail(archive, write_one(archive, tenant_id)) != OK) {
                archive_run_failed(archive, run, &task, NULL);
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

/* Making a backup: rows are counted, summed and dumped as of one moment, pg_dump's output goes to
 * the store as it comes, and the manifest follows when all of it is there. */
#include "backup/backup.h"

#include "backup/manifest.h"
#include "backup/program.h"
#include "backup/tables.h"
#include "base/clock.h"
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"
#include "gen/version.h"

#include <poll.h>

#define PIECE_BYTES (256u << 10)
#define WAIT_MS 10000 /* well below what a transaction may be idle for */

struct making {
    struct backups *backups;
    struct op *op;
    const char *url;
    struct db_conn *conn;
    struct db_tx *tx; /* holds the snapshot until pg_dump has it, NULL then */
    const char *snapshot;
    struct backup *backup;
};

/* ---- the moment ---- */

static enum err copy_text(struct op *op, const struct db_rows *rows, int column, const char **out)
{
    const char *text = db_text(rows, 0, column);

    *out = text ? arena_copy(op->arena, str_of(text)) : NULL;
    return text && !*out ? fail_memory(op) : OK;
}

static enum err look(struct making *making)
{
    struct op *op = making->op;
    struct backup *backup = making->backup;
    struct db_rows *rows;
    enum err err = db_run(making->tx, &q_backup_begin, NULL, &rows);

    if (err != OK) {
        return err;
    }
    backup->made_us = clock_now_us();
    backup->program = TIDEMARK_VERSION;
    backup->schema = db_int(rows, 0, BACKUP_BEGIN_SCHEMA_VERSION);
    backup->server_major = db_int(rows, 0, BACKUP_BEGIN_SERVER_MAJOR);
    if (backup->schema == 0) {
        return fail(op, ERR_CONFLICT, "the database has no schema of ours yet");
    }
    err = copy_text(op, rows, BACKUP_BEGIN_SNAPSHOT, &making->snapshot);
    err = err ? err : copy_text(op, rows, BACKUP_BEGIN_ENGINE, &backup->engine);
    err = err ? err : copy_text(op, rows, BACKUP_BEGIN_EXTENSION, &backup->extension);
    err = err ? err : copy_text(op, rows, BACKUP_BEGIN_INSTALLATION, &backup->installation);
    return err ? err : copy_text(op, rows, BACKUP_BEGIN_SERVER_VERSION, &backup->server_version);
}

static enum err count_rows(struct making *making)
{
    struct tables tables;
    enum err err = tables_read(making->tx, &tables);

    if (err == OK) {
        making->backup->tables = tables.list;
        making->backup->n_tables = tables.n;
    }
    return err;
}

static enum err hold_moment(struct making *making)
{
    enum err err = db_role_url(making->op, making->backups->config, DB_ROLE_BACKUP, &making->url);

    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = making->url, .name = "tidemark backup" };
    making->conn = db_conn_new(&options);
    if (!making->conn) {
        return fail_memory(making->op);
    }
    if (db_run_alone(making->op, making->conn, &q_backup_hold, NULL)) {
        op_clear_fault(making->op); /* the schema has not come to it: it is to be migrated */
    }
    err = db_begin(making->op, making->conn, DB_READ, 0, &making->tx);
    err = err ? err : look(making);
    return err ? err : count_rows(making);
}

static void let_go(struct making *making)
{
    db_rollback(making->tx);
    making->tx = NULL;
    db_conn_close(making->conn);
    making->conn = NULL;
}

/* ---- the dump ---- */

/* Waits for output; meanwhile the transaction with the snapshot is kept from being idle. */
static enum err await_output(struct making *making, const struct program *dump)
{
    struct pollfd ready = { .fd = dump->fd, .events = POLLIN };

    for (;;) {
        int n = poll(&ready, 1, WAIT_MS);
        if (n > 0) {
            return OK;
        }
        if (n < 0 && errno != EINTR) {
            return fail(making->op, ERR_INTERNAL, "cannot wait for pg_dump: %s", strerror(errno));
        }
        enum err err = making->tx ? db_run(making->tx, &q_backup_wait, NULL, NULL) : OK;
        if (err != OK) {
            return err;
        }
    }
}

static enum err pass_on(struct making *making, const struct program *dump, struct store_put *put)
{
    struct op *op = making->op;
    char *piece = arena_alloc(op->arena, PIECE_BYTES);
    ssize_t n = 1;
    enum err err = piece ? OK : fail_memory(op);

    while (err == OK && n != 0) {
        err = await_output(making, dump);
        n = err == OK ? read(dump->fd, piece, PIECE_BYTES) : 0;
        if (n < 0 && errno != EINTR) {
            return fail(op, ERR_INTERNAL, "cannot read from pg_dump: %s", strerror(errno));
        }
        if (n > 0) {
            let_go(making); /* pg_dump writes when it has read the catalog: it has the snapshot */
            err = store_put_write(put, op, (struct str){ piece, (size_t)n });
        }
    }
    return err;
}

static enum err start_dump(struct making *making, struct program *dump)
{
    const char *snapshot = arena_printf(making->op->arena, "--snapshot=%s", making->snapshot);
    const char *args[] = { "--format=custom", "--no-password", snapshot, NULL };
    const char **environment;
    enum err err = snapshot ? db_url_environment(making->op, making->url, &environment)
                            : fail_memory(making->op);

    if (err != OK) {
        return err;
    }
    const struct program_call call = { .name = "pg_dump",
                                       .major = making->backup->server_major,
                                       .args = args,
                                       .environment = environment,
                                       .pipe = PROGRAM_OUTPUT };
    return program_start(making->op, &call, dump);
}

static enum err run_dump(struct making *making, struct store_put *put)
{
    struct program dump;
    enum err err = start_dump(making, &dump);

    if (err != OK) {
        return err;
    }
    err = pass_on(making, &dump, put);
    if (err != OK) {
        program_kill(&dump);
        return err;
    }
    return program_end(&dump, making->op);
}

static enum err store_dump(struct making *making, const char *key)
{
    struct op *op = making->op;
    struct store_written written;
    struct store_put *put;
    enum err err = store_put_begin(making->backups->store, op, key, &put);

    if (err != OK) {
        return err;
    }
    err = run_dump(making, put);
    if (err != OK) {
        store_put_abort(put);
        return err;
    }
    err = store_put_finish(put, op, &written);
    if (err == OK) {
        making->backup->n_bytes = written.size;
        memcpy(making->backup->sha256, written.sha256, sizeof written.sha256);
    }
    return err;
}

/* ---- the whole ---- */

static const char *make_name(struct op *op, int64_t now_us)
{
    struct clock_fields at = clock_split(now_us);
    uint8_t random[4];
    char id[2 * sizeof random + 1];

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, id);
    return arena_printf(op->arena, "%04d%02d%02dT%02d%02d%02dZ-%s", at.year, at.month, at.day,
                        at.hour, at.minute, at.second, id);
}

static enum err store_all(struct making *making)
{
    struct op *op = making->op;
    struct backups *backups = making->backups;
    struct backup *backup = making->backup;

    backup->name = make_name(op, backup->made_us);
    const char *dump = backup->name ? backup_key(backups, backup->name, ".dump") : NULL;
    const char *manifest = backup->name ? backup_key(backups, backup->name, ".json") : NULL;
    if (!dump || !manifest) {
        return fail_memory(op);
    }
    enum err err = store_dump(making, dump);
    if (err != OK) {
        return err;
    }
    struct str text = manifest_write(op->arena, backup);
    err = text.ptr ? store_put_bytes(backups->store, op, manifest, text, NULL) : fail_memory(op);
    if (err != OK) {
        struct fault first = op->fault;
        (void)!store_delete(backups->store, op, dump);
        op->fault = first;
    }
    return err;
}

enum err backup_make(struct backups *backups, struct backup *out)
{
    struct making making = { .backups = backups, .op = backups->op, .backup = out };

    *out = (struct backup){ .name = NULL };
    enum err err = hold_moment(&making);
    err = err ? err : store_all(&making);
    let_go(&making);
    return err;
}

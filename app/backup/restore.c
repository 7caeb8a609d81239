/* Restoring: the backup is judged, a new database made, filled by pg_restore and compared, and then
 * given the name of the old one. */
#include "backup/restore.h"

#include "backup/database.h"
#include "backup/program.h"
#include "backup/tables.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "db/conn.h"
#include "db/migrate.h"
#include "db/url.h"
#include "gen/migrations.h"
#include "gen/queries.h"

#include <stdarg.h>

#define WAIT_MS 100   /* between two looks at pg_restore */
#define SWAP_TRIES 10 /* while sessions come again as fast as they are ended */
#define OBJECT_IN_USE "55006"

struct restoring {
    struct backups *backups;
    const struct restore_wish *wish;
    struct op *op;
    struct backup backup;
    struct database_server server;        /* its URL is of the database in use */
    const char *live, *collation, *ctype; /* that one's name, and what it sorts by */
    const char *fresh, *fresh_url, *kept; /* the new one; what the old one will be called */
    bool is_made;                         /* the new one is there */
    bool is_empty;                        /* the one in use has nobody's data */
    struct restore_told told;
};

__attribute__((format(printf, 2, 3))) static void say(const struct restoring *restoring,
                                                      const char *format, ...)
{
    FILE *progress = restoring->wish->progress;
    va_list args;

    if (progress) {
        va_start(args, format);
        vfprintf(progress, format, args);
        va_end(args);
        fputc('\n', progress);
        (void)fflush(progress);
    }
}

/* ---- judging ---- */

static enum err copy_text(struct op *op, const struct db_rows *rows, int column, const char **out)
{
    *out = arena_copy(op->arena, db_str(rows, 0, column));
    return *out ? OK : fail_memory(op);
}

static enum err judge_backup(struct restoring *restoring)
{
    const struct backup *backup = &restoring->backup;
    struct op *op = restoring->op;
    int known = db_migrations[db_migrations_count - 1].version;
    enum err err = backup_read(restoring->backups, restoring->wish->name, &restoring->backup);

    if (err != OK) {
        return err;
    }
    restoring->told.name = backup->name;
    restoring->told.made_us = backup->made_us;
    if (backup->schema > known) {
        return fail(op, ERR_CONFLICT,
                    "the backup's schema is at version %d, this tidemark knows "
                    "%d: restore it with the tidemark that made it (%s) or a later one",
                    backup->schema, known, backup->program);
    }
    return OK;
}

/* The newest backup is one of the installation in whose place it comes. */
static enum err choose_backup(struct restoring *restoring)
{
    struct db_rows *rows;
    const char *own = NULL;
    enum err err = database_ask(restoring->backups, restoring->server.url, &q_restore_whose, NULL,
                                &rows);

    if (err == OK && !db_is_null(rows, 0, RESTORE_WHOSE_INSTALLATION)) {
        err = copy_text(restoring->op, rows, RESTORE_WHOSE_INSTALLATION, &own);
    }
    return err ? err : backup_choose(restoring->backups, own, !restoring->is_empty);
}

static enum err verify_backup(const struct restoring *restoring)
{
    const struct backup *backup = &restoring->backup;

    say(restoring, "reading %s whole (%lld bytes)", backup->name, (long long)backup->n_bytes);
    return backup_verify(restoring->backups, backup);
}

static enum err judge_sessions(struct restoring *restoring)
{
    struct op *op = restoring->op;
    struct db_args args;
    struct db_rows *rows;

    if (restoring->wish->is_forced || restoring->wish->is_trial) {
        return OK;
    }
    db_args_init(&args, op->arena);
    db_arg_text(&args, restoring->live);
    enum err err = database_ask(restoring->backups, restoring->server.url, &q_restore_sessions,
                                &args, &rows);
    if (err != OK || db_int64(rows, 0, RESTORE_SESSIONS_N) == 0) {
        return err;
    }
    return fail(op, ERR_CONFLICT,
                "the database %s is in use by %s: stop the application and the "
                "worker, or end their sessions with --force",
                restoring->live, db_text(rows, 0, RESTORE_SESSIONS_NAMES));
}

static enum err judge_target(struct restoring *restoring)
{
    struct op *op = restoring->op;
    bool is_bold = restoring->wish->is_forced || restoring->wish->is_trial;
    struct db_rows *rows;
    enum err err = database_ask(restoring->backups, restoring->server.url, &q_restore_target, NULL,
                                &rows);

    if (err != OK) {
        return err;
    }
    if (!db_bool(rows, 0, RESTORE_TARGET_IS_SUPER)) {
        return fail(op, ERR_FORBIDDEN, "DATABASE_URL must log in as a superuser for a restore");
    }
    restoring->server.major = db_int(rows, 0, RESTORE_TARGET_SERVER_MAJOR);
    int64_t n_own = db_int64(rows, 0, RESTORE_TARGET_N_OWN);
    int64_t n_foreign = db_int64(rows, 0, RESTORE_TARGET_N_FOREIGN);
    restoring->is_empty = n_own + n_foreign == 0;
    err = copy_text(op, rows, RESTORE_TARGET_DATABASE, &restoring->live);
    err = err ? err : copy_text(op, rows, RESTORE_TARGET_COLLATION, &restoring->collation);
    err = err ? err : copy_text(op, rows, RESTORE_TARGET_CTYPE, &restoring->ctype);
    if (err == OK && !is_bold && n_own + n_foreign > 0) {
        return fail(op, ERR_CONFLICT,
                    "the database %s is not empty (%lld tenants and persons, "
                    "%lld tables of others): --force puts the backup into its place, and keeps it "
                    "under another name",
                    restoring->live, (long long)n_own, (long long)n_foreign);
    }
    return err ? err : judge_sessions(restoring);
}

/* ---- the new database ---- */

static enum err make_names(struct restoring *restoring)
{
    struct op *op = restoring->op;
    struct clock_fields at = clock_split(clock_now_us());
    uint8_t random[4];
    char id[2 * sizeof random + 1];

    const char *prefix;
    enum err err = database_trial_prefix(op, restoring->live, &prefix);

    if (err != OK) {
        return err;
    }
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, id);
    restoring->fresh = restoring->wish->is_trial
                           ? arena_printf(op->arena, "%s%s", prefix, id)
                           : arena_printf(op->arena, "%.*s_restore_%s", DATABASE_NAME_ROOM,
                                          restoring->live, id);
    restoring->kept = arena_printf(op->arena, "%.*s_before_%04d%02d%02dt%02d%02d%02d",
                                   DATABASE_NAME_ROOM, restoring->live, at.year, at.month, at.day,
                                   at.hour, at.minute, at.second);
    if (!restoring->fresh || !restoring->kept) {
        return fail_memory(op);
    }
    return db_url_with_database(op, restoring->server.url, restoring->fresh, &restoring->fresh_url);
}

static enum err make_database(struct restoring *restoring)
{
    struct op *op = restoring->op;
    enum err err = make_names(restoring);

    if (err != OK) {
        return err;
    }
    say(restoring, "making the database %s", restoring->fresh);
    err = database_make(op, &restoring->server, restoring->fresh, restoring->collation,
                        restoring->ctype,
                        restoring->wish->is_trial ? DATABASE_TRIAL_COMMENT : NULL);
    restoring->is_made = err == OK;
    return err ? err : db_bootstrap(op, restoring->fresh_url);
}

/* Drops the new database unless it is in use by now. The failure before it, or its own. A trial
 * that is told to stop leaves it to the next one: dropping takes its time. */
static enum err drop_database(struct restoring *restoring)
{
    struct op *op = restoring->op;
    struct fault first = op->fault;

    if (restoring->wish->is_trial && first.code != OK &&
        backups_go_on(restoring->backups, op) != OK) {
        op->fault = first;
        return first.code;
    }

    op_clear_fault(op);
    enum err err =
        restoring->is_made ? database_drop(op, &restoring->server, restoring->fresh) : OK;

    if (err != OK) {
        say(restoring, "the database %s is left: drop it", restoring->fresh);
    }
    if (first.code != OK) {
        op->fault = first;
    }
    return first.code != OK ? first.code : err;
}

/* What TimescaleDB's catalog holds fits the version that wrote it, and no other. */
static enum err judge_extension(struct restoring *restoring)
{
    struct op *op = restoring->op;
    const char *wanted = restoring->backup.extension;
    struct db_rows *rows;
    enum err err = database_ask(restoring->backups, restoring->fresh_url, &q_restore_extension,
                                NULL, &rows);

    if (err != OK || !wanted) {
        return err;
    }
    const char *found = db_text(rows, 0, RESTORE_EXTENSION_VERSION);
    return found && strcmp(found, wanted) == 0
               ? OK
               : fail(op, ERR_CONFLICT, "the backup is of TimescaleDB %s, and this server makes %s",
                      wanted, found ? found : "databases without");
}

/* ---- filling it ---- */

struct feeding {
    const struct backups *backups;
    struct sha256 sha;
    int fd;
    bool is_refused; /* pg_restore has ended */
};

static enum err feed(void *context, struct op *op, struct str bytes)
{
    struct feeding *feeding = context;

    sha256_add(&feeding->sha, bytes);
    while (bytes.len > 0) {
        ssize_t n = write(feeding->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            feeding->is_refused = true;
            return fail(op, ERR_INTERNAL, "pg_restore takes no more: %s", strerror(errno));
        }
        if (n > 0) {
            bytes.ptr += n;
            bytes.len -= (size_t)n;
        }
    }
    return backups_go_on(feeding->backups, op);
}

/* Gives pg_restore all the time it needs, unless it is not to go on. */
static enum err await_end(struct restoring *restoring, struct program *program)
{
    enum err err = OK;

    while (err == OK && !program_wait(program, WAIT_MS)) {
        err = backups_go_on(restoring->backups, restoring->op);
    }
    if (err != OK) {
        program_kill(program);
        return err;
    }
    return program_end(program, restoring->op);
}

/* Hands the dump to pg_restore. Where that ends early, why is in its words. */
static enum err feed_all(struct restoring *restoring, struct program *program)
{
    struct op *op = restoring->op;
    struct feeding feeding = { .backups = restoring->backups, .fd = program->fd };
    uint8_t digest[CRYPTO_HASH_BYTES];
    const char *key = backup_key(restoring->backups, restoring->backup.name, ".dump");

    if (!key || !sha256_open(&feeding.sha)) {
        program_kill(program);
        return fail_memory(op);
    }
    enum err err = store_get(restoring->backups->store, op, key, STORE_WHOLE, feed, &feeding);
    bool is_whole = sha256_end(&feeding.sha, digest) &&
                    memcmp(digest, restoring->backup.sha256, sizeof digest) == 0;
    sha256_close(&feeding.sha);
    if (err != OK && !feeding.is_refused) {
        program_kill(program);
        return err;
    }
    op_clear_fault(op);
    err = await_end(restoring, program);
    if (err == OK && (feeding.is_refused || !is_whole)) {
        err = fail(op, ERR_INVALID, "the dump was changed while it was read");
    }
    return err;
}

static enum err fill_database(struct restoring *restoring)
{
    struct op *op = restoring->op;
    const char *target = arena_printf(op->arena, "--dbname=%s", restoring->fresh);
    const char *args[] = { "--exit-on-error", "--no-password", target, NULL };
    const char **environment;
    struct program program;
    enum err err = target ? db_url_environment(op, restoring->server.url, &environment)
                          : fail_memory(op);

    if (err != OK) {
        return err;
    }
    const struct program_call call = { .name = "pg_restore",
                                       .major = restoring->server.major,
                                       .args = args,
                                       .environment = environment,
                                       .pipe = PROGRAM_INPUT };
    say(restoring, "restoring");
    err = database_ask(restoring->backups, restoring->fresh_url, &q_restore_pre, NULL, NULL);
    err = err ? err : program_start(op, &call, &program);
    err = err ? err : feed_all(restoring, &program);
    return err ? err
               : database_ask(restoring->backups, restoring->fresh_url, &q_restore_post, NULL,
                              NULL);
}

/* ---- comparing ---- */

static enum err read_fresh(struct restoring *restoring, struct tables *out)
{
    struct db_options options = { .url = restoring->fresh_url, .name = "tidemark restore" };
    struct db_conn *conn = db_conn_new(&options);
    struct db_tx *tx;

    if (!conn) {
        return fail_memory(restoring->op);
    }
    backups_wait_for(restoring->backups, conn);
    enum err err = db_begin(restoring->op, conn, DB_READ, 0, &tx);
    if (err == OK) {
        err = tables_read(tx, out);
        db_rollback(tx);
    }
    backups_wait_for(restoring->backups, NULL);
    db_conn_close(conn);
    return err;
}

static enum err compare(struct restoring *restoring)
{
    const struct backup *backup = &restoring->backup;
    struct tables tables;
    bool has_sums;
    enum err err = read_fresh(restoring, &tables);

    err = err ? err
              : tables_compare(restoring->op, backup, &tables, restoring->server.major, &has_sums);
    if (err == OK) {
        restoring->told.n_rows = tables.n_rows;
        say(restoring, "%d tables have the backup's %lld rows%s", backup->n_tables,
            (long long)tables.n_rows, has_sums ? " and checksums" : "");
    }
    return err;
}

/* Roles' passwords, which are the whole server's, later migrations, and what is of the server that
 * the backup was made on. */
static enum err complete(struct restoring *restoring)
{
    struct config config = *restoring->backups->config;
    const char *url = restoring->fresh_url;

    config.database_url = url;
    enum err err = db_migrate(restoring->op, &config, restoring->wish->progress);
    err = err ? err : database_ask(restoring->backups, url, &q_restore_renumber, NULL, NULL);
    err = err ? err : database_ask(restoring->backups, url, &q_restore_catalogues, NULL, NULL);
    err = err ? err : database_ask(restoring->backups, url, &q_restore_given_up, NULL, NULL);
    return err ? err : database_ask(restoring->backups, url, &q_restore_analyse, NULL, NULL);
}

/* ---- the names ---- */

static enum err try_swap(struct restoring *restoring, struct db_conn *conn, bool *is_in_use)
{
    struct op *op = restoring->op;
    struct db_args args;
    struct db_tx *tx;
    enum err err = db_begin(op, conn, DB_WRITE, 0, &tx);

    if (err != OK) {
        return err;
    }
    db_args_init(&args, op->arena);
    db_arg_text(&args, restoring->live);
    db_arg_text(&args, restoring->fresh);
    db_arg_text(&args, restoring->kept);
    db_arg_bool(&args, restoring->wish->is_forced);
    err = db_run(tx, &q_restore_swap_names, &args, NULL);
    err = err ? err : db_run(tx, &q_restore_swap, NULL, NULL);
    if (err != OK) {
        *is_in_use = strcmp(db_sqlstate(tx), OBJECT_IN_USE) == 0;
    }
    return db_end(tx, err);
}

static enum err swap_over(struct restoring *restoring, struct db_conn *conn)
{
    struct op *op = restoring->op;
    int n_tries = restoring->wish->is_forced ? SWAP_TRIES : 1;
    bool is_in_use = true;
    enum err err = OK;

    for (int i = 0; i < n_tries && is_in_use; i++) {
        op_clear_fault(op);
        is_in_use = false;
        err = try_swap(restoring, conn, &is_in_use);
    }
    if (err != OK && is_in_use) {
        op_clear_fault(op);
        return fail(op, ERR_CONFLICT,
                    "the database %s is in use again: stop the application and "
                    "the worker first",
                    restoring->live);
    }
    return err;
}

static enum err swap_names(struct restoring *restoring)
{
    struct op *op = restoring->op;
    const char *url;
    enum err err = db_url_with_database(op, restoring->server.url, "postgres", &url);

    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark restore" };
    struct db_conn *conn = db_conn_new(&options);
    if (!conn) {
        return fail_memory(op);
    }
    err = swap_over(restoring, conn);
    db_conn_close(conn);
    if (err != OK) {
        return err;
    }
    restoring->is_made = false; /* it is the one in use now */
    say(restoring, "%s is the backup now; what was there is called %s", restoring->live,
        restoring->kept);
    if (restoring->wish->is_forced) {
        say(restoring, "start the application and the worker anew if they run: what they hold in "
                       "memory is of the old database");
    }
    return database_ask(restoring->backups, restoring->server.url, &q_restore_workers, NULL, NULL);
}

enum err backup_restore(struct backups *backups, const struct restore_wish *wish,
                        struct restore_told *out)
{
    struct restoring restoring = { .backups = backups, .wish = wish, .op = backups->op };
    enum err err = db_super_url(backups->op, backups->config, &restoring.server.url);

    bool is_chosen = strcmp(wish->name, BACKUP_LATEST) != 0 || backups->installation;
    err = err || !is_chosen ? err : judge_backup(&restoring);
    err = err ? err : judge_target(&restoring);
    if (err == OK && !is_chosen) {
        err = choose_backup(&restoring);
        err = err ? err : judge_backup(&restoring);
    }
    err = err ? err : verify_backup(&restoring);
    err = err ? err : make_database(&restoring);
    err = err ? err : judge_extension(&restoring);
    err = err ? err : fill_database(&restoring);
    err = err ? err : compare(&restoring);
    if (err == OK && !wish->is_trial) {
        err = complete(&restoring);
        err = err ? err : swap_names(&restoring);
    }
    enum err dropped = drop_database(&restoring);
    *out = restoring.told;
    return err ? err : dropped;
}

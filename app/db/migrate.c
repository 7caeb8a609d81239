/* The migration runner. Answers for bringing a database from nothing, or from an earlier
 * version, to this binary's schema: one run at a time, one transaction a migration, each
 * recorded. What was applied is judged by migrate_history.c, passwords are migrate_roles.c's.
 * Called by `tidemark migrate` and, for the check alone, by readiness and start-up. */
#include "db/migrate.h"

#include "db/migrator.h"
#include "db/pq.h"
#include "db/private_url.h"

#include "base/clock.h"
#include "gen/migrations.h"
#include "gen/queries.h"

#include <stdarg.h>

/* The key of the runner's advisory lock: the letters "tidemark". */
#define MIGRATE_LOCK_KEY INT64_C(0x746964656d61726b)

void db_migrate_say(const struct migrator *migrator, const char *format, ...)
{
    if (!migrator->progress) {
        return;
    }
    va_list arguments;
    va_start(arguments, format);
    vfprintf(migrator->progress, format, arguments);
    va_end(arguments);
    fputc('\n', migrator->progress);
    fflush(migrator->progress);
}

/* ---- connecting ---- */

static enum err open_url(struct migrator *migrator, const char *url)
{
    struct db_options options = { .url = url, .name = "tidemark migrate" };
    migrator->conn = db_conn_new(&options);
    return migrator->conn ? db_conn_open(migrator->conn, migrator->op) : fail_memory(migrator->op);
}

/* Opens DATABASE_URL. The embedded cluster lets its OS user be the superuser or the owner: the
 * superuser is tried first, because only it can make the roles. */
static enum err open_owner(struct migrator *migrator)
{
    struct op *op = migrator->op;
    const struct db_login super = { .user = "tidemark_super" };
    const char *url;
    enum err err;
    if (!migrator->config->database_url) {
        struct fault earlier = op->fault;
        err = db_url_embedded(op, migrator->config->home, &super, &url);
        err = err ? err : open_url(migrator, url);
        if (!err) {
            return OK;
        }
        op->fault = earlier;
        db_conn_close(migrator->conn);
        migrator->conn = NULL;
    }
    err = db_role_url(op, migrator->config, DB_ROLE_OWNER, &url);
    return err ? err : open_url(migrator, url);
}

/* Runs one query in a transaction of its own. */
static enum err run_alone(struct migrator *migrator, const struct db_query *query,
                          const struct db_args *args, struct db_rows **out)
{
    return db_run_committed(migrator->op, migrator->conn, 0, query, args, out);
}

static enum err ask_server(struct migrator *migrator)
{
    struct db_rows *rows;
    enum err err = run_alone(migrator, &q_migrate_server, NULL, &rows);
    if (err) {
        return err;
    }
    migrator->is_super = db_bool(rows, 0, MIGRATE_SERVER_IS_SUPER);
    migrator->is_owner = db_bool(rows, 0, MIGRATE_SERVER_IS_OWNER);
    migrator->has_owner = db_bool(rows, 0, MIGRATE_SERVER_HAS_OWNER);
    migrator->has_history = db_bool(rows, 0, MIGRATE_SERVER_HAS_HISTORY);
    migrator->is_timescaledb = db_bool(rows, 0, MIGRATE_SERVER_IS_TIMESCALEDB);
    if (!migrator->is_super && !migrator->is_owner) {
        return fail(migrator->op, ERR_FORBIDDEN,
                    "DATABASE_URL must log in as a superuser or as tidemark_owner");
    }
    return OK;
}

/* Connects and learns who we are; migrator->conn is the caller's to close in any case. */
static enum err start(struct migrator *migrator)
{
    enum err err = open_owner(migrator);
    return err ? err : ask_server(migrator);
}

/* ---- the steps ---- */

/* Takes the runner's lock for the rest of the session, waiting for another run if need be. */
static enum err take_lock(struct migrator *migrator)
{
    struct db_args args;
    struct db_rows *rows;
    db_args_init(&args, migrator->op->arena);
    db_arg_int64(&args, MIGRATE_LOCK_KEY);
    enum err err = run_alone(migrator, &q_migrate_try_lock, &args, &rows);
    if (!err && !db_bool(rows, 0, MIGRATE_TRY_LOCK_IS_LOCKED)) {
        db_migrate_say(migrator, "waiting for another migration of this database");
        err = run_alone(migrator, &q_migrate_lock, &args, NULL);
    }
    migrator->conn->is_pinned = true; /* a new session would not hold the lock */
    return err;
}

static enum err run_bootstrap(struct migrator *migrator)
{
    struct db_tx *tx;
    enum err err = db_begin(migrator->op, migrator->conn, DB_WRITE, 0, &tx);
    if (err) {
        return err;
    }
    err = db_run(tx, &q_migrate_lock_roles, NULL, NULL);
    err = err ? err : db_run_script(tx, "bootstrap.sql", db_bootstrap_sql);
    return db_end(tx, err);
}

/* Roles, the database's owner, the extension: a superuser's work, before anything is migrated. */
static enum err bootstrap(struct migrator *migrator)
{
    if (!migrator->is_super ||
        (migrator->has_owner && migrator->n_applied == db_migrations_count)) {
        return OK;
    }
    enum err err = run_bootstrap(migrator);
    return err ? err : ask_server(migrator); /* the extension may be there now */
}

enum err db_bootstrap(struct op *op, const char *url)
{
    struct migrator migrator = { .op = op };
    enum err err = open_url(&migrator, url);
    err = err ? err : run_bootstrap(&migrator);
    db_conn_close(migrator.conn);
    return err;
}

static enum err become_owner(struct migrator *migrator)
{
    enum err err =
        migrator->is_owner ? OK : run_alone(migrator, &q_migrate_become_owner, NULL, NULL);
    migrator->is_super = false;
    if (!err && !migrator->has_history) {
        err = run_alone(migrator, &q_migrate_schema_make, NULL, NULL);
        err = err ? err : run_alone(migrator, &q_migrate_history_make, NULL, NULL);
    }
    return err;
}

static enum err record(struct migrator *migrator, struct db_tx *tx,
                       const struct db_migration *migration, int64_t started_us)
{
    struct db_args args;
    db_args_init(&args, migrator->op->arena);
    db_arg_int(&args, migration->version);
    db_arg_text(&args, migration->name);
    db_arg_text(&args, migration->sha256);
    db_arg_text(&args, db_engine_name(migrator->engine));
    db_arg_int(&args, (int32_t)((clock_monotonic_us() - started_us) / 1000));
    enum err err = db_run(tx, &q_migrate_reset_role, NULL, NULL);
    return err ? err : db_run(tx, &q_migrate_history_add, &args, NULL);
}

static enum err apply(struct migrator *migrator, const struct db_migration *migration)
{
    int64_t started_us = clock_monotonic_us();
    struct db_tx *tx;
    const char *name =
        arena_printf(migrator->op->arena, "%04d_%s", migration->version, migration->name);
    if (!name) {
        return fail_memory(migrator->op);
    }
    db_migrate_say(migrator, "migration %s", name);
    enum err err = db_begin(migrator->op, migrator->conn, DB_WRITE, 0, &tx);
    if (err) {
        return err;
    }
    err = db_run_script(tx, name, migration->sql[migrator->engine]);
    err = err ? err : record(migrator, tx, migration, started_us);
    return db_end(tx, err);
}

static enum err apply_pending(struct migrator *migrator)
{
    if (!migrator->is_engine_known) {
        migrator->engine = migrator->is_timescaledb ? DB_ENGINE_TIMESCALEDB : DB_ENGINE_POSTGRES;
    }
    for (size_t i = migrator->n_applied; i < db_migrations_count; i++) {
        enum err err = apply(migrator, &db_migrations[i]);
        if (err) {
            return err;
        }
    }
    db_migrate_say(migrator, "the schema is at version %d on %s",
                   db_migrations[db_migrations_count - 1].version,
                   db_engine_name(migrator->engine));
    return OK;
}

enum err db_migrate(struct op *op, const struct config *config, FILE *progress)
{
    struct migrator migrator = { .op = op, .config = config, .progress = progress };
    enum err err = start(&migrator);
    err = err ? err : take_lock(&migrator);
    err = err ? err : ask_server(&migrator); /* another run may have finished while we waited */
    err = err ? err : db_migrate_judge(&migrator, NULL);
    err = err ? err : bootstrap(&migrator);
    err = err ? err : db_migrate_passwords(&migrator);
    err = err ? err : become_owner(&migrator);
    err = err ? err : apply_pending(&migrator);
    db_conn_close(migrator.conn);
    return err;
}

enum err db_migrate_status(struct op *op, const struct config *config, FILE *out)
{
    struct migrator migrator = { .op = op, .config = config };
    enum err err = start(&migrator);
    err = err ? err : db_migrate_judge(&migrator, out);
    db_conn_close(migrator.conn);
    return err;
}

enum err db_schema_check(struct db_tx *tx)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_schema_version, NULL, &rows);
    if (err) {
        return err;
    }
    int expected = db_migrations[db_migrations_count - 1].version;
    int found = db_count(rows) > 0 ? db_int(rows, 0, SCHEMA_VERSION_VERSION) : 0;
    if (found != expected) {
        return fail(db_op(tx), ERR_UNAVAILABLE,
                    "the database's schema is at version %d, this tidemark needs %d: "
                    "run `tidemark migrate`",
                    found, expected);
    }
    return OK;
}

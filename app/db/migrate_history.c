/* What was applied to this database, compared with what this binary would apply. Answers for
 * refusing a history that is newer, has gaps or was edited; applying is migrate.c's. */
#include "db/migrator.h"

#include "base/clock.h"
#include "gen/migrations.h"
#include "gen/queries.h"

static const char *const engine_names[] = {
    [DB_ENGINE_POSTGRES] = "postgres",
    [DB_ENGINE_TIMESCALEDB] = "timescaledb",
};

const char *db_engine_name(enum db_engine engine)
{
    return engine_names[engine];
}

static enum err read_history(struct migrator *migrator, struct db_rows **out)
{
    struct db_tx *tx;
    enum err err = db_begin(migrator->op, migrator->conn, DB_READ, 0, &tx);
    if (err) {
        return err;
    }
    return db_end(tx, db_run(tx, &q_migrate_history, NULL, out));
}

/* One entry against the migration of the same place. */
static enum err judge_entry(struct op *op, const struct db_rows *rows, int i)
{
    int version = db_int(rows, i, MIGRATE_HISTORY_VERSION);
    const char *name = db_text(rows, i, MIGRATE_HISTORY_NAME);
    if (version > (int)db_migrations_count) {
        return fail(op, ERR_CONFLICT,
                    "migration %04d_%s of the database is not known here: the database is newer "
                    "than this tidemark",
                    version, name);
    }
    const struct db_migration *migration = &db_migrations[i];
    if (version != migration->version) {
        return fail(op, ERR_CONFLICT, "the history of the database lacks migration %04d_%s",
                    migration->version, migration->name);
    }
    if (strcmp(name, migration->name) != 0 ||
        strcmp(db_text(rows, i, MIGRATE_HISTORY_SHA256), migration->sha256) != 0) {
        return fail(op, ERR_CONFLICT,
                    "migration %04d_%s was edited after it was applied to this database", version,
                    name);
    }
    return OK;
}

/* The engine that the first migration was applied for binds all later ones. */
static enum err judge_engine(struct migrator *migrator, const char *name)
{
    for (enum db_engine engine = DB_ENGINE_POSTGRES; engine <= DB_ENGINE_TIMESCALEDB; engine++) {
        if (strcmp(name, engine_names[engine]) == 0) {
            migrator->engine = engine;
            migrator->is_engine_known = true;
        }
    }
    if (!migrator->is_engine_known) {
        return fail(migrator->op, ERR_CONFLICT,
                    "the database was made for the engine %s, which is not known here", name);
    }
    if (migrator->engine == DB_ENGINE_TIMESCALEDB && !migrator->is_timescaledb) {
        return fail(migrator->op, ERR_CONFLICT,
                    "the database was made with TimescaleDB's full edition, which this "
                    "server does not offer now");
    }
    return OK;
}

static bool is_applied(const struct db_rows *rows, int version)
{
    for (int i = 0; rows && i < db_count(rows); i++) {
        if (db_int(rows, i, MIGRATE_HISTORY_VERSION) == version) {
            return true;
        }
    }
    return false;
}

static void print_entries(FILE *out, const struct db_rows *rows)
{
    char at[CLOCK_TEXT_SIZE];
    for (int i = 0; rows && i < db_count(rows); i++) {
        fprintf(out, "%04d\t%s\t%s\n", (int)db_int(rows, i, MIGRATE_HISTORY_VERSION),
                db_text(rows, i, MIGRATE_HISTORY_NAME),
                clock_format(db_time(rows, i, MIGRATE_HISTORY_APPLIED_AT), at));
    }
    for (size_t i = 0; i < db_migrations_count; i++) {
        if (!is_applied(rows, db_migrations[i].version)) {
            fprintf(out, "%04d\t%s\tpending\n", db_migrations[i].version, db_migrations[i].name);
        }
    }
}

enum err db_migrate_judge(struct migrator *migrator, FILE *out)
{
    struct db_rows *rows = NULL;
    enum err err = migrator->has_history ? read_history(migrator, &rows) : OK;
    if (err) {
        return err;
    }
    if (out) {
        print_entries(out, rows);
    }
    int n = rows ? db_count(rows) : 0;
    for (int i = 0; i < n && !err; i++) {
        err = judge_entry(migrator->op, rows, i);
    }
    if (!err && n > 0) {
        err = judge_engine(migrator, db_text(rows, 0, MIGRATE_HISTORY_ENGINE));
    }
    migrator->n_applied = (size_t)n;
    return err;
}

/* Migrations: the files of sql/migrations/ in order, with the engine's own SQL from
 * sql/engine/<name>/, all compiled into the binary. Runs under an advisory lock, one
 * transaction a migration, recorded with checksums in ops.migration_history. */
#ifndef TIDEMARK_DB_MIGRATE_H
#define TIDEMARK_DB_MIGRATE_H

#include "base/config.h"
#include "db/conn.h"

#include <stdio.h>

/* A migration compiled in; the table is generated ("gen/migrations.h"). */
struct db_migration {
    int version; /* from the file name: 0001_name.sql */
    const char *name;
    const char *sql[2]; /* by enum db_engine: plain PostgreSQL, TimescaleDB */
    const char *sha256; /* hex, of the file with its engine parts */
};

enum db_engine { DB_ENGINE_POSTGRES, DB_ENGINE_TIMESCALEDB };

/* Brings the owner's database (DATABASE_URL, or the embedded cluster's) to this binary's
 * schema. Connected as a superuser it first makes the roles and the extension, then works as
 * tidemark_owner; otherwise it must be tidemark_owner. Refuses a history that is newer or was
 * edited (ERR_CONFLICT, naming the migration). A second run changes nothing.
 * The engine is chosen once, by what the server offers, and kept by the history.
 * Each role gets the password of its explicit URL, else one made and kept in
 * TIDEMARK_HOME/secrets/ (mode 0600). Writes a line a step to `progress` (may be NULL). */
enum err db_migrate(struct op *op, const struct config *config, FILE *progress) MUST_CHECK;

/* Makes in the database of `url`, whose login is a superuser's, what only that can (bootstrap.sql):
 * roles, the owner, the extension. What is there stays. */
enum err db_bootstrap(struct op *op, const char *url) MUST_CHECK;

/* Prints one line a migration: version, name, applied at or "pending". ERR_CONFLICT when the
 * history is newer or edited. Changes nothing. */
enum err db_migrate_status(struct op *op, const struct config *config, FILE *out) MUST_CHECK;

/* OK when the database has exactly this binary's schema (asked through any role's connection),
 * ERR_UNAVAILABLE (with what to run) when it has another. */
enum err db_schema_check(struct db_tx *tx) MUST_CHECK;

#endif

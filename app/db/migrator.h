/* One run of the migrations, as its parts see it: migrate.c leads, migrate_history.c judges
 * what was applied, migrate_roles.c sets passwords. Nobody outside includes this. */
#ifndef TIDEMARK_DB_MIGRATOR_H
#define TIDEMARK_DB_MIGRATOR_H

#include "db/migrate.h"

struct migrator {
    struct op *op;
    const struct config *config;
    FILE *progress;       /* or NULL */
    struct db_conn *conn; /* the owner's or a superuser's */
    bool is_super;        /* until it became the owner */
    bool is_owner;
    bool has_owner; /* the role exists */
    bool has_history;
    bool is_timescaledb; /* the server offers the full edition in this database */
    size_t n_applied;    /* migrations, from the first without a gap */
    bool is_engine_known;
    enum db_engine engine; /* of the history, else what the server offers */
};

/* Writes a line to the progress, where there is one. */
void db_migrate_say(const struct migrator *migrator, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- migrate_history.c ---- */

/* "postgres" or "timescaledb". */
const char *db_engine_name(enum db_engine engine);

/* Reads the history and compares it with what is compiled in: fills n_applied and the engine.
 * ERR_CONFLICT, naming the migration, where the history is newer, has a gap, or was edited, or
 * its engine is not to be had any more. `out` (may be NULL) gets a line a migration. */
enum err db_migrate_judge(struct migrator *migrator, FILE *out) MUST_CHECK;

/* ---- migrate_roles.c ---- */

/* Sees to it that each role logs in with its password. */
enum err db_migrate_passwords(const struct migrator *migrator) MUST_CHECK;

#endif

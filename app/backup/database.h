/* Databases of a server as restores need them: asked in a transaction of their own, made and
 * dropped by PostgreSQL's own programs. For the parts of this folder. */
#ifndef TIDEMARK_BACKUP_DATABASE_H
#define TIDEMARK_BACKUP_DATABASE_H

#include "backup/backup.h"
#include "db/db.h"

#define DATABASE_NAME_ROOM 40 /* of a name that longer ones begin with, so that these fit into 63 */

struct database_server {
    const char *url; /* a superuser's, of any of its databases */
    int major;       /* 15 to 18 */
};

/* What a trial's database has for a comment: one of that name without it is somebody's own. */
#define DATABASE_TRIAL_COMMENT "of a trial of tidemark restore, which the next one drops"

/* Runs one statement in a transaction of its own; `args` and `rows` may be NULL. Failures as of
 * db_run. */
enum err database_ask_over(struct op *op, struct db_conn *conn, const struct db_query *query,
                           const struct db_args *args, struct db_rows **rows) MUST_CHECK;

/* The same on a connection of its own, which backups_wait_for is told of. */
enum err database_ask(struct backups *backups, const char *url, const struct db_query *query,
                      const struct db_args *args, struct db_rows **rows) MUST_CHECK;

/* What the names of trials' databases begin with, beside the database `live`: "tidemark_trial_". In
 * the op's arena. */
enum err database_trial_prefix(struct op *op, const char *live, const char **out) MUST_CHECK;

/* An empty database of UTF-8 that sorts by these, with a comment (NULL: none). ERR_INTERNAL with
 * createdb's words. */
enum err database_make(struct op *op, const struct database_server *server, const char *name,
                       const char *collation, const char *ctype,
                       const char *comment) MUST_CHECK;

/* Drops a database if it is there, and ends its sessions. ERR_INTERNAL with dropdb's words. */
enum err database_drop(struct op *op, const struct database_server *server,
                       const char *name) MUST_CHECK;

#endif

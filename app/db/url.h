/* Connection strings of the roles: given by settings, or derived from DATABASE_URL
 * with the role's name and the password that `migrate` keeps in TIDEMARK_HOME/secrets. */
#ifndef TIDEMARK_DB_URL_H
#define TIDEMARK_DB_URL_H

#include "base/config.h"
#include "base/op.h"

enum db_role {
    DB_ROLE_OWNER,
    DB_ROLE_WEB,
    DB_ROLE_INGEST,
    DB_ROLE_WORKER,
    DB_ROLE_OPERATOR,
    DB_ROLE_READ,
    DB_ROLE_BACKUP
};

/* "tidemark_web" etc. */
const char *db_role_name(enum db_role role);

/* The connection string of a role, in the op's arena. Explicit settings win; else derived from
 * DATABASE_URL (host, port, database, TLS settings kept); without it: the embedded cluster's
 * socket under TIDEMARK_HOME, where the owner logs in by its OS user. ERR_UNAVAILABLE (with what
 * to run) when the password file is missing. */
enum err db_role_url(struct op *op, const struct config *config, enum db_role role,
                     const char **out) MUST_CHECK;

/* What only a superuser can do: DATABASE_URL, or the embedded cluster as tidemark_super. That it is
 * one is the server's to say. In the op's arena. */
enum err db_super_url(struct op *op, const struct config *config, const char **out) MUST_CHECK;

/* The same server and login with another database, as keyword=value in the op's arena. ERR_INVALID
 * when `url` is malformed. */
enum err db_url_with_database(struct op *op, const char *url, const char *database,
                              const char **out) MUST_CHECK;

/* The connection string as the environment of PostgreSQL's own programs: "PGHOST=…" and so on,
 * ended by NULL, in the op's arena; other processes see no password then. What libpq takes by no
 * variable is left out. ERR_INVALID when `url` is malformed. */
enum err db_url_environment(struct op *op, const char *url, const char ***out) MUST_CHECK;

#endif

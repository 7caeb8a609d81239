/* What url.c and secret.c offer to the migration runner alone: connection strings with a
 * given login, and the files of the passwords. */
#ifndef TIDEMARK_DB_PRIVATE_URL_H
#define TIDEMARK_DB_PRIVATE_URL_H

#include "db/url.h"

/* Of one connection string, in the op's arena; NULL where it does not say. */
struct db_login {
    const char *user;
    const char *password;
};

/* ---- url.c ---- */

/* Reads the login out of a connection string or URI. ERR_INVALID when it is malformed. */
enum err db_url_login(struct op *op, const char *url, struct db_login *out) MUST_CHECK;

/* The same server and database with another login (password may be NULL), as keyword=value.
 * ERR_INVALID when `url` is malformed. */
enum err db_url_with_login(struct op *op, const char *url, const struct db_login *login,
                           const char **out) MUST_CHECK;

/* The embedded cluster's connection string for a login. */
enum err db_url_embedded(struct op *op, const char *home, const struct db_login *login,
                         const char **out) MUST_CHECK;

/* A role's own setting (DATABASE_WEB_URL, …) or NULL. */
const char *db_url_explicit(const struct config *config, enum db_role role);

/* ---- secret.c ---- */

/* Reads a role's password; ERR_NOT_FOUND when there is no such file. */
enum err db_secret_read(struct op *op, const char *home, const char *role,
                        const char **out) MUST_CHECK;

/* Reads a role's password, or makes a random one and keeps it (`is_new`). Two processes that
 * do so at once end up with the same. ERR_INTERNAL when the folder cannot be written. */
enum err db_secret_make(struct op *op, const char *home, const char *role, const char **out,
                        bool *is_new) MUST_CHECK;

#endif

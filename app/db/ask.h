/* Statements that are asked together: one round trip to the database instead of one for each.
 * Called by domain, where a page needs several answers that do not depend on each other. */
#ifndef TIDEMARK_DB_ASK_H
#define TIDEMARK_DB_ASK_H

#include "db/db.h"

/* A statement that is asked together with others. */
struct db_ask {
    const struct db_query *query;
    struct db_args args;
    struct db_rows *rows; /* the answer, once it was asked */
};
#define DB_MAX_ASKS DB_MAX_STEPS

/* Runs these statements (DB_MAX_ASKS at most) one after the other, in one round trip. Failures as
 * of db_run: of the first that fails; none has an answer then that may be read. */
enum err db_ask_all(struct db_tx *tx, struct db_ask *asks, int n) MUST_CHECK;

/* Runs one statement in a transaction of its own, bound to no tenant, in one round trip; OK: it is
 * committed. A broken connection is reopened once, so it has to be a statement that may run twice.
 * Failures as of db_begin, db_run and db_commit. */
enum err db_ask_alone(struct op *op, struct db_conn *conn, struct db_ask *ask) MUST_CHECK;

#endif

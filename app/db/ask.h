/* Statements that are asked together: one round trip to the database instead of one for each.
 * Called by domain, where a page needs several answers that do not depend on each other, and by
 * ingest. */
#ifndef TIDEMARK_DB_ASK_H
#define TIDEMARK_DB_ASK_H

#include "db/db.h"

/* A statement that is asked together with others. */
struct db_ask {
    const struct db_query *query;
    struct db_args args;
    /* NULL, or what the answer is right for: where the connection had one for the same statement,
     * arguments and stamp before, it may be given again without asking. A stamp names the tenant,
     * too. At most DB_STAMP_BYTES are told apart. */
    const char *stamp;
    struct db_rows *rows; /* the answer, once it was asked */
};
#define DB_STAMP_BYTES 255

/* A statement without a stamp; arguments are to be added. */
void db_ask_init(struct db_ask *ask, struct op *op, const struct db_query *query);
#define DB_MAX_ASKS 8

/* Runs these statements (DB_MAX_ASKS at most) one after the other, in one round trip, or in none
 * where all of them have answers that are kept. Failures as of db_run: of the first that fails;
 * none has an answer then that may be read. */
enum err db_ask_all(struct db_tx *tx, struct db_ask *asks, int n) MUST_CHECK;

/* Runs one statement in a transaction of its own, bound to no tenant, in one round trip; OK: it is
 * committed. A broken connection is reopened once, so it has to be a statement that may run twice.
 * Failures as of db_begin, db_run and db_commit. */
enum err db_ask_alone(struct op *op, struct db_conn *conn, struct db_ask *ask) MUST_CHECK;

/* A statement of a transaction that is known as a whole before it begins. */
struct db_step {
    const struct db_query *query;
    const struct db_args *args; /* one for each of its parameters */
    struct db_rows **out;       /* NULL where its rows are of no interest */
};
#define DB_MAX_STEPS DB_MAX_ASKS

/* A transaction of these statements (DB_MAX_STEPS at most), bound to no tenant, in one round trip.
 * OK: it is committed. Failures as of db_run, db_commit and db_begin, but a lost connection is not
 * opened again here: that it was lost does not say that nothing was committed. `sqlstate` gets what
 * db_sqlstate would say. */
enum err db_transact(struct op *op, struct db_conn *conn, const struct db_step *steps, int n,
                     char sqlstate[6]) MUST_CHECK;

#endif

/* Transactions whose statements are all known before they begin: sent as one pipeline, from BEGIN
 * to COMMIT, and answered together. Answers for that one round trip and for an honest end, as tx.c
 * does for the others. Called by the ingest writers. */
#include "db/pq.h"

#include "gen/queries.h"

/* Prepares what the connection does not know yet: the first time only. */
static enum err prepare_all(struct db_tx *tx, const struct db_step *steps, int n, bool *is_named)
{
    enum err err = OK;

    for (int i = 0; !err && i < n; i++) {
        err = db_step_prepare(tx, &steps[i], &is_named[i]);
    }
    return err;
}

static bool send_plain(PGconn *pq, const struct db_query *query)
{
    return PQsendQueryParams(pq, query->sql, 0, NULL, NULL, NULL, NULL, 1);
}

static bool send_all(struct db_tx *tx, const struct db_step *steps, int n, const bool *is_named)
{
    PGconn *pq = tx->conn->pq;
    bool is_sent =
        PQenterPipelineMode(pq) && send_plain(pq, &q_tx_begin_write) && db_bind_send(tx->conn, "");

    for (int i = 0; is_sent && i < n; i++) {
        is_sent = db_step_send(tx->conn, &steps[i], is_named[i]);
    }
    return is_sent && send_plain(pq, &q_tx_commit) && PQpipelineSync(pq);
}

/* Reads every answer; the first failure is recorded, and what was asked for is kept. True when the
 * server says that it committed. */
static bool take_all(struct db_tx *tx, const struct db_step *steps, int n)
{
    PQclear(db_answer_take(tx, q_tx_begin_write.name));
    db_bind_take(tx);
    for (int i = 0; i < n; i++) {
        PGresult *result = db_answer_take(tx, steps[i].query->name);
        if (steps[i].out && tx->failed == OK) {
            tx->failed = db_rows_keep(tx, steps[i].query, result, steps[i].out);
        } else {
            PQclear(result);
        }
    }
    PGresult *commit = db_answer_take(tx, q_tx_commit.name);
    bool is_committed = commit && strcmp(PQcmdStatus(commit), "COMMIT") == 0;
    PQclear(commit);
    PQclear(db_answer_take(tx, q_tx_commit.name)); /* the sync */
    return is_committed;
}

static enum err run_pipeline(struct db_tx *tx, const struct db_step *steps, int n)
{
    struct db_conn *conn = tx->conn;
    bool is_named[DB_MAX_STEPS];
    enum err err = prepare_all(tx, steps, n, is_named);

    if (err) {
        return err;
    }
    if (!send_all(tx, steps, n, is_named)) {
        conn->is_stale = true;
        return db_error_record(tx, NULL, q_tx_begin_write.name);
    }
    bool is_committed = take_all(tx, steps, n);
    conn->is_stale |= !PQexitPipelineMode(conn->pq);
    if (tx->failed == OK && !is_committed) {
        return fail(tx->op, ERR_INTERNAL, "the server rolled the transaction back");
    }
    return tx->failed;
}

enum err db_transact(struct op *op, struct db_conn *conn, const struct db_step *steps, int n,
                     char sqlstate[6])
{
    struct db_tx *tx = &conn->tx;

    sqlstate[0] = '\0';
    if (tx->is_open || n > DB_MAX_STEPS) {
        return fail(op, ERR_INTERNAL, "%d steps, or a transaction is still open", n);
    }
    enum err err = db_conn_open(conn, op);
    if (err) {
        return err;
    }
    *tx = (struct db_tx){ .conn = conn, .op = op, .is_open = true };
    err = run_pipeline(tx, steps, n);
    memcpy(sqlstate, tx->sqlstate, sizeof tx->sqlstate);
    if (err) {
        db_rollback(tx);
    } else {
        db_tx_end(tx);
    }
    return err;
}

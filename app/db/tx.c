/* Transactions. Answers for opening one bound to a tenant in a single round trip, for
 * reopening a lost connection once on the way, and for an honest end: what db_commit
 * calls OK is committed. Called by whoever does a unit of work: the request pipeline,
 * the ingest writer, jobs, commands. */
#include "db/pq.h"

#include "gen/queries.h"

#include <stdio.h>

struct op *db_op(const struct db_tx *tx)
{
    return tx->op;
}

const char *db_sqlstate(const struct db_tx *tx)
{
    return tx->sqlstate;
}

/* A tenant as its setting is written: '' is none. */
static void tenant_text(int32_t tenant_id, char out[16])
{
    if (tenant_id > 0) {
        snprintf(out, 16, "%d", (int)tenant_id);
    } else {
        out[0] = '\0';
    }
}

PGresult *db_answer_take(struct db_tx *tx, const char *what)
{
    db_await(tx->conn, tx->op);
    PGresult *result = PQgetResult(tx->conn->pq);
    ExecStatusType status = PQresultStatus(result);
    bool is_good =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_PIPELINE_SYNC;
    if (!is_good && tx->failed == OK) {
        tx->failed = db_error_record(tx, result, what);
    }
    if (status != PGRES_PIPELINE_SYNC) {
        db_await(tx->conn, tx->op);
        PQclear(PQgetResult(tx->conn->pq)); /* the NULL that ends a statement's results */
    }
    return result;
}

static void take_answer(struct db_tx *tx, const char *what)
{
    PQclear(db_answer_take(tx, what));
}

/* By name where named statements are kept, so that the server plans it once for each connection
 * and not for each transaction. */
bool db_bind_send(struct db_conn *conn, const char *tenant)
{
    const char *const values[] = { tenant, conn->timeout_text, DB_IDLE_IN_TRANSACTION_TIMEOUT_MS };
    if (!conn->options.is_prepared) {
        return PQsendQueryParams(conn->pq, q_tx_bind.sql, 3, NULL, values, NULL, NULL, 1);
    }
    return (conn->is_bind_prepared ||
            PQsendPrepare(conn->pq, q_tx_bind.name, q_tx_bind.sql, 0, NULL)) &&
           PQsendQueryPrepared(conn->pq, q_tx_bind.name, 3, values, NULL, NULL, 1);
}

void db_bind_take(struct db_tx *tx)
{
    struct db_conn *conn = tx->conn;
    if (conn->options.is_prepared && !conn->is_bind_prepared) {
        take_answer(tx, q_tx_bind.name);
    }
    take_answer(tx, q_tx_bind.name);
    conn->is_bind_prepared = conn->options.is_prepared && tx->failed == OK;
}

/* Sends BEGIN and the binding together, then reads the answers: one round trip. */
static enum err send_begin(struct db_tx *tx, const struct db_query *begin, const char *tenant)
{
    struct db_conn *conn = tx->conn;
    bool is_sent = PQenterPipelineMode(conn->pq) &&
                   PQsendQueryParams(conn->pq, begin->sql, 0, NULL, NULL, NULL, NULL, 1) &&
                   db_bind_send(conn, tenant) && PQpipelineSync(conn->pq);
    if (!is_sent) {
        conn->is_stale = true;
        return db_error_record(tx, NULL, begin->name);
    }
    take_answer(tx, begin->name);
    db_bind_take(tx);
    take_answer(tx, begin->name); /* the sync */
    if (!PQexitPipelineMode(conn->pq)) {
        conn->is_stale = true;
        return db_error_record(tx, NULL, begin->name);
    }
    return tx->failed;
}

/* A failure that a fresh connection may not have. */
static bool is_worth_reopening(const struct db_tx *tx)
{
    return tx->conn->is_stale || strncmp(tx->sqlstate, "08", 2) == 0 ||
           strncmp(tx->sqlstate, "57P", 3) == 0;
}

static enum err try_begin(struct op *op, struct db_conn *conn, const struct db_query *begin,
                          const char *tenant)
{
    if (conn->is_pinned && !db_conn_is_open(conn)) {
        return fail(op, ERR_UNAVAILABLE, "the connection to the database was lost");
    }
    enum err err = db_conn_open(conn, op);
    if (err) {
        return err;
    }
    conn->tx = (struct db_tx){ .conn = conn, .op = op, .arena = op->arena,
                              .is_open = true };
    return send_begin(&conn->tx, begin, tenant);
}

enum err db_begin(struct op *op, struct db_conn *conn, enum db_mode mode, int32_t tenant_id,
                  struct db_tx **out)
{
    struct db_tx *tx = &conn->tx;
    const struct db_query *begin = mode == DB_READ ? &q_tx_begin_read : &q_tx_begin_write;
    char tenant[16];
    *out = NULL;
    if (tx->is_open) {
        return fail(op, ERR_INTERNAL, "a transaction is still open on this connection");
    }
    tenant_text(tenant_id, tenant);
    struct fault earlier = op->fault;
    bool was_open = db_conn_is_open(conn);
    enum err err = try_begin(op, conn, begin, tenant);
    if (err && was_open && is_worth_reopening(tx)) {
        log_info("database connection was lost; opening it again",
                 LOG_TEXT("connection", conn->options.name));
        op->fault = earlier;
        db_conn_drop(conn);
        err = try_begin(op, conn, begin, tenant);
    }
    if (err) {
        db_conn_drop(conn);
        tx->is_open = false;
        return err;
    }
    *out = tx;
    return OK;
}

void db_tx_end(struct db_tx *tx)
{
    tx->is_open = false;
    if (tx->conn->is_stale || PQtransactionStatus(tx->conn->pq) != PQTRANS_IDLE) {
        db_conn_drop(tx->conn);
    }
}

enum err db_commit(struct db_tx *tx)
{
    if (tx->failed) {
        enum err failed = tx->failed;
        db_rollback(tx);
        return fail(tx->op, failed, "a statement of the transaction had failed");
    }
    PGresult *result =
        db_answer_last(tx->conn, tx->op, PQsendQuery(tx->conn->pq, q_tx_commit.sql));
    enum err err = OK;
    if (PQresultStatus(result) != PGRES_COMMAND_OK) {
        err = db_error_record(tx, result, q_tx_commit.name);
    } else if (strcmp(PQcmdStatus(result), "COMMIT") != 0) {
        err = fail(tx->op, ERR_INTERNAL, "the server rolled the transaction back");
    }
    PQclear(result);
    db_tx_end(tx);
    return err;
}

void db_rollback(struct db_tx *tx)
{
    if (!tx || !tx->is_open) {
        return;
    }
    if (PQstatus(tx->conn->pq) == CONNECTION_OK) {
        PQclear(db_answer_last(tx->conn, tx->op, PQsendQuery(tx->conn->pq, q_tx_rollback.sql)));
    }
    db_tx_end(tx);
}

enum err db_end(struct db_tx *tx, enum err err)
{
    if (err == OK) {
        return db_commit(tx);
    }
    db_rollback(tx);
    return err;
}

enum err db_run_committed(struct op *op, struct db_conn *conn, int32_t tenant_id,
                          const struct db_query *query, const struct db_args *args,
                          struct db_rows **out)
{
    struct db_tx *tx;
    enum err err = db_begin(op, conn, DB_WRITE, tenant_id, &tx);

    return err == OK ? db_end(tx, db_run(tx, query, args, out)) : err;
}

enum err db_bind_tenant(struct db_tx *tx, int32_t tenant_id)
{
    char tenant[16];
    struct db_args args;
    tenant_text(tenant_id, tenant);
    db_args_init(&args, tx->op->arena);
    db_arg_text(&args, tenant);
    return db_run(tx, &q_tx_bind_tenant, &args, NULL);
}

enum err db_bind_actor(struct db_tx *tx, const char *actor)
{
    struct db_args args;
    db_args_init(&args, tx->op->arena);
    db_arg_text(&args, actor);
    return db_run(tx, &q_tx_bind_actor, &args, NULL);
}

/* Statements that are sent as one pipeline and answered together: several of an open transaction,
 * or a whole one, from BEGIN to COMMIT. Answers for that one round trip and for an honest end, as
 * tx.c does for the others. Called by pages, the gate and the ingest writers. */
#include "db/ask.h"
#include "db/pq.h"

#include "gen/queries.h"

/* Statements as they are sent: of a whole transaction with what binds it and its two ends. */
struct pipeline {
    struct db_step steps[DB_MAX_STEPS + 2];
    bool is_named[DB_MAX_STEPS + 2];
    int n;
    bool is_bound_alone; /* the session is not ours to settle */
    int commit;          /* which one is COMMIT, when somebody is to be told before it; else -1 */
};

/* Prepares what the connection does not know yet: the first time only. */
static enum err prepare_all(struct db_tx *tx, struct pipeline *pipeline)
{
    enum err err = OK;

    for (int i = 0; !err && i < pipeline->n; i++) {
        err = db_step_prepare(tx, &pipeline->steps[i], &pipeline->is_named[i]);
    }
    return err;
}

static bool send_all(struct db_tx *tx, const struct pipeline *pipeline)
{
    PGconn *pq = tx->conn->pq;
    bool is_sent = PQenterPipelineMode(pq);

    for (int i = 0; is_sent && i < pipeline->n; i++) {
        if (i == pipeline->commit) {
            is_sent = PQsendFlushRequest(pq) == 1; /* the answers so far, before the disk's */
        }
        is_sent = is_sent && db_step_send(tx->conn, &pipeline->steps[i], pipeline->is_named[i]) &&
                  (i > 0 || !pipeline->is_bound_alone || db_bind_send(tx->conn, ""));
    }
    return is_sent && PQpipelineSync(pq);
}

/* Reads every answer; the first failure is recorded, and what was asked for is kept. True when the
 * server says that it committed. */
static bool take_all(struct db_tx *tx, const struct pipeline *pipeline)
{
    bool is_committed = false;

    for (int i = 0; i < pipeline->n; i++) {
        const struct db_step *step = &pipeline->steps[i];
        if (i == pipeline->commit && tx->failed == OK) {
            tx->conn->on_commit(tx->conn->on_commit_context);
        }
        PGresult *result = db_answer_take(tx, step->query->name);
        is_committed = result && strcmp(PQcmdStatus(result), "COMMIT") == 0;
        if (step->out && tx->failed == OK) {
            tx->failed = db_rows_keep(tx, step->query, result, step->out);
        } else {
            PQclear(result);
        }
        if (i == 0 && pipeline->is_bound_alone) {
            db_bind_take(tx);
        }
    }
    PQclear(db_answer_take(tx, "the pipeline's end"));
    return is_committed;
}

/* Gives a session its timeouts once, instead of every transaction, where it is our own: one behind
 * a pooler, which may keep named statements, is not. */
static enum err settle_session(struct db_tx *tx)
{
    struct db_conn *conn = tx->conn;
    struct db_args args;
    struct db_rows *rows;

    if (conn->is_settled) {
        return OK;
    }
    db_args_init(&args, tx->op->arena);
    db_arg_text(&args, conn->timeout_text);
    db_arg_text(&args, DB_IDLE_IN_TRANSACTION_TIMEOUT_MS);
    db_arg_int(&args, PQbackendPID(conn->pq));
    enum err err = db_run(tx, &q_tx_settle, &args, &rows);
    conn->is_settled = err == OK;
    conn->is_pooled = err == OK && !db_bool(rows, 0, TX_SETTLE_IS_OURS);
    return err;
}

static enum err make_pipeline(struct db_tx *tx, const struct db_step *steps, int n,
                              struct pipeline *pipeline)
{
    static const struct db_args none = { 0 };
    enum err err = tx->conn->options.is_prepared ? settle_session(tx) : OK;

    pipeline->is_bound_alone = !tx->conn->options.is_prepared || tx->conn->is_pooled;
    pipeline->n = n + 2;
    pipeline->commit = tx->conn->on_commit ? n + 1 : -1;
    pipeline->steps[0] = (struct db_step){ &q_tx_begin_write, &none, NULL };
    memcpy(&pipeline->steps[1], steps, (size_t)n * sizeof *steps);
    pipeline->steps[n + 1] = (struct db_step){ &q_tx_commit, &none, NULL };
    return err ? err : prepare_all(tx, pipeline);
}

static enum err run_pipeline(struct db_tx *tx, const struct db_step *steps, int n)
{
    struct db_conn *conn = tx->conn;
    struct pipeline pipeline;
    enum err err = make_pipeline(tx, steps, n, &pipeline);

    if (err) {
        return err;
    }
    if (!send_all(tx, &pipeline)) {
        conn->is_stale = true;
        return db_error_record(tx, NULL, q_tx_begin_write.name);
    }
    bool is_committed = take_all(tx, &pipeline);
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
    *tx = (struct db_tx){ .conn = conn, .op = op, .arena = op->arena, .is_open = true };
    err = run_pipeline(tx, steps, n);
    memcpy(sqlstate, tx->sqlstate, sizeof tx->sqlstate);
    if (err) {
        db_rollback(tx);
    } else {
        db_tx_end(tx);
    }
    return err;
}

/* ---- asking ---- */

void db_ask_init(struct db_ask *ask, struct op *op, const struct db_query *query)
{
    ask->query = query;
    ask->stamp = NULL;
    ask->rows = NULL;
    db_args_init(&ask->args, op->arena);
}

/* What is not kept, in one round trip. */
static enum err ask_some(struct db_tx *tx, struct pipeline *pipeline)
{
    enum err err = prepare_all(tx, pipeline);

    if (err) {
        return err;
    }
    const char *name = pipeline->steps[0].query->name;
    if (!send_all(tx, pipeline)) {
        tx->conn->is_stale = true;
        return db_error_record(tx, NULL, name);
    }
    (void)take_all(tx, pipeline);
    if (!PQexitPipelineMode(tx->conn->pq)) {
        tx->conn->is_stale = true;
        return db_error_record(tx, NULL, name);
    }
    return tx->failed;
}

/* How an answer is found again. */
struct kept_as {
    bool is_kept;
    uint8_t key[CRYPTO_HASH_BYTES];
};

/* True where the answer was kept; `as` says how it is to be, else. */
static bool find_kept(struct db_tx *tx, struct db_ask *ask, struct kept_as *as)
{
    as->is_kept = db_keep_key(ask, as->key);
    PGresult *result = as->is_kept ? db_keep_find(&tx->conn->keep, as->key) : NULL;
    ask->rows = result ? db_rows_borrow(tx, ask->query, result) : NULL;
    return ask->rows != NULL;
}

enum err db_ask_all(struct db_tx *tx, struct db_ask *asks, int n)
{
    struct pipeline pipeline = { .commit = -1 };
    struct kept_as as[DB_MAX_ASKS];
    const struct db_ask *asked[DB_MAX_ASKS];

    if (n > DB_MAX_ASKS) {
        return fail(tx->op, ERR_INTERNAL, "%d statements at once", n);
    }
    for (int i = 0; i < n; i++) {
        if (!find_kept(tx, &asks[i], &as[pipeline.n])) {
            asked[pipeline.n] = &asks[i];
            pipeline.steps[pipeline.n++] =
                (struct db_step){ asks[i].query, &asks[i].args, &asks[i].rows };
        }
    }
    enum err err = pipeline.n > 0 ? ask_some(tx, &pipeline) : tx->failed;
    for (int i = 0; err == OK && i < pipeline.n; i++) {
        if (as[i].is_kept) {
            db_keep_put(&tx->conn->keep, tx->arena, as[i].key, asked[i]->rows->result);
        }
    }
    return err;
}

enum err db_ask_alone(struct op *op, struct db_conn *conn, struct db_ask *ask)
{
    const struct db_step step = { ask->query, &ask->args, &ask->rows };
    struct fault earlier = op->fault;
    bool was_open = db_conn_is_open(conn);
    char sqlstate[6];

    enum err err = db_transact(op, conn, &step, 1, sqlstate);
    if (err && was_open && !db_conn_is_open(conn)) {
        log_info("database connection was lost; opening it again",
                 LOG_TEXT("connection", conn->options.name));
        op->fault = earlier;
        err = db_transact(op, conn, &step, 1, sqlstate);
    }
    return err;
}

/* Running statements. Answers for named and unnamed execution: on a direct connection each
 * statement is prepared once under its name, behind a transaction pooler all run unnamed.
 * Also runs migrations' scripts. Errors are error.c's, encoding is args.c's and rows.c's. */
#include "db/pq.h"

/* Where the statement is, or would go, in the connection's table. Compiled statements stay where
 * they are, so that the address of the text names it. */
static struct db_prepared *find_slot(struct db_conn *conn, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 4) % DB_PREPARED_SLOTS;
    while (conn->prepared[at].sql && conn->prepared[at].sql != sql) {
        at = (at + 1) % DB_PREPARED_SLOTS;
    }
    return &conn->prepared[at];
}

/* True when the named statement takes these arguments: a NULL of no type fits any. */
static bool fits(const struct db_prepared *slot, const struct db_args *args, int n)
{
    for (int i = 0; i < n; i++) {
        if (args->params[i].type && args->params[i].type != slot->types[i]) {
            return false;
        }
    }
    return true;
}

static bool has_untyped(const struct db_args *args, int n)
{
    for (int i = 0; i < n; i++) {
        if (!args->params[i].type) {
            return true;
        }
    }
    return false;
}

/* Prepares the query under its name, and notes the types that the server takes it to have: it finds
 * those of untyped NULLs. A failure is the statement's failure. */
static enum err prepare(struct db_tx *tx, const struct db_query *query, const struct db_args *args,
                        struct db_prepared *slot)
{
    struct db_conn *conn = tx->conn;
    PGconn *pq = conn->pq;
    int n = query->n_params;
    for (int i = 0; i < n; i++) {
        slot->types[i] = args->params[i].type;
    }
    PGresult *result = db_answer_last(
        conn, tx->op, PQsendPrepare(pq, query->name, query->sql, n, slot->types));
    if (PQresultStatus(result) == PGRES_COMMAND_OK && has_untyped(args, n)) {
        PQclear(result);
        result = db_answer_last(conn, tx->op, PQsendDescribePrepared(pq, query->name));
        for (int i = 0; i < n && i < PQnparams(result); i++) {
            slot->types[i] = PQparamtype(result, i);
        }
    }
    enum err err =
        PQresultStatus(result) == PGRES_COMMAND_OK ? OK : db_error_record(tx, result, query->name);
    PQclear(result);
    return err;
}

/* Decides whether the query runs by name, preparing it when that is new. A call whose types
 * differ from the prepared ones runs unnamed. */
static enum err make_named(struct db_tx *tx, const struct db_query *query,
                           const struct db_args *args, bool *is_named)
{
    struct db_conn *conn = tx->conn;
    *is_named = false;
    if (!conn->options.is_prepared) {
        return OK;
    }
    struct db_prepared *slot = find_slot(conn, query->sql);
    if (slot->sql) {
        *is_named = fits(slot, args, query->n_params);
        return OK;
    }
    if (conn->n_prepared >= DB_PREPARED_MAX) {
        return OK;
    }
    enum err err = prepare(tx, query, args, slot);
    if (!err) {
        slot->sql = query->sql;
        conn->n_prepared++;
        *is_named = true;
    }
    return err;
}

/* The arguments as libpq wants them. */
struct wire {
    Oid types[DB_MAX_PARAMS];
    const char *values[DB_MAX_PARAMS];
    int lengths[DB_MAX_PARAMS];
    int formats[DB_MAX_PARAMS];
};

static void to_wire(const struct db_args *args, int n, struct wire *wire)
{
    for (int i = 0; i < n; i++) {
        const struct db_param *param = &args->params[i];
        wire->types[i] = param->type;
        wire->values[i] = !param->value && param->len > 0 ? param->fixed : param->value;
        wire->lengths[i] = param->len;
        wire->formats[i] = param->format;
    }
}

/* Whether the query can run in the transaction at all. */
static enum err check(struct db_tx *tx, const struct db_query *query, const struct db_args *args)
{
    if (tx->failed) {
        return fail(tx->op, tx->failed, "%s: an earlier statement of the transaction had failed",
                    query->name);
    }
    if (args->is_broken || args->n != query->n_params) {
        return fail(tx->op, ERR_INTERNAL, "%s: %d arguments for %d parameters%s", query->name,
                    args->n, query->n_params, args->is_broken ? ", or no memory for them" : "");
    }
    return OK;
}

static PGresult *execute(struct db_tx *tx, const struct db_query *query,
                         const struct db_args *args, bool is_named)
{
    const struct db_step step = { query, args, NULL };

    return db_answer_last(tx->conn, tx->op, db_step_send(tx->conn, &step, is_named));
}

PGresult *db_run_raw(struct db_tx *tx, const struct db_query *query, const struct db_args *args,
                     enum err *err)
{
    static const struct db_args none = { 0 };
    if (!args) {
        args = &none;
    }
    *err = check(tx, query, args);
    if (*err) {
        return NULL;
    }
    bool is_named;
    *err = make_named(tx, query, args, &is_named);
    if (*err) {
        return NULL;
    }
    PGresult *result = execute(tx, query, args, is_named);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_COPY_IN) {
        *err = db_error_record(tx, result, query->name);
        PQclear(result);
        return NULL;
    }
    return result;
}

enum err db_run(struct db_tx *tx, const struct db_query *query, const struct db_args *args,
                struct db_rows **out)
{
    enum err err;
    if (out) {
        *out = NULL;
    }
    PGresult *result = db_run_raw(tx, query, args, &err);
    if (!result) {
        return err;
    }
    if (!out) {
        PQclear(result);
        return OK;
    }
    return db_rows_keep(tx, query, result, out);
}

enum err db_run_alone(struct op *op, struct db_conn *conn, const struct db_query *query,
                      const struct db_args *args)
{
    struct db_tx alone = { .op = op, .conn = conn };
    enum err err = db_conn_open(conn, op);
    return err == OK ? db_run(&alone, query, args, NULL) : err;
}

enum err db_step_prepare(struct db_tx *tx, const struct db_step *step, bool *is_named)
{
    enum err err = check(tx, step->query, step->args);
    return err ? err : make_named(tx, step->query, step->args, is_named);
}

bool db_step_send(struct db_conn *conn, const struct db_step *step, bool is_named)
{
    const struct db_query *query = step->query;
    struct wire wire;
    to_wire(step->args, query->n_params, &wire);
    if (is_named) {
        return PQsendQueryPrepared(conn->pq, query->name, query->n_params, wire.values,
                                   wire.lengths, wire.formats, 1);
    }
    return PQsendQueryParams(conn->pq, query->sql, query->n_params, wire.types, wire.values,
                             wire.lengths, wire.formats, 1);
}

/* The line (from 1) that a character position (from 1) of the script is on. */
static int line_of(const char *sql, const char *position)
{
    long long characters = 0;
    int line = 1;
    if (!position || !str_to_int64(str_of(position), &characters)) {
        return 0;
    }
    for (; *sql && characters > 1; sql++) {
        if (*sql == '\n') {
            line++;
        }
        if (((unsigned char)*sql & 0xc0) != 0x80) { /* the position counts characters, not bytes */
            characters--;
        }
    }
    return line;
}

enum err db_run_script(struct db_tx *tx, const char *name, const char *sql)
{
    PGresult *result = PQexec(tx->conn->pq, sql);
    ExecStatusType status = PQresultStatus(result);
    enum err err = OK;
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
        const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
        char line[256];
        int at = line_of(sql, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
        db_error_line(text ? text : PQerrorMessage(tx->conn->pq), line, sizeof line);
        log_error("running a script", LOG_TEXT("script", name), LOG_INT("line", at),
                  LOG_TEXT("error", line), LOG_TEXT("detail", detail),
                  LOG_TEXT("context", context));
        err = db_error_record(tx, result, name);
    }
    PQclear(result);
    return err;
}

/* What the files of app/db share: the insides of a connection, a transaction and a
 * result. Nobody outside app/db includes this; libpq ends here. */
#ifndef TIDEMARK_DB_PQ_H
#define TIDEMARK_DB_PQ_H

#include "db/ask.h"
#include "db/conn.h"
#include "db/keep.h"

#include <libpq-fe.h>
#include <pthread.h>

/* Named statements remembered by one connection; what comes later runs unnamed. A role
 * runs far fewer different statements than this. */
#define DB_PREPARED_SLOTS 256
#define DB_PREPARED_MAX 192

/* A transaction that its process forgot (stopped, hung) lets go of its locks after this. */
#define DB_IDLE_IN_TRANSACTION_TIMEOUT_MS "60000"

/* PostgreSQL counts time from 2000-01-01; we from 1970-01-01. */
#define PG_EPOCH_US INT64_C(946684800000000)

/* Types of pg_type.dat; the numbers are part of the wire protocol and never change. */
enum pg_oid {
    PG_BOOL = 16,
    PG_BYTEA = 17,
    PG_NAME = 19,
    PG_INT8 = 20,
    PG_INT2 = 21,
    PG_INT4 = 23,
    PG_TEXT = 25,
    PG_OID = 26,
    PG_JSON = 114,
    PG_UNKNOWN = 705,
    PG_FLOAT4 = 700,
    PG_FLOAT8 = 701,
    PG_BYTEA_ARRAY = 1001,
    PG_INT4_ARRAY = 1007,
    PG_TEXT_ARRAY = 1009,
    PG_INT8_ARRAY = 1016,
    PG_FLOAT8_ARRAY = 1022,
    PG_BPCHAR = 1042,
    PG_VARCHAR = 1043,
    PG_TIMESTAMPTZ = 1184,
    PG_TIMESTAMPTZ_ARRAY = 1185,
    PG_UUID = 2950,
    PG_JSONB = 3802
};

/* A statement that the server keeps under its name, with the types it was prepared for. */
struct db_prepared {
    const char *sql; /* NULL: a free slot */
    Oid types[DB_MAX_PARAMS];
};

struct db_tx {
    struct db_conn *conn;
    struct op *op;
    struct arena *arena; /* op's as the transaction began, whatever op has meanwhile */
    bool is_open;
    enum err failed;  /* OK, or why nothing more can run in it */
    char sqlstate[6]; /* of the last failure */
};

struct db_conn {
    struct arena *arena; /* holds the connection itself */
    struct db_options options;
    PGconn *pq;            /* NULL while closed */
    pthread_mutex_t lock;  /* of what follows */
    PGcancel *cancel;      /* as pq */
    bool is_stale;         /* to be reopened before the next transaction */
    bool is_pinned;        /* what the session holds matters: never reopened (migrations) */
    bool is_bind_prepared; /* tx_bind is kept by the server under its name */
    bool is_settled;       /* the session has the timeouts of tx_settle, or is_pooled */
    bool is_pooled;        /* the session is other clients', too */
    int n_prepared;
    struct db_prepared prepared[DB_PREPARED_SLOTS];
    struct db_tx tx;           /* the one transaction it can have */
    struct db_conn *next_free; /* in its pool */
    void (*on_commit)(void *context); /* of db_conn_tell_commit, or NULL */
    void *on_commit_context;
    struct db_keep keep;       /* answers of statements that came with a stamp */
    int64_t silent_until_us;   /* monotonic; the server did not answer, nobody tries it before */
    char timeout_text[16];     /* statement_timeout as its setting is written */
};

struct db_rows {
    PGresult *result;
    const struct db_query *query;
    struct arena *arena;
};

/* A time for the server; the ends of int64_t are its infinities, as is what lies beyond its
 * range (294276 AD is far within ours only on one side). */
static inline int64_t db_time_to_wire(int64_t time_us)
{
    int64_t wire;
    if (time_us == INT64_MAX || __builtin_sub_overflow(time_us, PG_EPOCH_US, &wire)) {
        return time_us > 0 ? INT64_MAX : INT64_MIN;
    }
    return wire;
}

/* ---- conn.c ---- */

/* Opens the connection when it is closed. ERR_UNAVAILABLE when the server cannot be reached. */
enum err db_conn_open(struct db_conn *conn, struct op *op) MUST_CHECK;
/* Closes the link to the server and forgets what was prepared; the struct stays usable. */
void db_conn_drop(struct db_conn *conn);

/* ---- wait.c ---- */

/* Waits until PQgetResult has something to say, where there is an end to that: the operation's
 * db_patience_ms, or of a connection that is watched its statement_timeout_ms and 5 s, and at most
 * some 5 s where the server does not answer newcomers either. After that the connection is lost. */
void db_await(struct db_conn *conn, const struct op *op);
/* The last result of what was sent (or, with is_sent 0, was not: NULL); that of a COPY, which goes
 * on. The caller clears it. */
PGresult *db_answer_last(struct db_conn *conn, const struct op *op, int is_sent);
/* Notes that the server does not answer; whether that was a moment ago. */
void db_note_silent(struct db_conn *conn);
bool db_is_silent(const struct db_conn *conn);

/* ---- error.c ---- */

/* Records the failure of `result` (NULL: of the connection) in the transaction and its op.
 * `what` names the statement for the log. */
enum err db_error_record(struct db_tx *tx, const PGresult *result, const char *what) MUST_CHECK;
/* libpq's message without what follows its first line. */
const char *db_error_line(const char *message, char *line, size_t size);

/* ---- tx.c ---- */

/* Adds the binding to a tenant, written as its setting is, to the pipeline; takes the answer. */
bool db_bind_send(struct db_conn *conn, const char *tenant) MUST_CHECK;
void db_bind_take(struct db_tx *tx);
/* The next answer of the pipeline, which the caller clears; the first failure is recorded. `what`
 * names the statement for the log. */
PGresult *db_answer_take(struct db_tx *tx, const char *what) MUST_CHECK;
/* Ends the transaction on our side; a connection in doubt is dropped. */
void db_tx_end(struct db_tx *tx);

/* ---- run.c ---- */

/* Runs a query and hands over libpq's result, which the caller clears; NULL after a failure. */
PGresult *db_run_raw(struct db_tx *tx, const struct db_query *query, const struct db_args *args,
                     enum err *err);
/* A step of db_transact: whether it can run, and by name; then on its way into the pipeline. */
enum err db_step_prepare(struct db_tx *tx, const struct db_step *step, bool *is_named) MUST_CHECK;
bool db_step_send(struct db_conn *conn, const struct db_step *step, bool is_named) MUST_CHECK;
/* Rows over a result that somebody else frees, after the op has ended. NULL without memory. */
struct db_rows *db_rows_borrow(struct db_tx *tx, const struct db_query *query, PGresult *result);
/* Wraps a result in rows that are released with the op's arena. */
enum err db_rows_keep(struct db_tx *tx, const struct db_query *query, PGresult *result,
                      struct db_rows **out) MUST_CHECK;
/* Runs a script of several statements (a migration). */
enum err db_run_script(struct db_tx *tx, const char *name, const char *sql) MUST_CHECK;

#endif

/* PostgreSQL as the layers above see it: a transaction, a named query, its rows.
 * Only app/db/ includes libpq. Statements come from sql/queries/, compiled into
 * `struct db_query` constants declared in the generated "gen/queries.h". */
#ifndef TIDEMARK_DB_DB_H
#define TIDEMARK_DB_DB_H

#include "base/op.h"
#include "base/str.h"

#include <stdint.h>

struct db_conn; /* one connection; one thread at a time */
struct db_tx;   /* an open transaction on a connection */
struct db_rows; /* a result; lives in the op's arena, released at its reset */

/* A statement compiled from sql/queries/. */
struct db_query {
    const char *name; /* unique; also its server-side name */
    const char *sql;
    const char *roles;          /* who runs it: "web", "ingest web", … */
    const char *const *columns; /* names of its result columns, n_columns of them */
    int n_columns;
    int n_params;
};

enum db_mode {
    DB_READ, /* read only */
    DB_WRITE
};

/* ---- transactions ---- */

/* Opens a transaction bound to `tenant_id` (0: to none). ERR_UNAVAILABLE when the
 * database cannot be reached; a broken connection is reopened once here. */
enum err db_begin(struct op *op, struct db_conn *conn, enum db_mode mode, int32_t tenant_id,
                  struct db_tx **out) MUST_CHECK;

/* Commits and frees. On failure nothing was stored (ERR_UNAVAILABLE where trying again may help),
 * except that a connection lost during the commit itself leaves it unknown: whatever is tried
 * again has to be safe to repeat. */
enum err db_commit(struct db_tx *tx) MUST_CHECK;

/* Rolls back and frees; NULL is allowed. */
void db_rollback(struct db_tx *tx);

/* Ends the transaction by how its work went: commits where `err` is OK, else rolls back and answers
 * `err`. */
enum err db_end(struct db_tx *tx, enum err err) MUST_CHECK;

/* The operation that the transaction belongs to. */
struct op *db_op(const struct db_tx *tx);

/* Binds the open transaction to a tenant found inside it (after resolving a token). */
enum err db_bind_tenant(struct db_tx *tx, int32_t tenant_id) MUST_CHECK;

/* Says who acts in the open transaction ("eve@home.example", "token 17"), for the audit trail. */
enum err db_bind_actor(struct db_tx *tx, const char *actor) MUST_CHECK;

/* ---- parameters: in the order of $1, $2, … ---- */

#define DB_MAX_PARAMS 24

struct db_param {
    uint32_t type;     /* OID */
    int format;        /* 0 text, 1 binary */
    const char *value; /* NULL: the number in `fixed` where len > 0, else SQL NULL */
    int len;           /* bytes, of binary ones */
    char fixed[8];     /* a number in network order */
};
struct db_args {
    struct arena *arena; /* for arrays and copies */
    int n;
    bool is_broken; /* too many, or out of memory: the run fails */
    struct db_param params[DB_MAX_PARAMS];
};

void db_args_init(struct db_args *args, struct arena *arena);
void db_arg_text(struct db_args *args, const char *value); /* NULL: SQL NULL; must stay alive */
void db_arg_str(struct db_args *args, struct str value);   /* copied; ptr NULL: SQL NULL */
void db_arg_bytes(struct db_args *args, const void *bytes, size_t len); /* bytea; must stay alive */
void db_arg_int(struct db_args *args, int32_t value);
void db_arg_int64(struct db_args *args, int64_t value);
void db_arg_double(struct db_args *args, double value);
void db_arg_bool(struct db_args *args, bool value);
void db_arg_time(struct db_args *args, int64_t time_us); /* timestamptz */
void db_arg_null(struct db_args *args);
/* Arrays without NULLs: int4[], int8[], float8[], timestamptz[]; the last two with NULLs for
 * NULL. */
void db_arg_int_array(struct db_args *args, const int32_t *values, size_t n);
void db_arg_int64_array(struct db_args *args, const int64_t *values, size_t n);
void db_arg_double_array(struct db_args *args, const double *values, size_t n);
void db_arg_time_array(struct db_args *args, const int64_t *times_us, size_t n);
void db_arg_str_array(struct db_args *args, const struct str *values, size_t n);
void db_arg_bytes_array(struct db_args *args, const struct str *values, size_t n); /* bytea[] */

/* ---- running ---- */

/* Runs one statement. `args` may be NULL where it has no parameters, `out` where it has
 * no rows of interest. Errors of the database are mapped: ERR_CONFLICT for a unique
 * violation, ERR_INVALID for a check or data error or a plain RAISE EXCEPTION, ERR_UNAVAILABLE
 * for a lost connection, deadlock, serialization failure, lock or statement timeout,
 * ERR_INTERNAL else. What a function of ours RAISEs keeps its message, which is for clients;
 * with an ERRCODE of 'TM' and a status ('TM404', 'TM409') it fails with that status. After
 * a failure every further run in the transaction fails alike; only rolling back helps. */
enum err db_run(struct db_tx *tx, const struct db_query *query, const struct db_args *args,
                struct db_rows **out) MUST_CHECK;

/* Runs one statement in a transaction of its own, bound to `tenant_id` (0: to none), and commits;
 * its rows outlive it. Failures as of db_begin, db_run and db_commit. */
enum err db_run_committed(struct op *op, struct db_conn *conn, int32_t tenant_id,
                          const struct db_query *query, const struct db_args *args,
                          struct db_rows **out) MUST_CHECK;

/* Runs one statement in no transaction, for procedures that commit on their way; opens the
 * connection where it is not open. Bound to no tenant, and to no timeout of ours. */
enum err db_run_alone(struct op *op, struct db_conn *conn, const struct db_query *query,
                      const struct db_args *args) MUST_CHECK;

/* The five-letter SQLSTATE of the last failure on this transaction, or "". */
const char *db_sqlstate(const struct db_tx *tx);

/* ---- rows; columns by the generated enum of the query ----
 * Reading a column as another type than the statement gives it is a programmer's error and
 * ends the process with a line that names both: cast in the SQL. */

int db_count(const struct db_rows *rows);
bool db_is_null(const struct db_rows *rows, int row, int column);
const char *db_text(const struct db_rows *rows, int row,
                    int column); /* NULL for SQL NULL; text, jsonb, uuid as text */
struct str db_str(const struct db_rows *rows, int row, int column); /* bytes; text or bytea */
int32_t db_int(const struct db_rows *rows, int row, int column);    /* int2, int4; 0 for NULL */
int64_t db_int64(const struct db_rows *rows, int row, int column);  /* int2, int4, int8 */
double db_double(const struct db_rows *rows, int row, int column);  /* float8; NaN for NULL */
bool db_bool(const struct db_rows *rows, int row, int column);
/* timestamptz as µs since 1970; its infinities are INT64_MIN and INT64_MAX; 0 for NULL */
int64_t db_time(const struct db_rows *rows, int row, int column);
/* The same; `fallback_us` for NULL. */
int64_t db_time_or(const struct db_rows *rows, int row, int column, int64_t fallback_us);

/* An array's elements in the rows' arena, timestamptz as above. `n` 0 for SQL NULL. */
struct db_int64_list {
    const int64_t *items;
    int n;
};
/* int8[] or timestamptz[] of one dimension, no element NULL; ERR_INTERNAL for another, which is a
 * fault of the statement. */
enum err db_int64_list(struct db_tx *tx, const struct db_rows *rows, int row, int column,
                       struct db_int64_list *out) MUST_CHECK;

#endif

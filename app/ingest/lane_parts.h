/* What the lanes' files share: rows as arrays for a statement, and the events of a batch. Only
 * for lane_*.c. */
#ifndef TIDEMARK_INGEST_LANE_PARTS_H
#define TIDEMARK_INGEST_LANE_PARTS_H

#include "db/ask.h"
#include "ingest/lanes.h"

/* Rows as the arrays of a statement's parameters. */
struct row_arrays {
    size_t n;
    int32_t *tenants, *series;
    int64_t *times;
    double *values;
};

/* Room for `n` rows. False beyond the arena's cap. */
bool row_arrays_open(struct row_arrays *arrays, struct arena *arena, size_t n) MUST_CHECK;

/* Appends a row; there must be room. */
void row_arrays_add(struct row_arrays *arrays, const struct batch_row *row);

/* The arguments of a statement whose first parameters are tenants, series, times and values. */
void row_arrays_bind(const struct row_arrays *arrays, struct arena *arena, struct db_args *args);

/* Notes what became of rows[from … end - 1]: `outcomes` has a row of each key's first one, which
 * the others come after. */
void lane_note_rows(struct ingest_batch *batch, size_t from, size_t end,
                    const struct db_rows *outcomes);

/* The arguments of the statement that stores the batch's events; lane_note_events reads from its
 * rows which were new. */
enum err lane_events_bind(const struct ingest_batch *batch, struct op *op, struct db_args *args)
    MUST_CHECK;
/* The same of the statement that only says which would be new. */
enum err lane_events_bind_try(const struct ingest_batch *batch, struct op *op, struct db_args *args)
    MUST_CHECK;
void lane_note_events(struct ingest_batch *batch, const struct db_rows *rows);

/* What a row is after another one of its key in the same batch: outcome bits. */
static inline uint8_t lane_outcome_after(const struct batch_row *before,
                                         const struct batch_row *row)
{
    return before->value == row->value ? 0 : INGEST_UPDATED;
}

/* The operation of the batch's next transaction, with memory of its own until the one after it. */
struct op *lane_op(struct ingest_batch *batch);

/* A transaction of the statements, which were made in lane_op's memory, where `err` is OK. A
 * failure is then the batch's, with its SQLSTATE. */
enum err lane_transact(struct ingest_batch *batch, struct db_conn *conn,
                       const struct db_step *steps, int n, enum err err) MUST_CHECK;

/* Begins a transaction bound to the tenant (0: none), with memory of its own until the next one:
 * db_op(tx)->arena. */
enum err lane_begin(struct ingest_batch *batch, struct db_conn *conn, int32_t tenant_id,
                    struct db_tx **tx) MUST_CHECK;

/* The statement, made in op's memory, after which a transaction waits so long for a lock and then
 * fails with SQLSTATE_LOCKED. */
struct db_step lane_patience(struct db_args *args, int patience_ms, struct op *op);

/* Commits where `err` is OK, else rolls back. A failure is then the batch's, with its SQLSTATE. */
enum err lane_end(struct ingest_batch *batch, struct db_tx *tx, enum err err) MUST_CHECK;

#endif

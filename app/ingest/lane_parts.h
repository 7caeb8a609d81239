/* What the lanes' files share: rows as arrays for a statement, and the events of a batch. Only
 * for lane_*.c. */
#ifndef TIDEMARK_INGEST_LANE_PARTS_H
#define TIDEMARK_INGEST_LANE_PARTS_H

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

/* Runs a statement whose parameters are tenants, series, times and values. `out` as db_run. */
enum err row_arrays_run(struct db_tx *tx, const struct db_query *query,
                        const struct row_arrays *arrays, struct db_rows **out) MUST_CHECK;

/* Stores the batch's events that are new; lane_note_events reads from `out` which those were. */
enum err lane_insert_events(struct ingest_batch *batch, struct db_tx *tx, struct db_rows **out)
    MUST_CHECK;
void lane_note_events(struct ingest_batch *batch, const struct db_rows *rows);

/* What a row is after another one of its key in the same batch: outcome bits. */
static inline uint8_t lane_outcome_after(const struct batch_row *before,
                                         const struct batch_row *row)
{
    return before->value == row->value ? 0 : INGEST_UPDATED;
}

/* Begins a transaction, with memory of its own until the next one: db_op(tx)->arena. */
enum err lane_begin(struct ingest_batch *batch, struct db_conn *conn, struct db_tx **tx) MUST_CHECK;

/* Commits where `err` is OK, else rolls back. A failure is then the batch's, with its SQLSTATE. */
enum err lane_end(struct ingest_batch *batch, struct db_tx *tx, enum err err) MUST_CHECK;

#endif

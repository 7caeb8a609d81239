/* The fast lane: rows that nobody else holds and that are newer than their series, by a plain
 * insert; no ON CONFLICT, whose speculative insertion doubles the WAL. Called by the writers. */
#include "base/clock.h"
#include "db/copy.h"
#include "gen/queries.h"
#include "ingest/lane_parts.h"

/* A gap between changed samples that makes two ranges of them. */
#define RANGE_GAP_US US_PER_DAY
/* Bytes of a row in binary COPY, and its frame. */
#define COPY_ROW_BYTES 42
#define COPY_FRAME_BYTES 64
#define SQLSTATE_CLOSED "TM001" /* of api.ingest_open() */

/* Of rows with one key the last counts: it is the only one written. */
static bool is_last_of_key(const struct ingest_batch *batch, size_t at)
{
    return at + 1 == batch->n_rows ||
           !batch_is_same_key(&batch->rows[at], &batch->rows[at + 1]);
}

/* Copies rows[from … end - 1]; `rows` is the buffer for it. */
static enum err copy_rows(struct ingest_batch *batch, struct db_tx *tx, size_t from, size_t end,
                          struct buf *rows)
{
    int64_t stored;

    buf_clear(rows);
    for (size_t at = from; at < end; at++) {
        if (is_last_of_key(batch, at)) {
            const struct batch_row *row = &batch->rows[at];
            db_copy_row(rows, 4);
            db_copy_int(rows, row->tenant_id);
            db_copy_int(rows, row->series_id);
            db_copy_time(rows, row->time_us);
            db_copy_double(rows, row->value);
        }
    }
    return rows->len ? db_copy_send(tx, &q_ingest_copy, rows, &stored) : OK;
}

/* Fails where one of the batch's series was erased; else `closing_us` gets where rollups may be
 * closed before this is committed. */
static enum err begin_copy(const struct ingest_batch *batch, struct db_tx *tx, int64_t *closing_us)
{
    struct arena *arena = db_op(tx)->arena;
    struct row_arrays series;
    struct db_args args;
    struct db_rows *answer;

    if (!row_arrays_open(&series, arena, batch->n_runs)) {
        return fail_memory(db_op(tx));
    }
    for (size_t i = 0; i < batch->n_runs; i++) {
        if (batch->runs[i].first < batch->runs[i].end) {
            row_arrays_add(&series, &batch->rows[batch->runs[i].first]);
        }
    }
    db_args_init(&args, arena);
    db_arg_int_array(&args, series.tenants, series.n);
    db_arg_int_array(&args, series.series, series.n);
    enum err err = db_run(tx, &q_ingest_begin, &args, &answer);
    if (!err) {
        *closing_us = db_time(answer, 0, INGEST_BEGIN_CLOSING_UNTIL);
    }
    return err;
}

static int64_t oldest_of(const struct ingest_batch *batch)
{
    int64_t oldest_us = INT64_MAX;

    for (size_t i = 0; i < batch->n_runs; i++) {
        const struct batch_run *run = &batch->runs[i];
        if (run->first < run->end && batch->rows[run->first].time_us < oldest_us) {
            oldest_us = batch->rows[run->first].time_us;
        }
    }
    return oldest_us;
}

/* Whether something is of a time whose chunk may be compressed just now, which lets nobody in. */
static bool has_old(const struct ingest_batch *batch)
{
    int64_t edge_us = clock_now_us() - FAST_DAYS * US_PER_DAY;
    bool has_old = oldest_of(batch) < edge_us;

    for (size_t i = 0; !has_old && i < batch->n_events; i++) {
        has_old = batch_event_time(batch, i) < edge_us;
    }
    return has_old;
}

/* Stores the rows; `closing_us` as of begin_copy. */
static enum err insert_by_copy(struct ingest_batch *batch, struct db_tx *tx, int64_t *closing_us)
{
    struct buf rows;
    enum err err = begin_copy(batch, tx, closing_us);

    buf_init(&rows, db_op(tx)->arena, BATCH_MAX_ROWS * COPY_ROW_BYTES + COPY_FRAME_BYTES);
    for (size_t from = 0; !err && from < batch->n_rows; from += BATCH_MAX_ROWS) {
        size_t left = batch->n_rows - from;
        err = copy_rows(batch, tx, from, from + (left < BATCH_MAX_ROWS ? left : BATCH_MAX_ROWS),
                        &rows);
    }
    return err;
}

/* Notes the ranges of rows that are older than what is still open to rollups. */
static enum err log_old_rows(struct ingest_batch *batch, struct db_tx *tx, int64_t open_us)
{
    struct arena *arena = db_op(tx)->arena;
    size_t n_old = 0;
    size_t n = 0;

    for (size_t at = 0; at < batch->n_rows; at++) {
        n_old += batch->rows[at].time_us < open_us;
    }
    if (n_old == 0) {
        return OK;
    }
    struct row_arrays from;
    int64_t *to = arena_array(arena, n_old, sizeof *to);
    if (!to || !row_arrays_open(&from, arena, n_old)) {
        return fail_memory(db_op(tx));
    }
    for (size_t at = 0; at < batch->n_rows; at++) {
        const struct batch_row *row = &batch->rows[at];
        if (row->time_us >= open_us) {
            continue;
        }
        bool is_same = n && from.series[n - 1] == row->series_id &&
                       from.tenants[n - 1] == row->tenant_id &&
                       row->time_us - to[n - 1] <= RANGE_GAP_US;
        if (!is_same) {
            row_arrays_add(&from, row);
            n++;
        }
        to[n - 1] = row->time_us;
    }
    struct db_args args;
    db_args_init(&args, arena);
    db_arg_int_array(&args, from.tenants, n);
    db_arg_int_array(&args, from.series, n);
    db_arg_time_array(&args, from.times, n);
    db_arg_time_array(&args, to, n);
    return db_run(tx, &q_ingest_change_log, &args, NULL);
}

static enum err insert_events(struct ingest_batch *batch, struct db_tx *tx, struct db_rows **out)
{
    struct db_args args;
    enum err err = batch->n_events ? lane_events_bind(batch, db_op(tx), &args) : OK;

    return err || !batch->n_events ? err : db_run(tx, &q_ingest_events, &args, out);
}

/* COPY is a conversation: a transaction step by step. */
static enum err write_by_copy(struct ingest_batch *batch, struct db_conn *conn, int64_t young_us,
                              struct db_rows **events)
{
    struct db_tx *tx;
    int64_t closing_us = 0;
    enum err err = lane_begin(batch, conn, 0, &tx);

    if (err) {
        return err;
    }
    if (has_old(batch)) {
        struct db_args args;
        const struct db_step step = lane_patience(&args, LOCK_GLANCE_MS, db_op(tx));
        err = db_run(tx, step.query, step.args, NULL);
    }
    if (!err) {
        err = insert_by_copy(batch, tx, &closing_us);
    }
    if (!err) {
        err = log_old_rows(batch, tx, closing_us > young_us ? closing_us : young_us);
    }
    if (!err) {
        err = insert_events(batch, tx, events);
    }
    return lane_end(batch, tx, err);
}

/* `edge_us`: the statement's last argument. */
static enum err bind_rows(const struct ingest_batch *batch, struct op *op, int64_t edge_us,
                          struct db_args *args)
{
    struct row_arrays arrays;

    if (!row_arrays_open(&arrays, op->arena, batch->n_rows)) {
        return fail_memory(op);
    }
    for (size_t at = 0; at < batch->n_rows; at++) {
        if (is_last_of_key(batch, at)) {
            row_arrays_add(&arrays, &batch->rows[at]);
        }
    }
    row_arrays_bind(&arrays, op->arena, args);
    db_arg_time(args, edge_us);
    return OK;
}

/* Few rows: all in one round trip. `insert` is ingest_insert_old with the time from which rows are
 * young, or ingest_insert with that of the oldest. */
static enum err send_arrays(struct ingest_batch *batch, struct db_conn *conn,
                            const struct db_query *insert, int64_t edge_us, struct db_rows **events)
{
    struct op *op = lane_op(batch);
    struct db_args patience, rows_args, event_args;
    struct db_step steps[3];
    enum err err = OK;
    int n = 0;

    if (has_old(batch)) {
        steps[n++] = lane_patience(&patience, LOCK_GLANCE_MS, op);
    }
    if (batch->n_rows) {
        steps[n++] = (struct db_step){ insert, &rows_args, NULL };
        err = bind_rows(batch, op, edge_us, &rows_args);
    }
    if (!err && batch->n_events) {
        steps[n++] = (struct db_step){ &q_ingest_events, &event_args, events };
        err = lane_events_bind(batch, op, &event_args);
    }
    return lane_transact(batch, conn, steps, n, err);
}

static enum err write_by_arrays(struct ingest_batch *batch, struct db_conn *conn, int64_t young_us,
                                struct db_rows **events)
{
    int64_t oldest_us = oldest_of(batch);

    if (oldest_us >= young_us) {
        enum err err = send_arrays(batch, conn, &q_ingest_insert, oldest_us, events);
        if (strcmp(batch->sqlstate, SQLSTATE_CLOSED) != 0) {
            return err;
        }
        op_clear_fault(batch->op);
    }
    return send_arrays(batch, conn, &q_ingest_insert_old, young_us, events);
}

/* ---- outcomes ---- */

static void note_fast(struct ingest_batch *batch, const struct db_rows *events)
{
    for (size_t at = 0; at < batch->n_rows; at++) {
        const struct batch_row *row = &batch->rows[at];
        bool is_repeat = at && batch_is_same_key(row - 1, row);
        batch_note(batch, row, is_repeat ? lane_outcome_after(row - 1, row) : INGEST_NEW);
    }
    lane_note_events(batch, events);
}

enum err lanes_write_fast(struct ingest_batch *batch, struct db_conn *conn, int64_t now_us)
{
    struct db_rows *events = NULL;
    int64_t young_us = now_us - OPEN_WINDOW_MINUTES * US_PER_MINUTE;
    enum err err;

    batch->sqlstate[0] = '\0';
    if (batch->n_rows == 0 && batch->n_events == 0) {
        return OK;
    }
    err = batch->n_rows < COPY_MIN_ROWS ? write_by_arrays(batch, conn, young_us, &events)
                                        : write_by_copy(batch, conn, young_us, &events);
    if (!err) {
        note_fast(batch, events);
    }
    return err;
}

/* One writer: take, gather, write, try again or find the culprit, finish. Answers for every
 * taken ticket ending with a result; what is written is lanes' business, what a failure means
 * is judge's. */
#include "ingest/writer.h"

#include "base/clock.h"
#include "ingest/judge.h"
#include "ingest/lanes.h"

#include <stdio.h>
#include <time.h>

/* Rows of the largest request with their copies while sorting and sending. */
#define WRITER_ARENA_BYTES (256u << 20)
#define FIRST_PAUSE_MS 5
#define LONGEST_PAUSE_MS 500
/* What is older is stored in partitions by year, which an engine that makes its own would not. */
#define OLD_DAYS 366
#define MAX_WRITERS 16
#define CAREFUL_US (10 * US_PER_SECOND)

struct writer {
    struct ingest_writers *all;
    enum ingest_lane lane;
    struct arena *arena;   /* of a batch */
    struct arena *scratch; /* of a transaction */
    struct db_conn *conn;
    pthread_t thread;
    char sqlstate[6]; /* of the last attempt */
    bool is_cut_off;  /* it found no database */
    const struct ingest_ticket *taken; /* the batch at hand */
    bool is_held_up;  /* the batch at hand takes more than one attempt */
};

struct ingest_writers {
    struct arena *arena;
    struct writer_parts parts;
    struct writer_counts counts;
    pthread_mutex_t lock;
    pthread_cond_t abandon;
    _Atomic int64_t careful_until_us; /* a chunk was locked: what is old takes the late lane */
    bool is_abandoning;
    struct writer writers[MAX_WRITERS];
    int n;
};

/* Waits before the next attempt; false at once when everything is to be given up. */
static bool pause_before_retry(struct ingest_writers *all, int pause_ms)
{
    int64_t due_us = clock_monotonic_us() + pause_ms * (US_PER_SECOND / 1000);
    struct timespec due = {
        .tv_sec = (time_t)(due_us / US_PER_SECOND),
        .tv_nsec = (long)(due_us % US_PER_SECOND) * 1000,
    };
    int late = 0;

    (void)pthread_mutex_lock(&all->lock);
    while (!all->is_abandoning && !late) {
        late = pthread_cond_timedwait(&all->abandon, &all->lock, &due);
    }
    bool is_abandoning = all->is_abandoning;
    (void)pthread_mutex_unlock(&all->lock);
    return !is_abandoning;
}

/* ---- one attempt at a batch ---- */

static enum err write_once(struct writer *writer, struct ingest_batch *batch)
{
    return writer->lane == LANE_LATE ? lanes_write_late(batch, writer->conn)
                                     : lanes_write_fast(batch, writer->conn, clock_now_us());
}

/* Makes partitions after a row found none. When that was done already, it is another constraint
 * that refused the row: WRITE_POISONED. */
static enum write_verdict make_partitions(struct writer *writer, struct ingest_batch *batch,
                                          bool *has_partitions)
{
    if (*has_partitions) {
        return WRITE_POISONED;
    }
    op_clear_fault(batch->op);
    enum err err = lanes_make_partitions(batch, writer->conn);
    enum write_verdict verdict = judge_write(err, batch->sqlstate);
    *has_partitions = verdict == WRITE_DONE;
    return verdict == WRITE_DONE || verdict == WRITE_RETRY ? verdict : WRITE_REFUSED;
}

static bool has_old_rows(const struct ingest_batch *batch)
{
    int64_t edge_us = clock_now_us() - OLD_DAYS * US_PER_DAY;

    for (size_t i = 0; i < batch->n_rows; i++) {
        if (batch->rows[i].time_us < edge_us) {
            return true;
        }
    }
    return false;
}

/* Makes the partitions of old times before they are looked for. When that fails, so does what
 * comes next, and says why. */
static void prepare_old(struct writer *writer, struct ingest_batch *batch)
{
    if (has_old_rows(batch) && lanes_make_partitions(batch, writer->conn)) {
        op_clear_fault(batch->op);
    }
}

/* True after a failure of the fast lane that only says that somebody has a lock. */
static bool is_locked_out(const struct writer *writer)
{
    return writer->lane == LANE_FAST && strcmp(writer->sqlstate, SQLSTATE_LOCKED) == 0;
}

/* Tries until the batch is written, the time is up, or trying again is no use. After a batch
 * that found no database at all, the next one finds out with a single attempt. */
static enum write_verdict write_batch(struct writer *writer, struct ingest_batch *batch)
{
    int64_t patience_ms = writer->is_cut_off ? 0 : WRITE_RETRY_MS;
    int64_t deadline_us = clock_monotonic_us() + patience_ms * (US_PER_SECOND / 1000);
    int pause_ms = FIRST_PAUSE_MS;
    bool has_partitions = false;

    prepare_old(writer, batch);
    for (;;) {
        enum write_verdict verdict = judge_write(write_once(writer, batch), batch->sqlstate);
        memcpy(writer->sqlstate, batch->sqlstate, sizeof writer->sqlstate);
        writer->is_held_up |= verdict != WRITE_DONE;
        if (verdict == WRITE_PARTITION) {
            verdict = make_partitions(writer, batch, &has_partitions);
            if (verdict == WRITE_DONE) {
                continue;
            }
        }
        if (is_locked_out(writer)) {
            writer->all->careful_until_us = clock_monotonic_us() + CAREFUL_US;
            batch_leave_all(batch);
        } else if (verdict == WRITE_LATE && writer->lane == LANE_FAST) {
            batch_leave_rows(batch);
        } else if (verdict != WRITE_RETRY && verdict != WRITE_LATE) {
            return verdict;
        } else if (clock_monotonic_us() >= deadline_us ||
                   !pause_before_retry(writer->all, pause_ms)) {
            return WRITE_RETRY;
        } else {
            pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
        }
        op_clear_fault(batch->op);
        atomic_fetch_add_explicit(&writer->all->counts.retries, 1, memory_order_relaxed);
    }
}

/* The newest sample of each series: copies, for the batch may be sorted. NULL without memory. */
static struct batch_row *newest_of(const struct ingest_batch *batch, size_t *out)
{
    struct batch_row *rows = arena_array(batch->op->arena, batch->n_runs + 1, sizeof *rows);
    size_t n = 0;

    for (size_t i = 0; rows && i < batch->n_runs; i++) {
        const struct batch_run *run = &batch->runs[i];
        if (run->first < run->end) {
            rows[n++] = batch->rows[run->end - 1];
        }
    }
    *out = n;
    return rows;
}

/* Notes those of the rows that were written, for the flush. */
static void note_newest(const struct writer *writer, const struct ingest_batch *batch,
                        const struct batch_row *rows, size_t n_rows)
{
    struct flush_note *notes = arena_array(batch->op->arena, n_rows + 1, sizeof *notes);
    size_t n = 0;

    for (size_t i = 0; notes && i < n_rows; i++) {
        const struct batch_row *row = &rows[i];
        if (batch->tickets[row->ticket]->columns->lanes[row->row] != INGEST_ROW_LATE) {
            notes[n++] = (struct flush_note){ .id = row->series_id, .time_us = row->time_us,
                                              .value = row->value, .tenant_id = row->tenant_id };
        }
    }
    ingest_flush_note(writer->all->parts.flush, FLUSH_SERIES, notes, n);
}

/* Of a ticket that is not stored, and may come again. */
static void end_ticket(struct writer *writer, struct ingest_ticket *ticket, enum err result,
                       const char *detail)
{
    ticket->result = result;
    (void)snprintf(ticket->detail, sizeof ticket->detail, "%s", detail);
    series_cache_forget_starts(writer->all->parts.cache, ticket->tenant_id, ticket->columns);
}

static enum write_verdict write_fast(struct writer *writer, struct ingest_batch *batch)
{
    struct writer_counts *counts = &writer->all->counts;
    bool is_careful = clock_monotonic_us() < writer->all->careful_until_us;

    batch_split(batch, writer->all->parts.cache,
                is_careful ? clock_now_us() - FAST_DAYS * US_PER_DAY : INT64_MIN);
    enum write_verdict verdict = write_batch(writer, batch);
    if (verdict == WRITE_DONE) {
        /* after writing: by then all rows may have been left to the late lane */
        size_t n;
        const struct batch_row *newest = newest_of(batch, &n);
        note_newest(writer, batch, newest, n);
        atomic_fetch_add_explicit(&counts->batches, 1, memory_order_relaxed);
        atomic_fetch_add_explicit(&counts->rows_fast, batch->n_rows, memory_order_relaxed);
    }
    return verdict;
}

static enum write_verdict write_late(struct writer *writer, struct ingest_batch *batch)
{
    struct writer_counts *counts = &writer->all->counts;
    size_t n_rows = batch->n_rows;
    size_t n;
    const struct batch_row *newest = newest_of(batch, &n);

    batch_sort_by_day(batch);
    enum write_verdict verdict = write_batch(writer, batch);
    if (verdict == WRITE_DONE) {
        note_newest(writer, batch, newest, n);
        atomic_fetch_add_explicit(&counts->rows_late, n_rows - batch->n_put_off,
                                  memory_order_relaxed);
    }
    return verdict;
}

static bool is_giving_up(struct ingest_writers *all)
{
    (void)pthread_mutex_lock(&all->lock);
    bool answer = all->is_abandoning;
    (void)pthread_mutex_unlock(&all->lock);
    return answer;
}

/* What found its chunk locked goes back into the lane, unless that lasts too long. */
static void put_off(struct writer *writer, struct ingest_ticket *tickets)
{
    int64_t now_us = clock_monotonic_us();

    for (struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
        if (!ticket->is_put_off) {
            continue;
        }
        writer->is_held_up = true;
        ticket->put_off_us = ticket->put_off_us ? ticket->put_off_us : now_us;
        if (now_us - ticket->put_off_us >= WRITE_RETRY_MS * (US_PER_SECOND / 1000) ||
            is_giving_up(writer->all)) {
            end_ticket(writer, ticket, ERR_UNAVAILABLE, "the database cannot take it now");
        }
    }
}

/* Gathers and writes what the tickets hold for this lane. */
static enum write_verdict attempt(void *context, struct ingest_ticket *tickets)
{
    struct writer *writer = context;
    struct ingest_batch *batch;
    struct op op;

    arena_reset(writer->arena);
    op_init(&op, writer->arena, writer->lane == LANE_FAST ? "writer" : "late writer");
    writer->sqlstate[0] = '\0';
    for (struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
        ticket->is_put_off = false;
    }
    if (batch_gather(&op, tickets, writer->lane, &batch)) {
        op_log_fault(&op);
        return WRITE_POISONED;
    }
    batch->scratch = writer->scratch;
    enum write_verdict verdict =
        writer->lane == LANE_FAST ? write_fast(writer, batch) : write_late(writer, batch);
    writer->is_cut_off = verdict == WRITE_RETRY && !writer->sqlstate[0];
    if (verdict != WRITE_DONE) {
        op_log_fault(&op);
    } else {
        put_off(writer, tickets);
    }
    if (verdict == WRITE_RETRY || verdict == WRITE_REFUSED) {
        for (struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
            end_ticket(writer, ticket, ERR_UNAVAILABLE, "the database cannot take it now");
        }
    }
    return verdict;
}

static void give_up(void *context, struct ingest_ticket *ticket)
{
    struct writer *writer = context;
    struct judge_failure failure = judge_request(writer->sqlstate);

    end_ticket(writer, ticket, failure.code, failure.detail);
    series_cache_forget_devices(writer->all->parts.cache, ticket->tenant_id, ticket->columns);
    atomic_fetch_add_explicit(&writer->all->counts.poisoned, 1, memory_order_relaxed);
}

/* ---- threads ---- */

static void tell_commit(void *context)
{
    const struct writer *writer = context;

    ingest_queue_commits(writer->all->parts.queue, writer->taken);
}

static void *writer_thread(void *context)
{
    struct writer *writer = context;
    struct ingest_queue *queue = writer->all->parts.queue;
    const struct judge_bisect bisect = { attempt, give_up, writer };

    for (;;) {
        struct ingest_ticket *tickets = ingest_queue_take(queue, writer->lane);
        if (!tickets) {
            return NULL;
        }
        writer->taken = tickets;
        writer->is_held_up = false;
        judge_bisect(&bisect, tickets);
        tickets->is_held_up = writer->is_held_up;
        arena_reset(writer->arena);
        arena_reset(writer->scratch);
        ingest_queue_finish(queue, writer->lane, tickets);
    }
}

static bool start_one(struct ingest_writers *all, enum ingest_lane lane)
{
    struct writer *writer = &all->writers[all->n];

    writer->all = all;
    writer->lane = lane;
    writer->arena = arena_new(WRITER_ARENA_BYTES);
    writer->scratch = arena_new(WRITER_ARENA_BYTES);
    writer->conn = db_conn_new(&all->parts.db);
    if (writer->conn && lane == LANE_FAST) {
        db_conn_tell_commit(writer->conn, tell_commit, writer);
    }
    if (!writer->arena || !writer->scratch || !writer->conn ||
        pthread_create(&writer->thread, NULL, writer_thread, writer) != 0) {
        arena_free(writer->arena);
        arena_free(writer->scratch);
        db_conn_close(writer->conn);
        return false;
    }
    all->n++;
    return true;
}

struct ingest_writers *ingest_writers_start(const struct writer_parts *parts)
{
    struct arena *arena = arena_new(sizeof(struct ingest_writers) + 64);
    struct ingest_writers *all = arena ? arena_alloc(arena, sizeof *all) : NULL;
    pthread_condattr_t attributes;
    bool is_started = true;

    if (!all) {
        arena_free(arena);
        return NULL;
    }
    all->arena = arena;
    all->parts = *parts;
    (void)pthread_mutex_init(&all->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&all->abandon, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    for (int i = 0; is_started && i < parts->n_fast && all->n < MAX_WRITERS; i++) {
        is_started = start_one(all, LANE_FAST);
    }
    for (int i = 0; is_started && i < parts->n_late && all->n < MAX_WRITERS; i++) {
        is_started = start_one(all, LANE_LATE);
    }
    if (!is_started) {
        ingest_queue_close(parts->queue);
        ingest_writers_stop(all, true);
        return NULL;
    }
    return all;
}

void ingest_writers_stop(struct ingest_writers *all, bool is_abandoning)
{
    if (!all) {
        return;
    }
    if (is_abandoning) {
        (void)pthread_mutex_lock(&all->lock);
        all->is_abandoning = true;
        (void)pthread_cond_broadcast(&all->abandon);
        (void)pthread_mutex_unlock(&all->lock);
    }
    for (int i = 0; i < all->n; i++) {
        (void)pthread_join(all->writers[i].thread, NULL);
        arena_free(all->writers[i].arena);
        arena_free(all->writers[i].scratch);
        db_conn_close(all->writers[i].conn);
    }
    (void)pthread_mutex_destroy(&all->lock);
    (void)pthread_cond_destroy(&all->abandon);
    arena_free(all->arena);
}

struct writer_counts *ingest_writers_counts(struct ingest_writers *all)
{
    return &all->counts;
}

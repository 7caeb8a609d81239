/* The flusher: notes are appended under a mutex, taken over whole by the thread, sorted, of
 * each id the newest kept, written in order of the id. Called by the writers and the service. */
#include "ingest/flush.h"

#include "base/clock.h"
#include "base/limits.h"
#include "gen/queries.h"
#include "ingest/quota.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_NOTES 1024
#define MAX_NOTES 400000        /* of a kind: what two seconds of a busy process leave, and more */
#define NOTES_PER_STATEMENT 10000
#define ARENA_BYTES (256u << 20)

struct notes {
    struct arena *arena;
    struct flush_note *items[FLUSH_KINDS];
    size_t n[FLUSH_KINDS], size[FLUSH_KINDS];
};

struct ingest_flush {
    struct arena *arena;
    struct arena *scratch; /* of one flush */
    struct db_conn *conn;
    struct quotas *quotas; /* or NULL */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool is_stopping;
    struct notes open;   /* under the mutex */
    struct notes taken;  /* the thread's */
};

/* ---- noting ---- */

void ingest_flush_note(struct ingest_flush *flush, enum flush_kind kind,
                       const struct flush_note *notes, size_t n)
{
    struct notes *open = &flush->open;

    (void)pthread_mutex_lock(&flush->lock);
    if (open->n[kind] + n > open->size[kind] && open->n[kind] + n <= MAX_NOTES) {
        size_t size = open->size[kind] ? open->size[kind] : FIRST_NOTES;
        while (size < open->n[kind] + n) {
            size *= 2;
        }
        struct flush_note *moved =
            arena_resize(open->arena, open->items[kind], open->size[kind] * sizeof *moved,
                         size * sizeof *moved);
        if (moved) {
            open->items[kind] = moved;
            open->size[kind] = size;
        }
    }
    for (size_t i = 0; i < n && open->n[kind] < open->size[kind]; i++) {
        struct flush_note *note = &open->items[kind][open->n[kind]];
        *note = notes[i];
        note->order = (uint32_t)open->n[kind]++;
    }
    (void)pthread_mutex_unlock(&flush->lock);
}

/* ---- writing ---- */

static int compare_notes(const void *left, const void *right)
{
    const struct flush_note *a = left, *b = right;

    if (a->tenant_id != b->tenant_id) {
        return a->tenant_id < b->tenant_id ? -1 : 1;
    }
    if (a->id != b->id) {
        return a->id < b->id ? -1 : 1;
    }
    if (a->time_us != b->time_us) {
        return a->time_us < b->time_us ? -1 : 1;
    }
    return (a->order > b->order) - (a->order < b->order);
}

/* Sorts, keeps the last of each id, returns how many are left. */
static size_t settle(struct flush_note *notes, size_t n)
{
    size_t kept = 0;

    qsort(notes, n, sizeof *notes, compare_notes);
    for (size_t i = 0; i < n; i++) {
        bool is_last = i + 1 == n || notes[i].id != notes[i + 1].id ||
                       notes[i].tenant_id != notes[i + 1].tenant_id;
        if (is_last) {
            notes[kept++] = notes[i];
        }
    }
    return kept;
}

struct note_arrays {
    int32_t *tenants, *ids;
    int64_t *times;
    double *values;
};

static bool note_arrays_open(struct note_arrays *arrays, struct arena *arena,
                             const struct flush_note *notes, size_t n)
{
    *arrays = (struct note_arrays){
        .tenants = arena_array(arena, n, sizeof *arrays->tenants),
        .ids = arena_array(arena, n, sizeof *arrays->ids),
        .times = arena_array(arena, n, sizeof *arrays->times),
        .values = arena_array(arena, n, sizeof *arrays->values),
    };
    if (!arrays->tenants || !arrays->ids || !arrays->times || !arrays->values) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        arrays->tenants[i] = notes[i].tenant_id;
        arrays->ids[i] = notes[i].id;
        arrays->times[i] = notes[i].time_us;
        arrays->values[i] = notes[i].value;
    }
    return true;
}

static enum err write_notes(struct db_tx *tx, enum flush_kind kind, const struct flush_note *notes,
                            size_t n)
{
    static const struct db_query *const queries[FLUSH_KINDS] = {
        [FLUSH_SERIES] = &q_ingest_series_last,
        [FLUSH_DEVICE] = &q_ingest_device_seen,
    };
    struct note_arrays arrays;
    struct db_args args;

    if (!note_arrays_open(&arrays, db_op(tx)->arena, notes, n)) {
        return fail_memory(db_op(tx));
    }
    db_args_init(&args, db_op(tx)->arena);
    if (kind == FLUSH_SERIES) {
        db_arg_int_array(&args, arrays.tenants, n);
    }
    db_arg_int_array(&args, arrays.ids, n);
    db_arg_time_array(&args, arrays.times, n);
    if (kind == FLUSH_SERIES) {
        db_arg_double_array(&args, arrays.values, n);
    }
    return db_run(tx, queries[kind], &args, NULL);
}

static enum err write_some(struct ingest_flush *flush, struct op *op, enum flush_kind kind,
                           const struct flush_note *notes, size_t n)
{
    struct db_tx *tx;
    enum err err = db_begin(op, flush->conn, DB_WRITE, 0, &tx);

    if (err) {
        return err;
    }
    err = write_notes(tx, kind, notes, n);
    if (err) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

/* Writes one kind, a statement and a transaction at a time. What the database refuses (a series
 * that was deleted) is found by halving and dropped; what it cannot take now stays. */
static void flush_kind(struct ingest_flush *flush, struct op *op, enum flush_kind kind)
{
    struct flush_note *notes = flush->taken.items[kind];
    size_t n = settle(notes, flush->taken.n[kind]);
    size_t at_once = NOTES_PER_STATEMENT;
    size_t done = 0;

    while (done < n) {
        size_t some = n - done < at_once ? n - done : at_once;
        enum err err = write_some(flush, op, kind, notes + done, some);
        if (err == ERR_UNAVAILABLE) {
            op_log_fault(op);
            break;
        }
        op_clear_fault(op);
        if (err && some > 1) {
            at_once = some / 2;
            continue;
        }
        done += some;
        at_once = err ? NOTES_PER_STATEMENT : at_once;
    }
    memmove(notes, notes + done, (n - done) * sizeof *notes);
    flush->taken.n[kind] = n - done;
}

static bool is_empty(const struct notes *notes)
{
    return notes->n[FLUSH_SERIES] == 0 && notes->n[FLUSH_DEVICE] == 0;
}

/* Takes over what is open, unless the last one could not be written yet. */
static void take_over(struct ingest_flush *flush)
{
    if (!is_empty(&flush->taken)) {
        return;
    }
    arena_reset(flush->taken.arena);
    struct notes fresh = { .arena = flush->taken.arena };
    (void)pthread_mutex_lock(&flush->lock);
    flush->taken = flush->open;
    flush->open = fresh;
    (void)pthread_mutex_unlock(&flush->lock);
}

static void flush_once(struct ingest_flush *flush)
{
    struct op op;

    take_over(flush);
    arena_reset(flush->scratch);
    op_init(&op, flush->scratch, "flush");
    if (flush->quotas) {
        quotas_sync(flush->quotas, &op, flush->conn, clock_now_us());
        op_log_fault(&op);
        op_clear_fault(&op);
    }
    for (int kind = 0; kind < FLUSH_KINDS; kind++) {
        if (flush->taken.n[kind]) {
            flush_kind(flush, &op, (enum flush_kind)kind);
        }
    }
}

/* ---- the thread ---- */

static void wait_for_turn(struct ingest_flush *flush)
{
    int64_t due_us = clock_monotonic_us() + FLUSH_INTERVAL_MS * (US_PER_SECOND / 1000);
    struct timespec due = {
        .tv_sec = (time_t)(due_us / US_PER_SECOND),
        .tv_nsec = (long)(due_us % US_PER_SECOND) * 1000,
    };
    int late = 0;

    while (!flush->is_stopping && !late) {
        late = pthread_cond_timedwait(&flush->stop, &flush->lock, &due);
    }
}

static void *flush_thread(void *context)
{
    struct ingest_flush *flush = context;
    bool is_stopping;

    do {
        (void)pthread_mutex_lock(&flush->lock);
        wait_for_turn(flush);
        is_stopping = flush->is_stopping;
        (void)pthread_mutex_unlock(&flush->lock);
        flush_once(flush);
    } while (!is_stopping);
    flush_once(flush); /* what came while something old was being written */
    return NULL;
}

static void flush_free(struct ingest_flush *flush)
{
    arena_free(flush->open.arena);
    arena_free(flush->taken.arena);
    arena_free(flush->scratch);
    db_conn_close(flush->conn);
    (void)pthread_mutex_destroy(&flush->lock);
    (void)pthread_cond_destroy(&flush->stop);
    arena_free(flush->arena);
}

struct ingest_flush *ingest_flush_start(const struct db_options *options, struct quotas *quotas)
{
    struct arena *arena = arena_new(sizeof(struct ingest_flush) + 64);
    struct ingest_flush *flush = arena ? arena_alloc(arena, sizeof *flush) : NULL;
    pthread_condattr_t attributes;

    if (!flush) {
        arena_free(arena);
        return NULL;
    }
    (void)pthread_mutex_init(&flush->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&flush->stop, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    flush->arena = arena;
    flush->quotas = quotas;
    flush->conn = db_conn_new(options);
    flush->scratch = arena_new(ARENA_BYTES);
    flush->open.arena = arena_new(ARENA_BYTES);
    flush->taken.arena = arena_new(ARENA_BYTES);
    if (!flush->conn || !flush->scratch || !flush->open.arena || !flush->taken.arena ||
        pthread_create(&flush->thread, NULL, flush_thread, flush) != 0) {
        flush_free(flush);
        return NULL;
    }
    return flush;
}

void ingest_flush_stop(struct ingest_flush *flush)
{
    if (!flush) {
        return;
    }
    (void)pthread_mutex_lock(&flush->lock);
    flush->is_stopping = true;
    (void)pthread_cond_broadcast(&flush->stop);
    (void)pthread_mutex_unlock(&flush->lock);
    (void)pthread_join(flush->thread, NULL);
    flush_free(flush);
}

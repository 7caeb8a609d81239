/* The flusher: notes are kept under a mutex, of each id the newest, taken over whole by the thread,
 * written in order of the id. Called by the writers and the service. */
#include "ingest/flush.h"

#include "auth/token.h"
#include "base/clock.h"
#include "base/limits.h"
#include "gen/queries.h"
#include "ingest/hash.h"
#include "ingest/quota.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_NOTES 1024
#define MAX_NOTES 400000        /* of a kind: series of a large fleet, and more */
#define NOTES_PER_STATEMENT 10000
#define ARENA_BYTES (64u << 20)
#define NO_NOTE UINT32_MAX
/* After writing notes we rest so many times as long as that took: of a fleet that keeps us busy
 * each series is written now and then, not with each of its messages. */
#define REST_FACTOR 9
#define LONGEST_REST_US (30 * US_PER_SECOND)

/* The notes of a kind, each id once. */
struct note_set {
    struct flush_note *items;
    uint32_t *slots; /* positions by hash, NO_NOTE for none; twice as many as there is room */
    size_t n, size;  /* of items; a power of two, or 0 */
};

struct notes {
    struct arena *arena;
    struct note_set sets[FLUSH_KINDS];
};

struct ingest_flush {
    struct arena *arena;
    struct arena *scratch; /* of one flush */
    struct db_conn *conn;
    struct quotas *quotas;      /* or NULL */
    struct token_cache *tokens; /* or NULL */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool is_stopping;
    struct notes open;   /* under the mutex */
    struct notes taken;  /* the thread's */
    int64_t due_us;      /* when notes are written next, monotonic; the thread's */
};

/* ---- noting ---- */

/* Where the id stands, or belongs, among the slots. */
static uint32_t *slot_of(const struct note_set *set, const struct flush_note *note)
{
    size_t mask = 2 * set->size - 1;
    uint64_t key = (uint64_t)(uint32_t)note->tenant_id << 32 | (uint32_t)note->id;
    size_t at = (size_t)(ingest_hash_mix(0, key) >> 20) & mask;

    while (set->slots[at] != NO_NOTE && (set->items[set->slots[at]].id != note->id ||
                                         set->items[set->slots[at]].tenant_id != note->tenant_id)) {
        at = (at + 1) & mask;
    }
    return &set->slots[at];
}

/* Makes room for more. False beyond the bounds: what is new is dropped then. */
static bool set_grow(struct note_set *set, struct arena *arena)
{
    size_t size = set->size ? 2 * set->size : FIRST_NOTES;

    if (set->size >= MAX_NOTES) {
        return false;
    }
    struct flush_note *items = arena_resize(arena, set->items, set->size * sizeof *items,
                                            size * sizeof *items);
    if (!items) {
        return false;
    }
    set->items = items;
    uint32_t *slots = arena_resize(arena, set->slots, 2 * set->size * sizeof *slots,
                                   2 * size * sizeof *slots);
    if (!slots) {
        return false;
    }
    memset(slots, 0xff, 2 * size * sizeof *slots); /* NO_NOTE */
    set->slots = slots;
    set->size = size;
    for (size_t i = 0; i < set->n; i++) {
        *slot_of(set, &set->items[i]) = (uint32_t)i;
    }
    return true;
}

static void set_note(struct note_set *set, struct arena *arena, const struct flush_note *note)
{
    bool has_room = set->n < set->size || set_grow(set, arena);

    if (set->size == 0) {
        return;
    }
    uint32_t *slot = slot_of(set, note);
    if (*slot == NO_NOTE && has_room) {
        *slot = (uint32_t)set->n;
        set->items[set->n++] = *note;
    } else if (*slot != NO_NOTE && note->time_us >= set->items[*slot].time_us) {
        set->items[*slot] = *note;
    }
}

void ingest_flush_note(struct ingest_flush *flush, enum flush_kind kind,
                       const struct flush_note *notes, size_t n)
{
    struct notes *open = &flush->open;

    (void)pthread_mutex_lock(&flush->lock);
    for (size_t i = 0; i < n; i++) {
        set_note(&open->sets[kind], open->arena, &notes[i]);
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
    return (a->id > b->id) - (a->id < b->id);
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

    return err ? err : db_end(tx, write_notes(tx, kind, notes, n));
}

/* Writes one kind, a statement and a transaction at a time. What the database refuses (a series
 * that was deleted) is found by halving and dropped; what it cannot take now stays. */
static void flush_kind(struct ingest_flush *flush, struct op *op, enum flush_kind kind)
{
    struct note_set *set = &flush->taken.sets[kind];
    struct flush_note *notes = set->items;
    size_t n = set->n;
    size_t at_once = NOTES_PER_STATEMENT;
    size_t done = 0;

    if (n == 0) {
        return;
    }
    qsort(notes, n, sizeof *notes, compare_notes);
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
    set->n = n - done;
}

static bool is_empty(const struct notes *notes)
{
    return notes->sets[FLUSH_SERIES].n == 0 && notes->sets[FLUSH_DEVICE].n == 0;
}

/* Takes over what is open, unless the last one could not be written yet. */
static void take_over(struct ingest_flush *flush)
{
    if (!is_empty(&flush->taken)) {
        return;
    }
    struct notes fresh = { .arena = flush->taken.arena };
    (void)pthread_mutex_lock(&flush->lock);
    flush->taken = flush->open;
    flush->open = fresh;
    (void)pthread_mutex_unlock(&flush->lock);
}

static void write_all(struct ingest_flush *flush, struct op *op)
{
    int64_t begin_us = clock_monotonic_us();

    take_over(flush);
    for (int kind = 0; kind < FLUSH_KINDS; kind++) {
        flush_kind(flush, op, (enum flush_kind)kind);
    }
    if (!is_empty(&flush->taken)) { /* a failure took the time, not the writing */
        return;
    }
    /* its memory is not kept until the next time */
    arena_reset(flush->taken.arena);
    flush->taken = (struct notes){ .arena = flush->taken.arena };
    int64_t end_us = clock_monotonic_us();
    int64_t rest_us = REST_FACTOR * (end_us - begin_us);
    flush->due_us = end_us + (rest_us < LONGEST_REST_US ? rest_us : LONGEST_REST_US);
}

static void flush_once(struct ingest_flush *flush, bool is_last)
{
    struct op op;

    arena_reset(flush->scratch);
    op_init(&op, flush->scratch, "flush");
    if (flush->quotas) {
        quotas_sync(flush->quotas, &op, flush->conn, clock_now_us());
        op_log_fault(&op);
        op_clear_fault(&op);
    }
    if (flush->tokens && token_note_uses(flush->tokens, &op, flush->conn)) {
        op_log_fault(&op);
        op_clear_fault(&op);
    }
    if (is_last || clock_monotonic_us() >= flush->due_us) {
        write_all(flush, &op);
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
        flush_once(flush, is_stopping);
    } while (!is_stopping);
    flush_once(flush, true); /* what came while something old was being written */
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

struct ingest_flush *ingest_flush_start(const struct db_options *options, struct quotas *quotas,
                                        struct token_cache *tokens)
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
    flush->tokens = tokens;
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

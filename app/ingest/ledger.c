/* Pages of notes: one is filled under a mutex, the other one is the thread's, which writes it.
 * Answers for the bounds of both and for the thread; what a write is, ledger_write says. Called by
 * the service. */
#include "ingest/ledger.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/limits.h"
#include "base/log.h"
#include "ingest/hash.h"
#include "ingest/ledger_page.h"

#include <pthread.h>
#include <time.h>

#define FIRST_HOURS 64 /* a power of two; tenants heard of between two writes */
#define MAX_HOURS (64u << 10)
#define FIRST_REJECTS 64
#define PAGE_ARENA_BYTES (48u << 20)
#define WRITE_ARENA_BYTES (96u << 20)
#define WRITER_ID_SIZE 37 /* a UUID with its NUL */

struct ingest_ledger {
    struct arena *arena, *scratch; /* scratch: of one write */
    struct db_conn *conn;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool is_stopping;
    struct ledger_page open;     /* under the mutex */
    struct ledger_counts counts; /* likewise */
    struct ledger_page taken;    /* the thread's */
    int64_t number;              /* of the page taken last */
    char writer[WRITER_ID_SIZE];
};

/* ---- accounts ---- */

static uint32_t *slot_of(struct ledger_page *page, int32_t tenant_id, int64_t hour_us)
{
    size_t mask = page->hours_size * 2 - 1;
    uint64_t hash = ingest_hash_mix((uint64_t)hour_us, (uint64_t)tenant_id);

    for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
        uint32_t position = page->slots[at];
        if (position == UINT32_MAX || (page->hours[position].tenant_id == tenant_id &&
                                       page->hours[position].hour_us == hour_us)) {
            return &page->slots[at];
        }
    }
}

/* Room for one hour more; false without it. */
static bool grow_hours(struct ledger_page *page)
{
    size_t size = page->hours_size ? page->hours_size * 2 : FIRST_HOURS;

    if (page->n_hours < page->hours_size) {
        return true;
    }
    if (size > MAX_HOURS) {
        return false;
    }
    uint32_t *slots = arena_array(page->arena, size * 2, sizeof *slots);
    struct ledger_hour *hours =
        slots ? arena_resize(page->arena, page->hours, page->hours_size * sizeof *hours,
                             size * sizeof *hours)
              : NULL;
    if (!hours) {
        return false;
    }
    memset(slots, 0xff, size * 2 * sizeof *slots);
    page->hours = hours;
    page->slots = slots;
    page->hours_size = size;
    for (uint32_t i = 0; i < page->n_hours; i++) {
        *slot_of(page, hours[i].tenant_id, hours[i].hour_us) = i;
    }
    return true;
}

/* The tenant's account of this hour, opened where it is new; NULL without room. */
static struct ledger_hour *hour_of(struct ledger_page *page, int32_t tenant_id)
{
    int64_t now_us = clock_now_us();
    int64_t hour_us = now_us - now_us % US_PER_HOUR;

    if (!grow_hours(page)) {
        return NULL;
    }
    uint32_t *slot = slot_of(page, tenant_id, hour_us);
    if (*slot == UINT32_MAX) {
        *slot = (uint32_t)page->n_hours++;
        page->hours[*slot] = (struct ledger_hour){ .tenant_id = tenant_id, .hour_us = hour_us };
    }
    return &page->hours[*slot];
}

static void add_account(struct ledger_hour *hour, const struct ledger_account *account)
{
    for (int i = 0; i < LEDGER_FIGURES; i++) {
        hour->account.figures[i] += account->figures[i];
    }
}

void ingest_ledger_count(struct ingest_ledger *ledger, int32_t tenant_id,
                         const struct ledger_account *account)
{
    (void)pthread_mutex_lock(&ledger->lock);
    struct ledger_hour *hour = hour_of(&ledger->open, tenant_id);
    if (hour) {
        add_account(hour, account);
    }
    (void)pthread_mutex_unlock(&ledger->lock);
}

/* ---- rejections ---- */

static bool grow_rejects(struct ledger_page *page)
{
    size_t size = page->rejects_size ? page->rejects_size * 2 : FIRST_REJECTS;

    if (page->n_rejects < page->rejects_size) {
        return true;
    }
    struct ingest_reject *moved =
        arena_resize(page->arena, page->rejects, page->rejects_size * sizeof *moved,
                     size * sizeof *moved);
    if (moved) {
        page->rejects = moved;
        page->rejects_size = size;
    }
    return moved != NULL;
}

/* Makes *view a copy of itself, or the copy that was made of the same view before. */
static bool keep_text(struct arena *arena, struct str *view, struct str same, struct str copy)
{
    if (!view->ptr || (view->ptr == same.ptr && view->len == same.len)) {
        *view = view->ptr ? copy : *view;
        return true;
    }
    view->ptr = arena_copy(arena, *view);
    return view->ptr != NULL;
}

/* Appends a copy; `before`: the rejection that the last one of the page is a copy of, or NULL. */
static bool append(struct ledger_page *page, const struct ingest_reject *reject,
                   const struct ingest_reject *before)
{
    if (!grow_rejects(page)) {
        return false;
    }
    const struct ingest_reject none = { 0 };
    const struct ingest_reject *same = before ? before : &none;
    const struct ingest_reject *last = before ? &page->rejects[page->n_rejects - 1] : &none;
    struct ingest_reject *copy = &page->rejects[page->n_rejects];
    struct arena *arena = page->arena;

    *copy = *reject;
    bool is_kept = keep_text(arena, &copy->request_id, same->request_id, last->request_id) &&
                   keep_text(arena, &copy->device, same->device, last->device) &&
                   keep_text(arena, &copy->convention, same->convention, last->convention) &&
                   keep_text(arena, &copy->field, same->field, last->field) &&
                   keep_text(arena, &copy->reason, same->reason, last->reason) &&
                   keep_text(arena, &copy->method, same->method, last->method) &&
                   keep_text(arena, &copy->target, same->target, last->target) &&
                   keep_text(arena, &copy->content_type, same->content_type, last->content_type) &&
                   keep_text(arena, &copy->text, same->text, last->text);
    page->n_rejects += is_kept;
    return is_kept;
}

static bool has_room(const struct ledger_page *page, const struct ledger_hour *hour, size_t bytes)
{
    return page->n_rejects < LEDGER_MAX_REJECTS &&
           page->reject_bytes + bytes <= LEDGER_MAX_REJECT_BYTES &&
           hour->kept_rows < LEDGER_MAX_REJECTS / 2 &&
           hour->kept_bytes + bytes <= LEDGER_MAX_REJECT_BYTES / 2;
}

static uint64_t count_items(const struct ingest_reject *rejects, size_t n)
{
    uint64_t items = 0;

    for (size_t i = 0; i < n; i++) {
        items += rejects[i].n_items ? rejects[i].n_items : 1;
    }
    return items;
}

void ingest_ledger_keep(struct ingest_ledger *ledger, const struct ingest_reject *rejects,
                        size_t n)
{
    struct ledger_page *page = &ledger->open;
    size_t kept = 0;

    if (n == 0) {
        return;
    }
    (void)pthread_mutex_lock(&ledger->lock);
    struct ledger_hour *hour = hour_of(page, rejects[0].tenant_id);
    while (hour && kept < n) {
        size_t bytes = rejects[kept].text.len + rejects[kept].reason.len + sizeof *rejects;
        if (!has_room(page, hour, bytes) ||
            !append(page, &rejects[kept], kept ? &rejects[kept - 1] : NULL)) {
            break;
        }
        kept++;
        hour->kept_rows++;
        hour->kept_bytes += bytes;
        page->reject_bytes += bytes;
    }
    uint64_t dropped = count_items(rejects + kept, n - kept);
    if (hour) {
        hour->account.figures[LEDGER_DROPPED] += dropped;
    }
    ledger->counts.kept += count_items(rejects, kept);
    ledger->counts.dropped += dropped;
    (void)pthread_mutex_unlock(&ledger->lock);
}

struct ledger_counts ingest_ledger_counts(struct ingest_ledger *ledger)
{
    (void)pthread_mutex_lock(&ledger->lock);
    struct ledger_counts counts = ledger->counts;
    (void)pthread_mutex_unlock(&ledger->lock);
    return counts;
}

/* ---- the thread ---- */

/* Takes over what is open, unless the last page could not be written yet. */
static void take_over(struct ingest_ledger *ledger)
{
    if (ledger->taken.n_hours) {
        return;
    }
    arena_reset(ledger->taken.arena);
    struct ledger_page fresh = { .arena = ledger->taken.arena };
    (void)pthread_mutex_lock(&ledger->lock);
    ledger->taken = ledger->open;
    ledger->open = fresh;
    (void)pthread_mutex_unlock(&ledger->lock);
    ledger->number++;
}

static void write_once(struct ingest_ledger *ledger)
{
    struct op op;

    take_over(ledger);
    if (ledger->taken.n_hours == 0) {
        return;
    }
    arena_reset(ledger->scratch);
    op_init(&op, ledger->scratch, "ledger");
    enum err err = ledger_page_write(&ledger->taken, &op, ledger->conn, ledger->writer,
                                     ledger->number);
    op_log_fault(&op);
    if (err != ERR_UNAVAILABLE) {
        ledger->taken.n_hours = 0;
    }
    arena_reset(ledger->scratch);
}

static bool wait_for_turn(struct ingest_ledger *ledger)
{
    int64_t due_us = clock_monotonic_us() + FLUSH_INTERVAL_MS * (US_PER_SECOND / 1000);
    struct timespec due = {
        .tv_sec = (time_t)(due_us / US_PER_SECOND),
        .tv_nsec = (long)(due_us % US_PER_SECOND) * 1000,
    };
    int late = 0;

    (void)pthread_mutex_lock(&ledger->lock);
    while (!ledger->is_stopping && !late) {
        late = pthread_cond_timedwait(&ledger->stop, &ledger->lock, &due);
    }
    bool is_stopping = ledger->is_stopping;
    (void)pthread_mutex_unlock(&ledger->lock);
    return !is_stopping;
}

static void *ledger_thread(void *context)
{
    struct ingest_ledger *ledger = context;

    while (wait_for_turn(ledger)) {
        write_once(ledger);
    }
    write_once(ledger);
    write_once(ledger); /* what came while something old was being written */
    return NULL;
}

/* ---- life ---- */

static void make_writer_id(char out[WRITER_ID_SIZE])
{
    uint8_t bytes[16];
    char hex[33];

    crypto_random(bytes, sizeof bytes);
    bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 9562, version 4 */
    bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
    crypto_hex(bytes, sizeof bytes, hex);
    (void)snprintf(out, WRITER_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
                   hex + 16, hex + 20);
}

static void ledger_free(struct ingest_ledger *ledger)
{
    arena_free(ledger->open.arena);
    arena_free(ledger->taken.arena);
    arena_free(ledger->scratch);
    db_conn_close(ledger->conn);
    (void)pthread_mutex_destroy(&ledger->lock);
    (void)pthread_cond_destroy(&ledger->stop);
    arena_free(ledger->arena);
}

struct ingest_ledger *ingest_ledger_start(const struct db_options *options)
{
    struct arena *arena = arena_new(sizeof(struct ingest_ledger) + 64);
    struct ingest_ledger *ledger = arena ? arena_alloc(arena, sizeof *ledger) : NULL;
    pthread_condattr_t attributes;

    if (!ledger) {
        arena_free(arena);
        return NULL;
    }
    (void)pthread_mutex_init(&ledger->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&ledger->stop, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    make_writer_id(ledger->writer);
    ledger->arena = arena;
    ledger->conn = db_conn_new(options);
    ledger->scratch = arena_new(WRITE_ARENA_BYTES);
    ledger->open.arena = arena_new(PAGE_ARENA_BYTES);
    ledger->taken.arena = arena_new(PAGE_ARENA_BYTES);
    if (!ledger->conn || !ledger->scratch || !ledger->open.arena || !ledger->taken.arena ||
        pthread_create(&ledger->thread, NULL, ledger_thread, ledger) != 0) {
        ledger_free(ledger);
        return NULL;
    }
    return ledger;
}

void ingest_ledger_stop(struct ingest_ledger *ledger)
{
    if (!ledger) {
        return;
    }
    (void)pthread_mutex_lock(&ledger->lock);
    ledger->is_stopping = true;
    (void)pthread_cond_broadcast(&ledger->stop);
    (void)pthread_mutex_unlock(&ledger->lock);
    (void)pthread_join(ledger->thread, NULL);
    ledger_free(ledger);
}

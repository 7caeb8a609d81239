/* The importer: a ring of slots, each a chunk of the file with its columns and ticket, so that
 * the next chunk is parsed while the ones before are committed. Answers for cutting the file
 * into whole records and for trying again; called by `tidemark import`. */
#include "ingest/import.h"

#include "base/crypto.h"
#include "base/csv.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 3
#define CHUNK_BYTES (1u << 20)        /* read at once, and the longest record */
#define SLOT_ARENA_BYTES (256u << 20) /* a chunk's events, in the worst case one a few bytes */
#define FIRST_PAUSE_MS 50
#define LONGEST_PAUSE_MS 2000

struct slot {
    struct arena *arena;
    struct op op;
    char *text; /* CHUNK_BYTES, in the arena */
    size_t len;
    struct ingest_columns *columns;
    struct ingest_ticket ticket;
    bool is_waiting; /* submitted, not awaited yet */
};

struct import {
    struct op *op;
    struct ingest_service *service;
    const struct ingest_sender *sender;
    const struct import_options *options;
    struct import_progress *progress;
    struct import_csv csv;
    struct slot slots[SLOTS];
    char *carry;       /* what of a record was read with the chunk before */
    size_t n_carry;
    uint32_t line;     /* of the next record, from 1 */
    bool is_skipping;  /* the rest of an overlong line */
    bool is_end;
};

/* ---- storing ---- */

static void pause_ms(int ms)
{
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    (void)nanosleep(&wait, NULL);
}

/* Submits until it is taken. */
static enum err submit(struct import *import, struct slot *slot, int *patience)
{
    int pause = FIRST_PAUSE_MS;

    for (;;) {
        enum err err =
            ingest_submit(import->service, import->sender, slot->columns, &slot->ticket);
        if (!err_may_pass(err) || *patience <= 0) {
            return err;
        }
        /* nothing tells when a database is back but asking it */
        op_clear_fault(&slot->op);
        pause_ms(pause);
        *patience -= pause;
        pause = pause * 2 < LONGEST_PAUSE_MS ? pause * 2 : LONGEST_PAUSE_MS;
    }
}

static void report(struct import *import, const struct ingest_outcome *outcome)
{
    struct import_progress *progress = import->progress;
    const struct import_options *options = import->options;

    progress->accepted += outcome->accepted;
    progress->duplicates += outcome->duplicates;
    progress->updated += outcome->updated;
    progress->rejected += outcome->rejected;
    for (int i = 0; options->on_reject && i < outcome->n_errors; i++) {
        options->on_reject(options->context, outcome->errors[i].index, outcome->errors[i].detail);
    }
    if (options->on_progress) {
        options->on_progress(options->context, progress);
    }
}

/* The slot's failure becomes the import's. */
static enum err fail_as(struct import *import, const struct slot *slot, enum err err)
{
    return fail(import->op, err, "%s", slot->op.fault.detail);
}

/* Waits for the slot's chunk, sending it again while the database comes and goes. */
static enum err settle(struct import *import, struct slot *slot)
{
    int patience = import->options->patience_ms;
    struct ingest_outcome outcome;

    if (!slot->is_waiting) {
        return OK;
    }
    slot->is_waiting = false;
    for (;;) {
        enum err err = ingest_await(import->service, &slot->ticket, &outcome);
        if (!err) {
            report(import, &outcome);
            return OK;
        }
        if (!err_may_pass(err) || patience <= 0) {
            return fail_as(import, slot, err);
        }
        op_clear_fault(&slot->op);
        pause_ms(FIRST_PAUSE_MS);
        patience -= FIRST_PAUSE_MS;
        err = submit(import, slot, &patience);
        if (err) {
            return fail_as(import, slot, err);
        }
    }
}

/* ---- reading ---- */

static enum err slot_open(struct import *import, struct slot *slot)
{
    const struct import_options *options = import->options;
    int64_t now_us = clock_now_us();
    struct ingest_rules rules = {
        .now_us = now_us, .oldest_us = INT64_MIN,
        .newest_us = now_us + MAX_FUTURE_HOURS * US_PER_HOUR,
        .device = options->device, .max_events = UINT32_MAX,
    };

    crypto_random(&rules.seed, sizeof rules.seed);
    arena_reset(slot->arena);
    op_init(&slot->op, slot->arena, import->op->id);
    slot->text = arena_alloc(slot->arena, CHUNK_BYTES);
    slot->columns = slot->text ? columns_new(&slot->op, &rules) : NULL;
    slot->len = 0;
    return slot->columns ? OK : fail_memory(import->op);
}

/* Fills the slot: what was carried over, then the file. */
static enum err slot_fill(struct import *import, struct slot *slot)
{
    memcpy(slot->text, import->carry, import->n_carry);
    slot->len = import->n_carry;
    import->n_carry = 0;
    while (slot->len < CHUNK_BYTES && !import->is_end) {
        ssize_t n = read(import->options->fd, slot->text + slot->len, CHUNK_BYTES - slot->len);
        if (n < 0 && errno != EINTR) {
            return fail(import->op, ERR_INTERNAL, "reading the file: %s", strerror(errno));
        }
        import->is_end = n == 0;
        if (n > 0) {
            slot->len += (size_t)n;
            import->progress->bytes += (uint64_t)n;
        }
    }
    return OK;
}

/* Length of the record at `text` with its end of line, and its lines; 0: not all is there. */
static size_t record_length(const struct import *import, struct str text, unsigned *lines)
{
    if (import->options->format == IMPORT_CSV) {
        return csv_record(text, import->is_end, lines);
    }
    const char *newline = memchr(text.ptr, '\n', text.len);
    *lines = 1;
    return newline ? (size_t)(newline + 1 - text.ptr) : import->is_end ? text.len : 0;
}

static enum err take_record(struct import *import, struct slot *slot, char *record, size_t len)
{
    if (import->options->format == IMPORT_CSV && import->csv.n_columns == 0) {
        return import_csv_header(&import->csv, import->op, record, len);
    }
    if (import->options->format == IMPORT_CSV) {
        import_csv_record(&import->csv, record, len, import->line, slot->columns);
    } else {
        struct str line = str_trim((struct str){ record, len });
        if (line.len) {
            ingest_read_event_line(line, import->line, slot->columns);
        }
    }
    return slot->columns->broken ? fail_as(import, slot, slot->columns->broken) : OK;
}

/* A record that does not end: its first line is rejected and reading goes on behind it. Returns
 * how much of the text that is. */
static size_t skip_line(struct import *import, struct slot *slot, struct str text)
{
    const char *newline = memchr(text.ptr, '\n', text.len);

    if (!import->is_skipping && columns_begin(slot->columns, import->line)) {
        columns_reject(slot->columns, ERR_TOO_LARGE, NULL,
                       "the record does not end within %u bytes, or a quote is not closed",
                       CHUNK_BYTES);
    }
    import->is_skipping = !newline && !import->is_end;
    import->line += !import->is_skipping;
    return newline ? (size_t)(newline + 1 - text.ptr) : text.len;
}

/* Reads all whole records of the slot and carries the rest over to the next. */
static enum err slot_parse(struct import *import, struct slot *slot)
{
    size_t at = 0;

    while (at < slot->len) {
        struct str rest = { slot->text + at, slot->len - at };
        unsigned lines = 0;
        size_t len = import->is_skipping ? 0 : record_length(import, rest, &lines);
        if (len) {
            enum err err = take_record(import, slot, slot->text + at, len);
            if (err) {
                return err;
            }
            import->line += lines;
        } else if (import->is_skipping || import->is_end || rest.len == CHUNK_BYTES) {
            len = skip_line(import, slot, rest);
        } else {
            memcpy(import->carry, rest.ptr, rest.len);
            import->n_carry = rest.len;
            return OK;
        }
        at += len;
    }
    return OK;
}

/* One chunk: from the file to the queue. */
static enum err step(struct import *import, struct slot *slot)
{
    int patience = import->options->patience_ms;
    enum err err = slot_open(import, slot);

    if (!err) {
        err = slot_fill(import, slot);
    }
    if (!err) {
        err = slot_parse(import, slot);
    }
    if (!err) {
        err = submit(import, slot, &patience);
        slot->is_waiting = !err;
        err = err ? fail_as(import, slot, err) : OK;
    }
    return err;
}

static enum err run(struct import *import)
{
    enum err err = OK;

    for (size_t i = 0; !err && !(import->is_end && import->n_carry == 0); i++) {
        struct slot *slot = &import->slots[i % SLOTS];
        err = settle(import, slot);
        if (!err) {
            err = step(import, slot);
        }
    }
    for (size_t i = 0; i < SLOTS; i++) {
        /* also after a failure: the writers still hold what was submitted */
        enum err settled = settle(import, &import->slots[i]);
        err = err ? err : settled;
    }
    return err;
}

enum err import_run(struct op *op, struct ingest_service *service,
                    const struct ingest_sender *sender, const struct import_options *options,
                    struct import_progress *out)
{
    struct import *import = arena_alloc(op->arena, sizeof *import);

    *out = (struct import_progress){ .bytes = 0 };
    if (!import) {
        return fail_memory(op);
    }
    import->op = op;
    import->service = service;
    import->sender = sender;
    import->options = options;
    import->progress = out;
    import->line = 1;
    import->csv.time_column = options->time_column;
    import->csv.device_column = options->device_column;
    import->csv.zone = options->zone;
    import->carry = arena_alloc(op->arena, CHUNK_BYTES);
    bool is_ready = import->carry != NULL;
    for (size_t i = 0; i < SLOTS; i++) {
        import->slots[i].arena = arena_new(SLOT_ARENA_BYTES);
        is_ready = is_ready && import->slots[i].arena;
    }
    enum err err = is_ready ? run(import) : fail_memory(op);
    for (size_t i = 0; i < SLOTS; i++) {
        arena_free(import->slots[i].arena);
    }
    return err;
}

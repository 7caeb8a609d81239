/* The service: owns queue, cache, writers and flusher, and takes a request from its body to its
 * outcome. Answers for the order of things and for what a sender may do; formats read and
 * answer, the writers store. Called by serve's ingest process and by `tidemark import`. */
#include "ingest/service.h"

#include "base/clock.h"
#include "domain/zone.h"
#include "ingest/dry_run.h"
#include "ingest/writer.h"

struct service_counts {
    _Atomic uint64_t requests, accepted, duplicates, updated, rejected;
};

struct ingest_service {
    struct arena *arena;
    struct ingest_options options;
    struct ingest_queue *queue;
    struct series_cache *cache;
    struct ingest_flush *flush;
    struct ingest_writers *writers;
    struct service_counts counts;
};

/* ---- life ---- */

static void service_free(struct ingest_service *service)
{
    ingest_flush_stop(service->flush);
    ingest_queue_free(service->queue);
    series_cache_free(service->cache);
    arena_free(service->arena);
}

struct ingest_service *ingest_start(const struct ingest_options *options)
{
    struct arena *arena = arena_new(sizeof(struct ingest_service) + 64);
    struct ingest_service *service = arena ? arena_alloc(arena, sizeof *service) : NULL;

    if (!service) {
        arena_free(arena);
        return NULL;
    }
    service->arena = arena;
    service->options = *options;
    service->queue = ingest_queue_new(options->queue_bytes);
    service->cache = series_cache_new(SERIES_CACHE_MAX);
    service->flush = ingest_flush_start(&options->db);
    if (service->queue && service->cache && service->flush) {
        const struct writer_parts parts = {
            .queue = service->queue, .cache = service->cache, .flush = service->flush,
            .db = options->db, .n_fast = INGEST_WRITERS, .n_late = INGEST_LATE_WRITERS,
        };
        service->writers = ingest_writers_start(&parts);
    }
    if (!service->writers) {
        service_free(service);
        return NULL;
    }
    return service;
}

void ingest_stop(struct ingest_service *service, int drain_ms)
{
    if (!service) {
        return;
    }
    int64_t deadline_us = clock_monotonic_us() + drain_ms * (US_PER_SECOND / 1000);
    ingest_queue_close(service->queue);
    bool is_drained = ingest_queue_drain(service->queue, deadline_us);
    ingest_writers_stop(service->writers, !is_drained);
    service_free(service);
}

/* ---- storing ---- */

static void count_outcome(const struct ingest_columns *columns, struct ingest_outcome *out)
{
    size_t shown = columns->n_errors < MAX_ITEM_ERRORS ? columns->n_errors : MAX_ITEM_ERRORS;

    *out = (struct ingest_outcome){ .rejected = columns->n_rejected, .errors = columns->errors,
                                    .n_errors = (int)shown };
    for (size_t i = 0; i < columns->n_events; i++) {
        const struct ingest_event *event = &columns->events[i];
        if (event->is_rejected) {
            continue;
        }
        if (event->outcome & INGEST_NEW) {
            out->accepted++;
        } else if (event->outcome & INGEST_UPDATED) {
            out->updated++;
        } else {
            out->duplicates++;
        }
    }
}

static void add_to_stats(struct service_counts *counts, const struct ingest_outcome *out)
{
    atomic_fetch_add_explicit(&counts->accepted, out->accepted, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->duplicates, out->duplicates, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->updated, out->updated, memory_order_relaxed);
    atomic_fetch_add_explicit(&counts->rejected, out->rejected, memory_order_relaxed);
}

/* Notes when the devices of a stored ticket were last heard of. */
static void note_seen(struct ingest_service *service, const struct ingest_ticket *ticket)
{
    const struct ingest_columns *columns = ticket->columns;
    int64_t now_us = columns->rules.now_us;
    struct flush_note *notes =
        arena_array(columns->op->arena, columns->n_devices + 1, sizeof *notes);
    size_t n = 0;

    if (!notes) {
        return; /* a time seen is not worth failing what is stored */
    }
    for (size_t i = 0; i < columns->n_devices; i++) {
        notes[i].time_us = ticket->is_live ? now_us : INT64_MIN;
    }
    for (size_t i = 0; !ticket->is_live && i < columns->n_events; i++) {
        const struct ingest_event *event = &columns->events[i];
        int64_t *seen_us = &notes[event->device].time_us;
        int64_t time_us = event->time_us < now_us ? event->time_us : now_us;
        *seen_us = *seen_us > time_us ? *seen_us : time_us;
    }
    for (size_t i = 0; i < columns->n_devices; i++) {
        if (columns->devices[i].id && notes[i].time_us != INT64_MIN) {
            notes[n].id = columns->devices[i].id;
            notes[n++].time_us = notes[i].time_us;
        }
    }
    ingest_flush_note(service->flush, FLUSH_DEVICE, notes, n);
}

static void ticket_init(struct ingest_ticket *ticket, const struct ingest_sender *sender,
                        struct ingest_columns *columns)
{
    *ticket = (struct ingest_ticket){
        .columns = columns, .tenant_id = sender->tenant_id, .is_live = sender->is_live,
        .bytes = columns_bytes(columns), .on_done = ticket->on_done, .context = ticket->context,
    };
}

static struct resolve resolve_of(struct ingest_service *service,
                                 const struct ingest_sender *sender,
                                 struct ingest_columns *columns)
{
    return (struct resolve){ .op = columns->op, .columns = columns, .cache = service->cache,
                             .tenant_id = sender->tenant_id,
                             .may_register = sender->may_register };
}

enum err ingest_submit(struct ingest_service *service, const struct ingest_sender *sender,
                       struct ingest_columns *columns, struct ingest_ticket *ticket)
{
    const struct resolve resolve = resolve_of(service, sender, columns);
    enum err err = columns_seal(columns);

    if (err) {
        return err;
    }
    ticket_init(ticket, sender, columns);
    if (columns->n_events == 0) {
        return OK;
    }
    err = ingest_resolve(&resolve, service->options.pool);
    if (err) {
        return err;
    }
    ticket->is_queued = true; /* before it is pushed: it may be done at once */
    err = ingest_queue_push(service->queue, ticket);
    if (err) {
        ticket->is_queued = false;
    }
    return err;
}

enum err ingest_await(struct ingest_service *service, struct ingest_ticket *ticket,
                      struct ingest_outcome *out)
{
    if (ticket->is_queued) {
        ingest_queue_wait(service->queue, ticket);
        if (ticket->result) {
            return fail(ticket->columns->op, ticket->result, "%s", ticket->detail);
        }
        note_seen(service, ticket);
    }
    count_outcome(ticket->columns, out);
    add_to_stats(&service->counts, out);
    return OK;
}

/* ---- requests ---- */

static enum err check_media_type(struct http_request *request, const struct ingest_format *format)
{
    if (!format->media_types || request->method == HTTP_GET) {
        return OK;
    }
    for (const char *const *type = format->media_types; *type; type++) {
        if (str_equal(request->content_type, str_of(*type))) {
            return OK;
        }
    }
    return fail(request->op, ERR_MEDIA_TYPE, "this content type is not known here");
}

static struct ingest_rules rules_of(const struct ingest_service *service,
                                    const struct identity *who, const struct ingest_format *format)
{
    int64_t now_us = clock_now_us();
    int raw_days = who->raw_days ? who->raw_days : service->options.raw_days;

    return (struct ingest_rules){
        .now_us = now_us,
        .newest_us = now_us + MAX_FUTURE_HOURS * US_PER_HOUR,
        .oldest_us = who->is_backfill ? INT64_MIN : now_us - raw_days * US_PER_DAY,
        .device = who->device_id ? str_of(who->device_key) : (struct str){ 0 },
        .is_device_bound = who->device_id != 0,
        .max_events = format->max_events ? format->max_events : MAX_BATCH_EVENTS,
    };
}

/* What is neither yes nor no is refused: who asks to store nothing must not be misread. */
static enum err read_dry_run(const struct http_request *request, bool *is_dry)
{
    struct str value = http_query(request, "dry_run");

    *is_dry = str_equal(value, STR("1")) || str_equal(value, STR("true"));
    if (*is_dry || value.ptr == NULL || str_equal(value, STR("0")) ||
        str_equal(value, STR("false"))) {
        return OK;
    }
    return fail(request->op, ERR_INVALID, "dry_run: must be 0 or 1");
}

/* A request that was understood, from its columns to its answer. */
struct ingest_pending {
    struct http_request *request;
    const struct ingest_format *format;
    struct ingest_columns *columns;
    struct ingest_ticket ticket;
    bool is_dry_run;
};

static enum err dry_run(struct ingest_service *service, const struct ingest_sender *sender,
                        struct ingest_pending *pending)
{
    const struct resolve resolve = resolve_of(service, sender, pending->columns);
    enum err err = columns_seal(pending->columns);

    ticket_init(&pending->ticket, sender, pending->columns);
    if (!err && pending->columns->n_events) {
        err = ingest_dry_run(&resolve, &pending->ticket, service->options.pool);
    }
    return err;
}

#define ZONE_WAIT_MS 2000
#define ZONE_YEARS 30 /* back, for those who may send any age */

/* The offsets of the tenant's zone over all times that may be sent. */
static enum err load_zone(struct ingest_service *service, const struct identity *who,
                          struct op *op, struct ingest_rules *rules)
{
    struct zone *zone = arena_alloc(op->arena, sizeof *zone);
    int64_t from_us = rules->oldest_us == INT64_MIN
                          ? rules->now_us - ZONE_YEARS * 366 * US_PER_DAY
                          : rules->oldest_us - 2 * US_PER_DAY;
    struct db_conn *conn;
    struct db_tx *tx;
    enum err err =
        zone ? db_pool_take(service->options.pool, op, ZONE_WAIT_MS, &conn) : fail_memory(op);

    if (err) {
        return err;
    }
    err = db_begin(op, conn, DB_READ, who->tenant_id, &tx);
    if (!err) {
        err = zone_load(tx, who->tenant_timezone, from_us, rules->newest_us + 2 * US_PER_DAY,
                        zone);
        db_rollback(tx);
    }
    db_pool_give(service->options.pool, conn);
    rules->zone = zone;
    return err;
}

/* Body and columns. */
static enum err read_request(struct ingest_service *service, const struct identity *who,
                             struct ingest_pending *pending)
{
    struct ingest_rules rules = rules_of(service, who, pending->format);
    struct http_request *request = pending->request;
    struct str body;
    enum err err = check_media_type(request, pending->format);

    if (!err) {
        err = read_dry_run(request, &pending->is_dry_run);
    }
    if (!err) {
        err = http_read_decoded_body(request, MAX_INGEST_BODY_BYTES, &body);
    }
    if (!err && pending->format->needs_zone) {
        err = load_zone(service, who, request->op, &rules);
    }
    if (err) {
        return err;
    }
    pending->columns = columns_new(request->op, &rules);
    return pending->columns ? pending->format->parse(request, body, pending->columns)
                            : ERR_INTERNAL;
}

enum err ingest_begin(struct ingest_service *service, struct http_request *request,
                      const struct identity *who, const struct ingest_format *format,
                      const struct ingest_notice *notice, struct ingest_pending **out)
{
    const struct ingest_sender sender = { .tenant_id = who->tenant_id,
                                          .may_register = who->may_register, .is_live = true };
    struct ingest_pending *pending = arena_alloc(request->op->arena, sizeof *pending);

    if (!pending) {
        return fail_memory(request->op);
    }
    pending->request = request;
    pending->format = format;
    if (notice) {
        pending->ticket.on_done = notice->on_done;
        pending->ticket.context = notice->context;
    }
    enum err err = read_request(service, who, pending);
    if (!err) {
        err = pending->is_dry_run
                  ? dry_run(service, &sender, pending)
                  : ingest_submit(service, &sender, pending->columns, &pending->ticket);
    }
    if (!request->op->would_wait) {
        atomic_fetch_add_explicit(&service->counts.requests, 1, memory_order_relaxed);
    }
    *out = pending;
    return err;
}

bool ingest_is_queued(const struct ingest_pending *pending)
{
    return pending->ticket.is_queued;
}

enum err ingest_end(struct ingest_service *service, struct ingest_pending *pending,
                    struct http_response *response)
{
    struct ingest_outcome outcome;
    enum err err = OK;

    if (pending->is_dry_run) {
        count_outcome(pending->columns, &outcome);
        outcome.is_dry_run = true;
    } else {
        err = ingest_await(service, &pending->ticket, &outcome);
    }
    return err ? err : pending->format->answer(pending->request, &outcome, response);
}

/* ---- statistics ---- */

static uint64_t get(_Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void ingest_read_stats(struct ingest_service *service, struct ingest_stats *out)
{
    struct service_counts *counts = &service->counts;
    struct writer_counts *written = ingest_writers_counts(service->writers);
    struct ingest_queue_counts queue = ingest_queue_count(service->queue);

    *out = (struct ingest_stats){
        .requests = get(&counts->requests), .accepted = get(&counts->accepted),
        .duplicates = get(&counts->duplicates), .updated = get(&counts->updated),
        .rejected = get(&counts->rejected), .rows_fast = get(&written->rows_fast),
        .rows_late = get(&written->rows_late), .batches = get(&written->batches),
        .retries = get(&written->retries), .poisoned = get(&written->poisoned),
        .refused = queue.refused, .queue_bytes = queue.waiting_bytes,
        .series_cached = series_cache_count(service->cache),
        .commit_seconds = (double)get(&written->commit_us) / 1e6,
    };
}

/* The service: owns queue, cache, writers and flusher, and takes a request from its body to its
 * outcome. Answers for the order of things and for what a sender may do; formats read and
 * answer, the writers store. Called by serve's ingest process and by `tidemark import`. */
#include "ingest/service.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "ingest/dry_run.h"
#include "ingest/ledger.h"
#include "ingest/name_feed.h"
#include "ingest/quota.h"
#include "ingest/reject.h"
#include "ingest/replay.h"
#include "ingest/room.h"
#include "ingest/rules.h"
#include "ingest/writer.h"

struct service_counts {
    _Atomic uint64_t requests, received, accepted, duplicates, updated, rejected;
};

struct ingest_service {
    struct arena *arena;
    struct ingest_options options;
    struct ingest_queue *queue;
    struct series_cache *cache;
    struct name_feed *feed;
    struct ingest_flush *flush;
    struct ingest_ledger *ledger;
    struct ingest_writers *writers;
    struct ingest_replay *replay; /* NULL: nothing is replayed */
    struct service_counts counts;
    struct dry_runs dry_runs;
};

/* ---- life ---- */

static void service_free(struct ingest_service *service)
{
    ingest_ledger_stop(service->ledger);
    ingest_flush_stop(service->flush);
    ingest_queue_free(service->queue);
    name_feed_stop(service->feed);
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
    dry_runs_init(&service->dry_runs);
    crypto_random(&service->options.seed, sizeof service->options.seed);
    service->queue = ingest_queue_new(options->queue_bytes);
    service->cache = series_cache_new(SERIES_CACHE_MAX);
    service->flush = ingest_flush_start(&options->db, options->quotas, options->tokens);
    service->ledger = ingest_ledger_start(&options->db);
    service->feed = service->cache
                        ? name_feed_start(&options->db, service->cache, options->tokens)
                        : NULL;
    if (service->queue && service->feed && service->flush && service->ledger) {
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
    if (options->find_format) {
        service->replay = ingest_replay_start(service, &service->options);
        if (!service->replay) {
            ingest_stop(service, 0);
            return NULL;
        }
    }
    return service;
}

void ingest_stop(struct ingest_service *service, int drain_ms)
{
    if (!service) {
        return;
    }
    ingest_replay_stop(service->replay);
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
        if (event->is_rejected || event->is_start) {
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

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* Enters an answered request into the accounts: `received` items, told apart in `out`. */
static void count_items(struct ingest_service *service, int32_t tenant_id, uint32_t received,
                        const struct ingest_outcome *out, bool is_replay)
{
    struct service_counts *counts = &service->counts;
    const struct ledger_account account = {
        .figures = { [LEDGER_RECEIVED] = received, [LEDGER_ACCEPTED] = out->accepted,
                     [LEDGER_DUPLICATES] = out->duplicates, [LEDGER_UPDATED] = out->updated,
                     [LEDGER_REJECTED] = out->rejected,
                     [LEDGER_REPLAYED] = is_replay ? received : 0 },
    };

    add(&counts->received, received);
    add(&counts->accepted, out->accepted);
    add(&counts->duplicates, out->duplicates);
    add(&counts->updated, out->updated);
    add(&counts->rejected, out->rejected);
    ingest_ledger_count(service->ledger, tenant_id, &account);
}

/* Whether the failure is none of the request's own, so that it may be sent again as it is. */
static bool is_later(enum err err)
{
    int status = err_row(err)->status;

    return status == 429 || status >= 500;
}

void ingest_count_failure(struct ingest_service *service, const struct ingest_sender *sender,
                          enum err err)
{
    static const struct ingest_outcome rejected = { .rejected = 1 };
    static const struct ledger_account refused = { .figures = { [LEDGER_REFUSED] = 1 } };

    if (!is_later(err)) {
        count_items(service, sender->tenant_id, 1, &rejected, sender->is_replay);
    } else if (!sender->is_replay) {
        ingest_ledger_count(service->ledger, sender->tenant_id, &refused);
    }
}

struct ingest_ledger *ingest_ledger_of(const struct ingest_service *service)
{
    return service->ledger;
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
        .is_replay = sender->is_replay, .bytes = arena_used(columns->op->arena),
        .on_done = ticket->on_done, .context = ticket->context, .room = ticket->room,
    };
}

static struct resolve resolve_of(struct ingest_service *service,
                                 const struct ingest_sender *sender,
                                 struct ingest_columns *columns)
{
    return (struct resolve){ .op = columns->op, .columns = columns, .cache = service->cache,
                             .quotas = service->options.quotas,
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
    room_unweigh(columns->op); /* the ticket has its weight */
    ticket_init(ticket, sender, columns);
    if (columns->n_events == 0) {
        return OK;
    }
    err = ingest_resolve(&resolve, service->options.pool);
    if (err || columns->n_events == 0) {
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
        quotas_count(service->options.quotas, ticket->tenant_id, ticket->columns);
    }
    count_outcome(ticket->columns, out);
    count_items(service, ticket->tenant_id, ticket->columns->n_items, out, ticket->is_replay);
    return OK;
}

/* ---- requests ---- */

enum err ingest_reserve(struct ingest_service *service, struct op *op, int32_t tenant_id,
                        size_t body_bytes, struct queue_room **out)
{
    /* the longest body still finds room beside one tenant that floods */
    size_t most = service->options.queue_bytes / (tenant_id ? 2 : QUEUE_UNKNOWN_PART);

    return room_reserve(service->queue, op, tenant_id, body_bytes, most, out);
}

enum err ingest_weigh(struct ingest_service *service, struct op *op, const int32_t *tenant_id,
                      struct queue_room **room)
{
    return room_weigh(service->queue, op, tenant_id, room);
}

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

bool ingest_is_dry_run(const struct http_request *request)
{
    struct str value = http_query(request, "dry_run");

    return str_equal(value, STR("1")) || str_equal(value, STR("true"));
}

/* What is neither yes nor no is refused: who asks to store nothing must not be misread. */
static enum err read_dry_run(const struct http_request *request, bool *is_dry)
{
    struct str value = http_query(request, "dry_run");

    *is_dry = ingest_is_dry_run(request);
    if (*is_dry || value.ptr == NULL || str_equal(value, STR("0")) ||
        str_equal(value, STR("false"))) {
        return OK;
    }
    return fail(request->op, ERR_INVALID, "dry_run: must be 0 or 1");
}

/* A request that was understood, from its columns to its answer. */
struct ingest_pending {
    struct reject_context from; /* the request, and who sent it when */
    struct ingest_sender sender;
    struct ingest_columns *columns;
    struct ingest_ticket ticket;
    bool is_dry_run;
};

static enum err dry_run(struct ingest_service *service, struct ingest_pending *pending)
{
    const struct resolve resolve = resolve_of(service, &pending->sender, pending->columns);
    enum err err = columns_seal(pending->columns);

    ticket_init(&pending->ticket, &pending->sender, pending->columns);
    if (!err && pending->columns->n_events) {
        err = ingest_dry_run(&resolve, &pending->ticket, service->options.pool);
    }
    return err;
}

/* Body and columns. */
static enum err read_request(struct ingest_service *service, struct ingest_pending *pending)
{
    const struct reject_context *from = &pending->from;
    struct http_request *request = from->request;
    struct ingest_rules rules;
    struct str body;
    enum err err = read_dry_run(request, &pending->is_dry_run);

    if (!err && pending->is_dry_run) {
        err = dry_runs_enter(&service->dry_runs, request->op, pending->sender.tenant_id);
    }
    if (!err) {
        err = check_media_type(request, from->format);
    }
    if (!err) {
        err = http_read_decoded_body(request, MAX_INGEST_BODY_BYTES, &body);
    }
    if (!err) {
        err = ingest_rules_make(&service->options, request->op, from->who, from->format,
                                from->time_us, &rules);
    }
    if (err) {
        return err;
    }
    pending->columns = columns_new(request->op, &rules);
    return pending->columns ? from->format->parse(request, body, pending->columns)
                            : ERR_INTERNAL;
}

/* A request that came to nothing: into the accounts, and kept where it is the request's fault. */
static enum err note_failure(struct ingest_service *service, const struct ingest_pending *pending,
                             enum err err)
{
    if (!pending->is_dry_run) {
        ingest_count_failure(service, &pending->sender, err);
        if (!is_later(err)) {
            ingest_reject_body(&pending->from);
        }
    }
    return err;
}

static enum err begin(struct ingest_service *service, struct ingest_pending *pending)
{
    struct op *op = pending->from.request->op;
    enum err err = op_settle(op, read_request(service, pending));

    if (!err) {
        err = pending->is_dry_run ? dry_run(service, pending)
                                  : ingest_submit(service, &pending->sender, pending->columns,
                                                  &pending->ticket);
        err = err ? op_settle(op, err) : OK;
    }
    if (op->would_wait) {
        return err; /* it will be begun anew */
    }
    add(&service->counts.requests, 1);
    return err ? note_failure(service, pending, err) : OK;
}

enum err ingest_begin(struct ingest_service *service, struct http_request *request,
                      const struct identity *who, const struct ingest_format *format,
                      const struct ingest_notice *notice, struct ingest_pending **out)
{
    struct ingest_pending *pending = arena_alloc(request->op->arena, sizeof *pending);

    if (!pending) {
        return fail_memory(request->op);
    }
    pending->from = (struct reject_context){ .ledger = service->ledger, .request = request,
                                             .who = who, .format = format,
                                             .time_us = clock_now_us() };
    pending->sender = (struct ingest_sender){ .tenant_id = who->tenant_id,
                                              .may_register = who->may_register,
                                              .is_live = true };
    if (notice) {
        pending->ticket.on_done = notice->on_done;
        pending->ticket.context = notice->context;
        pending->ticket.room = notice->room;
    }
    *out = pending;
    return begin(service, pending);
}

bool ingest_is_queued(const struct ingest_pending *pending)
{
    return pending->ticket.is_queued;
}

enum err ingest_end(struct ingest_service *service, struct ingest_pending *pending,
                    struct http_response *response)
{
    struct http_request *request = pending->from.request;
    struct ingest_outcome outcome = { 0 };

    if (pending->is_dry_run) {
        count_outcome(pending->columns, &outcome);
        outcome.is_dry_run = true;
        return pending->from.format->answer(request, &outcome, response);
    }
    enum err err = ingest_await(service, &pending->ticket, &outcome);
    if (err) {
        return note_failure(service, pending, err);
    }
    if (outcome.rejected) {
        ingest_reject_items(&pending->from, pending->columns);
    }
    return pending->from.format->answer(request, &outcome, response);
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
    struct ledger_counts rejects = ingest_ledger_counts(service->ledger);

    *out = (struct ingest_stats){
        .requests = get(&counts->requests), .received = get(&counts->received),
        .rejects_kept = rejects.kept, .rejects_dropped = rejects.dropped,
        .accepted = get(&counts->accepted),
        .duplicates = get(&counts->duplicates), .updated = get(&counts->updated),
        .rejected = get(&counts->rejected), .rows_fast = get(&written->rows_fast),
        .rows_late = get(&written->rows_late), .batches = get(&written->batches),
        .retries = get(&written->retries), .poisoned = get(&written->poisoned),
        .refused = queue.refused, .queue_bytes = queue.waiting_bytes,
        .series_cached = series_cache_count(service->cache),
        .limited_token = quotas_refused(service->options.quotas, QUOTA_TOKEN_RATE),
        .limited_tenant = quotas_refused(service->options.quotas, QUOTA_REQUEST_RATE),
        .limited_rows = quotas_refused(service->options.quotas, QUOTA_ROWS),
        .limited_series = quotas_refused(service->options.quotas, QUOTA_SERIES),
    };
}

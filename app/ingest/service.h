/* Ingest as the process that serves it, and `tidemark import`, see it: start, store, stop. All
 * of it may be called from many threads at once, but for starting and stopping. */
#ifndef TIDEMARK_INGEST_SERVICE_H
#define TIDEMARK_INGEST_SERVICE_H

#include "auth/identity.h"
#include "db/conn.h"
#include "ingest/format.h"
#include "ingest/ticket.h"

struct ingest_service;
struct token_cache;

struct ingest_options {
    struct db_options db;   /* for the role ingest; the strings outlive the service */
    struct db_pool *pool;   /* where requests take connections from; outlives the service */
    int raw_days;           /* retention of samples of tenants without one of their own */
    size_t queue_bytes;     /* QUEUE_MAX_BYTES but for tests */
    struct token_cache *tokens; /* kept true, and their uses noted; outlives it. NULL: none */
    struct ingest_adapters *adapters; /* NULL: conventions are taken as they are */
    struct quotas *quotas;  /* counts what is stored; NULL: nobody has limits */
    uint64_t seed;          /* of hashes of what senders name; set by ingest_start */
    /* The format of a request's address, whose {names} it captures; NULL for none. Without this
     * nothing is replayed. */
    const struct ingest_format *(*find_format)(struct http_request *request);
};

/* Starts the writers; they connect when there is work. NULL without memory or threads. */
struct ingest_service *ingest_start(const struct ingest_options *options);

/* Refuses new work, writes what was taken for at most `drain_ms`, then gives up on the rest,
 * flushes, frees. No ingest_handle may be running any more that has not got its answer. */
void ingest_stop(struct ingest_service *service, int drain_ms);

struct queue_room;

/* Promises a request of the tenant (0: not known yet) room among those that are read and wait to be
 * written, by its body's length, until its op's arena is reset. ERR_UNAVAILABLE when there is
 * none: the body need not be read. */
enum err ingest_reserve(struct ingest_service *service, struct op *op, int32_t tenant_id,
                        size_t body_bytes, struct queue_room **out) MUST_CHECK;

/* Weighs what the op's arena hands out from now on, until it is queued: what is more than `*room`
 * (NULL: little, which is nobody's) asks for more, for the tenant that `*tenant_id` says then
 * (0: not known yet). ERR_UNAVAILABLE of ingest_begin when there is none. */
enum err ingest_weigh(struct ingest_service *service, struct op *op, const int32_t *tenant_id,
                      struct queue_room **room) MUST_CHECK;

/* Told when a request is committed, or is known not to be; perhaps before ingest_begin returns, on
 * a thread that must not be held up. */
struct ingest_notice {
    void (*on_done)(void *context);
    void *context;
    struct queue_room *room; /* that the request has; NULL: none */
};

/* True for a request that asks to store nothing. */
bool ingest_is_dry_run(const struct http_request *request);

struct ingest_pending; /* a request that was read; in its op's arena */

/* Reads one request of `format` and hands it to the writers. With a `notice` of a request that was
 * queued, ingest_end is to be called after it was given; else at once, and it waits. Failures
 * are recorded in request->op, to be answered by format->answer_error; where op->would_wait, the
 * same request may be begun anew by a thread that may wait. */
enum err ingest_begin(struct ingest_service *service, struct http_request *request,
                      const struct identity *who, const struct ingest_format *format,
                      const struct ingest_notice *notice, struct ingest_pending **out) MUST_CHECK;

/* True for a request whose notice will be, or was, given. */
bool ingest_is_queued(const struct ingest_pending *pending);

/* Fills the response of what began well. A failure is recorded and answered as above. 2xx means
 * committed. */
enum err ingest_end(struct ingest_service *service, struct ingest_pending *pending,
                    struct http_response *response) MUST_CHECK;

/* ---- for those who bring their own columns ---- */

struct ingest_sender {
    int32_t tenant_id;
    bool may_register; /* unknown devices and sites */
    bool is_live;      /* hearing of a device now means it is alive now; else as of its times */
    bool is_replay;    /* for the accounts */
};

/* Resolves and queues the columns; `ticket` is the caller's to keep until ingest_await. Columns
 * without a single event are done at once. ERR_UNAVAILABLE: try again later. */
enum err ingest_submit(struct ingest_service *service, const struct ingest_sender *sender,
                       struct ingest_columns *columns, struct ingest_ticket *ticket) MUST_CHECK;

/* Waits until the ticket is committed and counts its events. */
enum err ingest_await(struct ingest_service *service, struct ingest_ticket *ticket,
                      struct ingest_outcome *out) MUST_CHECK;

/* Enters a request into the accounts that failed as a whole: as one rejected item, or as one that
 * is to be sent again. */
void ingest_count_failure(struct ingest_service *service, const struct ingest_sender *sender,
                          enum err err);

/* The ledger, for who keeps rejections. */
struct ingest_ledger *ingest_ledger_of(const struct ingest_service *service);

/* ---- statistics, since the start ---- */

struct ingest_stats {
    /* items but for requests; received = accepted + duplicates + updated + rejected */
    uint64_t requests, received, accepted, duplicates, updated, rejected;
    uint64_t rejects_kept, rejects_dropped; /* of those rejected */
    uint64_t rows_fast, rows_late, batches, retries, poisoned;
    uint64_t refused;       /* requests that found the queue full */
    uint64_t queue_bytes;   /* now */
    uint64_t series_cached; /* now */
    uint64_t limited_token, limited_tenant, limited_rows, limited_series; /* by ingest/quota.h */
};
void ingest_read_stats(struct ingest_service *service, struct ingest_stats *out);

#endif

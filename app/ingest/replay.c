/* The thread that replays: takes some rejections from the database, which nobody else gets for a
 * minute, makes the request of each again from what was kept, parses it by its own format, stores
 * all of them by the same way as requests, and says what became of each. A process killed on the
 * way leaves them to the next, which finds duplicates. Started by the service. */
#include "ingest/replay.h"

#include "base/clock.h"
#include "base/limits.h"
#include "gen/queries.h"
#include "http/transport.h"
#include "ingest/packed.h"
#include "ingest/reject.h"
#include "ingest/rules.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define AT_ONCE 16 /* are claimed, and share their commits */
#define AT_ONCE_BYTES (1u << 20) /* of their texts; or one longer one, alone */
#define ROWS_ARENA_BYTES (4u * AT_ONCE * MAX_REJECT_WHOLE_BYTES)
#define POOL_WAIT_MS 1000

/* A request in memory. */
struct kept_request {
    struct http_transport transport;
    const char *method, *target, *content_type;
    const char *coding; /* NULL: none */
    char length[24];
    struct str rest; /* of the body */
};

struct attempt {
    struct arena *arena;
    struct op op;
    struct kept_request kept;
    struct http_request request;
    const struct ingest_format *format;
    struct identity who;
    struct ingest_columns *columns;
    struct ingest_ticket ticket;
    uint32_t only;       /* the item's index */
    int32_t tenant_id;
    int64_t id, time_us;
    bool is_single;      /* one item, not a body */
    const char *outcome, *field, *reason;
};

struct ingest_replay {
    struct arena *arena; /* of itself; then of the rows */
    struct arena *rows_arena;
    struct ingest_service *service;
    struct ingest_options options;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool is_stopping;
    struct attempt attempts[AT_ONCE];
};

/* ---- a request of what was kept ---- */

static const char *kept_variable(struct http_transport *transport, const char *name)
{
    struct kept_request *kept = (struct kept_request *)transport;

    if (strcmp(name, "REQUEST_METHOD") == 0) {
        return kept->method;
    }
    if (strcmp(name, "REQUEST_URI") == 0) {
        return kept->target;
    }
    if (strcmp(name, "CONTENT_TYPE") == 0) {
        return kept->content_type;
    }
    if (strcmp(name, "HTTP_CONTENT_ENCODING") == 0) {
        return kept->coding;
    }
    return strcmp(name, "CONTENT_LENGTH") == 0 ? kept->length : NULL;
}

static int64_t kept_read(struct http_transport *transport, char *out, size_t cap)
{
    struct kept_request *kept = (struct kept_request *)transport;
    size_t n = kept->rest.len < cap ? kept->rest.len : cap;

    if (n > 0) {
        memcpy(out, kept->rest.ptr, n);
    }
    kept->rest.ptr += n;
    kept->rest.len -= n;
    return (int64_t)n;
}

static void keep_request(struct kept_request *kept, const struct db_rows *rows, int row)
{
    *kept = (struct kept_request){
        .transport = { .variable = kept_variable, .read = kept_read },
        .method = db_text(rows, row, INGEST_REJECT_CLAIM_METHOD),
        .target = db_text(rows, row, INGEST_REJECT_CLAIM_TARGET),
        .content_type = db_text(rows, row, INGEST_REJECT_CLAIM_CONTENT_TYPE),
        .rest = db_str(rows, row, INGEST_REJECT_CLAIM_TEXT),
    };
    kept->coding = packed_is(kept->rest) ? "zstd" : NULL;
    (void)snprintf(kept->length, sizeof kept->length, "%zu", kept->rest.len);
}

/* The sender, as the token was, of a tenant as it is now. Its rates and its quota of the day it has
 * paid already. */
static struct identity sender_of(const struct db_rows *rows, int row)
{
    bool has_limit = !db_is_null(rows, row, INGEST_REJECT_CLAIM_MAX_SERIES);
    int max_series = db_int(rows, row, INGEST_REJECT_CLAIM_MAX_SERIES);

    return (struct identity){
        .kind = IDENTITY_DEVICE,
        .tenant_id = db_int(rows, row, INGEST_REJECT_CLAIM_TENANT_ID),
        .tenant_timezone = db_text(rows, row, INGEST_REJECT_CLAIM_TIMEZONE),
        .may_register = db_bool(rows, row, INGEST_REJECT_CLAIM_AUTO_REGISTER),
        .token_id = db_int64(rows, row, INGEST_REJECT_CLAIM_TOKEN_ID),
        .device_id = db_int(rows, row, INGEST_REJECT_CLAIM_DEVICE_ID),
        .device_key = db_text(rows, row, INGEST_REJECT_CLAIM_DEVICE_KEY),
        .is_backfill = db_bool(rows, row, INGEST_REJECT_CLAIM_IS_BACKFILL),
        .raw_days = db_int(rows, row, INGEST_REJECT_CLAIM_RAW_DAYS),
        .limits.max_series = has_limit ? max_series : IDENTITY_NO_LIMIT_OF_ITS_OWN,
        .adapters_version = db_int64(rows, row, INGEST_REJECT_CLAIM_ADAPTERS_VERSION),
    };
}

static void attempt_open(struct attempt *attempt, const struct db_rows *rows, int row)
{
    struct arena *arena = attempt->arena;

    arena_reset(arena);
    *attempt = (struct attempt){
        .arena = arena,
        .who = sender_of(rows, row),
        .tenant_id = db_int(rows, row, INGEST_REJECT_CLAIM_TENANT_ID),
        .id = db_int64(rows, row, INGEST_REJECT_CLAIM_ID),
        .time_us = db_time(rows, row, INGEST_REJECT_CLAIM_TIME),
        .is_single = !db_is_null(rows, row, INGEST_REJECT_CLAIM_ITEM),
        .only = (uint32_t)db_int(rows, row, INGEST_REJECT_CLAIM_ITEM),
    };
    op_init(&attempt->op, arena, db_text(rows, row, INGEST_REJECT_CLAIM_REQUEST_ID));
    keep_request(&attempt->kept, rows, row);
}

/* ---- reading and storing it ---- */

static struct ingest_sender store_sender(const struct attempt *attempt)
{
    return (struct ingest_sender){ .tenant_id = attempt->tenant_id,
                                   .may_register = attempt->who.may_register, .is_replay = true };
}

static enum err find_format(const struct ingest_replay *replay, struct attempt *attempt,
                            bool is_item)
{
    attempt->format = replay->options.find_format(&attempt->request);
    if (!attempt->format) {
        return fail(&attempt->op, ERR_NOT_FOUND, "nothing is ingested at this address any more");
    }
    if (is_item && attempt->format->item) {
        attempt->format = attempt->format->item;
    }
    return OK;
}

static enum err parse(struct ingest_replay *replay, struct attempt *attempt, bool is_item)
{
    struct ingest_rules rules;
    struct str body;
    enum err err = http_request_init(&attempt->request, &attempt->op, &attempt->kept.transport);

    if (!err) {
        err = find_format(replay, attempt, is_item);
    }
    if (!err) {
        err = http_read_decoded_body(&attempt->request, MAX_INGEST_BODY_BYTES, &body);
    }
    if (!err) {
        err = ingest_rules_make(&replay->options, &attempt->op, &attempt->who, attempt->format,
                                attempt->time_us, &rules);
    }
    if (err) {
        return err;
    }
    rules.only = attempt->is_single && !is_item ? &attempt->only : NULL;
    attempt->columns = columns_new(&attempt->op, &rules);
    if (!attempt->columns) {
        return ERR_INTERNAL;
    }
    return attempt->format->parse(&attempt->request, body, attempt->columns);
}

/* It is no good as it was: its text stays what is kept, with the new reason. */
static void refuse(struct ingest_replay *replay, struct attempt *attempt, enum err err)
{
    const struct ingest_sender sender = store_sender(attempt);

    attempt->outcome = err == ERR_UNAVAILABLE || err == ERR_MAINTENANCE ? "later" : "rejected";
    if (strcmp(attempt->outcome, "later") != 0) {
        attempt->reason = ingest_reject_reason(&attempt->op);
        ingest_count_failure(replay->service, &sender, err);
    }
}

static void begin(struct ingest_replay *replay, struct attempt *attempt,
                  const struct db_rows *rows, int row)
{
    attempt_open(attempt, rows, row);
    const struct ingest_sender sender = store_sender(attempt);
    enum err err = parse(replay, attempt, db_bool(rows, row, INGEST_REJECT_CLAIM_IS_ITEM));

    if (!err) {
        err = ingest_submit(replay->service, &sender, attempt->columns, &attempt->ticket);
    }
    if (err) {
        refuse(replay, attempt, err);
    }
}

/* All of a single item that was refused again, and none of a body: its items are kept singly. */
static void judge(struct ingest_replay *replay, struct attempt *attempt,
                  const struct ingest_outcome *outcome)
{
    const struct reject_context context = {
        .ledger = ingest_ledger_of(replay->service), .request = &attempt->request,
        .who = &attempt->who, .format = attempt->format, .time_us = attempt->time_us,
    };

    attempt->outcome = outcome->accepted     ? "accepted"
                       : outcome->updated    ? "updated"
                       : outcome->duplicates ? "duplicate"
                                             : "rejected";
    if (attempt->is_single && attempt->columns->n_items == 0) {
        attempt->reason = "the item is not found in what was kept of its request";
    } else if (attempt->is_single && outcome->n_errors > 0) {
        attempt->field = outcome->errors[0].field;
        attempt->reason = outcome->errors[0].detail;
    } else if (outcome->rejected) {
        ingest_reject_items(&context, attempt->columns);
    }
}

static void finish(struct ingest_replay *replay, struct attempt *attempt)
{
    struct ingest_outcome outcome;

    if (attempt->outcome) {
        return; /* it came to nothing before */
    }
    enum err err = ingest_await(replay->service, &attempt->ticket, &outcome);
    if (err) {
        refuse(replay, attempt, err);
    } else {
        judge(replay, attempt, &outcome);
    }
}

/* ---- what is to be done, and what was ---- */

/* Runs a statement in a transaction of its own. */
static enum err run(struct ingest_replay *replay, struct op *op, const struct db_query *query,
                    const struct db_args *args, struct db_rows **rows)
{
    struct db_conn *conn;
    enum err err = db_pool_take(replay->options.pool, op, POOL_WAIT_MS, &conn);

    if (err) {
        return err;
    }
    err = db_run_committed(op, conn, 0, query, args, rows);
    db_pool_give(replay->options.pool, conn);
    return err;
}

static enum err settle(struct ingest_replay *replay, struct op *op, int n)
{
    int32_t tenants[AT_ONCE];
    int64_t ids[AT_ONCE];
    struct str outcomes[AT_ONCE], fields[AT_ONCE], reasons[AT_ONCE];
    struct db_args args;

    for (int i = 0; i < n; i++) {
        const struct attempt *attempt = &replay->attempts[i];
        tenants[i] = attempt->tenant_id;
        ids[i] = attempt->id;
        outcomes[i] = str_of(attempt->outcome);
        fields[i] = str_of(attempt->field);
        reasons[i] = ingest_reject_line(op->arena, str_of(attempt->reason));
    }
    db_args_init(&args, op->arena);
    db_arg_int_array(&args, tenants, (size_t)n);
    db_arg_int64_array(&args, ids, (size_t)n);
    db_arg_str_array(&args, outcomes, (size_t)n);
    db_arg_str_array(&args, fields, (size_t)n);
    db_arg_str_array(&args, reasons, (size_t)n);
    return run(replay, op, &q_ingest_reject_settle, &args, NULL);
}

/* Keeps what is to be said of a finished one beside the rows, and frees the rest. */
static void close_attempt(struct ingest_replay *replay, struct attempt *attempt)
{
    if (attempt->reason) {
        const char *copy = arena_copy(replay->rows_arena, str_of(attempt->reason));
        attempt->reason = copy ? copy : "it was refused again";
    }
    arena_reset(attempt->arena);
}

/* What the row's text takes while it is read; one that is packed stands alone. */
static size_t weight_of(const struct db_rows *rows, int row)
{
    struct str text = db_str(rows, row, INGEST_REJECT_CLAIM_TEXT);

    return packed_is(text) ? AT_ONCE_BYTES : text.len;
}

/* Replays the claimed rows from the one at `first` on that are read and stored at once. How many
 * they were. */
static int replay_some(struct ingest_replay *replay, const struct db_rows *rows, int first)
{
    size_t bytes = 0;
    int n = first;

    do {
        bytes += weight_of(rows, n);
        begin(replay, &replay->attempts[n], rows, n);
        n++;
    } while (n < db_count(rows) && bytes + weight_of(rows, n) <= AT_ONCE_BYTES);
    for (int i = first; i < n; i++) {
        finish(replay, &replay->attempts[i]);
    }
    for (int i = first; i < n; i++) {
        close_attempt(replay, &replay->attempts[i]);
    }
    return n - first;
}

/* Replays some; true when there may be more at once. */
static bool pass(struct ingest_replay *replay)
{
    struct db_args args;
    struct db_rows *rows;
    struct op op;

    arena_reset(replay->rows_arena);
    op_init(&op, replay->rows_arena, "replay");
    db_args_init(&args, op.arena);
    db_arg_int(&args, AT_ONCE);
    enum err err = run(replay, &op, &q_ingest_reject_claim, &args, &rows);
    int n = err ? 0 : db_count(rows);
    bool is_held_up = false;

    for (int done = 0; done < n;) {
        done += replay_some(replay, rows, done);
    }
    for (int i = 0; i < n; i++) {
        is_held_up = is_held_up || strcmp(replay->attempts[i].outcome, "later") == 0;
    }
    if (n > 0) {
        err = settle(replay, &op, n);
    }
    if (err != ERR_UNAVAILABLE) {
        op_log_fault(&op); /* that the database is away others say often enough */
    }
    return n == AT_ONCE && !err && !is_held_up;
}

/* ---- the thread ---- */

/* Waits for the next pass, unless it is due; false when there is none. */
static bool wait_for_turn(struct ingest_replay *replay, bool is_due)
{
    int64_t due_us = clock_monotonic_us() + REPLAY_INTERVAL_MS * (US_PER_SECOND / 1000);
    struct timespec due = {
        .tv_sec = (time_t)(due_us / US_PER_SECOND),
        .tv_nsec = (long)(due_us % US_PER_SECOND) * 1000,
    };
    int late = is_due;

    (void)pthread_mutex_lock(&replay->lock);
    while (!replay->is_stopping && !late) {
        late = pthread_cond_timedwait(&replay->stop, &replay->lock, &due);
    }
    bool is_stopping = replay->is_stopping;
    (void)pthread_mutex_unlock(&replay->lock);
    return !is_stopping;
}

static void *replay_thread(void *context)
{
    struct ingest_replay *replay = context;
    bool is_due = false;

    while (wait_for_turn(replay, is_due)) {
        is_due = pass(replay);
    }
    return NULL;
}

static void replay_free(struct ingest_replay *replay)
{
    for (int i = 0; i < AT_ONCE; i++) {
        arena_free(replay->attempts[i].arena);
    }
    arena_free(replay->rows_arena);
    (void)pthread_mutex_destroy(&replay->lock);
    (void)pthread_cond_destroy(&replay->stop);
    arena_free(replay->arena);
}

struct ingest_replay *ingest_replay_start(struct ingest_service *service,
                                          const struct ingest_options *options)
{
    struct arena *arena = arena_new(sizeof(struct ingest_replay) + 64);
    struct ingest_replay *replay = arena ? arena_alloc(arena, sizeof *replay) : NULL;
    pthread_condattr_t attributes;

    if (!replay) {
        arena_free(arena);
        return NULL;
    }
    (void)pthread_mutex_init(&replay->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&replay->stop, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    replay->arena = arena;
    replay->service = service;
    replay->options = *options;
    replay->rows_arena = arena_new(ROWS_ARENA_BYTES);
    bool is_ready = replay->rows_arena != NULL;
    for (int i = 0; i < AT_ONCE; i++) {
        replay->attempts[i].arena = arena_new(REQUEST_ARENA_BYTES);
        is_ready = is_ready && replay->attempts[i].arena;
    }
    if (!is_ready || pthread_create(&replay->thread, NULL, replay_thread, replay) != 0) {
        replay_free(replay);
        return NULL;
    }
    return replay;
}

void ingest_replay_stop(struct ingest_replay *replay)
{
    if (!replay) {
        return;
    }
    (void)pthread_mutex_lock(&replay->lock);
    replay->is_stopping = true;
    (void)pthread_cond_broadcast(&replay->stop);
    (void)pthread_mutex_unlock(&replay->lock);
    (void)pthread_join(replay->thread, NULL);
    replay_free(replay);
}

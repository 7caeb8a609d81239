/* The pipeline: sizes → route → credentials → role → limits → CSRF → tenant transaction → handler →
 * commit → send → reset. The answer is built in memory and leaves only after the commit, so no
 * client ever reads of what was not stored. Called by web_process and ingest_process for each
 * request. */
#include "serve/dispatch.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "db/conn.h"
#include "ingest/service.h"
#include "serve/ingest_metrics.h"
#include "serve/maintenance.h"
#include "serve/metrics.h"
#include "serve/passage.h"
#include "serve/stream.h"

#define MONITOR_PATIENCE_MS 2000 /* of those who ask whether all is well, with the database */
#define POOL_WAIT_MS 2000 /* for a connection; longer waits are answered 503 */
#define REQUEST_ID_BYTES 16
#define MAX_REQUEST_ID_BYTES 64

/* nginx's request id, so that one name goes through all logs; else one of our own. */
static const char *request_id(struct arena *arena, struct http_transport *transport)
{
    const char *given = transport->variable(transport, "REQUEST_ID");
    size_t len = given ? strspn(given, "0123456789abcdefABCDEF-") : 0;
    uint8_t random[REQUEST_ID_BYTES];
    char hex[REQUEST_ID_BYTES * 2 + 1];

    if (len > 0 && len <= MAX_REQUEST_ID_BYTES && given[len] == '\0') {
        return given;
    }
    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, hex);
    const char *made = arena_copy(arena, str_of(hex));
    return made ? made : "-";
}

/* ---- transactions ---- */

enum err passage_take(struct passage *passage, struct db_conn **conn)
{
    struct dispatcher *dispatcher = passage->dispatcher;

    *conn = passage->is_operating ? dispatcher->operator_conn : dispatcher->conn;
    if (*conn) {
        return OK;
    }
    return passage->is_operating
               ? fail(&passage->op, ERR_UNAVAILABLE, "DATABASE_OPERATOR_URL is not set.")
               : db_pool_take(dispatcher->pool, &passage->op, POOL_WAIT_MS, conn);
}

void passage_give(struct passage *passage, struct db_conn *conn)
{
    if (!passage->dispatcher->conn) {
        db_pool_give(passage->dispatcher->pool, conn);
    }
}

enum err passage_begin(struct passage *passage, bool is_write, int32_t tenant_id, struct db_tx **tx,
                       struct db_conn **conn)
{
    enum err err = passage_take(passage, conn);

    if (err != OK) {
        return err;
    }
    err = db_begin(&passage->op, *conn, is_write ? DB_WRITE : DB_READ, tenant_id, tx);
    if (err != OK) {
        passage_give(passage, *conn);
    }
    return err;
}

enum err passage_end(struct passage *passage, struct db_tx *tx, struct db_conn *conn, enum err err)
{
    err = db_end(tx, err);
    passage_give(passage, conn);
    return err;
}

/* ---- steps ---- */

static enum err find_route(struct passage *passage)
{
    passage->route = route_find(passage->dispatcher->process, &passage->request, &passage->allowed);
    if (passage->route) {
        bool is_monitor = passage->route->access == ACCESS_PUBLIC;
        passage->op.db_patience_ms = is_monitor ? MONITOR_PATIENCE_MS : 0;
        return OK;
    }
    if (passage->allowed) {
        return fail(&passage->op, ERR_METHOD, "This method is not allowed here.");
    }
    return fail(&passage->op, ERR_NOT_FOUND, "There is nothing at this address.");
}

static enum err check_limits(struct passage *passage)
{
    size_t cap = passage->route->max_body;

    if (cap > 0 && passage->request.content_length > (int64_t)cap) {
        return fail(&passage->op, ERR_TOO_LARGE, "The body is larger than %zu bytes.", cap);
    }
    return OK;
}

struct web passage_web(struct passage *passage, struct http_response *response, struct db_tx *tx)
{
    return (struct web){
        .op = &passage->op,
        .request = &passage->request,
        .response = response,
        .tx = tx,
        .who = &passage->who,
        .config = passage->dispatcher->config,
        .max_body = passage->route->max_body,
        .form = passage->form,
        .n_form = passage->n_form,
        .metrics = passage->dispatcher->metrics,
        .store = passage->dispatcher->store,
    };
}

static enum err call_handler(struct passage *passage, struct db_tx *tx)
{
    struct web web = passage_web(passage, passage->response, tx);
    enum err err = passage->route->handler(&web);

    /* before the commit: an answer that cannot be given must not have happened */
    if (err == OK && passage->response->body.is_broken) {
        err = fail_memory(&passage->op);
    }
    if (err == OK && web.stream.next && passage->route->tx == TX_STREAM) {
        passage->stream = web.stream;
        passage->response->is_streamed = true;
    }
    return err;
}

enum err passage_finish_ingest(struct passage *passage)
{
    const struct dispatcher *dispatcher = passage->dispatcher;
    enum err err = ingest_end(dispatcher->ingest, passage->pending, passage->response);

    ingest_metrics_copy(dispatcher->ingest_metrics, dispatcher->ingest);
    return err;
}

static enum err run_ingest(struct passage *passage)
{
    const struct ingest_notice *notice = passage->notice.on_done ? &passage->notice : NULL;
    enum err err = ingest_begin(passage->dispatcher->ingest, &passage->request, &passage->who,
                                passage->route->format, notice, &passage->pending);

    if (err != OK) {
        return err;
    }
    return notice && ingest_is_queued(passage->pending) ? OK : passage_finish_ingest(passage);
}

int32_t passage_tenant(const struct passage *passage)
{
    switch (passage->route->access) {
    case ACCESS_PUBLIC:
    case ACCESS_LOGIN:
    case ACCESS_OPERATOR:
    case ACCESS_OPERATOR_ADMIN: return 0;
    default: return passage->who.tenant_id;
    }
}

enum err passage_bind_actor(struct passage *passage, struct db_tx *tx)
{
    const struct identity *who = &passage->who;

    if (who->kind == IDENTITY_NONE) {
        return OK;
    }
    const char *actor = who->kind == IDENTITY_PERSON
                            ? who->person_email
                            : arena_printf(passage->op.arena, "token %lld",
                                           (long long)who->token_id);
    return actor ? db_bind_actor(tx, actor) : fail_memory(&passage->op);
}

bool passage_reads_anew(struct passage *passage, enum err err, struct http_response *response,
                        const struct http_response *begun)
{
    if (err != ERR_CHANGING) {
        return false;
    }
    log_info("what was read changed; it is read anew", LOG_TEXT("id", passage->op.id),
             LOG_TEXT("route", passage->route->path));
    op_clear_fault(&passage->op);
    *response = *begun;
    return true;
}

static enum err run_in_transaction(struct passage *passage)
{
    const struct route *route = passage->route;
    struct db_conn *conn = NULL;
    struct db_tx *tx = NULL;
    enum err err =
        passage_begin(passage, route->tx == TX_WRITE, passage_tenant(passage), &tx, &conn);

    if (err != OK) {
        return err;
    }
    err = route->tx == TX_WRITE ? passage_bind_actor(passage, tx) : OK;
    if (err == OK) {
        err = call_handler(passage, tx);
    }
    return passage_end(passage, tx, conn, err);
}

static enum err run_handler(struct passage *passage)
{
    const struct route *route = passage->route;
    const struct http_response begun = *passage->response;

    if (!route->handler) {
        return run_ingest(passage);
    }
    if (route->tx == TX_NONE) {
        return call_handler(passage, NULL);
    }
    if (route->tx == TX_OWN) {
        return own_run(passage);
    }
    enum err err = run_in_transaction(passage);
    if (route->tx != TX_WRITE && passage_reads_anew(passage, err, passage->response, &begun)) {
        err = run_in_transaction(passage);
    }
    return err;
}

/* Whether the account of its tenant has what becomes of the request. */
static bool is_accounted(const struct passage *passage)
{
    return passage->dispatcher->ingest && !passage->route->handler &&
           !ingest_is_dry_run(&passage->request);
}

/* Whether now is the time. A post that its sender is told to bring again is in its tenant's account
 * like those that ingest itself turned away. */
static enum err check_time(struct passage *passage)
{
    const struct ingest_sender sender = { .tenant_id = passage->who.tenant_id };
    enum err err = maintenance_check(passage);

    if (err == OK) {
        err = gate_limit(passage);
    }
    if (err != OK && !passage->op.would_wait && is_accounted(passage)) {
        ingest_count_failure(passage->dispatcher->ingest, &sender, err);
    }
    return err;
}

/* What is known without the body. */
static enum err check_head(struct passage *passage, struct http_transport *transport)
{
    enum err err = http_request_init(&passage->request, &passage->op, transport);

    if (err == OK) {
        err = find_route(passage);
    }
    if (err == OK) {
        err = check_limits(passage);
    }
    if (err == OK) {
        err = gate_identify(passage);
    }
    passage->identified_us = clock_monotonic_us();
    if (err == OK) {
        err = gate_admit(passage);
    }
    if (err == OK) {
        err = check_time(passage);
    }
    return err;
}

/* As long as the body is, or will probably be when it is unpacked. */
static size_t body_length(const struct http_request *request)
{
    size_t length = request->content_length < 0 ? MAX_INGEST_BODY_BYTES
                                                : (size_t)request->content_length;

    if (!http_is_packed(request)) {
        return length;
    }
    return length < MAX_INGEST_BODY_BYTES / PACKED_RATIO ? length * PACKED_RATIO
                                                         : MAX_INGEST_BODY_BYTES;
}

static enum err reserve(struct passage *passage, bool is_known)
{
    const struct ingest_sender sender = { .tenant_id = is_known ? passage->who.tenant_id : 0 };
    struct ingest_service *ingest = passage->dispatcher->ingest;

    if (passage->route->handler) {
        return OK;
    }
    enum err err = ingest_reserve(ingest, &passage->op, sender.tenant_id,
                                  body_length(&passage->request), &passage->notice.room);
    if (err != OK && is_known && is_accounted(passage)) {
        ingest_count_failure(ingest, &sender, err);
    }
    return err;
}

enum err passage_admit(struct passage *passage, struct http_transport *transport)
{
    enum err err = check_head(passage, transport);
    bool is_known = err == OK;

    if (is_known) {
        gate_unlimit(passage);
    } else if (!passage->op.would_wait || passage->op.must_not_wait) {
        return err;
    }
    op_clear_fault(&passage->op);
    passage->op.would_wait = false;
    return reserve(passage, is_known);
}

enum err passage_postpone(struct passage *passage)
{
    gate_unlimit(passage);
    op_clear_fault(&passage->op);
    passage->op.would_wait = false;
    return reserve(passage, true);
}

enum err passage_run(struct passage *passage, struct http_transport *transport)
{
    enum err err = check_head(passage, transport);

    if (err == OK) {
        err = gate_check_form(passage);
    }
    if (err == OK) {
        err = run_handler(passage);
    }
    return err == OK ? OK : op_settle(&passage->op, err);
}

void passage_add_headers(struct passage *passage)
{
    struct http_response *response = passage->response;

    if (!http_response_header(response, "Cache-Control")) {
        (void)http_add_header(response, "Cache-Control", "no-store");
    }
    (void)http_add_header(response, "X-Request-Id", passage->op.id);
}

static void log_access(const struct passage *passage)
{
    if (log_is_enabled(LOG_DEBUG)) {
        log_debug("answered", LOG_TEXT("id", passage->op.id),
                  LOG_TEXT("method", http_method_name(passage->request.method)),
                  LOG_TEXT("route", passage->route ? passage->route->path : "-"),
                  LOG_INT("status", passage->response->status),
                  LOG_INT("tenant", passage->who.tenant_id),
                  LOG_INT("bytes", passage->response->body.len));
    }
}

struct passage *passage_new(struct dispatcher *dispatcher, struct http_transport *transport,
                            struct http_response *response)
{
    struct passage *passage = arena_alloc(dispatcher->arena, sizeof *passage);

    http_response_init(response, dispatcher->arena);
    if (!passage) {
        response->status = 500;
        return NULL;
    }
    passage->dispatcher = dispatcher;
    passage->response = response;
    passage->began_us = clock_monotonic_us();
    op_init(&passage->op, dispatcher->arena, request_id(dispatcher->arena, transport));
    return passage;
}

void passage_conclude(struct passage *passage, enum err err)
{
    if (passage->has_sent) {
        op_log_fault(&passage->op);
        log_access(passage);
        return;
    }
    if (err != OK) {
        (void)fail(&passage->op, err, "a step failed without a word");
        passage->response->is_streamed = false;
        failure_answer(passage);
    }
    passage_add_headers(passage);
    log_access(passage);
}

/* The answer, or its first page. NULL without memory even for the passage. */
static struct passage *answer(struct dispatcher *dispatcher, struct fcgi_exchange *exchange,
                              struct http_transport *transport, struct http_response *response)
{
    struct passage *passage = passage_new(dispatcher, transport, response);
    const char *method = transport->variable(transport, "REQUEST_METHOD");

    if (passage) {
        passage->exchange = exchange;
        passage->is_head = method && strcmp(method, "HEAD") == 0;
        passage_conclude(passage, passage_run(passage, transport));
    }
    return passage;
}

int passage_route_index(const struct passage *passage)
{
    return passage && passage->route ? (int)(passage->route - ROUTES) : -1;
}

int dispatch_answer(struct dispatcher *dispatcher, struct http_transport *transport,
                    struct http_response *response)
{
    return passage_route_index(answer(dispatcher, NULL, transport, response));
}

/* Sends what was not sent by the handler. False when the answer could not be completed. */
static bool send_answer(struct passage *passage, struct fcgi_exchange *exchange,
                        const struct http_response *response)
{
    bool is_head = passage && passage->is_head;

    if (passage && passage->has_sent) {
        return passage->op.fault.code == OK;
    }
    bool is_heard = fcgi_send(exchange, response, is_head);
    if (response->is_streamed && !is_head) {
        return is_heard && stream_send(passage, exchange);
    }
    return true; /* all was said that there is to say, whether or not it was heard */
}

void dispatch_serve(struct dispatcher *dispatcher, struct fcgi_exchange *exchange)
{
    int64_t began_us = clock_monotonic_us();
    struct http_response response;
    struct passage *passage = answer(dispatcher, exchange, fcgi_transport(exchange), &response);
    bool is_whole = send_answer(passage, exchange, &response);

    /* counted before the client can know: who reads /metrics next finds this request in it */
    metrics_count(dispatcher->metrics, passage_route_index(passage), response.status,
                  clock_monotonic_us() - began_us);
    if (is_whole) {
        fcgi_finish(exchange);
    } else {
        fcgi_cut(exchange);
    }
    arena_reset(dispatcher->arena);
    if (dispatcher->page_arena) {
        arena_reset(dispatcher->page_arena);
    }
}

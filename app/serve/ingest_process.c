/* The ingest process: INGEST_THREADS threads share one listening socket, one pool of connections
 * and one token cache. A thread waits in the group commit for its request's batch, so the number
 * of threads is how many requests can share a commit. */
#include "serve/process.h"

#include "auth/token.h"
#include "base/arena.h"
#include "db/conn.h"
#include "ingest/service.h"
#include "serve/dispatch.h"
#include "serve/ingest_metrics.h"
#include "serve/maintenance.h"
#include "serve/stop_fd.h"

#define INGEST_CONNECTIONS 512 /* kept ones of nginx; idle ones cost nothing but memory */
#define INGEST_STATEMENT_TIMEOUT_MS 20000
#define INGEST_TOKEN_CACHE 8192 /* devices with tokens of their own */
#define MAX_THREADS 256 /* as many as the setting allows */
#define DRAIN_MS 15000 /* less than the supervisor's patience */

struct worker {
    pthread_t thread;
    struct fcgi_server *server;
    struct dispatcher dispatcher;
};

static void *serve_requests(void *argument)
{
    struct worker *worker = argument;
    struct fcgi_exchange *exchange;

    while (fcgi_server_next(worker->server, &exchange) == FCGI_NEXT_REQUEST) {
        dispatch_serve(&worker->dispatcher, exchange);
    }
    return NULL;
}

/* Starts threads until `n` run or one cannot be had; returns how many run. */
static int start_threads(struct worker *workers, int n, struct fcgi_server *server,
                         const struct dispatcher *model)
{
    for (int i = 0; i < n; i++) {
        workers[i].server = server;
        workers[i].dispatcher = *model;
        workers[i].dispatcher.arena = arena_new(REQUEST_ARENA_BYTES);
        if (!workers[i].dispatcher.arena ||
            pthread_create(&workers[i].thread, NULL, serve_requests, &workers[i]) != 0) {
            arena_free(workers[i].dispatcher.arena);
            log_error("starting an ingest thread failed", LOG_INT("running", i));
            return i;
        }
    }
    return n;
}

static void run_threads(struct fcgi_server *server, const struct dispatcher *model, int n)
{
    struct worker workers[MAX_THREADS];
    int running = start_threads(workers, n < MAX_THREADS ? n : MAX_THREADS, server, model);

    for (int i = 0; i < running; i++) {
        pthread_join(workers[i].thread, NULL);
        arena_free(workers[i].dispatcher.arena);
    }
}

static int serve(const struct serve_setup *setup, struct dispatcher *model, int stop_fd)
{
    struct fcgi_server *server = fcgi_server_new(setup->ingest_fd, stop_fd, INGEST_CONNECTIONS);

    if (!server) {
        return 1;
    }
    run_threads(server, model, setup->config->ingest_threads);
    fcgi_server_free(server);
    return 0;
}

int ingest_process_run(const struct serve_setup *setup)
{
    int stop_fd = stop_fd_open();
    struct ingest_metrics metrics;
    struct ingest_options options = {
        .db = { .url = setup->ingest_url,
                .name = "tidemark ingest",
                .is_prepared = setup->config->db_prepare,
                .statement_timeout_ms = INGEST_STATEMENT_TIMEOUT_MS },
        .raw_days = setup->config->retention_raw_days,
        .queue_bytes = QUEUE_MAX_BYTES,
    };
    options.pool = db_pool_new(&options.db, setup->config->pool_max);
    struct maintenance maintenance = { 0 };
    struct dispatcher model = {
        .config = setup->config,
        .process = PROCESS_INGEST,
        .pool = options.pool,
        .tokens = token_cache_new(INGEST_TOKEN_CACHE),
        .maintenance = &maintenance,
        .metrics = setup->metrics,
        .ingest = options.pool ? ingest_start(&options) : NULL,
        .ingest_metrics = &metrics,
    };
    int status = 1;

    ingest_metrics_begin(&metrics, setup->metrics);
    if (stop_fd >= 0 && model.tokens && model.ingest) {
        status = serve(setup, &model, stop_fd);
    } else {
        log_error("starting the ingest process failed");
    }
    if (model.ingest) {
        ingest_stop(model.ingest, DRAIN_MS);
    }
    token_cache_free(model.tokens);
    db_pool_free(model.pool);
    return status;
}

/* The ingest process: a loop that answers what is known at once, INGEST_THREADS threads for what
 * has to be asked or is large, one pool of connections and one token cache. A request waits in the
 * group commit without a thread, so any number of them can share a commit. */
#include "serve/process.h"

#include "auth/token.h"
#include "base/arena.h"
#include "db/conn.h"
#include "ingest/adapters.h"
#include "ingest/service.h"
#include "http/fcgi_loop.h"
#include "serve/dispatch_calls.h"
#include "serve/ingest_metrics.h"
#include "serve/maintenance.h"
#include "serve/stop_fd.h"

#define INGEST_CONNECTIONS 512 /* kept ones of nginx; idle ones cost nothing but memory */
#define INGEST_STATEMENT_TIMEOUT_MS 20000
#define INGEST_TOKEN_CACHE 262144 /* devices with tokens of their own; half of them stay */
/* Of some twenty threads, most of which rest: a heap of each would keep up to 9 MiB. */
#define INGEST_HEAPS 2
#define INGEST_LARGE_BYTES (4u << 20) /* more than a batch of the writers takes at once */
#define DRAIN_MS 15000 /* less than the supervisor's patience */

static int serve(const struct serve_setup *setup, struct dispatcher *model, int stop_fd)
{
    const struct fcgi_loop_options options = {
        .listen_fd = setup->ingest_fd,
        .stop_fd = stop_fd,
        .max_connections = INGEST_CONNECTIONS,
        .n_threads = setup->config->ingest_threads,
        .max_body = 2 * MAX_INGEST_BODY_BYTES, /* the pipeline says what is too large */
        .quick_body = QUICK_BODY_BYTES,
        .arena_bytes = REQUEST_ARENA_BYTES,
        .context = model,
        .admit = dispatch_call_admit,
        .begin = dispatch_call_begin,
        .end = dispatch_call_end,
        .serve = dispatch_call_serve,
    };
    return fcgi_loop_run(&options);
}

/* The format of an address, for replays. */
static const struct ingest_format *find_format(struct http_request *request)
{
    unsigned allowed;
    const struct route *route = route_find(PROCESS_INGEST, request, &allowed);

    return route && !route->handler ? route->format : NULL;
}

int ingest_process_run(const struct serve_setup *setup)
{
    arena_return_large(INGEST_LARGE_BYTES);
    arena_share_heaps(INGEST_HEAPS);
    int stop_fd = stop_fd_open();
    struct ingest_metrics metrics;
    struct db_home home = DB_HOME_NONE;
    struct ingest_options options = {
        .db = { .url = setup->ingest_url,
                .name = "tidemark ingest",
                .is_prepared = setup->config->db_prepare,
                .statement_timeout_ms = INGEST_STATEMENT_TIMEOUT_MS,
                .home = &home },
        .raw_days = setup->config->retention_raw_days,
        .queue_bytes = QUEUE_MAX_BYTES,
        .find_format = find_format,
        .adapters = ingest_adapters_new(),
        .tokens = token_cache_new(INGEST_TOKEN_CACHE),
        .quotas = setup->quotas,
    };
    struct db_options asked = options.db; /* while somebody waits; writers have a queue */
    asked.is_watched = true;
    options.pool = db_pool_new(&asked, setup->config->pool_max);
    struct maintenance maintenance = { 0 };
    struct dispatcher model = {
        .config = setup->config,
        .process = PROCESS_INGEST,
        .pool = options.pool,
        .tokens = options.tokens,
        .maintenance = &maintenance,
        .metrics = setup->metrics,
        .ingest = options.pool && options.tokens ? ingest_start(&options) : NULL,
        .ingest_metrics = &metrics,
        .quotas = setup->quotas,
    };
    int status = 1;

    ingest_metrics_begin(&metrics, setup->metrics);
    if (stop_fd >= 0 && model.ingest && options.adapters) {
        status = serve(setup, &model, stop_fd);
    } else {
        log_error("starting the ingest process failed");
    }
    if (model.ingest) {
        ingest_stop(model.ingest, DRAIN_MS);
    }
    ingest_adapters_free(options.adapters);
    token_cache_free(model.tokens);
    db_pool_free(model.pool);
    return status;
}

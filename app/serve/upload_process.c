/* The upload process: files come and go here, UPLOAD_THREADS at a time, each on a thread that waits
 * for its client and for the store. A slow one takes no page's and no device's turn. */
#include "serve/process.h"

#include "auth/token.h"
#include "base/arena.h"
#include "base/clock.h"
#include "db/conn.h"
#include "objects/store.h"
#include "serve/crowd.h"
#include "serve/dispatch.h"
#include "serve/maintenance.h"
#include "serve/stop_fd.h"

#define UPLOAD_STATEMENT_TIMEOUT_MS 20000
#define UPLOAD_TOKEN_CACHE 2048
#define START_ARENA_BYTES (1u << 20)
/* A minute of waiting must bring as much: 1 KiB/s. */
#define PACE_US (60 * US_PER_SECOND)
#define PACE_BYTES (INT64_C(60) << 10)

/* What the threads share. */
struct uploads {
    const struct dispatcher *model;
    struct fcgi_server *server;
};

/* Opens those stores of a thread that are not, which reaches nothing yet. NULL, and a line in the
 * log, without: then files are answered 503, and the next request tries again. */
static void open_stores(struct dispatcher *dispatcher)
{
    struct store **const stores[] = { &dispatcher->store, &dispatcher->copy_store };
    struct op op;

    for (int i = 0; i < 2; i++) {
        op_init(&op, dispatcher->arena, "upload");
        if (!*stores[i] && store_open(&op, dispatcher->config, stores[i]) != OK) {
            *stores[i] = NULL;
            op_log_fault(&op);
        }
    }
    arena_reset(dispatcher->arena);
}

static void *serve_requests(void *context)
{
    const struct uploads *uploads = context;
    struct dispatcher dispatcher = *uploads->model;
    struct fcgi_exchange *exchange;

    dispatcher.arena = arena_new(REQUEST_ARENA_BYTES);
    if (dispatcher.arena) {
        while (fcgi_server_next(uploads->server, &exchange) == FCGI_NEXT_REQUEST) {
            if (!dispatcher.store || !dispatcher.copy_store) {
                open_stores(&dispatcher);
            }
            dispatch_serve(&dispatcher, exchange);
        }
    } else {
        log_error("starting a thread of uploads failed");
    }
    store_close(dispatcher.copy_store);
    store_close(dispatcher.store);
    arena_free(dispatcher.arena);
    return NULL;
}

/* This thread is one of them. */
static int serve(const struct serve_setup *setup, struct uploads *uploads, struct arena *arena)
{
    int n = setup->config->upload_threads - 1;
    pthread_t *threads = arena_array(arena, (size_t)n + 1, sizeof *threads);
    int started = 0;

    while (threads && started < n &&
           pthread_create(&threads[started], NULL, serve_requests, uploads) == 0) {
        started++;
    }
    if (threads && started == n) {
        (void)serve_requests(uploads);
    }
    for (int i = 0; i < started; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    return threads && started == n ? 0 : 1;
}

int upload_process_run(const struct serve_setup *setup)
{
    int stop_fd = stop_fd_open();
    struct arena *arena = arena_new(START_ARENA_BYTES);
    struct db_home home = DB_HOME_NONE;
    const struct db_options options = {
        .url = setup->web_url,
        .name = "tidemark upload",
        .is_prepared = setup->config->db_prepare,
        .statement_timeout_ms = UPLOAD_STATEMENT_TIMEOUT_MS,
        .is_watched = true,
        .home = &home,
    };
    struct maintenance maintenance = { 0 };
    const struct dispatcher model = {
        .config = setup->config,
        .process = PROCESS_UPLOAD,
        .pool = db_pool_new(&options, setup->config->pool_max),
        .tokens = token_cache_new(UPLOAD_TOKEN_CACHE),
        .maintenance = &maintenance,
        .metrics = setup->metrics,
        .crowd = arena ? crowd_new(arena, setup->config->upload_threads) : NULL,
    };
    struct uploads uploads = { .model = &model };
    int status = 1;

    if (stop_fd >= 0 && arena && model.pool && model.tokens && model.crowd) {
        uploads.server = fcgi_server_new(setup->upload_fd, stop_fd, setup->config->upload_threads);
    }
    if (uploads.server) {
        fcgi_server_set_pace(uploads.server, PACE_US, PACE_BYTES);
        status = serve(setup, &uploads, arena);
    } else {
        log_error("starting the upload process failed");
    }
    fcgi_server_free(uploads.server);
    token_cache_free(model.tokens);
    db_pool_free(model.pool);
    arena_free(arena);
    return status;
}

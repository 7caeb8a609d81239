/* A web worker: one thread, one connection to the database, one request at a time. The
 * supervisor forks WEB_PROCESSES of them, which take turns (serve/turns.h). EXPORT_PROCESSES more
 * of the same listen where nginx sends what may be long: exports wait for each other there, and
 * never a page for an export. */
#include "serve/process.h"

#include "auth/token.h"
#include "base/arena.h"
#include "db/conn.h"
#include "objects/store.h"
#include "serve/dispatch.h"
#include "serve/maintenance.h"
#include "serve/stop_fd.h"
#include "serve/turns.h"

#define WEB_CONNECTIONS 1              /* a further one would wait behind this one's request */
#define WEB_STATEMENT_TIMEOUT_MS 20000 /* nginx gives up after 60 s, people sooner */
#define WEB_TOKEN_CACHE 512
#define WEB_MEMORY_KEPT (4u << 20) /* a page of many hundred KB is made of what the last one left */

static bool is_our_turn(const void *seat)
{
    return turns_is_mine(seat);
}

static void serve_requests(struct fcgi_server *server, struct dispatcher *dispatcher,
                           struct turns_seat *seat)
{
    struct fcgi_exchange *exchange;

    fcgi_server_set_gate(server, is_our_turn, seat);
    while (fcgi_server_next(server, &exchange) == FCGI_NEXT_REQUEST) {
        turns_begin(seat);
        dispatch_serve(dispatcher, exchange);
        turns_end(seat);
    }
}

/* Opens where the archive is, which reaches nothing yet. NULL, and a line in the log, without. */
static struct store *open_store(const struct dispatcher *dispatcher)
{
    struct store *store = NULL;
    struct op op;

    op_init(&op, dispatcher->arena, "web");
    if (store_open(&op, dispatcher->config, &store) != OK) {
        op_log_fault(&op);
    }
    arena_reset(dispatcher->arena);
    return store;
}

/* With turns NULL a request is taken whenever there is one. */
static int serve_socket(const struct serve_setup *setup, int listen_fd, const char *name,
                        struct turns *turns)
{
    int stop_fd = stop_fd_open();
    arena_keep_released(WEB_MEMORY_KEPT);
    struct db_home home = DB_HOME_NONE;
    struct db_options options = {
        .url = setup->web_url,
        .name = name,
        .is_prepared = setup->config->db_prepare,
        .statement_timeout_ms = WEB_STATEMENT_TIMEOUT_MS,
        .is_watched = true,
        .home = &home,
    };
    struct db_options operator_options = options;
    operator_options.url = setup->operator_url;
    operator_options.name = "tidemark web, operators";
    struct maintenance maintenance = { 0 };
    struct dispatcher dispatcher = {
        .config = setup->config,
        .process = PROCESS_WEB,
        .arena = arena_new(REQUEST_ARENA_BYTES),
        .page_arena = arena_new(REQUEST_ARENA_BYTES),
        .conn = db_conn_new(&options),
        /* opened by the first request that needs it */
        .operator_conn = setup->operator_url ? db_conn_new(&operator_options) : NULL,
        .tokens = token_cache_new(WEB_TOKEN_CACHE),
        .maintenance = &maintenance,
        .metrics = setup->metrics,
    };
    dispatcher.store = dispatcher.arena ? open_store(&dispatcher) : NULL;
    bool is_ready = stop_fd >= 0 && dispatcher.page_arena &&
                    dispatcher.conn && dispatcher.tokens;
    struct fcgi_server *server =
        is_ready ? fcgi_server_new(listen_fd, stop_fd, WEB_CONNECTIONS) : NULL;

    if (server) {
        serve_requests(server, &dispatcher, turns ? turns_join(turns) : NULL);
    } else {
        log_error("starting a web process failed");
    }
    fcgi_server_free(server);
    store_close(dispatcher.store);
    token_cache_free(dispatcher.tokens);
    db_conn_close(dispatcher.operator_conn);
    db_conn_close(dispatcher.conn);
    arena_free(dispatcher.page_arena);
    arena_free(dispatcher.arena);
    return server ? 0 : 1;
}

int web_process_run(const struct serve_setup *setup)
{
    return serve_socket(setup, setup->web_fd, "tidemark web", setup->turns);
}

int export_process_run(const struct serve_setup *setup)
{
    return serve_socket(setup, setup->export_fd, "tidemark export", NULL);
}

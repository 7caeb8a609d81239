/* `tidemark serve`: opens the sockets and supervises the web, export, ingest and upload processes.
 * */
#include "serve/commands.h"

#include "base/op.h"
#include "db/url.h"
#include "ingest/quota.h"
#include "serve/listen.h"
#include "serve/options.h"
#include "serve/supervisor.h"
#include "serve/turns.h"

#define SETUP_ARENA_BYTES (1u << 20)

static const struct options_help HELP = {
    .usage = "tidemark serve",
    .about = "Answers pages, the API and ingest over FastCGI, on the sockets web.sock,\n"
             "export.sock (answers of any length), ingest.sock and upload.sock (files) in\n"
             "$TIDEMARK_HOME/run, until SIGTERM or SIGINT; then finishes what runs.",
};

static enum err open_sockets(struct op *op, struct serve_setup *setup, const char *home)
{
    const char *run = arena_printf(op->arena, "%s/run", home);
    const struct {
        const char *name;
        int *fd;
    } sockets[] = { { "web", &setup->web_fd }, { "export", &setup->export_fd },
                    { "ingest", &setup->ingest_fd }, { "upload", &setup->upload_fd } };

    if (!run) {
        return fail_memory(op);
    }
    if (mkdir(run, 0700) != 0 && errno != EEXIST) {
        return fail(op, ERR_UNAVAILABLE, "cannot make %s: %s", run, strerror(errno));
    }
    enum err err = OK;
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0] && err == OK; i++) {
        const char *path = arena_printf(op->arena, "%s/%s.sock", run, sockets[i].name);
        err = path ? listen_open(op, path, sockets[i].fd) : fail_memory(op);
    }
    return err;
}

static enum err prepare(struct op *op, struct serve_setup *setup)
{
    const struct config *config = setup->config;
    enum err err = db_role_url(op, config, DB_ROLE_WEB, &setup->web_url);

    if (err == OK) {
        err = db_role_url(op, config, DB_ROLE_INGEST, &setup->ingest_url);
    }
    if (err == OK && db_role_url(op, config, DB_ROLE_OPERATOR, &setup->operator_url) != OK) {
        log_warn("operators will find no pages", LOG_TEXT("why", op->fault.detail));
        op_clear_fault(op);
        setup->operator_url = NULL;
    }
    if (err == OK) {
        err = open_sockets(op, setup, config->home);
    }
    const struct identity_limits limits = {
        .request_rate = config->ingest_request_rate, .token_rate = config->ingest_token_rate,
        .max_series = config->ingest_max_series, .rows_per_day = config->ingest_rows_per_day,
    };
    setup->metrics = metrics_new();
    setup->quotas = quotas_new(&limits);
    setup->turns = turns_new(0);
    return err == OK && !(setup->metrics && setup->quotas && setup->turns) ? fail_memory(op) : err;
}

static int run(const struct serve_setup *setup)
{
    struct supervised children[METRICS_MAX_PROCESSES];
    int n = 0;

    children[n++] = (struct supervised){ "ingest", ingest_process_run };
    children[n++] = (struct supervised){ "upload", upload_process_run };
    for (int i = 0; i < setup->config->web_processes && n < METRICS_MAX_PROCESSES; i++) {
        children[n++] = (struct supervised){ "web", web_process_run };
    }
    for (int i = 0; i < setup->config->export_processes && n < METRICS_MAX_PROCESSES; i++) {
        children[n++] = (struct supervised){ "export", export_process_run };
    }
    return supervise(setup, children, n);
}

int cmd_serve(const struct config *config, int argc, char **argv)
{
    struct serve_setup setup = { .config = config };
    int status = options_none(argc, argv, &HELP);
    if (status >= 0) {
        return status;
    }
    struct arena *arena = arena_new(SETUP_ARENA_BYTES);
    if (!arena) {
        return EXIT_FAILED;
    }
    struct op op;
    op_init(&op, arena, "serve");
    if (prepare(&op, &setup) != OK) {
        options_complain(&op);
        status = EXIT_FAILED;
    } else {
        log_info("serving", LOG_INT("web_processes", config->web_processes),
                 LOG_INT("ingest_threads", config->ingest_threads));
        status = run(&setup);
    }
    arena_free(arena);
    return status;
}

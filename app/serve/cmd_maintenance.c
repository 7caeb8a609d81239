/* `tidemark maintenance on|off|run`: maintenance mode, and all of upkeep at once. */
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"
#include "serve/stop_fd.h"
#include "work/worker.h"

#include <stdio.h>
#include <unistd.h>

#define COMMAND_ARENA_BYTES (1u << 20)
#define STATEMENT_TIMEOUT_MS (60 * 60 * 1000) /* a chunk of years of samples */

/* ---- the mode ---- */

static int turn(const struct config *config, int argc, char **argv, bool is_on,
                const struct options_help *help)
{
    struct operator_session session;
    struct db_args args;
    struct db_rows *rows = NULL;
    int status = options_none(argc, argv, help);

    if (status >= 0) {
        return status;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        db_args_init(&args, session.arena);
        db_arg_bool(&args, is_on);
        err = db_run(session.tx, &q_maintenance_set, &args, &rows);
    }
    bool has_changed = err == OK && db_bool(rows, 0, MAINTENANCE_SET_HAS_CHANGED);
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "maintenance mode %s %s%s\n", has_changed ? "is" : "was",
                is_on ? "on" : "off",
                !has_changed ? " already"
                : is_on      ? "; everybody but operators is told to come back, within 5 s"
                             : "");
    }
    operator_free(&session);
    return status;
}

static int turn_on(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark maintenance on",
        .about = "Ingest, the API and pages answer 503 with Retry-After; operators still get in.",
    };
    return turn(config, argc, argv, true, &HELP);
}

static int turn_off(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark maintenance off",
        .about = "Everybody gets in again.",
    };
    return turn(config, argc, argv, false, &HELP);
}

/* ---- the pass ---- */

static int run_jobs(const struct config *config, struct op *op)
{
    static const char *const JOBS[] = { "schedule",    "partitions", "rollups",
                                        "costs",       "archive",    "columnstore",
                                        "retention",   "aggregates", "analyse" };
    const char *url;
    if (db_role_url(op, config, DB_ROLE_WORKER, &url) != OK) {
        options_complain(op);
        return EXIT_FAILED;
    }
    struct db_options options = { .url = url, .name = "tidemark maintenance",
                                  .is_prepared = config->db_prepare,
                                  .statement_timeout_ms = STATEMENT_TIMEOUT_MS };
    struct worker worker = { .config = config, .stop_fd = stop_fd_open() };
    struct db_conn *conn = db_conn_new(&options);
    bool is_good = conn != NULL && worker.stop_fd >= 0;
    for (int i = 0; i < JOB_LANES; i++) {
        worker.conns[i] = conn; /* one job after another */
    }
    if (is_good) {
        is_good = worker_run_named(&worker, JOBS, sizeof JOBS / sizeof *JOBS);
    }
    if (worker.stop_fd >= 0) {
        close(worker.stop_fd);
    }
    db_conn_close(conn);
    return is_good ? EXIT_OK : EXIT_FAILED;
}

static int run(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark maintenance run",
        .about = "Does now what the worker does from hour to hour: partitions, rollups, the\n"
                 "archive, the columnstore, retention, aggregates, statistics. Fails when a part\n"
                 "of it does.",
    };
    int status = options_none(argc, argv, &HELP);
    struct arena *arena = status < 0 ? arena_new(COMMAND_ARENA_BYTES) : NULL;
    struct op op;

    if (arena == NULL) {
        return status < 0 ? EXIT_FAILED : status;
    }
    op_init(&op, arena, "maintenance");
    status = run_jobs(config, &op);
    arena_free(arena);
    return status;
}

int cmd_maintenance(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "on", turn_on, "everybody but operators is told to come back later" },
        { "off", turn_off, "everybody gets in again" },
        { "run", run, "do all of upkeep now" },
        { .name = NULL },
    };
    return operator_verb(config, argc, argv, VERBS);
}

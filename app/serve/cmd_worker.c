/* `tidemark worker`: runs the jobs of app/work/ until it is told to stop. */
#include "base/op.h"
#include "db/conn.h"
#include "db/url.h"
#include "serve/commands.h"
#include "serve/options.h"
#include "serve/stop_fd.h"
#include "work/worker.h"

#include <stdio.h>
#include <unistd.h>

#define COMMAND_ARENA_BYTES (1u << 20)
#define STATEMENT_TIMEOUT_MS (10 * 60 * 1000) /* no step of a job takes as long unless it hangs */

static const struct options_help HELP = {
    .usage = "tidemark worker [--once]",
    .about = "Runs the maintenance jobs, each when it is due, until SIGTERM or SIGINT.\n"
             "Several workers may run; each job is run by one of them at a time.",
};

static int run(const struct config *config, struct op *op, bool is_once)
{
    const char *url;
    if (db_role_url(op, config, DB_ROLE_WORKER, &url) != OK) {
        options_complain(op);
        return EXIT_FAILED;
    }
    struct db_home home = DB_HOME_NONE;
    struct db_options options = { .url = url, .name = "tidemark worker",
                                  .is_prepared = config->db_prepare,
                                  .statement_timeout_ms = STATEMENT_TIMEOUT_MS,
                                  .home = &home };
    struct worker worker = { .config = config, .stop_fd = stop_fd_open() };
    (void)signal(SIGPIPE, SIG_IGN); /* pg_restore may end before it has read all */
    bool is_good = worker.stop_fd >= 0;
    for (int i = 0; i < JOB_LANES; i++) {
        worker.conns[i] = db_conn_new(&options);
        is_good = is_good && worker.conns[i] != NULL;
    }
    if (!is_good) {
        fputs("tidemark: the system has no memory or descriptor left\n", stderr);
    } else {
        is_good = is_once ? worker_run_once(&worker) : worker_run(&worker);
    }
    if (worker.stop_fd >= 0) {
        close(worker.stop_fd);
    }
    for (int i = 0; i < JOB_LANES; i++) {
        db_conn_close(worker.conns[i]);
    }
    return is_good ? EXIT_OK : EXIT_FAILED;
}

int cmd_worker(const struct config *config, int argc, char **argv)
{
    bool is_once = false;
    const struct option_row rows[] = {
        { "--once", NULL, "run every job once; fails when one does", NULL, &is_once },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, rows, NULL);
    struct arena *arena = status < 0 ? arena_new(COMMAND_ARENA_BYTES) : NULL;
    if (arena == NULL) {
        return status < 0 ? EXIT_FAILED : status;
    }
    struct op op;
    op_init(&op, arena, "worker");
    status = run(config, &op, is_once);
    arena_free(arena);
    return status;
}

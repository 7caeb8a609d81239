/* Costs: rates again what changed, place by place, each in a transaction of its own, until nothing
 * is left. Several workers may do so at once: the database gives each another place. Called by the
 * table. */
#include "base/clock.h"
#include "domain/cost_work.h"
#include "gen/queries.h"
#include "work/jobs.h"

#include <stdio.h>

#define LONGEST_PASS_US (60 * US_PER_SECOND) /* then the pass is recorded, and the next begins */

static enum err rate_place(struct job_pass *pass, struct cost_work *work)
{
    struct db_tx *tx;
    enum err err = db_begin(pass->op, pass->conn, DB_WRITE, 0, &tx);

    return err == OK ? db_end(tx, cost_work_step(tx, work)) : err;
}

/* Each place that is to be rated, once; *n_steps: how many were. One that cannot be is told of and
 * passed over, so that it keeps nobody else from being rated. */
static enum err rate_places(struct job_pass *pass, struct cost_work *work, int64_t end_us,
                            int *n_steps, int *n_failed)
{
    enum err err = OK;

    *n_steps = 0;
    work->tenant_id = work->site_id = 0;
    do {
        arena_reset(pass->op->arena); /* of the place before */
        work->is_taken = false;
        err = rate_place(pass, work);
        if (err != OK && err != ERR_UNAVAILABLE && work->is_taken) {
            op_log_fault(pass->op);
            op_clear_fault(pass->op);
            ++*n_failed;
            err = OK;
        } else if (err == OK && work->is_taken) {
            ++*n_steps;
        }
    } while (err == OK && work->is_taken && job_goes_on(pass, end_us));
    return err;
}

enum err job_costs(struct job_pass *pass)
{
    struct cost_work work = { .n_rows = 0 };
    int64_t end_us = clock_monotonic_us() + LONGEST_PASS_US;
    int n_all = 0, n_steps, n_failed;
    enum err err;

    do {
        n_failed = 0;
        err = rate_places(pass, &work, end_us, &n_steps, &n_failed);
        n_all += n_steps;
    } while (err == OK && n_steps > 0 && job_goes_on(pass, end_us));
    if (err == OK && n_failed > 0) {
        return fail(pass->op, ERR_INTERNAL, "%d places could not be rated", n_failed);
    }
    snprintf(pass->detail, sizeof pass->detail, "places=%d days=%lld rows=%lld", n_all,
             (long long)work.n_days, (long long)work.n_rows);
    return err;
}

enum err job_costs_due(struct job_pass *pass, bool *out)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_cost_due, NULL, &rows);

    if (err == OK) {
        *out = db_bool(rows, 0, JOB_COST_DUE_IS_DUE);
    }
    return err;
}

enum err job_cost_prune(struct job_pass *pass)
{
    struct db_rows *rows;
    int64_t removed = 0, n;
    enum err err;

    do {
        err = job_run_alone(pass, &q_job_cost_prune, NULL, &rows);
        n = err == OK ? db_int64(rows, 0, JOB_COST_PRUNE_ROWS_REMOVED) : 0;
        removed += n;
    } while (n > 0 && !worker_is_stopping(pass->stop_fd, 0));
    snprintf(pass->detail, sizeof pass->detail, "removed=%lld", (long long)removed);
    return err;
}

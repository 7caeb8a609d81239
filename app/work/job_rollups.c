/* Rollups: closes the quarter hours that are over, and derives again what changed after it was
 * closed, in small transactions, until nothing is left. What each step does is in the database
 * (ops.rollup_*). Called by the table, and by serve/cmd_seed.c after it filled the past. */
#include "base/clock.h"
#include "gen/queries.h"
#include "work/jobs.h"

#include <stdio.h>

#define FOLLOW_QUARTERS 20000              /* derived in one transaction: well under a second */
#define LONGEST_PASS_US (60 * US_PER_SECOND) /* then the pass is recorded, and the next begins */
/* So many changes within a step are a backfill that is coming in: what it changes it will change
 * again. Following rests then so many times as long as the step took, and leaves the database to
 * those who store. */
#define BACKFILL_CHANGES 100
#define REST_FACTOR 4
#define LONGEST_REST_US (5 * US_PER_SECOND)

struct progress {
    int64_t closing_us; /* as far as quarter hours are closed */
    int64_t n_changes, n_rows;
    int64_t rest_us; /* before the next step */
    bool is_done;
};

/* One step of each kind. */
static enum err close_some(struct job_pass *pass, struct progress *progress)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_rollups_begin, NULL, &rows);
    if (err != OK) {
        return err;
    }
    int64_t closing_us = db_time(rows, 0, JOB_ROLLUPS_BEGIN_CLOSING_UNTIL);
    progress->is_done = closing_us == progress->closing_us;
    progress->closing_us = closing_us;
    err = job_run_alone(pass, &q_job_rollups_finish, NULL, &rows);
    if (err == OK) {
        progress->n_rows += db_int64(rows, 0, JOB_ROLLUPS_FINISH_ROWS_WRITTEN);
    }
    return err;
}

static enum err follow_some(struct job_pass *pass, struct progress *progress)
{
    struct db_args args;
    struct db_rows *rows;
    int64_t begin_us = clock_monotonic_us();
    db_args_init(&args, pass->op->arena);
    db_arg_int(&args, FOLLOW_QUARTERS);
    enum err err = job_run_alone(pass, &q_job_rollups_follow, &args, &rows);
    if (err != OK) {
        return err;
    }
    int64_t n_changes = db_int64(rows, 0, JOB_ROLLUPS_FOLLOW_CHANGES);
    int64_t rest_us = REST_FACTOR * (clock_monotonic_us() - begin_us);
    progress->rest_us = n_changes < BACKFILL_CHANGES || pass->is_once ? 0
                        : rest_us < LONGEST_REST_US                   ? rest_us
                                                                      : LONGEST_REST_US;
    progress->n_changes += n_changes;
    progress->n_rows += db_int64(rows, 0, JOB_ROLLUPS_FOLLOW_ROWS_WRITTEN);
    progress->is_done = progress->is_done && db_bool(rows, 0, JOB_ROLLUPS_FOLLOW_IS_DONE);
    return OK;
}

enum err job_rollups(struct job_pass *pass)
{
    struct progress progress = { .closing_us = 0 };
    int64_t end_us = clock_monotonic_us() + LONGEST_PASS_US;
    enum err err;
    do {
        arena_reset(pass->op->arena); /* of the step before: a pass may have thousands */
        err = close_some(pass, &progress);
        if (err == OK) {
            err = follow_some(pass, &progress);
        }
    } while (err == OK && !progress.is_done && job_goes_on(pass, end_us) &&
             !worker_is_stopping(pass->stop_fd, progress.rest_us));
    snprintf(pass->detail, sizeof pass->detail, "changes=%lld rows=%lld%s",
             (long long)progress.n_changes, (long long)progress.n_rows,
             progress.is_done ? "" : " unfinished");
    return err;
}

enum err job_rollups_due(struct job_pass *pass, bool *out)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_rollups_due, NULL, &rows);
    if (err == OK) {
        *out = db_bool(rows, 0, JOB_ROLLUPS_DUE_IS_DUE);
    }
    return err;
}

/* Archiving: what is finished and old enough goes to the object store, day by day. Called by the
 * table; how often is a setting, as is whether at all. */
#include "work/jobs.h"

#include "archive/archive.h"
#include "base/clock.h"
#include "gen/queries.h"

#include <stdio.h>

#define REST_MOST_US (10 * US_PER_SECOND)
#define PAUSE_FIRST_US (30 * US_PER_SECOND) /* after a run that failed */
#define PAUSE_MOST_US US_PER_HOUR           /* or the interval, where that is shorter */

/* Rests as long as it worked, so that pages and devices have at least half of the database's time;
 * not when it is to be done with. */
static bool goes_on(void *context, int64_t worked_us)
{
    const struct job_pass *pass = context;
    int64_t rest_us = worked_us < REST_MOST_US ? worked_us : REST_MOST_US;

    return !worker_is_stopping(pass->stop_fd, pass->is_once ? 0 : rest_us);
}

enum err job_archive_configure(struct job_pass *pass)
{
    struct db_args args;

    db_args_init(&args, pass->op->arena);
    db_arg_bool(&args, pass->config->archive_interval_hours > 0);
    db_arg_int(&args, pass->config->archive_after_hours);
    return job_run_alone(pass, &q_archive_configure, &args, NULL);
}

/* How long after so many failures in a row it is tried again: each time twice as long, since of all
 * tenants it is looked then whether something changed, and those that fail may do so for good. */
static int64_t pause_us(int64_t n_failed, int64_t every_us)
{
    int64_t most_us = every_us < PAUSE_MOST_US ? every_us : PAUSE_MOST_US;
    int64_t pause = PAUSE_FIRST_US;

    for (int64_t i = 1; i < n_failed && pause < most_us; i++) {
        pause *= 2;
    }
    return pause < most_us ? pause : most_us;
}

enum err job_archive_due(struct job_pass *pass, bool *out)
{
    int64_t every_us = pass->config->archive_interval_hours * US_PER_HOUR;
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, pass->op->arena);
    db_arg_text(&args, "archive");
    enum err err = job_run_alone(pass, &q_job_past, &args, &rows);
    if (err != OK) {
        return err;
    }
    int64_t n_failed = db_int64(rows, 0, JOB_PAST_N_FAILED);
    int64_t last_us = db_time_or(rows, 0, n_failed > 0 ? JOB_PAST_FAILED_AT : JOB_PAST_GOOD_AT, 0);
    int64_t wait_us = n_failed > 0 ? pause_us(n_failed, every_us) : every_us;
    *out = every_us > 0 && clock_now_us() - last_us >= wait_us;
    pass->is_bad_still = !*out && every_us > 0 && n_failed > 0;
    return OK;
}

enum err job_archive(struct job_pass *pass)
{
    struct archive_run run = { .goes_on = goes_on, .context = pass };
    struct archive archive;
    int n_removed = 0;
    enum err err = job_archive_configure(pass);

    if (err != OK || pass->config->archive_interval_hours == 0) {
        return err;
    }
    err = archive_open(&archive, pass->op, pass->conn, pass->config);
    if (err == OK) { /* the objects job may not have come to it yet */
        err = archive_find_place(pass->op, pass->conn, archive.store);
    }
    if (err == OK) {
        err = archive_sweep(&archive, &n_removed);
    }
    if (err == OK) {
        err = archive_run(&archive, &run);
    }
    archive_close(&archive);
    snprintf(pass->detail, sizeof pass->detail, "days=%d rows=%lld bytes=%lld removed=%d",
             run.n_days, (long long)run.n_rows, (long long)run.n_bytes, n_removed);
    if (err == OK && run.n_failed > 0) {
        return fail(pass->op, ERR_INTERNAL, "%d tenants' days or catalogues could not be archived",
                    run.n_failed);
    }
    return err;
}

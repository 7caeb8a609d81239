/* Retention: asks the database which chunks and whose rows are past keeping, and takes the steps
 * one by one, each a transaction of its own. What is in use, or has yet to be derived from, is
 * left for the next pass with everything newer of its table. Called by the table. */
#include "work/jobs.h"

#include "base/clock.h"
#include "gen/queries.h"

#include <stdio.h>

#define BUDGET_US (4 * US_PER_MINUTE) /* of a pass: the rest is for the next one */

/* What a pass did. */
struct tally {
    int dropped;          /* chunks */
    int64_t deleted;      /* rows of tenants whose horizon is nearer than others' */
    int waiting, busy;    /* chunks left for later */
};

static enum err set_days(struct job_pass *pass)
{
    const struct config *config = pass->config;
    struct db_args args;
    db_args_init(&args, pass->op->arena);
    db_arg_int(&args, config->retention_raw_days);
    db_arg_int(&args, config->retention_hourly_days);
    db_arg_int(&args, config->retention_daily_days);
    db_arg_int(&args, config->retention_event_days);
    return job_run_alone(pass, &q_job_retention_set, &args, NULL);
}

/* Takes the step of row `at` of the plan; *is_left: its table has to wait. */
static enum err take_step(struct job_pass *pass, const struct db_rows *plan, int at,
                          struct tally *tally, bool *is_left)
{
    struct db_args args;
    struct db_rows *rows;
    db_args_init(&args, pass->op->arena);
    for (int column = JOB_RETENTION_PLAN_RELATION; column <= JOB_RETENTION_PLAN_TO_TIME; column++) {
        db_arg_text(&args, db_text(plan, at, column));
    }
    if (db_is_null(plan, at, JOB_RETENTION_PLAN_TENANT_ID)) {
        db_arg_null(&args);
    } else {
        db_arg_int(&args, db_int(plan, at, JOB_RETENTION_PLAN_TENANT_ID));
    }
    enum err err = job_run_alone(pass, &q_job_retention_step, &args, &rows);
    if (err != OK) {
        return err;
    }
    struct str outcome = db_str(rows, 0, JOB_RETENTION_STEP_OUTCOME);
    tally->dropped += str_equal(outcome, STR("dropped"));
    tally->deleted += str_equal(outcome, STR("deleted"))
                          ? db_int64(rows, 0, JOB_RETENTION_STEP_ROWS) : 0;
    tally->waiting += str_equal(outcome, STR("waiting"));
    tally->busy += str_equal(outcome, STR("busy"));
    *is_left = str_equal(outcome, STR("waiting")) || str_equal(outcome, STR("busy"));
    return OK;
}

static enum err take_steps(struct job_pass *pass, const struct db_rows *plan, struct tally *tally)
{
    int64_t end_us = clock_monotonic_us() + BUDGET_US;
    struct str left = { NULL, 0 }; /* the table that has to wait */
    for (int i = 0; i < db_count(plan) && job_goes_on(pass, end_us); i++) {
        struct str relation = db_str(plan, i, JOB_RETENTION_PLAN_RELATION);
        bool is_left = false;
        if (left.ptr != NULL && str_equal(relation, left)) {
            continue;
        }
        enum err err = take_step(pass, plan, i, tally, &is_left);
        if (err != OK) {
            return err;
        }
        if (is_left) {
            left = relation;
        }
    }
    return OK;
}

enum err job_retention(struct job_pass *pass)
{
    struct db_rows *plan, *rows;
    struct tally tally = { 0 };
    enum err err = set_days(pass);
    if (err == OK) {
        err = job_archive_configure(pass);
    }
    if (err == OK) {
        err = job_run_alone(pass, &q_job_retention_plan, NULL, &plan);
    }
    if (err == OK) {
        err = take_steps(pass, plan, &tally);
    }
    if (err == OK) {
        err = job_run_alone(pass, &q_job_retention_tidy, NULL, &rows);
    }
    if (err == OK) {
        const char *removed = db_text(rows, 0, JOB_RETENTION_TIDY_REMOVED);
        snprintf(pass->detail, sizeof pass->detail,
                 "chunks=%d rows=%lld waiting=%d busy=%d removed=%s", tally.dropped,
                 (long long)tally.deleted, tally.waiting, tally.busy, removed ? removed : "{}");
    }
    return err;
}

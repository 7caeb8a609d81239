/* Upkeep of what is stored: the columnstore chunk by chunk, the planner's statistics table by
 * table, and the continuous aggregates. Each step is a transaction of its own and waits for nobody
 * longer than the database's function lets it. Called by the table. */
#include "work/jobs.h"

#include "base/clock.h"
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"

#include <stdio.h>

#define BUDGET_US (4 * US_PER_MINUTE) /* of a pass: the rest is for the next one */
#define MAX_JOBS 32
#define MAX_BUSY 64                   /* things in use that a pass goes around */
#define REFRESH_TIMEOUT_MS (10 * 60 * 1000)

/* Calls `query` with the names of what was found in use until it has nothing more to do. Its first
 * column is what was done something to, the second `busy` or what it was. */
static enum err repeat(struct job_pass *pass, const struct db_query *query, int *n_done,
                       int *n_busy)
{
    struct str busy[MAX_BUSY];
    int64_t end_us = clock_monotonic_us() + BUDGET_US;
    *n_done = *n_busy = 0;
    while (job_goes_on(pass, end_us) && *n_busy < MAX_BUSY) {
        struct db_args args;
        struct db_rows *rows;
        db_args_init(&args, pass->op->arena);
        db_arg_str_array(&args, busy, (size_t)*n_busy);
        enum err err = job_run_alone(pass, query, &args, &rows);
        if (err != OK) {
            return err;
        }
        if (db_count(rows) == 0 || db_is_null(rows, 0, 0)) {
            return OK;
        }
        if (str_equal(db_str(rows, 0, 1), STR("busy"))) {
            busy[(*n_busy)++] = db_str(rows, 0, 0);
        } else {
            (*n_done)++;
        }
    }
    return OK;
}

enum err job_columnstore(struct job_pass *pass)
{
    struct db_rows *rows;
    int n_done = 0, n_busy = 0;
    enum err err = job_run_alone(pass, &q_job_chunk_width_adjust, NULL, &rows);
    if (err == OK) {
        err = repeat(pass, &q_job_columnstore_next, &n_done, &n_busy);
    }
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "compressed=%d busy=%d width=%dd", n_done,
                 n_busy, (int)db_int(rows, 0, JOB_CHUNK_WIDTH_ADJUST_DAYS));
    }
    return err;
}

enum err job_analyse(struct job_pass *pass)
{
    int n_done, n_busy;
    enum err err = repeat(pass, &q_job_analyse_next, &n_done, &n_busy);
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "analysed=%d busy=%d", n_done, n_busy);
    }
    return err;
}

/* ---- continuous aggregates ---- */

/* The owner's connection, where this process was given one; *out is NULL where not. */
static enum err open_owner(struct job_pass *pass, struct db_conn **out)
{
    const struct config *config = pass->config;
    const char *url;
    *out = NULL;
    if (config->database_url == NULL && config->database_worker_url != NULL) {
        return OK;
    }
    enum err err = db_role_url(pass->op, config, DB_ROLE_OWNER, &url);
    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark worker",
                                  .statement_timeout_ms = REFRESH_TIMEOUT_MS };
    *out = db_conn_new(&options);
    return *out != NULL ? OK : fail_memory(pass->op);
}

static enum err refresh(struct job_pass *pass, struct db_conn *owner, const struct db_rows *list)
{
    for (int i = 0; i < db_count(list); i++) {
        struct db_args args;
        db_args_init(&args, pass->op->arena);
        db_arg_text(&args, db_text(list, i, JOB_AGGREGATE_LIST_AGGREGATE));
        db_arg_text(&args, db_text(list, i, JOB_AGGREGATE_LIST_FROM_TIME));
        db_arg_text(&args, db_text(list, i, JOB_AGGREGATE_LIST_TO_TIME));
        enum err err = db_run_alone(pass->op, owner, &q_job_aggregate_refresh, &args);
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

enum err job_aggregates(struct job_pass *pass)
{
    struct db_rows *list, *changed;
    struct db_conn *owner = NULL;
    enum err err = job_run_alone(pass, &q_job_aggregate_policies, NULL, &changed);
    if (err == OK) {
        err = job_run_alone(pass, &q_job_aggregate_list, NULL, &list);
    }
    if (err == OK && db_count(list) > 0) {
        err = open_owner(pass, &owner);
    }
    if (owner != NULL) {
        err = refresh(pass, owner, list);
        db_conn_close(owner);
    }
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "refreshed=%d policies=%d",
                 owner != NULL ? db_count(list) : 0,
                 (int)db_int(changed, 0, JOB_AGGREGATE_POLICIES_CHANGED));
    }
    return err;
}

enum err job_schedule(struct job_pass *pass)
{
    struct str names[MAX_JOBS];
    int32_t every_s[MAX_JOBS];
    struct db_args args;
    for (int i = 0; i < worker_jobs_count; i++) {
        names[i] = str_of(worker_jobs[i].name);
        every_s[i] = worker_jobs[i].every_s;
    }
    db_args_init(&args, pass->op->arena);
    db_arg_str_array(&args, names, (size_t)worker_jobs_count);
    db_arg_int_array(&args, every_s, (size_t)worker_jobs_count);
    return job_run_alone(pass, &q_job_schedule_set, &args, NULL);
}

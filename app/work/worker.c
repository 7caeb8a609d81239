/* The worker's loop and the record of each run. Knows no job but by the table.
 * Called by serve/cmd_worker.c. */
#include "work/worker.h"

#include "base/clock.h"
#include "db/conn.h"
#include "gen/queries.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define PASS_ARENA_BYTES (64u << 20) /* of one job's pass; none reads rows without bounds */
#define RETRY_AFTER_S 30             /* after a failure, where the job is not due sooner */
#define MAX_JOBS 32

/* Asks to run the job: *out_id is 0 when another worker is running it. */
static enum err begin_record(struct job_pass *pass, const struct job *job, int64_t *out_id)
{
    struct db_tx *tx;
    enum err err = db_begin(pass->op, pass->conn, DB_WRITE, 0, &tx);
    if (err != OK) {
        return err;
    }
    struct db_args args;
    db_args_init(&args, pass->op->arena);
    db_arg_text(&args, job->name);
    struct db_rows *rows;
    err = db_run(tx, &q_job_begin, &args, &rows);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    *out_id = db_is_null(rows, 0, JOB_BEGIN_ID) ? 0 : db_int64(rows, 0, JOB_BEGIN_ID);
    return db_commit(tx);
}

static enum err end_record(struct job_pass *pass, int64_t id, bool is_good, const char *detail)
{
    struct db_tx *tx;
    enum err err = db_begin(pass->op, pass->conn, DB_WRITE, 0, &tx);
    if (err != OK) {
        return err;
    }
    struct db_args args;
    db_args_init(&args, pass->op->arena);
    db_arg_int64(&args, id);
    db_arg_bool(&args, is_good);
    db_arg_text(&args, detail);
    err = db_run(tx, &q_job_end, &args, NULL);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

/* Runs one job with its record. A failure is logged here and told by false. */
static bool run_job(const struct worker *worker, const struct job *job, struct arena *arena,
                    struct metrics_memory *metrics)
{
    arena_reset(arena);
    struct op op;
    op_init(&op, arena, job->name);
    struct job_pass pass = { .op = &op, .conn = worker->conn, .config = worker->config,
                             .metrics = metrics };
    int64_t id = 0;
    int64_t started_us = clock_monotonic_us();
    enum err err = begin_record(&pass, job, &id);
    if (err == OK && id == 0) {
        log_debug("job is run by another worker", LOG_TEXT("job", job->name));
        return true;
    }
    if (err == OK) {
        err = job->run(&pass);
    }
    bool is_good = err == OK;
    if (!is_good) {
        op_log_fault(&op);
        snprintf(pass.detail, sizeof pass.detail, "%s", op.fault.detail);
        op_clear_fault(&op);
    }
    if (id != 0 && end_record(&pass, id, is_good, pass.detail) != OK) {
        op_log_fault(&op);
        is_good = false;
    }
    log_debug("job ran", LOG_TEXT("job", job->name), LOG_TEXT("detail", pass.detail),
              LOG_INT("ms", (clock_monotonic_us() - started_us) / 1000));
    return is_good;
}

static bool is_stopping(int stop_fd, int64_t wait_us)
{
    struct pollfd stop = { .fd = stop_fd, .events = POLLIN };
    int wait_ms = (int)((wait_us + 999) / 1000);
    int ready = poll(&stop, 1, wait_ms);
    return ready > 0 || (ready < 0 && errno != EINTR);
}

/* How long until the first of the jobs is due; 0 when one is. */
static int64_t until_due_us(const int64_t *due_us, int64_t now_us)
{
    int64_t least = INT64_C(3600) * US_PER_SECOND;
    for (int i = 0; i < worker_jobs_count; i++) {
        int64_t wait = due_us[i] - now_us;
        least = wait < least ? wait : least;
    }
    return least > 0 ? least : 0;
}

bool worker_run(const struct worker *worker)
{
    int64_t due_us[MAX_JOBS] = { 0 };
    struct metrics_memory metrics = { 0 };
    struct arena *arena = arena_new(PASS_ARENA_BYTES);
    if (arena == NULL || worker_jobs_count > MAX_JOBS) {
        arena_free(arena);
        return false;
    }
    log_info("worker runs", LOG_INT("jobs", worker_jobs_count));
    while (!is_stopping(worker->stop_fd, until_due_us(due_us, clock_monotonic_us()))) {
        for (int i = 0; i < worker_jobs_count; i++) {
            const struct job *job = &worker_jobs[i];
            if (due_us[i] > clock_monotonic_us()) {
                continue;
            }
            bool is_good = run_job(worker, job, arena, &metrics);
            bool is_soon = !is_good && job->every_s > RETRY_AFTER_S;
            due_us[i] = clock_monotonic_us() +
                        (is_soon ? RETRY_AFTER_S : job->every_s) * US_PER_SECOND;
            break; /* the stop is looked at between any two jobs */
        }
    }
    log_info("worker stops");
    arena_free(arena);
    return true;
}

bool worker_run_once(const struct worker *worker)
{
    struct metrics_memory metrics = { 0 };
    struct arena *arena = arena_new(PASS_ARENA_BYTES);
    bool is_good = arena != NULL;
    for (int i = 0; arena != NULL && i < worker_jobs_count; i++) {
        is_good = run_job(worker, &worker_jobs[i], arena, &metrics) && is_good;
    }
    arena_free(arena);
    return is_good;
}

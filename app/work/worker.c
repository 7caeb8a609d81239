/* The worker's loop and the record of each run. Knows no job but by the table.
 * Called by serve/cmd_worker.c. */
#include "work/worker.h"

#include "base/clock.h"
#include "db/conn.h"
#include "gen/queries.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define PASS_ARENA_BYTES (64u << 20) /* of one job's pass; none reads rows without bounds */
#define RETRY_AFTER_S 30             /* after a failure, where the job is not due sooner */
#define MAX_JOBS 32
#define IDLE_RECORD_US (2 * 60 * US_PER_SECOND) /* that a job was looked at: it is not overdue */
#define STOP_WAIT_US (5 * US_PER_SECOND)   /* for the steps that are under way */
#define STOP_AGAIN_US (US_PER_SECOND / 4)  /* between one cancelling and the next */
#define STOP_MOST_S 12 /* and for the server to give them up; then SIGALRM ends the process */

/* Asks to run the job: *out_id is 0 when another worker is running it. */
static enum err begin_record(struct job_pass *pass, const struct job *job, int64_t *out_id)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, pass->op->arena);
    db_arg_text(&args, job->name);
    enum err err = db_run_committed(pass->op, pass->conn, 0,
                                    job->lane == JOB_RATING ? &q_job_join : &q_job_begin, &args,
                                    &rows);
    if (err == OK) {
        *out_id = db_is_null(rows, 0, JOB_BEGIN_ID) ? 0 : db_int64(rows, 0, JOB_BEGIN_ID);
    }
    return err;
}

static enum err end_record(struct job_pass *pass, int64_t id, bool is_good, const char *detail)
{
    struct db_args args;

    db_args_init(&args, pass->op->arena);
    db_arg_int64(&args, id);
    db_arg_bool(&args, is_good);
    db_arg_text(&args, detail);
    return db_run_committed(pass->op, pass->conn, 0, &q_job_end, &args, NULL);
}

/* What a lane keeps from pass to pass. */
struct lane {
    const struct worker *worker;
    enum job_lane kind;
    bool is_once;
    struct arena *arena;
    struct metrics_memory metrics;
    struct job_wait wait;
    int64_t not_before_us;
    pthread_t thread;
    int64_t recorded_us[MAX_JOBS]; /* when a job of it was written down last (monotonic) */
    char said[sizeof ((struct job_pass *)0)->detail]; /* what its last pass says it did */
};

/* Whether the job has anything to do; one that cannot tell is run, and fails there. */
static bool is_idle(struct job_pass *pass, const struct job *job)
{
    bool is_due = true;
    if (job->is_due != NULL && job->is_due(pass, &is_due) != OK) {
        op_clear_fault(pass->op);
        return false;
    }
    return !is_due;
}

/* Runs one job with its record. A failure is logged here and told by false. */
static bool run_job(struct lane *lane, const struct job *job, bool is_first)
{
    arena_reset(lane->arena);
    struct op op;
    op_init(&op, lane->arena, job->name);
    struct job_pass pass = { .op = &op, .conn = lane->worker->conns[lane->kind],
                             .config = lane->worker->config, .metrics = &lane->metrics,
                             .wait = &lane->wait, .not_before_us = &lane->not_before_us,
                             .stop_fd = lane->worker->stop_fd, .is_once = lane->is_once };
    int64_t id = 0;
    int64_t started_us = clock_monotonic_us();
    int64_t *recorded_us = &lane->recorded_us[job - worker_jobs];
    bool has_none = !is_first && is_idle(&pass, job);
    if (has_none && (pass.is_bad_still || started_us - *recorded_us < IDLE_RECORD_US)) {
        return true; /* and the record of what failed stays the last */
    }
    *recorded_us = started_us;
    enum err err = begin_record(&pass, job, &id);
    if (err == OK && id == 0) {
        log_debug("job is run by another worker", LOG_TEXT("job", job->name));
        return true;
    }
    if (err == OK && !has_none) {
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
    snprintf(lane->said, sizeof lane->said, "%s", pass.detail);
    log_debug("job ran", LOG_TEXT("job", job->name), LOG_TEXT("detail", pass.detail),
              LOG_INT("ms", (clock_monotonic_us() - started_us) / 1000));
    return is_good;
}

bool worker_is_stopping(int stop_fd, int64_t wait_us)
{
    struct pollfd stop = { .fd = stop_fd, .events = POLLIN };
    int wait_ms = (int)((wait_us + 999) / 1000);
    int ready = poll(&stop, 1, wait_ms);
    return ready > 0 || (ready < 0 && errno != EINTR);
}

/* How long until the first of the lane's jobs is due; 0 when one is. */
static int64_t until_due_us(enum job_lane lane, const int64_t *due_us, int64_t now_us)
{
    int64_t least = INT64_C(3600) * US_PER_SECOND;
    for (int i = 0; i < worker_jobs_count; i++) {
        int64_t wait = due_us[i] - now_us;
        least = worker_jobs[i].lane == lane && wait < least ? wait : least;
    }
    return least > 0 ? least : 0;
}

static bool lane_open(struct lane *lane, const struct worker *worker, enum job_lane kind,
                      bool is_once)
{
    *lane = (struct lane){ .worker = worker, .kind = kind, .is_once = is_once,
                           .arena = arena_new(PASS_ARENA_BYTES) };
    (void)pthread_mutex_init(&lane->wait.lock, NULL);
    return lane->arena != NULL;
}

void worker_waits_for(struct job_wait *wait, struct db_conn *conn)
{
    (void)pthread_mutex_lock(&wait->lock);
    wait->conn = conn;
    (void)pthread_mutex_unlock(&wait->lock);
}

/* What the lane waits for on its own connection, and on its job's. */
static void lane_cancel(struct lane *lane)
{
    db_conn_cancel(lane->worker->conns[lane->kind]);
    (void)pthread_mutex_lock(&lane->wait.lock);
    if (lane->wait.conn) {
        db_conn_cancel(lane->wait.conn);
    }
    (void)pthread_mutex_unlock(&lane->wait.lock);
}

/* When the job of that name is due (monotonic), by how long ago it began; 0: at once. */
static int64_t due_after(const struct job *job, const struct db_rows *rows, int64_t now_us)
{
    for (int i = 0; i < db_count(rows); i++) {
        double ago_s = db_double(rows, i, JOB_RECENT_AGO_S);
        double left_s = ago_s < 0 ? 0 : job->every_s - ago_s; /* of the future: a clock was set */
        if (left_s > 0 && strcmp(db_text(rows, i, JOB_RECENT_NAME), job->name) == 0) {
            return now_us + (int64_t)(left_s * US_PER_SECOND);
        }
    }
    return 0;
}

/* A check of everything that a worker before made lately is not due at once. What cannot be told
 * is, and so is all else: it may be what the worker was started again for. */
static void find_due(struct lane *lane, int64_t *due_us)
{
    struct op op;
    struct db_tx *tx;
    struct db_rows *rows;

    if (lane->kind != JOB_SLOW) {
        return;
    }
    op_init(&op, lane->arena, "jobs");
    enum err err = db_begin(&op, lane->worker->conns[lane->kind], DB_READ, 0, &tx);
    if (err == OK) {
        err = db_run(tx, &q_job_recent, NULL, &rows);
        for (int i = 0; err == OK && i < worker_jobs_count; i++) {
            due_us[i] = worker_jobs[i].is_lasting
                            ? due_after(&worker_jobs[i], rows, clock_monotonic_us())
                            : 0;
        }
        db_rollback(tx);
    }
    if (err != OK) {
        op_log_fault(&op);
        op_clear_fault(&op);
    }
}

static void *lane_run(void *context)
{
    struct lane *lane = context;
    int64_t due_us[MAX_JOBS] = { 0 };
    find_due(lane, due_us);
    while (!worker_is_stopping(lane->worker->stop_fd,
                               until_due_us(lane->kind, due_us, clock_monotonic_us()))) {
        for (int i = 0; i < worker_jobs_count; i++) {
            const struct job *job = &worker_jobs[i];
            if (job->lane != lane->kind || due_us[i] > clock_monotonic_us()) {
                continue;
            }
            bool is_good = run_job(lane, job, due_us[i] == 0);
            bool is_soon = !is_good && job->every_s > RETRY_AFTER_S;
            due_us[i] = clock_monotonic_us() +
                        (is_soon ? RETRY_AFTER_S : job->every_s) * US_PER_SECOND;
            break; /* the stop is looked at between any two jobs */
        }
    }
    return NULL;
}

/* True when the lane has ended before the time (monotonic). */
static bool lane_ends(struct lane *lane, int64_t until_us)
{
    struct timespec until = { .tv_sec = (time_t)(until_us / US_PER_SECOND),
                              .tv_nsec = (long)(until_us % US_PER_SECOND) * 1000 };
    return pthread_clockjoin_np(lane->thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}

/* Of the lanes that are left, those that do not end before the time (monotonic): moved to the
 * front; how many. */
static int still_run(struct lane **left, int n, int64_t until_us)
{
    int n_still = 0;
    for (int i = 0; i < n; i++) {
        if (!lane_ends(left[i], until_us)) {
            left[n_still++] = left[i];
        }
    }
    return n_still;
}

/* Waits for the lanes; after some time it cancels what they wait for, again and again: what was
 * cancelled may be followed by another statement of its job. A server that does not even cancel,
 * or a disk that hangs, must not keep the process from ending. */
static void stop_lanes(struct lane *lanes, int n)
{
    struct lane *left[JOB_LANES];
    for (int i = 0; i < n; i++) {
        left[i] = &lanes[i];
    }
    (void)alarm(STOP_MOST_S);
    int n_left = still_run(left, n, clock_monotonic_us() + STOP_WAIT_US);
    if (n_left > 0) {
        log_warn("cancelling what does not end", LOG_INT("lanes", n_left));
    }
    while (n_left > 0) {
        for (int i = 0; i < n_left; i++) {
            lane_cancel(left[i]);
        }
        n_left = still_run(left, n_left, clock_monotonic_us() + STOP_AGAIN_US);
    }
    for (int i = 0; i < n; i++) {
        arena_free(lanes[i].arena);
    }
    (void)alarm(0);
    log_info("worker stopped");
}

bool worker_run(const struct worker *worker)
{
    struct lane lanes[JOB_LANES];
    bool is_good = worker_jobs_count <= MAX_JOBS;
    int n = 0;
    while (is_good && n < JOB_LANES) {
        is_good = lane_open(&lanes[n], worker, (enum job_lane)n, false);
        if (is_good && pthread_create(&lanes[n].thread, NULL, lane_run, &lanes[n]) != 0) {
            arena_free(lanes[n].arena);
            is_good = false;
        }
        n += is_good;
    }
    if (is_good) {
        log_info("worker runs", LOG_INT("jobs", worker_jobs_count));
        while (!worker_is_stopping(worker->stop_fd, US_PER_HOUR)) {
        }
        log_info("worker stops");
    }
    stop_lanes(lanes, n);
    return is_good;
}

bool worker_run_once(const struct worker *worker)
{
    struct lane lane;
    bool is_good = true;
    for (int kind = JOB_LANES - 1; kind >= 0; kind--) { /* rollups, then what waits for them */
        if (!lane_open(&lane, worker, (enum job_lane)kind, true)) {
            return false;
        }
        for (int i = 0; i < worker_jobs_count; i++) {
            if (worker_jobs[i].lane == lane.kind) {
                is_good = run_job(&lane, &worker_jobs[i], true) && is_good;
            }
        }
        arena_free(lane.arena);
    }
    return is_good;
}

static const struct job *find_job(const char *name)
{
    for (int i = 0; i < worker_jobs_count; i++) {
        if (strcmp(worker_jobs[i].name, name) == 0) {
            return &worker_jobs[i];
        }
    }
    return NULL;
}

bool worker_run_named(const struct worker *worker, const char *const *names, int n)
{
    struct lane lane;
    bool is_good = lane_open(&lane, worker, JOB_SLOW, true);
    for (int i = 0; lane.arena != NULL && i < n; i++) {
        const struct job *job = find_job(names[i]);
        int64_t started_us = clock_monotonic_us();
        if (job == NULL || worker_is_stopping(worker->stop_fd, 0)) {
            is_good = false;
            break;
        }
        fprintf(stderr, "%s …\n", names[i]);
        lane.said[0] = '\0';
        bool is_done = run_job(&lane, job, true);
        printf("%s\t%s\t%.1f s\t%s\n", names[i], is_done ? "ok" : "failed",
               (double)(clock_monotonic_us() - started_us) / 1e6, lane.said);
        fflush(stdout);
        is_good = is_good && is_done;
    }
    arena_free(lane.arena);
    return is_good;
}

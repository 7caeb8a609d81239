/* The worker: runs a table of jobs, each when it is due, one after another in its lane. A lane is
 * a thread with a connection of its own, so that upkeep of an hour delays no late sample. Several
 * workers may run at once: the database lets one of them run a job, but for those of the lane that
 * is shared. A job that fails is tried again soon and harms no other. */
#ifndef TIDEMARK_WORK_WORKER_H
#define TIDEMARK_WORK_WORKER_H

#include "base/config.h"
#include "base/op.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct db_conn;

/* What the measuring job remembers between its passes, to tell rates from counters. */
struct metrics_memory {
    int64_t time_us;       /* monotonic; 0: no pass yet */
    int64_t rows_written;
    int64_t commits;
    int64_t samples, events; /* ever stored, by the server's counters */
};

/* What a job waits for on a connection of its own, to be cancelled when the worker is to stop. */
struct job_wait {
    pthread_mutex_t lock;
    struct db_conn *conn;  /* NULL: none */
};

/* What one pass of a job is given. Its op and arena are its own. */
struct job_pass {
    struct op *op;
    struct db_conn *conn;
    const struct config *config;
    struct metrics_memory *metrics;
    struct job_wait *wait;
    int64_t *not_before_us; /* of the lane: for the job to keep from pass to pass (monotonic) */
    int stop_fd;           /* readable: a job of many steps ends after the one it is at; -1: none */
    bool is_once;          /* to be done with, however long it takes */
    bool is_bad_still;     /* set by is_due: nothing to do, and what was done last failed */
    char detail[512];      /* what was done, for ops.job_run; filled by the job */
};

enum job_lane {
    JOB_SLOW,              /* upkeep, that may take its time */
    JOB_ARCHIVE,           /* files for the object store, that may be slow */
    JOB_DRILL,             /* restoring a whole backup */
    JOB_RATING,            /* costs: shared, for each worker is at another place */
    JOB_QUICK,             /* what somebody waits for */
    JOB_LANES
};

struct job {
    const char *name;      /* its name in ops.job_run and in the log */
    int every_s;           /* from the end of one pass to the next */
    enum job_lane lane;
    enum err (*run)(struct job_pass *pass);
    /* Asked before each pass but the first; where nothing is due there is no pass, and a record of
     * none only now and then. NULL: always. */
    enum err (*is_due)(struct job_pass *pass, bool *out);
    bool is_lasting;       /* not run at a start, where a worker before did so lately */
};

/* The table (jobs.c), in the order of the first passes. */
extern const struct job worker_jobs[];
extern const int worker_jobs_count;

struct worker {
    const struct config *config;
    struct db_conn *conns[JOB_LANES]; /* of the worker's role; the caller's */
    int stop_fd;           /* readable as soon as the worker should stop */
};

/* Runs due jobs until stop_fd is readable. What is under way then has some seconds to end; after
 * that the server is asked to cancel it, and what was not done is done by the next run. A process
 * that even that does not end is ended by SIGALRM. False only when the memory or a thread for it is
 * not to be had. */
bool worker_run(const struct worker *worker);

/* Whether the stop comes within the time; a stop_fd below 0 never does. For jobs of many steps. */
bool worker_is_stopping(int stop_fd, int64_t wait_us);

/* Says that the job waits for a connection of its own, and by NULL, before it closes it, that it
 * does no more. */
void worker_waits_for(struct job_wait *wait, struct db_conn *conn);

/* Runs the named jobs once, one after another, whatever others are due: its name on
 * standard error as it begins, on standard output a line as it ends (name, "ok" or "failed", how
 * long, what it did). True when all went well or are another worker's at the moment. */
bool worker_run_named(const struct worker *worker, const char *const *names, int n);

/* Runs every job once. True when all went well or are another worker's at the moment. */
bool worker_run_once(const struct worker *worker);

#endif

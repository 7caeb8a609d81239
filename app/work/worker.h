/* The worker: runs a table of jobs, each when it is due, one after another on one
 * connection. Several workers may run at once: the database lets one of them run a job.
 * A job that fails is tried again soon and harms no other. */
#ifndef TIDEMARK_WORK_WORKER_H
#define TIDEMARK_WORK_WORKER_H

#include "base/config.h"
#include "base/op.h"

#include <stdbool.h>

struct db_conn;

/* What the measuring job remembers between its passes, to tell rates from counters. */
struct metrics_memory {
    int64_t time_us;       /* monotonic; 0: no pass yet */
    int64_t rows_written;
    int64_t commits;
};

/* What one pass of a job is given. Its op and arena are its own. */
struct job_pass {
    struct op *op;
    struct db_conn *conn;
    const struct config *config;
    struct metrics_memory *metrics;
    char detail[512];      /* what was done, for ops.job_run; filled by the job */
};

struct job {
    const char *name;      /* its name in ops.job_run and in the log */
    int every_s;           /* from the end of one pass to the next */
    enum err (*run)(struct job_pass *pass);
};

/* The table (jobs.c), in the order of the first passes. */
extern const struct job worker_jobs[];
extern const int worker_jobs_count;

struct worker {
    const struct config *config;
    struct db_conn *conn;  /* of the worker's role; the caller's */
    int stop_fd;           /* readable as soon as the worker should stop */
};

/* Runs due jobs until stop_fd is readable, checked between jobs. False only when the memory
 * for it is not to be had. */
bool worker_run(const struct worker *worker);

/* Runs every job once. True when all went well or are another worker's at the moment. */
bool worker_run_once(const struct worker *worker);

#endif

/* The table of jobs: what the worker runs, and how often. */
#include "work/jobs.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)

const struct job worker_jobs[] = {
    { "partitions", HOUR, job_partitions },
    { "metrics", MINUTE, job_metrics },
    { "series_last", 5 * MINUTE, job_series_last },
    { "sessions", HOUR, job_sessions },
    { "retention", HOUR, job_retention },
    { "orphans", 6 * HOUR, job_orphans },
};
const int worker_jobs_count = sizeof worker_jobs / sizeof *worker_jobs;

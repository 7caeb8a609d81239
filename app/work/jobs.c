/* The table of jobs: what the worker runs, and how often. */
#include "work/jobs.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)

const struct job worker_jobs[] = {
    { "rollups", 5, job_rollups, JOB_QUICK, job_rollups_due },
    { "partitions", HOUR, job_partitions, JOB_SLOW, NULL },
    { "metrics", MINUTE, job_metrics, JOB_SLOW, NULL },
    { "series_last", 5 * MINUTE, job_series_last, JOB_SLOW, NULL },
    { "sessions", HOUR, job_sessions, JOB_SLOW, NULL },
    { "retention", HOUR, job_retention, JOB_SLOW, NULL },
    { "orphans", 6 * HOUR, job_orphans, JOB_SLOW, NULL },
};
const int worker_jobs_count = sizeof worker_jobs / sizeof *worker_jobs;

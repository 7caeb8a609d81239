/* The table of jobs: what the worker runs, and how often. */
#include "work/jobs.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)

const struct job worker_jobs[] = {
    { "rollups", 5, job_rollups, JOB_QUICK, job_rollups_due },
    { "schedule", HOUR, job_schedule, JOB_SLOW, NULL },
    { "partitions", HOUR, job_partitions, JOB_SLOW, NULL },
    { "metrics", MINUTE, job_metrics, JOB_SLOW, NULL },
    { "series_last", 5 * MINUTE, job_series_last, JOB_SLOW, NULL },
    { "sessions", HOUR, job_sessions, JOB_SLOW, NULL },
    { "rejects", HOUR, job_rejects, JOB_SLOW, NULL },
    { "columnstore", 10 * MINUTE, job_columnstore, JOB_SLOW, NULL },
    { "retention", HOUR, job_retention, JOB_SLOW, NULL },
    { "aggregates", 10 * MINUTE, job_aggregates, JOB_SLOW, NULL },
    { "analyse", 5 * MINUTE, job_analyse, JOB_SLOW, NULL },
    { "orphans", 6 * HOUR, job_orphans, JOB_SLOW, NULL },
};
const int worker_jobs_count = sizeof worker_jobs / sizeof *worker_jobs;

/* The table of jobs: what the worker runs, and how often. */
#include "work/jobs.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)

const struct job worker_jobs[] = {
    { "rollups", 5, JOB_QUICK, job_rollups, job_rollups_due },
    { "costs", 1, JOB_RATING, job_costs, job_costs_due },
    { "schedule", HOUR, JOB_SLOW, job_schedule, NULL },
    { "partitions", HOUR, JOB_SLOW, job_partitions, NULL },
    { "metrics", MINUTE, JOB_SLOW, job_metrics, NULL },
    { "series_last", 5 * MINUTE, JOB_SLOW, job_series_last, NULL },
    { "sessions", HOUR, JOB_SLOW, job_sessions, NULL },
    { "rejects", HOUR, JOB_SLOW, job_rejects, NULL },
    { "objects", MINUTE, JOB_SLOW, job_objects, NULL },
    { "columnstore", 10 * MINUTE, JOB_SLOW, job_columnstore, NULL },
    { "archive", 10 * MINUTE, JOB_ARCHIVE, job_archive, job_archive_due },
    { "retention", HOUR, JOB_SLOW, job_retention, NULL },
    { "aggregates", 10 * MINUTE, JOB_SLOW, job_aggregates, NULL },
    { "analyse", 5 * MINUTE, JOB_SLOW, job_analyse, NULL },
    { "cost_prune", 24 * HOUR, JOB_SLOW, job_cost_prune, NULL },
    { "orphans", 6 * HOUR, JOB_SLOW, job_orphans, NULL },
};
const int worker_jobs_count = sizeof worker_jobs / sizeof *worker_jobs;

/* The table of jobs: what the worker runs, and how often. */
#include "work/jobs.h"

#define MINUTE 60
#define HOUR (60 * MINUTE)

const struct job worker_jobs[] = {
    { "rollups", 5, JOB_QUICK, job_rollups, job_rollups_due, false },
    { "costs", 1, JOB_RATING, job_costs, job_costs_due, false },
    { "schedule", HOUR, JOB_SLOW, job_schedule, NULL, false },
    { "partitions", HOUR, JOB_SLOW, job_partitions, NULL, false },
    { "metrics", MINUTE, JOB_SLOW, job_metrics, NULL, false },
    { "series_last", 5 * MINUTE, JOB_SLOW, job_series_last, NULL, false },
    { "sessions", HOUR, JOB_SLOW, job_sessions, NULL, false },
    { "rejects", HOUR, JOB_SLOW, job_rejects, NULL, false },
    { "objects", MINUTE, JOB_SLOW, job_objects, NULL, false },
    { "columnstore", 10 * MINUTE, JOB_SLOW, job_columnstore, NULL, false },
    { "archive", 10 * MINUTE, JOB_ARCHIVE, job_archive, job_archive_due, false },
    { "restores", 5, JOB_ARCHIVE, job_restores, job_restores_due, false },
    { "verifies", 5, JOB_ARCHIVE, job_verifies, job_verifies_due, false },
    { "drill", 10 * MINUTE, JOB_DRILL, job_drill, job_drill_due, false },
    { "retention", HOUR, JOB_SLOW, job_retention, NULL, false },
    { "aggregates", 10 * MINUTE, JOB_SLOW, job_aggregates, NULL, false },
    { "analyse", 5 * MINUTE, JOB_SLOW, job_analyse, NULL, false },
    { "cost_prune", 24 * HOUR, JOB_SLOW, job_cost_prune, NULL, false },
    { "orphans", 6 * HOUR, JOB_SLOW, job_orphans, NULL, true },
};
const int worker_jobs_count = sizeof worker_jobs / sizeof *worker_jobs;

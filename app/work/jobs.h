/* The jobs of the worker's table. Each opens the transactions it needs, says in
 * pass->detail what it did, and returns its failure. */
#ifndef TIDEMARK_WORK_JOBS_H
#define TIDEMARK_WORK_JOBS_H

#include "work/worker.h"

/* Makes the partitions of the coming days, before a sample needs them. */
enum err job_partitions(struct job_pass *pass);
/* Brings core.series_last up to what ingest stored but was killed before noting. */
enum err job_series_last(struct job_pass *pass);
/* Removes sessions that ended. */
enum err job_sessions(struct job_pass *pass);
/* Drops events, event keys, measurements and job records that are older than they are kept. */
enum err job_retention(struct job_pass *pass);
/* Erases what was committed after its tenant was erased, then looks for samples whose tenant is
 * not their series': there must be none; any is logged as an error and fails the job. */
enum err job_orphans(struct job_pass *pass);
/* Measures the installation: database and processes. */
enum err job_metrics(struct job_pass *pass);

#endif

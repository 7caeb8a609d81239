/* The jobs of the worker's table. Each opens the transactions it needs, says in
 * pass->detail what it did, and returns its failure. */
#ifndef TIDEMARK_WORK_JOBS_H
#define TIDEMARK_WORK_JOBS_H

#include "db/db.h"
#include "work/worker.h"

/* Runs one statement in a transaction of its own; its rows (`out` may be NULL) outlive it. */
enum err job_run_alone(struct job_pass *pass, const struct db_query *query,
                       const struct db_args *args, struct db_rows **out) MUST_CHECK;

/* Whether a job of many steps takes another: not when it is told to stop, and not after `end_us`
 * (monotonic) unless it is to be done with. */
bool job_goes_on(const struct job_pass *pass, int64_t end_us);

/* Closes the quarter hours that are over and derives again what changed; whether either is due. */
enum err job_rollups(struct job_pass *pass);
enum err job_rollups_due(struct job_pass *pass, bool *out);
/* Rates again what changed since it was rated, and days that are over; whether some is due. */
enum err job_costs(struct job_pass *pass);
enum err job_costs_due(struct job_pass *pass, bool *out);
/* Removes costs of days that are past keeping. */
enum err job_cost_prune(struct job_pass *pass);
/* Makes the partitions of the coming days, before a sample needs them. */
enum err job_partitions(struct job_pass *pass);
/* Brings core.series_last up to what ingest stored but was killed before noting. */
enum err job_series_last(struct job_pass *pass);
/* Removes sessions that ended. */
enum err job_sessions(struct job_pass *pass);
/* Drops chunks that are past everybody's retention, deletes a tenant's rows in those that are past
 * its own, and removes event keys and job records that are older than they are kept. */
enum err job_retention(struct job_pass *pass);
/* Archives what is finished and old enough; whether that is due. */
enum err job_archive(struct job_pass *pass);
enum err job_archive_due(struct job_pass *pass, bool *out);
/* Restores the days that admins want back; whether there is one. */
enum err job_restores(struct job_pass *pass);
enum err job_restores_due(struct job_pass *pass, bool *out);
/* Verifies the files that admins want verified; whether there is one. */
enum err job_verifies(struct job_pass *pass);
enum err job_verifies_due(struct job_pass *pass, bool *out);
/* Restores the newest backup on trial, where that is asked for; whether it is due. */
enum err job_drill(struct job_pass *pass);
enum err job_drill_due(struct job_pass *pass, bool *out);
/* Tells the database whether there is an archive, which retention then asks. */
enum err job_archive_configure(struct job_pass *pass);
/* Moves chunks that are due into the columnstore. */
enum err job_columnstore(struct job_pass *pass);
/* Brings the planner's statistics up to date where much changed. */
enum err job_analyse(struct job_pass *pass);
/* Refreshes continuous aggregates over the owner's connection, where this process has it. */
enum err job_aggregates(struct job_pass *pass);
/* Writes down how often each job is due. */
enum err job_schedule(struct job_pass *pass);
/* Erases what was committed after its tenant was erased, then looks for samples whose tenant is
 * not their series': there must be none; any is logged as an error and fails the job. */
enum err job_orphans(struct job_pass *pass);
/* Removes what was rejected longer ago than it is kept, and old accounts of hours. */
enum err job_rejects(struct job_pass *pass);
/* Removes objects that nothing speaks of any more, and files that came no further. */
enum err job_objects(struct job_pass *pass);
/* Measures the installation: database and processes. */
enum err job_metrics(struct job_pass *pass);

#endif

/* Jobs whose work is one call of a function in the database. Called by the table. */
#include "work/jobs.h"

#include "base/clock.h"
#include "db/conn.h"
#include "gen/queries.h"

#include <stdio.h>

enum err job_run_alone(struct job_pass *pass, const struct db_query *query,
                       const struct db_args *args, struct db_rows **out)
{
    return db_run_committed(pass->op, pass->conn, 0, query, args, out);
}

bool job_goes_on(const struct job_pass *pass, int64_t end_us)
{
    return !worker_is_stopping(pass->stop_fd, 0) &&
           (pass->is_once || clock_monotonic_us() < end_us);
}

enum err job_partitions(struct job_pass *pass)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_partitions_ahead, NULL, &rows);
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "made=%d",
                 (int)db_int(rows, 0, JOB_PARTITIONS_AHEAD_MADE));
    }
    return err;
}

enum err job_series_last(struct job_pass *pass)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_series_last_repair, NULL, &rows);
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "repaired=%lld",
                 (long long)db_int64(rows, 0, JOB_SERIES_LAST_REPAIR_REPAIRED));
    }
    return err;
}

enum err job_sessions(struct job_pass *pass)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_session_prune, NULL, &rows);
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "removed=%lld",
                 (long long)db_int64(rows, 0, JOB_SESSION_PRUNE_REMOVED));
    }
    return err;
}

enum err job_rejects(struct job_pass *pass)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_reject_prune, NULL, &rows);
    if (err == OK) {
        snprintf(pass->detail, sizeof pass->detail, "rejects=%lld hours=%lld",
                 (long long)db_int64(rows, 0, JOB_REJECT_PRUNE_REJECTS),
                 (long long)db_int64(rows, 0, JOB_REJECT_PRUNE_HOURS));
    }
    return err;
}

enum err job_orphans(struct job_pass *pass)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_job_residue_erase, NULL, &rows);
    if (err != OK) {
        return err;
    }
    int64_t erased = db_int64(rows, 0, JOB_RESIDUE_ERASE_ERASED);
    err = job_run_alone(pass, &q_job_orphan_check, NULL, &rows);
    if (err != OK) {
        return err;
    }
    int64_t orphans = db_int64(rows, 0, JOB_ORPHAN_CHECK_ORPHANS);
    if (orphans > 0) {
        return fail(pass->op, ERR_INTERNAL,
                    "%lld series have samples under a tenant that is not theirs",
                    (long long)orphans);
    }
    snprintf(pass->detail, sizeof pass->detail, "erased=%lld orphans=0", (long long)erased);
    return OK;
}

/* Trial restores of the newest backup, so that one that could not be restored is found before it is
 * needed. They want a superuser's login, which a worker has beside the embedded cluster, or where
 * it is given DATABASE_URL. Called by the table; how often is a setting, as is whether at all. */
#include "work/jobs.h"

#include "backup/trial.h"
#include "base/clock.h"
#include "gen/queries.h"

#define ARENA_BYTES (64u << 20)    /* manifests, a list of them */
#define AGAIN_AFTER_US US_PER_HOUR /* a failure, where the next is not due sooner */

enum err job_drill_due(struct job_pass *pass, bool *out)
{
    int64_t every_us = pass->config->restore_drill_interval_hours * US_PER_HOUR;
    struct db_rows *rows;

    *out = false;
    if (every_us == 0) {
        return OK;
    }
    enum err err = job_run_alone(pass, &q_restore_trial_last, NULL, &rows);
    if (err != OK || db_count(rows) == 0) {
        *out = err == OK;
        return err;
    }
    if (!db_bool(rows, 0, RESTORE_TRIAL_LAST_IS_OK) && every_us > AGAIN_AFTER_US) {
        every_us = AGAIN_AFTER_US;
    }
    *out = clock_now_us() - db_time(rows, 0, RESTORE_TRIAL_LAST_FINISHED_AT) >= every_us;
    return OK;
}

static bool goes_on(void *context)
{
    const struct job_pass *pass = context;

    return !worker_is_stopping(pass->stop_fd, 0);
}

/* A stop is no failure: the next worker begins anew. */
static enum err hold(struct job_pass *pass, struct op *op)
{
    const struct restore_wish wish = { .name = BACKUP_LATEST, .is_trial = true };
    int64_t started_us = clock_monotonic_us();
    struct restore_told told = { .name = NULL };
    struct backups backups;
    bool is_busy = false;
    enum err err = backups_open(&backups, op, pass->config, NULL);

    backups.goes_on = goes_on;
    backups.context = pass;
    err = err ? err : backup_trial(&backups, &wish, &told, &is_busy);
    backups_close(&backups);
    if (is_busy || (err != OK && !goes_on(pass))) {
        snprintf(pass->detail, sizeof pass->detail, "%s", op->fault.detail);
        return OK;
    }
    if (err != OK) {
        return fail(pass->op, ERR_INTERNAL, "restoring %s on trial failed: %s",
                    told.name ? told.name : "a backup", op->fault.detail);
    }
    int64_t took_ms = (clock_monotonic_us() - started_us) / 1000;
    snprintf(pass->detail, sizeof pass->detail, "backup=%s rows=%lld", told.name,
             (long long)told.n_rows);
    log_info("the backup could be restored", LOG_TEXT("backup", told.name),
             LOG_INT("rows", told.n_rows), LOG_INT("ms", took_ms));
    return OK;
}

enum err job_drill(struct job_pass *pass)
{
    bool is_due = false;
    struct op op;
    enum err err = job_drill_due(pass, &is_due);

    if (err != OK || (!is_due && !pass->is_once) ||
        pass->config->restore_drill_interval_hours == 0) {
        return err;
    }
    if (!pass->config->database_url && pass->config->database_worker_url) {
        return fail(pass->op, ERR_INTERNAL,
                    "RESTORE_DRILL_INTERVAL_HOURS wants a superuser's DATABASE_URL; where the "
                    "worker is to have none, let cron call `tidemark restore latest --trial`");
    }
    struct arena *arena = arena_new(ARENA_BYTES);
    if (!arena) {
        return fail_memory(pass->op);
    }
    op_init(&op, arena, "drill");
    err = hold(pass, &op);
    arena_free(arena);
    return err;
}

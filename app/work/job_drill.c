/* Trial restores of the newest backup, so that one that could not be restored is found before it is
 * needed. They want a superuser's login, which a worker has beside the embedded cluster, or where
 * it is given DATABASE_URL. Called by the table; how often is a setting, as is whether at all. */
#include "work/jobs.h"

#include "backup/trial.h"
#include "base/clock.h"
#include "gen/queries.h"

#define ARENA_BYTES (64u << 20)    /* manifests, a list of them */
#define AGAIN_AFTER_US US_PER_HOUR /* a failure, where the next is not due sooner */

/* Between the start of the last one and the next. */
static int64_t wait_us(const struct job_pass *pass, bool is_ok)
{
    int64_t every_us = pass->config->restore_drill_interval_hours * US_PER_HOUR;

    return !is_ok && every_us > AGAIN_AFTER_US ? AGAIN_AFTER_US : every_us;
}

/* Whether one is due; where it is not and the last one failed, why that did, in the op's arena. */
static enum err look(struct job_pass *pass, bool *is_due, const char **why)
{
    struct db_rows *rows;

    *is_due = false;
    *why = NULL;
    if (pass->config->restore_drill_interval_hours == 0) {
        return OK;
    }
    enum err err = job_run_alone(pass, &q_restore_trial_newest, NULL, &rows);
    if (err != OK || db_count(rows) == 0) {
        *is_due = err == OK;
    } else {
        bool is_ok = db_bool(rows, 0, RESTORE_TRIAL_NEWEST_IS_OK);
        int64_t started_us = db_time(rows, 0, RESTORE_TRIAL_NEWEST_STARTED_AT);
        *is_due = clock_now_us() - started_us >= wait_us(pass, is_ok);
        *why = is_ok ? NULL : db_text(rows, 0, RESTORE_TRIAL_NEWEST_DETAIL);
    }
    if (*is_due && clock_monotonic_us() < *pass->not_before_us) { /* whatever the notes say */
        *is_due = false;
        *why = *why ? *why : "it could not be noted";
    }
    return err;
}

enum err job_drill_due(struct job_pass *pass, bool *out)
{
    const char *why;
    enum err err = look(pass, out, &why);

    pass->is_bad_still = err == OK && !*out && why != NULL;
    return err;
}

static bool goes_on(void *context)
{
    const struct job_pass *pass = context;

    return !worker_is_stopping(pass->stop_fd, 0);
}

static void waits_for(void *context, struct db_conn *conn)
{
    struct job_pass *pass = context;

    worker_waits_for(pass->wait, conn);
}

/* A stop is no failure: the next worker begins anew. It may take longer than the lease of a job's
 * record: that another worker does not begin meanwhile is what the trial's own lock is for. */
static enum err hold(struct job_pass *pass, struct op *op)
{
    const struct restore_wish wish = {
        .name = BACKUP_LATEST, .is_trial = true, .notes = pass->conn
    };
    int64_t started_us = clock_monotonic_us();
    struct restore_told told = { .name = NULL };
    struct backups backups;
    bool is_busy = false;
    enum err err = backups_open(&backups, op, pass->config, NULL);

    backups.goes_on = goes_on;
    backups.waits_for = waits_for;
    backups.context = pass;
    err = err ? err : backup_trial(&backups, &wish, &told, &is_busy);
    backups_close(&backups);
    if (is_busy || (err != OK && !goes_on(pass))) {
        snprintf(pass->detail, sizeof pass->detail, "%s",
                 is_busy ? op->fault.detail : "told to stop: the next worker begins anew");
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
    bool is_due;
    const char *why;
    struct op op;
    enum err err = look(pass, &is_due, &why);

    if (err != OK) {
        return err;
    }
    if (!is_due) {
        return why ? fail(pass->op, ERR_INTERNAL, "the last trial restore failed: %s", why) : OK;
    }
    *pass->not_before_us = clock_monotonic_us() + wait_us(pass, false);
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

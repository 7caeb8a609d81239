/* Restoring days of the archive that admins asked for. Called by the table. */
#include "work/jobs.h"

#include "archive/archive.h"
#include "base/clock.h"
#include "db/conn.h"
#include "gen/queries.h"

#include <stdio.h>

#define BUDGET_US US_PER_MINUTE /* of a pass: the archiver is to have its turn */

struct restores {
    struct archive archive;
    int n_restored, n_failed;
    bool is_end; /* none is due */
};

enum err job_restores_due(struct job_pass *pass, bool *out)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_archive_wish_next, NULL, &rows);

    *out = err == OK && db_count(rows) > 0;
    return err;
}

/* Notes that the day is there, or why it is not, and whether it is not to be tried again. */
static enum err end(struct job_pass *pass, const struct archive_task *task, const char *problem,
                    bool is_final)
{
    struct db_args args;

    db_args_init(&args, pass->op->arena);
    db_arg_text(&args, task->relation);
    db_arg_text(&args, task->day);
    db_arg_text(&args, problem);
    db_arg_bool(&args, is_final);
    return db_run_committed(pass->op, pass->conn, task->tenant_id, &q_archive_wish_done, &args,
                            NULL);
}

/* Logs why the day could not be restored, and notes what its tenant is told of that: nothing of the
 * store or the database. A file that is damaged or gone is so the next time, too. */
static enum err end_failed(struct job_pass *pass, const struct archive_task *task, enum err err)
{
    bool is_damaged = err == ERR_INVALID || err == ERR_NOT_FOUND;
    const char *problem = is_damaged ? "A file of this day is missing, or not what was written."
                          : err == ERR_CONFLICT
                              ? "The day kept changing while it was being brought back."
                              : "It failed several times. The operator's log says why.";

    op_log_fault(pass->op);
    op_clear_fault(pass->op);
    return end(pass, task, problem, is_damaged);
}

/* Restores the next day that is due. Fails where nothing can be noted of it. */
static enum err restore_next(struct job_pass *pass, struct restores *restores)
{
    struct archive_done done;
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_archive_wish_next, NULL, &rows);

    restores->is_end = err != OK || db_count(rows) == 0;
    if (restores->is_end) {
        return err;
    }
    const struct archive_task task = {
        .tenant_id = db_int(rows, 0, ARCHIVE_WISH_NEXT_TENANT_ID),
        .slug = db_text(rows, 0, ARCHIVE_WISH_NEXT_SLUG),
        .relation = db_text(rows, 0, ARCHIVE_WISH_NEXT_RELATION),
        .day = db_text(rows, 0, ARCHIVE_WISH_NEXT_DAY),
    };
    err = archive_restore_day(&restores->archive, &task, ARCHIVE_PIN_DAYS, &done);
    restores->n_restored += err == OK;
    restores->n_failed += err != OK;
    return err == OK ? end(pass, &task, NULL, true) : end_failed(pass, &task, err);
}

enum err job_restores(struct job_pass *pass)
{
    struct restores restores = { .n_restored = 0 };
    int64_t end_us = clock_monotonic_us() + BUDGET_US;
    bool is_due;
    enum err err = job_restores_due(pass, &is_due);

    if (err != OK || !is_due) {
        return err;
    }
    err = archive_open(&restores.archive, pass->op, pass->conn, pass->config);
    while (err == OK && !restores.is_end && job_goes_on(pass, end_us)) {
        err = restore_next(pass, &restores);
    }
    archive_close(&restores.archive);
    snprintf(pass->detail, sizeof pass->detail, "days=%d failed=%d", restores.n_restored,
             restores.n_failed);
    return err;
}

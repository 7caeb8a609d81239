/* A run of the archiver: the plan is the database's, its days are taken one by one, each in a
 * transaction of its own. */
#include "archive/archive.h"

#include "gen/queries.h"

static enum err load_plan(struct archive *archive, struct db_rows **out)
{
    struct db_tx *tx;
    enum err err = db_begin(archive->op, archive->conn, DB_WRITE, 0, &tx);

    if (err != OK) {
        return err;
    }
    err = db_run(tx, &q_archive_plan, NULL, out);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

static struct archive_task task_of(const struct db_rows *plan, int at)
{
    return (struct archive_task){
        .tenant_id = db_int(plan, at, ARCHIVE_PLAN_TENANT_ID),
        .slug = db_text(plan, at, ARCHIVE_PLAN_SLUG),
        .relation = db_text(plan, at, ARCHIVE_PLAN_RELATION),
        .day = db_text(plan, at, ARCHIVE_PLAN_DAY),
    };
}

/* *is_whole: false where the day has to be looked at again. */
static enum err take_day(struct archive *archive, struct archive_run *run,
                         const struct archive_task *task, bool *is_whole)
{
    struct archive_done done;
    enum err err = archive_write_day(archive, task, &done);

    *is_whole = err == OK && !done.is_skipped;
    if (*is_whole && done.n_bytes > 0) {
        run->n_days++;
        run->n_rows += done.n_rows;
        run->n_bytes += done.n_bytes;
        if (run->tell != NULL) {
            run->tell(run->context, task, &done);
        }
    }
    return err;
}

enum err archive_run(struct archive *archive, struct archive_run *run)
{
    struct db_rows *plan;
    int32_t left = 0; /* the tenant whose later days have to wait */
    enum err err = load_plan(archive, &plan);

    for (int i = 0; err == OK && i < db_count(plan); i++) {
        struct archive_task task = task_of(plan, i);
        bool is_whole = true;
        if (run->goes_on != NULL && !run->goes_on(run->context)) {
            break;
        }
        if (task.tenant_id == left) {
            continue;
        }
        err = db_bool(plan, i, ARCHIVE_PLAN_IS_END)
                  ? archive_advance(archive, &task)
                  : take_day(archive, run, &task, &is_whole);
        if (err != OK) {
            op_log_fault(archive->op);
            op_clear_fault(archive->op);
            run->n_failed++;
            err = OK;
            is_whole = false;
        }
        left = is_whole ? 0 : task.tenant_id;
    }
    return err;
}

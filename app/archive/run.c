/* A run of the archiver: tenants with something due, page by page, and of each what the database
 * says comes next, some days in a transaction. */
#include "archive/catalogue.h"
#include "archive/write.h"

#include "base/clock.h"
#include "gen/queries.h"

#include <stdio.h>

#define PAGE_TENANTS 100
#define SLUG_SIZE 64 /* core.tenant's limit, with the NUL */

struct running {
    struct archive *archive;
    struct archive_run *run;
    const char *relation;
    bool is_stopped;
};

/* Runs one statement in a transaction of its own, in the operation's memory. */
static enum err ask(struct archive *archive, struct op *op, int32_t tenant_id,
                    const struct db_query *query, const struct db_args *args,
                    struct db_rows **out)
{
    return db_run_committed(op, archive->conn, tenant_id, query, args, out);
}

/* Goes on to the tenant's next days; span->is_changed: after the one that it has. *is_end: there
 * are no more. */
static enum err next_span(struct running *running, struct archive_span *span, bool *is_end)
{
    struct archive *archive = running->archive;
    struct db_args args;
    struct db_rows *rows;

    arena_reset(archive->batches);
    db_args_init(&args, archive->batches);
    db_arg_text(&args, running->relation);
    db_arg_int(&args, ARCHIVE_SPAN_DAYS);
    db_arg_text(&args, span->is_changed ? span->first_day : NULL);
    enum err err = ask(archive, &archive->rows, span->task.tenant_id, &q_archive_next, &args,
                       &rows);
    if (err != OK) {
        return archive_fail(archive, err);
    }
    *is_end = db_count(rows) == 0;
    if (!*is_end) {
        snprintf(span->first_day, sizeof span->first_day, "%s",
                 db_text(rows, 0, ARCHIVE_NEXT_FROM_DAY));
        snprintf(span->last_day, sizeof span->last_day, "%s",
                 db_text(rows, 0, ARCHIVE_NEXT_TO_DAY));
        span->task.day = span->first_day;
        span->is_changed = db_bool(rows, 0, ARCHIVE_NEXT_IS_CHANGED);
    }
    return OK;
}

static void count(struct archive_run *run, const struct archive_span *span,
                  const struct archive_written *written)
{
    for (int i = 0; i < written->n; i++) {
        const struct archive_done *done = &written->days[i].done;
        struct archive_task task = span->task;
        task.day = written->days[i].day;
        run->n_days++;
        run->n_rows += done->n_rows;
        run->n_bytes += done->n_bytes;
        if (run->tell != NULL) {
            run->tell(run->context, &task, done);
        }
    }
}

void archive_run_failed(struct archive *archive, struct archive_run *run,
                        const struct archive_task *task, const char *last_day)
{
    op_log_fault(archive->op);
    if (run->tell_failure != NULL) {
        run->tell_failure(run->context, task, last_day, archive->op->fault.detail);
    }
    op_clear_fault(archive->op);
    run->n_failed++;
}

/* Takes what is due of a tenant; when somebody else is at it, it is left to them. */
static enum err take_tenant(struct running *running, struct archive_span *span)
{
    struct archive_run *run = running->run;
    struct archive_written written = { .n = 0 };
    bool is_end = false;
    enum err err;

    do {
        int64_t started_us = clock_monotonic_us();
        err = next_span(running, span, &is_end);
        if (err == OK && !is_end) {
            err = archive_write_days(running->archive, span, &written);
        }
        if (err == OK && !is_end) {
            count(run, span, &written);
        }
        running->is_stopped = run->goes_on != NULL &&
                              !run->goes_on(run->context, clock_monotonic_us() - started_us);
    } while (err == OK && !is_end && !written.is_skipped && !running->is_stopped);
    return err;
}

/* The page after that tenant; the one before is released. */
static enum err load_page(struct running *running, const char *after, struct db_rows **out)
{
    struct archive *archive = running->archive;
    struct db_args args;

    arena_reset(archive->tenants);
    db_args_init(&args, archive->tenants);
    db_arg_text(&args, running->relation);
    db_arg_text(&args, after[0] != '\0' ? after : NULL);
    db_arg_int(&args, PAGE_TENANTS);
    return archive_fail(archive,
                        ask(archive, &archive->list, 0, &q_archive_tenants, &args, out));
}

static void take_page(struct running *running, const struct db_rows *page)
{
    struct archive *archive = running->archive;

    for (int i = 0; i < db_count(page) && !running->is_stopped; i++) {
        struct archive_span span = { .task = {
            .tenant_id = db_int(page, i, ARCHIVE_TENANTS_TENANT_ID),
            .slug = db_text(page, i, ARCHIVE_TENANTS_SLUG),
            .relation = running->relation,
        } };
        if (take_tenant(running, &span) != OK) {
            archive_run_failed(archive, running->run, &span.task, span.last_day);
        }
    }
}

static enum err take_table(struct running *running)
{
    struct db_rows *page = NULL;
    char after[SLUG_SIZE] = "";
    enum err err = OK;
    int n;

    do {
        err = load_page(running, after, &page);
        n = err == OK ? db_count(page) : 0;
        if (n > 0) {
            take_page(running, page);
            snprintf(after, sizeof after, "%s", db_text(page, n - 1, ARCHIVE_TENANTS_SLUG));
        }
    } while (n == PAGE_TENANTS && !running->is_stopped);
    return err;
}

enum err archive_run(struct archive *archive, struct archive_run *run)
{
    struct running running = { .archive = archive, .run = run };
    const struct archive_table *table;
    /* at the beginning, too: no tenant's days are without one, should this not come to its end */
    enum err err = catalogues_write(archive, run, &running.is_stopped);

    if (err == OK && !running.is_stopped) {
        err = archive_write_lost(archive, run, &running.is_stopped);
    }
    for (int i = 0; (table = archive_table_at(i)) != NULL && err == OK && !running.is_stopped;
         i++) {
        running.relation = table->name;
        err = take_table(&running);
    }
    return err == OK && !running.is_stopped && run->n_days > 0
               ? catalogues_write(archive, run, &running.is_stopped)
               : err;
}

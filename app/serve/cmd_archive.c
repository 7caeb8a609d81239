/* `tidemark archive run|list|verify|restore|remove-unknown`: the archive by hand. */
#include "db/conn.h"
#include "gen/queries.h"
#include "serve/chosen.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/unknown.h"

#include <stdio.h>

/* ---- run ---- */

static void show_day(void *context, const struct archive_task *task,
                     const struct archive_done *done)
{
    (void)context;
    fprintf(stderr, "%s\t%s\t%s\t%lld rows\t%lld tombstones\t%lld bytes\n", task->slug,
            task->relation, task->day, (long long)done->n_rows, (long long)done->n_void,
            (long long)done->n_bytes);
}

static void show_failure(void *context, const struct archive_task *task, const char *last_day,
                         const char *why)
{
    const char *day = task->day ? task->day : "";
    bool is_one = last_day == NULL || strcmp(last_day, day) == 0;

    (void)context;
    fprintf(stderr, "failed\t%s\t%s\t%s%s%s\t%s\n", task->slug, task->relation, day,
            is_one ? "" : " to ", is_one ? "" : last_day, why);
}

static enum err run_all(struct chosen *chosen)
{
    struct archive_run run = { .tell = show_day, .tell_failure = show_failure,
                               .context = chosen };
    struct db_args args;
    int n_removed = 0;

    db_args_init(&args, chosen->pages);
    db_arg_bool(&args, true);
    db_arg_int(&args, chosen->config->archive_after_hours);
    enum err err = chosen_ask(chosen, 0, &q_archive_configure, &args, NULL);
    if (err == OK) {
        err = archive_find_place(&chosen->op, chosen->conn, chosen->archive.store);
    }
    if (err == OK) {
        err = archive_sweep(&chosen->archive, &n_removed);
    }
    if (err == OK) {
        err = archive_run(&chosen->archive, &run);
    }
    chosen->n_failed = run.n_failed;
    printf("%d days, %lld rows, %lld bytes\n", run.n_days, (long long)run.n_rows,
           (long long)run.n_bytes);
    return err;
}

static int cmd_run(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive run",
        .about = "Archives each finished day that is older than ARCHIVE_AFTER_HOURS and what\n"
                 "changed of archived ones, as the worker does every ARCHIVE_INTERVAL_HOURS.\n"
                 "Names on standard error what was written, and what failed and why: those days\n"
                 "are tried again by the next run. Exits with 1 then.",
    };
    struct chosen chosen = { .tenant = NULL };
    int status = options_none(argc, argv, &HELP);

    if (status >= 0) {
        return status;
    }
    enum err err = chosen_open(&chosen, config);
    return chosen_close(&chosen, err == OK ? run_all(&chosen) : err);
}

/* ---- list ---- */

/* A visitor. */
static enum err print_file(void *context, const struct db_rows *list, int at)
{
    struct archive_file file = chosen_file(list, at);
    bool is_pinned = db_bool(list, at, ARCHIVE_LIST_IS_PINNED);
    bool is_held = db_bool(list, at, ARCHIVE_LIST_IS_HELD);

    (void)context;
    printf("%s\t%s\t%s\t%d\t%s\t%lld\t%lld\t%s\t%lld\n", db_text(list, at, ARCHIVE_LIST_SLUG),
           file.relation, db_text(list, at, ARCHIVE_LIST_DAY), db_int(list, at, ARCHIVE_LIST_N),
           file.kind, (long long)file.n_rows, (long long)file.n_bytes,
           is_pinned ? "restored" : is_held ? "in the database" : "archive alone",
           (long long)db_int64(list, at, ARCHIVE_LIST_ID));
    return OK;
}

static int cmd_list(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive list [--tenant SLUG] [--from DAY] [--to DAY] [--table NAME]",
        .about = "Lists the archive's files: tenant, table, day, number, kind, rows, bytes,\n"
                 "whether the database has the day itself, and the file's id.",
    };
    struct chosen chosen = { .tenant = NULL };
    const struct option_row own[] = { { .name = NULL } };
    int status = chosen_parse(&chosen, argc, argv, &HELP, own);

    if (status >= 0) {
        return status;
    }
    enum err err = chosen_open(&chosen, config);
    return chosen_close(&chosen, err == OK ? chosen_visit(&chosen, print_file, NULL) : err);
}

/* ---- restore ---- */

/* A visitor: restores the file's day, where it is the first of it. A store or a database that is
 * away is so for the next day, too: that ends the visit. */
static enum err restore_one(void *context, const struct db_rows *list, int at)
{
    struct chosen *chosen = context;
    struct archive_task task = {
        .tenant_id = db_int(list, at, ARCHIVE_LIST_TENANT_ID),
        .slug = db_text(list, at, ARCHIVE_LIST_SLUG),
        .relation = db_text(list, at, ARCHIVE_LIST_RELATION),
        .day = db_text(list, at, ARCHIVE_LIST_DAY),
    };
    struct archive_done done;

    if (!chosen_is_first(chosen, list, at)) {
        return OK;
    }
    enum err err = archive_restore_day(&chosen->archive, &task, ARCHIVE_PIN_DAYS, &done);
    if (err_may_pass(err) && err != ERR_CHANGING) {
        return err;
    }
    if (err != OK) {
        printf("failed\t%s\t%s\t%s\t%s\n", task.slug, task.relation, task.day,
               chosen->op.fault.detail);
        op_clear_fault(&chosen->op);
        chosen->n_failed++;
    } else if (!done.is_derived) {
        printf("%s\t%s\t%s\t%s\t%lld\n", done.is_skipped ? "there" : "restored", task.slug,
               task.relation, task.day, (long long)done.n_rows);
    }
    fflush(stdout);
    return OK;
}

static enum err restore_chosen(struct chosen *chosen)
{
    enum err err = chosen_visit(chosen, restore_one, chosen);

    return err == OK && chosen->n_files == 0
               ? fail(&chosen->op, ERR_NOT_FOUND, "the archive has none of these days")
               : err;
}

static int cmd_restore_days(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive restore --tenant SLUG|--all [--from DAY] [--to DAY]\n"
                 "       [--table NAME]",
        .about = "Brings days back into the database, where retention leaves them for 30 days.\n"
                 "What was made of them (rollups, energy, costs) stays as it is.",
    };
    struct chosen chosen = { .tenant = NULL };
    bool is_all = false;
    const struct option_row own[] = {
        { "--all", NULL, "every day there is", NULL, &is_all },
        { .name = NULL },
    };
    int status = chosen_parse(&chosen, argc, argv, &HELP, own);

    if (status >= 0) {
        return status;
    }
    if (chosen.tenant == NULL && !is_all) {
        return options_misused(&HELP, "which days? (--tenant, or --all)");
    }
    if (chosen.table != NULL && archive_table_named(chosen.table)->is_derived) {
        return options_misused(&HELP, "costs are worked out from samples, not restored");
    }
    enum err err = chosen_open(&chosen, config);
    return chosen_close(&chosen, err == OK ? restore_chosen(&chosen) : err);
}

int cmd_archive(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "run", cmd_run, "archive what is due" },
        { "list", cmd_list, "what is in the archive" },
        { "verify", cmd_archive_verify, "read files, and see that they are as they were written" },
        { "restore", cmd_restore_days, "bring days back into the database" },
        { "remove-unknown", cmd_archive_remove_unknown, "remove what no row speaks of" },
        { .name = NULL },
    };
    return operator_verb(config, argc, argv, VERBS);
}

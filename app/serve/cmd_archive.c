/* `tidemark archive run|list|verify|restore`: the archive by hand. */
#include "archive/table.h"
#include "base/crypto.h"
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

#include <stdio.h>
#include <unistd.h>

#define COMMAND_ARENA_BYTES (64u << 20)
#define PAGE_FILES 1000 /* listed at a time */
#define STATEMENT_TIMEOUT_MS (60 * 60 * 1000)

/* A file's place in the list. */
struct place {
    const char *slug, *relation, *day, *kind; /* NULL: before the first */
    int n;
};

/* What all verbs have open. */
struct session {
    const struct config *config;
    struct arena *arena;
    struct op op;
    struct db_conn *conn;
    struct archive archive;
    struct arena *pages;            /* of the files that are listed */
    struct op listing;              /* on it */
    struct place after;             /* the last file of the page before */
    const char *tenant, *from, *to, *table; /* what it is about; NULL: all */
    const char *sample; /* verify: how many files, as it is written; NULL: all */
    long long n_wanted, n_left; /* so many are still to be chosen, of so many that are to come */
    bool is_all;
    int n_files, n_read, n_failed; /* of those that it is about, and that were chosen */
};

static enum err open_session(struct session *session, const struct config *config)
{
    const char *url;

    session->config = config;
    session->arena = arena_new(COMMAND_ARENA_BYTES);
    session->pages = arena_new(COMMAND_ARENA_BYTES);
    if (session->arena == NULL || session->pages == NULL) {
        return ERR_INTERNAL;
    }
    op_init(&session->op, session->arena, "archive");
    op_init(&session->listing, session->pages, "archive");
    enum err err = db_role_url(&session->op, config, DB_ROLE_WORKER, &url);
    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark archive",
                                  .is_prepared = config->db_prepare,
                                  .statement_timeout_ms = STATEMENT_TIMEOUT_MS };
    session->conn = db_conn_new(&options);
    if (session->conn == NULL) {
        return fail_memory(&session->op);
    }
    return archive_open(&session->archive, &session->op, session->conn, config);
}

static int close_session(struct session *session, enum err err)
{
    if (err != OK && session->arena != NULL && session->pages != NULL) {
        options_complain(&session->op);
    }
    archive_close(&session->archive);
    db_conn_close(session->conn);
    arena_free(session->pages);
    arena_free(session->arena);
    return err == OK && session->n_failed == 0 ? EXIT_OK : EXIT_FAILED;
}

/* Runs one statement in a transaction of its own, in the memory of a page. */
static enum err ask(struct session *session, int32_t tenant_id, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    enum err err =
        db_run_committed(&session->listing, session->conn, tenant_id, query, args, out);

    if (err != OK) {
        session->op.fault = session->listing.fault;
        op_clear_fault(&session->listing);
    }
    return err;
}

/* ---- files, page by page ---- */

/* Releases the page before. */
static enum err load_page(struct session *session, struct db_rows **out)
{
    const struct place *after = &session->after;
    struct db_args args;

    arena_reset(session->pages);
    db_args_init(&args, session->pages);
    db_arg_text(&args, session->tenant);
    db_arg_text(&args, session->from);
    db_arg_text(&args, session->to);
    db_arg_text(&args, after->slug);
    db_arg_text(&args, after->relation);
    db_arg_text(&args, after->day);
    db_arg_int(&args, after->n);
    db_arg_text(&args, after->kind);
    db_arg_int(&args, PAGE_FILES);
    return ask(session, 0, &q_archive_list, &args, out);
}

static enum err keep_place(struct session *session, const struct db_rows *list, int at)
{
    struct arena *arena = session->arena;
    struct place *after = &session->after;

    *after = (struct place){
        .slug = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_SLUG)),
        .relation = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_RELATION)),
        .day = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_DAY)),
        .kind = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_KIND)),
        .n = db_int(list, at, ARCHIVE_LIST_N),
    };
    bool is_kept = after->slug && after->relation && after->day && after->kind;
    return is_kept ? OK : fail_memory(&session->op);
}

typedef enum err (*visit_file)(struct session *session, const struct db_rows *list, int at);

static enum err visit_files(struct session *session, visit_file visit)
{
    struct db_rows *list;
    enum err err = OK;
    int n;

    do {
        err = load_page(session, &list);
        n = err == OK ? db_count(list) : 0;
        for (int i = 0; i < n && err == OK; i++) {
            if (session->table == NULL ||
                str_equal(db_str(list, i, ARCHIVE_LIST_RELATION), str_of(session->table))) {
                session->n_files++;
                err = visit(session, list, i);
            }
        }
        if (err == OK && n > 0) {
            err = keep_place(session, list, n - 1);
        }
    } while (err == OK && n == PAGE_FILES);
    return err;
}

/* Opens the session, visits its files and closes it; what to exit with. */
static int visit_all(struct session *session, const struct config *config, visit_file visit)
{
    enum err err = open_session(session, config);

    if (err == OK) {
        err = visit_files(session, visit);
    }
    return close_session(session, err);
}

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

static enum err run_all(struct session *session)
{
    struct archive_run run = { .tell = show_day, .tell_failure = show_failure,
                               .context = session };
    struct db_args args;
    int n_removed = 0;

    db_args_init(&args, session->pages);
    db_arg_bool(&args, true);
    db_arg_int(&args, session->config->archive_after_hours);
    enum err err = ask(session, 0, &q_archive_configure, &args, NULL);
    if (err == OK) {
        err = archive_find_place(&session->op, session->conn, session->archive.store);
    }
    if (err == OK) {
        err = archive_sweep(&session->archive, &n_removed);
    }
    if (err == OK) {
        err = archive_run(&session->archive, &run);
    }
    session->n_failed = run.n_failed;
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
    struct session session = { .tenant = NULL };
    int status = options_none(argc, argv, &HELP);

    if (status >= 0) {
        return status;
    }
    enum err err = open_session(&session, config);
    return close_session(&session, err == OK ? run_all(&session) : err);
}

/* ---- list, verify ---- */

/* `sample`: what --sample is called there; NULL: there is no such option. */
static int parse(struct session *session, int argc, char **argv, const struct options_help *help,
                 const char *sample)
{
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose days; else everybody's", &session->tenant, NULL },
        { "--from", "DAY", "the first day, as 2026-11-20", &session->from, NULL },
        { "--to", "DAY", "the last day", &session->to, NULL },
        { "--table", "NAME", "samples, events or costs; else all", &session->table, NULL },
        { "--all", NULL, "restore: every day there is", NULL, &session->is_all },
        { sample, "N", "so many files, chosen at random; else all", &session->sample, NULL },
        { .name = NULL },
    };

    int status = options_parse(argc, argv, help, rows, NULL);
    if (status < 0 && session->table != NULL && archive_table_named(session->table) == NULL) {
        return options_misused(help, "--table: samples, events or costs");
    }
    bool is_number = session->sample == NULL ||
                     (str_to_int64(str_of(session->sample), &session->n_wanted) &&
                      session->n_wanted > 0);
    if (status < 0 && !is_number) {
        return options_misused(help, "--sample: a number from 1 on");
    }
    return status;
}

static struct archive_file file_of(const struct db_rows *list, int at)
{
    return (struct archive_file){
        .tenant = db_text(list, at, ARCHIVE_LIST_SLUG),
        .day = db_text(list, at, ARCHIVE_LIST_DAY),
        .n = db_int(list, at, ARCHIVE_LIST_N),
        .relation = db_text(list, at, ARCHIVE_LIST_RELATION),
        .kind = db_text(list, at, ARCHIVE_LIST_KIND),
        .object = db_text(list, at, ARCHIVE_LIST_OBJECT),
        .n_rows = db_int64(list, at, ARCHIVE_LIST_N_ROWS),
        .n_bytes = db_int64(list, at, ARCHIVE_LIST_N_BYTES),
        .sha256 = db_str(list, at, ARCHIVE_LIST_SHA256),
    };
}

static enum err print_file(struct session *session, const struct db_rows *list, int at)
{
    struct archive_file file = file_of(list, at);
    bool is_pinned = db_bool(list, at, ARCHIVE_LIST_IS_PINNED);
    bool is_held = db_bool(list, at, ARCHIVE_LIST_IS_HELD);

    (void)session;
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
    struct session session = { .tenant = NULL };
    int status = parse(&session, argc, argv, &HELP, NULL);

    return status >= 0 ? status : visit_all(&session, config, print_file);
}

static bool is_first_of_day(const struct session *session, const struct db_rows *list, int at)
{
    const struct place *after = &session->after;
    struct str before[] = { str_of(after->slug), str_of(after->relation), str_of(after->day) };
    static const int COLUMNS[] = { ARCHIVE_LIST_SLUG, ARCHIVE_LIST_RELATION, ARCHIVE_LIST_DAY };
    bool is_same = true;

    for (int i = 0; i < 3; i++) {
        struct str last = at > 0 ? db_str(list, at - 1, COLUMNS[i]) : before[i];
        is_same = is_same && str_equal(db_str(list, at, COLUMNS[i]), last);
    }
    return !is_same;
}

/* Tells which numbers of the file's day are not there before it. Of what is derived the last one
 * has all, so that none is missed. */
static void tell_gap(struct session *session, const struct db_rows *list, int at)
{
    struct archive_file file = file_of(list, at);
    const struct archive_table *table = archive_table_named(file.relation);
    int last = at > 0 ? db_int(list, at - 1, ARCHIVE_LIST_N) : session->after.n;

    if (table == NULL || table->is_derived) {
        return;
    }
    if (is_first_of_day(session, list, at)) {
        last = 0;
    }
    for (int n = last + 1; n < file.n; n++) {
        printf("missing\t" ARCHIVE_DAY_FORMAT "\tfile %d of this day\n", file.relation, file.tenant,
               file.day, n);
        session->n_failed++;
    }
}

static enum err count_one(struct session *session, const struct db_rows *list, int at)
{
    (void)list, (void)at;
    session->n_left++;
    return OK;
}

/* Whether the file that comes is read. Of a sample each has the chance of (so many as are wanted)
 * in (so many as are left), which makes every choice of that many as likely as any other (Knuth,
 * The Art of Computer Programming, 3.4.2, algorithm S). */
static bool is_chosen(struct session *session)
{
    uint64_t number;

    if (session->sample == NULL) {
        return true;
    }
    crypto_random(&number, sizeof number);
    bool is = session->n_left > 0 &&
              number % (uint64_t)session->n_left < (uint64_t)session->n_wanted;
    session->n_left -= session->n_left > 0;
    session->n_wanted -= is;
    return is;
}

/* Counts the files that a sample is taken of, and begins again at the first. */
static enum err prepare_sample(struct session *session)
{
    enum err err = session->sample != NULL ? visit_files(session, count_one) : OK;

    session->after = (struct place){ .slug = NULL };
    session->n_files = 0;
    return err;
}

static enum err verify_one(struct session *session, const struct db_rows *list, int at)
{
    struct archive_file file = file_of(list, at);
    struct db_args args;

    tell_gap(session, list, at);
    if (!is_chosen(session)) {
        return OK;
    }
    session->n_read++;
    enum err err = archive_verify_file(&session->archive, &file);
    if (err != OK) {
        printf("damaged\t%s\t%s\n", file.object, session->op.fault.detail);
        session->n_failed++;
        op_clear_fault(&session->op);
    }
    db_args_init(&args, session->pages);
    db_arg_int64(&args, db_int64(list, at, ARCHIVE_LIST_ID));
    db_arg_text(&args, archive_finding(err));
    return ask(session, db_int(list, at, ARCHIVE_LIST_TENANT_ID), &q_archive_verify_done, &args,
               NULL);
}

static int cmd_verify(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive verify [--tenant SLUG] [--from DAY] [--to DAY] [--table NAME]\n"
                 "       [--sample N]",
        .about = "Reads files whole: their checksums and each row. Lists those that are damaged\n"
                 "or missing, and numbers that a day lacks, and fails when there is one.",
    };
    struct session session = { .tenant = NULL };
    int status = parse(&session, argc, argv, &HELP, "--sample");

    if (status >= 0) {
        return status;
    }
    enum err err = open_session(&session, config);
    if (err == OK) {
        err = prepare_sample(&session);
    }
    if (err == OK) {
        err = visit_files(&session, verify_one);
    }
    if (err == OK) {
        fprintf(stderr, "%d of %d files read, %d damaged or missing\n", session.n_read,
                session.n_files, session.n_failed);
    }
    return close_session(&session, err);
}

/* ---- restore ---- */

/* Restores the file's day, where it is the first of it. */
static enum err restore_one(struct session *session, const struct db_rows *list, int at)
{
    struct archive_task task = {
        .tenant_id = db_int(list, at, ARCHIVE_LIST_TENANT_ID),
        .slug = db_text(list, at, ARCHIVE_LIST_SLUG),
        .relation = db_text(list, at, ARCHIVE_LIST_RELATION),
        .day = db_text(list, at, ARCHIVE_LIST_DAY),
    };
    struct archive_done done;

    if (!is_first_of_day(session, list, at)) {
        return OK;
    }
    enum err err = archive_restore_day(&session->archive, &task, ARCHIVE_PIN_DAYS, &done);
    if (err != OK) {
        printf("failed\t%s\t%s\t%s\t%s\n", task.slug, task.relation, task.day,
               session->op.fault.detail);
        op_clear_fault(&session->op);
        session->n_failed++;
    } else if (!done.is_derived) {
        printf("%s\t%s\t%s\t%s\t%lld\n", done.is_skipped ? "there" : "restored", task.slug,
               task.relation, task.day, (long long)done.n_rows);
    }
    fflush(stdout);
    return OK;
}

static int cmd_restore_days(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive restore --tenant SLUG|--all [--from DAY] [--to DAY]\n"
                 "       [--table NAME]",
        .about = "Brings days back into the database, where retention leaves them for 30 days.\n"
                 "What was made of them (rollups, energy, costs) stays as it is.",
    };
    struct session session = { .tenant = NULL };
    int status = parse(&session, argc, argv, &HELP, NULL);

    if (status >= 0) {
        return status;
    }
    if (session.tenant == NULL && !session.is_all) {
        return options_misused(&HELP, "which days? (--tenant, or --all)");
    }
    if (session.table != NULL && archive_table_named(session.table)->is_derived) {
        return options_misused(&HELP, "costs are worked out from samples, not restored");
    }
    return visit_all(&session, config, restore_one);
}

int cmd_archive(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "run", cmd_run, "archive what is due" },
        { "list", cmd_list, "what is in the archive" },
        { "verify", cmd_verify, "read files, and see that they are as they were written" },
        { "restore", cmd_restore_days, "bring days back into the database" },
        { .name = NULL },
    };
    return operator_verb(config, argc, argv, VERBS);
}

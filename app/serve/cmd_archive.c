/* `tidemark archive run|list|verify|restore`: the archive by hand. */
#include "archive/archive.h"
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

#include <stdio.h>
#include <unistd.h>

#define COMMAND_ARENA_BYTES (64u << 20)
#define STATEMENT_TIMEOUT_MS (60 * 60 * 1000)
#define PIN_DAYS 30

/* What all verbs have open. */
struct session {
    const struct config *config;
    struct arena *arena;
    struct op op;
    struct db_conn *conn;
    struct archive archive;
    const char *tenant, *from, *to; /* what it is about; NULL: all */
    bool is_all;
    int n_failed;
};

static enum err open_session(struct session *session, const struct config *config)
{
    const char *url;

    session->config = config;
    session->arena = arena_new(COMMAND_ARENA_BYTES);
    if (session->arena == NULL) {
        return ERR_INTERNAL;
    }
    op_init(&session->op, session->arena, "archive");
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
    if (err != OK && session->arena != NULL) {
        options_complain(&session->op);
    }
    archive_close(&session->archive);
    db_conn_close(session->conn);
    arena_free(session->arena);
    return err == OK && session->n_failed == 0 ? EXIT_OK : EXIT_FAILED;
}

/* Runs one statement in a transaction of its own. */
static enum err ask(struct session *session, int32_t tenant_id, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    struct db_tx *tx;
    enum err err = db_begin(&session->op, session->conn, DB_WRITE, tenant_id, &tx);

    if (err != OK) {
        return err;
    }
    err = db_run(tx, query, args, out);
    if (err != OK) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

static enum err load_list(struct session *session, struct db_rows **out)
{
    struct db_args args;

    db_args_init(&args, session->arena);
    db_arg_text(&args, session->tenant);
    db_arg_text(&args, session->from);
    db_arg_text(&args, session->to);
    return ask(session, 0, &q_archive_list, &args, out);
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

static enum err run_all(struct session *session)
{
    struct archive_run run = { .tell = show_day, .context = session };
    struct db_args args;
    int n_removed = 0;

    db_args_init(&args, session->arena);
    db_arg_bool(&args, true);
    db_arg_int(&args, session->config->archive_after_hours);
    enum err err = ask(session, 0, &q_archive_configure, &args, NULL);
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
                 "changed of archived ones, as the worker does every ARCHIVE_INTERVAL_HOURS.",
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

static int parse(struct session *session, int argc, char **argv, const struct options_help *help)
{
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose days; else everybody's", &session->tenant, NULL },
        { "--from", "DAY", "the first day, as 2026-11-20", &session->from, NULL },
        { "--to", "DAY", "the last day", &session->to, NULL },
        { "--all", NULL, "restore: every day there is", NULL, &session->is_all },
        { .name = NULL },
    };

    return options_parse(argc, argv, help, rows, NULL);
}

static struct archive_file file_of(const struct db_rows *list, int at)
{
    return (struct archive_file){
        .relation = db_text(list, at, ARCHIVE_LIST_RELATION),
        .kind = db_text(list, at, ARCHIVE_LIST_KIND),
        .object = db_text(list, at, ARCHIVE_LIST_OBJECT),
        .n_rows = db_int64(list, at, ARCHIVE_LIST_N_ROWS),
        .n_bytes = db_int64(list, at, ARCHIVE_LIST_N_BYTES),
        .sha256 = db_str(list, at, ARCHIVE_LIST_SHA256),
    };
}

static void print_file(const struct db_rows *list, int at)
{
    struct archive_file file = file_of(list, at);
    bool is_pinned = db_bool(list, at, ARCHIVE_LIST_IS_PINNED);
    bool is_held = db_bool(list, at, ARCHIVE_LIST_IS_HELD);

    printf("%s\t%s\t%s\t%d\t%s\t%lld\t%lld\t%s\t%lld\n", db_text(list, at, ARCHIVE_LIST_SLUG),
           file.relation, db_text(list, at, ARCHIVE_LIST_DAY), db_int(list, at, ARCHIVE_LIST_N),
           file.kind, (long long)file.n_rows, (long long)file.n_bytes,
           is_pinned ? "restored" : is_held ? "in the database" : "archive alone",
           (long long)db_int64(list, at, ARCHIVE_LIST_ID));
}

static int cmd_list(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive list [--tenant SLUG] [--from DAY] [--to DAY]",
        .about = "Lists the archive's files: tenant, table, day, number, kind, rows, bytes,\n"
                 "whether the database has the day itself, and the file's id.",
    };
    struct session session = { .tenant = NULL };
    struct db_rows *list;
    int status = parse(&session, argc, argv, &HELP);

    if (status >= 0) {
        return status;
    }
    enum err err = open_session(&session, config);
    if (err == OK) {
        err = load_list(&session, &list);
    }
    for (int i = 0; err == OK && i < db_count(list); i++) {
        print_file(list, i);
    }
    return close_session(&session, err);
}

static enum err verify_one(struct session *session, const struct db_rows *list, int at)
{
    struct archive_file file = file_of(list, at);
    struct db_args args;

    arena_reset(session->archive.files);
    enum err err = archive_verify_file(&session->archive, &file);
    if (err == OK) {
        db_args_init(&args, session->arena);
        db_arg_int64(&args, db_int64(list, at, ARCHIVE_LIST_ID));
        return ask(session, db_int(list, at, ARCHIVE_LIST_TENANT_ID), &q_archive_verified, &args,
                   NULL);
    }
    printf("damaged\t%s\t%s\n", file.object, session->op.fault.detail);
    session->n_failed++;
    op_clear_fault(&session->op);
    return OK;
}

static int cmd_verify(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive verify [--tenant SLUG] [--from DAY] [--to DAY]",
        .about = "Reads files whole: their checksums and each row. Lists those that are damaged\n"
                 "or missing, and fails when there is one.",
    };
    struct session session = { .tenant = NULL };
    struct db_rows *list;
    int status = parse(&session, argc, argv, &HELP);

    if (status >= 0) {
        return status;
    }
    enum err err = open_session(&session, config);
    if (err == OK) {
        err = load_list(&session, &list);
    }
    for (int i = 0; err == OK && i < db_count(list); i++) {
        err = verify_one(&session, list, i);
    }
    if (err == OK) {
        fprintf(stderr, "%d files, %d of them damaged\n", db_count(list), session.n_failed);
    }
    return close_session(&session, err);
}

/* ---- restore ---- */

static bool is_same_day(const struct db_rows *list, int a, int b)
{
    int tenant = ARCHIVE_LIST_TENANT_ID;
    bool is_same = db_int(list, a, tenant) == db_int(list, b, tenant);

    for (int column = ARCHIVE_LIST_RELATION; column <= ARCHIVE_LIST_DAY; column++) {
        is_same = is_same && str_equal(db_str(list, a, column), db_str(list, b, column));
    }
    return is_same;
}

/* Restores the day whose files begin at `at`; where the next one's begin. */
static int restore_one(struct session *session, const struct db_rows *list, int at)
{
    struct archive_task task = {
        .tenant_id = db_int(list, at, ARCHIVE_LIST_TENANT_ID),
        .slug = db_text(list, at, ARCHIVE_LIST_SLUG),
        .relation = db_text(list, at, ARCHIVE_LIST_RELATION),
        .day = db_text(list, at, ARCHIVE_LIST_DAY),
    };
    struct archive_done done = { .is_skipped = false };
    int n = 0;

    while (at + n < db_count(list) && is_same_day(list, at, at + n)) {
        n++;
    }
    struct archive_file *files = arena_array(session->arena, (size_t)n, sizeof *files);
    for (int i = 0; i < n && files != NULL; i++) {
        files[i] = file_of(list, at + i);
    }
    enum err err = files == NULL ? fail_memory(&session->op)
                                 : archive_restore_day(&session->archive, &task, files, n,
                                                       PIN_DAYS, &done);
    if (err != OK) {
        printf("failed\t%s\t%s\t%s\n", task.slug, task.day, session->op.fault.detail);
        op_clear_fault(&session->op);
        session->n_failed++;
    } else {
        printf("%s\t%s\t%s\t%lld\n", done.is_skipped ? "there" : "restored", task.slug, task.day,
               (long long)done.n_rows);
    }
    fflush(stdout);
    return at + n;
}

static int cmd_restore(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive restore --tenant SLUG [--from DAY] [--to DAY] | --all",
        .about = "Brings days back into the database, where retention leaves them for 30 days.\n"
                 "What was made of them (rollups, energy, costs) stays as it is.",
    };
    struct session session = { .tenant = NULL };
    struct db_rows *list;
    int status = parse(&session, argc, argv, &HELP);

    if (status >= 0) {
        return status;
    }
    if (session.tenant == NULL && !session.is_all) {
        return options_misused(&HELP, "which days? (--tenant, or --all)");
    }
    enum err err = open_session(&session, config);
    if (err == OK) {
        err = load_list(&session, &list);
    }
    for (int at = 0; err == OK && at < db_count(list);) {
        at = restore_one(&session, list, at);
    }
    return close_session(&session, err);
}

int cmd_archive(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "run", cmd_run, "archive what is due" },
        { "list", cmd_list, "what is in the archive" },
        { "verify", cmd_verify, "read files, and see that they are as they were written" },
        { "restore", cmd_restore, "bring days back into the database" },
        { .name = NULL },
    };
    return operator_verb(config, argc, argv, VERBS);
}

/* The files of the archive that a command is about. Called by cmd_archive.c and those beside it. */
#include "serve/chosen.h"

#include "base/clock.h"
#include "db/conn.h"
#include "db/url.h"
#include "gen/queries.h"
#include "serve/commands.h"

#define COMMAND_ARENA_BYTES (64u << 20)
#define PAGE_FILES 1000 /* listed at a time */
#define STATEMENT_TIMEOUT_MS (60 * 60 * 1000)
#define MAX_OPTIONS 8

/* ---- options ---- */

bool chosen_is_day(const char *text)
{
    int64_t time_us;

    return text == NULL || (strlen(text) == strlen("2026-11-20") &&
                            clock_parse(str_of(text), &time_us) && time_us % US_PER_DAY == 0);
}

int chosen_parse(struct chosen *chosen, int argc, char **argv, const struct options_help *help,
                 const struct option_row *own)
{
    struct option_row rows[MAX_OPTIONS + 1] = {
        { "--tenant", "SLUG", "whose days; else everybody's", &chosen->tenant, NULL },
        { "--from", "DAY", "the first day, as 2026-11-20", &chosen->from, NULL },
        { "--to", "DAY", "the last day", &chosen->to, NULL },
        { "--table", "NAME", "samples, events or costs; else all", &chosen->table, NULL },
    };
    int n = 4;

    while (own->name && n < MAX_OPTIONS) {
        rows[n++] = *own++;
    }
    int status = options_parse(argc, argv, help, rows, NULL);
    if (status >= 0) {
        return status;
    }
    if (chosen->table && !archive_table_named(chosen->table)) {
        return options_misused(help, "--table: samples, events or costs");
    }
    for (int i = 1; i < 3; i++) {
        if (!chosen_is_day(*rows[i].text)) {
            return options_misused(help, "%s: a day, as 2026-11-20", rows[i].name);
        }
    }
    if (chosen->from && chosen->to && strcmp(chosen->from, chosen->to) > 0) {
        return options_misused(help, "--to: a day before that of --from");
    }
    return status;
}

/* ---- a session ---- */

enum err chosen_open(struct chosen *chosen, const struct config *config)
{
    const char *url;

    chosen->config = config;
    chosen->arena = arena_new(COMMAND_ARENA_BYTES);
    chosen->pages = arena_new(COMMAND_ARENA_BYTES);
    if (chosen->arena == NULL || chosen->pages == NULL) {
        return ERR_INTERNAL;
    }
    op_init(&chosen->op, chosen->arena, "archive");
    op_init(&chosen->listing, chosen->pages, "archive");
    enum err err = db_role_url(&chosen->op, config, DB_ROLE_WORKER, &url);
    if (err != OK) {
        return err;
    }
    struct db_options options = { .url = url, .name = "tidemark archive",
                                  .is_prepared = config->db_prepare,
                                  .statement_timeout_ms = STATEMENT_TIMEOUT_MS };
    chosen->conn = db_conn_new(&options);
    if (chosen->conn == NULL) {
        return fail_memory(&chosen->op);
    }
    return archive_open(&chosen->archive, &chosen->op, chosen->conn, config);
}

int chosen_close(struct chosen *chosen, enum err err)
{
    if (err != OK && chosen->arena != NULL && chosen->pages != NULL) {
        options_complain(&chosen->op);
    }
    archive_close(&chosen->archive);
    db_conn_close(chosen->conn);
    arena_free(chosen->pages);
    arena_free(chosen->arena);
    return err == OK && chosen->n_failed == 0 ? EXIT_OK : EXIT_FAILED;
}

enum err chosen_ask(struct chosen *chosen, int32_t tenant_id, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out)
{
    enum err err =
        db_run_committed(&chosen->listing, chosen->conn, tenant_id, query, args, out);

    if (err != OK) {
        chosen->op.fault = chosen->listing.fault;
        op_clear_fault(&chosen->listing);
    }
    return err;
}

/* ---- files, page by page ---- */

/* Releases the page before. */
static enum err load_page(struct chosen *chosen, struct db_rows **out)
{
    const struct chosen_place *after = &chosen->after;
    struct db_args args;

    arena_reset(chosen->pages);
    db_args_init(&args, chosen->pages);
    db_arg_text(&args, chosen->tenant);
    db_arg_text(&args, chosen->from);
    db_arg_text(&args, chosen->to);
    db_arg_text(&args, after->slug);
    db_arg_text(&args, after->relation);
    db_arg_text(&args, after->day);
    db_arg_int(&args, after->n);
    db_arg_text(&args, after->kind);
    db_arg_int(&args, PAGE_FILES);
    return chosen_ask(chosen, 0, &q_archive_list, &args, out);
}

static enum err keep_place(struct chosen *chosen, const struct db_rows *list, int at)
{
    struct arena *arena = chosen->arena;
    struct chosen_place *after = &chosen->after;

    *after = (struct chosen_place){
        .slug = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_SLUG)),
        .relation = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_RELATION)),
        .day = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_DAY)),
        .kind = arena_copy(arena, db_str(list, at, ARCHIVE_LIST_KIND)),
        .n = db_int(list, at, ARCHIVE_LIST_N),
    };
    bool is_kept = after->slug && after->relation && after->day && after->kind;
    return is_kept ? OK : fail_memory(&chosen->op);
}

enum err chosen_visit(struct chosen *chosen, chosen_visitor visit, void *context)
{
    struct db_rows *list;
    enum err err = OK;
    int n;

    chosen->after = (struct chosen_place){ .slug = NULL };
    chosen->n_files = 0;
    do {
        err = load_page(chosen, &list);
        n = err == OK ? db_count(list) : 0;
        for (int i = 0; i < n && err == OK; i++) {
            if (chosen->table == NULL ||
                str_equal(db_str(list, i, ARCHIVE_LIST_RELATION), str_of(chosen->table))) {
                chosen->n_files++;
                err = visit(context, list, i);
            }
        }
        if (err == OK && n > 0) {
            err = keep_place(chosen, list, n - 1);
        }
    } while (err == OK && n == PAGE_FILES);
    return err;
}

struct archive_file chosen_file(const struct db_rows *list, int at)
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

bool chosen_is_first(const struct chosen *chosen, const struct db_rows *list, int at)
{
    const struct chosen_place *after = &chosen->after;
    struct str before[] = { str_of(after->slug), str_of(after->relation), str_of(after->day) };
    static const int COLUMNS[] = { ARCHIVE_LIST_SLUG, ARCHIVE_LIST_RELATION, ARCHIVE_LIST_DAY };
    bool is_same = true;

    for (int i = 0; i < 3; i++) {
        struct str last = at > 0 ? db_str(list, at - 1, COLUMNS[i]) : before[i];
        is_same = is_same && str_equal(db_str(list, at, COLUMNS[i]), last);
    }
    return !is_same;
}

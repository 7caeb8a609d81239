/* Objects that the database does not know of: found for `tidemark archive verify`, removed by
 * `tidemark archive remove-unknown`. Called by cmd_archive.c and cmd_archive_verify.c. */
#include "serve/unknown.h"

#include "base/clock.h"
#include "gen/queries.h"
#include "objects/store.h"

#include <stdio.h>

/* ---- finding ---- */

static enum err visit_page(struct chosen *chosen, const struct store_page *page, int64_t before_us,
                           unknown_visitor visit, void *context)
{
    struct arena *arena = chosen->pages;
    struct str *keys = arena_array(arena, (size_t)page->n + 1, sizeof *keys);
    const char **unknown = arena_array(arena, (size_t)page->n + 1, sizeof *unknown);
    struct db_args args;
    struct db_rows *rows;
    int n = 0;

    if (keys == NULL || unknown == NULL) {
        return fail_memory(&chosen->op);
    }
    for (int i = 0; i < page->n; i++) {
        if (page->objects[i].modified_us < before_us) {
            keys[n++] = str_of(page->objects[i].key);
        }
    }
    db_args_init(&args, arena);
    db_arg_str_array(&args, keys, (size_t)n);
    enum err err = chosen_ask(chosen, 0, &q_object_unknown, &args, &rows);
    if (err != OK || db_count(rows) == 0) {
        return err;
    }
    for (int i = 0; i < db_count(rows); i++) {
        unknown[i] = db_text(rows, i, OBJECT_UNKNOWN_KEY);
    }
    return visit(context, unknown, db_count(rows));
}

static enum err visit_below(struct chosen *chosen, const char *prefix, int64_t before_us,
                            unknown_visitor visit, void *context)
{
    struct store_page page = { .next = NULL };
    char last[STORE_MAX_KEY_BYTES + 1];
    const char *after = NULL;

    do {
        arena_reset(chosen->pages);
        enum err err = store_list(chosen->archive.store, &chosen->listing, prefix, after,
                                  STORE_MAX_LIST, &page);
        if (err != OK) {
            chosen->op.fault = chosen->listing.fault;
            return err;
        }
        err = visit_page(chosen, &page, before_us, visit, context);
        if (err != OK) {
            return err;
        }
        snprintf(last, sizeof last, "%s", page.next ? page.next : "");
        after = page.next ? last : NULL;
    } while (after);
    return OK;
}

enum err unknown_visit(struct chosen *chosen, int64_t before_us, unknown_visitor visit,
                       void *context)
{
    static const char *const PREFIXES[] = { ARCHIVE_PREFIX, "upload/" };
    enum err err = OK;

    for (size_t i = 0; err == OK && i < sizeof PREFIXES / sizeof *PREFIXES; i++) {
        err = visit_below(chosen, PREFIXES[i], before_us, visit, context);
    }
    return err;
}

/* ---- removing ---- */

struct removing {
    struct chosen chosen;
    int n_removed;
};

/* A visitor. */
static enum err remove_some(void *context, const char *const *keys, int n)
{
    struct removing *removing = context;
    struct chosen *chosen = &removing->chosen;
    enum err err = store_delete_many(chosen->archive.store, &chosen->listing, keys, n);

    if (err != OK) {
        chosen->op.fault = chosen->listing.fault;
        return err;
    }
    for (int i = 0; i < n; i++) {
        printf("removed\t%s\n", keys[i]);
    }
    removing->n_removed += n;
    return OK;
}

/* To a database that is empty, or not whole yet, all is unknown. */
static enum err judge(struct chosen *chosen)
{
    struct db_args args;
    struct db_rows *rows;

    enum err err = chosen_ask(chosen, 0, &q_object_any, NULL, &rows);
    if (err == OK && !db_bool(rows, 0, OBJECT_ANY_IS_ANY)) {
        return fail(&chosen->op, ERR_CONFLICT,
                    "this database knows of nothing in the store: is it the right one?");
    }
    db_args_init(&args, chosen->pages);
    db_arg_str_array(&args, NULL, 0);
    return err ? err : chosen_ask(chosen, 0, &q_archive_intend, &args, NULL);
}

static enum err remove_all(struct removing *removing, int64_t before_us)
{
    struct chosen *chosen = &removing->chosen;
    enum err err = judge(chosen);

    err = err ? err : archive_find_place(&chosen->op, chosen->conn, chosen->archive.store);
    err = err ? err : unknown_visit(chosen, before_us, remove_some, removing);
    fprintf(stderr, "%d objects removed\n", removing->n_removed);
    return err;
}

int cmd_archive_remove_unknown(const struct config *config, int argc, char **argv)
{
    static const struct options_help HELP = {
        .usage = "tidemark archive remove-unknown --before DAY",
        .about = "Removes from the store the files, archives and catalogues that this database\n"
                 "does not know of and that were written before a day of UTC, for good, and lists\n"
                 "them. `tidemark archive verify` lists them, too, and removes nothing.",
    };
    struct removing removing = { .n_removed = 0 };
    const char *before = NULL;
    int64_t before_us = 0;
    const struct option_row own[] = {
        { "--before", "DAY", "as 2026-11-20; what was written from it on is left", &before, NULL },
        { .name = NULL },
    };
    int status = options_parse(argc, argv, &HELP, own, NULL);

    if (status < 0 &&
        (before == NULL || !chosen_is_day(before) || !clock_parse(str_of(before), &before_us))) {
        status = options_misused(&HELP, "--before: a day, as 2026-11-20");
    }
    if (status >= 0) {
        return status;
    }
    enum err err = chosen_open(&removing.chosen, config);
    return chosen_close(&removing.chosen, err ? err : remove_all(&removing, before_us));
}

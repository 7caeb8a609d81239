/* The files of the archive that `tidemark archive list`, `verify` or `restore` is about, page by
 * page. */
#ifndef TIDEMARK_SERVE_CHOSEN_H
#define TIDEMARK_SERVE_CHOSEN_H

#include "archive/table.h"
#include "serve/options.h"

/* A file's place in the list. */
struct chosen_place {
    const char *slug, *relation, *day, *kind; /* NULL: before the first */
    int n;
};

/* What a command has open. */
struct chosen {
    const struct config *config;
    struct arena *arena;
    struct op op;
    struct db_conn *conn;
    struct archive archive;
    struct arena *pages;       /* of the files that are listed */
    struct op listing;         /* on it */
    struct chosen_place after; /* the last file of the page before */
    const char *tenant, *from, *to, *table; /* which; NULL: all */
    int n_files, n_failed;     /* visited; of those, or of what they are of */
};

/* Options, ending with a name of NULL, that every command has, into `chosen`; the command's own
 * follow. As options_parse: -1, or what to exit with. A day that is none is said by its name. */
int chosen_parse(struct chosen *chosen, int argc, char **argv, const struct options_help *help,
                 const struct option_row *own);

/* Whether it is a day, as 2026-11-20; so is NULL, that was not given. */
bool chosen_is_day(const char *text);

/* Connects and opens the archive. chosen_close is due in any case. */
enum err chosen_open(struct chosen *chosen, const struct config *config) MUST_CHECK;

/* Tells the failure on standard error; what to exit with. */
int chosen_close(struct chosen *chosen, enum err err);

/* Runs one statement in a transaction of its own, in the memory of a page. */
enum err chosen_ask(struct chosen *chosen, int32_t tenant_id, const struct db_query *query,
                    const struct db_args *args, struct db_rows **out) MUST_CHECK;

/* Row `at` of a page. */
typedef enum err (*chosen_visitor)(void *context, const struct db_rows *list, int at);

/* Visits all from the first on, which n_files counts. */
enum err chosen_visit(struct chosen *chosen, chosen_visitor visit, void *context) MUST_CHECK;

/* A row's file, in the memory of its page. */
struct archive_file chosen_file(const struct db_rows *list, int at);

/* Whether the row's file is the first of its tenant, table and day. */
bool chosen_is_first(const struct chosen *chosen, const struct db_rows *list, int at);

#endif

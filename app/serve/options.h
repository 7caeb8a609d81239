/* Command lines of the subcommands: `--name value`, `--name=value`, flags and positional words
 * against a table, with one way of helping and complaining. */
#ifndef TIDEMARK_SERVE_OPTIONS_H
#define TIDEMARK_SERVE_OPTIONS_H

#include "base/op.h"

#include <stdbool.h>

struct option_row {
    const char *name;  /* "--name" */
    const char *value; /* what the value is called in the help; NULL: a flag */
    const char *help;
    const char **text; /* where the value goes, for options with one */
    bool *flag;        /* where `true` goes, for flags */
};

struct options_help {
    const char *usage; /* the line after "usage: " */
    const char *about; /* what the subcommand does; lines of its own */
};

/* Where the words go that are no options. */
struct option_words {
    const char **list; /* room for `max` */
    int max, n;
};

/* Fills the rows' targets and `words` (NULL: none are allowed) from argv[1…]. Returns -1 to go
 * on, else the exit status: 0 after --help, 2 after a complaint. `rows` (may be NULL) end with a
 * name of NULL. */
int options_parse(int argc, char **argv, const struct options_help *help,
                  const struct option_row *rows, struct option_words *words);

/* The same for a subcommand without any. */
int options_none(int argc, char **argv, const struct options_help *help);

/* Complains of wrong usage on standard error, and returns 2. */
int options_misused(const struct options_help *help, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes the operation's failure for the person at the terminal. */
void options_complain(const struct op *op);

#endif

/* What the store has and the database does not know of, for `tidemark archive`. */
#ifndef TIDEMARK_SERVE_UNKNOWN_H
#define TIDEMARK_SERVE_UNKNOWN_H

#include "serve/chosen.h"

/* Some objects, of one page of the store; `keys` have room for a NULL at their end. */
typedef enum err (*unknown_visitor)(void *context, const char *const *keys, int n);

/* Visits what nobody knows of below the archive's prefix and that of files, and was written before
 * that moment (INT64_MAX: whenever it was). What is in memory of a page is released each time. */
enum err unknown_visit(struct chosen *chosen, int64_t before_us, unknown_visitor visit,
                       void *context) MUST_CHECK;

/* `tidemark archive remove-unknown`. */
int cmd_archive_remove_unknown(const struct config *config, int argc, char **argv);

#endif

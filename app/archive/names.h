/* The names of a tenant's series, as files have them, asked for once a transaction. Used
 * by table_samples.c. */
#ifndef TIDEMARK_ARCHIVE_NAMES_H
#define TIDEMARK_ARCHIVE_NAMES_H

#include "db/db.h"

struct archive_name {
    int32_t id;                                     /* the series'; 0: a free place */
    struct str device, metric, unit, site, labels; /* site.ptr NULL: none */
};
struct archive_names {
    struct arena *arena;
    struct archive_name *places;
    size_t n, n_places; /* a power of two */
};

/* Knows none yet; the arena is its own. */
void archive_names_init(struct archive_names *names, struct arena *arena);

/* Knows none any more: at the start of a transaction, for a device may have been moved since. */
void archive_names_forget(struct archive_names *names);

/* Has the names of these `n` series, asking in the transaction, which is the tenant's and of that
 * operation, for those that are not known; changes the order of `ids`. Others are forgotten where
 * they leave no room. ERR_INTERNAL without memory for these alone, or the statement's failure. */
enum err archive_names_load(struct archive_names *names, struct op *op, struct db_tx *tx,
                            int32_t *ids, size_t n) MUST_CHECK;

/* A series' names until the next archive_names_load; NULL for one that is gone. */
const struct archive_name *archive_names_find(const struct archive_names *names, int32_t id);

#endif

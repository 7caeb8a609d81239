/* The tables that are archived: of each what its files look like, how its rows come out of the
 * database and go back. All else of the archive is the same for all of them. In the database a
 * table has its place in core.archive_first_day and core.archive_open, which opens the cursor, and,
 * where retention waits for it, in core.archive_name. */
#ifndef TIDEMARK_ARCHIVE_TABLE_H
#define TIDEMARK_ARCHIVE_TABLE_H

#include "archive/parts.h"

struct restoring;

struct archive_table {
    const char *name;                    /* "samples": in keys, manifests and lists */
    bool is_derived;                     /* a further file has all of the day; none is restored */
    const struct parquet_schema *rows;
    const struct parquet_schema *voids;  /* names of what is void, then `from` and `to` */
    int n_names;                         /* device, metric, labels: so many of them */

    /* Archiving. */
    const struct db_query *fetch;        /* the cursor's next rows, which come day by day */
    int time_column;                     /* of `fetch` */
    /* Has what `put` needs of a batch; its memory and failures are of the archive's rows. NULL:
     * that is nothing. */
    enum err (*load)(struct archive *archive, struct db_tx *tx, const struct db_rows *batch);
    /* Writes a row of the batch. */
    enum err (*put)(const struct archive *archive, struct parquet_writer *out,
                    const struct db_rows *batch, int row);

    /* Restoring, but of what is derived; failures are of the archive's rows, or of its file. */
    const struct db_query *restore_void; /* of a day, those names, `from` and `to` */
    enum err (*open)(struct restoring *restoring); /* makes restoring->batch */
    /* Adds a row of a file, whose texts are gone after it. */
    enum err (*add)(struct restoring *restoring, const struct parquet_value *row);
    enum err (*flush)(struct restoring *restoring); /* stores what was added */
};

extern const struct archive_table archive_table_samples, archive_table_events, archive_table_costs;

/* The table at a place, from 0 on; NULL after the last. */
const struct archive_table *archive_table_at(int at);

/* The table of that name; NULL: there is none. */
const struct archive_table *archive_table_named(const char *name);
/* The same. ERR_INTERNAL, of the operation, where there is none. */
enum err archive_table_find(struct op *op, const char *name,
                            const struct archive_table **out) MUST_CHECK;

#endif

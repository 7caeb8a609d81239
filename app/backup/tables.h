/* The rows of a database's tables, counted and summed as of one moment, and held against a
 * manifest. For the parts of this folder. */
#ifndef TIDEMARK_BACKUP_TABLES_H
#define TIDEMARK_BACKUP_TABLES_H

#include "backup/backup.h"
#include "db/db.h"

struct tables {
    struct backup_table *list; /* sorted by name; in the op's arena */
    int n;
    int64_t n_rows; /* of all */
};

/* Reads all tables of ours as the transaction sees them. */
enum err tables_read(struct db_tx *tx, struct tables *out) MUST_CHECK;

/* Holds those of a server of this major version against the backup's: ERR_INTERNAL where one is
 * missing or has other rows. Sums are of PostgreSQL's own hash functions, and compared where the
 * backup is of the same version; *has_sums: each table's was. */
enum err tables_compare(struct op *op, const struct backup *backup, const struct tables *found,
                        int major, bool *has_sums) MUST_CHECK;

#endif

/* A day that is being restored. Shared by restore_day.c, restore_lost.c and the tables. */
#ifndef TIDEMARK_ARCHIVE_RESTORE_H
#define TIDEMARK_ARCHIVE_RESTORE_H

#include "archive/erased.h"
#include "archive/table.h"

#define RESTORE_BATCH_ROWS 10000 /* stored at a time, at most */

struct restoring {
    struct archive *archive;
    const struct archive_task *task;
    const struct archive_table *table;
    struct db_tx *tx;
    struct archive_file *files; /* of the day; in its arena, as all that follows */
    int n_files;
    struct erased erased;
    int number;  /* of the file at hand */
    void *batch; /* the table's: rows that wait to be stored */
};

/* Notes the files of the number `n`, which the day lacks in the database, where its manifest is in
 * the store; *is_found: it is. In the memories of files and rows. Failures of the store or of the
 * statement. */
enum err restore_lost(struct restoring *restoring, int n, bool *is_found) MUST_CHECK;

#endif

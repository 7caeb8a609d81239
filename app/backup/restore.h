/* Restoring a backup: into a new database beside the one in use, whose place it takes when all of
 * it is there. Called by `tidemark restore`. */
#ifndef TIDEMARK_BACKUP_RESTORE_H
#define TIDEMARK_BACKUP_RESTORE_H

#include "backup/backup.h"

struct restore_wish {
    const char *name; /* a backup's, or BACKUP_LATEST */
    bool is_forced;   /* also where the database is not empty or in use: sessions are ended */
    bool is_trial;    /* the restored database is compared, and dropped again */
    FILE *progress;   /* gets a line a step; may be NULL */
    /* Over which a trial is noted: the caller's; NULL: the superuser's login. */
    struct db_conn *notes;
};

/* Which one it was; told of failures, too, as far as it came. */
struct restore_told {
    const char *name; /* in the op's arena; NULL: there was none to be read */
    int64_t made_us;  /* the moment that it shows */
    int64_t n_rows;   /* of all tables, once they were compared */
};

/* Restores into the place of the database of DATABASE_URL (or the embedded one), as a superuser;
 * the database that was there stays under another name, told to `progress`. But in a trial, later
 * migrations are applied, and our roles get their passwords. Until the names are changed, in one
 * transaction, nothing of the old one is touched; a failure drops the new one. ERR_INVALID for a
 * damaged backup; ERR_CONFLICT for one that is newer than this program or of an engine that the
 * server lacks, for a database that is not empty or in use; ERR_FORBIDDEN where the login is no
 * superuser's; ERR_INTERNAL where rows are missing or others afterwards; ERR_UNAVAILABLE where
 * it was not to go on. Trials are backup_trial's. */
enum err backup_restore(struct backups *backups, const struct restore_wish *wish,
                        struct restore_told *out) MUST_CHECK;

#endif

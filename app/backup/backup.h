/* Backups of the whole database: pg_dump's custom format, streamed into the object store or a
 * folder, with a manifest that comes last: what has none is no backup. Called by `tidemark backup`
 * and `tidemark restore`. */
#ifndef TIDEMARK_BACKUP_BACKUP_H
#define TIDEMARK_BACKUP_BACKUP_H

#include "base/config.h"
#include "base/crypto.h"
#include "base/op.h"
#include "objects/store.h"

#include <stdio.h>

struct db_conn;

#define BACKUP_KEEP 7          /* so many, of which the oldest go first */
#define BACKUP_NAME_BYTES 25   /* "20261122T050300Z-1a2b3c4d" */
#define BACKUP_LATEST "latest" /* in place of a name */

/* Where backups are: below "backup/" in the store of the settings, or in a folder. */
struct backups {
    struct op *op; /* the caller's: failures end up here, and all that is returned in its arena */
    const struct config *config;
    struct store *store;
    const char *prefix; /* of their keys */
    bool is_folder;     /* that somebody named */
    /* NULL (any one's), or whose BACKUP_LATEST is: of this one, or of a manifest that does not say
     * it. */
    const char *installation;
    /* Asked again and again while a dump is read or restored; NULL: always. */
    bool (*goes_on)(void *context);
    /* Told of the connection whose statements a restore waits for, and by NULL that there is none
     * any more, so that another thread can cancel them; may be NULL. */
    void (*waits_for)(void *context, struct db_conn *conn);
    void *context;
};

/* `folder` NULL: BACKUP_FOLDER, or the object store. ERR_INVALID for settings that contradict each
 * other. backups_close is due in any case. */
enum err backups_open(struct backups *backups, struct op *op, const struct config *config,
                      const char *folder) MUST_CHECK;
/* Sees to it that backups may be put there. A folder is made where is_made says so; else it is to
 * have backups, or to have been made so: ERR_UNAVAILABLE where it is not, as when its disk is not
 * mounted. The object store is made by migrate. */
enum err backups_prepare(struct backups *backups, bool is_made) MUST_CHECK;
void backups_close(struct backups *backups);

struct backup_table {
    const char *name; /* "core.sample" */
    int64_t n_rows;
    const char *sum;  /* of the rows, in decimal digits; NULL: the manifest has none of any table */
};

/* What the manifest says. */
struct backup {
    const char *name;      /* BACKUP_NAME_BYTES long; names sort by time */
    int64_t made_us;       /* when it was begun: the moment that it shows, within seconds */
    const char *program;   /* the version of tidemark that made it */
    int schema;            /* its newest migration */
    const char *engine;    /* "postgres" or "timescaledb" */
    const char *extension; /* TimescaleDB's version, NULL without */
    const char *installation; /* what tells it from others in the same place; NULL: not said */
    int server_major;      /* of PostgreSQL: 15 */
    const char *server_version;
    int64_t n_bytes; /* of the dump */
    uint8_t sha256[CRYPTO_HASH_BYTES];
    struct backup_table *tables; /* sorted by name */
    int n_tables;
};

/* The key of the dump in the store; NULL without memory. */
const char *backup_key(const struct backups *backups, const char *name, const char *ending);

/* Makes a backup as tidemark_backup, in memory that does not grow with it. Whatever goes wrong
 * leaves none: ERR_UNAVAILABLE for a database or store that is away, ERR_INTERNAL with pg_dump's
 * words. */
enum err backup_make(struct backups *backups, struct backup *out) MUST_CHECK;

/* Removes the oldest but `keep`, never the one that was `made` (the clock may have been set back),
 * and after a day what was begun and never finished. Those of other installations than its own are
 * left alone, as are those whose manifest cannot be read. *out_n: backups removed. */
enum err backup_prune(struct backups *backups, int keep, const struct backup *made,
                      int *out_n) MUST_CHECK;

/* The names of all, the oldest first. */
enum err backup_list(struct backups *backups, const char *const **out_names, int *out_n) MUST_CHECK;

/* The manifest of a backup, or of the newest for BACKUP_LATEST. ERR_NOT_FOUND where there is none,
 * ERR_INVALID where the manifest is damaged. */
enum err backup_read(struct backups *backups, const char *name, struct backup *out) MUST_CHECK;

/* Says whose BACKUP_LATEST is, for a database whose installation is `own` (NULL: it has none): its
 * own where it is_lasting, or has backups there. Else it may be any one's, and where there are
 * backups of several, ERR_CONFLICT names the newest of each. `own` lives as long as the backups. */
enum err backup_choose(struct backups *backups, const char *own, bool is_lasting) MUST_CHECK;

/* Reads the dump whole and holds it against the manifest. ERR_INVALID where they differ,
 * ERR_UNAVAILABLE where it was not to go on. */
enum err backup_verify(struct backups *backups, const struct backup *backup) MUST_CHECK;

/* For all that reads dumps: ERR_UNAVAILABLE when it is not to go on. */
enum err backups_go_on(const struct backups *backups, struct op *op) MUST_CHECK;

/* Says whose statements are waited for; NULL before that connection is closed. */
void backups_wait_for(const struct backups *backups, struct db_conn *conn);

#endif

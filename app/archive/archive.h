/* The archive: finished days of tenants as Parquet files in the object store (docs/archive.md),
 * from where they can be verified, read and restored. Called by the worker's job and by
 * `tidemark archive`. */
#ifndef TIDEMARK_ARCHIVE_ARCHIVE_H
#define TIDEMARK_ARCHIVE_ARCHIVE_H

#include "archive/names.h"
#include "base/config.h"
#include "db/db.h"
#include "objects/store.h"

/* What a run works with. Days are done one after another, each in memory of its own. */
struct archive {
    struct op *op;         /* the caller's: a failure ends up here */
    struct db_conn *conn;  /* of the worker's role; the caller's */
    struct store *store;
    struct arena *tenants; /* of those that are due */
    struct arena *days;    /* of the days at hand */
    struct arena *files;   /* of the file at hand */
    struct arena *batches; /* of the rows at hand */
    struct op list, file, rows; /* on the first, the third and the last of these */
    struct archive_names names; /* in memory of their own */
};

/* Opens the store that the settings name, which is not made and not reached yet. ERR_INTERNAL
 * without memory, ERR_INVALID for its settings; archive_close is due in any case. */
enum err archive_open(struct archive *archive, struct op *op, struct db_conn *conn,
                      const struct config *config) MUST_CHECK;
void archive_close(struct archive *archive);

/* Makes the store's place where the database knows of no object in it. Where it does, one that is
 * missing is the wrong place, in which nothing is to be kept, or taken for removed: the failure of
 * store_adopt. Also that of store_prepare; of db_run_committed, as the worker. */
enum err archive_find_place(struct op *op, struct db_conn *conn, struct store *store) MUST_CHECK;

/* A day of a tenant. */
struct archive_task {
    int32_t tenant_id;
    const char *slug;
    const char *relation; /* "samples", "events", "costs" */
    const char *day;      /* "2026-11-20", of UTC */
};

#define ARCHIVE_PREFIX "archive/" /* all that is of the archive */
/* Where a day is: relation, slug, day. */
#define ARCHIVE_DAY_FORMAT ARCHIVE_PREFIX "%s/tenant=%s/day=%s/"

/* What was done with it. */
struct archive_done {
    int64_t n_rows, n_void; /* rows written or restored, and tombstones */
    int64_t n_bytes;        /* of the files */
    bool is_skipped;        /* somebody else is at that day, or there is nothing to do */
    bool is_derived;        /* nor would there be: it is never restored */
};

/* Removes from the store what belongs to tenants that are gone, what was begun and never noted, and
 * what a database left there that was given up (given_up.h); *out_n: how many objects. */
enum err archive_sweep(struct archive *archive, int *out_n) MUST_CHECK;

/* A run over all that is to be archived. */
struct archive_run {
    /* Called for each day that something was written of; may be NULL. */
    void (*tell)(void *context, const struct archive_task *task, const struct archive_done *done);
    /* Called for what could not be written, and why: days of a table, from task->day to last_day,
     * or a catalogue, whose days are NULL; may be NULL. */
    void (*tell_failure)(void *context, const struct archive_task *task, const char *last_day,
                         const char *why);
    /* Asked after each transaction, which took so many µs; NULL: always. */
    bool (*goes_on)(void *context, int64_t worked_us);
    void *context;
    int n_days, n_failed; /* out: days of a table written; tenants of which some could not be */
    int64_t n_rows, n_bytes;
};

/* Archives the days that are due, of each tenant the oldest first, some at a time: they are
 * written, read back, and only then noted; whatever ends it before that leaves them to be done
 * again. What fails is logged, and keeps the later ones of its tenant waiting, nobody else's.
 * Before, and after where something was, the catalogues of tenants of which something changed
 * (catalogue.h), and manifests that were found lost. */
enum err archive_run(struct archive *archive, struct archive_run *run) MUST_CHECK;

/* A file as the database knows it. */
struct archive_file {
    const char *tenant, *relation, *day; /* whose and of what; as in struct archive_task */
    int n;                               /* the day's files apply in this order */
    const char *kind, *object;           /* "rows" or "tombstones"; its key in the store */
    int64_t n_rows, n_bytes;
    struct str sha256; /* its 32 bytes */
};

/* Reads a file whole and holds it against what is known of it, its notes included; what is in
 * memory of the file before is released. ERR_INVALID with a word on what differs, ERR_NOT_FOUND
 * where it is not there, or the store's failure. */
enum err archive_verify_file(struct archive *archive, const struct archive_file *file) MUST_CHECK;

/* The key of the manifest beside a file, in that memory; NULL without it. */
const char *archive_manifest_key(struct arena *arena, const struct archive_file *file);
/* Reads that manifest and holds it against what is known of the file, in the memory of rows, where
 * what was there is released; fails as archive_verify_file does. */
enum err archive_verify_manifest(struct archive *archive,
                                 const struct archive_file *file) MUST_CHECK;

/* What that says of the file or manifest: "sound", "damaged", "missing", or "failed" where it could
 * not be read. */
const char *archive_finding(enum err err);

#define ARCHIVE_PIN_DAYS 30 /* for which retention leaves what somebody wanted back */

/* Brings a day back from its files, each verified before it is applied, in one transaction, and
 * pins it for so many days. A day that the database has is left as it is, and so is what is
 * derived. ERR_CONFLICT while
 * changes of it wait to be archived, or where some came meanwhile; ERR_INVALID for damaged
 * files, and where a number is missing. */
enum err archive_restore_day(struct archive *archive, const struct archive_task *task,
                             int pin_days, struct archive_done *out) MUST_CHECK;

#endif

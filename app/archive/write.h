/* A day whose files are on their way into the store, and days that are archived in one transaction.
 * Shared by run.c, write_days.c, write_file.c and write_lost.c. */
#ifndef TIDEMARK_ARCHIVE_WRITE_H
#define TIDEMARK_ARCHIVE_WRITE_H

#include "archive/table.h"

#define ARCHIVE_SPAN_DAYS 31        /* in one transaction at most */
#define ARCHIVE_DAY_SIZE 11         /* "2026-11-20" with its NUL */
#define ARCHIVE_MAX_FILES 2         /* of one number: rows and tombstones */

/* The objects of a number. */
enum { KEY_ROWS, KEY_MANIFEST, KEY_VOIDS, KEYS };

struct archive_day {
    struct archive *archive;
    const struct archive_task *task; /* whose and of what; its day may be another */
    const struct archive_table *table;
    char name[ARCHIVE_DAY_SIZE];
    int n;                           /* the number of its files */
    const char *begun_at;            /* when, by the database's clock: RFC 3339 */
    struct str keys[KEYS];
    struct archive_file files[ARCHIVE_MAX_FILES];
    int n_files;
    struct archive_writing writing;  /* the file at hand */
};

/* Makes the keys, of a new random id, in the archive's memory of days. ERR_INTERNAL without it. */
enum err archive_day_name(struct archive_day *day) MUST_CHECK;
/* Begins the file of rows, else that of tombstones; archive_day_end or archive_file_abort of its
 * `writing` must follow. Memory of the file before is released. */
enum err archive_day_begin(struct archive_day *day, bool is_rows) MUST_CHECK;
enum err archive_day_end(struct archive_day *day) MUST_CHECK;
/* Writes the manifest of the files and reads it back. ERR_INTERNAL where the store gives something
 * else, or the store's failure, of the archive's file, in whose memory it is made. */
enum err archive_day_note(const struct archive_day *day) MUST_CHECK;
/* Reads the files back and notes them in their manifest; nothing where there are none. */
enum err archive_day_seal(struct archive_day *day) MUST_CHECK;

/* Days of a tenant that are to be archived. */
struct archive_span {
    struct archive_task task;             /* of the first */
    char first_day[ARCHIVE_DAY_SIZE];     /* the task's */
    char last_day[ARCHIVE_DAY_SIZE];      /* at most ARCHIVE_SPAN_DAYS of them */
    bool is_changed;                      /* one day, that may have been archived before */
};
/* What became of them. */
struct archive_written {
    struct {
        char day[ARCHIVE_DAY_SIZE];
        struct archive_done done;
    } days[ARCHIVE_SPAN_DAYS]; /* that something was written of */
    int n;
    bool is_skipped; /* somebody else is at them */
};

/* Writes the files of the days, or of the first of them where that takes long, reads them back, and
 * only then notes them. */
enum err archive_write_days(struct archive *archive, const struct archive_span *span,
                            struct archive_written *out) MUST_CHECK;

/* Writes manifests anew that were found damaged or missing. What fails is logged, and counted in
 * the run; it is asked after each whether it goes on, and *is_stopped: it does not. */
enum err archive_write_lost(struct archive *archive, struct archive_run *run,
                            bool *is_stopped) MUST_CHECK;

/* Logs the archive's failure at the task, tells the run of it and forgets it; last_day: NULL, or
 * the last of several days. */
void archive_run_failed(struct archive *archive, struct archive_run *run,
                        const struct archive_task *task, const char *last_day);

#endif

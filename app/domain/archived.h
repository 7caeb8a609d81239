/* Files of the archive as their tenant sees them, days that are wanted back, and files that are to
 * be verified. Texts live in the operation's arena. */
#ifndef TIDEMARK_DOMAIN_ARCHIVED_H
#define TIDEMARK_DOMAIN_ARCHIVED_H

#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;

struct archived {
    int64_t id;
    const char *table, *day; /* "samples", "2026-11-20", of UTC */
    bool is_derived;         /* its rows are worked out from others': no day is brought back */
    int n;                   /* a day's files apply in this order */
    const char *kind;        /* "rows" or "tombstones" */
    const char *object;      /* its key in the store */
    int64_t n_rows, n_bytes;
    const char *sha256; /* hexadecimal */
    int64_t archived_us, verified_us;
    const char *place;   /* where the day is: "database", "restored", "archive" alone */
    const char *wish;    /* "waiting" or "failed" where it is wanted back; NULL */
    const char *problem; /* why that failed; NULL */
    const char *verify;  /* "waiting" to be read, or what was found: "sound", "damaged", "missing",
                          * "failed" (it could not be read); NULL: nobody asked */
    int64_t checked_us;  /* when that was; ARCHIVED_UNCHECKED */
};
struct archived_list {
    struct archived *items; /* the latest first */
    int n;
};
struct archived_total {
    int64_t n_days, n_files, n_bytes;
};

struct archived_filter {
    int64_t before_id;             /* only those before it; 0: from the latest on */
    struct str table;              /* "samples"; ptr NULL: any */
    const char *from_day, *to_day; /* "2026-11-20", the second exclusive; NULL: any */
};

#define ARCHIVED_UNCHECKED INT64_MIN
#define ARCHIVED_NONE "There is no such file in the archive."

/* At most `limit` files. */
enum err archived_list(struct db_tx *tx, const struct archived_filter *filter, int limit,
                       struct archived_list *out) MUST_CHECK;
/* ERR_NOT_FOUND without it. */
enum err archived_find(struct db_tx *tx, int64_t id, struct archived *out) MUST_CHECK;
enum err archived_total(struct db_tx *tx, struct archived_total *out) MUST_CHECK;
/* Whether the installation archives what gets old. */
enum err archived_is_on(struct db_tx *tx, bool *out) MUST_CHECK;
/* Days that the archive alone has and nobody wants back yet, of the filter's table and days. */
struct archived_away {
    int64_t n_days, n_parts; /* days, and tables of days: a day of two tables is two */
};
#define ARCHIVED_MAX_AWAY 400 /* tables of days that may wait to be brought back */
enum err archived_away(struct db_tx *tx, const struct archived_filter *filter,
                       struct archived_away *out) MUST_CHECK;
/* Wants these back, which the worker sees to. ERR_NOT_FOUND where there is none, ERR_CONFLICT where
 * too many wait. */
enum err archived_restore_days(struct db_tx *tx, const struct archived_filter *filter) MUST_CHECK;
/* Wants the file verified, which the worker sees to. ERR_NOT_FOUND without it, ERR_CONFLICT where
 * too many wait. */
enum err archived_verify(struct db_tx *tx, int64_t id) MUST_CHECK;
/* Wants the file's day back, which the worker sees to; *is_there: the database has it.
 * ERR_NOT_FOUND without the file, ERR_CONFLICT where too many wait, or none is brought back. */
enum err archived_restore(struct db_tx *tx, int64_t id, bool *is_there) MUST_CHECK;

#endif

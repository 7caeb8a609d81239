/* Samples of days that the archive alone has, as a tenant reads them: out of the day's files, in
 * the order of time and then series, whatever is void left out. Days that the database has are its
 * own to tell. Which files there are is the database's word, asked for in the tenant's transaction;
 * no name comes from outside. Called by the lists of web/. */
#ifndef TIDEMARK_ARCHIVE_REACH_H
#define TIDEMARK_ARCHIVE_REACH_H

#include "base/clock.h"
#include "base/op.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct db_tx;
struct reach;
struct store;

#define REACH_MAX_WINDOW 262144 /* samples */
#define REACH_MAX_DAYS 400
#define REACH_PATIENCE_US (5 * US_PER_SECOND) /* of who waits for a page */

/* *until_us: the end of the last day of the transaction's tenant that the archive alone has;
 * INT64_MIN where there is none. *shown_us: from when on the tenant sees such samples. */
enum err reach_until(struct db_tx *tx, int64_t *until_us, int64_t *shown_us) MUST_CHECK;

/* ERR_CHANGING where chunks of samples (is_raw), or of their buckets, were dropped since the moment
 * that the transaction sees: what it read of the database after that may lack rows that its notes
 * say are there. Asked after the reading. */
enum err reach_check_dropped(struct db_tx *tx, bool is_raw) MUST_CHECK;

/* What is read from where. */
struct reach_setup {
    struct store *store; /* NULL: it could not be opened */
    struct arena *arena;             /* whose reset closes it; texts of the filter live as long */
    const char *id;                  /* of the request, for the log; lives as long */
    struct str device, site, metric; /* keys and a name; ptr NULL: all */
    size_t window;                   /* samples sorted at once, REACH_MAX_WINDOW at most */
    int64_t patience_us; /* after which a page ends with whole days or buckets */
    int max_days; /* that are looked at in a page, REACH_MAX_DAYS at most; 0: so many */
};

/* ERR_INTERNAL without memory, ERR_UNAVAILABLE without a store. */
enum err reach_open(struct op *op, const struct reach_setup *setup, struct reach **out) MUST_CHECK;

/* Samples of [from_us, to_us), µs since 1970, after a position where is_after. */
struct reach_span {
    int64_t from_us, to_us;
    bool is_after;
    int64_t after_us;
    int32_t after_series;
    bool has_all; /* of days that the database has, too */
};

/* Begins a page, in a transaction: what is read goes on from its span, and fails with its
 * operation. *is_any: the archive alone has days of it. */
enum err reach_begin(struct reach *reach, struct db_tx *tx, const struct reach_span *span,
                     bool *is_any) MUST_CHECK;

struct reach_sample {
    int64_t time_us;
    double value;
    int32_t series_id;
    int32_t number; /* of the file that it was in */
};

/* A series, by its names; texts end with a NUL and live as long as the reach. */
struct reach_series {
    int32_t id;
    struct str device, metric, labels; /* labels as a JSON object */
    const char *unit;                  /* or NULL */
    const char *timezone;              /* of its site, else of the tenant; IANA */
};

enum reach_state {
    REACH_SAMPLE, /* one was given */
    REACH_END,    /* there are no more */
    REACH_LATE    /* the page took long enough: there may be more after out's time and series */
};

/* The next sample of the page. ERR_DAMAGED for a day one of whose files is missing or not what was
 * written, ERR_UNAVAILABLE where the store is not to be had. */
enum err reach_next(struct reach *reach, struct reach_sample *out,
                    enum reach_state *state) MUST_CHECK;

/* The series of a sample that was given. */
const struct reach_series *reach_series_of(const struct reach *reach, int32_t series_id);

#endif

/* What reach.c, reach_day.c, reach_voids.c and reach_names.c share. */
#ifndef TIDEMARK_ARCHIVE_REACH_PARTS_H
#define TIDEMARK_ARCHIVE_REACH_PARTS_H

#include "archive/parts.h"
#include "archive/reach.h"

/* The wanted series, found by their names or their ids. */
struct reach_names {
    struct reach_series *series; /* ascending by id */
    size_t n;
    const struct reach_series **places; /* open addresses */
    size_t n_places;                    /* a power of two */
    const struct reach_series *last;    /* found by its names */
};

/* Asks for those of the setup. ERR_INTERNAL without memory in `arena`. */
enum err reach_names_load(struct reach_names *names, struct db_tx *tx, struct arena *arena,
                          const struct reach_setup *setup) MUST_CHECK;
/* The id of a series; 0: it is none of them. */
int32_t reach_names_find(struct reach_names *names, struct str device, struct str metric,
                         struct str labels);

/* What tombstones void: of files with lower numbers. */
struct reach_void {
    int32_t number, series_id;
    int64_t from_us, to_us; /* both included */
};

struct reach_day {
    const char *name; /* "2026-11-20", of UTC */
    int64_t start_us;
    struct archive_file *files; /* in the order in which they apply */
    int n_files;
};

/* Samples of a day, sorted: the first after the position at which they were looked for. */
struct reach_window {
    struct reach_sample *rows; /* room for twice the cap */
    size_t cap, n, at;         /* at: the next to be given */
    bool is_cut;               /* more of the day come after the last */
    int64_t start_us;          /* of the day; INT64_MIN: nothing was read */
    int64_t after_us;          /* the position */
    int32_t after_series;
    int64_t mark;              /* what of the day there was */
};

/* What of a series was erased or deleted, which the files of a day do not say yet. */
struct reach_erased {
    const char *day;
    int32_t series_id;
    int64_t from_us, to_us; /* both included */
};

struct reach_bucket;

/* Buckets that begin in [from_us, to_us), of all series, sorted: what pages have yet to take. */
struct reach_made {
    bool is_there;
    int64_t from_us, to_us, end_us; /* end_us: where they end at the latest */
    struct reach_span span;         /* of the samples that they are made of; may be empty */
    int64_t mark;                   /* what there was of those days */
    struct reach_bucket *buckets;
    size_t n;
};

struct reach {
    struct op *op; /* of the page */
    struct reach_setup setup;
    struct arena *lasting; /* names, window and voids */
    struct arena *slabs;   /* of the buckets at hand */
    struct archive archive; /* its store, and the file at hand */
    struct reach_names names;
    bool has_names;
    struct reach_span span;
    int64_t patience_until_us; /* monotonic */
    int64_t read_until_us; /* until when a day is read at all, monotonic; INT64_MAX: to its end */
    bool is_late;              /* a day was not read to its end: it took longer */
    struct reach_day *days;    /* of the page; in its memory */
    int n_days, at_day;
    bool is_more;              /* further days follow these */
    struct reach_erased *erased; /* of the page's days */
    int n_erased;
    struct reach_void *voids;      /* of the day at hand */
    size_t n_voids, voids_cap;
    struct reach_window window;
    struct reach_made made; /* in the memory of the slabs */
};

/* By time and then series. */
static inline int reach_order(int64_t time_a, int32_t series_a, int64_t time_b, int32_t series_b)
{
    int order = (time_a > time_b) - (time_a < time_b);

    return order != 0 ? order : (series_a > series_b) - (series_a < series_b);
}

/* Has the names of the wanted series. */
enum err reach_load_names(struct reach *reach, struct db_tx *tx) MUST_CHECK;

/* Adds to what is void of the day at hand; false without memory. Then reach_voids_sort. */
bool reach_void_add(struct reach *reach, const struct reach_void *added) MUST_CHECK;
/* The same of what was erased or deleted since the day's files were written. */
bool reach_void_erased(struct reach *reach, const struct reach_day *day) MUST_CHECK;
void reach_voids_sort(struct reach *reach);
/* Whether something of a higher number than its own voids the sample. */
bool reach_is_void(const struct reach *reach, const struct reach_sample *sample);

/* Fills the window with samples of the day after (after_us, after_series). Where that is late the
 * window has nothing. */
enum err reach_day_load(struct reach *reach, const struct reach_day *day, int64_t after_us,
                        int32_t after_series) MUST_CHECK;

/* Takes a sample; anything but OK ends the reading with that, as a failure of the page. */
typedef enum err (*reach_sink)(void *context, const struct reach_sample *sample);

/* Hands the day's samples of the page's span to the sink, those of a series by time; where that is
 * late some of them. */
enum err reach_day_each(struct reach *reach, const struct reach_day *day, reach_sink sink,
                        void *context) MUST_CHECK;

#endif

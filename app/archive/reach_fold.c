/* Samples of the archive into buckets, some spans of all series at a time: a slab holds the buckets
 * that start in it, whole, so that nothing is open between two of them. Slabs of fine buckets are
 * days, and outlive the page, so that the pages of an answer read each file once. */
#include "archive/reach_fold.h"

#include "archive/reach_parts.h"
#include "base/clock.h"
#include "domain/zone.h"
#include "gen/queries.h"

#include <stdlib.h>

#define QUARTER_US (15 * US_PER_MINUTE)
#define FIRST_BUCKETS 256
#define SLAB_BUCKETS ((int64_t)1 << 19) /* of fine ones: 36 MiB; of more series less than a day */

struct sum {
    int64_t count;
    double sum, min, max, first, last;
};

/* The buckets of a zone that start in the slab. */
struct ring {
    const char *zone_name;
    struct zone_starts starts; /* and where the last one ends */
    int n;                     /* buckets */
    struct zone_starts days;   /* of weeks and months that are made of them */
    bool has_quarters;         /* all edges lie on quarter hours */
};

/* A series in the slab. */
struct folding {
    const struct ring *ring;
    int bucket_at, day_at;
    int64_t quarter_us;
    struct sum quarter, day, bucket; /* what is open; without samples: none is */
};

struct slab {
    struct reach *reach;
    struct db_tx *tx;
    const struct reach_fold *fold;
    int64_t from_us, to_us;
    struct ring *rings;
    int n_rings;
    struct folding *series; /* as those of the names */
    struct reach_bucket *buckets;
    size_t n, cap;
    struct reach_span span; /* of their samples */
    int64_t mark;
    bool is_late; /* not all of it was read */
};

/* Where the next slab begins, and how wide it may be. */
struct place {
    int64_t at_us, width_us;
};

enum err reach_kept(struct db_tx *tx, const char *grain, bool is_zoned, struct reach_kept *out)
{
    struct db_args args;
    struct db_rows *rows;

    *out = (struct reach_kept){ INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN };
    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, grain);
    db_arg_bool(&args, is_zoned);
    enum err err = db_run(tx, &q_reach_kept, &args, &rows);
    if (err == OK) {
        out->kept_us = db_time_or(rows, 0, REACH_KEPT_KEPT_FROM, INT64_MIN);
        out->whole_us = db_time_or(rows, 0, REACH_KEPT_WHOLE_UNTIL, INT64_MIN);
        out->first_us = db_time_or(rows, 0, REACH_KEPT_FIRST_FROM, INT64_MIN);
        out->shown_us = db_time_or(rows, 0, REACH_KEPT_SHOWN_FROM, INT64_MIN);
    }
    return err;
}

/* ---- sums ---- */

static void add(struct sum *sum, const struct sum *more)
{
    if (sum->count == 0 || more->count == 0) {
        *sum = more->count > 0 ? *more : *sum;
        return;
    }
    sum->count += more->count;
    sum->sum += more->sum;
    sum->min = more->min < sum->min ? more->min : sum->min;
    sum->max = more->max > sum->max ? more->max : sum->max;
    sum->last = more->last;
}

static void move(struct sum *from, struct sum *to)
{
    add(to, from);
    *from = (struct sum){ 0 };
}

static bool put(struct slab *slab, const struct folding *folding, int32_t series_id)
{
    const struct sum *sum = &folding->bucket;

    if (slab->n == slab->cap) {
        size_t cap = slab->cap > 0 ? slab->cap * 2 : FIRST_BUCKETS;
        struct reach_bucket *more = arena_resize(slab->reach->slabs, slab->buckets,
                                                 slab->cap * sizeof *more, cap * sizeof *more);
        if (more == NULL) {
            return false;
        }
        slab->buckets = more;
        slab->cap = cap;
    }
    slab->buckets[slab->n++] = (struct reach_bucket){
        folding->ring->starts.us[folding->bucket_at], series_id, sum->count, sum->sum, sum->min,
        sum->max, sum->first, sum->last,
    };
    return true;
}

/* Ends the quarter hour, with it the day, and with that the bucket. */
static bool end_bucket(struct slab *slab, struct folding *folding, int32_t series_id)
{
    bool has_days = folding->ring->days.n > 0;

    move(&folding->quarter, has_days ? &folding->day : &folding->bucket);
    move(&folding->day, &folding->bucket);
    bool is_put = folding->bucket.count == 0 || put(slab, folding, series_id);
    folding->bucket = (struct sum){ 0 };
    return is_put;
}

static enum err add_sample(void *context, const struct reach_sample *sample)
{
    struct slab *slab = context;
    size_t at = (size_t)(reach_series_of(slab->reach, sample->series_id) -
                         slab->reach->names.series);
    struct folding *folding = &slab->series[at];
    const struct ring *ring = folding->ring;
    const struct sum one = { 1, sample->value, sample->value, sample->value, sample->value,
                             sample->value };
    int64_t time_us = sample->time_us, past = time_us % QUARTER_US;
    int64_t quarter_us = time_us - past - (past < 0 ? QUARTER_US : 0);

    if (ring->n == 0 || time_us < ring->starts.us[0] || time_us >= ring->starts.us[ring->n]) {
        return OK;
    }
    if (time_us >= ring->starts.us[folding->bucket_at + 1]) {
        if (!end_bucket(slab, folding, sample->series_id)) {
            return fail_memory(slab->reach->op);
        }
        while (time_us >= ring->starts.us[folding->bucket_at + 1]) {
            folding->bucket_at++;
        }
    }
    if (folding->quarter_us != quarter_us || !ring->has_quarters) {
        move(&folding->quarter, ring->days.n > 0 ? &folding->day : &folding->bucket);
        folding->quarter_us = quarter_us;
    }
    while (folding->day_at + 1 < ring->days.n && time_us >= ring->days.us[folding->day_at + 1]) {
        move(&folding->day, &folding->bucket);
        folding->day_at++;
    }
    add(&folding->quarter, &one);
    return OK;
}

/* ---- a slab ---- */

static int64_t longest_us(const char *grain)
{
    switch (grain[strlen(grain) - 1]) {
    case 'm': return QUARTER_US;
    case 'h': return US_PER_HOUR;
    case 'd': return 27 * US_PER_HOUR;
    case 'w': return 7 * US_PER_DAY + 3 * US_PER_HOUR;
    default: return 31 * US_PER_DAY + 3 * US_PER_HOUR;
    }
}

static enum err fill_ring(struct slab *slab, struct ring *ring)
{
    const struct reach_fold *fold = slab->fold;
    int64_t longest = longest_us(fold->grain);
    bool has_days = fold->zone_name == NULL && longest > 27 * US_PER_HOUR;
    enum err err = zone_bucket_starts(slab->tx, ring->zone_name, fold->grain, slab->from_us,
                                      slab->to_us + longest + US_PER_HOUR, &ring->starts);

    if (err != OK) {
        return err;
    }
    ring->has_quarters = true;
    while (ring->n + 1 < ring->starts.n && ring->starts.us[ring->n] < slab->to_us &&
           ring->starts.us[ring->n + 1] <= fold->end_us) {
        ring->has_quarters &= fold->zone_name == NULL ||
                              (ring->starts.us[ring->n] % QUARTER_US == 0 &&
                               ring->starts.us[ring->n + 1] % QUARTER_US == 0);
        ring->n++;
    }
    if (has_days && ring->n > 0) {
        err = zone_bucket_starts(slab->tx, ring->zone_name, "1d", ring->starts.us[0],
                                 ring->starts.us[ring->n], &ring->days);
    }
    return err;
}

/* The buckets of each zone, and which zone each series has. */
static enum err fill_rings(struct slab *slab)
{
    const struct reach_names *names = &slab->reach->names;
    const struct reach_fold *fold = slab->fold;
    bool is_utc = fold->zone_name == NULL && longest_us(fold->grain) <= US_PER_HOUR;
    struct arena *arena = slab->reach->slabs;
    enum err err = OK;

    slab->rings = arena_array(arena, names->n + 1, sizeof *slab->rings);
    slab->series = arena_array(arena, names->n + 1, sizeof *slab->series);
    if (slab->rings == NULL || slab->series == NULL) {
        return fail_memory(slab->reach->op);
    }
    for (size_t i = 0; i < names->n && err == OK; i++) {
        const char *name = is_utc            ? "UTC"
                           : fold->zone_name ? fold->zone_name
                                             : names->series[i].timezone;
        int at = 0;
        while (at < slab->n_rings && strcmp(slab->rings[at].zone_name, name) != 0) {
            at++;
        }
        if (at == slab->n_rings) {
            slab->rings[slab->n_rings++].zone_name = name;
            err = fill_ring(slab, &slab->rings[at]);
        }
        slab->series[i] = (struct folding){ .ring = &slab->rings[at], .quarter_us = INT64_MIN };
    }
    return err;
}

/* Begins to read the samples of a slab; *mark: what of its days there is. */
static enum err begin_samples(struct reach *reach, struct db_tx *tx, const struct reach_span *span,
                              int64_t *mark)
{
    bool is_any;
    int64_t n_files = 0;
    enum err err = reach_begin(reach, tx, span, &is_any);

    for (int i = 0; i < reach->n_days && err == OK; i++) {
        n_files += reach->days[i].n_files;
    }
    *mark = n_files << 32 | reach->n_erased;
    return err;
}

static enum err read_samples(struct slab *slab)
{
    struct reach *reach = slab->reach;
    struct reach_span span = { .from_us = INT64_MAX, .to_us = INT64_MIN, .has_all = true };

    for (int i = 0; i < slab->n_rings; i++) {
        const struct ring *ring = &slab->rings[i];
        if (ring->n > 0) {
            int64_t start_us = ring->starts.us[0], end_us = ring->starts.us[ring->n];
            span.from_us = start_us < span.from_us ? start_us : span.from_us;
            span.to_us = end_us > span.to_us ? end_us : span.to_us;
        }
    }
    slab->span = span;
    if (span.from_us >= span.to_us) {
        return OK;
    }
    reach->is_late = false;
    enum err err = begin_samples(reach, slab->tx, &span, &slab->mark);
    for (int i = 0; i < reach->n_days && err == OK && !reach->is_late; i++) {
        err = reach_day_each(reach, &reach->days[i], add_sample, slab);
    }
    slab->is_late = reach->is_late;
    for (size_t i = 0; i < reach->names.n && err == OK; i++) {
        err = end_bucket(slab, &slab->series[i], reach->names.series[i].id)
                  ? OK
                  : fail_memory(reach->op);
    }
    return err;
}

static int compare_buckets(const void *left, const void *right)
{
    const struct reach_bucket *a = left, *b = right;

    return reach_order(a->start_us, a->series_id, b->start_us, b->series_id);
}

/* Keeps what was made. */
static void keep_buckets(const struct slab *slab)
{
    if (slab->n > 0) {
        qsort(slab->buckets, slab->n, sizeof *slab->buckets, compare_buckets);
    }
    slab->reach->made = (struct reach_made){
        .is_there = true, .from_us = slab->from_us,    .to_us = slab->to_us,
        .span = slab->span, .end_us = slab->fold->end_us, .mark = slab->mark,
        .buckets = slab->buckets, .n = slab->n,
    };
}

/* What was made after the position, as far as there is room. */
static void take_buckets(const struct reach_made *made, const struct reach_fold *fold,
                         struct reach_buckets *out)
{
    for (size_t i = 0; i < made->n && out->n < fold->limit; i++) {
        const struct reach_bucket *bucket = &made->buckets[i];
        if (!fold->is_after || reach_order(bucket->start_us, bucket->series_id, fold->after_us,
                                           fold->after_series) > 0) {
            out->items[out->n++] = *bucket;
        }
    }
}

/* Goes by what no day of the archive has: from *from_us on to the first bucket that may have
 * something; to the end where there is none. */
static enum err skip(struct db_tx *tx, const struct reach_fold *fold, int64_t *from_us)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_time(&args, *from_us);
    db_arg_time(&args, fold->end_us);
    db_arg_int(&args, 1);
    db_arg_bool(&args, true);
    enum err err = db_run(tx, &q_reach_files, &args, &rows);
    if (err != OK) {
        return err;
    }
    int64_t first_us = db_count(rows) > 0
                           ? db_time(rows, 0, REACH_FILES_START) - longest_us(fold->grain)
                           : fold->to_us;
    *from_us = first_us > *from_us ? first_us : *from_us;
    return OK;
}

/* How wide the first slab is: one bucket, or the buckets of a day, whose files are read whole. */
static int64_t least_width_us(const struct reach_fold *fold)
{
    int64_t longest = longest_us(fold->grain);

    return longest > US_PER_DAY ? longest : US_PER_DAY;
}

/* Of an earlier page of the answer, where it made the buckets at the place and their days are what
 * they were. */
static enum err take_made(struct reach *reach, struct db_tx *tx, const struct reach_fold *fold,
                          struct place *place, struct reach_buckets *out)
{
    struct reach_made *made = &reach->made;
    int64_t mark = made->mark;
    enum err err = OK;

    if (!made->is_there || made->end_us != fold->end_us || place->at_us < made->from_us ||
        place->at_us >= made->to_us) {
        return OK;
    }
    if (made->span.from_us < made->span.to_us) {
        err = begin_samples(reach, tx, &made->span, &mark);
    }
    if (err == OK && mark == made->mark) {
        out->is_read = true;
        take_buckets(made, fold, out);
        place->at_us = made->to_us;
    }
    made->is_there = err == OK && mark == made->mark;
    return err;
}

/* How wide the next slab may be: no wider than what the page has room for, but for a day of fine
 * buckets, whose files are read whole; and never of more days than are looked at. */
static int64_t width_of(const struct reach *reach, const struct reach_fold *fold, int n,
                        int64_t wanted_us)
{
    int64_t n_series = (int64_t)reach->names.n + (reach->names.n == 0);
    int64_t longest = longest_us(fold->grain);
    int64_t room_us = (1 + (fold->limit - n) / n_series) * longest;
    int64_t most_us = reach->setup.max_days * US_PER_DAY - longest - 2 * US_PER_DAY;
    int64_t day_us = SLAB_BUCKETS / n_series * longest;

    day_us = longest > US_PER_HOUR ? 0 : day_us < US_PER_DAY ? day_us : US_PER_DAY;
    room_us = room_us > day_us ? room_us : day_us;

    most_us = most_us > longest ? most_us : longest;
    room_us = room_us < most_us ? room_us : most_us;
    return wanted_us < room_us ? wanted_us : room_us;
}

/* Where a slab of that width ends: with a day, where it has the end of one. */
static int64_t end_of(const struct reach_fold *fold, int64_t from_us, int64_t width_us)
{
    int64_t end_us = width_us < fold->to_us - from_us ? from_us + width_us : fold->to_us;
    int64_t past = end_us % US_PER_DAY;
    int64_t day_us = end_us - past - (past < 0 ? US_PER_DAY : 0);

    return day_us > from_us && end_us < fold->to_us ? day_us : end_us;
}

/* Reads a slab, and goes by it unless that is late. */
static enum err read_slab(struct reach *reach, struct db_tx *tx, const struct reach_fold *fold,
                          struct place *place, struct reach_buckets *out)
{
    int64_t width_us = width_of(reach, fold, out->n, place->width_us);
    struct slab slab = { .reach = reach, .tx = tx, .fold = fold, .from_us = place->at_us };
    bool is_first = !out->is_read;

    slab.to_us = end_of(fold, place->at_us, width_us);
    out->is_read = true;
    reach->made.is_there = false;
    arena_reset(reach->slabs);
    enum err err = fill_rings(&slab);
    if (err == OK) {
        err = read_samples(&slab);
    }
    if (err == OK && slab.is_late && is_first) {
        return fail(reach->op, ERR_INVALID,
                    "What the archive has of these buckets takes too long to read: name a device "
                    "or a metric, or a shorter range, or shorter buckets.");
    }
    if (err == OK && slab.is_late) {
        out->is_late = true;
        return OK;
    }
    if (err == OK) {
        keep_buckets(&slab);
        take_buckets(&reach->made, fold, out);
    }
    place->at_us = slab.to_us;
    if (width_us == place->width_us) { /* else there was no room for it */
        place->width_us *= 2;
    }
    return err;
}

enum err reach_fold_list(struct reach *reach, struct db_tx *tx, const struct reach_fold *fold,
                         struct reach_buckets *out)
{
    bool is_after = fold->is_after && fold->after_us > fold->from_us;
    struct place place = { is_after ? fold->after_us + (fold->after_series == INT32_MAX)
                                    : fold->from_us,
                           least_width_us(fold) };
    enum err err = OK;

    *out = (struct reach_buckets){
        .items = arena_array(db_op(tx)->arena, (size_t)fold->limit + 1, sizeof *out->items)
    };
    if (out->items == NULL) {
        return fail_memory(db_op(tx));
    }
    reach->read_until_us = clock_monotonic_us() + reach->setup.patience_us;
    while (err == OK && out->n < fold->limit && !out->is_late) {
        err = take_made(reach, tx, fold, &place, out);
        if (err == OK && out->n < fold->limit) {
            err = skip(tx, fold, &place.at_us);
        }
        if (err != OK || out->n == fold->limit || place.at_us >= fold->to_us) {
            break;
        }
        out->late_us = place.at_us;
        /* a full page is not worth another slab, which the next page would have to make again */
        out->is_late = out->is_read && (clock_monotonic_us() > reach->read_until_us ||
                                        (out->n > 0 && out->n == fold->limit - 1));
        if (out->is_late) {
            break;
        }
        err = reach_load_names(reach, tx);
        if (err == OK) {
            err = read_slab(reach, tx, fold, &place, out);
        }
    }
    return err;
}

/* Merges what the database lists with what is made of the archive. A bucket that both have is the
 * database's unless late samples alone made it there, or part of it was dropped: then the archive
 * has more of it. */
#include "web/old_buckets.h"

#include "archive/reach_fold.h"
#include "base/clock.h"
#include "web/sources.h"

#define WINDOW REACH_MAX_WINDOW

/* Asks the archive for what the database may not have. */
static enum err ask(struct web *web, struct old_buckets *old, const struct rollup_filter *filter,
                    struct reach_buckets *out)
{
    const char *grain = sample_bucket_name(filter->bucket);
    struct reach_fold fold = {
        .grain = grain,           .zone_name = filter->zone_name, .from_us = filter->from_us,
        .is_after = filter->is_after, .after_us = filter->after_us,
        .after_series = filter->after_series, .limit = filter->limit + 1,
    };
    const struct reach_setup setup = {
        .store = web->store,      .arena = old->arena,      .id = web->op->id,
        .device = filter->device, .site = filter->site,     .metric = filter->metric,
        .window = WINDOW,         .patience_us = REACH_PATIENCE_US,
    };
    struct reach_kept kept;
    enum err err = reach_kept(web->tx, grain, filter->zone_name != NULL, &kept);
    int64_t shown_us = kept.shown_us > kept.first_us ? kept.shown_us : kept.first_us;

    fold.from_us = shown_us > fold.from_us ? shown_us : fold.from_us;
    fold.to_us = filter->to_us < kept.kept_us ? filter->to_us : kept.kept_us;
    fold.end_us = kept.whole_us;
    int64_t from_us = fold.is_after && fold.after_us > fold.from_us ? fold.after_us : fold.from_us;
    if (err != OK || fold.end_us == INT64_MIN || from_us >= fold.to_us) {
        return err;
    }
    if (old->reach == NULL) {
        err = reach_open(web->op, &setup, &old->reach);
    }
    if (err == OK) {
        err = reach_fold_list(old->reach, web->tx, &fold, out);
    }
    if (err == OK && out->is_read) {
        err = sources_tell(web, filter->to_us > kept.kept_us);
    }
    return err;
}

static struct rollup name_bucket(const struct reach *reach, const struct reach_bucket *bucket)
{
    const struct reach_series *series = reach_series_of(reach, bucket->series_id);

    return (struct rollup){
        .device = series->device.ptr,
        .unit = series->unit,
        .bucket = {
            .time_us = bucket->start_us,
            .series_id = bucket->series_id,
            .metric = series->metric.ptr,
            .labels = series->labels.ptr,
            .unit = series->unit,
            .count = bucket->count,
            .min = bucket->min,
            .max = bucket->max,
            .avg = bucket->sum / (double)bucket->count,
            .sum = bucket->sum,
            .first = bucket->first,
            .last = bucket->last,
        },
    };
}

static int order_of(const struct sample_rollup *stored, const struct reach_bucket *made)
{
    int order = (stored->time_us > made->start_us) - (stored->time_us < made->start_us);

    return order != 0 ? order
                      : (stored->series_id > made->series_id) -
                            (stored->series_id < made->series_id);
}

static void merge(const struct reach *reach, const struct rollup_list *stored,
                  const struct reach_buckets *made, int room, struct bucket_page *out)
{
    int at = 0, of_made = 0;

    while (out->n < room) {
        const struct rollup *next = at < stored->n ? &stored->items[at] : NULL;
        const struct reach_bucket *other = of_made < made->n ? &made->items[of_made] : NULL;
        if (other == NULL && made->is_late && next && next->bucket.time_us >= made->late_us) {
            break;
        }
        if (next == NULL && other == NULL) {
            break;
        }
        int order = next == NULL ? 1 : other == NULL ? -1 : order_of(&next->bucket, other);
        bool is_made = order > 0 || (order == 0 && other->count > next->bucket.count);
        out->items[out->n++] = is_made ? name_bucket(reach, other) : *next;
        at += order <= 0;
        of_made += order >= 0;
    }
}

enum err old_buckets_page(struct web *web, struct old_buckets *old,
                          const struct rollup_filter *filter, const struct rollup_list *stored,
                          struct bucket_page *out)
{
    struct reach_buckets made = { .n = 0 };
    int room = filter->limit + 1;
    enum err err = OK;

    if (filter->from_us < clock_now_us() - US_PER_DAY) {
        err = reach_check_dropped(web->tx, false);
        err = err ? err : ask(web, old, filter, &made);
    }
    *out = (struct bucket_page){ .items = stored->items, .n = stored->n };
    if (err == OK && (made.n > 0 || made.is_late)) {
        out->n = 0;
        out->items = arena_array(web->op->arena, (size_t)room, sizeof *out->items);
        if (out->items == NULL) {
            return fail_memory(web->op);
        }
        merge(old->reach, stored, &made, room, out);
    }
    bool is_full = out->n > filter->limit;
    out->is_more = is_full || made.is_late;
    out->n = is_full ? filter->limit : out->n;
    if (made.is_late && !is_full) {
        out->end_us = made.late_us - 1;
        out->end_series = INT32_MAX;
    } else if (out->n > 0) {
        out->end_us = out->items[out->n - 1].bucket.time_us;
        out->end_series = out->items[out->n - 1].bucket.series_id;
    }
    return err;
}

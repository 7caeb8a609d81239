/* Merges what the database lists with what the archive has. Both give their samples in the same
 * order; where they have the same one the database's came later. */
#include "web/raw_samples.h"

#include "archive/reach.h"
#include "base/clock.h"
#include "web/sources.h"

#define PAGE_WINDOW 16384 /* samples of the archive sorted at once for one page */

/* Retention keeps whole days, so nothing of the last one is in the archive alone. */
static bool may_be_archived(const struct sample_filter *filter)
{
    int64_t from_us = filter->is_after && filter->after_us > filter->from_us ? filter->after_us
                                                                            : filter->from_us;

    return from_us < clock_now_us() - US_PER_DAY;
}

static enum err open_reach(struct web *web, struct raw_samples *raw,
                           const struct sample_filter *filter)
{
    const struct reach_setup setup = {
        .store = web->store,
        .arena = raw->arena,
        .id = web->op->id,
        .device = str_of(filter->device),
        .metric = filter->metric,
        .window = raw->is_long ? REACH_MAX_WINDOW : PAGE_WINDOW,
        .patience_us = REACH_PATIENCE_US,
    };

    return raw->reach ? OK : reach_open(web->op, &setup, &raw->reach);
}

/* Begins to read of the archive where it is needed; *is_any: it is. */
static enum err begin_reach(struct web *web, struct raw_samples *raw,
                            const struct sample_filter *filter, bool *is_any)
{
    struct reach_span span = {
        .from_us = filter->from_us,
        .to_us = filter->to_us,
        .is_after = filter->is_after,
        .after_us = filter->after_us,
        .after_series = filter->after_series,
    };
    int64_t until_us = INT64_MIN, shown_us = INT64_MIN;
    enum err err = OK;

    *is_any = false;
    if (may_be_archived(filter)) {
        err = reach_until(web->tx, &until_us, &shown_us);
    }
    span.from_us = shown_us > span.from_us ? shown_us : span.from_us;
    if (err != OK || span.from_us >= until_us ||
        (filter->is_after && filter->after_us >= until_us)) {
        return err;
    }
    err = open_reach(web, raw, filter);
    if (err == OK) {
        err = reach_begin(raw->reach, web->tx, &span, is_any);
    }
    return err == OK && *is_any ? sources_tell(web, filter->to_us > until_us) : err;
}

static struct sample name_sample(const struct reach *reach, const struct reach_sample *sample)
{
    const struct reach_series *series = reach_series_of(reach, sample->series_id);

    return (struct sample){ sample->time_us,    sample->series_id, series->metric.ptr,
                            series->labels.ptr, series->unit,      sample->value };
}

static int order_of(const struct sample *stored, const struct reach_sample *kept)
{
    int order = (stored->time_us > kept->time_us) - (stored->time_us < kept->time_us);

    return order != 0 ? order
                      : (stored->series_id > kept->series_id) -
                            (stored->series_id < kept->series_id);
}

/* Both lists, until there are `room` items or either has no more to tell now. *state: of what the
 * archive gave last, `kept`. */
static enum err merge(struct reach *reach, const struct sample_list *stored, int room,
                      struct raw_page *out, struct reach_sample *kept, enum reach_state *state)
{
    int at = 0;
    enum err err = reach_next(reach, kept, state);

    while (err == OK && out->n < room) {
        const struct sample *next = at < stored->n ? &stored->items[at] : NULL;
        int order = *state == REACH_END ? -1 : next ? order_of(next, kept) : 1;
        if (next && order <= 0) {
            out->items[out->n++] = *next;
            at++;
        } else if (*state == REACH_SAMPLE) {
            out->items[out->n++] = name_sample(reach, kept);
        } else {
            break;
        }
        if (order >= 0 && *state == REACH_SAMPLE) {
            err = reach_next(reach, kept, state);
        }
    }
    return err;
}

enum err raw_samples_read(struct web *web, struct raw_samples *raw,
                          const struct sample_filter *filter, struct raw_page *out)
{
    struct sample_filter one_more = *filter;
    struct sample_list stored;
    struct reach_sample kept = { 0 };
    enum reach_state state = REACH_END;
    bool is_any = false;

    one_more.limit = filter->limit + 1;
    enum err err = begin_reach(web, raw, filter, &is_any);
    if (err == OK) {
        err = sample_list(web->tx, &one_more, &stored);
    }
    if (err == OK && may_be_archived(filter)) {
        err = reach_check_dropped(web->tx, true);
    }
    if (err != OK) {
        return err;
    }
    *out = (struct raw_page){ .items = stored.items, .n = stored.n };
    if (is_any) {
        out->n = 0;
        out->items = arena_array(web->op->arena, (size_t)one_more.limit, sizeof *out->items);
        err = out->items ? merge(raw->reach, &stored, one_more.limit, out, &kept, &state)
                         : fail_memory(web->op);
    }
    out->is_more = out->n > filter->limit || state == REACH_LATE;
    if (out->n > filter->limit) {
        out->n = filter->limit;
        state = REACH_SAMPLE;
    }
    if (state == REACH_LATE) {
        out->end_us = kept.time_us;
        out->end_series = kept.series_id;
    } else if (out->n > 0) {
        out->end_us = out->items[out->n - 1].time_us;
        out->end_series = out->items[out->n - 1].series_id;
    }
    return err;
}

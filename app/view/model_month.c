/* Words and bars for two months. Called by the overview's model. */
#include "view/model_month.h"

#include <math.h>

static const char *const month_names[12] = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December",
};

static const char *name_of(const struct zone *zone, const struct month_part *part)
{
    return month_names[format_local(zone, part->from_us + US_PER_DAY / 2).month - 1];
}

/* "1–20 November" */
static const char *span_of(struct arena *arena, const struct zone *zone,
                           const struct month_part *part)
{
    if (part->n_days == 1) {
        return arena_printf(arena, "1 %s", name_of(zone, part));
    }
    return arena_printf(arena, "1–%d %s", part->n_days, name_of(zone, part));
}

static struct side_view side_of(struct arena *arena, const struct zone *zone,
                                const struct month_part *part, double most)
{
    return (struct side_view){
        .label = span_of(arena, zone, part),
        .value = format_join(arena, format_figure_beside(arena, part->used, "kWh", most)),
        .percent = most > 0 ? 100 * part->used / most : 0,
    };
}

/* What the comparison comes to; the month before is known on all of its days. */
static const char *verdict_of(struct arena *arena, const struct month *month, const char *name)
{
    double share = month->same.used / month->before.used - 1;
    if (!isfinite(share)) {
        return arena_printf(arena, "Nothing was used on the same days of %s", name);
    }
    if (fabs(share) < 0.005) {
        return arena_printf(arena, "As much as on the same days of %s", name);
    }
    return arena_printf(arena, "%s %s than on the same days of %s",
                        format_share(arena, fabs(share)), share < 0 ? "less" : "more", name);
}

static void compare(struct arena *arena, const struct zone *zone, const struct month *month,
                    const char *name, struct month_view *out)
{
    const struct month_part *same = &month->same, *before = &month->before;
    if (same->n_days == 0 || same->n_known == 0 || before->n_known == 0) {
        return;
    }
    if (before->n_known < before->n_days || same->n_known < same->n_days) {
        const struct month_part *thin = before->n_known < before->n_days ? before : same;
        out->verdict = arena_printf(arena, "Not compared: %s was measured on %d of %d days",
                                    span_of(arena, zone, thin), thin->n_known, thin->n_days);
        return;
    }
    double most = fmax(same->used, before->used);
    out->is_compared = true;
    out->here = side_of(arena, zone, same, most);
    out->there = side_of(arena, zone, before, most);
    out->verdict = verdict_of(arena, month, name);
}

static const char *whole_of(struct arena *arena, const struct month_part *whole, const char *name)
{
    if (isnan(whole->used)) {
        return NULL;
    }
    double most = fmax(whole->used, whole->generated);
    const char *used = format_join(arena, format_figure_beside(arena, whole->used, "kWh", most));
    if (isnan(whole->generated)) {
        return arena_printf(arena, "%s in all: %s used", name, used);
    }
    struct figure generated = format_figure_beside(arena, whole->generated, "kWh", most);
    return arena_printf(arena, "%s in all: %s used, %s generated", name, used,
                        format_join(arena, generated));
}

struct month_view month_view(struct arena *arena, const struct zone *zone,
                             const struct month *month)
{
    const struct month_part *so_far = &month->so_far;
    const char *before = name_of(zone, &month->whole);
    double most = fmax(so_far->used, so_far->generated);
    struct month_view out = {
        .is_known = !isnan(so_far->used) || !isnan(so_far->generated),
        .has_generation = !isnan(so_far->generated),
        .name = name_of(zone, so_far),
        .span = span_of(arena, zone, so_far),
        .used = format_figure_beside(arena, so_far->used, "kWh", most),
        .generated = format_figure_beside(arena, so_far->generated, "kWh", most),
        .before = whole_of(arena, &month->whole, before),
    };
    compare(arena, zone, month, before, &out);
    return out;
}

/* Ticks of value and time axes. Pure arithmetic: the zone's rules come with it. */
#include "view/ticks.h"

#include "view/format.h"

#include <math.h>

/* ---- values ---- */

static double nice_step(double span, int target)
{
    double rough = span / target;
    double power = pow(10, floor(log10(rough)));
    double lead = rough / power;
    /* The borders are the geometric means of neighbours: the nearest step in proportion. */
    double nice = lead < sqrt(2) ? 1 : lead < sqrt(10) ? 2 : lead < sqrt(50) ? 5 : 10;
    return nice * power;
}

static int step_decimals(double step)
{
    int decimals = (int)-floor(log10(step) + 1e-9);
    return decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
}

struct scale scale_nice(double least, double most, int target, bool is_from_zero)
{
    if (!isfinite(least) || !isfinite(most)) {
        least = most = 0;
    }
    if (is_from_zero) {
        least = fmin(least, 0);
        most = fmax(most, 0);
    }
    if (most - least <= fabs(most) * 1e-9) {
        double around = most == 0 ? 1 : fabs(most) * 0.1;
        most += around;
        least = is_from_zero || least == 0 ? fmin(least, 0) : least - around;
    }
    double step = nice_step(most - least, target);
    double first = floor(least / step + 1e-9), last = ceil(most / step - 1e-9);
    return (struct scale){
        .least = first * step,
        .most = last * step,
        .step = step,
        .n = (int)(last - first) + 1,
        .decimals = step_decimals(step),
    };
}

double scale_value(const struct scale *scale, int i)
{
    return (rint(scale->least / scale->step) + i) * scale->step;
}

/* ---- times ---- */

static const int64_t steps_us[] = {
    15 * US_PER_MINUTE, 30 * US_PER_MINUTE, US_PER_HOUR, 2 * US_PER_HOUR, 3 * US_PER_HOUR,
    6 * US_PER_HOUR, 12 * US_PER_HOUR, US_PER_DAY, 2 * US_PER_DAY, 7 * US_PER_DAY,
    14 * US_PER_DAY, 28 * US_PER_DAY, 84 * US_PER_DAY, 364 * US_PER_DAY,
};
#define N_STEPS (sizeof steps_us / sizeof *steps_us)
#define MONDAY_US (4 * US_PER_DAY) /* 1970-01-05: weeks are counted from it */

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Which step a local time lies in. */
static int64_t step_index(int64_t local_us, int64_t step_us)
{
    return floor_div(step_us > US_PER_DAY ? local_us - MONDAY_US : local_us, step_us);
}

static int64_t step_start(int64_t index, int64_t step_us)
{
    return index * step_us + (step_us > US_PER_DAY ? MONDAY_US : 0);
}

static const char *tick_label(struct arena *arena, const struct zone *zone, int64_t time_us,
                              int64_t step_us, bool is_day)
{
    struct clock_fields at = format_local(zone, time_us);
    if (step_us < US_PER_DAY && !is_day) {
        return arena_printf(arena, "%02d:%02d", at.hour, at.minute);
    }
    if (step_us < US_PER_DAY) {
        return format_day(arena, zone, time_us);
    }
    return arena_printf(arena, "%d %s", at.day, format_months[at.month - 1]);
}

/* The ticks of one span of constant offset, [from_us, to_us]. A local midnight that the change
 * of offset jumped over begins its day at the span's start. */
static int add_span(struct arena *arena, const struct zone *zone, int64_t step_us, int64_t from_us,
                    int64_t to_us, bool is_after_change, int n, struct tick out[TICKS_MAX])
{
    int64_t offset_us = zone_offset_at(zone, from_us) * US_PER_SECOND;
    int64_t local_us = step_start(step_index(from_us + offset_us - 1, step_us) + 1, step_us);
    if (is_after_change && step_us >= US_PER_DAY) {
        int64_t before_us = from_us - 1 + zone_offset_at(zone, from_us - 1) * US_PER_SECOND;
        if (step_index(before_us, step_us) < step_index(from_us + offset_us, step_us)) {
            local_us = from_us + offset_us;
        }
    }
    while (local_us - offset_us <= to_us && n < TICKS_MAX) {
        int64_t time_us = local_us - offset_us;
        int64_t day = floor_div(local_us, US_PER_DAY);
        bool is_day = day * US_PER_DAY == local_us || step_us >= US_PER_DAY;
        int64_t seen_us = n == 0 ? INT64_MIN : out[n - 1].time_us;
        bool is_same_day = n > 0 && is_day &&
            floor_div(seen_us + zone_offset_at(zone, seen_us) * US_PER_SECOND, US_PER_DAY) == day;
        if (!is_same_day || step_us < US_PER_DAY) {
            out[n] = (struct tick){ .time_us = time_us, .is_day = is_day };
            out[n++].label = tick_label(arena, zone, time_us, step_us, is_day);
        }
        local_us = step_start(step_index(local_us, step_us) + 1, step_us);
    }
    return n;
}

int ticks_time(struct arena *arena, const struct zone *zone, int64_t from_us, int64_t to_us,
               int target, struct tick out[TICKS_MAX])
{
    size_t i = 0;
    while (i + 1 < N_STEPS && (to_us - from_us) / steps_us[i] > target) {
        i++;
    }
    int64_t step_us = steps_us[i];
    int n = 0;
    int64_t start_us = from_us;
    for (int z = 0; z < zone->n_offsets; z++) {
        int64_t change_us = zone->offsets[z].from_us;
        if (change_us > start_us && change_us <= to_us && z > 0) {
            n = add_span(arena, zone, step_us, start_us, change_us - 1, start_us > from_us, n, out);
            start_us = change_us;
        }
    }
    n = add_span(arena, zone, step_us, start_us, to_us, start_us > from_us, n, out);
    /* Every other one can go; days stay. */
    bool is_minor = false;
    for (int t = 0; t < n; t++) {
        out[t].is_minor = is_minor && !(out[t].is_day && step_us < US_PER_DAY);
        is_minor = !out[t].is_minor;
    }
    return n;
}

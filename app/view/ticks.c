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

/* The ticks being made. */
struct tick_list {
    struct arena *arena;
    const struct zone *zone;
    int64_t step_us;
    struct tick *out;
    int n;
};

static int64_t local_time(const struct tick_list *list, int64_t time_us)
{
    return time_us + zone_offset_at(list->zone, time_us) * US_PER_SECOND;
}

/* True where the local clock shows a time that it shows twice: it was set back around then. */
static bool is_repeated(const struct zone *zone, int64_t time_us)
{
    for (int z = 1; z < zone->n_offsets; z++) {
        int64_t back_s = zone->offsets[z - 1].offset_s - zone->offsets[z].offset_s;
        int64_t back_us = back_s * US_PER_SECOND;
        int64_t away_us = time_us - zone->offsets[z].from_us;
        if (back_us > 0 && away_us >= -back_us && away_us < back_us) {
            return true;
        }
    }
    return false;
}

static const char *clock_label(const struct tick_list *list, int64_t time_us)
{
    const char *clock = format_clock(list->arena, list->zone, time_us);
    if (clock == NULL || !is_repeated(list->zone, time_us)) {
        return clock;
    }
    const char *offset = format_offset(list->arena, zone_offset_at(list->zone, time_us));
    return offset == NULL ? NULL : arena_printf(list->arena, "%s %s", clock, offset);
}

static const char *tick_label(const struct tick_list *list, int64_t time_us, bool is_day)
{
    struct clock_fields at = format_local(list->zone, time_us);
    if (list->step_us >= US_PER_DAY) {
        return arena_printf(list->arena, "%d %s", at.day, format_months[at.month - 1]);
    }
    return is_day ? format_day(list->arena, list->zone, time_us) : clock_label(list, time_us);
}

/* Adds a tick, but no second one for the day of a clock that was set back over midnight. */
static void add_tick(struct tick_list *list, int64_t time_us, int64_t local_us)
{
    int64_t day = floor_div(local_us, US_PER_DAY);
    bool is_day = day * US_PER_DAY == local_us || list->step_us >= US_PER_DAY;
    if (list->step_us >= US_PER_DAY && list->n > 0 &&
        floor_div(local_time(list, list->out[list->n - 1].time_us), US_PER_DAY) == day) {
        return;
    }
    list->out[list->n++] = (struct tick){
        .time_us = time_us,
        .label = tick_label(list, time_us, is_day),
        .is_day = is_day,
        .is_minor = step_index(local_us, list->step_us) % 2 != 0,
    };
}

/* The ticks of a span of constant offset, [from_us, to_us]. `is_changed`: the clock was set at
 * its start; a local midnight that was jumped over then begins its day there. */
static void add_span(struct tick_list *list, int64_t from_us, int64_t to_us, bool is_changed)
{
    int64_t step_us = list->step_us;
    int64_t start_us = local_time(list, from_us), offset_us = start_us - from_us;
    int64_t local_us = step_start(step_index(start_us - 1, step_us) + 1, step_us);
    if (is_changed && step_us >= US_PER_DAY &&
        step_index(local_time(list, from_us - 1), step_us) < step_index(start_us, step_us)) {
        local_us = start_us;
    }
    while (local_us - offset_us <= to_us && list->n < TICKS_MAX) {
        add_tick(list, local_us - offset_us, local_us);
        local_us = step_start(step_index(local_us, step_us) + 1, step_us);
    }
}

int ticks_time(struct arena *arena, const struct zone *zone, int64_t from_us, int64_t to_us,
               int target, struct tick out[TICKS_MAX])
{
    size_t i = 0;
    while (i + 1 < N_STEPS && (to_us - from_us) / steps_us[i] > target) {
        i++;
    }
    struct tick_list list = { arena, zone, steps_us[i], out, 0 };
    int64_t start_us = from_us;
    for (int z = 1; z < zone->n_offsets; z++) {
        int64_t change_us = zone->offsets[z].from_us;
        if (change_us > start_us && change_us <= to_us) {
            add_span(&list, start_us, change_us - 1, start_us > from_us);
            start_us = change_us;
        }
    }
    add_span(&list, start_us, to_us, start_us > from_us);
    /* So few have room on a phone. */
    for (int t = 0; t < list.n && list.n <= TICKS_FEW; t++) {
        out[t].is_minor = false;
    }
    return list.n;
}

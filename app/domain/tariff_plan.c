/* Compiles rate schedules and answers by their calendar. Called by rating, and by pages that show a
 * schedule. */
#include "domain/tariff_plan.h"

#include "base/clock.h"
#include "domain/tariff_expand.h"

#define FIRST_YEAR 1970
#define LAST_YEAR 2199
#define HOLIDAY_DAYS 84006 /* of these years */
#define HOLIDAY_CLASS 7
#define NO_ROW (-1)
#define NEAR_DAYS 14 /* a start given by date replaces the regular ones so near to it */

struct tariff_plan {
    const struct tariff *tariff;
    uint8_t seasons[TARIFF_DATES];
    uint64_t *holidays; /* a bit a day; NULL: none */
    const struct tariff_day_plan *days[TARIFF_USES][TARIFF_MAX_SEASONS][TARIFF_DAY_CLASSES];
    int16_t *rows; /* by charge, season and period */
};

/* ---- compiling ---- */

static bool compile_holidays(struct arena *arena, struct tariff_plan *plan)
{
    const struct tariff *tariff = plan->tariff;
    int64_t day;

    if (tariff->n_holidays == 0) {
        return true;
    }
    plan->holidays = arena_array(arena, HOLIDAY_DAYS / 64 + 1, sizeof *plan->holidays);
    for (int year = FIRST_YEAR; plan->holidays && year <= LAST_YEAR; year++) {
        for (int i = 0; i < tariff->n_holidays; i++) {
            if (tariff_holiday_in(&tariff->holidays[i], year, &day) && day >= 0 &&
                day < HOLIDAY_DAYS) {
                plan->holidays[day / 64] |= UINT64_C(1) << (day % 64);
            }
        }
    }
    return plan->holidays != NULL;
}

/* The stretches of one period in `periods`. */
static struct tariff_day_plan *compile_day(struct arena *arena,
                                           const uint8_t periods[MINUTES_PER_DAY])
{
    struct tariff_day_plan *day = arena_alloc(arena, sizeof *day);
    int n = 1;

    for (int minute = 1; minute < MINUTES_PER_DAY; minute++) {
        n += periods[minute] != periods[minute - 1];
    }
    struct tariff_segment *segments = arena_array(arena, (size_t)n, sizeof *segments);
    if (!day || !segments) {
        return NULL;
    }
    int last = 0;
    for (int minute = 0; minute < MINUTES_PER_DAY; minute++) {
        if (minute > 0 && periods[minute] != periods[minute - 1]) {
            segments[++last].from = (uint16_t)minute;
        }
        segments[last].period = periods[minute];
        segments[last].to = (uint16_t)(minute + 1);
        if (minute % 15 == 0) {
            day->at_quarter[minute / 15] = (uint16_t)last;
        }
    }
    day->segments = segments;
    day->n_segments = n;
    return day;
}

/* A plan that was made before and is the same, or a new one. */
static bool compile_class(struct arena *arena, struct tariff_plan *plan, int use, int season,
                          int class)
{
    uint8_t periods[MINUTES_PER_DAY], other[MINUTES_PER_DAY];

    tariff_expand_day(plan->tariff, (enum tariff_use)use, season, class, periods);
    for (int i = class - 1; i >= 0; i--) {
        tariff_expand_day(plan->tariff, (enum tariff_use)use, season, i, other);
        if (memcmp(periods, other, sizeof periods) == 0) {
            plan->days[use][season][class] = plan->days[use][season][i];
            return true;
        }
    }
    plan->days[use][season][class] = compile_day(arena, periods);
    return plan->days[use][season][class] != NULL;
}

static bool compile_days(struct arena *arena, struct tariff_plan *plan)
{
    const struct tariff *tariff = plan->tariff;
    bool is_done = true;

    for (int use = 0; is_done && use < TARIFF_USES; use++) {
        bool is_own = use == TARIFF_IMPORT || tariff->windows[use].n > 0;
        for (int season = 0; is_done && season < tariff->n_seasons; season++) {
            if (!is_own) {
                memcpy(plan->days[use][season], plan->days[TARIFF_IMPORT][season],
                       sizeof plan->days[use][season]);
                continue;
            }
            for (int class = 0; is_done && class < TARIFF_DAY_CLASSES; class++) {
                is_done = compile_class(arena, plan, use, season, class);
            }
        }
    }
    return is_done;
}

static int16_t *row_of(const struct tariff_plan *plan, int charge, int season, int period)
{
    const struct tariff *tariff = plan->tariff;
    return &plan->rows[(charge * tariff->n_seasons + season) * tariff->n_periods + period];
}

/* The last row that matches. */
static int16_t find_row(const struct tariff_charge *charge, int season, int period)
{
    for (int i = charge->n_prices - 1; i >= 0; i--) {
        const struct tariff_price *price = &charge->prices[i];
        if ((price->season == TARIFF_ANY || price->season == season) &&
            (price->period == TARIFF_ANY || price->period == period)) {
            return (int16_t)i;
        }
    }
    return NO_ROW;
}

static bool compile_rows(struct arena *arena, struct tariff_plan *plan)
{
    const struct tariff *tariff = plan->tariff;
    size_t n = (size_t)tariff->n_charges * (size_t)tariff->n_seasons * (size_t)tariff->n_periods;

    plan->rows = arena_array(arena, n + 1, sizeof *plan->rows);
    for (int i = 0; plan->rows && i < tariff->n_charges; i++) {
        for (int season = 0; season < tariff->n_seasons; season++) {
            for (int period = 0; period < tariff->n_periods; period++) {
                *row_of(plan, i, season, period) = find_row(&tariff->charges[i], season, period);
            }
        }
    }
    return plan->rows != NULL;
}

const struct tariff_plan *tariff_compile(struct arena *arena, const struct tariff *tariff)
{
    struct tariff_plan *plan = arena_alloc(arena, sizeof *plan);

    if (!plan) {
        return NULL;
    }
    plan->tariff = tariff;
    tariff_expand_seasons(tariff, plan->seasons);
    bool is_done = compile_holidays(arena, plan) && compile_days(arena, plan) &&
                   compile_rows(arena, plan);
    return is_done ? plan : NULL;
}

/* ---- answering ---- */

const struct tariff *tariff_of(const struct tariff_plan *plan)
{
    return plan->tariff;
}

int tariff_season_on(const struct tariff_plan *plan, int64_t day)
{
    return plan->seasons[tariff_date_of(day)];
}

bool tariff_is_holiday(const struct tariff_plan *plan, int64_t day)
{
    return plan->holidays && day >= 0 && day < HOLIDAY_DAYS &&
           (plan->holidays[day / 64] >> (day % 64) & 1);
}

const struct tariff_day_plan *tariff_class_plan(const struct tariff_plan *plan, enum tariff_use use,
                                                int season, int class)
{
    return plan->days[use][season][class];
}

const struct tariff_day_plan *tariff_day_plan(const struct tariff_plan *plan, enum tariff_use use,
                                              int64_t day)
{
    int class = tariff_is_holiday(plan, day) ? HOLIDAY_CLASS : tariff_weekday_of(day);

    return tariff_class_plan(plan, use, tariff_season_on(plan, day), class);
}

int tariff_segment_at(const struct tariff_day_plan *day, int minute)
{
    int segment = day->at_quarter[minute / 15];

    while (day->segments[segment].to <= minute) {
        segment++;
    }
    return segment;
}

int tariff_period_at(const struct tariff_plan *plan, enum tariff_use use, int64_t day, int minute)
{
    const struct tariff_day_plan *of_day = tariff_day_plan(plan, use, day);

    return of_day->segments[tariff_segment_at(of_day, minute)].period;
}

const struct tariff_price *tariff_price_in(const struct tariff_plan *plan, int charge, int season,
                                           int period)
{
    int row = *row_of(plan, charge, season, period);

    return row == NO_ROW ? NULL : &plan->tariff->charges[charge].prices[row];
}

/* ---- billing cycles ---- */

static bool is_regular_start(const struct tariff *tariff, int64_t day)
{
    struct clock_fields fields = clock_split(day * US_PER_DAY);
    bool is_last = clock_split((day + 1) * US_PER_DAY).day == 1;

    return fields.day == tariff->billing_day || (is_last && fields.day < tariff->billing_day);
}

bool tariff_is_cycle_start(const struct tariff *tariff, int64_t day)
{
    int n = tariff->n_billing_days;

    if (n == 0 || day < tariff->billing_days[0] - NEAR_DAYS ||
        day > tariff->billing_days[n - 1] + NEAR_DAYS) {
        return is_regular_start(tariff, day);
    }
    for (int i = 0; i < n; i++) {
        if (tariff->billing_days[i] == day) {
            return true;
        }
    }
    return false;
}

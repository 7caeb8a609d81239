/* A rate schedule compiled: which period a local minute belongs to, and what a kWh costs in it, in
 * constant time. Made once from a tariff, never changed: threads may share it. */
#ifndef TIDEMARK_DOMAIN_TARIFF_PLAN_H
#define TIDEMARK_DOMAIN_TARIFF_PLAN_H

#include "domain/tariff.h"

#define QUARTERS_PER_DAY 96

/* A stretch of a day in one period; the first begins at minute 0, the last ends at 1440. */
struct tariff_segment {
    uint16_t from, to; /* minutes of the local day, to exclusive */
    uint8_t period;
};

/* The segments of a class of days. */
struct tariff_day_plan {
    const struct tariff_segment *segments; /* ascending, without gaps */
    int n_segments;
    uint16_t at_quarter[QUARTERS_PER_DAY]; /* the segment in which each quarter hour begins */
};

struct tariff_plan; /* in the arena it was made in, with the tariff it points to */

/* NULL beyond the arena's cap. The tariff must live as long. */
const struct tariff_plan *tariff_compile(struct arena *arena, const struct tariff *tariff);
const struct tariff *tariff_of(const struct tariff_plan *plan);

/* ---- asked by local day (days since 1970) and minute of the day (0 to 1439) ---- */

int tariff_season_on(const struct tariff_plan *plan, int64_t day);
/* Holidays are known from 1970 to 2199. */
bool tariff_is_holiday(const struct tariff_plan *plan, int64_t day);
const struct tariff_day_plan *tariff_day_plan(const struct tariff_plan *plan, enum tariff_use use,
                                              int64_t day);
/* The same by season and class: 0 Monday … 6 Sunday, 7 holidays. */
const struct tariff_day_plan *tariff_class_plan(const struct tariff_plan *plan, enum tariff_use use,
                                                int season, int class);
/* The index of the segment that a minute lies in. */
int tariff_segment_at(const struct tariff_day_plan *day, int minute);
int tariff_period_at(const struct tariff_plan *plan, enum tariff_use use, int64_t day, int minute);

/* The row of a charge's prices that holds in a season and period; NULL: none (demand alone). */
const struct tariff_price *tariff_price_in(const struct tariff_plan *plan, int charge, int season,
                                           int period);

/* ---- billing cycles ---- */

/* Whether the schedule's cycles begin on the day. */
bool tariff_is_cycle_start(const struct tariff *tariff, int64_t day);

#endif

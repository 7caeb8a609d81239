/* A month's costs so far, beside the month before and the same month a year ago, and what they will
 * be at its end. Pure arithmetic over local days that were folded. Called by the page of costs and
 * by the overview.
 *
 * The forecast: days that are over count as they are. Each day that is left, today among them, is
 * taken to cost what the same day of the week cost on average in the last four weeks, of days that
 * are over, priced and without a gap; today at least what it costs already. What no other day is
 * like (cost_bucket.once) counts once, as it is now. Without seven such days, among them one of
 * each weekday that is left, there is no forecast.
 */
#ifndef TIDEMARK_DOMAIN_COST_OUTLOOK_H
#define TIDEMARK_DOMAIN_COST_OUTLOOK_H

#include "domain/cost_bucket.h"

/* A part of a month, from its first day on. */
struct cost_part {
    int64_t from_us;
    int n_days;          /* 0: none of it is known */
    struct money cost;
    bool is_whole;       /* nothing of it is missing or without a price */
};

struct cost_outlook {
    struct cost_part so_far;      /* today is its last day */
    struct cost_part over;        /* of it, the days that are over: none on the first */
    struct cost_part before;      /* as many days of the month before */
    struct cost_part year_ago;    /* and of the same month a year ago */
    struct cost_part last_month;  /* all of it */
    struct money today;
    bool has_today;               /* something of it is priced */
    bool has_forecast;
    struct money forecast;        /* of the whole month */
};

/* Days as buckets, ascending: `days` from the first of the month before on, today's the last;
 * `year_ago` those of the same month of the year before, or none. `zone` is that of the days. */
struct cost_outlook cost_outlook_of(const struct cost_buckets *days,
                                    const struct cost_buckets *year_ago, const struct zone *zone);

#endif

/* Adds up months and looks ahead. Called by the page of costs and by the overview. */
#include "domain/cost_outlook.h"

#include "domain/span.h"

#define WEEKDAYS 7
#define LOOK_BACK_DAYS 28
#define LEAST_DAYS 7 /* fewer say too little of a week */

/* Days of a month, from index `from` on. */
static struct cost_part part_of(const struct cost_buckets *days, int from, int n)
{
    struct cost_part part = { .is_whole = true };

    if (n <= 0 || from < 0 || from + n > days->n) {
        return (struct cost_part){ .n_days = 0 };
    }
    part.from_us = days->items[from].from_us;
    part.n_days = n;
    for (int i = from; i < from + n; i++) {
        part.cost = money_add(part.cost, days->items[i].cost);
        part.is_whole = part.is_whole && days->items[i].is_priced && days->items[i].is_final;
    }
    return part;
}

/* The local day of a bucket: at noon, for midnight may be missing. */
static int64_t day_of(const struct cost_bucket *bucket, const struct zone *zone)
{
    return span_day_of(zone, bucket->from_us + US_PER_DAY / 2);
}

static int weekday_of(int64_t day)
{
    return (int)(day - span_week_of(day));
}

/* What a day usually costs. */
struct usual {
    struct money sums[WEEKDAYS];
    int counts[WEEKDAYS];
    int n;
};

static struct usual usual_of(const struct cost_buckets *days, const struct zone *zone)
{
    struct usual usual = { .n = 0 };
    int from = days->n - 1 - LOOK_BACK_DAYS;

    for (int i = from < 0 ? 0 : from; i < days->n - 1; i++) {
        const struct cost_bucket *bucket = &days->items[i];
        int weekday = weekday_of(day_of(bucket, zone));
        if (bucket->is_priced && bucket->is_final) {
            struct money cost = money_subtract(bucket->cost, bucket->once);
            usual.sums[weekday] = money_add(usual.sums[weekday], cost);
            usual.counts[weekday]++;
            usual.n++;
        }
    }
    return usual;
}

/* Adds the days from today to the month's end to what is over. */
static bool look_ahead(const struct cost_buckets *days, const struct zone *zone,
                       struct cost_outlook *out)
{
    const struct cost_bucket *today = &days->items[days->n - 1];
    struct usual usual = usual_of(days, zone);
    int64_t day = day_of(today, zone), end = span_month_of(span_month_of(day) + 31);
    struct money so_far = money_subtract(today->cost, today->once);

    out->forecast = money_add(out->over.cost, today->once);
    for (int64_t at = day; at < end; at++) {
        int weekday = weekday_of(at);
        if (usual.counts[weekday] == 0) {
            return false;
        }
        struct money cost = money_share(usual.sums[weekday], 1, usual.counts[weekday]);
        bool is_more = at == day && money_compare(so_far, cost) > 0;
        out->forecast = money_add(out->forecast, is_more ? so_far : cost);
    }
    return usual.n >= LEAST_DAYS;
}

struct cost_outlook cost_outlook_of(const struct cost_buckets *days,
                                    const struct cost_buckets *year_ago, const struct zone *zone)
{
    struct cost_outlook out = { .has_forecast = false };

    if (days->n == 0) {
        return out;
    }
    const struct cost_bucket *today = &days->items[days->n - 1];
    int64_t day = day_of(today, zone);
    int n = (int)(day - span_month_of(day)) + 1;
    n = n < days->n ? n : days->n; /* of the month there may be less */
    int first = days->n - n;
    out.so_far = part_of(days, first, n);
    out.over = part_of(days, first, n - 1);
    out.last_month = part_of(days, 0, first);
    out.before = part_of(days, 0, n - 1 < first ? n - 1 : first);
    out.year_ago = part_of(year_ago, 0, n - 1 < year_ago->n ? n - 1 : year_ago->n);
    out.today = today->cost;
    out.has_today = today->is_priced;
    out.has_forecast = look_ahead(days, zone, &out);
    return out;
}

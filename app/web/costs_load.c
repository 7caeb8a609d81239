/* Loads buckets of costs and the month's outlook. Called by the page of costs and the overview. */
#include "web/costs_load.h"

#include "domain/span.h"

#define MAX_BUCKETS 100 /* 31 days, 25 hours; days of two months */

/* Buckets of the local days [from, to), up to today. */
static enum err load_days(struct web *web, const struct place *place, enum sample_bucket bucket,
                             int64_t from_day, int64_t to_day, struct cost_list *out)
{
    int64_t tomorrow = span_day_of(&place->zone, place->query.now_us) + 1;
    const struct cost_list_query query = {
        .costs = place->query,
        .bucket = bucket,
        .zone_name = place->zone_name,
        .from_us = span_day_start(&place->zone, from_day),
        .to_us = span_day_start(&place->zone, to_day < tomorrow ? to_day : tomorrow),
        .limit = MAX_BUCKETS,
    };

    return cost_list_load(web->tx, &query, out);
}

struct cost_buckets costs_part_of(const struct cost_buckets *all, const struct costs_facts *facts)
{
    int64_t from_us = span_day_start(&facts->zone, facts->from_day);
    int64_t to_us = span_day_start(&facts->zone, facts->to_day);
    int from = 0, to = all->n;

    while (from < to && all->items[from].from_us < from_us) {
        from++;
    }
    while (to > from && all->items[to - 1].from_us >= to_us) {
        to--;
    }
    return (struct cost_buckets){ all->items + from, to - from };
}

static void keep_currency(const struct cost_list *list, struct costs_facts *facts)
{
    if (list->currency) {
        facts->currency = list->currency;
        facts->decimals = list->decimals;
    }
}

enum err costs_load_outlook(struct web *web, const struct place *place, bool with_year_ago,
                            struct cost_list *days, struct costs_facts *facts)
{
    struct cost_list year_ago = { .currency = NULL };
    int64_t today = span_day_of(&place->zone, facts->now_us);
    int64_t month = span_month_of(today);
    int64_t before = span_month_of(month - 1);
    struct clock_fields fields = clock_split(month * US_PER_DAY);
    enum err err = load_days(web, place, SAMPLE_1D, before, today + 1, days);

    fields.year--;
    int64_t same = clock_join(&fields) / US_PER_DAY;
    if (err == OK && with_year_ago && today > month) {
        err = load_days(web, place, SAMPLE_1D, same, same + (today - month), &year_ago);
    }
    if (err == OK) {
        keep_currency(days, facts);
        facts->outlook = cost_outlook_of(&days->buckets, &year_ago.buckets, &facts->zone);
    }
    return err;
}

enum err costs_load_buckets(struct web *web, const struct place *place, struct costs_facts *facts,
                            struct cost_list *out)
{
    enum err err = load_days(web, place, cost_view_bucket(facts->view), facts->from_day,
                             facts->to_day, out);

    if (err == OK) {
        keep_currency(out, facts);
    }
    return err;
}

enum err costs_load_month(struct web *web, const struct place *place, struct costs_facts *facts)
{
    struct cost_list days;
    int64_t today = span_day_of(&place->zone, place->query.now_us);

    *facts = (struct costs_facts){
        .now_us = place->query.now_us,
        .zone = place->zone,
        .view = COSTS_MONTH,
        .from_day = span_month_of(today),
        .to_day = span_month_of(span_month_of(today) + 31),
    };
    enum err err = costs_load_outlook(web, place, false, &days, facts);
    if (err == OK) {
        facts->buckets = costs_part_of(&days.buckets, facts);
    }
    return err;
}

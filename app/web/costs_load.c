/* Loads buckets of costs and the month's outlook. Called by the page of costs and the overview. */
#include "web/costs_load.h"

#include "domain/span.h"

#include <string.h>

#define MAX_BUCKETS 100 /* 31 days, 25 hours; days of two months */
#define MAX_PAGES 4     /* of accounts that are too many to be rated at once, or of currencies */

static bool is_other(const struct cost_list *a, const struct cost_list *b)
{
    return a->currency && b->currency && strcmp(a->currency, b->currency) != 0;
}

/* Puts a page's buckets behind those that are there; of another currency in their place where
 * those of the last one will do. */
static enum err add_page(struct op *op, const struct cost_list *page, bool will_do,
                         struct cost_list *all)
{
    const size_t size = sizeof *page->buckets.items;
    size_t n = (size_t)all->buckets.n, n_more = (size_t)page->buckets.n;
    struct cost_bucket *items =
        arena_resize(op->arena, all->buckets.items, n * size, (n + n_more + 1) * size);

    if (!items) {
        return fail_memory(op);
    }
    if (is_other(all, page) && !will_do) {
        return fail(op, ERR_INVALID,
                    "These days are billed in different currencies, %s and %s: choose days of one "
                    "of them.", all->currency, page->currency);
    }
    n = is_other(all, page) ? 0 : n;
    memcpy(items + n, page->buckets.items, n_more * size);
    all->buckets = (struct cost_buckets){ items, (int)(n + n_more) };
    all->currency = page->currency ? page->currency : all->currency;
    all->decimals = page->currency ? page->decimals : all->decimals;
    all->next_us = page->next_us;
    return OK;
}

/* All of it, also where it takes several pages, of currencies or of so many that are billed. */
static enum err load_pages(struct web *web, struct cost_list_query *query, bool will_do,
                           struct cost_list *out)
{
    struct cost_list page;
    enum err err = cost_list_load(web->tx, query, out);

    for (int n = 1; err == OK && out->is_short && out->next_us < query->to_us; n++) {
        if (n == MAX_PAGES) {
            return fail(web->op, ERR_INVALID,
                        "So many devices are billed by themselves here that all these days are too "
                        "many to be worked out at once: choose a site or a device, or fewer days.");
        }
        query->from_us = out->next_us;
        err = cost_list_load(web->tx, query, &page);
        if (err == OK) {
            err = add_page(web->op, &page, will_do, out);
            out->is_short = page.is_short;
        }
    }
    return err;
}

/* Which buckets: of the local days [from, to). */
struct wanted {
    enum sample_bucket bucket;
    int64_t from_day, to_day;
    bool will_do; /* those of the last currency alone */
};

/* Up to today. */
static enum err load_days(struct web *web, const struct place *place, const struct wanted *wanted,
                          struct cost_list *out)
{
    int64_t to_day = wanted->to_day;
    int64_t tomorrow = span_day_of(&place->zone, place->query.now_us) + 1;
    struct cost_list_query query = {
        .costs = place->query,
        .bucket = wanted->bucket,
        .zone_name = place->zone_name,
        .from_us = span_day_start(&place->zone, wanted->from_day),
        .to_us = span_day_start(&place->zone, to_day < tomorrow ? to_day : tomorrow),
        .limit = MAX_BUCKETS,
    };

    return load_pages(web, &query, wanted->will_do, out);
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
    const struct wanted recent = { SAMPLE_1D, before, today + 1, true };
    enum err err = load_days(web, place, &recent, days);

    fields.year--;
    int64_t same = clock_join(&fields) / US_PER_DAY;
    if (err == OK && with_year_ago && today > month) {
        const struct wanted earlier = { SAMPLE_1D, same, same + (today - month), true };
        err = load_days(web, place, &earlier, &year_ago);
    }
    if (err == OK && is_other(days, &year_ago)) {
        year_ago.buckets.n = 0;
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
    const struct wanted wanted = { cost_view_bucket(facts->view), facts->from_day, facts->to_day,
                                   false };
    enum err err = load_days(web, place, &wanted, out);

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

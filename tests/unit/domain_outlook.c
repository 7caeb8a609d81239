/* domain/cost_outlook: this month so far, beside the one before and a year ago, and what it will come
 * to. Amounts by hand. */
#include "domain/cost_outlook.h"

#include "tap.h"

#define WEDNESDAY_1_JULY INT64_C(20635) /* 2026-07-01, days since 1970 */
#define MAX_DAYS 62

static const struct zone utc = { "UTC", (const struct zone_offset[]){ { INT64_MIN, 0 } }, 1 };

static struct cost_bucket items[MAX_DAYS], others[MAX_DAYS];

/* `n` days from one on, each of so many units of the currency. */
static struct cost_buckets days_of(struct cost_bucket *out, int64_t day, int n, int units)
{
    for (int i = 0; i < n; i++) {
        out[i] = (struct cost_bucket){
            .from_us = (day + i) * US_PER_DAY,
            .to_us = (day + i + 1) * US_PER_DAY,
            .cost = money_of_nano(units * NANO),
            .is_known = true,
            .is_priced = true,
            .is_final = true,
        };
    }
    return (struct cost_buckets){ out, n };
}

static void is_money(struct money got, const char *expected, const char *name)
{
    char text[MONEY_TEXT_SIZE];

    is_str(money_format(got, 2, text), expected, "%s", name);
}

/* July from the first, August until the 13th, a Thursday that is not over. */
static struct cost_buckets summer(void)
{
    struct cost_buckets days = days_of(items, WEDNESDAY_1_JULY, 31 + 13, 3);

    for (int i = 0; i < days.n; i++) {
        bool is_sunday = (WEDNESDAY_1_JULY + i - 3) % 7 == 0; /* 4 January 1970 was one */
        items[i].cost = money_of_nano((is_sunday ? 10 : 3) * NANO);
    }
    items[days.n - 1].cost = money_of_nano(NANO / 2);
    items[days.n - 1].is_final = false;
    return days;
}

int main(void)
{
    const struct cost_buckets none = { NULL, 0 };
    struct cost_buckets days = summer();
    struct cost_buckets year_ago = days_of(others, WEDNESDAY_1_JULY - 334, 12, 2);
    struct cost_outlook out = cost_outlook_of(&days, &year_ago, &utc);

    /* 1 to 12 August: 10 days of 3, Sundays the 2nd and 9th of 10 */
    is_int(out.over.n_days, 12, "twelve days of August are over");
    is_money(out.over.cost, "50.00", "they cost 10 * 3 + 2 * 10");
    is_money(out.so_far.cost, "50.50", "with today so far");
    /* 1 to 12 July: Sundays the 5th and 12th */
    is_money(out.before.cost, "50.00", "as many days of July");
    is_money(out.last_month.cost, "121.00", "all of July: 27 * 3 + 4 * 10");
    is_money(out.year_ago.cost, "24.00", "as many a year ago: 12 * 2");
    /* 13 to 31 August: 19 days, Sundays the 16th, 23rd and 30th: 16 * 3 + 3 * 10 = 78 */
    ok(out.has_forecast, "there is a forecast");
    is_money(out.forecast, "128.00", "days that are over, and each to come as its weekday was");

    items[days.n - 1].cost = money_of_nano(7 * NANO);
    is_money(cost_outlook_of(&days, &year_ago, &utc).forecast, "132.00",
             "today counts as it is where that is more: 4 more than 3");
    items[days.n - 1].cost = money_of_nano(NANO / 2);

    items[days.n - 2].cost = money_of_nano(103 * NANO);
    items[days.n - 2].once = money_of_nano(100 * NANO);
    is_money(cost_outlook_of(&days, &year_ago, &utc).forecast, "228.00",
             "what is charged once is not expected of other days");
    items[days.n - 2].is_final = false;
    items[days.n - 2].cost = money_of_nano(0);
    items[days.n - 2].once = money_of_nano(0);
    is_money(cost_outlook_of(&days, &year_ago, &utc).forecast, "125.00",
             "a day with a gap says nothing of others, and counts as it is");
    ok(!cost_outlook_of(&days, &none, &utc).over.is_whole, "and the days are not whole");

    for (int i = 0; i < days.n; i++) {
        items[i].is_priced = i >= days.n - 6;
    }
    ok(!cost_outlook_of(&days, &none, &utc).has_forecast, "five days foretell nothing");
    days = days_of(items, WEDNESDAY_1_JULY, 32, 1);
    out = cost_outlook_of(&days, &none, &utc);
    is_int(out.over.n_days, 0, "on the first nothing is over");
    is_money(out.forecast, "31.00", "but the month before foretells it");
    is_int(cost_outlook_of(&none, &none, &utc).so_far.n_days, 0, "of nothing there is nothing");
    return done_testing();
}

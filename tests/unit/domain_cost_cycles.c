/* Which days are rated together: those of one currency and one time zone, whatever else of their
 * schedules differs; and which of them a bill is of. */
#include "domain/cost_parts.h"
#include "domain/span.h"
#include "domain/tariff_read.h"

#include "tap.h"

static struct arena *arena;

static int64_t day_of(const char *text)
{
    int64_t day = 0;

    if (!span_day_parse(str_of(text), &day)) {
        diag("no day: %s", text);
    }
    return day;
}

/* A schedule in force on [from, to), billed from the 15th to the 14th. */
struct then {
    const char *zone, *currency, *from, *to;
};

static struct cost_rates rates_of(const struct then *items, int n)
{
    struct rating_version *versions = arena_array(arena, (size_t)n + 1, sizeof *versions);
    struct problems problems;

    for (int i = 0; versions && i < n; i++) {
        const char *text = arena_printf(
            arena,
            "{\"name\":\"x\",\"timezone\":\"%s\",\"currency\":\"%s\",\"billing\":{\"day\":15},"
            "\"charges\":[{\"type\":\"energy\",\"rate\":\"1\"}]}",
            items[i].zone, items[i].currency);
        problems_init(&problems, arena);
        const struct tariff *tariff = tariff_read(arena, str_of(text), &problems);
        ok(tariff != NULL, "%s, %s", items[i].zone, items[i].currency);
        versions[i] = (struct rating_version){ .plan = tariff_compile(arena, tariff),
                                               .from_day = day_of(items[i].from),
                                               .to_day = day_of(items[i].to) };
    }
    return (struct cost_rates){ .versions = versions, .n = n };
}

static void is_day(int64_t day, const char *expected, const char *what)
{
    is_str(span_day_text(arena, day), expected, "%s", what);
}

/* From December's cycle on; the next begins on 15 January. */
static void check(const char *what, const struct then *items, int n, const char *change)
{
    const struct cost_rates rates = rates_of(items, n);
    int64_t from_day = day_of("2022-12-15"), to_day = day_of("2023-01-15");

    diag("%s", what);
    is_day(cost_same_until(&rates, from_day, to_day), change ? change : "2023-01-15",
           "the cycle's first days are of one until then");
    is_day(cost_same_since(&rates, from_day, to_day - 1, to_day), change ? change : "2022-12-15",
           "its last days since then");
    is_day(cost_bill_since(&rates, to_day), change ? change : "2022-12-15", "as its last bill is");
    is_day(cost_bill_until(&rates, from_day), change ? change : "2023-01-15", "and its first one");
    is_day(cost_bill_since(&rates, change ? day_of(change) : to_day), "2022-12-15",
           "which begins with the cycle");
    is_day(cost_bill_until(&rates, to_day), "2023-02-15", "the next cycle is whole");
}

int main(void)
{
    static const struct then prices[] = {
        { "Europe/Berlin", "EUR", "2022-01-01", "2023-01-01" },
        { "Europe/Berlin", "EUR", "2023-01-01", "2024-01-01" },
    };
    static const struct then currencies[] = {
        { "Europe/Berlin", "CHF", "2022-01-01", "2023-01-01" },
        { "Europe/Berlin", "EUR", "2023-01-01", "2024-01-01" },
    };
    static const struct then zones[] = {
        { "Europe/Berlin", "EUR", "2022-01-01", "2023-01-01" },
        { "Europe/London", "EUR", "2023-01-01", "2024-01-01" },
    };
    static const struct then apart[] = {
        { "Europe/Berlin", "EUR", "2022-01-01", "2022-12-20" },
        { "Europe/London", "EUR", "2023-01-01", "2024-01-01" },
    };
    static const struct then ended[] = {
        { "Europe/Berlin", "CHF", "2022-01-01", "2022-12-20" },
        { "Europe/Berlin", "EUR", "2022-12-20", "2023-01-01" },
    };

    arena = arena_new(16 << 20);
    check("another price is no change", prices, 2, NULL);
    check("another currency", currencies, 2, "2023-01-01");
    check("another zone", zones, 2, "2023-01-01");
    const struct cost_rates with_gap = rates_of(apart, 2), without_end = rates_of(ended, 2);
    is_day(cost_bill_since(&with_gap, day_of("2023-01-15")), "2022-12-20",
           "days without a schedule go with those behind them");
    is_day(cost_bill_since(&without_end, day_of("2023-01-01")), "2022-12-20",
           "a bill is of what the last day is billed in");
    is_day(cost_bill_since(&without_end, day_of("2023-01-15")), "2023-01-01",
           "where none is in force any more, of a month");
    arena_free(arena);
    return done_testing();
}

/* domain/span: local days across the days on which clocks change in 2026 (offsets of the IANA
 * database), spans by words and dates, buckets for them. Worked out by hand. */
#include "domain/span.h"

#include "tap.h"

#include <stdlib.h>

#define HOUR 3600

static int64_t at(const char *text)
{
    int64_t time_us;
    if (!clock_parse_rfc3339(str_of(text), &time_us)) {
        diag("no time: %s", text);
        abort();
    }
    return time_us;
}

static int64_t day(const char *text)
{
    int64_t out = 0;
    ok(span_day_parse(str_of(text), &out), "%s is a date", text);
    return out;
}

/* Los Angeles goes back on 1 November at 09:00 UTC; Cairo skips the midnight of 24 April; in
 * Havana midnight occurs twice on 1 November. */
static struct zone_offset los_angeles[2], cairo[2], havana[2];
static struct zone la = { "America/Los_Angeles", los_angeles, 2 };
static const struct zone utc = { "UTC", NULL, 0 };

static void set_zones(void)
{
    los_angeles[0] = (struct zone_offset){ at("2026-03-08T10:00:00Z"), -7 * HOUR };
    los_angeles[1] = (struct zone_offset){ at("2026-11-01T09:00:00Z"), -8 * HOUR };
    cairo[0] = (struct zone_offset){ at("2026-01-01T00:00:00Z"), 2 * HOUR };
    cairo[1] = (struct zone_offset){ at("2026-04-23T22:00:00Z"), 3 * HOUR };
    havana[0] = (struct zone_offset){ at("2026-04-01T00:00:00Z"), -4 * HOUR };
    havana[1] = (struct zone_offset){ at("2026-11-01T05:00:00Z"), -5 * HOUR };
}

static void check_dates(void)
{
    static const char *const wrong[] = {
        "", "2026-11-31", "2026-1-1", "20261101", "2026-11-01T00:00:00Z", "1969-12-31", "9999-01-01",
        "2026/11/01", "-026-11-01",
    };
    int64_t out;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ok(!span_day_parse(str_of(wrong[i]), &out), "'%s' is no date", wrong[i]);
    }
    is_int(day("1970-01-02"), 1, "days are counted from 1970");
    is_int(span_week_of(day("2026-11-22")), day("2026-11-16"), "a Sunday's week began on Monday");
    is_int(span_week_of(day("2026-11-16")), day("2026-11-16"), "a Monday's with itself");
    is_int(span_month_of(day("2026-11-22")), day("2026-11-01"), "a month begins on its first");
}

static void check_days(void)
{
    is_int(span_day_start(&la, day("2026-11-01")), at("2026-11-01T07:00:00Z"), "the day of the change");
    is_int(span_day_start(&la, day("2026-11-02")), at("2026-11-02T08:00:00Z"), "is 25 hours long");
    struct zone zone = { "Africa/Cairo", cairo, 2 };
    is_int(span_day_start(&zone, day("2026-04-24")), at("2026-04-23T22:00:00Z"),
           "a midnight that does not exist: the day begins with the jump");
    zone = (struct zone){ "America/Havana", havana, 2 };
    is_int(span_day_start(&zone, day("2026-11-01")), at("2026-11-01T04:00:00Z"),
           "a midnight that occurs twice: with the first");
    is_int(span_day_start(&zone, day("2026-11-02")), at("2026-11-02T05:00:00Z"), "and the next is the next");
    is_int(span_day_of(&la, at("2026-11-01T06:59:59Z")), day("2026-10-31"), "a second before midnight");
    is_int(span_day_start(&utc, 1), US_PER_DAY, "a zone without rules is UTC");

    int hint = 0;
    is_int(span_day_near(&la, at("2026-11-01T06:59:59Z"), &hint), day("2026-10-31"),
           "times that follow one another: summer");
    is_int(span_day_near(&la, at("2026-11-02T07:59:59Z"), &hint), day("2026-11-01"), "the change's 25th hour");
    is_int(span_day_near(&la, at("2026-11-02T08:00:00Z"), &hint), day("2026-11-02"), "and midnight of winter");
}

static void check_spans(void)
{
    int64_t now_us = at("2026-11-20T22:30:00Z"); /* 14:30 there */
    struct span_query query = { .range = SPAN_24H, .is_auto = true };
    struct span span = span_resolve(&query, &la, now_us, false);
    ok(span.from_us == at("2026-11-19T23:00:00Z") && span.to_us == at("2026-11-20T23:00:00Z"),
       "24 hours end with the hour that is not over");
    is_int(span.bucket, SAMPLE_RAW, "a day is drawn reading by reading");
    is_int(span_resolve(&query, &la, now_us, true).bucket, SAMPLE_1H, "as bars by the hour");

    query.range = SPAN_7D;
    span = span_resolve(&query, &la, now_us, false);
    ok(span.from_us == at("2026-11-14T08:00:00Z") && span.to_us == at("2026-11-21T08:00:00Z"),
       "seven days are whole local days, today the last");
    is_int(span.bucket, SAMPLE_1H, "a week by the hour");

    query = (struct span_query){ .range = SPAN_DATES, .from_day = day("2026-10-31"),
                                 .to_day = day("2026-11-01"), .bucket = SAMPLE_1W };
    span = span_resolve(&query, &la, now_us, false);
    ok(span.from_us == at("2026-10-26T07:00:00Z") && span.to_us == at("2026-11-02T08:00:00Z"),
       "weeks are shown whole, over a change of the clock too");
    query = (struct span_query){ .range = SPAN_1Y, .bucket = SAMPLE_RAW };
    span = span_resolve(&query, &la, now_us, false);
    ok(span.bucket == SAMPLE_1H && span.is_coarser, "a year of readings is too much: hours");
    span = span_resolve(&query, &la, now_us, true);
    ok(span.bucket == SAMPLE_1D && span.is_coarser, "as bars days");
}

static void check_edges(struct arena *arena)
{
    int n;
    const int64_t *edges = span_edges(arena, &la, SAMPLE_1H, at("2026-11-01T07:00:00Z"),
                                      at("2026-11-02T08:00:00Z"), &n);
    ok(n == 25 && edges[25] == at("2026-11-02T08:00:00Z"), "a day of 25 hours has 25 of them");
    edges = span_edges(arena, &la, SAMPLE_1D, at("2026-10-31T07:00:00Z"), at("2026-11-03T08:00:00Z"), &n);
    ok(n == 3 && edges[1] == at("2026-11-01T07:00:00Z") && edges[2] == at("2026-11-02T08:00:00Z"),
       "days begin at local midnights");
    edges = span_edges(arena, &la, SAMPLE_1MO, at("2026-10-05T07:00:00Z"), at("2026-12-01T08:00:00Z"), &n);
    ok(n == 1 && edges[0] == at("2026-11-01T07:00:00Z") && edges[1] == at("2026-12-01T08:00:00Z"),
       "only months that begin in the span");
    edges = span_edges(arena, &utc, SAMPLE_15M, at("2026-11-01T00:01:00Z"), at("2026-11-01T00:31:00Z"), &n);
    ok(n == 2 && edges[0] == at("2026-11-01T00:15:00Z"), "quarter hours are round");
    edges = span_edges(arena, &utc, SAMPLE_1W, at("2026-11-02T00:00:00Z"), at("2026-11-03T00:00:00Z"), &n);
    ok(n == 1 && edges[1] == at("2026-11-09T00:00:00Z"), "the last bucket ends behind the span");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    set_zones();
    check_dates();
    check_days();
    check_spans();
    check_edges(arena);
    arena_free(arena);
    return done_testing();
}

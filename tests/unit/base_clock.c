/* Times: RFC 3339 both ways, epochs, calendar fields, offsets. Expected epochs are
 * `date -u -d TEXT +%s`'s. */
#include "base/clock.h"

#include "tap.h"

#include <time.h>

static void test_parsing(void)
{
    static const struct {
        const char *text;
        int64_t expected_us;
        const char *name;
    } cases[] = {
        { "1985-04-12T23:20:50.52Z", 482196050520000, "RFC 3339's first example" },
        { "1996-12-19T16:39:57-08:00", 851042397000000, "RFC 3339's second, west of UTC" },
        { "1990-12-31T23:59:60Z", 662688000000000, "RFC 3339's leap second is the next second" },
        { "1990-12-31T15:59:60-08:00", 662688000000000, "and the same seen from California" },
        { "1937-01-01T12:00:27.87+00:20", -1041337172130000, "RFC 3339's odd offset, before 1970" },
        { "2026-11-20T12:00:00.250Z", 1795176000250000, "milliseconds" },
        { "2026-11-20t12:00:00z", 1795176000000000, "lower-case letters" },
        { "2026-11-20 12:00:00Z", 1795176000000000, "a space instead of T" },
        { "2026-11-20T12:00:00.123456789Z", 1795176000123456, "nanoseconds are cut" },
        { "2026-11-20T12:00:00.000001Z", 1795176000000001, "one microsecond" },
        { "2026-11-20T12:00:00-00:00", 1795176000000000, "an unknown offset is UTC" },
        { "2024-02-29T12:00:00+05:45", 1709187300000000, "a leap day in Kathmandu" },
        { "2000-02-29T00:00:00Z", 951782400000000, "a leap day of a century that has one" },
        { "1969-12-31T23:59:59.999999Z", -1, "a microsecond before the epoch" },
        { "0001-01-01T00:00:00Z", -62135596800000000, "the first year" },
        { "9999-12-31T23:59:59.999999Z", 253402300799999999, "the last microsecond" },
        { "2026-11-20T12:00:00+23:59", 1795089660000000, "the largest offset" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = 0;
        ok(clock_parse_rfc3339(str_of(cases[i].text), &got), "%s is read", cases[i].text);
        is_int(got, cases[i].expected_us, "%s", cases[i].name);
    }
}

static void test_refusal(void)
{
    static const struct {
        const char *text;
        const char *name;
    } cases[] = {
        { "", "nothing" },
        { "2026-11-20", "a date alone" },
        { "2026-11-20T12:00:00", "no offset" },
        { "2026-11-20T12:00Z", "no seconds" },
        { "2026-11-20T12:00:00.Z", "a point without digits" },
        { "2026-11-20T12:00:00.1234567890Z", "ten digits of fraction" },
        { "2026-11-20T12:00:00,5Z", "a comma for the point" },
        { "2026-02-30T12:00:00Z", "the 30th of February" },
        { "2025-02-29T12:00:00Z", "a leap day of an ordinary year" },
        { "1900-02-29T12:00:00Z", "a leap day of a century that has none" },
        { "2026-04-31T12:00:00Z", "the 31st of April" },
        { "2026-13-01T12:00:00Z", "month 13" },
        { "2026-00-01T12:00:00Z", "month 0" },
        { "2026-01-00T12:00:00Z", "day 0" },
        { "0000-01-01T12:00:00Z", "year 0" },
        { "2026-11-20T24:00:00Z", "hour 24" },
        { "2026-11-20T12:60:00Z", "minute 60" },
        { "2026-11-20T12:00:60Z", "a leap second at noon" },
        { "2026-11-20T23:59:60+01:00", "a leap second that is not before UTC's midnight" },
        { "2026-11-20T12:00:61Z", "second 61" },
        { "2026-11-20T12:00:00+24:00", "an offset of 24 hours" },
        { "2026-11-20T12:00:00+05:60", "an offset with 60 minutes" },
        { "2026-11-20T12:00:00+0530", "an offset without its colon" },
        { "2026-11-20T12:00:00+05", "an offset of hours alone" },
        { "2026-11-20T12:00:00ZZ", "something after the offset" },
        { "2026-11-20T12:00:00Z ", "a trailing space" },
        { " 2026-11-20T12:00:00Z", "a leading space" },
        { "2026/11/20T12:00:00Z", "slashes" },
        { "2026-11-20X12:00:00Z", "another letter between" },
        { "2026-1-20T12:00:00Z0", "a month of one digit" },
        { "+026-11-20T12:00:00Z", "a signed year" },
        { "0001-01-01T00:00:00+05:00", "what is in year 0 in UTC" },
        { "9999-12-31T23:59:59-01:00", "what is in year 10000 in UTC" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t got = 77;
        ok(!clock_parse_rfc3339(str_of(cases[i].text), &got) && got == 77, "refused: %s (%s)",
           cases[i].name, cases[i].text);
    }
    struct str cut = STR("2026-11-20T12:00:00+05:30");
    for (; cut.len > 0; cut.len--) {
        int64_t got;
        if (clock_parse_rfc3339(cut, &got) != (cut.len == 25)) {
            break;
        }
    }
    is_int((int64_t)cut.len, 0, "refused: every cut of a good time");
}

static void test_epochs(void)
{
    static const struct {
        int64_t epoch, expected_us;
        const char *name;
    } cases[] = {
        { 0, 0, "0" },
        { 1795176000, 1795176000000000, "seconds" },
        { 99999999999, 99999999999000000, "the last seconds" },
        { 100000000000, 100000000000000, "the first milliseconds" },
        { 1795176000250, 1795176000250000, "milliseconds" },
        { 99999999999999, 99999999999999000, "the last milliseconds" },
        { 100000000000000, 100000000000000, "the first microseconds" },
        { 1795176000250001, 1795176000250001, "microseconds" },
        { 100000000000000000, 100000000000000, "the first nanoseconds" },
        { 1795176000250001999, 1795176000250001, "nanoseconds are cut" },
        { -1, -1000000, "a second before the epoch" },
        { -1795176000250, -1795176000250000, "milliseconds before the epoch" },
        { -100000000000000001, -100000000000001, "nanoseconds before it are cut downwards" },
        { INT64_MAX, 9223372036854775, "the largest integer" },
        { INT64_MIN, -9223372036854776, "the smallest integer" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_int(clock_from_epoch(cases[i].epoch), cases[i].expected_us, "epoch: %s", cases[i].name);
    }
}

static void test_any_form(void)
{
    int64_t got = 0;

    ok(clock_parse(STR("2026-01-01"), &got), "a client may write a date");
    is_int(got, 1767225600000000, "it is midnight in UTC");
    ok(clock_parse(STR("1795176000"), &got), "or an epoch");
    is_int(got, 1795176000000000, "whose unit is told by its size");
    ok(clock_parse(STR("2026-11-20T12:00:00Z"), &got), "or RFC 3339");
    is_int(got, 1795176000000000, "as anywhere");
    ok(!clock_parse(STR("yesterday"), &got), "but not words");
    ok(!clock_parse(STR("2026-02-29"), &got), "nor a day that does not exist");
    ok(!clock_parse(STR("-99999999999"), &got), "nor an epoch before year 1");
    ok(!clock_parse(STR(""), &got), "nor nothing");
}

static void test_formatting(void)
{
    char text[CLOCK_TEXT_SIZE];

    is_str(clock_format(1795176000000000, text), "2026-11-20T12:00:00Z", "whole seconds");
    is_str(clock_format(1795176000250000, text), "2026-11-20T12:00:00.250Z", "milliseconds");
    is_str(clock_format(1795176000250001, text), "2026-11-20T12:00:00.250001Z", "microseconds");
    is_str(clock_format(-1, text), "1969-12-31T23:59:59.999999Z", "before the epoch");
    is_str(clock_format(CLOCK_MIN_US, text), "0001-01-01T00:00:00Z", "the first time");
    is_str(clock_format(CLOCK_MAX_US, text), "9999-12-31T23:59:59.999999Z", "the last time");
    is_str(clock_format_offset(1795176000000000, 19800, text), "2026-11-20T17:30:00+05:30",
           "India's offset");
    is_str(clock_format_offset(1795176000000000, -28800, text), "2026-11-20T04:00:00-08:00",
           "California's offset");
    is_str(clock_format_offset(1795176000000000, -12600, text), "2026-11-20T08:30:00-03:30",
           "Newfoundland's offset");
    is_str(clock_format_offset(1795176000000000, 0, text), "2026-11-20T12:00:00+00:00",
           "no offset is written as one");
    ok(strlen(clock_format(INT64_MIN, text)) < CLOCK_TEXT_SIZE &&
           strlen(clock_format_offset(INT64_MAX - US_PER_DAY, 86399, text)) < CLOCK_TEXT_SIZE,
       "no time overflows its text");
}

/* Every day of 800 years, forwards and back, and against the C library. */
static void test_calendar(void)
{
    int n_wrong = 0;

    for (int64_t day = -146097; day < 146097; day++) {
        int64_t time_us = day * US_PER_DAY + 45296 * US_PER_SECOND + 123456; /* 12:34:56 */
        struct clock_fields fields = clock_split(time_us);
        time_t seconds = (time_t)(day * 86400 + 45296);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        n_wrong += fields.year != tm.tm_year + 1900 || fields.month != tm.tm_mon + 1 ||
                   fields.day != tm.tm_mday || fields.hour != 12 || fields.minute != 34 ||
                   fields.second != 56 || fields.micros != 123456 ||
                   fields.weekday != (tm.tm_wday + 6) % 7 || clock_join(&fields) != time_us;
    }
    is_int(n_wrong, 0, "each day from 1570 to 2369 is the C library's, and joins to itself");
}

static void test_zones(void)
{
    /* Los Angeles, 2026: `date` with TZ says 2026-03-08 10:00Z and 2026-11-01 09:00Z. */
    static const struct zone_offset offsets[] = {
        { 1767225600000000, -28800 },
        { 1772964000000000, -25200 },
        { 1793523600000000, -28800 },
    };
    struct zone zone = { "America/Los_Angeles", offsets, 3 };
    struct zone utc = { "UTC", NULL, 0 };

    is_int(zone_offset_at(&zone, 0), -28800, "the first offset holds for all before it");
    is_int(zone_offset_at(&zone, 1772964000000000 - 1), -28800,
           "winter until the last microsecond");
    is_int(zone_offset_at(&zone, 1772964000000000), -25200, "summer from the first");
    is_int(zone_offset_at(&zone, 1793523600000000), -28800, "winter again in November");
    is_int(zone_offset_at(&zone, INT64_MAX), -28800, "the last offset holds on");
    is_int(zone_offset_at(&utc, 1772964000000000), 0, "no offsets mean UTC");

    int hint = 0;
    is_int(zone_offset_near(&zone, 1772964000000000 - 1, &hint), -28800,
           "times that follow one another: winter");
    is_int(zone_offset_near(&zone, 1772964000000000, &hint), -25200, "then summer");
    is_int(zone_offset_near(&zone, 1793523600000000 - 1, &hint), -25200, "to its end");
    is_int(zone_offset_near(&zone, INT64_MAX, &hint), -28800, "then the last offset");
    is_int(zone_offset_near(&zone, 0, &hint), -28800, "and back to before the first");
    is_int(zone_offset_near(&zone, 1780000000000000, &hint), -25200, "whichever it was before");
    hint = 0;
    is_int(zone_offset_near(&utc, 1772964000000000, &hint), 0, "of no offsets too");
}

static void test_clocks(void)
{
    int64_t before = clock_monotonic_us();
    int64_t now = clock_now_us();

    ok(now / US_PER_SECOND - (int64_t)time(NULL) <= 1, "the wall clock is the system's");
    ok(clock_monotonic_us() >= before, "the monotonic clock does not go back");
}

int main(void)
{
    test_parsing();
    test_refusal();
    test_epochs();
    test_any_form();
    test_formatting();
    test_calendar();
    test_zones();
    test_clocks();
    return done_testing();
}

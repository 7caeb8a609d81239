/* view/format: numbers, quantities and times as pages show them. Answers by hand after the rules
 * in format.h; SI Brochure 5.4 for the spaces. */
#include "view/format.h"
#include "view/format_money.h"
#include "view/money_scale.h"

#include "tap.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NB FORMAT_NBSP
#define TH FORMAT_THIN
#define MINUS FORMAT_MINUS

struct quantity_case {
    double value;
    const char *unit, *expected;
};

static const struct quantity_case quantities[] = {
    { 0, "W", "0" NB "W" },
    { 4.04, "W", "4.0" NB "W" },
    { 84.2, "W", "84" NB "W" },
    { 999.4, "W", "999" NB "W" },
    { 999.5, "W", "1.00" NB "kW" },
    { 1284.3, "W", "1.28" NB "kW" },
    { 12345, "W", "12.3" NB "kW" },
    { 3.4e6, "W", "3.40" NB "MW" },
    { -1070, "W", MINUS "1.07" NB "kW" },
    { 0.25, "kW", "250" NB "W" },
    { 0, "kWh", "0" NB "kWh" },
    { 0.0177, "kWh", "18" NB "Wh" },
    { 0.00003, "kWh", "0.03" NB "Wh" },
    { 0.00094, "kWh", "0.94" NB "Wh" },
    { 0.00097, "kWh", "1.0" NB "Wh" },
    { -0.25, "W", "\xe2\x88\x92" "0.25" NB "W" },
    { 0.9994, "kWh", "999" NB "Wh" },
    { 0.9996, "kWh", "1.00" NB "kWh" },
    { 9.996, "kWh", "10.0" NB "kWh" },
    { 78.83, "kWh", "78.8" NB "kWh" },
    { 9999.4, "kWh", "9" TH "999" NB "kWh" },
    { 10000, "kWh", "10.0" NB "MWh" },
    { 512, "B", "512" NB "B" },
    { 1234, "B", "1.23" NB "kB" },
    { 999999, "B", "1.00" NB "MB" },
    { 41.5e9, "B", "41.5" NB "GB" },
    { 1234, "Wh", "1.23" NB "kWh" },
    { -18.25, "°C", MINUS "18.25" NB "°C" },
    { 229.93, "V", "229.9" NB "V" },
    { 28.2, "°C", "28.2" NB "°C" },
    { 28.204, "°C", "28.2" NB "°C" },
    { 4.996, "A", "5" NB "A" },
    { 1234.5, "hPa", "1" TH "234" NB "hPa" },
    { 50, "Hz", "50" NB "Hz" },
    { 0.00012, "A", "0.00012" NB "A" },
    { 1, NULL, "1" },
    { 1234567, "", "1" TH "234" TH "567" },
    { NAN, "W", FORMAT_NONE },
    { INFINITY, "V", FORMAT_NONE },
};

static void check_numbers(struct arena *arena)
{
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        const struct quantity_case *c = &quantities[i];
        is_str(format_quantity(arena, c->value, c->unit), c->expected, "%g %s is %s", c->value,
               c->unit ? c->unit : "without a unit", c->expected);
    }
    is_str(format_number(arena, -0.001, 2), "0.00", "what rounds to zero has no minus");
    is_str(format_number(arena, 41234.56, 1), "41" TH "234.6", "thousands are set apart");
    is_str(format_number(arena, 999.96, 1), "1" TH "000.0", "also where rounding makes them");
    is_str(format_number(arena, 1e300, 0), "1e+300", "beyond reason the exponent says it");
    is_str(format_share(arena, 0.534), "53" NB "%", "a share is whole percent");
    is_str(format_share(arena, NAN), FORMAT_NONE, "an unknown share is a dash");
    is_str(format_join(arena, format_figure_beside(arena, 0.324, "kWh", 1.17)), "0.32" NB "kWh",
           "a small value beside a great one has its unit");
    struct figure figure = format_figure(arena, 1284.3, "W");
    ok(strcmp(figure.number, "1.28") == 0 && strcmp(figure.unit, "kW") == 0,
       "a figure has its unit apart");
}

/* The digits of `text` without what sets thousands apart. */
static void drop_thin(const char *text, char *out)
{
    while (*text != '\0') {
        bool is_thin = strncmp(text, TH, strlen(TH)) == 0;
        *out = *text;
        out += !is_thin;
        text += is_thin ? strlen(TH) : 1;
    }
    *out = '\0';
}

/* Every tie, what lies just beside it, and values of all sizes, to the last digit as printf has
 * them, which rounds by the exact value. */
static void check_against_printf(void)
{
    struct arena *arena = arena_new(1 << 20);
    int n_wrong = 0;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        int decimals = (int)(random % 5);
        double value = i % 4 == 0   ? (double)(random >> 40) / 16 / 125
                       : i % 4 == 1 ? nextafter((double)(random >> 44) / 2000, 1e9 * (double)(i % 3))
                                    : ldexp((double)(random >> 16), -(int)(random % 70));
        char expected[64], text[96];
        snprintf(expected, sizeof expected, "%.*f", decimals, value);
        drop_thin(format_number(arena, value, decimals), text);
        n_wrong += strcmp(text, expected) != 0;
        arena_reset(arena);
    }
    is_int(n_wrong, 0, "200,000 numbers have the digits that printf gives them");
    arena_free(arena);
}

static int64_t at(const char *text)
{
    int64_t time_us;
    if (!clock_parse_rfc3339(str_of(text), &time_us)) {
        abort();
    }
    return time_us;
}

static void check_times(struct arena *arena)
{
    struct zone_offset offsets[] = {
        { at("2026-03-08T10:00:00Z"), -7 * 3600 }, { at("2026-11-01T09:00:00Z"), -8 * 3600 },
    };
    struct zone zone = { "America/Los_Angeles", offsets, 2 };
    int64_t before_us = at("2026-11-01T08:30:00Z"), after_us = at("2026-11-01T09:30:00Z");
    is_str(format_clock(arena, &zone, before_us), "01:30", "half past one before the clock is set");
    is_str(format_clock(arena, &zone, after_us), "01:30", "and an hour later again");
    is_str(format_machine(arena, &zone, before_us), "2026-11-01T01:30:00-07:00",
           "machines are told which one");
    is_str(format_machine(arena, &zone, after_us + 999999), "2026-11-01T01:30:00-08:00",
           "in whole seconds");
    is_str(format_day(arena, &zone, at("2026-11-20T07:59:59Z")), "Thu 19 Nov",
           "the day is the zone's");
    is_str(format_day_long(arena, &zone, at("2026-11-20T08:00:00Z")), "Friday 20 November",
           "from its midnight on");
    is_str(format_moment(arena, &zone, at("2026-07-01T19:05:00Z")), "1 Jul 2026, 12:05",
           "summer has its own offset");
    is_str(format_offset(arena, -8 * 3600), "UTC" MINUS "8", "offsets are named");
    is_str(format_offset(arena, 20700), "UTC+5:45", "with their minutes");
    is_str(format_offset(arena, 0), "UTC", "or without a number");
}

static void check_ages(struct arena *arena)
{
    static const struct { int64_t age_s; const char *expected; } ages[] = {
        { 0, "just now" }, { 44, "just now" }, { 45, "1" NB "min ago" }, { 120, "2" NB "min ago" },
        { 59 * 60 + 29, "59" NB "min ago" }, { 59 * 60 + 30, "1" NB "h ago" },
        { 35 * 3600, "35" NB "h ago" }, { 36 * 3600, "2" NB "days ago" },
        { 9 * 86400, "9" NB "days ago" }, { -120, "in 2" NB "min" },
    };
    int64_t now_us = at("2026-11-20T12:00:00Z");
    for (size_t i = 0; i < sizeof ages / sizeof *ages; i++) {
        is_str(format_relative(arena, now_us, now_us - ages[i].age_s * US_PER_SECOND),
               ages[i].expected, "%lld s ago is %s", (long long)ages[i].age_s, ages[i].expected);
    }
}

struct money_case {
    int64_t nano;
    int decimals;
    const char *currency, *expected;
};

static const struct money_case amounts[] = {
    { 12340000000, 2, "USD", "$12.34" },
    { 1234567890000000, 2, "EUR", "€1" TH "234" TH "567.89" },
    { 5000000, 2, "EUR", "€0.01" },
    { -5000000, 2, "EUR", MINUS "€0.01" },
    { 1400000, 2, "EUR", "€0.00" },
    { 100000000000, 0, "JPY", "¥100" },
    { 7125000000, 3, "BHD", "BHD" NB "7.125" },
    { -1234000000000, 2, "CHF", MINUS "CHF" NB "1" TH "234.00" },
};

static void check_money(struct arena *arena)
{
    for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        const struct money_case *test = &amounts[i];
        is_str(format_money(arena, money_of_nano(test->nano), test->decimals, test->currency),
                test->expected, "%lld billionths of %s", (long long)test->nano, test->currency);
    }
    is_str(format_rate(arena, 619490000, 2), "0.61949", "a rate has all its decimals");
    is_str(format_rate(arena, 300000000, 2), "0.30", "and at least two");
    is_str(format_nano(arena, (struct quantity){ 1234567890000 }, 2), "1" TH "234.57",
            "a quantity is rounded");
    is_str(format_change(arena, money_of_nano(108 * NANO), money_of_nano(100 * NANO)), "+8" NB "%",
            "more");
    is_str(format_change(arena, money_of_nano(97 * NANO), money_of_nano(100 * NANO)),
            MINUS "3" NB "%", "less");
    ok(!format_change(arena, money_of_nano(NANO), money_of_nano(0)), "of nothing no percentage");
    is_str(format_change(arena, money_of_nano(1004), money_of_nano(1000)), "as much", "0.4 %% more");
    is_str(format_change(arena, money_of_nano(-50), money_of_nano(100)), MINUS "150" NB "%", "below nothing");
    is_str(format_part(arena, money_of_nano(5), money_of_nano(8)), "62.5", "five eighths of a bar");
    is_str(format_part(arena, money_of_nano(-5), money_of_nano(8)), "0.0", "what is paid has no bar");
}

struct scale_case {
    int64_t least, most; /* millionths */
    int n;
    const char *first, *last;
    int64_t amount;
    int height;
};

/* By hand: about four steps of 1, 2 or 5 times a power of ten. */
static const struct scale_case scale_cases[] = {
    { 0, 240000000, 6, "0", "250", 125000000, 2500 },
    { 0, 200000000, 5, "0", "200", 1, 1 },                     /* what is not nothing has height */
    { 0, 300000, 4, "0.0", "0.3", -1, -1 },
    { 0, 34000, 5, "0.00", "0.04", 0, 0 },
    { -3000000, 7000000, 7, MINUS "4", "8", -3000000, -1500 },
    { -18000000, -3000000, 5, MINUS "20", "0", -18000000, -3600 },
    { 0, 0, 6, "0.0", "1.0", 0, 0 },
    { 0, 12000000000, 7, "0", "12" TH "000", 12000000000, 6000 },
    { 0, 999999000000, 6, "0.0" NB "M", "1.0" NB "M", 999999000000, 5000 },
    { 0, 3000000000000, 4, "0" NB "M", "3" NB "M", 1500000000000, 1500 },
    { 0, 4000000000000000, 5, "0" NB "G", "4" NB "G", 1000000000000000, 1000 },
};

static void check_money_scale(struct arena *arena)
{
    for (size_t i = 0; i < sizeof scale_cases / sizeof *scale_cases; i++) {
        const struct scale_case *c = &scale_cases[i];
        struct money_scale scale = money_scale(money_of(c->least, 1000 * NANO), money_of(c->most, 1000 * NANO));
        is_int(scale.n, c->n, "an axis to %s has its lines", c->last);
        is_str(money_scale_label(arena, &scale, 0), c->first, "the lowest");
        is_str(money_scale_label(arena, &scale, scale.n - 1), c->last, "the uppermost");
        is_int(money_scale_height(&scale, money_of(c->amount, 1000 * NANO)), c->height, "and a height");
    }
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    check_numbers(arena);
    check_against_printf();
    check_times(arena);
    check_ages(arena);
    check_money(arena);
    check_money_scale(arena);
    arena_free(arena);
    return done_testing();
}

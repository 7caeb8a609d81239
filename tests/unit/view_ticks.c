/* view/ticks: value axes computed by hand, and time axes across the days on which clocks change
 * in 2026, instants and offsets as the IANA time zone database has them. */
#include "view/ticks.h"

#include "tap.h"

#include <math.h>
#include <stdlib.h>

/* ---- values ---- */

struct scale_case {
    const char *name;
    double least, most;
    int target;
    bool is_from_zero;
    double first, last, step;
    int n, decimals;
};

static const struct scale_case scale_cases[] = {
    { "240 in four: fifties", 0, 240, 4, true, 0, 250, 50, 6, 0 },
    { "a value on a line adds no further line", 0, 200, 4, true, 0, 200, 50, 5, 0 },
    { "0.3 in four: tenths, with a decimal", 0, 0.3, 4, true, 0, 0.3, 0.1, 4, 1 },
    { "0.034 in four: hundredths", 0, 0.034, 4, true, 0, 0.04, 0.01, 5, 2 },
    { "mains voltage does not begin at zero", 229.1, 231.9, 3, false, 229, 232, 1, 4, 0 },
    { "below and above zero", -3, 7, 5, true, -4, 8, 2, 7, 0 },
    { "all below zero reaches up to it", -18, -3, 4, true, -20, 0, 5, 5, 0 },
    { "one value has an axis around it", 5, 5, 3, false, 4.5, 5.5, 0.5, 3, 1 },
    { "nothing but zeros: up to one", 0, 0, 4, true, 0, 1, 0.2, 6, 1 },
    { "nothing known: the same", NAN, NAN, 4, true, 0, 1, 0.2, 6, 1 },
    { "three thousand is nearer to two than to five", 0, 12000, 4, true, 0, 12000, 2000, 7, 0 },
};

static void check_scales(void)
{
    for (size_t i = 0; i < sizeof scale_cases / sizeof *scale_cases; i++) {
        const struct scale_case *c = &scale_cases[i];
        struct scale scale = scale_nice(c->least, c->most, c->target, c->is_from_zero);
        bool is_right = fabs(scale_value(&scale, 0) - c->first) < 1e-9 &&
                        fabs(scale_value(&scale, scale.n - 1) - c->last) < 1e-9 &&
                        fabs(scale.step - c->step) < 1e-12 && scale.n == c->n &&
                        scale.decimals == c->decimals;
        if (!ok(is_right, "values: %s", c->name)) {
            diag("%g to %g by %g, %d lines, %d decimals", scale.least, scale.most, scale.step, scale.n,
                 scale.decimals);
        }
    }
    struct scale tenths = scale_nice(0, 0.3, 4, true);
    ok(fabs(scale_value(&tenths, 3) - 0.3) < 1e-15, "values: a line is a multiple of its step");
}

/* ---- times ---- */

static int64_t at(const char *text)
{
    int64_t time_us;
    if (!clock_parse_rfc3339(str_of(text), &time_us)) {
        diag("no time: %s", text);
        abort();
    }
    return time_us;
}

struct change {
    const char *name, *zone;
    const char *time;            /* at which the clock is set */
    int32_t before_s, after_s;   /* offsets */
    const char *from, *to;
    int target;
    const char *expected;        /* "hour:minute in UTC=label" of each tick */
};

#define HALF 1800
#define HOUR 3600

static const struct change changes[] = {
    { "Los Angeles, back: one o'clock twice", "America/Los_Angeles", "2026-11-01T09:00:00Z", -7 * HOUR,
      -8 * HOUR, "2026-11-01T07:00:00Z", "2026-11-01T12:00:00Z", 6,
      "07:00=Sun 1 Nov|08:00=01:00 UTC−7|09:00=01:00 UTC−8|10:00=02:00|11:00=03:00|12:00=04:00" },
    { "Los Angeles, forward: no two o'clock", "America/Los_Angeles", "2026-03-08T10:00:00Z", -8 * HOUR,
      -7 * HOUR, "2026-03-08T08:00:00Z", "2026-03-08T13:00:00Z", 6,
      "08:00=Sun 8 Mar|09:00=01:00|10:00=03:00|11:00=04:00|12:00=05:00|13:00=06:00" },
    { "Los Angeles, a day of 25 hours in threes", "America/Los_Angeles", "2026-11-01T09:00:00Z",
      -7 * HOUR, -8 * HOUR, "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z", 8,
      "07:00=Sun 1 Nov|11:00=03:00|14:00=06:00|17:00=09:00|20:00=12:00|23:00=15:00|02:00=18:00|"
      "05:00=21:00|08:00=Mon 2 Nov" },
    { "Los Angeles, midnights over the change", "America/Los_Angeles", "2026-11-01T09:00:00Z",
      -7 * HOUR, -8 * HOUR, "2026-10-30T07:00:00Z", "2026-11-03T08:00:00Z", 5,
      "07:00=30 Oct|07:00=31 Oct|07:00=1 Nov|08:00=2 Nov|08:00=3 Nov" },
    { "Lord Howe, back by half an hour: hours move", "Australia/Lord_Howe", "2026-04-04T15:00:00Z",
      11 * HOUR, 10 * HOUR + HALF, "2026-04-04T13:00:00Z", "2026-04-04T18:00:00Z", 6,
      "13:00=Sun 5 Apr|14:00=01:00|15:30=02:00|16:30=03:00|17:30=04:00" },
    { "Lord Howe, back: half past one twice", "Australia/Lord_Howe", "2026-04-04T15:00:00Z", 11 * HOUR,
      10 * HOUR + HALF, "2026-04-04T14:00:00Z", "2026-04-04T16:00:00Z", 4,
      "14:00=01:00|14:30=01:30 UTC+11|15:00=01:30 UTC+10:30|15:30=02:00|16:00=02:30" },
    { "Lord Howe, forward by half an hour: no two o'clock", "Australia/Lord_Howe",
      "2026-10-03T15:30:00Z", 10 * HOUR + HALF, 11 * HOUR, "2026-10-03T13:30:00Z",
      "2026-10-03T18:30:00Z", 6, "13:30=Sun 4 Oct|14:30=01:00|16:00=03:00|17:00=04:00|18:00=05:00" },
    { "Cairo, a midnight that does not exist", "Africa/Cairo", "2026-04-23T22:00:00Z", 2 * HOUR,
      3 * HOUR, "2026-04-22T22:00:00Z", "2026-04-24T22:00:00Z", 3,
      "22:00=23 Apr|22:00=24 Apr|21:00=25 Apr" },
    { "Havana, a midnight that occurs twice", "America/Havana", "2026-11-01T05:00:00Z", -4 * HOUR,
      -5 * HOUR, "2026-10-31T04:00:00Z", "2026-11-02T05:00:00Z", 3,
      "04:00=31 Oct|04:00=1 Nov|05:00=2 Nov" },
};

static void check_changes(struct arena *arena)
{
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        const struct change *c = &changes[i];
        struct zone_offset offsets[] = {
            { at("2026-01-01T00:00:00Z"), c->before_s }, { at(c->time), c->after_s },
        };
        struct zone zone = { c->zone, offsets, 2 };
        struct tick ticks[TICKS_MAX];
        int n = ticks_time(arena, &zone, at(c->from), at(c->to), c->target, ticks);
        const char *got = "";
        for (int t = 0; t < n; t++) {
            struct clock_fields utc = clock_split(ticks[t].time_us);
            got = arena_printf(arena, "%s%s%02d:%02d=%s", got, t == 0 ? "" : "|", utc.hour,
                               utc.minute, ticks[t].label);
        }
        is_str(got, c->expected, "times: %s", c->name);
    }
}

static void check_steps(struct arena *arena)
{
    struct zone_offset india[] = { { 0, 5 * HOUR + HALF } };
    struct zone zone = { "Asia/Kolkata", india, 1 };
    struct tick ticks[TICKS_MAX];
    int n = ticks_time(arena, &zone, at("2026-11-20T08:00:00Z"), at("2026-11-21T08:00:00Z"), 8, ticks);
    is_int(n, 8, "times: a day in threes of the local clock");
    is_int(ticks[0].time_us, at("2026-11-20T09:30:00Z"), "times: at :30 UTC in India");
    is_str(ticks[0].label, "15:00", "times: which are full hours there");
    ok(ticks[0].is_minor && !ticks[1].is_minor, "times: six o'clock stays where three may go");
    ok(ticks[3].is_day && !ticks[3].is_minor, "times: midnight stays");
    is_str(ticks[3].label, "Sat 21 Nov", "times: and names its day");

    struct zone utc = { "UTC", NULL, 0 };
    n = ticks_time(arena, &utc, at("2026-11-01T00:00:00Z"), at("2026-11-30T00:00:00Z"), 5, ticks);
    is_str(ticks[0].label, "2 Nov", "times: weeks begin on Monday");
    is_int(n, 5, "times: 29 days hold five Mondays");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    check_scales();
    check_changes(arena);
    check_steps(arena);
    arena_free(arena);
    return done_testing();
}

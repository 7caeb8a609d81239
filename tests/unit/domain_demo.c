/* The demo reads the same everywhere, obeys sun and clock, and its energy is its power. */
#include "domain/demo.h"

#include "tap.h"

#include <math.h>

/* Zones around the changes of clocks of 2026, as the IANA database has them. */
static const struct zone_offset los_angeles_offsets[] = {
    { INT64_C(1767225600000000), -8 * 3600 }, /* 2026-01-01 */
    { INT64_C(1772964000000000), -7 * 3600 }, /* 2026-03-08 10:00 UTC */
    { INT64_C(1793523600000000), -8 * 3600 }, /* 2026-11-01 09:00 UTC */
};
static const struct zone_offset kolkata_offsets[] = { { 0, 19800 } };
static const struct zone los_angeles = { "America/Los_Angeles", los_angeles_offsets, 3 };
static const struct zone kolkata = { "Asia/Kolkata", kolkata_offsets, 1 };

static const struct demo_device *device(const char *key)
{
    for (int i = 0; i < demo_tenants_count; i++) {
        for (int j = 0; j < demo_tenants[i].n_devices; j++) {
            if (strcmp(demo_tenants[i].devices[j].key, key) == 0) {
                return &demo_tenants[i].devices[j];
            }
        }
    }
    return NULL;
}

static int64_t utc(int year, int month, int day, int hour, int minute)
{
    return clock_join(&(struct clock_fields){ .year = year, .month = month, .day = day,
                                              .hour = hour, .minute = minute });
}

/* kWh by readings every `step_us`, as they would be stored. */
static double read_kwh(const struct demo_device *of, const struct zone *zone, int64_t from_us,
                       int64_t to_us, int64_t step_us)
{
    const struct demo_metric *energy = of->metrics;
    while (energy->quantity != DEMO_ENERGY) {
        energy++;
    }
    double kwh = 0;
    for (int64_t at = from_us; at < to_us; at += step_us) {
        struct demo_moment moment = demo_moment_at(of, zone, at, at + step_us);
        kwh += demo_value(of, energy, &moment);
    }
    return kwh;
}

static bool is_between(double value, double low, double high)
{
    if (value < low || value > high) {
        diag("got %g, expected %g to %g", value, low, high);
    }
    return value >= low && value <= high;
}

static void test_determinism(void)
{
    const struct demo_device *office = device("shelly-office-01");
    int64_t at = utc(2026, 6, 3, 17, 0);
    struct demo_moment one = demo_moment_at(office, &los_angeles, at - DEMO_STEP_US, at);
    struct demo_moment two = demo_moment_at(office, &los_angeles, at - DEMO_STEP_US, at);
    ok(memcmp(&one, &two, sizeof one) == 0, "a reading is the same when asked again");
    ok(fabs(one.watts - demo_watts(office, &los_angeles, at)) < 1e-9,
       "power over five minutes is the mean of the five minutes");
    ok(demo_watts(office, &los_angeles, at) != demo_watts(office, &los_angeles, at + DEMO_STEP_US),
       "the next five minutes are others");
}

static void test_energy_is_power(void)
{
    const struct demo_device *tv = device("tp-link-living-room");
    int64_t from = utc(2026, 6, 6, 3, 0);
    int64_t to = from + 6 * US_PER_HOUR;
    double whole = demo_moment_at(tv, &los_angeles, from, to).energy_kwh;
    double steps = 0, tens = 0, mean_w = 0;
    for (int64_t at = from; at < to; at += DEMO_STEP_US) {
        struct demo_moment moment = demo_moment_at(tv, &los_angeles, at, at + DEMO_STEP_US);
        steps += moment.energy_kwh;
        mean_w += moment.watts / 72;
    }
    for (int64_t at = from; at < to; at += 10 * US_PER_SECOND) {
        tens += demo_moment_at(tv, &los_angeles, at, at + 10 * US_PER_SECOND).energy_kwh;
    }
    ok(fabs(steps - whole) < 1e-9, "energy by five minutes adds up to the whole");
    ok(fabs(tens - whole) < 1e-9, "and so it does by ten seconds");
    ok(fabs(mean_w * 6 / 1000 - whole) < 1e-9, "energy is mean power times time");
    double odd = demo_moment_at(tv, &los_angeles, from, from + 1234567).energy_kwh +
                 demo_moment_at(tv, &los_angeles, from + 1234567, to).energy_kwh;
    ok(fabs(odd - whole) < 1e-9, "a reading at an odd time loses nothing");
    ok(fabs(read_kwh(tv, &los_angeles, from, to, DEMO_STEP_US) - whole) < 72 * 0.5e-6,
       "rounding each reading costs at most half its last digit");
}

static void test_sun(void)
{
    const struct demo_device *solar = device("solar-inverter-01");
    int n_dark = 0, n_bright = 0;
    double most = 0;
    for (int64_t at = utc(2026, 6, 1, 0, 0); at < utc(2026, 7, 1, 0, 0); at += DEMO_STEP_US) {
        double watts = demo_watts(solar, &los_angeles, at);
        struct clock_fields local = clock_split(at - 7 * US_PER_HOUR);
        n_dark += watts > 0 && (local.hour >= 21 || local.hour < 5);
        n_bright += watts > 0 && local.hour >= 9 && local.hour < 16;
        most = watts > most ? watts : most;
    }
    is_int(n_dark, 0, "there is no sun between 21:00 and 5:00 in June");
    is_int(n_bright, 30 * 7 * 12, "and there is some from 9:00 to 16:00 on every day");
    is_double(most, 290, "the inverter delivers what it is rated for, and no more");
    /* Sunrise and sunset of Los Angeles on 2026-12-21 (NOAA): 6:55 and 16:48. */
    is_double(demo_watts(solar, &los_angeles, utc(2026, 12, 21, 14, 50)), 0,
              "before sunrise of the shortest day nothing is produced");
    ok(demo_watts(solar, &los_angeles, utc(2026, 12, 21, 15, 15)) > 0,
       "soon after it something is");
    is_double(demo_watts(solar, &los_angeles, utc(2026, 12, 22, 0, 50)), 0,
              "nor is there anything after sunset");
    /* Mumbai on 2026-06-21: 6:02 to 19:18. */
    const struct demo_device *roof = device("rooftop-solar-01");
    is_double(demo_watts(roof, &kolkata, utc(2026, 6, 21, 0, 25)), 0,
              "the sun rises in Mumbai too");
    ok(demo_watts(roof, &kolkata, utc(2026, 6, 21, 1, 0)) > 0, "at its own time");
}

static void test_totals(void)
{
    static const struct {
        const char *key;
        const struct zone *zone;
        double low, high;
        const char *name;
    } totals[] = {
        { "shelly-office-01", &los_angeles, 15, 40, "a desk uses 15 to 40 kWh in April" },
        { "tp-link-living-room", &los_angeles, 15, 45, "a television 15 to 45 kWh" },
        { "solar-inverter-01", &los_angeles, 35, 75, "a panel of 370 W makes 35 to 75 kWh" },
        { "loom-hall-01", &kolkata, 12000, 22000, "a hall of looms uses 12 to 22 MWh" },
    };
    int64_t from = utc(2026, 4, 1, 7, 0), to = utc(2026, 5, 1, 7, 0);
    for (size_t i = 0; i < sizeof totals / sizeof *totals; i++) {
        double kwh = read_kwh(device(totals[i].key), totals[i].zone, from, to, DEMO_STEP_US);
        ok(is_between(kwh, totals[i].low, totals[i].high), "%s", totals[i].name);
    }
}

static double day_kwh(const struct demo_device *of, int64_t from_us, int64_t to_us)
{
    return demo_moment_at(of, &los_angeles, from_us, to_us).energy_kwh;
}

/* The desk's working hours are the clock's, not the sun's. */
static void test_changes_of_clocks(void)
{
    const struct demo_device *office = device("shelly-office-01");
    double before = 0, after = 0;
    for (int day = 0; day < 5; day++) {
        int64_t pst = utc(2026, 3, 2 + day, 0, 0), pdt = utc(2026, 3, 9 + day, 0, 0);
        before += day_kwh(office, pst + 15 * US_PER_HOUR, pst + 16 * US_PER_HOUR);
        after += day_kwh(office, pdt + 15 * US_PER_HOUR, pdt + 16 * US_PER_HOUR);
    }
    ok(before < 0.05, "at 7:00 in winter nobody is at the desk");
    ok(after > 0.1, "an hour of UTC that is 8:00 in summer finds somebody there");
    double november = day_kwh(office, utc(2026, 11, 1, 7, 0), utc(2026, 11, 2, 8, 0));
    double march = day_kwh(office, utc(2026, 3, 8, 8, 0), utc(2026, 3, 9, 7, 0));
    ok(fabs(november - march - 2 * 0.0034) < 0.001, "a day of 25 hours stands by two hours longer "
                                                    "than one of 23");
}

static void test_values(void)
{
    const struct demo_device *office = device("shelly-office-01");
    const struct demo_metric *metrics = office->metrics;
    int64_t at = utc(2026, 6, 3, 17, 0);
    struct demo_moment moment = demo_moment_at(office, &los_angeles, at - DEMO_STEP_US, at);
    double watts = demo_value(office, &metrics[0], &moment);
    double volts = demo_value(office, &metrics[1], &moment);
    double amperes = demo_value(office, &metrics[2], &moment);
    is_double(watts, round(watts * 100) / 100, "power is rounded as the plug rounds it");
    ok(is_between(volts, 114, 126), "voltage is within a twentieth of 120 V");
    ok(is_between(watts / (volts * amperes), 0.5, 1), "current fits power and voltage");
    for (int64_t t = at; t < at + US_PER_DAY; t += DEMO_STEP_US) {
        moment = demo_moment_at(office, &los_angeles, t - DEMO_STEP_US, t);
        if (moment.watts < 0 || moment.watts > office->max_w) {
            ok(false, "power is never negative nor more than the plug carries");
            return;
        }
    }
    ok(true, "power is never negative nor more than the plug carries");
}

static void test_events(void)
{
    struct demo_event all[256], first[256], second[256];
    int64_t from = utc(2026, 9, 1, 0, 0), to = utc(2026, 11, 20, 0, 0);
    int64_t middle = utc(2026, 10, 11, 10, 5); /* at the very time of an event */
    int n = demo_events(&demo_tenants[0], &los_angeles, from, to, all, 256);
    int n_first = demo_events(&demo_tenants[0], &los_angeles, from, middle, first, 256);
    int n_second = demo_events(&demo_tenants[0], &los_angeles, middle, to, second, 256);
    bool is_ascending = true;
    for (int i = 1; i < n; i++) {
        is_ascending = is_ascending && all[i - 1].time_us <= all[i].time_us;
    }
    ok(n > 80, "eighty days have an event a day and more");
    ok(is_ascending, "they come in order");
    is_int(n_first + n_second, n, "filling in two goes makes the same ones");
    ok(all[0].time_us > from && all[n - 1].time_us <= to, "all are within the span");
}

int main(void)
{
    test_determinism();
    test_energy_is_power();
    test_sun();
    test_totals();
    test_changes_of_clocks();
    test_values();
    test_events();
    return done_testing();
}

/* domain/overview_energy: on each local day the best source of a device and role counts; quarter
 * hours that are open are added to hours and days; a site in another zone has its days by date.
 * Amounts by hand; the calendars are put where the zones' are kept, so that no database is asked. */
#include "db/pq.h"
#include "domain/overview_energy.h"
#include "domain/zone_cache.h"

#include "tap.h"

#include <math.h>

#define KWH INT64_C(1000000000)
#define N_DAYS 5
#define MAY_1 INT64_C(1714521600000000) /* 2024-05-01 00:00 UTC, a Wednesday */
#define DAY(n) (MAY_1 + ((n) - 1) * US_PER_DAY)
#define HOUR(day, n) (DAY(day) + (n) * US_PER_HOUR)

static struct overview overview;
static struct overview_device devices[1];
static struct op op;

/* A zone without summer time: `offset_h` hours east of UTC. */
static void put_zone(const char *name, int64_t offset_h)
{
    static struct zone_offset days[40], hours[200];
    const int64_t from_us = DAY(-4) - offset_h * US_PER_HOUR;
    for (int i = 0; i < 20; i++) {
        days[i].from_us = from_us + i * US_PER_DAY;
    }
    for (int i = 0; i < 200; i++) {
        hours[i].from_us = HOUR(1, i);
    }
    zone_cache_put(&(struct zone_span){ name, "1d", from_us, from_us + 20 * US_PER_DAY },
                   &(struct zone_known){ days, 20 });
    zone_cache_put(&(struct zone_span){ name, "1h", HOUR(1, 0), HOUR(1, 200) },
                   &(struct zone_known){ hours, 200 });
}

/* Noon of the fifth, with the days from the first on. */
static void set_overview(void)
{
    devices[0] = (struct overview_device){ .watts = NAN, .today_kwh = NAN };
    devices[0].latest.key = "meter";
    overview = (struct overview){
        .power = flow_none(), .now_us = HOUR(5, 12), .n_days = N_DAYS, .devices = devices, .n_devices = 1,
    };
    for (int i = 0; i < N_DAYS; i++) {
        overview.days[i] = (struct overview_slot){ DAY(i + 1), DAY(i + 2), flow_none() };
    }
    for (int i = 0; i < OVERVIEW_HOURS; i++) {
        int64_t from_us = HOUR(4, 13 + i);
        overview.hours[i] =
            (struct overview_slot){ from_us, from_us + US_PER_HOUR, flow_none() };
        devices[0].hours_kwh[i] = NAN;
    }
}

static void add(struct energy_source *items, int n)
{
    struct db_tx tx = { .op = &op };
    set_overview();
    ok(overview_add_energy(&tx, &(struct energy_sources){ items, n }, &overview) == OK,
       "%d sources are added", n);
}

static void is_used(int day, double kwh, const char *what)
{
    double used = overview.days[day - 1].energy.consumption;
    ok(isnan(kwh) ? isnan(used) : fabs(used - kwh) < 1e-12, "%s: %g", what, used);
}

/* Power tells 1 kWh on each day, the plug 7 on the second and, not closed yet, on the fifth. */
static void check_sources(void)
{
    const int64_t power_at[] = { DAY(1), DAY(2), DAY(3), DAY(4), DAY(5) };
    const int64_t power[] = { KWH, KWH, KWH, KWH, KWH };
    const int64_t quarter_at[] = { HOUR(4, 20), HOUR(5, 1), HOUR(5, 3) };
    const int64_t quarter[] = { KWH / 4, KWH / 2, KWH / 2 };
    const int64_t plug_at[] = { DAY(2) }, open_at[] = { HOUR(5, 2) }, plug[] = { 7 * KWH };
    struct energy_source items[] = {
        { .device = "meter", .role = "consumption", .zone = "UTC", .place = 1, .watts = NAN,
          .days = { plug_at, plug, 1 }, .open = { open_at, plug, 1 } },
        { .device = "meter", .role = "consumption", .zone = "UTC", .place = 2, .watts = 250,
          .days = { power_at, power, 5 }, .quarters = { quarter_at, quarter, 3 } },
    };
    add(items, 2);
    is_used(1, 1, "a day that only power has");
    is_used(2, 7, "the interval counts where there is one");
    is_used(3, 1, "not on the next day");
    is_used(5, 7, "an open quarter hour counts, and displaces the lesser source");
    ok(devices[0].today_kwh == 7, "the device's today is the same");
    ok(overview.hours[20 - 13].energy.consumption == 0.25, "an hour of yesterday is power's");
    ok(isnan(overview.hours[25 - 13].energy.consumption), "one of today is not");
    ok(overview.hours[26 - 13].energy.consumption == 7, "the open one is there");
    ok(devices[0].hours_kwh[26 - 13] == 7, "and in the device's hours");
    ok(overview.power.consumption == 250 && devices[0].watts == 250,
       "power is told by the best that tells it");
}

/* Two phases of one place count together; another device's do not disturb; roles are apart. */
static void check_sums(void)
{
    const int64_t at[] = { DAY(3) }, one[] = { KWH }, two[] = { 2 * KWH };
    struct energy_source items[] = {
        { .device = "a", .role = "consumption", .zone = "UTC", .place = 1, .watts = 3,
          .days = { at, one, 1 } },
        { .device = "a", .role = "consumption", .zone = "UTC", .place = 1, .watts = 4,
          .days = { at, two, 1 } },
        { .device = "a", .role = "consumption", .zone = "UTC", .place = 2, .watts = 80 },
        { .device = "a", .role = "generation", .zone = "UTC", .place = 2, .watts = 50,
          .days = { at, two, 1 } },
        { .device = "b", .role = "consumption", .zone = "UTC", .place = 2, .watts = 100,
          .days = { at, two, 1 } },
    };
    add(items, 5);
    ok(overview.power.consumption == 107 && overview.power.generation == 50,
       "power is of one place of each device and role");
    is_used(3, 5, "1 and 2 of one device, 2 of another");
    ok(overview.days[2].energy.generation == 2, "what is generated is a sum of its own");
    is_used(4, NAN, "a day without data is not zero");
    ok(isnan(devices[0].today_kwh), "nor is a device that told nothing");
}

/* In Tokyo the third begins at 15:00 UTC of the second, and belongs to the third here. */
static void check_zones(void)
{
    const int64_t at[] = { HOUR(2, 15) }, one[] = { KWH };
    const int64_t open_at[] = { HOUR(2, 14), HOUR(5, 11) }, open[] = { 4 * KWH, 8 * KWH };
    struct energy_source items[] = {
        { .device = "a", .role = "consumption", .zone = "Asia/Tokyo", .place = 1,
          .days = { at, one, 1 }, .open = { open_at, open, 2 } },
    };
    add(items, 1);
    is_used(2, 4, "23:00 of the second in Tokyo is on the second");
    is_used(3, 1, "and Tokyo's third on the third");
    is_used(5, 8, "now is the fifth in both places");
    ok(overview.hours[35 - 13].energy.consumption == 8, "an hour is the same everywhere");
}

int main(void)
{
    op.arena = arena_new(16 << 20);
    put_zone("UTC", 0);
    put_zone("Asia/Tokyo", 9);
    check_sources();
    check_sums();
    check_zones();
    arena_free(op.arena);
    return done_testing();
}

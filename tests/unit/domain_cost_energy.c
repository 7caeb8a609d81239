/* domain/cost_energy: what passes a billing meter, from all that the devices of a place tell. Answers
 * are worked out by hand, in kWh of quarter hours. */
#include "domain/cost_energy.h"

#include "tap.h"

#include <string.h>

#define DAY0 (INT64_C(20000) * US_PER_DAY) /* UTC */
#define KWH INT64_C(1000000000)

static struct arena *arena;
static struct op op;
static const struct zone_offset UTC_OFFSETS[] = { { INT64_MIN, 0 } };
static const struct zone UTC = { .name = "UTC", .offsets = UTC_OFFSETS, .n_offsets = 1 };
static const struct zone_offset EAST_OFFSETS[] = { { INT64_MIN, 20700 } }; /* 05:45 */
static const struct zone KATHMANDU = { .name = "Asia/Kathmandu", .offsets = EAST_OFFSETS,
                                       .n_offsets = 1 };

/* A reading: which quarter hour, how many kWh. */
struct told {
    int quarter, kwh;
};

/* A meter that tells these; a quarter of -1 ends the list. */
static struct cost_meter meter(const char *device, const char *role, int place,
                               const struct told *told)
{
    int n = 0;
    while (told[n].quarter >= 0) {
        n++;
    }
    int64_t *at_us = arena_array(arena, (size_t)n + 1, sizeof *at_us);
    int64_t *nkwh = arena_array(arena, (size_t)n + 1, sizeof *nkwh);
    for (int i = 0; i < n; i++) {
        at_us[i] = DAY0 + told[i].quarter * COST_QUARTER_US;
        nkwh[i] = told[i].kwh * KWH;
    }
    return (struct cost_meter){ .device = device, .role = role, .metric = "m",
                                .kind = "delta", .place = place, .at_us = at_us, .nkwh = nkwh,
                                .n = n };
}

#define TOLD(...) ((const struct told[]){ __VA_ARGS__, { -1, 0 } })

/* Of the meters over so many days of UTC's clock, or another zone's days. */
static struct cost_energy energy(struct cost_meter *meters, int n, const struct zone *zone,
                                 int n_days)
{
    struct cost_energy out = { .n = 0 };
    const struct cost_meters all = { meters, n };
    ok(cost_energy_make(&op, &all, zone, DAY0, DAY0 + n_days * US_PER_DAY, &out) == OK &&
           out.n == (size_t)n_days * 96,
       "%d days have %d quarter hours", n_days, n_days * 96);
    return out;
}

/* "quarter:import/export" of those that are not 0. */
static const char *shown(const struct cost_energy *of)
{
    static char text[400];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < of->n; i++) {
        if (of->import_nkwh[i] != 0 || of->export_nkwh[i] != 0) {
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%zu:%lld/%lld",
                                    len > 0 ? " " : "", i, (long long)(of->import_nkwh[i] / KWH),
                                    (long long)(of->export_nkwh[i] / KWH));
        }
    }
    return text;
}

static void check_grid(void)
{
    struct cost_meter meters[] = {
        meter("grid", "grid_export", 1, TOLD({ 1, 2 })),
        meter("grid", "grid_import", 1, TOLD({ 0, 5 }, { 1, 1 })),
        meter("heater", "consumption", 1, TOLD({ 0, 3 }, { 100, 4 })),
        meter("roof", "generation", 1, TOLD({ 1, 2 }, { 100, 1 }, { 101, 6 })),
    };
    struct cost_energy out = energy(meters, 4, &UTC, 2);
    is_str(shown(&out), "0:5/0 1:1/2 100:3/0 101:0/6",
           "what stands at the grid counts alone on its days; on others consumption less "
           "generation, quarter hour by quarter hour");
}

static void check_fed(void)
{
    struct cost_meter meters[] = {
        meter("grid", "grid_export", 1, TOLD({ 1, 6 }, { 2, 1 })),
        meter("house", "consumption", 1, TOLD({ 0, 4 }, { 1, 3 }, { 2, 1 })),
        meter("roof", "generation", 1, TOLD({ 1, 8 }, { 2, 5 })),
    };
    struct cost_energy out = energy(meters, 3, &UTC, 1);
    is_str(shown(&out), "0:4/0 1:1/6 2:0/1",
           "where the grid's meter tells what is fed in alone, consumption less generation and "
           "that is what was drawn, at least nothing");
}

static void check_best(void)
{
    struct cost_meter meters[] = {
        meter("m", "consumption", 1, TOLD({ 0, 1 })),
        meter("m", "consumption", 2, TOLD({ 0, 9 }, { 50, 9 }, { 100, 2 })),
        meter("m", "consumption", 3, TOLD({ 101, 9 })),
        meter("n", "consumption", 1, TOLD({ 0, 4 })),
    };
    struct cost_energy out = energy(meters, 4, &UTC, 2);
    is_str(shown(&out), "0:5/0 100:2/0",
           "of a device's role the best series with data that day counts, devices add up");
}

static void check_days(void)
{
    /* the local day begins at 18:15 UTC: quarter 73 is the next day's first */
    struct cost_meter meters[] = {
        meter("m", "consumption", 1, TOLD({ 73, 1 })),
        meter("m", "consumption", 2, TOLD({ 72, 2 }, { 74, 7 })),
    };
    struct cost_energy out = energy(meters, 2, &KATHMANDU, 1);
    is_str(shown(&out), "72:2/0 73:1/0", "days are the site's own");
}

static void check_others(void)
{
    struct cost_meter meters[] = {
        meter("b", "storage", 1, TOLD({ 0, 1 })),
        meter("s", "sub_meter", 1, TOLD({ 0, 2 })),
    };
    struct cost_energy out = energy(meters, 2, &UTC, 1);
    is_str(shown(&out), "", "storage and sub-meters never count");
    is_int(out.known[0], COST_MISSING, "nor is anything known by them");
}

static void check_known(void)
{
    /* a reading a day knows all of it; of two meters that read every quarter hour one is silent */
    struct told all[97] = { { 0, 0 } }, some[49] = { { 0, 0 } };
    for (int i = 0; i < 96; i++) {
        all[i] = (struct told){ i, 1 };
    }
    for (int i = 0; i < 48; i++) {
        some[i] = (struct told){ i, 1 };
    }
    all[96] = some[48] = (struct told){ -1, 0 };
    struct cost_meter daily[] = { meter("m", "grid_import", 1, TOLD({ 40, 24 })) };
    struct cost_energy out = energy(daily, 1, &UTC, 2);
    ok(out.known[0] == COST_WHOLE && out.known[95] == COST_WHOLE, "a reading a day tells all of it");
    is_int(out.known[96], COST_MISSING, "the day after is missing");
    ok(out.is_between[0] && !out.is_between[40] && out.is_between[95] && !out.is_between[96],
       "and is around it, up to the day's end");
    struct told hours[] = { { 2, 1 }, { 6, 1 }, { 10, 1 }, { 18, 1 }, { 19, 1 }, { -1, 0 } };
    struct cost_meter coarse[] = { meter("m", "grid_import", 1, hours) };
    out = energy(coarse, 1, &UTC, 1);
    ok(out.is_between[0] && out.is_between[13] && !out.is_between[14] && !out.is_between[19] &&
           !out.is_between[22],
       "what lies beside a reading at the day's usual distance, 4 quarter hours, is part of it where it is known");
    struct cost_meter fine[] = { meter("m", "grid_import", 1, hours),
                                 meter("n", "grid_import", 1, all) };
    out = energy(fine, 2, &UTC, 1);
    ok(!out.is_between[1] && !out.is_between[95], "not where another meter tells of it");
    struct cost_meter two[] = { meter("a", "consumption", 1, all),
                                meter("b", "consumption", 1, some) };
    out = energy(two, 2, &UTC, 1);
    ok(out.known[47] == COST_WHOLE && out.known[48] == COST_PARTLY && out.known[95] == COST_PARTLY,
       "where one of several is silent it is known in part");
    struct cost_meter export[] = { meter("g", "grid_export", 1, TOLD({ 40, 3 })),
                                   meter("g", "grid_import", 1, all) };
    out = energy(export, 2, &UTC, 1);
    ok(out.known[0] == COST_WHOLE && out.known[90] == COST_WHOLE,
       "what feeds in may be silent beside what draws");
}

/* Of a series that told something from day `first` to day `last`. */
static struct cost_meter alive(struct cost_meter of, const char *metric, const char *kind,
                               int first, int last)
{
    of.metric = metric;
    of.kind = kind;
    of.first_us = DAY0 + first * US_PER_DAY;
    of.last_us = DAY0 + last * US_PER_DAY;
    return of;
}

static void check_silence(void)
{
    struct cost_meter meters[] = {
        alive(meter("grid", "grid_import", 1, TOLD({ 40, 5 }, { 328, 7 })), "m", "delta", 0, 3),
        meter("plug", "consumption", 1, TOLD({ 140, 1 }, { 240, 2 }, { 420, 3 })),
    };
    struct cost_energy out = energy(meters, 2, &UTC, 5);
    is_str(shown(&out), "40:5/0 328:7/0 420:3/0",
           "where the grid's meter tells nothing between other days, no other counts");
    ok(out.known[96] == COST_MISSING && out.known[287] == COST_MISSING &&
           out.known[328] == COST_WHOLE,
       "and the days are missing");
}

static void check_shares(void)
{
    struct told day[98] = { { 0, 0 } }, noon[50] = { { 0, 0 } };
    for (int i = 0; i < 96; i++) {
        day[i] = (struct told){ i, 1 };
        noon[i / 2] = (struct told){ i / 2, 1 };
    }
    day[96] = (struct told){ 130, 1 }; /* a reading of the second day */
    day[97] = noon[48] = (struct told){ -1, 0 };
    struct cost_meter parts[] = {
        alive(meter("m", "consumption", 1, day), "l1_w", "gauge", 0, 2),
        alive(meter("m", "consumption", 1, noon), "l2_w", "gauge", 0, 2),
    };
    struct cost_energy out = energy(parts, 2, &UTC, 2);
    ok(out.import_nkwh[0] == 2 * KWH && out.import_nkwh[95] == KWH, "phases add up");
    ok(out.known[47] == COST_WHOLE && out.known[48] == COST_PARTLY,
       "from when on one of them is silent it is known in part");
    ok(out.known[96] == COST_PARTLY && out.known[191] == COST_PARTLY, "all of a day without it, too");
    parts[0].kind = parts[1].kind = "delta";
    parts[1].last_us = parts[0].last_us = DAY0;
    out = energy(parts, 2, &UTC, 2);
    ok(out.known[95] == COST_WHOLE && out.known[130] == COST_WHOLE,
       "registers may take turns within a day, and end");
}

static void check_limits(void)
{
    int64_t at_us[] = { DAY0, DAY0, DAY0 - COST_QUARTER_US, DAY0 + US_PER_DAY };
    int64_t nkwh[] = { INT64_MAX, 1, KWH, KWH };
    struct cost_meter meters[] = { { .device = "m", .role = "grid_import", .metric = "m",
                                     .kind = "delta", .place = 1, .at_us = at_us, .nkwh = nkwh, .n = 4 } };
    struct cost_energy out = energy(meters, 1, &UTC, 1);
    ok(out.import_nkwh[0] == INT64_MAX, "a sum that cannot be held is the largest, and rated as a "
                                        "fault");
    is_str(shown(&out), "0:9223372036/0", "what lies outside is left out");
}

int main(void)
{
    arena = arena_new(8u << 20);
    op_init(&op, arena, "test");
    check_grid();
    check_fed();
    check_best();
    check_days();
    check_others();
    check_known();
    check_silence();
    check_shares();
    check_limits();
    arena_free(arena);
    return done_testing();
}

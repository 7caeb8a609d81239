/* domain/rating: nothing is lost or counted twice between intervals, days and cycles; versions,
 * missing intervals, ratchets; and how fast it is. Whole bills are in domain_bills. */
#include "domain/bill.h"
#include "domain/span.h"
#include "domain/tariff_read.h"

#include "tap.h"

#include <stdlib.h>

#define HOUR 3600
#define QUARTER_US (15 * US_PER_MINUTE)

static struct arena *arena;
static struct op op;

static const struct tariff_plan *plan_of(const char *text)
{
    struct problems problems;
    char *copy = arena_copy(arena, str_of(text));
    for (char *at = copy; *at; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    problems_init(&problems, arena);
    const struct tariff *tariff = tariff_read(arena, str_of(copy), &problems);
    if (!tariff) {
        diag("%s %s", problems.items[0].field, problems.items[0].detail);
        abort();
    }
    return tariff_compile(arena, tariff);
}

static int64_t day(const char *text)
{
    int64_t out = 0;
    ok(span_day_parse(str_of(text), &out), "%s is a date", text);
    return out;
}

static struct rating_version version(const char *text)
{
    return (struct rating_version){ .plan = plan_of(text), .to_day = TARIFF_NEVER };
}

static const char *amount(struct money money)
{
    static char text[MONEY_TEXT_SIZE];
    return money_format(money, 2, text);
}

/* Quarter hours of [from, to) UTC days with so many nano-kWh each way. */
static void fill(struct rating_input *input, int64_t from_us, int64_t to_us, int64_t nkwh)
{
    size_t n = (size_t)((to_us - from_us) / QUARTER_US);
    struct rating_interval *intervals = arena_array(arena, n, sizeof *intervals);
    for (size_t i = 0; i < n; i++) {
        intervals[i] = (struct rating_interval){ .start_us = from_us + (int64_t)i * QUARTER_US,
                                                 .import_nkwh = nkwh };
    }
    input->intervals = intervals;
    input->n_intervals = n;
}

#define HEAD "'name':'x','timezone':'UTC','currency':'EUR',"
static const struct zone utc = { "UTC", NULL, 0 };

static struct rating rated(const struct rating_input *input)
{
    struct rating rating;
    if (rating_run(&op, input, &rating) != OK) {
        diag("%s", op.fault.detail);
        abort();
    }
    return rating;
}

/* ---- splitting ---- */

/* A window that begins 7 minutes into a quarter hour: 7/15 of 100 nano-kWh are 46.67. */
static void check_split(void)
{
    struct rating_version v = version(
        "{" HEAD "'periods':['a','b'],'windows':[{'period':'a'},{'period':'b','from':'10:07',"
        "'to':'10:11'}],'charges':[{'type':'energy','prices':[{'period':'a','rate':1},"
        "{'period':'b','rate':2}]}]}");
    struct rating_input input = { .versions = &v,
                                  .n_versions = 1,
                                  .zone = &utc,
                                  .from_day = 0,
                                  .to_day = 1,
                                  .as_of_us = INT64_MAX,
                                  .known_until_us = US_PER_DAY,
                                  .has_slots = true };
    fill(&input, 0, US_PER_DAY, 100);
    struct rating rating = rated(&input);
    ok(rating.n_lines == 2 && rating.lines[0].quantity == 96 * 100 - 27 &&
           rating.lines[1].quantity == 27,
       "the minutes from 7 to 11 have floor(73.33) - floor(46.67) = 27 of 100, and nothing is "
       "lost");
    struct money sum = { 0 };
    for (size_t i = 0; i < input.n_intervals; i++) {
        sum = money_add(sum, rating.slots[i].import);
    }
    is_int(money_compare(sum, money_add(rating.lines[0].amount, rating.lines[1].amount)), 0,
           "what intervals cost adds up to the day");
    ok(rating.days[0].n_expected == 96 && rating.days[0].n_missing == 0, "nothing is missing");
}

/* ---- days ---- */

static int64_t at(const char *text)
{
    int64_t time_us = 0;
    ok(clock_parse_rfc3339(str_of(text), &time_us), "%s is a time", text);
    return time_us;
}

/* Days have as many quarter hours as they are long, whatever the zone. */
static void check_days(void)
{
    struct zone_offset berlin[] = { { 0, HOUR },
                                    { at("2024-03-31T01:00:00Z"), 2 * HOUR },
                                    { at("2024-10-27T01:00:00Z"), HOUR } };
    struct zone_offset howe[] = { { 0, 11 * HOUR },
                                  { at("2024-04-06T15:00:00Z"), 21 * HOUR / 2 },
                                  { at("2024-10-05T15:30:00Z"), 11 * HOUR } };
    struct zone_offset nepal[] = { { 0, 5 * HOUR + 45 * 60 } };
    const struct {
        struct zone zone;
        const char *date;
        int quarters;
    } rows[] = {
        { { "Europe/Berlin", berlin, 3 }, "2024-03-30", 96 },
        { { "Europe/Berlin", berlin, 3 }, "2024-03-31", 92 },
        { { "Europe/Berlin", berlin, 3 }, "2024-10-27", 100 },
        { { "Australia/Lord_Howe", howe, 3 }, "2024-04-07", 98 },
        { { "Australia/Lord_Howe", howe, 3 }, "2024-10-06", 94 },
        { { "Asia/Kathmandu", nepal, 1 }, "2024-04-07", 96 },
    };
    struct rating_version v = version("{" HEAD "'charges':[{'type':'energy','rate':1}]}");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t first = day(rows[i].date);
        struct rating_input input = { .versions = &v,
                                      .n_versions = 1,
                                      .zone = &rows[i].zone,
                                      .from_day = first - 1,
                                      .to_day = first + 2,
                                      .as_of_us = INT64_MAX,
                                      .known_until_us = INT64_MAX };
        fill(&input, (first - 2) * US_PER_DAY, (first + 3) * US_PER_DAY, NANO / 4);
        struct rating rating = rated(&input);
        ok(rating.n_lines == 3 && rating.lines[1].quantity == rows[i].quarters * NANO / 4 &&
               rating.days[1].n_expected == rows[i].quarters && rating.days[1].n_missing == 0,
           "%s in %s has %d quarter hours", rows[i].date, rows[i].zone.name, rows[i].quarters);
    }
}

/* ---- what is not known ---- */

/* 900000 x 10000 + 1 = 9000000001 a kWh can be told in billionths, 900000 x 100000 + 1 cannot. */
static void check_vast_price(void)
{
    const struct {
        const char *factor, *amount;
        int unpriced;
    } rows[] = { { "10000", "9000000001.00", 0 }, { "100000", "0.00", 1 }, { "-100000", "0.00", 1 } };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rating_version v = version(arena_printf(
            arena, "{" HEAD "'price_series':[{'name':'spot','minutes':60,'prices':[{'from':"
            "'1970-01-01T00:00:00Z','rate':'900000'}]}],'charges':[{'type':'energy','series':'spot',"
            "'factor':'%s','add':'1'}]}", rows[i].factor));
        struct rating_input input = { .versions = &v,
                                      .n_versions = 1,
                                      .zone = &utc,
                                      .from_day = 0,
                                      .to_day = 1,
                                      .as_of_us = INT64_MAX,
                                      .known_until_us = US_PER_DAY };
        fill(&input, 0, QUARTER_US, NANO);
        struct rating rating = rated(&input);
        is_str(amount(rating.lines[0].amount), rows[i].amount, "900000 x %s + 1", rows[i].factor);
        is_int(rating.lines[0].n_unpriced, rows[i].unpriced, "what is too much has no price");
    }
}

static void check_missing(void)
{
    struct rating_version v = version(
        "{" HEAD "'price_series':[{'name':'spot','minutes':60,'prices':[{'from':"
        "'1970-01-01T00:00:00Z','rate':'0.5'},{'from':'1970-01-01T01:00:00Z','rate':'-0.25'}]}],"
        "'charges':[{'type':'energy','series':'spot','factor':'2','add':'0.1'}]}");
    struct rating_input input = { .versions = &v,
                                  .n_versions = 1,
                                  .zone = &utc,
                                  .from_day = 0,
                                  .to_day = 2,
                                  .as_of_us = INT64_MAX,
                                  .known_until_us = US_PER_DAY + US_PER_HOUR };
    fill(&input, 0, 3 * US_PER_HOUR, NANO);
    struct rating rating = rated(&input);
    struct bill bill;
    ok(rating.days[0].n_missing == 84 && rating.days[0].is_over && rating.days[1].n_expected == 4 &&
           !rating.days[1].is_over,
       "a day that is over lacks what is not there, today what should have come");
    is_str(amount(rating.lines[0].amount), "2.80", "4 x (2 x 0.5 + 0.1) + 4 x (2 x -0.25 + 0.1)");
    is_int(rating.lines[0].quantity, 8 * NANO, "of eight intervals");
    is_int(rating.lines[1].n_unpriced, 4, "four intervals have no price");
    ok(rating.n_lines == 2 && rating.lines[1].quantity == 4 * NANO &&
           money_sign(rating.lines[1].amount) == 0,
       "they are a line of their own");
    check_vast_price();
    ok(bill_make(&op, &rating, 0, 1, &bill) == OK && bill.status == BILL_PROVISIONAL &&
           bill.n_missing == 84,
       "such a bill is provisional");
    /* 2.80 / 8 */
    ok(bill.n_lines == 1 && bill.lines[0].n_unpriced == 4 && bill.lines[0].rate == 350000000,
       "its average price is of what has one");
    ok(bill.lines[0].quantity.nano == 12 * (int64_t)NANO, "and its energy is all of it");
    struct rating_interval faulty[] = { { .start_us = 0, .import_nkwh = RATING_MAX_NKWH + 1 },
                                        { .start_us = QUARTER_US, .is_missing = true } };
    input.intervals = faulty;
    input.n_intervals = 2;
    rating = rated(&input);
    ok(rating.n_lines == 0 && rating.days[0].n_missing == 96,
       "a reading that cannot be is missing");

    struct rating_interval disorder[] = { { .start_us = QUARTER_US }, { .start_us = 0 } };
    input.intervals = disorder;
    ok(rating_run(&op, &input, &rating) == ERR_INVALID, "disorder is refused");
    op_clear_fault(&op);
    input.n_intervals = 0;
    input.to_day = RATING_MAX_DAYS + 1;
    ok(rating_run(&op, &input, &rating) == ERR_INVALID, "and too many days");
    op_clear_fault(&op);
}

/* ---- versions ---- */

static void check_versions(void)
{
    struct rating_version v[] = {
        version("{" HEAD "'charges':[{'type':'energy','tiers':[{'up_to':10,'rate':1},{'rate':2}]},"
                "{'type':'fixed','amount':'31','per':'month'}]}"),
        version("{" HEAD
                "'charges':[{'type':'energy','tiers':[{'up_to':10,'rate':3},{'rate':4}]}]}"),
        version("{" HEAD "'charges':[{'type':'energy','rate':5}]}"),
    };
    v[0].to_day = 15;
    v[1].from_day = 10, v[1].known_since_us = 1;
    v[2].from_day = 20, v[2].known_since_us = 2;
    is_int(rating_version_on(v, 3, 9, INT64_MAX), 0, "the one in force");
    is_int(rating_version_on(v, 3, 12, INT64_MAX), 1, "of two the one known last");
    is_int(rating_version_on(v, 3, 12, 0), 0, "unless that is as of before");
    is_int(rating_version_on(v, 3, 15, 0), -1, "when there was none");
    struct rating_cycle cycle = rating_cycle_of(v, 3, 12, INT64_MAX);
    ok(cycle.from_day == 0 && cycle.to_day == 31, "January is a cycle");

    struct rating_input input = { .versions = v,
                                  .n_versions = 3,
                                  .zone = &utc,
                                  .from_day = 0,
                                  .to_day = 31,
                                  .as_of_us = 1,
                                  .known_until_us = INT64_MAX };
    fill(&input, 0, 31 * US_PER_DAY, NANO / 96);
    struct rating rating = rated(&input);
    struct bill bill;
    ok(bill_make(&op, &rating, 0, 31, &bill) == OK, "a bill over a change of versions");
    /* 96 x floor(1e9/96) is 64 nano-kWh short of 1 kWh a day. Version 0: days 0 to 9, all in tier 1:
     * 10 kWh less 640 nano. Version 1: 640 nano-kWh are left of tier 1, the other 21 kWh less 1344 in tier 2. */
    ok(bill.n_lines == 4 && bill.lines[0].version == 0 && bill.lines[0].tier == 1 &&
           bill.lines[2].version == 1 && bill.lines[2].tier == 1 && bill.lines[3].tier == 2,
       "tiers go on where they were");
    char text[MONEY_TEXT_SIZE];
    is_str(quantity_format(bill.lines[2].quantity, 0, text), "0.00000064", "to the last billionth");
    is_str(quantity_format(bill.lines[3].quantity, 0, text), "20.999998016",
           "on both sides of the bound");
    is_str(amount(bill.lines[1].amount), "10.00", "a month's charge for ten of its days");
    ok(bill.n_days_unpriced == 0 && bill.status == BILL_FINAL, "that is final");
}

/* ---- ratchets ---- */

static void check_ratchet(void)
{
    struct rating_version v = version(
        "{" HEAD "'charges':[{'type':'demand','rate':10,'ratchet':{'percent':80,'cycles':11}}]}");
    const struct rating_peak peaks[] = { { "demand", "", -31, 50 * NANO },
                                         { "demand", "", -400, 500 * NANO },
                                         { "demand:x", "", -31, 500 * NANO } };
    struct rating_input input = { .versions = &v,
                                  .n_versions = 1,
                                  .zone = &utc,
                                  .from_day = 0,
                                  .to_day = 59,
                                  .as_of_us = INT64_MAX,
                                  .known_until_us = INT64_MAX,
                                  .peaks = peaks,
                                  .n_peaks = 3 };
    fill(&input, 0, 59 * US_PER_DAY, NANO);
    struct rating rating = rated(&input);
    ok(rating.n_lines == 2 && rating.lines[0].quantity == 40 * NANO && rating.lines[0].at_us == 0,
       "4 kW were used, 80 %% of 50 are billed");
    is_str(amount(rating.lines[1].amount), "400.00", "in February too: December is two months ago");
    ok(rating.n_peaks == 2 && rating.peaks[1].nkw == 4 * NANO && rating.peaks[1].cycle_day == 31,
       "what was measured is kept for later ones");
}

#define DEMAND(cycles) "'charges':[{'type':'demand','rate':10,'ratchet':{'percent':80" cycles "}}]"
#define EVERY_28_DAYS                                                                              \
    "'billing':{'starts':['2023-01-02','2023-01-30','2023-02-27','2023-03-27','2023-04-24',"       \
    "'2023-05-22','2023-06-19','2023-07-17','2023-08-14','2023-09-11','2023-10-09','2023-11-06',"  \
    "'2023-12-04','2024-01-01']}"
#define AS_READ "'billing':{'day':5,'starts':['2024-03-04','2024-04-03','2024-05-06']}"

/* A tariff of 10 a kW and at least 80 % of what was drawn in so many cycles before; 100 kW on one day,
 * else 4 kW. What the cycle costs: 80 kW x 10 = 800 or 4 kW x 10 = 40, wherever rating begins. */
static const struct {
    const char *tariff, *peak, *cycle, *back, *amount, *said;
    const char *rated_from[2];
} LOOKS[] = {
    { "{" HEAD DEMAND(",'cycles':24") "}", "2022-06-10", "2024-01-01", "2022-01-01", "800.00",
      "24 months before January 2024 begin in January 2022, which June is after",
      { "2021-11-01", "2022-01-01" } },
    { "{" HEAD DEMAND(",'cycles':24") "}", "2022-06-10", "2024-07-01", "2022-07-01", "40.00",
      "24 months before July 2024 begin in July 2022, which June is not", { "2022-06-01", "2022-07-01" } },
    { "{" HEAD DEMAND() "," EVERY_28_DAYS "}", "2023-01-10", "2023-11-06", "2023-01-02", "800.00",
      "11 cycles of 28 days before 11-06 are 308, back to 01-02", { "2023-01-02", "2022-12-01" } },
    { "{" HEAD DEMAND() "," EVERY_28_DAYS "}", "2023-01-10", "2023-12-04", "2023-01-30", "40.00",
      "11 before the thirteenth begin with the second, whatever is rated", { "2023-01-02", "2023-01-30" } },
    { "{" HEAD DEMAND(",'cycles':1") "," AS_READ "}", "2024-05-01", "2024-05-06", "2024-04-03", "800.00",
      "the one cycle before has 33 days", { "2024-04-03", "2024-03-04" } },
};

static const char *demand_from(const struct rating_version *v, size_t row, const char *from)
{
    int64_t cycle_day = day(LOOKS[row].cycle), peak_day = day(LOOKS[row].peak);
    struct rating_input input = { .versions = v,
                                  .n_versions = 1,
                                  .zone = &utc,
                                  .from_day = day(from),
                                  .to_day = rating_cycle_of(v, 1, cycle_day, INT64_MAX).to_day,
                                  .as_of_us = INT64_MAX,
                                  .known_until_us = INT64_MAX };
    struct rating_interval high = { .start_us = peak_day * US_PER_DAY, .import_nkwh = 25 * NANO };
    struct bill bill;
    fill(&input, input.from_day * US_PER_DAY, input.to_day * US_PER_DAY, NANO);
    size_t at = (size_t)(96 * (peak_day - input.from_day));
    struct rating_interval *intervals = arena_array(arena, input.n_intervals, sizeof *intervals);
    memcpy(intervals, input.intervals, input.n_intervals * sizeof *intervals);
    if (peak_day >= input.from_day) {
        intervals[at] = high;
    }
    input.intervals = intervals;
    struct rating rating = rated(&input);
    return bill_make(&op, &rating, cycle_day, input.to_day, &bill) == OK ? amount(bill.total) : "";
}

static void check_looks_back(void)
{
    for (size_t i = 0; i < sizeof LOOKS / sizeof *LOOKS; i++) {
        struct rating_version v = version(LOOKS[i].tariff);
        int cycles = tariff_of(v.plan)->charges[0].ratchet_cycles;
        is_int(rating_cycles_before(&v, 1, day(LOOKS[i].cycle), cycles, INT64_MAX), day(LOOKS[i].back), "%s",
               LOOKS[i].said);
        for (int k = 0; k < 2; k++) {
            is_str(demand_from(&v, i, LOOKS[i].rated_from[k]), LOOKS[i].amount, "rated from %s on",
                   LOOKS[i].rated_from[k]);
        }
        arena_reset(arena);
    }
}

/* A tariff of long cycles, and one of months from day 730 on, which looks 36 cycles back: 24 months and, of
 * 12 more, those cycles that begin up to 1200 days before. */
static void check_looks_far(void)
{
    struct rating_version v[] = {
        version("{" HEAD "'charges':[{'type':'fixed','amount':1,'per':'day'}],'billing':{'starts':['1970-01-01',"
                "'1970-10-01','1971-07-01','1972-01-01']}}"),
        version("{" HEAD DEMAND(",'cycles':36") "}"),
    };
    v[0].to_day = day("1972-01-01");
    v[1].from_day = day("1972-01-01");
    is_int(rating_cycles_before(v, 2, day("1974-01-01"), 36, INT64_MAX), day("1970-10-01"),
           "1970-10-01 is 1188 days before, the cycle before it 1461");
}

/* ---- speed ---- */

static void measure(void)
{
    struct zone_offset la[] = { { 0, -8 * HOUR },
                                { at("2024-03-10T10:00:00Z"), -7 * HOUR },
                                { at("2024-11-03T09:00:00Z"), -8 * HOUR } };
    struct zone zone = { "America/Los_Angeles", la, 3 };
    struct rating_version v = version(
        "{'name':'x','timezone':'America/"
        "Los_Angeles','currency':'USD','periods':['off','peak'],'windows':[{'period':'off'},"
        "{'period':'peak','from':'16:00','to':'21:00'}],'baseline':[{'kwh_per_day':'10'}],'charges'"
        ":[{'type':'energy','prices':"
        "[{'rate':'0.5'},{'period':'peak','rate':'0.6'}]},{'type':'energy','name':'Credit','tiers':"
        "[{'up_to':100,'rate':'-0.1'},"
        "{'rate':0}],'tier_unit':'baseline_percent'},{'type':'export','rate':'0.05'},{'type':'"
        "fixed','amount':1,'per':'day'},"
        "{'type':'tax','percent':10}]}");
    struct rating_input input = { .versions = &v,
                                  .n_versions = 1,
                                  .zone = &zone,
                                  .from_day = day("2024-01-01"),
                                  .to_day = day("2025-01-01"),
                                  .as_of_us = INT64_MAX,
                                  .known_until_us = INT64_MAX };
    fill(&input, input.from_day * US_PER_DAY + 8 * US_PER_HOUR,
         input.to_day * US_PER_DAY + 8 * US_PER_HOUR, NANO / 4);
    int64_t from_us = clock_monotonic_us();
    struct rating rating = rated(&input);
    int64_t took_us = clock_monotonic_us() - from_us;
    diag("a year of quarter hours in %lld us: %lld million intervals/s, %zu lines",
         (long long)took_us, (long long)((int64_t)input.n_intervals / (took_us > 0 ? took_us : 1)),
         rating.n_lines);
    ok(rating.n_lines > 366 * 5 && rating.n_cycles == 12, "a year has twelve cycles");
    int64_t nkwh = 0;
    for (size_t i = 0; i < rating.n_lines; i++) {
        nkwh += rating.lines[i].charge == 0 ? rating.lines[i].quantity : 0;
    }
    is_int(nkwh, (int64_t)input.n_intervals * (NANO / 4), "and no energy is lost or counted twice");
}

int main(void)
{
    arena = arena_new(256 << 20);
    op_init(&op, arena, "test");
    check_split();
    check_days();
    check_missing();
    check_versions();
    check_ratchet();
    check_looks_back();
    check_looks_far();
    measure();
    arena_free(arena);
    return done_testing();
}

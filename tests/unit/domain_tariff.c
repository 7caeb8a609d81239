/* domain/tariff_*: documents are read whole or refused with each field that is wrong; what is
 * written reads back as the same; calendars answer by local date and minute. */
#include "domain/span.h"
#include "domain/tariff_plan.h"
#include "domain/tariff_read.h"
#include "domain/tariff_write.h"

#include "tap.h"

#include <stdlib.h>

static struct arena *arena;

/* With ' for quotes. */
static struct str quoted(const char *text)
{
    char *copy = arena_copy(arena, str_of(text));
    for (char *at = copy; *at; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return str_of(copy);
}

static const struct tariff *read_text(struct str text)
{
    struct problems problems;
    problems_init(&problems, arena);
    const struct tariff *tariff = tariff_read(arena, text, &problems);
    for (int i = 0; i < problems.n; i++) {
        diag("%s %s", problems.items[i].field, problems.items[i].detail);
    }
    if (!tariff) {
        abort();
    }
    return tariff;
}

static struct str written(const struct tariff *tariff)
{
    struct json_writer json;
    struct buf text;
    buf_init(&text, arena, 1 << 20);
    json_writer_init(&json, &text);
    tariff_write(&json, tariff);
    return buf_str(&text);
}

static int64_t day(const char *text)
{
    int64_t out;
    if (!span_day_parse(str_of(text), &out)) {
        diag("no date: %s", text);
        abort();
    }
    return out;
}

/* ---- a document with everything ---- */

static const char FULL[] =
    "{'name':'All there is','description':'For tests','source':'nowhere','timezone':'America/Los_Angeles',"
    "'currency':'USD','valid_from':'2024-01-01','valid_to':'2025-01-01',"
    "'seasons':[{'name':'summer','title':'Summer','from':'06-01','to':'10-16'},"
    "{'name':'winter','from':'10-16','to':'06-01'}],"
    "'holidays':[{'name':'Independence Day','on':'07-04','observed':'sunday_to_monday'},"
    "{'name':'Thanksgiving','month':11,'weekday':'thu','nth':4},{'month':5,'weekday':'mon','nth':-1},"
    "{'month':11,'weekday':'thu','nth':4,'offset':1},{'easter':-2},{'date':'2024-12-24'}],"
    "'periods':['off_peak',{'name':'peak','title':'Peak'},'night'],"
    "'windows':[{'period':'off_peak'},{'period':'peak','days':['weekdays'],'from':'16:00','to':'21:00'},"
    "{'period':'night','from':'22:30','to':'05:07','seasons':['winter']}],"
    "'demand_windows':[{'period':'off_peak'},{'period':'peak','days':['mon','tue'],'from':'12:00','to':'18:00'}],"
    "'baseline':[{'season':'summer','kwh_per_day':'7.5'},{'season':'winter','kwh_per_day':9}],"
    "'price_series':[{'name':'spot','minutes':30,'prices':[{'from':'2024-01-01T00:00:00Z','rate':'-0.01'},"
    "{'from':'2024-01-01T00:30:00Z','rate':'0.25'}]}],"
    "'charges':[{'type':'energy','prices':[{'rate':'0.3'},{'period':'peak','season':'summer','rate':0.61949},"
    "{'period':'night','tiers':[{'up_to':'100','rate':'0.1'},{'up_to':'130.5','rate':'0.2'},{'rate':'0.3'}]}],"
    "'tier_unit':'baseline_percent','tiers_begin':'day','tiers_count':'period'},"
    "{'type':'energy','name':'Spot','series':'spot','factor':'1.03','add':'0.015'},"
    "{'type':'demand','prices':[{'period':'peak','rate':'20'}],"
    "'window_minutes':30,'ratchet':{'percent':'80','cycles':11}},"
    "{'type':'fixed','name':'Meter','amount':'0.39167','per':'day'},"
    "{'type':'fixed','name':'Climate credit','amount':'-55.17','per':'date','dates':['04-01','10-01']},"
    "{'type':'export','rate':'0.05'},{'type':'minimum','amount':'10','per':'month','on':['energy:*','fixed:Meter']},"
    "{'type':'rider','name':'Wildfire','rate':'0.006'},{'type':'rider','name':'City','percent':'2.5','on':['energy']},"
    "{'type':'tax','percent':'7.5'}],"
    "'billing':{'day':31,'starts':['2024-03-05','2024-04-03']},'rounding':{'mode':'half_even','decimals':3}}";

static void check_full(void)
{
    const struct tariff *tariff = read_text(quoted(FULL));
    struct str once = written(tariff);
    const struct tariff *again = read_text(once);
    is_view(written(again), arena_copy(arena, once), "what is written reads back as the same");
    is_int(tariff->n_charges, 10, "ten charges");
    is_int(tariff->charges[0].prices[1].tiers[0].rate, 619490000, "a number is as exact as a text");
    is_int((int64_t)tariff->charges[6].on, 0x0b, "the minimum counts energy of both names and the meter");
    is_int((int64_t)tariff->charges[8].on, 0x01, "a code means the one charge");
    is_int((int64_t)tariff->charges[9].on, 0x1ff, "without a list it is all before it");
    is_str(tariff->charges[1].code, "energy:Spot", "a code is the kind and the name");
    is_int(tariff->series[0].points[1].rate, 250000000, "prices by time are there");
}

static void check_calendar(void)
{
    const struct tariff_plan *plan = tariff_compile(arena, read_text(quoted(FULL)));
    static const struct { const char *day; int minute; enum tariff_use use; const char *period; } rows[] = {
        { "2024-07-03", 16 * 60, TARIFF_IMPORT, "peak" },     /* a Wednesday */
        { "2024-07-03", 16 * 60 - 1, TARIFF_IMPORT, "off_peak" },
        { "2024-07-03", 21 * 60 - 1, TARIFF_IMPORT, "peak" },
        { "2024-07-03", 21 * 60, TARIFF_IMPORT, "off_peak" },
        { "2024-07-04", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* a Thursday, but a holiday */
        { "2024-07-06", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* a Saturday */
        { "2021-07-05", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* the 4th was a Sunday */
        { "2020-07-03", 17 * 60, TARIFF_IMPORT, "peak" },     /* the 4th was a Saturday: as it is */
        { "2024-11-28", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* Thanksgiving */
        { "2024-11-29", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* the day after */
        { "2024-11-27", 17 * 60, TARIFF_IMPORT, "peak" },
        { "2024-05-27", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* the last Monday of May */
        { "2024-05-20", 17 * 60, TARIFF_IMPORT, "peak" },
        { "2024-03-29", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* Good Friday: Easter was 31 March */
        { "2025-04-18", 17 * 60, TARIFF_IMPORT, "off_peak" }, /* Easter was 20 April */
        { "2024-12-24", 17 * 60, TARIFF_IMPORT, "off_peak" },
        { "2024-10-15", 23 * 60, TARIFF_IMPORT, "off_peak" }, /* the last day of summer */
        { "2024-10-16", 23 * 60, TARIFF_IMPORT, "night" },
        { "2024-10-16", 22 * 60 + 29, TARIFF_IMPORT, "off_peak" },
        { "2024-10-16", 22 * 60 + 30, TARIFF_IMPORT, "night" },
        { "2024-10-16", 5 * 60 + 6, TARIFF_IMPORT, "night" }, /* both ends of the same day */
        { "2024-10-16", 5 * 60 + 7, TARIFF_IMPORT, "off_peak" },
        { "2024-02-29", 3 * 60, TARIFF_IMPORT, "night" },
        { "2024-06-01", 3 * 60, TARIFF_IMPORT, "off_peak" },
        { "2024-07-02", 17 * 60, TARIFF_DEMAND, "peak" },     /* a Tuesday */
        { "2024-07-03", 17 * 60, TARIFF_DEMAND, "off_peak" },
        { "2024-07-03", 17 * 60, TARIFF_EXPORT, "peak" },     /* as import */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int period = tariff_period_at(plan, rows[i].use, day(rows[i].day), rows[i].minute);
        is_str(tariff_of(plan)->periods[period].name, rows[i].period, "%s %02d:%02d", rows[i].day,
               rows[i].minute / 60, rows[i].minute % 60);
    }
    is_int(tariff_season_on(plan, day("2024-12-31")), 1, "a season goes over the end of the year");
    ok(tariff_is_holiday(plan, day("2024-07-04")) && !tariff_is_holiday(plan, day("2024-07-05")), "holidays are known");
    const struct tariff_day_plan *sunday = tariff_class_plan(plan, TARIFF_IMPORT, 1, 6);
    ok(sunday == tariff_day_plan(plan, TARIFF_IMPORT, day("2024-11-03")) && sunday->n_segments == 3 &&
           tariff_segment_at(sunday, 5 * 60 + 7) == 1, "a winter's Sunday has three stretches");
    ok(tariff_price_in(plan, 2, 0, 0) == NULL, "demand has a price in its own period alone");
    is_int(tariff_price_in(plan, 0, 1, 1)->tiers[0].rate, 300000000, "the last price that matches holds");
}

/* Easter Sundays of the Astronomical Almanac, among them the earliest and the latest there can be. */
static void check_easter(void)
{
    static const struct { int year; const char *day; } easters[] = {
        { 1983, "1983-04-03" }, { 2000, "2000-04-23" }, { 2008, "2008-03-23" }, { 2011, "2011-04-24" },
        { 2019, "2019-04-21" }, { 2038, "2038-04-25" }, { 2049, "2049-04-18" }, { 2285, "2285-03-22" },
    };
    const struct tariff_holiday rule = { .kind = HOLIDAY_EASTER };
    int64_t found;
    for (size_t i = 0; i < sizeof easters / sizeof *easters; i++) {
        ok(tariff_holiday_in(&rule, easters[i].year, &found) && found == day(easters[i].day), "Easter is on %s",
           easters[i].day);
    }
    struct tariff_holiday fifth = { .kind = HOLIDAY_NTH_WEEKDAY, .month = 2, .nth = 5, .weekday = 3 };
    ok(!tariff_holiday_in(&fifth, 2023, &found), "February 2023 has no fifth Thursday");
    ok(tariff_holiday_in(&fifth, 2024, &found) && found == day("2024-02-29"), "that of 2024 has");
    struct tariff_holiday leap = { .kind = HOLIDAY_YEARLY, .month = 2, .mday = 29 };
    ok(!tariff_holiday_in(&leap, 2023, &found), "nor a 29th");
    struct tariff_holiday new_year = { .kind = HOLIDAY_YEARLY, .month = 1, .mday = 1,
                                       .observed = OBSERVED_NEAREST_WEEKDAY };
    ok(tariff_holiday_in(&new_year, 2022, &found) && found == day("2021-12-31"),
       "a Saturday's New Year is observed in the year before");
    new_year.observed = OBSERVED_NEXT_WEEKDAY;
    ok(tariff_holiday_in(&new_year, 2022, &found) && found == day("2022-01-03"), "or on the Monday behind it");
}

static void check_cycles(void)
{
    struct tariff tariff = { .billing_day = 31 };
    ok(tariff_is_cycle_start(&tariff, day("2024-02-29")) && !tariff_is_cycle_start(&tariff, day("2024-02-28")),
       "the 31st is the last day where there is none");
    tariff.billing_day = 5;
    const int64_t starts[] = { day("2024-03-04"), day("2024-04-03") };
    tariff.billing_days = starts;
    tariff.n_billing_days = 2;
    ok(tariff_is_cycle_start(&tariff, day("2024-02-05")) && tariff_is_cycle_start(&tariff, day("2024-03-04")) &&
           !tariff_is_cycle_start(&tariff, day("2024-03-05")) && tariff_is_cycle_start(&tariff, day("2024-04-03")) &&
           !tariff_is_cycle_start(&tariff, day("2024-04-05")) && tariff_is_cycle_start(&tariff, day("2024-05-05")),
       "dates that are given take the place of the regular ones beside them");
}

static void check_prices(void)
{
    const struct price_point points[] = { { 0, 10, 5 }, { 10, 20, -6 }, { 30, 40, 7 }, { 40, 50, 8 } };
    const struct price_series series = { points, 4 };
    static const struct { int64_t at; bool is_there; int64_t rate; } rows[] = {
        { 0, true, 5 }, { 9, true, 5 }, { 10, true, -6 }, { 19, true, -6 }, { 20, false, 0 }, { 30, true, 7 },
        { 49, true, 8 }, { 50, false, 0 }, { 5, true, 5 }, { -1, false, 0 }, { 40, true, 8 }, { 29, false, 0 },
    };
    size_t hint = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t rate = 0;
        bool is_there = price_series_at(&series, rows[i].at, &hint, &rate);
        ok(is_there == rows[i].is_there && rate == rows[i].rate, "the price at %d", (int)rows[i].at);
    }
    const struct price_series none = { NULL, 0 };
    ok(!price_series_at(&none, 0, &hint, &(int64_t){ 0 }), "of nothing there is no price");
}

/* ---- what is refused ---- */

#define HEAD "'name':'x','timezone':'Europe/Berlin','currency':'EUR'"
#define DOC(rest) "{" HEAD "," rest "}"
#define FLAT "'charges':[{'type':'energy','rate':'0.3'}]"
#define CHARGE(rest) DOC("'charges':[{'type':'energy','rate':1}," rest "]")

static const struct { const char *text, *field, *detail; } REFUSED[] = {
    { "[]", "", "must be an object" },
    { "{", "", "is not JSON" },
    { DOC(FLAT) "x", "", "is not JSON" },
    { "{'timezone':'Europe/Berlin','currency':'EUR'," FLAT "}", "/name", "is missing" },
    { "{'name':'x','currency':'EUR'," FLAT "}", "/timezone", "is missing" },
    { "{'name':'x','timezone':'UTC+3','currency':'EUR'," FLAT "}", "/timezone", "must be a zone" },
    { "{'name':'x','timezone':'UTC'," FLAT "}", "/currency", "is missing" },
    { "{'name':'x','timezone':'UTC','currency':'EURO'," FLAT "}", "/currency", "1 to 3 bytes" },
    { "{'name':'x','timezone':'UTC','currency':'ABC'," FLAT "}", "/currency", "ISO 4217" },
    { DOC(FLAT ",'name':'y'"), "/name", "is there twice" },
    { DOC(FLAT ",'price':1"), "/price", "is not known here" },
    { DOC("'charges':[{'type':'energy','rate':'0.3','tear':1}]"), "/charges/0/tear", "is not known here" },
    { DOC(FLAT ",'a/b~c':1"), "/a~1b~0c", "is not known here" },
    { DOC(FLAT ",'valid_from':'2024-02-30'"), "/valid_from", "must be a date" },
    { DOC(FLAT ",'valid_from':'2024-02-01','valid_to':'2024-02-01'"), "/valid_to", "must be after valid_from" },
    { DOC(FLAT ",'rounding':{'mode':'up'}"), "/rounding/mode", "half_away_from_zero or half_even" },
    { DOC(FLAT ",'rounding':{'decimals':10}"), "/rounding/decimals", "from 0 to 9" },
    { DOC(FLAT ",'seasons':[{'name':'a','from':'01-01','to':'06-01'}]"), "/seasons", "06-01 to 12-31" },
    { DOC(FLAT ",'seasons':[{'name':'a','from':'01-01','to':'06-02'},{'name':'b','from':'06-01','to':'01-01'}]"),
      "/seasons/1", "overlaps season \"a\" on 06-01" },
    { DOC(FLAT ",'seasons':[{'name':'a','from':'02-30','to':'06-02'}]"), "/seasons/0/from", "day of the year" },
    { DOC(FLAT ",'seasons':[{'name':'a','from':'02-01'}]"), "/seasons/0/to", "is missing" },
    { DOC(FLAT ",'holidays':[{'on':'12-25','easter':1}]"), "/holidays/0", "exactly one" },
    { DOC(FLAT ",'holidays':[{'easter':-2,'offset':1}]"), "/holidays/0/offset", "part of easter" },
    { DOC(FLAT ",'holidays':[{'month':11,'weekday':'thu'}]"), "/holidays/0/nth", "is missing" },
    { DOC(FLAT ",'holidays':[{'month':11,'weekday':'thu','nth':0}]"), "/holidays/0/nth", "1 to 5" },
    { DOC(FLAT ",'holidays':[{'month':11,'weekday':'thursday','nth':1}]"), "/holidays/0/weekday", "must be mon" },
    { DOC(FLAT ",'holidays':[3]"), "/holidays/0", "exactly one" },
    { DOC(FLAT ",'periods':['a','a'],'windows':[{'period':'a'}]"), "/periods/1", "another period" },
    { DOC(FLAT ",'periods':['a','b']"), "/windows", "when each period is" },
    { DOC(FLAT ",'periods':['a','b'],'windows':[{'period':'c'}]"), "/windows/0/period", "\"c\" is no period" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','from':'16:00'}]"), "/windows", "00:00 to 16:00" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','days':['weekdays']}]"), "/windows", "Saturdays" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','days':['weekdays','weekends']}],"
          "'holidays':[{'on':'12-25'}]"),
      "/windows", "on holidays" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','days':['Monday']}]"), "/windows/0/days/0", "mon to sun" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','days':[]}]"), "/windows/0/days", "some day" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','seasons':['b']}]"), "/windows/0/seasons/0", "no season" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','from':'25:00'}]"), "/windows/0/from", "time of the day" },
    { DOC(FLAT ",'periods':['a'],'windows':[{'period':'a','from':'10:00','to':'10:00'}]"), "/windows/0/to", "no time" },
    { DOC(FLAT ",'export_windows':[{'period':'all','to':'10:00'}]"), "/export_windows", "10:00 to 24:00" },
    { DOC(FLAT ",'baseline':[{'kwh_per_day':0}]"), "/baseline/0/kwh_per_day", "more than nothing" },
    { DOC(FLAT ",'baseline':[{'season':'summer','kwh_per_day':1}]"), "/baseline/0/season", "no season" },
    { DOC("'charges':[{'type':'energy','tiers':[{'up_to':1,'rate':1},{'rate':2}],'tier_unit':'baseline_percent'}]"),
      "/charges/0", "counts by a baseline" },
    { DOC(FLAT ",'billing':{'day':32}"), "/billing/day", "from 1 to 31" },
    { DOC(FLAT ",'billing':{'starts':['2024-02-01','2024-02-01']}"), "/billing/starts/1", "after the one before" },
    { DOC(FLAT ",'price_series':[{'name':'a','minutes':20}]"), "/price_series/0/minutes", "15, 30 or 60" },
    { DOC(FLAT ",'price_series':[{'name':'a','prices':[{'from':'2024-01-01','rate':1}]}]"),
      "/price_series/0/prices/0/from", "a time with its offset" },
    { DOC(FLAT ",'price_series':[{'name':'a','prices':[{'from':'2024-01-01T00:00:00Z','rate':1},"
          "{'from':'2024-01-01T00:30:00Z','rate':1}]}]"), "/price_series/0/prices/1/from", "overlaps" },
    { DOC(FLAT ",'price_series':[{'name':'a','prices':[{'from':'2024-01-01T00:07:00Z','rate':1}]}]"),
      "/price_series/0/prices/0/from", "quarter hour" },
    { DOC("'charges':[]"), "/charges", "some charge" },
    { DOC("'charges':{}"), "/charges", "must be a list" },
    { DOC("'charges':[{'rate':1}]"), "/charges/0/type", "is missing" },
    { DOC("'charges':[{'type':'energie','rate':1}]"), "/charges/0/type", "must be energy, demand" },
    { DOC("'charges':[{'type':'energy'}]"), "/charges/0", "exactly one of rate, tiers and series" },
    { DOC("'charges':[{'type':'energy','rate':'0,3'}]"), "/charges/0/rate", "must be a decimal" },
    { DOC("'charges':[{'type':'energy','rate':0.1234567891}]"), "/charges/0/rate", "at most 9 decimals" },
    { DOC("'charges':[{'type':'energy','rate':1000000000}]"), "/charges/0/rate", "below a billion" },
    { DOC("'charges':[{'type':'energy','series':'spot'}]"), "/charges/0/series", "no price series" },
    { DOC("'charges':[{'type':'energy','tiers':[]}]"), "/charges/0/tiers", "some tier" },
    { DOC("'charges':[{'type':'energy','tiers':[{'up_to':-5,'rate':1},{'rate':1}]}]"),
      "/charges/0/tiers/0/up_to", "more than nothing" },
    { DOC("'charges':[{'type':'energy','tiers':[{'up_to':5,'rate':1},{'up_to':5,'rate':1},{'rate':1}]}]"),
      "/charges/0/tiers/1/up_to", "more than that of the tier before" },
    { DOC("'charges':[{'type':'energy','tiers':[{'up_to':5,'rate':1}]}]"), "/charges/0/tiers/0/up_to", "no end" },
    { DOC("'charges':[{'type':'energy','tiers':[{'rate':1},{'rate':1}]}]"), "/charges/0/tiers/0/up_to", "missing" },
    { DOC("'charges':[{'type':'energy','prices':[{'season':'summer','rate':1}]}]"),
      "/charges/0/prices/0/season", "no season" },
    { DOC("'periods':['a','b'],'windows':[{'period':'a'},{'period':'b','from':'10:00','to':'12:00'}],"
          "'charges':[{'type':'energy','prices':[{'period':'a','rate':1}]}]"),
      "/charges/0", "no price for period \"b\"" },
    { CHARGE("{'type':'energy','rate':2}"), "/charges/1", "a name of its own" },
    { CHARGE("{'type':'demand','rate':2,'window_minutes':20}"), "/charges/1/window_minutes", "15, 30 or 60" },
    { CHARGE("{'type':'demand','rate':2,'ratchet':{'percent':120}}"), "/charges/1/ratchet/percent", "at most 100" },
    { CHARGE("{'type':'demand','rate':2,'ratchet':{'percent':80,'cycles':37}}"), "/charges/1/ratchet/cycles", "36" },
    { DOC("'charges':[{'type':'demand','rate':2,'ratchet':{'percent':80}}],'billing':{'starts':[" /* 120 days apart */
          "'2020-01-01','2020-04-30','2020-08-28','2020-12-26','2021-04-25',"
          "'2021-08-23','2021-12-21','2022-04-20','2022-08-18','2022-12-16','2023-04-15']}"),
      "/charges/0", "over 11 billing cycles, of which some take 1231 days together: it looks back 1200" },
    { CHARGE("{'type':'fixed','amount':2}"), "/charges/1/per", "is missing" },
    { CHARGE("{'type':'fixed','amount':2,'per':'week'}"), "/charges/1/per", "day, month, year or date" },
    { CHARGE("{'type':'fixed','amount':2,'per':'date'}"), "/charges/1/dates", "some date" },
    { CHARGE("{'type':'fixed','amount':2,'per':'day','dates':['04-01']}"), "/charges/1/dates", "per date" },
    { CHARGE("{'type':'minimum','amount':-2,'per':'month'}"), "/charges/1/amount", "not be negative" },
    { CHARGE("{'type':'minimum','amount':2,'per':'year'}"), "/charges/1/per", "day or month" },
    { CHARGE("{'type':'tax'}"), "/charges/1/percent", "is missing" },
    { CHARGE("{'type':'tax','percent':5,'on':['fixed:*']}"), "/charges/1/on/0", "no charge before this" },
    { DOC("'charges':[{'type':'tax','percent':5}]"), "/charges/0", "must come after" },
    { CHARGE("{'type':'tax','percent':5,'rate':1}"), "/charges/1/rate", "is not known here" },
};

static bool has_problem(const struct problems *problems, const char *field, const char *detail)
{
    for (int i = 0; i < problems->n; i++) {
        if (strcmp(problems->items[i].field, field) == 0 && strstr(problems->items[i].detail, detail)) {
            return true;
        }
    }
    return false;
}

static void check_refused(void)
{
    for (size_t i = 0; i < sizeof REFUSED / sizeof *REFUSED; i++) {
        struct problems problems;
        problems_init(&problems, arena);
        const struct tariff *tariff = tariff_read(arena, quoted(REFUSED[i].text), &problems);
        bool is_told = !tariff && has_problem(&problems, REFUSED[i].field, REFUSED[i].detail);
        if (!ok(is_told, "%s %s", REFUSED[i].field, REFUSED[i].detail)) {
            diag("%s: %d problems, first %s %s", REFUSED[i].text, problems.n_total, problems.items[0].field,
                 problems.items[0].detail);
        }
    }
}

static void check_all_told(void)
{
    struct problems problems;
    problems_init(&problems, arena);
    const char *text = "{'name':1,'timezone':'x y','currency':'eur','charges':[{'type':'energy','rate':'a'},"
                       "{'type':'tax','percent':'b'}],'billing':3,'nonsense':[]}";
    ok(!tariff_read(arena, quoted(text), &problems), "much is wrong");
    is_int(problems.n_total, 7, "and all of it is told at once");

    struct buf many;
    buf_init(&many, arena, 1 << 16);
    buf_add_text(&many, "{");
    for (int i = 0; i < 200; i++) {
        buf_printf(&many, "%s\"m%d\":1", i > 0 ? "," : "", i);
    }
    buf_add_text(&many, "}");
    problems_init(&problems, arena);
    ok(!tariff_read(arena, buf_str(&many), &problems) && problems.n == PROBLEMS_MAX && problems.n_total == 204,
       "as far as somebody can read it");
}

int main(void)
{
    arena = arena_new(64 << 20);
    check_full();
    check_calendar();
    check_easter();
    check_cycles();
    check_prices();
    check_refused();
    check_all_told();
    arena_free(arena);
    return done_testing();
}

/* domain/urdb_*: rates of OpenEI's form become rate schedules that ask the same price at the same
 * hour; what is written as URDB reads back to the same; what cannot be taken over is told. */
#include "domain/span.h"
#include "domain/tariff_plan.h"
#include "domain/tariff_read.h"
#include "domain/tariff_write.h"
#include "domain/urdb.h"

#include "tap.h"

#include <stdlib.h>

static struct arena *arena;

static struct str quoted(const char *text)
{
    char *copy = arena_copy(arena, str_of(text));
    for (char *at = copy; *at; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    return str_of(copy);
}

/* Twelve months of the same hours, written as a run: "8*0,8*1,8*0". */
static void add_hours(struct buf *out, const char *runs)
{
    bool is_first = true;
    buf_add_char(out, '[');
    for (const char *at = runs; *at;) {
        char *end;
        long n = strtol(at, &end, 10), period = strtol(end + 1, &end, 10);
        for (; n > 0; n--, is_first = false) {
            buf_printf(out, "%s%ld", is_first ? "" : ",", period);
        }
        at = *end == ',' ? end + 1 : end;
    }
    buf_add_char(out, ']');
}

/* Summer (June to September) and winter hours. */
static void add_table(struct buf *out, const char *name, const char *winter, const char *summer)
{
    buf_printf(out, ",\"%s\":[", name);
    for (int month = 1; month <= 12; month++) {
        buf_add_text(out, month > 1 ? "," : "");
        add_hours(out, month >= 6 && month <= 9 ? summer : winter);
    }
    buf_add_char(out, ']');
}

/* A commercial rate with everything that URDB has and we have too. */
static struct str full(void)
{
    struct buf out;
    buf_init(&out, arena, 1 << 16);
    buf_add_str(
        &out, quoted("{'items':[{'label':'539f6a1aec4f024411ec8bf5','name':'General "
                     "Service','utility':'Somewhere','uri':'https://x.test/r',"
                     "'startdate':1388563200,'enddate':1420012800,'approved':true,'sector':'"
                     "Commercial','country':'USA',"
                     "'energyratestructure':[[{'max':300,'rate':0.1,'adj':0.005,'unit':'kWh','sell'"
                     ":0.03},{'rate':0.12000000000000001,'sell':0.03}],"
                     "[{'rate':0.2,'unit':'kWh','sell':0.06}],[{'rate':0.3,'sell':0.06}]],"
                     "'demandratestructure':[[{'rate':0}],[{'max':50,'rate':10},{'rate':12}]],'"
                     "demandwindow':30,"
                     "'demandratchetpercentage':[0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8],"
                     "'flatdemandstructure':[[{'rate':4}],[{'rate':6}]],'flatdemandmonths':[0,0,0,"
                     "0,0,1,1,1,1,0,0,0],"
                     "'fixedchargefirstmeter':25.5,'fixedchargeunits':'$/"
                     "month','mincharge':1,'minchargeunits':'$/day'"));
    add_table(&out, "energyweekdayschedule", "8*0,14*1,2*0", "12*0,6*2,6*1");
    add_table(&out, "energyweekendschedule", "24*0", "24*0");
    add_table(&out, "demandweekdayschedule", "24*0", "12*0,6*1,6*0");
    add_table(&out, "demandweekendschedule", "24*0", "24*0");
    buf_add_text(&out, "}]}");
    return buf_str(&out);
}

static const struct tariff *read_urdb(struct str text)
{
    struct problems problems;
    problems_init(&problems, arena);
    const struct tariff *tariff =
        urdb_read(arena, text, STR("America/Denver"), STR("USD"), &problems, NULL);
    for (int i = 0; i < problems.n; i++) {
        diag("%s %s", problems.items[i].field, problems.items[i].detail);
    }
    if (!tariff) {
        abort();
    }
    return tariff;
}

static int64_t day(const char *text)
{
    int64_t out = 0;
    span_day_parse(str_of(text), &out);
    return out;
}

static int64_t rate_at(const struct tariff_plan *plan, int charge, const char *date, int hour)
{
    enum tariff_use use =
        tariff_of(plan)->charges[charge].kind == CHARGE_DEMAND ? TARIFF_DEMAND : TARIFF_IMPORT;
    int period = tariff_period_at(plan, use, day(date), hour * 60);
    return tariff_price_in(plan, charge, tariff_season_on(plan, day(date)), period)->tiers[0].rate;
}

/* 2014-07-02 was a Wednesday, 2014-07-05 a Saturday. Rates with adjustments, in billionths. */
static void check_full(void)
{
    const struct tariff *tariff = read_urdb(full());
    const struct tariff_plan *plan = tariff_compile(arena, tariff);
    is_str(tariff->name, "General Service", "it keeps its name");
    ok(tariff->from_day == day("2014-01-01") && tariff->to_day == day("2015-01-01"),
       "a Pacific midnight is that day, and the last day is in it");
    is_int(tariff->n_seasons, 2, "months that are alike are a season");
    is_int(tariff->n_charges, 6, "energy, export, two kinds of demand, fixed and minimum");
    is_int(rate_at(plan, 0, "2014-07-02", 13), 300000000, "a summer's weekday at one");
    is_int(rate_at(plan, 0, "2014-07-02", 18), 200000000, "at six");
    is_int(rate_at(plan, 0, "2014-07-05", 13), 105000000, "a Saturday: rate and adjustment");
    is_int(rate_at(plan, 0, "2014-10-01", 8), 200000000, "winter, at eight");
    is_int(rate_at(plan, 0, "2014-10-01", 22), 105000000, "at ten in the evening");
    is_int(rate_at(plan, 2, "2014-07-02", 13), 10 * NANO, "demand in its own hours");
    is_int(rate_at(plan, 3, "2014-07-02", 3), 6 * NANO, "flat demand in summer");
    is_int(rate_at(plan, 3, "2014-05-31", 3), 4 * NANO, "and in winter");
    const struct tariff_price *tiers = tariff_price_in(plan, 0, 0, 0);
    ok(tiers->n_tiers == 2 && tiers->tiers[0].up_to == 300 * NANO &&
           tiers->tiers[1].rate == 120000000 && tariff->charges[0].is_tiered_alone,
       "tiers count the energy of their period, without a binary tail");
    ok(tariff->charges[2].demand_minutes == 30 && tariff->charges[2].ratchet_percent == 80 * NANO,
       "window and ratchet");
    ok(tariff->charges[4].amount == 25500000000 && tariff->charges[4].per == PER_MONTH &&
           tariff->charges[5].per == PER_DAY,
       "fixed and minimum");
}

static struct str written(const struct tariff *tariff)
{
    struct problems problems;
    struct json_writer json;
    struct buf text;
    problems_init(&problems, arena);
    buf_init(&text, arena, 1 << 20);
    json_writer_init(&json, &text);
    ok(urdb_write(&json, tariff, &problems), "it can be written as URDB");
    return buf_str(&text);
}

static struct str document(const struct tariff *tariff)
{
    struct json_writer json;
    struct buf text;
    buf_init(&text, arena, 1 << 20);
    json_writer_init(&json, &text);
    tariff_write(&json, tariff);
    return buf_str(&text);
}

static void check_round(void)
{
    const struct tariff *once = read_urdb(full());
    const struct tariff *again = read_urdb(written(once));
    const struct tariff_plan *a = tariff_compile(arena, once), *b = tariff_compile(arena, again);
    int n_same = 0;
    for (int64_t at = day("2014-01-01"); at < day("2015-01-01"); at++) {
        const char *date = span_day_text(arena, at);
        for (int hour = 0; hour < 24; hour++) {
            bool is_same = true;
            for (int charge = 0; charge < 4; charge++) {
                is_same =
                    is_same && rate_at(a, charge, date, hour) == rate_at(b, charge, date, hour);
            }
            n_same += is_same;
        }
    }
    is_int(n_same, 8760, "each hour of the year costs the same when it comes back");
    const char *second = arena_copy(arena, document(again));
    is_view(document(read_urdb(written(again))), second,
            "and the third time nothing changes at all");
}

static const struct {
    const char *text, *field, *detail;
} UNREADABLE[] = {
    { "[]", "", "must be an object" },
    { "{'items':[]}", "/items", "exactly one" },
    { "{'name':'x'}", "/charges", "some charge" },
    { "{'fixedchargefirstmeter':3}", "/name", "is missing" },
    { "{'name':'x','fixedchargefirstmeter':3,'fixedchargeunits':'$/week'}", "/fixedchargeunits",
      "$/day, $/month or $/year" },
    { "{'name':'x','fixedchargefirstmeter':'many'}", "/fixedchargefirstmeter", "must be a number" },
    { "{'name':'x','energyratestructure':[[{'rate':1}]]}", "/energyweekdayschedule", "is missing" },
    { "{'name':'x','energyratestructure':[[{'rate':1}]],'energyweekdayschedule':[[0]],'"
      "energyweekendschedule':3}",
      "/energyweekdayschedule", "a list of 12" },
    { "{'name':'x','flatdemandstructure':[[{'rate':1}]],'flatdemandmonths':[0,0,0,0,0,1,0,0,0,0,0,"
      "0]}",
      "/flatdemandmonths/5", "0 to 0" },
    { "{'name':'x','flatdemandstructure':[3],'flatdemandmonths':[0,0,0,0,0,0,0,0,0,0,0,0]}",
      "/flatdemandstructure/0", "list of tiers" },
    { "{'name':'x','flatdemandstructure':[[{'rate':1,'unit':'hp'}]],'flatdemandmonths':[0,0,0,0,0,"
      "0,0,0,0,0,0,0]}",
      "/flatdemandstructure/0/0/unit", "tiers are of kW" },
    { "{'name':'x','flatdemandstructure':[[{'rate':1},{'rate':2}]],'flatdemandmonths':[0,0,0,0,0,0,"
      "0,0,0,0,0,0]}",
      "/flatdemandstructure/0/0/max", "is missing" },
    { "{'name':'x','fixedmonthlycharge':3,'coincidentratestructure':[[{'rate':1}]]}",
      "/coincidentratestructure", "coincident" },
    { "{'name':'x','fixedmonthlycharge':3,'startdate':'2014'}", "/startdate",
      "seconds since 1970" },
    { "{'name':'x','fixedmonthlycharge':3,'demandratchetpercentage':[0.5,0.6],'flatdemandstructure'"
      ":[[{'rate':1}]],"
      "'flatdemandmonths':[0,0,0,0,0,0,0,0,0,0,0,0]}",
      "/demandratchetpercentage/1", "differs" },
    { "{'name':'x','fixedmonthlycharge':3,'demandunits':'kVA','flatdemandstructure':[[{'rate':1}]],"
      "'flatdemandmonths':[0,0,0,0,0,0,0,0,0,0,0,0]}",
      "/demandunits", "demand is of kW" },
    { "{'name':'x','fixedmonthlycharge':3,'flatdemandunit':'hp','flatdemandstructure':[[{'rate':1}]],"
      "'flatdemandmonths':[0,0,0,0,0,0,0,0,0,0,0,0]}",
      "/flatdemandunit", "demand is of kW" },
};

static bool has_problem(const struct problems *problems, const char *field, const char *detail)
{
    for (int i = 0; i < problems->n; i++) {
        if (!strcmp(problems->items[i].field, field) && strstr(problems->items[i].detail, detail)) {
            return true;
        }
    }
    return false;
}

static void check_unreadable(void)
{
    for (size_t i = 0; i < sizeof UNREADABLE / sizeof *UNREADABLE; i++) {
        struct problems problems;
        problems_init(&problems, arena);
        bool is_told =
            !urdb_read(arena, quoted(UNREADABLE[i].text), STR("UTC"), STR("USD"), &problems, NULL) &&
            has_problem(&problems, UNREADABLE[i].field, UNREADABLE[i].detail);
        if (!ok(is_told, "%s %s", UNREADABLE[i].field, UNREADABLE[i].detail)) {
            diag("%d problems, first %s %s", problems.n_total, problems.items[0].field,
                 problems.items[0].detail);
        }
    }
}

#define HEAD "{'name':'x','timezone':'UTC','currency':'EUR',"
#define ENERGY "'charges':[{'type':'energy','rate':1}"
static const struct {
    const char *text, *field;
} UNSPEAKABLE[] = {
    { HEAD ENERGY "],'holidays':[{'on':'12-25'}]}", "/holidays" },
    { HEAD ENERGY "],'seasons':[{'name':'a','from':'01-15','to':'06-01'},{'name':'b','from':'06-01'"
                  ",'to':'01-15'}]}",
      "/seasons/0" },
    { HEAD ENERGY "],'periods':['a','b'],'windows':[{'period':'a'},{'period':'b','from':'10:30'}]}",
      "/windows" },
    { HEAD ENERGY "],'periods':['a','b'],'windows':[{'period':'a'},{'period':'b','days':['mon']}]}",
      "/windows" },
    { HEAD ENERGY ",{'type':'tax','percent':5}]}", "/charges/1" },
    { HEAD ENERGY ",{'type':'rider','rate':5}]}", "/charges/1" },
    { HEAD ENERGY ",{'type':'energy','name':'b','rate':5}]}", "/charges/1" },
    { HEAD ENERGY ",{'type':'fixed','amount':5,'per':'date','dates':['04-01']}]}", "/charges/1" },
    { HEAD ENERGY ",{'type':'fixed','amount':5,'per':'day'},{'type':'minimum','amount':5,'per':'"
                  "day','on':['energy']}]}",
      "/charges/2" },
    { HEAD "'charges':[{'type':'export','rate':1}]}", "/charges/0" },
    { HEAD "'price_series':[{'name':'s'}],'charges':[{'type':'energy','series':'s'}]}",
      "/charges/0" },
    { HEAD "'baseline':[{'kwh_per_day':1}],'charges':[{'type':'energy','tiers':[{'up_to':100,'rate'"
           ":1},{'rate':2}],"
           "'tier_unit':'baseline_percent'}]}",
      "/charges/0" },
    { HEAD "'periods':['a','b'],'windows':[{'period':'a'},{'period':'b','from':'10:00'}],"
           "'charges':[{'type':'energy','tiers':[{'up_to':100,'rate':1},{'rate':2}]}]}",
      "/charges/0" },
};

static void check_unspeakable(void)
{
    for (size_t i = 0; i < sizeof UNSPEAKABLE / sizeof *UNSPEAKABLE; i++) {
        struct problems problems;
        struct json_writer json;
        struct buf text;
        problems_init(&problems, arena);
        buf_init(&text, arena, 1 << 16);
        json_writer_init(&json, &text);
        const struct tariff *tariff = tariff_read(arena, quoted(UNSPEAKABLE[i].text), &problems);
        ok(tariff && !urdb_write(&json, tariff, &problems) && text.len == 0 &&
               has_problem(&problems, UNSPEAKABLE[i].field, "cannot be said in URDB"),
           "%s: %s", UNSPEAKABLE[i].field,
           problems.n > 0 ? problems.items[0].detail : "nothing is told");
    }
}

/* ---- what is left out ---- */

static void check_left(void)
{
    static const struct {
        const char *more, *left; /* fields */
    } rows[] = {
        { "", "" },
        { ",'utility':'U','label':'l','dgrules':'','energyattrs':[],'peakkwcapacitymin':0", "" },
        { ",'dgrules':'Net Metering','demandunits':'kVA','fixedattrs':[{'a':'1'}]",
          " /dgrules /fixedattrs" },
        { ",'energycomments':'Less fuel','supercedes':'539f'", " /energycomments" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct problems problems, left;
        struct buf fields;
        problems_init(&problems, arena);
        problems_init(&left, arena);
        buf_init(&fields, arena, 1 << 10);
        const struct tariff *tariff = urdb_read(
            arena, quoted(arena_printf(arena, "{'name':'x','fixedmonthlycharge':3%s}", rows[i].more)),
            STR("UTC"), STR("USD"), &problems, &left);
        for (int n = 0; n < left.n; n++) {
            buf_printf(&fields, " %s", left.items[n].field);
        }
        ok(tariff && str_equal(buf_str(&fields), str_of(rows[i].left)), "left out:%s",
           rows[i].left);
    }
}

int main(void)
{
    arena = arena_new(256 << 20);
    check_full();
    check_round();
    check_unreadable();
    check_unspeakable();
    check_left();
    arena_free(arena);
    return done_testing();
}

/* domain/price_import: unit rates and CSV become prices by time; local times across both changes of
 * the clock in London, 2023-03-26 and 2023-10-29. */
#include "domain/money.h"
#include "domain/price_import.h"

#include "tap.h"

static struct arena *arena;
static struct zone_offset offsets[3];
static const struct zone london = { "Europe/London", offsets, 3 };

static int64_t at(const char *text)
{
    int64_t time_us = 0;
    clock_parse_rfc3339(str_of(text), &time_us);
    return time_us;
}

static struct str quoted(const char *text)
{
    char *copy = arena_copy(arena, str_of(text));
    for (char *c = copy; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    return str_of(copy);
}

static const struct price_import pence = { .zone = &london,
                                           .unit_nano = NANO / 100,
                                           .minutes = 30 };

/* Of the supplier's documentation of its API, newest first. */
static const char AGILE[] =
    "{'count':3,'next':null,'previous':null,'results':["
    "{'value_exc_vat':24.549,'value_inc_vat':25.776450000000004,'valid_from':'2023-03-26T01:30:00Z'"
    ",'valid_to':'2023-03-26T02:00:00Z','payment_method':null},"
    "{'value_exc_vat':-1.5,'value_inc_vat':-1.575,'valid_from':'2023-03-26T01:00:00Z','valid_to':'"
    "2023-03-26T01:30:00Z','payment_method':null},"
    "{'value_exc_vat':23.4,'value_inc_vat':24.57,'valid_from':'2023-03-26T00:30:00Z','valid_to':'"
    "2023-03-26T01:00:00Z','payment_method':null}]}";

static void check_json(void)
{
    struct price_import how = pence;
    struct price_series series = { NULL, 0 };
    struct problems problems;
    problems_init(&problems, arena);
    ok(price_import_json(arena, quoted(AGILE), &how, &series, &problems) && series.n == 3,
       "three half hours");
    ok(series.points[0].from_us == at("2023-03-26T00:30:00Z") &&
           series.points[2].to_us == at("2023-03-26T02:00:00Z"),
       "in the order of time");
    is_int(series.points[0].rate, 245700000, "24.57 p are 0.2457");
    is_int(series.points[1].rate, -15750000, "a negative price");
    is_int(series.points[2].rate, 257764500, "without what a binary fraction left");
    how.is_without_tax = true;
    ok(price_import_json(arena, quoted(AGILE), &how, &series, &problems) &&
           series.points[2].rate == 245490000,
       "or without tax");
    const char *open = "{'results':[{'value_inc_vat':30,'valid_from':'2023-01-01T00:00','valid_to':"
                       "'2023-07-01T00:00'},"
                       "{'value_inc_vat':31,'valid_from':'2023-07-01T00:00:00','valid_to':null}]}";
    ok(price_import_json(arena, quoted(open), &pence, &series, &problems) && series.n == 2 &&
           series.points[0].to_us == at("2023-06-30T23:00:00Z") &&
           series.points[1].to_us == CLOCK_MAX_US,
       "a price without an end holds on; local midnight in summer is 23:00 UTC");
}

/* A fixed tariff's prices, each told for two ways to pay. */
static void check_methods(void)
{
    static const char fixed[] =
        "{'results':[{'value_inc_vat':25.7,'valid_from':'2024-07-01T00:00:00Z','valid_to':null,"
        "'payment_method':'DIRECT_DEBIT'},{'value_inc_vat':27.1,'valid_from':'2024-07-01T00:00:00Z',"
        "'valid_to':null,'payment_method':'NON_DIRECT_DEBIT'},{'value_inc_vat':24,'valid_from':"
        "'2024-04-01T00:00:00Z','valid_to':'2024-07-01T00:00:00Z','payment_method':'DIRECT_DEBIT'},"
        "{'value_inc_vat':26,'valid_from':'2024-04-01T00:00:00Z','valid_to':'2024-07-01T00:00:00Z',"
        "'payment_method':'NON_DIRECT_DEBIT'}]}";
    struct price_import how = pence;
    struct price_series series = { NULL, 0 };
    struct problems problems;
    problems_init(&problems, arena);
    ok(price_import_json(arena, quoted(fixed), &how, &series, &problems) && series.n == 2 &&
           series.points[0].rate == 240000000 && series.points[1].rate == 257000000 &&
           series.points[1].to_us == CLOCK_MAX_US,
       "of two ways to pay it is the direct debit");
    how.payment_method = STR("non_direct_debit");
    ok(price_import_json(arena, quoted(fixed), &how, &series, &problems) && series.n == 2 &&
           series.points[0].rate == 260000000 && series.points[1].rate == 271000000,
       "or the one that is asked for");
    how.payment_method = STR("CASH");
    ok(!price_import_json(arena, quoted(fixed), &how, &series, &problems) &&
           strstr(problems.items[0].detail, "has no prices for payment_method CASH"),
       "of another there are none");
}

/* The half hours of a night as local times, and the UTC times that they are. */
static void check_local(void)
{
    struct price_series series = { NULL, 0 };
    struct problems problems;
    problems_init(&problems, arena);
    const char *autumn = "time,price\n2023-10-29T00:30,1\n2023-10-29T01:00,2\n2023-10-29T01:30,"
                         "3\n2023-10-29T01:00,4\n"
                         "2023-10-29T01:30,5\n2023-10-29T02:00,6\n";
    ok(price_import_csv(arena, str_of(autumn), &pence, &series, &problems) && series.n == 6,
       "an hour comes twice");
    bool is_right = true;
    for (size_t i = 0; i < series.n; i++) {
        is_right = is_right && series.points[i].rate == (int64_t)(i + 1) * NANO / 100 &&
                   series.points[i].from_us ==
                       at("2023-10-28T23:30:00Z") + (int64_t)i * 30 * US_PER_MINUTE;
    }
    ok(is_right, "the first two are summer time, and no half hour is lost");
    const char *newest =
        "{'results':[{'value_inc_vat':5,'valid_from':'2023-10-29T01:30:00','valid_to':'2023-10-"
        "29T02:00:00'},"
        "{'value_inc_vat':4,'valid_from':'2023-10-29T01:00:00','valid_to':'2023-10-29T01:30:00'},"
        "{'value_inc_vat':3,'valid_from':'2023-10-29T01:30:00','valid_to':'2023-10-29T01:00:00'},"
        "{'value_inc_vat':2,'valid_from':'2023-10-29T01:00:00','valid_to':'2023-10-29T01:30:00'}]}";
    ok(price_import_json(arena, quoted(newest), &pence, &series, &problems) && series.n == 4 &&
           series.points[0].rate == 2 * NANO / 100 &&
           series.points[0].from_us == at("2023-10-29T00:00:00Z") &&
           series.points[1].to_us == at("2023-10-29T01:00:00Z") &&
           series.points[3].rate == 5 * NANO / 100 &&
           series.points[3].to_us == at("2023-10-29T02:00:00Z"),
       "newest first too");
    const char *spring =
        "from,to,value\n2023-03-26T00:30,2023-03-26T02:00,1\n2023-03-26T02:00,2023-03-26T02:30,2\n";
    ok(price_import_csv(arena, str_of(spring), &pence, &series, &problems) && series.n == 2 &&
           series.points[0].to_us == at("2023-03-26T01:00:00Z"),
       "in spring 00:30 to 02:00 is half an hour");
}

static const struct {
    bool is_csv;
    const char *text, *field, *detail;
} WRONG[] = {
    { false, "[", "", "no list of unit rates" },
    { false, "{}", "", "has no prices" },
    { false, "{'results':[{}]}", "/results/0", "must begin" },
    { false, "{'results':[{'valid_from':'2023-01-01T00:07Z','value_inc_vat':1}]}", "/results/0",
      "quarter hour" },
    { false, "{'results':[{'valid_from':'2023-01-01T00:00:00Z','value_inc_vat':null}]}",
      "/results/0", "must have a price" },
    { false,
      "{'results':[{'valid_from':'2023-01-01T00:00:00Z','valid_to':'2022-01-01T00:00:00Z','value_"
      "inc_vat':1}]}",
      "/results/0", "must end after" },
    { false,
      "{'results':[{'valid_from':'2023-01-01T00:00:00Z','valid_to':'2023-01-01T01:00:00Z','value_"
      "inc_vat':1},"
      "{'valid_from':'2023-01-01T00:30:00Z','valid_to':'2023-01-01T01:00:00Z','value_inc_vat':1}]}",
      "/results/1", "overlaps" },
    { true, "", "", "has no prices" },
    { true, "a,b\n", "line 1", "column time" },
    { true, "time,price\n2023-01-01T00:00Z\n", "line 2", "2 columns" },
    { true, "time,price\n2023-01-01T00:00:00Z,cheap\n", "line 2", "must have a price" },
    { true, "time,price\n\n2023-01-01T00:00:00Z,1\n2023-01-01T00:00:00Z,2\n", "line 4",
      "overlaps" },
    { true, "time,price\n\"2023", "line 2", "not closed" },
};

static void check_wrong(void)
{
    for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
        struct price_series series;
        struct problems problems;
        problems_init(&problems, arena);
        struct str text = quoted(WRONG[i].text);
        if (WRONG[i].is_csv) {
            text = str_of(WRONG[i].text);
        }
        bool is_read = WRONG[i].is_csv ? price_import_csv(arena, text, &pence, &series, &problems)
                                       : price_import_json(arena, text, &pence, &series, &problems);
        ok(!is_read && problems.n > 0 && strcmp(problems.items[0].field, WRONG[i].field) == 0 &&
               strstr(problems.items[0].detail, WRONG[i].detail),
           "%s %s", WRONG[i].field, WRONG[i].detail);
        if (problems.n == 0 || !strstr(problems.items[0].detail, WRONG[i].detail)) {
            diag("%s %s", problems.n > 0 ? problems.items[0].field : "nothing",
                 problems.n > 0 ? problems.items[0].detail : "");
        }
    }
}

int main(void)
{
    arena = arena_new(64 << 20);
    offsets[0] = (struct zone_offset){ 0, 0 };
    offsets[1] = (struct zone_offset){ at("2023-03-26T01:00:00Z"), 3600 };
    offsets[2] = (struct zone_offset){ at("2023-10-29T01:00:00Z"), 0 };
    check_json();
    check_methods();
    check_local();
    check_wrong();
    arena_free(arena);
    return done_testing();
}

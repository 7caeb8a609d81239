/* eGauge's pushes: the first two as meters sent them (a log of landing pads by SEAD Systems, 2015, and
 * one with Korean names), the example of its maker's "Interpreting XML data", and what may be wrong.
 * Hours of what is added up in seconds by Python. */
#include "convention_test.h"

#define HEAD                                                                                   \
    "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n"                                            \
    "<!DOCTYPE group PUBLIC \"-//ESL/DTD eGauge 1.0//EN\" "                                    \
    "\"http://www.egauge.net/DTD/egauge-hist.dtd\">\n"
#define GROUP(data) HEAD "<group serial=\"0x1bcd005d\">\n" data "</group>\n"
#define DATA "<data columns=\"3\" time_stamp=\"0x55036a10\" time_delta=\"60\" epoch=\"0x54914d54\">\n"
#define NAMES " <cname t=\"P\">heater</cname>\n <cname t=\"P\">lamp</cname>\n" \
              " <cname t=\"P\">lamp+</cname>\n"
#define SMALL(rows) "<group serial='m'><data time_stamp='1000' time_delta='1'><cname t='P'>p</cname>" \
                    rows "</data></group>"
#define SMALL_DELTA(rows) "<group serial='m'><data time_stamp='1000' time_delta='1' delta='true'>" \
                          "<cname>n</cname>" rows "</data></group>"
#define ROW(value) "<r><c>" value "</c></r>"

static const struct {
    const char *says, *body;
    enum err err;
    const char *result;
} cases[] = {
    { "two minutes, the newer first",
      GROUP(DATA NAMES " <r><c>-366147</c><c>1350255</c><c>2748</c></r>\n"
                       " <r><c>-362437</c><c>1350258</c><c>2748</c></r>\n</data>\n"), OK,
      "0x1bcd005d @2015-03-13T22:52:00Z heater=-0.1017075 lamp=0.37507083333333335 "
      "lamp+=0.0007633333333333333 | 0x1bcd005d @2015-03-13T22:51:00Z heater=-0.10067694444444444 "
      "lamp=0.3750716666666667 lamp+=0.0007633333333333333" },
    { "numbers of registers, names that are not English",
      HEAD "<group serial=\"0x2a\">\n<data columns=\"3\" time_stamp=\"0x612115a4\" time_delta=\"60\" "
           "epoch=\"0x611f5110\">\n <cname t=\"P\" did=\"0\">SW3-전체</cname>\n"
           " <cname t=\"P\" did=\"1\">SW3-센서1+</cname>\n <cname t=\"P\" did=\"2\">SW3-센서2+</cname>\n"
           " <r><c>-9964805</c><c>232854119</c><c>81294524</c></r>\n</data>\n</group>\n", OK,
      "0x2a @2021-08-21T15:03:00Z SW3-전체=-2.768001388888889 SW3-센서1+=64.68169972222222 "
      "SW3-센서2+=22.581812222222222" },
    { "its maker's example: power, and voltage in millivolts",
      "<group serial=\"0x4e842294\">\n<data columns=\"2\" time_stamp=\"0x564cb0e8\" time_delta=\"60\" "
      "epoch=\"0x55973268\">\n<cname t=\"P\">Grid</cname><cname t=\"V\">L2 Voltage</cname>"
      "<r><c>55357226851</c><c>4511385868513</c></r></data></group>", OK,
      "0x4e842294 @2015-11-18T17:10:00Z Grid=15377.007458611111 L2 Voltage=1253162.7412536112" },
    { "differences, from one data to the next",
      "<group serial='0x1bcd005e'>" "<data columns='1' time_stamp='0x55036c9e' time_delta='1' delta='true'>"
      "<cname t='#'>n</cname><r><c>-379726</c></r><r><c>62</c></r><r><c>204431</c></r></data>"
      "<data time_stamp='0x55036c2c' time_delta='60'><r><c>-204431</c></r><r><c>568</c></r></data>"
      "</group>", OK,
      "0x1bcd005e @2015-03-13T23:02:54Z n=-379726 | 0x1bcd005e @2015-03-13T23:02:53Z n=-379664 | "
      "0x1bcd005e @2015-03-13T23:02:52Z n=-175233 | 0x1bcd005e @2015-03-13T23:01:00Z n=-379664 | "
      "0x1bcd005e @2015-03-13T23:00:00Z n=-379096" },
    { "differences that wrap as 64 bits do", SMALL_DELTA(ROW("9223372036854775807") ROW("1")), OK,
      "m @1970-01-01T00:16:40Z n=9.223372036854776e+18 | m @1970-01-01T00:16:39Z n=-9.223372036854776e+18" },
    { "entities in names",
      "<group serial='m'><data time_stamp='1000' time_delta='1'>"
      "<cname>PHEV (Grg&amp;Bth) &#233;&#xE9;&lt;&gt;&quot;&apos;</cname><r><c>1</c></r></data></group>", OK,
      "m @1970-01-01T00:16:40Z PHEV (Grg&Bth) éé<>\"'=1" },
    { "tags that are not known are passed over", SMALL("<x y='1'><c>7</c><z/></x>" "<r><n>8</n><c>3600000</c></r>"),
      OK, "m @1970-01-01T00:16:40Z p=1" },
    { "comments too, and blanks everywhere",
      "<!-- <r> --> <group  serial = \"m\" >\n<data time_stamp='1000'\n time_delta='1' >"
      "<cname t='P' > p </cname><r ><c > 3600000 </c ></r>\n</data></group>\n", OK,
      "m @1970-01-01T00:16:40Z p=1" },
    { "no rows", SMALL(""), OK, "" },
    { "a value too few", SMALL("<r></r>" ROW("3600000")), OK,
      "m @1970-01-01T00:16:39Z p=1 # 0: a row has fewer values than there are registers" },
    { "a value too many", SMALL("<r><c>1</c><c>2</c></r>"), OK,
      "# 0: a row has more values than there are registers" },
    { "a value that is a word", SMALL(ROW("x")), OK, "# 0: a value is not a whole number" },
    { "an empty value", SMALL("<r><c/></r>"), OK, "# 0: a value is not a whole number" },
    { "a value beyond 64 bits", SMALL(ROW("9223372036854775808")), OK,
      "# 0: a value is not a whole number" },
    { "what builds on such a row", SMALL_DELTA(ROW("x") ROW("1") ROW("2")), OK,
      "# 0: a value is not a whole number # 1: a row it builds on was no good "
      "# 2: a row it builds on was no good" },
    { "no serial number", "<group><data time_stamp='1000' time_delta='1'><cname>n</cname>" ROW("1")
      "</data></group>", OK, "# 0: no device: neither the event names one nor does the token" },
    { "a register without a name", "<group serial='m'><data time_stamp='1' time_delta='1'><cname/>"
      ROW("1") "</data></group>", OK, "# 0: metric is empty" },
    { "no time", "<group serial='m'><data time_delta='1'></data></group>", ERR_INVALID,
      "data has no time_stamp or time_delta that can be read" },
    { "a time that is none", "<group serial='m'><data time_stamp='0xzz' time_delta='1'></data></group>",
      ERR_INVALID, "data has no time_stamp or time_delta that can be read" },
    { "an entity that is not known", "<group serial='m'><data time_stamp='1' time_delta='1'>"
      "<cname>&nbsp;</cname></data></group>", ERR_MALFORMED, "a register's name cannot be read" },
    { "a serial number with one", "<group serial='&x;'></group>", ERR_MALFORMED,
      "the serial number cannot be read" },
    { "another document", "<html><body/></html>", ERR_INVALID,
      "this is no eGauge push: it begins with no group" },
    { "tags that cross", "<group serial='m'><data time_stamp='1' time_delta='1'></group></data>",
      ERR_MALFORMED, "a tag is closed that is not open" },
    { "the end missing", "<group serial='m'><data time_stamp='1' time_delta='1'>", ERR_MALFORMED,
      "the document is cut short" },
    { "nothing", "", ERR_MALFORMED, "this is not XML" },
    { "a tag that does not end", "<group serial='m'", ERR_MALFORMED, "this is not XML" },
    { "an attribute without quotes", "<group serial=m></group>", ERR_MALFORMED, "this is not XML" },
    { "declarations of entities", "<!DOCTYPE group [<!ENTITY a 'b'>]><group serial='m'></group>",
      ERR_MALFORMED, "this is not XML" },
    { "JSON", "{\"registers\":[]}", ERR_INVALID, "this is no eGauge push: it begins with no group" },
};

static void test_pushes(struct convention_test *test)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        convention_begin(test, "POST", "/egauge");
        fake_set(&test->fake, "CONTENT_TYPE", "text/xml");
        test->fake.body = str_of(cases[i].body);
        enum err err = convention_parse(test);
        is_int(err, cases[i].err, "%s", cases[i].says);
        is_str(convention_result(test, err), cases[i].result, "  as it should be");
    }
}

static void test_kinds(struct convention_test *test)
{
    convention_begin(test, "POST", "/egauge");
    test->fake.body = STR(GROUP(DATA NAMES " <cname t=\"V\">L1</cname><cname t=\"T\">t</cname>"
                                           "<r><c>1</c><c>2</c><c>3</c><c>4</c><c>5</c></r></data>"));
    is_int(convention_parse(test), OK, "registers of several types");
    const struct ingest_series *series = test->columns->series;
    ok(series[0].kind == INGEST_GAUGE && str_equal(ingest_unit_of(&series[0]), STR("kWh")),
       "power is energy and may fall");
    ok(series[2].kind == INGEST_COUNTER && str_equal(ingest_unit_of(&series[2]), STR("kWh")), "with + it counts");
    ok(series[3].kind == INGEST_COUNTER && str_equal(ingest_unit_of(&series[3]), STR("Vh")), "voltage counts too");
    ok(series[4].kind == INGEST_GAUGE && ingest_unit_of(&series[4]).len == 0, "others are as they come");
}

static void test_bound(struct convention_test *test)
{
    test->ingest.rules.device = STR("house");
    test->ingest.rules.is_device_bound = true;
    convention_begin(test, "POST", "/egauge");
    test->fake.body = STR(SMALL(ROW("3600000")));
    is_str(convention_result(test, convention_parse(test)), "house @1970-01-01T00:16:40Z p=1",
           "a bound token's device has it");
    test->ingest.rules.is_device_bound = false;
}

static void test_answers(struct convention_test *test)
{
    static const struct ingest_error error = { .detail = "why" };
    static const struct ingest_outcome stored = { .accepted = 2, .duplicates = 1 },
        partial = { .accepted = 1, .rejected = 2, .errors = &error, .n_errors = 1 },
        none = { .rejected = 2, .errors = &error, .n_errors = 1 };

    convention_begin(test, "POST", "/egauge");
    test->fake.body = STR(SMALL(""));
    (void)!convention_parse(test);
    is_str(convention_answer(test, OK, &stored), "200 3 stored\n", "what is stored");
    is_str(convention_answer(test, OK, &partial), "200 1 stored, 2 rejected; the first: why\n",
           "what is stored in part is not to be sent again");
    is_str(convention_answer(test, OK, &none), "422 0 stored, 2 rejected; the first: why\n",
           "what is not stored is said so");
    convention_begin(test, "POST", "/egauge");
    test->fake.body = STR("no");
    is_str(convention_answer(test, convention_parse(test), &stored),
           "422 this is no eGauge push: it begins with no group\n", "what is not understood too");
}

int main(void)
{
    struct convention_test test = { .format = &ingest_format_egauge, .pattern = "/egauge" };

    ingest_test_open(&test.ingest);
    test.ingest.rules.oldest_us = INT64_MIN;
    test_pushes(&test);
    test_kinds(&test);
    test_bound(&test);
    test_answers(&test);
    ingest_test_close(&test.ingest);
    return done_testing();
}

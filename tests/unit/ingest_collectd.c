/* collectd's write_http in JSON: the example of its manual, what its plugins send by types.db, a
 * notification as format_json.c writes it, and what is none. */
#include "convention_test.h"

#define LIST(values, types, names, plugin, instance, type, type_instance)                               \
    "{\"values\":" values ",\"dstypes\":" types ",\"dsnames\":" names ",\"time\":1795175999.250,"       \
    "\"interval\":10.000,\"host\":\"pi\",\"plugin\":\"" plugin "\",\"plugin_instance\":\"" instance     \
    "\",\"type\":\"" type "\",\"type_instance\":\"" type_instance "\"}"
#define AT "pi @2026-11-20T11:59:59.250Z "
#define LOAD LIST("[0.5,0.25,1]", "[\"gauge\",\"gauge\",\"gauge\"]", \
                  "[\"shortterm\",\"midterm\",\"longterm\"]", "load", "", "load", "")

static const struct {
    const char *says, *body;
    enum err err;
    const char *result;
} cases[] = {
    { "the manual's example",
      "[\n{\n\"values\": [197141504, 175136768],\n\"dstypes\": [\"counter\", \"counter\"],\n"
      "\"dsnames\": [\"read\", \"write\"],\n\"time\": 1251533299,\n\"interval\": 10,\n"
      "\"host\": \"leeloo.lan.home.verplant.org\",\n\"plugin\": \"disk\",\n\"plugin_instance\": \"sda\",\n"
      "\"type\": \"disk_octets\",\n\"type_instance\": \"\"\n}\n]\n",
      OK,
      "leeloo.lan.home.verplant.org @2009-08-29T08:08:19Z"
      " disk.disk_octets.read_total{\"plugin_instance\":\"sda\"}=197141504"
      " disk.disk_octets.write_total{\"plugin_instance\":\"sda\"}=175136768" },
    { "several gauges of a plugin named as its type", "[" LOAD "]", OK,
      AT "load.shortterm=0.5 load.midterm=0.25 load.longterm=1" },
    { "one counter with both instances",
      "[" LIST("[4711]", "[\"derive\"]", "[\"value\"]", "cpu", "0", "cpu", "idle") "]", OK,
      AT "cpu_total{\"plugin_instance\":\"0\",\"type_instance\":\"idle\"}=4711" },
    { "a gauge with an instance of its type",
      "[" LIST("[1024]", "[\"gauge\"]", "[\"value\"]", "memory", "", "memory", "used") "]", OK,
      AT "memory{\"type_instance\":\"used\"}=1024" },
    { "absolute values are no counters",
      "[" LIST("[3]", "[\"absolute\"]", "[\"value\"]", "meter", "", "pulses", "") "]", OK, AT "meter.pulses=3" },
    { "what is not known is null",
      "[" LIST("[null,2]", "[\"gauge\",\"gauge\"]", "[\"a\",\"b\"]", "p", "", "p", "") "]", OK, AT "p.b=2" },
    { "nothing known leaves nothing", "[" LIST("[null]", "[\"gauge\"]", "[\"value\"]", "p", "", "p", "") "]",
      OK, "" },
    { "no values, too", "[" LIST("[]", "[]", "[]", "p", "", "p", "") "]", OK, "" },
    { "one without a list around it", LOAD, OK, AT "load.shortterm=0.5 load.midterm=0.25 load.longterm=1" },
    { "meta is passed over, time may be absent, members come in any order",
      "[{\"meta\":{\"x\":[1]},\"type\":\"t\",\"dsnames\":[\"value\"],\"plugin\":\"p\",\"host\":\"pi\","
      "\"values\":[1],\"dstypes\":[\"gauge\"]}]", OK, "pi p.t=1" },
    { "a notification",
      "[{\"labels\":{\"alertname\":\"collectd_cpu\",\"instance\":\"pi\",\"severity\":\"FAILURE\","
      "\"service\":\"collectd\"},\"annotations\":{\"summary\":\"too hot\"},"
      "\"startsAt\":\"2026-11-20T11:59:00.123456789Z\"}]", OK,
      "pi @2026-11-20T11:59:00.123456Z type=notification data={\"labels\":{\"alertname\":\"collectd_cpu\","
      "\"instance\":\"pi\",\"severity\":\"FAILURE\",\"service\":\"collectd\"},"
      "\"annotations\":{\"summary\":\"too hot\"}} +row" },
    { "a plugin named host hides no instance, wherever it stands",
      "[{\"labels\":{\"instance\":\"pi\",\"host\":\"0\"}},{\"labels\":{\"host\":\"0\",\"instance\":\"pi\"}}]", OK,
      "pi type=notification data={\"labels\":{\"instance\":\"pi\",\"host\":\"0\"},\"annotations\":{}} +row"
      " | pi type=notification data={\"labels\":{\"host\":\"0\",\"instance\":\"pi\"},\"annotations\":{}} +row" },
    { "a notification that says little, in other words", "[{\"labels\":{\"host\":\"pi\"}}]", OK,
      "pi type=notification data={\"labels\":{\"host\":\"pi\"},\"annotations\":{}} +row" },
    { "an empty list", "[]", OK, "" },
    { "one bad among good ones", "[7," LOAD ",{\"host\":\"pi\"}]", OK,
      AT "load.shortterm=0.5 load.midterm=0.25 load.longterm=1 # 0: a value list is an object"
         " # 2: plugin is missing" },
    { "fewer names than values", "[" LIST("[1,2]", "[\"gauge\"]", "[\"value\"]", "p", "", "p", "") "]", OK,
      "# 0: values, dsnames and dstypes differ in number" },
    { "a text among the values", "[" LIST("[\"1\"]", "[\"gauge\"]", "[\"value\"]", "p", "", "p", "") "]", OK,
      "# 0: a value is neither a number nor null" },
    { "values that are no list", "[" LIST("1", "[\"gauge\"]", "[\"value\"]", "p", "", "p", "") "]", OK,
      "# 0: values is not a list" },
    { "a number for a plugin", "[{\"host\":\"pi\",\"plugin\":7}]", OK,
      "# 0: host, plugin, type and their instances are texts" },
    { "no host", "[{\"plugin\":\"p\",\"type\":\"t\",\"values\":[1],\"dsnames\":[\"v\"],\"dstypes\":[\"gauge\"]}]",
      OK, "# 0: host is missing" },
    { "a time in words", "[{\"time\":\"now\"}]", OK, "# 0: time is not a number" },
    { "a notification of no host", "[{\"labels\":{\"a\":\"b\"}}]", OK,
      "# 0: the notification's host or time is wrong" },
    { "an empty body", "", ERR_MALFORMED, "the body is not JSON: unexpected end at byte 0" },
    { "PUTVAL", "PUTVAL pi/load/load interval=10 N:1:2:3", ERR_MALFORMED,
      "the body is not JSON: a value was expected at byte 0" },
    { "cut short", "[" LOAD ",", ERR_MALFORMED, NULL },
    { "more behind it", "[]x", ERR_MALFORMED, "the body is not JSON: more after the list at byte 2" },
    { "NaN, which collectd writes as null", "[{\"values\":[NaN]}]", ERR_MALFORMED, NULL },
};

static void test_answers(struct convention_test *test)
{
    static const struct ingest_error errors[] = {
        { .index = 1, .code = ERR_INVALID, .field = NULL, .detail = "host is missing" },
    };
    static const struct ingest_outcome stored = { .accepted = 1 },
                                       some = { .accepted = 2, .rejected = 1, .errors = errors, .n_errors = 1 };

    is_str(convention_answer(test, OK, &stored), "200 ", "stored: 200 and nothing else");
    const char *partly = convention_answer(test, OK, &some);
    ok(strncmp(partly, "422 {", 5) == 0 && strstr(partly, "\"index\":1,\"detail\":\"host is missing\""),
       "in part: a problem that says which");
}

int main(void)
{
    struct convention_test test = { .format = &ingest_format_collectd, .pattern = "/collectd" };

    ingest_test_open(&test.ingest);
    test.ingest.rules.oldest_us = INT64_MIN;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        convention_begin(&test, "POST", "/collectd");
        fake_body(&test.fake, "application/json", cases[i].body);
        enum err err = convention_parse(&test);
        is_int(err, cases[i].err, "%s: %s", cases[i].says, err ? "refused" : "read");
        if (cases[i].result) {
            is_str(convention_result(&test, err), cases[i].result, "  with the right result");
        }
    }
    convention_begin(&test, "POST", "/collectd");
    fake_body(&test.fake, "application/json", "[]");
    ok(convention_parse(&test) == OK, "a request to answer");
    test_answers(&test);
    ingest_test_close(&test.ingest);
    return done_testing();
}

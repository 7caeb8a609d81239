/* PVOutput's addstatus, addbatchstatus and addoutput: parameters and data as its API specification
 * has them, in Berlin, whose clocks went back on 25 October 2026 and forth on 29 March. Instants by
 * `date -u -d 'TZ="Europe/Berlin" …'`. */
#include "convention_test.h"

#define FORM "application/x-www-form-urlencoded"

static const struct zone_offset OFFSETS[] = {
    { INT64_C(1761440400000000), 3600 }, /* 2025-10-26T01:00Z */
    { INT64_C(1774746000000000), 7200 }, /* 2026-03-29T01:00Z */
    { INT64_C(1792890000000000), 3600 }, /* 2026-10-25T01:00Z */
};
static const struct zone BERLIN = { "Europe/Berlin", OFFSETS, 3 };

struct expectation {
    const char *says, *sent; /* the query, or a form */
    enum err err;
    const char *result;
};

static const struct expectation statuses[] = {
    { "the specification's example", "?d=20261120&t=12:10&v1=1000&v2=150", OK,
      "77 @2026-11-20T11:10:00Z generation_today_wh_total=1000 generation_w=150" },
    { "all values", "?d=20261120&t=12:10&v1=1&v2=2&v3=3&v4=4&v5=-5.5&v6=230.7&v7=7&v12=12&m1=cloudy", OK,
      "77 @2026-11-20T11:10:00Z generation_today_wh_total=1 generation_w=2 consumption_today_wh_total=3"
      " consumption_w=4 temperature_c=-5.5 voltage_v=230.7 v7=7 v12=12 data={\"message\":\"cloudy\"} +row" },
    { "c1=1: both energies of a life", "?d=20261120&t=12:10&v1=1&v3=3&c1=1", OK,
      "77 @2026-11-20T11:10:00Z generation_wh_total=1 consumption_wh_total=3" },
    { "c1=2: generation alone", "?d=20261120&t=12:10&v1=1&v3=3&c1=2", OK,
      "77 @2026-11-20T11:10:00Z generation_wh_total=1 consumption_today_wh_total=3" },
    { "c1=3: consumption alone", "?d=20261120&t=12:10&v1=1&v3=3&c1=3", OK,
      "77 @2026-11-20T11:10:00Z generation_today_wh_total=1 consumption_wh_total=3" },
    { "n=1: net export and import", "?d=20261120&t=12:10&v2=500&v4=0&n=1", OK,
      "77 @2026-11-20T11:10:00Z grid_export_w=500 grid_import_w=0" },
    { "in summer", "?d=20260820&t=12:10&v2=1", OK,
      "# 0: time is older than raw samples are kept" },
    { "in late summer", "?d=20260920&t=12:10&v2=1", OK, "77 @2026-09-20T10:10:00Z generation_w=1" },
    { "the hour that comes twice, long ago", "?d=20261025&t=02:30&v2=1", OK,
      "77 @2026-10-25T00:30:00Z generation_w=1" },
    { "before it", "?d=20261025&t=01:59&v2=1", OK, "77 @2026-10-24T23:59:00Z generation_w=1" },
    { "after it", "?d=20261025&t=03:00&v2=1", OK, "77 @2026-10-25T02:00:00Z generation_w=1" },
    { "a time with one digit and seconds", "?d=2026-11-20&t=9:05:30&v2=1", OK,
      "77 @2026-11-20T08:05:30Z generation_w=1" },
    { "no values among others", "?d=20261120&t=12:10&v1=-1&v2=&v3=NaN&v4=5", OK,
      "77 @2026-11-20T11:10:00Z consumption_w=5" },
    { "no date", "?t=12:10&v1=1", OK, "# 0: Missing required data" },
    { "no time", "?d=20261120&v1=1", OK, "# 0: Missing required data" },
    { "no value", "?d=20261120&t=12:10", OK, "# 0: Missing required data" },
    { "a word", "?d=20261120&t=12:10&v1=many", OK, "# 0: Could not read v1" },
    { "an impossible date", "?d=20260230&t=12:10&v1=1", OK, "# 0: Could not read date or time" },
    { "an impossible time", "?d=20261120&t=24:10&v1=1", OK, "# 0: Could not read date or time" },
    { "a date that is none", "?d=today&t=12:10&v1=1", OK, "# 0: Could not read date or time" },
    { "a time that is none", "?d=20261120&t=noon&v1=1", OK, "# 0: Could not read date or time" },
};

static const struct expectation batches[] = {
    { "the specification's form", "data=20261120,12:00,1000,150;20261120,12:05,1020,160;", OK,
      "77 @2026-11-20T11:00:00Z generation_today_wh_total=1000 generation_w=150"
      " | 77 @2026-11-20T11:05:00Z generation_today_wh_total=1020 generation_w=160" },
    { "missing values as -1 and as nothing", "data=20261120,12:00,-1,-1,2000,210,,240.5", OK,
      "77 @2026-11-20T11:00:00Z consumption_today_wh_total=2000 consumption_w=210 voltage_v=240.5" },
    { "extended values", "c1=1&data=20261120,12:00,10,,,,,,1,2,3,4,5,6", OK,
      "77 @2026-11-20T11:00:00Z generation_wh_total=10 v7=1 v8=2 v9=3 v10=4 v11=5 v12=6" },
    { "the hour that comes twice, in order",
      "data=20261025,01:30,,1;20261025,02:00,,2;20261025,02:30,,3;20261025,02:00,,4;20261025,02:30,,5;"
      "20261025,03:00,,6",
      OK,
      "77 @2026-10-24T23:30:00Z generation_w=1 | 77 @2026-10-25T00:00:00Z generation_w=2"
      " | 77 @2026-10-25T00:30:00Z generation_w=3 | 77 @2026-10-25T01:00:00Z generation_w=4"
      " | 77 @2026-10-25T01:30:00Z generation_w=5 | 77 @2026-10-25T02:00:00Z generation_w=6" },
    { "one bad among good ones", "data=20261120,12:00,,1;oops;20261120,12:10,,x;20261120,12:15,,4", OK,
      "77 @2026-11-20T11:00:00Z generation_w=1 | 77 @2026-11-20T11:15:00Z generation_w=4"
      " # 1: Missing required data # 2: Could not read v2" },
    { "no data", "c1=1", ERR_INVALID, "Missing required data" },
};

static const struct expectation outputs[] = {
    { "data", "data=20261119,15000", OK,
      "77 @2026-11-18T23:00:00Z type=output data={\"date\":\"20261119\",\"generation_wh\":15000} +row" },
    { "all of it", "data=20261119,15000,7000,3200,12:40,Fine,-1.5,8,all well,1,2,3,9000;20261118,1", OK,
      "77 @2026-11-18T23:00:00Z type=output data={\"date\":\"20261119\",\"generation_wh\":15000,\"export_wh\":7000,"
      "\"peak_power_w\":3200,\"peak_time\":\"12:40\",\"condition\":\"Fine\",\"min_temperature_c\":-1.5,"
      "\"max_temperature_c\":8,\"comments\":\"all well\",\"import_peak_wh\":1,\"import_off_peak_wh\":2,"
      "\"import_shoulder_wh\":3,\"consumption_wh\":9000} +row"
      " | 77 @2026-11-17T23:00:00Z type=output data={\"date\":\"20261118\",\"generation_wh\":1} +row" },
    { "parameters", "d=20260920&g=5&c=7&ih=1", OK,
      "77 @2026-09-19T22:00:00Z type=output data={\"date\":\"20260920\",\"generation_wh\":5,\"consumption_wh\":7,"
      "\"import_high_shoulder_wh\":1} +row" },
    { "no date", "g=5", OK, "# 0: Could not read date" },
    { "a word", "data=20261119,many", OK, "# 0: Could not read g" },
};

static void check(struct convention_test *test, const struct expectation *rows, size_t n,
                  const char *path)
{
    char target[512];

    test->pattern = path;
    for (size_t i = 0; i < n; i++) {
        bool is_query = rows[i].sent[0] == '?';
        (void)snprintf(target, sizeof target, "%s%s", path, is_query ? rows[i].sent : "");
        convention_begin(test, is_query ? "GET" : "POST", target);
        fake_set(&test->fake, "HTTP_X_PVOUTPUT_SYSTEMID", "77");
        if (!is_query) {
            fake_body(&test->fake, FORM, rows[i].sent);
        }
        enum err err = convention_parse(test);
        is_int(err, rows[i].err, "%s: %s", rows[i].says, err ? "refused" : "read");
        is_str(convention_result(test, err), rows[i].result, "  with the right result");
    }
}

/* What is said as it happens, in the second of two hours. */
static void test_live(struct convention_test *test)
{
    const struct ingest_rules before = test->ingest.rules;

    test->format = &ingest_format_pvoutput_status;
    test->pattern = "/service/r2/addstatus.jsp";
    test->ingest.rules.now_us = INT64_C(1792891920000000); /* 2026-10-25T01:32Z */
    test->ingest.rules.newest_us = test->ingest.rules.now_us + US_PER_DAY;
    convention_begin(test, "GET", "/service/r2/addstatus.jsp?sid=77&d=20261025&t=02:30&v2=1");
    is_str(convention_result(test, convention_parse(test)), "77 @2026-10-25T01:30:00Z generation_w=1",
           "the hour that comes twice, as it happens: the second");
    test->ingest.rules.now_us -= US_PER_HOUR;
    convention_begin(test, "GET", "/service/r2/addstatus.jsp?sid=77&d=20261025&t=02:30&v2=1");
    is_str(convention_result(test, convention_parse(test)), "77 @2026-10-25T00:30:00Z generation_w=1",
           "an hour before: the first");
    test->ingest.rules = before;
}

static void test_answers(struct convention_test *test)
{
    static const struct ingest_error errors[] = {
        { .index = 1, .code = ERR_INVALID, .field = "v", .detail = "Could not read v1" },
    };
    static const struct ingest_outcome stored = { .accepted = 1 },
                                       none = { .rejected = 1, .errors = errors, .n_errors = 1 },
                                       some = { .accepted = 2, .rejected = 1, .errors = errors, .n_errors = 1 };

    test->format = &ingest_format_pvoutput_status;
    test->pattern = "/service/r2/addstatus.jsp";
    convention_begin(test, "GET", "/service/r2/addstatus.jsp?d=20261120&t=12:10&v1=1");
    enum err err = convention_parse(test);
    is_str(convention_answer(test, err, &stored), "200 OK 200: Added Status", "a status");
    is_str(convention_answer(test, err, &none), "400 Bad request 400: Could not read v1", "a bad one");
    err = fail(&test->ingest.op, ERR_UNAUTHORIZED, "x");
    is_str(convention_answer(test, err, NULL), "401 Unauthorized 401: Invalid API Key", "a bad key");
    op_clear_fault(&test->ingest.op);
    err = fail(&test->ingest.op, ERR_FORBIDDEN, "no");
    is_str(convention_answer(test, err, NULL), "403 Forbidden 403: no", "a key of another kind");

    test->format = &ingest_format_pvoutput_batch;
    test->pattern = "/service/r2/addbatchstatus.jsp";
    convention_begin(test, "GET",
                     "/service/r2/addbatchstatus.jsp?data=20110327,15:40,1;20110327,15:45,x;20110327,15:50,1");
    err = convention_parse(test);
    is_str(convention_answer(test, err, &some), "200 20110327,15:40,1;20110327,15:45,0;20110327,15:50,1",
           "a batch says which were added");
    test->format = &ingest_format_pvoutput_output;
    test->pattern = "/service/r2/addoutput.jsp";
    convention_begin(test, "GET", "/service/r2/addoutput.jsp?data=20261119,1");
    err = convention_parse(test);
    is_str(convention_answer(test, err, &stored), "200 OK 200: Added Output", "an output");
}

static void test_whose(struct convention_test *test)
{
    test->format = &ingest_format_pvoutput_status;
    test->pattern = "/service/r2/addstatus.jsp";
    convention_begin(test, "GET", "/service/r2/addstatus.jsp?d=20261120&t=12:10&v2=1");
    is_str(convention_result(test, convention_parse(test)),
           "# 0: no device: neither the event names one nor does the token", "no system, no device");
    test->ingest.rules.device = STR("roof");
    test->ingest.rules.is_device_bound = true;
    convention_begin(test, "GET", "/service/r2/addstatus.jsp?sid=77&d=20261120&t=12:10&v2=1");
    is_str(convention_result(test, convention_parse(test)), "roof @2026-11-20T11:10:00Z generation_w=1",
           "a bound token's device whatever the system's number");
}

int main(void)
{
    struct convention_test test = { 0 };

    ingest_test_open(&test.ingest);
    test.ingest.rules.zone = &BERLIN;
    test.format = &ingest_format_pvoutput_status;
    check(&test, statuses, sizeof statuses / sizeof *statuses, "/service/r2/addstatus.jsp");
    test.format = &ingest_format_pvoutput_batch;
    check(&test, batches, sizeof batches / sizeof *batches, "/service/r2/addbatchstatus.jsp");
    test.format = &ingest_format_pvoutput_output;
    check(&test, outputs, sizeof outputs / sizeof *outputs, "/service/r2/addoutput.jsp");
    test_live(&test);
    test_answers(&test);
    test_whose(&test);
    ingest_test_close(&test.ingest);
    return done_testing();
}

/* CSV as RFC 4180 writes it, and what people write for times. */
#include "ingest_test.h"

#include "base/csv.h"
#include "ingest/import_csv.h"

/* ---- records and fields ---- */

static const struct {
    const char *text;   /* a whole file */
    const char *fields; /* of its first record, each in brackets; NULL: broken */
    int rest;           /* bytes behind it; -1: it does not end */
    unsigned lines;
} records[] = {
    { "a,b,c\n1,2,3\n", "[a][b][c]", 6, 1 },
    { "a,b\r\nc", "[a][b]", 1, 1 },
    { "a", "[a]", 0, 1 },
    { "a,", "[a][]", 0, 1 },
    { ",\n", "[][]", 0, 1 },
    { "\n", "", 0, 1 },
    { "\r\n", "", 0, 1 },
    { "\"a\",\"b,c\"\n", "[a][b,c]", 0, 1 },
    { "\"a\nb\",c\nd", "[a\nb][c]", 1, 2 },
    { "\"say \"\"hi\"\"\",x", "[say \"hi\"][x]", 0, 1 },
    { "\"\",\"\"\n", "[][]", 0, 1 },
    { "\"\"\"\"", "[\"]", 0, 1 },
    { " a , b ", "[ a ][ b ]", 0, 1 },
    { "a\"b,c\n", NULL, 0, 1 },
    { "\"a\"b,c\n", NULL, 0, 1 },
    { "\"a\n", NULL, -1, 0 },
    { "a,\"b\nc,d\n", NULL, -1, 0 },
    { "1,2,3,4,5\n", NULL, 0, 1 }, /* more than the four there is room for */
};

static void test_records(struct ingest_test *test)
{
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        char *text = arena_copy(test->arena, str_of(records[i].text));
        size_t whole = strlen(text);
        struct str fields[4];
        struct buf shown;
        unsigned lines = 0;
        size_t len = csv_record((struct str){ text, whole }, true, &lines);

        is_int(len ? (int64_t)(whole - len) : -1, records[i].rest, "record %zu ends in its place", i);
        if (!len) {
            continue;
        }
        is_int(lines, records[i].lines, "  and takes its lines");
        bool has_end = text[len - 1] == '\n';
        is_int((int64_t)csv_record((struct str){ text, len }, false, &lines), has_end ? (int64_t)len : 0,
               "  with more to come it ends only with its line");
        int n = csv_split(text, len, fields, 4);
        buf_init(&shown, test->arena, 1024);
        for (int f = 0; f < n; f++) {
            buf_printf(&shown, "[%.*s]", (int)fields[f].len, fields[f].ptr);
        }
        is_str(n < 0 ? NULL : arena_copy(test->arena, buf_str(&shown)), records[i].fields, "  in its fields");
    }
}

/* ---- times ---- */

/* Los Angeles in 2026: clocks go forward on 8 March at 10:00 UTC, back on 1 November at 09:00. */
static const struct zone_offset offsets[] = {
    { INT64_C(1767225600000000), -28800 },
    { INT64_C(1772964000000000), -25200 },
    { INT64_C(1793523600000000), -28800 },
};
static const struct zone los_angeles = { "America/Los_Angeles", offsets, 3 };
static const struct zone utc = { "UTC", NULL, 0 };

static const struct {
    const char *text;
    const struct zone *zone;
    const char *time; /* NULL: none */
} times[] = {
    { "2026-03-01T12:00:00Z", &los_angeles, "2026-03-01T12:00:00Z" },
    { " 2026-03-01T12:00:00+01:00 ", &los_angeles, "2026-03-01T11:00:00Z" },
    { "1772366400", &los_angeles, "2026-03-01T12:00:00Z" },
    { "1772366400250", &los_angeles, "2026-03-01T12:00:00.250Z" },
    { "2026-03-01", &utc, "2026-03-01T00:00:00Z" },
    { "2026/03/01", &utc, "2026-03-01T00:00:00Z" },
    { "2026-03-01 12:30", &utc, "2026-03-01T12:30:00Z" },
    { "2026-03-01T12:30:15", &utc, "2026-03-01T12:30:15Z" },
    { "2026-03-01T12:30:15.5", &utc, "2026-03-01T12:30:15.500Z" },
    { "2026-03-01T12:00", &los_angeles, "2026-03-01T20:00:00Z" },
    { "2026-07-01T12:00", &los_angeles, "2026-07-01T19:00:00Z" },
    { "2026-03-08T01:59:59", &los_angeles, "2026-03-08T09:59:59Z" },
    { "2026-03-08T02:30", &los_angeles, "2026-03-08T10:30:00Z" }, /* skipped: an hour on */
    { "2026-03-08T03:00", &los_angeles, "2026-03-08T10:00:00Z" },
    { "2026-11-01T00:59", &los_angeles, "2026-11-01T07:59:00Z" },
    { "2026-11-01T01:30", &los_angeles, "2026-11-01T08:30:00Z" }, /* twice: the first */
    { "2026-11-01T02:00", &los_angeles, "2026-11-01T10:00:00Z" },
    { "", &utc, NULL },
    { "yesterday", &utc, NULL },
    { "2026-02-30", &utc, NULL },
    { "01/03/2026", &utc, NULL },
    { "2026-03-01T25:00", &utc, NULL },
    { "2026-03-01T12:00:00.000000000000000000000000000", &utc, NULL },
};

static void test_times(void)
{
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        char shown[CLOCK_TEXT_SIZE];
        int64_t time_us = 0;
        bool is_time = import_parse_time(str_of(times[i].text), times[i].zone, &time_us);
        is_str(is_time ? clock_format(time_us, shown) : NULL, times[i].time, "'%s' in %s",
               times[i].text, times[i].zone->name);
    }
}

/* ---- records as events ---- */

static const struct {
    const char *says, *header, *record, *dump;
} events[] = {
    { "long", "device,time,metric,value", "d,1795175999,a,1.5", "d @2026-11-20T11:59:59Z a=1.5" },
    { "in any order, in any case", "Value,Metric,TIME,Device", "1.5,a,1795175999,d",
      "d @2026-11-20T11:59:59Z a=1.5" },
    { "with other columns", "time,unit,device,metric,value", "1795175999,W,d,a,2",
      "d @2026-11-20T11:59:59Z a=2" },
    { "wide", "date,device,a,b", "1795175999,d,1,-2e3", "d @2026-11-20T11:59:59Z a=1 b=-2000" },
    { "wide with nothing in some cells", "time,device,a,b,c,e", "1795175999,d,,NaN,null,4",
      "d @2026-11-20T11:59:59Z e=4" },
    { "wide with truth and text", "time,device,a,b", "1795175999,d,TRUE,\"so \"\"so\"\"\"",
      "d @2026-11-20T11:59:59Z a=1 data={\"b\":\"so \\\"so\\\"\"} +row" },
    { "a value column alone is a metric", "time,device,value", "1795175999,d,3",
      "d @2026-11-20T11:59:59Z value=3" },
    { "no number", "time,device,metric,value", "1795175999,d,a,1x",
      "# 7: the value of \"a\" is not a number" },
    { "no value", "time,device,metric,value", "1795175999,d,a,",
      "# 7: the value of \"a\" is not a number" },
    { "too large", "time,device,metric,value", "1795175999,d,a,1e101",
      "# 7: metric \"a\" is not a finite number of at most 1e100" },
    { "no device", "time,device,metric,value", "1795175999, ,a,1",
      "# 7: no device: neither the event names one nor does the token" },
    { "no readings", "time,device,a", "1795175999,d,", "# 7: telemetry with neither metrics nor data" },
    { "bytes that are no text", "time,device,a", "1795175999,d\xff,1", "# 7: a cell that is not UTF-8" },
    { "too few cells", "time,device,a", "1795175999,d", "# 7: 2 cells where the header has 3 columns" },
};

static void test_events(struct ingest_test *test)
{
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        ingest_test_reset(test);
        struct import_csv csv = { .zone = &utc };
        char *header = arena_copy(test->arena, str_of(events[i].header));
        char *record = arena_copy(test->arena, str_of(events[i].record));
        struct ingest_columns *columns = columns_new(&test->op, &test->rules);

        ok(import_csv_header(&csv, &test->op, header, strlen(header)) == OK, "%s: the header is read",
           events[i].says);
        import_csv_record(&csv, record, strlen(record), 7, columns);
        is_str(ingest_test_dump(test, columns), events[i].dump, "  the record too");
    }
    struct import_csv csv = { .zone = &utc, .time_column = STR("when") };
    char header[] = "time,device,a";
    is_int(import_csv_header(&csv, &test->op, header, strlen(header)), ERR_INVALID,
           "a time column that is asked for has to be there");
    struct import_csv plain = { .zone = &utc };
    char broken[] = "time,device,caf\xe9";
    is_int(import_csv_header(&plain, &test->op, broken, strlen(broken)), ERR_INVALID,
           "a name in another encoding is refused: the metric could not be stored");
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_records(&test);
    test_times();
    test_events(&test);
    ingest_test_close(&test);
    return done_testing();
}

/* Line protocol. What is expected comes from InfluxDB's own pages (docs.influxdata.com: "Line protocol
 * reference" of 1.8, "Line protocol" of 2), from the words of models/points.go, and from what the
 * Python clients influxdb 5.3.2 and influxdb-client 1.49 made of points with everything odd in them. */
#include "ingest_test.h"

#define WEATHER "weather,location=us-midwest"
#define DOC_TIME "1465839830100400200"          /* of the reference's examples */
#define DOC_SHOWN " @2016-06-13T17:43:50.100400Z" /* cut to the microsecond */
#define MIDWEST "{\"location\":\"us-midwest\"}"

static const struct {
    const char *says, *body, *dump;
} kept[] = {
    /* ---- the reference's examples ---- */
    { "a tag, a field and a timestamp", WEATHER " temperature=82 " DOC_TIME,
      "weather" DOC_SHOWN " temperature" MIDWEST "=82" },
    { "no tags", "weather temperature=82 " DOC_TIME, "weather" DOC_SHOWN " temperature=82" },
    { "two tags", WEATHER ",season=summer temperature=82 " DOC_TIME,
      "weather" DOC_SHOWN " temperature{\"location\":\"us-midwest\",\"season\":\"summer\"}=82" },
    { "two fields", WEATHER " temperature=82,bug_concentration=98 " DOC_TIME,
      "weather" DOC_SHOWN " temperature" MIDWEST "=82 bug_concentration" MIDWEST "=98" },
    { "no timestamp: now", WEATHER " temperature=82", "weather temperature" MIDWEST "=82" },
    { "an integer", WEATHER " temperature=82i " DOC_TIME,
      "weather" DOC_SHOWN " temperature" MIDWEST "=82" },
    { "a string", WEATHER " temperature=\"too warm\" " DOC_TIME,
      "weather" DOC_SHOWN " data={\"labels\":" MIDWEST ",\"temperature\":\"too warm\"} +row" },
    { "a boolean", WEATHER " too_hot=true " DOC_TIME,
      "weather" DOC_SHOWN " too_hot" MIDWEST "=1" },
    { "an escaped space in a tag's name", "weather,location\\ place=us-midwest temperature=82",
      "weather temperature{\"location place\":\"us-midwest\"}=82" },
    { "an escaped comma in a tag's value", "weather,location=us\\,midwest temperature=82",
      "weather temperature{\"location\":\"us,midwest\"}=82" },
    { "an escaped equals sign in a field's name", WEATHER " temp\\=rature=82",
      "weather temp=rature" MIDWEST "=82" },
    { "an escaped comma in the measurement", "wea\\,ther,location=us-midwest temperature=82",
      "wea,ther temperature" MIDWEST "=82" },
    { "an escaped space in the measurement", "wea\\ ther,location=us-midwest temperature=82",
      "wea ther temperature" MIDWEST "=82" },
    { "escaped quotes in a string", "weather temperature=\"too\\\"hot\\\"\"",
      "weather data={\"temperature\":\"too\\\"hot\\\"\"} +row" },
    { "a slash in a string", "w s=\"too hot/cold\"", "w data={\"s\":\"too hot/cold\"} +row" },
    { "one backslash in a string", "w s=\"too hot\\cold\"",
      "w data={\"s\":\"too hot\\\\cold\"} +row" },
    { "two backslashes are one", "w s=\"too hot\\\\cold\"",
      "w data={\"s\":\"too hot\\\\cold\"} +row" },
    { "three are two", "w s=\"too hot\\\\\\cold\"", "w data={\"s\":\"too hot\\\\\\\\cold\"} +row" },
    { "four are two", "w s=\"too hot\\\\\\\\cold\"", "w data={\"s\":\"too hot\\\\\\\\cold\"} +row" },
    { "other alphabets", "we⛅️ther,location=us-midwest temperature=82",
      "we⛅️ther temperature" MIDWEST "=82" },
    { "quotes are part of names", "\"weather\",\"l\"='x' 'f'=1", "\"weather\" 'f'{\"\\\"l\\\"\":\"'x'\"}=1" },
    { "2's first example",
      "myMeasurement,tag1=value1,tag2=value2 fieldKey=\"fieldValue\" 1556813561098000000",
      "myMeasurement @2019-05-02T16:12:41.098Z data={\"labels\":{\"tag1\":\"value1\",\"tag2\":\"value2\"}"
      ",\"fieldKey\":\"fieldValue\"} +row" },
    { "2's floats", "m a=1.0,b=1,c=-1.234456e+78", "m a=1 b=1 c=-1.234456e+78" },
    { "2's integers", "m a=1i,b=12485903i,c=-12485903i", "m a=1 b=12485903 c=-12485903" },
    { "2's unsigned integers", "m a=1u,b=12485903u", "m a=1 b=12485903" },
    { "2's words for true", "m a=t,b=T,c=true,d=True,e=TRUE", "m a=1 b=1 c=1 d=1 e=1" },
    { "2's words for false", "m a=f,b=F,c=false,d=False,e=FALSE", "m a=0 b=0 c=0 d=0 e=0" },
    { "2's line end in a string", "m s=\"a\nb\" 1556813561098000000\nm a=1",
      "m @2019-05-02T16:12:41.098Z data={\"s\":\"a\\nb\"} +row | m a=1" },
    { "2's comment", "# This is a comment\nm f=\"quoted\"\n#\n",
      "m data={\"f\":\"quoted\"} +row" },

    /* ---- what the Python clients send ---- */
    { "influxdb-client, everything to escape",
      "h2o\\ feet\\,deep,host=sen\\sor,loc\\ ation=Santa\\=Monica\\,\\ CA level=2.5,n=7i,on=true,s=\"a "
      "\\\"b\\\" \\\\ c\nd\" 1795175999250001000",
      "sen\\sor @2026-11-20T11:59:59.250001Z h2o feet,deep.level{\"loc ation\":\"Santa=Monica, CA\"}=2.5 "
      "h2o feet,deep.n{\"loc ation\":\"Santa=Monica, CA\"}=7 h2o feet,deep.on{\"loc ation\":\"Santa=Monica"
      ", CA\"}=1 data={\"measurement\":\"h2o feet,deep\",\"labels\":{\"loc ation\":\"Santa=Monica, CA\"},"
      "\"s\":\"a \\\"b\\\" \\\\ c\\nd\"} +row" },
    { "influxdb-client, numbers", "m,device=d f=1e-07,g=1,h=123456789012345678i 1795175999250000000",
      "d @2026-11-20T11:59:59.250Z m.f=1e-07 m.g=1 m.h=1.2345678901234568e+17" },
    { "influxdb-client, a tab in a tag", "m,t=tab\\there u\\=v=3i",
      "m u=v{\"t\":\"tab\\\\there\"}=3" },
    { "influxdb-client, other alphabets", "küche,device=Gerät\\ 1 größe=0.30000000000000004",
      "Gerät 1 küche.größe=0.30000000000000004" },
    { "influxdb, all types and common tags",
      "cpu\\ load,core=0,host=server\\ 01,region=us\\,west\\=1,w=back\\\\slash b=True,n=3i,s=\"he said "
      "\\\"hi\\\", bye\\\\\",value=0.64 1795175999250000000\nmem,host=server\\ 01,region=us\\,west\\=1,w=back"
      "\\\\slash free=12345678901234i 1795175999250000000\n",
      "server 01 @2026-11-20T11:59:59.250Z cpu load.b{\"core\":\"0\",\"region\":\"us,west=1\",\"w\":\"back"
      "\\\\\\\\slash\"}=1 cpu load.n{\"core\":\"0\",\"region\":\"us,west=1\",\"w\":\"back\\\\\\\\slash\"}=3 cpu "
      "load.value{\"core\":\"0\",\"region\":\"us,west=1\",\"w\":\"back\\\\\\\\slash\"}=0.64 data={\"measurement\""
      ":\"cpu load\",\"labels\":{\"core\":\"0\",\"region\":\"us,west=1\",\"w\":\"back\\\\\\\\slash\"},\"s\":\"he "
      "said \\\"hi\\\", bye\\\\\"} +row | server 01 @2026-11-20T11:59:59.250Z mem.free{\"region\":\"us,west=1\""
      ",\"w\":\"back\\\\\\\\slash\"}=12345678901234" },

    /* ---- devices, metrics and labels ---- */
    { "the tag device names the device", "power,device=d,host=h watts=3", "d power.watts{\"host\":\"h\"}=3" },
    { "else the tag host", "power,host=h,room=x watts=3", "h power.watts{\"room\":\"x\"}=3" },
    { "else the measurement, which is no prefix then", "power,room=x watts=3",
      "power watts{\"room\":\"x\"}=3" },
    { "a measurement that is the device's name is no prefix either", "power,device=power watts=3",
      "power watts=3" },
    { "labels are sorted", "m,z=1,a=2,k=3 v=1", "m v{\"a\":\"2\",\"k\":\"3\",\"z\":\"1\"}=1" },
    { "of a field given twice the last counts", "m v=1,w=2,v=3", "m v=3 w=2" },
    { "a number and a string in one line", "m,device=d v=1,s=\"x\",w=2",
      "d m.v=1 m.w=2 data={\"measurement\":\"m\",\"s\":\"x\"} +row" },
    { "an empty string", "m s=\"\"", "m data={\"s\":\"\"} +row" },
    { "a string that is not UTF-8 is kept as text", "m s=\"a\xff\"", "m data={\"s\":\"a\\ufffd\"} +row" },

    /* ---- lines ---- */
    { "no body at all", "", "" },
    { "a blank body", " \n\r\n\t\n", "" },
    { "line ends of Windows", "m a=1\r\nm b=2 1795175999250000000\r\n\r\nm c=3\r",
      "m a=1 | m @2026-11-20T11:59:59.250Z b=2 | m c=3" },
    { "blanks before and after", "  m a=1 \n\tm b=2\t\nm   c=3   1795175999250000000   ",
      "m a=1 | m b=2 | m @2026-11-20T11:59:59.250Z c=3" },
    { "a comment with a quote in it", "# it's f=\"x\nm a=1", "m a=1" },
    { "negative times", "m a=1 -1\nm b=2 -1000000001\nm c=3 0",
      "m @1969-12-31T23:59:59.999999Z a=1 | m @1969-12-31T23:59:58.999999Z b=2 | m @1970-01-01T00:00:00Z c=3" },
    { "the earliest and latest times there are",
      "m a=1 -9223372036854775808\nm a=2 -9223372036854775806",
      "m @1677-09-21T00:12:43.145224Z a=1 | m @1677-09-21T00:12:43.145224Z a=2" },

    /* ---- numbers ---- */
    { "zeros before and after", "m a=007,b=1.50,c=-0.0,d=00.5", "m a=7 b=1.5 c=-0 d=0.5" },
    { "a point without digits on one side", "m a=5.,b=.5,c=-.5,d=5.e1", "m a=5 b=0.5 c=-0.5 d=50" },
    { "exponents", "m a=1e3,b=1E3,c=1e+3,d=1e-3", "m a=1000 b=1000 c=1000 d=0.001" },
    { "the largest integers", "m a=9223372036854775807i,b=-9223372036854775808i,c=18446744073709551615u",
      "m a=9.223372036854776e+18 b=-9.223372036854776e+18 c=1.8446744073709552e+19" },
    { "numbers of 17 digits", "m a=98.10000000000001,b=0.30000000000000004",
      "m a=98.10000000000001 b=0.30000000000000004" },
};

static void test_kept(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        ingest_test_reset(test);
        enum err err = ingest_test_parse(test, &ingest_format_influx_1, "", str_of(kept[i].body),
                                         &columns);
        ok(err == OK && columns->n_rejected == 0, "%s: kept", kept[i].says);
        is_str(ingest_test_dump(test, columns), kept[i].dump, "  and read right");
    }
}

/* ---- rejections ---- */

static const struct {
    const char *line, *reason;
} rejected[] = {
    { "cpu", "missing fields" },
    { "cpu ", "missing fields" },
    { "cpu,host=a", "missing fields" },
    { "cpu,host=a ", "missing fields" },
    { "cpu,host=a\\ v=1", "missing fields" },
    { ",host=a v=1", "missing measurement" },
    { ",", "missing measurement" },
    { "cpu, v=1", "missing tag key" },
    { "cpu,host=a, v=1", "missing tag key" },
    { "cpu,=a v=1", "missing tag key" },
    { "cpu,host v=1", "missing tag value" },
    { "cpu,host= v=1", "missing tag value" },
    { "cpu,host=,b=c v=1", "missing tag value" },
    { "cpu,host=a=b v=1", "invalid tag format" },
    { "cpu,host=a,host=b v=1", "duplicate tags" },
    { "cpu,h=\xff v=1", "measurement or tags are not UTF-8" },
    { "cpu \xff=1", "a field's name is not UTF-8" },
    { "cpu \xff=\"x\"", "a field's name is not UTF-8" },
    { "cpu value", "missing field value" },
    { "cpu value ", "missing field value" },
    { "cpu value 1", "missing field value" },
    { "cpu value=", "missing field value" },
    { "cpu value= 1", "missing field value" },
    { "cpu value=,b=1", "missing field value" },
    { "cpu =1", "missing field key" },
    { "cpu ,a=1", "missing field key" },
    { "cpu a=1,,b=1", "missing field key" },
    { "cpu a=1,", "missing field key" },
    { "cpu a=1, 1", "missing field key" },
    { "cpu a=1,b", "missing field value" },
    { "cpu a=one", "invalid boolean" },
    { "cpu a=+1", "invalid boolean" },
    { "cpu a=NaN", "invalid boolean" },
    { "cpu a=Inf", "invalid boolean" },
    { "cpu a=-", "invalid number" },
    { "cpu a=.", "invalid number" },
    { "cpu a=-.", "invalid number" },
    { "cpu a=1e", "invalid number" },
    { "cpu a=1e+", "invalid number" },
    { "cpu a=-inf", "invalid number" },
    { "cpu a=1.5i", "invalid number" },
    { "cpu a=1e3i", "invalid number" },
    { "cpu a=-1u", "invalid number" },
    { "cpu a=9223372036854775808i", "invalid number" },
    { "cpu a=-9223372036854775809i", "invalid number" },
    { "cpu a=18446744073709551616u", "invalid number" },
    { "cpu a=1.2.3", "invalid field format" },
    { "cpu a=0x10", "invalid field format" },
    { "cpu a=1ii", "invalid field format" },
    { "cpu a=1,000", "missing field value" },
    { "cpu a=truex", "invalid field format" },
    { "cpu a=tru", "invalid field format" },
    { "cpu a=\"x", "unbalanced quotes" },
    { "cpu a=\"x\\\"", "unbalanced quotes" },
    { "cpu a=\"x\"y", "invalid field format" },
    { "cpu a='x'", "invalid boolean" },
    { "cpu a=1 now", "bad timestamp" },
    { "cpu a=1 12.5", "bad timestamp" },
    { "cpu a=1 1e9", "bad timestamp" },
    { "cpu a=1 -", "bad timestamp" },
    { "cpu a=1 +1", "bad timestamp" },
    { "cpu a=1 9223372036854775808", "bad timestamp" },
    { "cpu a=1 99999999999999999999", "bad timestamp" },
    { "cpu a=1 1 2", "bad timestamp" },
    { "cpu a=1 1,b=2", "bad timestamp" },
    { "cpu a=1e999", "metric \"a\" is not a finite number of at most 1e100" },
    { "cpu a=-1.1e100", "metric \"a\" is not a finite number of at most 1e100" },
    { "cpu a=1 9223372036854775807", "time is more than 24 hours ahead" },
    { "cpu,device=.. a=1", "device is only dots" },
    { "{\"device\":\"d\",\"metrics\":{\"a\":1}}", "missing fields" },
};

/* Each beside good lines, which it must leave alone. */
static void test_rejected(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof rejected / sizeof *rejected; i++) {
        ingest_test_reset(test);
        const char *body = arena_printf(test->arena, "g a=1\n%s\ng b=2,s=\"x\"\n", rejected[i].line);
        const char *dump = arena_printf(test->arena, "g a=1 | g b=2 data={\"s\":\"x\"} +row # 1: %s",
                                        rejected[i].reason);
        enum err err =
            ingest_test_parse(test, &ingest_format_influx_1, "", str_of(body), &columns);
        ok(err == OK && columns->n_rejected == 1, "rejected: %s", rejected[i].line);
        bool is_unbalanced = strstr(rejected[i].line, "\"x") && !strstr(rejected[i].line, "\"y");
        if (is_unbalanced) {
            /* its quote finds another: what is rejected, and no more, is up to the quotes */
            ok(columns->n_events >= 1, "  its neighbour is kept");
            continue;
        }
        is_str(ingest_test_dump(test, columns), dump, "  because %s, and nothing else",
               rejected[i].reason);
        is_str(columns->n_errors == 1 ? arena_copy(test->arena, columns->errors[0].source) : NULL,
               arena_copy(test->arena, str_trim(str_of(rejected[i].line))), "  with its own text");
    }
}

/* Bodies whose broken lines end at some place. */
static const struct {
    const char *says, *body, *dump;
} endings[] = {
    { "a quote that nothing closes takes only its own line", "g a=1\ncpu s=\"x\ng b=2\ng c=3",
      "g a=1 | g b=2 | g c=3 # 1: unbalanced quotes" },
    { "a line end inside a string of a broken line is no line end",
      "cpu a=1x,s=\"p\nq c=1\nr\" 5\ng b=2", "g b=2 # 0: invalid field format" },
    { "a string that ends in another line", "cpu s=\"p\nq\" oops\ng b=2", "g b=2 # 0: bad timestamp" },
    { "numbers count lines, in strings and comments too",
      "# one\n\ng s=\"a\nb\"\ncpu\ng b=2\ncpu a=",
      "g data={\"s\":\"a\\nb\"} +row | g b=2 # 4: missing fields # 6: missing field value" },
    { "only the last is broken, without a line end", "g a=1\ncpu a=1,", "g a=1 # 1: missing field key" },
};

static void test_endings(struct ingest_test *test)
{
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        ingest_test_reset(test);
        enum err err = ingest_test_parse(test, &ingest_format_influx_1, "", str_of(endings[i].body),
                                         &columns);
        is_int(err, OK, "%s", endings[i].says);
        is_str(ingest_test_dump(test, columns), endings[i].dump, "  and the others are kept");
    }
}

/* ---- tokens bound to a device ---- */

static void test_bound(struct ingest_test *test)
{
    struct ingest_columns *columns;
    struct ingest_rules before = test->rules;

    test->rules.device = STR("pi");
    test->rules.is_device_bound = true;
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "",
                             STR("cpu,host=raspberry v=1\ncpu,host=pi v=2\ncpu,device=pi v=3\npi v=4\n"
                                 "cpu v=5\ncpu,device=other v=6"), &columns), OK,
           "a bound token's lines");
    is_str(ingest_test_dump(test, columns),
           "pi cpu.v{\"host\":\"raspberry\"}=1 | pi cpu.v=2 | pi cpu.v=3 | pi v=4 | pi cpu.v=5"
           " # 5: the token is for another device",
           "  are its device's, and only a tag device can name another");
    test->rules = before;
}

/* ---- limits ---- */

static struct str lines_of(struct ingest_test *test, int n, const char *format)
{
    struct buf out;

    buf_init(&out, test->arena, 32u << 20);
    for (int i = 0; i < n; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(&out, format, i, i);
#pragma GCC diagnostic pop
    }
    return buf_str(&out);
}

static void test_limits(struct ingest_test *test)
{
    struct ingest_columns *columns;
    char name[200];

    test->rules.max_events = ingest_format_influx_1.max_events;
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "",
                             lines_of(test, 100000, "m%d,host=h%d v=1,w=2\n"), &columns), OK,
           "100,000 lines, all different");
    is_int((int64_t)columns->n_series, 200000, "  are as many series");
    is_int(columns_seal(columns), OK, "  and fit the memory of a request");
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "",
                             lines_of(test, 100001, "m v=%d\n"), &columns), ERR_TOO_LARGE,
           "100,001 lines are too many");
    ingest_test_reset(test);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "",
                             lines_of(test, 100001, "bad\n"), &columns), ERR_TOO_LARGE,
           "100,001 bad ones too");
    ingest_test_reset(test);
    struct str fields = lines_of(test, 128, "f%d=%d,");
    const char *body = arena_printf(test->arena, "m %.*s\nm %.*sz=1", (int)fields.len - 1, fields.ptr,
                                    (int)fields.len, fields.ptr);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "", str_of(body), &columns), OK,
           "128 and 129 fields");
    ok(columns->n_rows == 128 && columns->n_rejected == 1, "  are kept and rejected");
    is_str(columns->errors[0].detail, "too many fields", "  as too many");
    ingest_test_reset(test);
    fields = lines_of(test, 65, ",t%d=%d");
    body = arena_printf(test->arena, "m%.*s v=1", (int)fields.len, fields.ptr);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "", str_of(body), &columns), OK, "65 tags");
    is_str(columns->n_errors ? columns->errors[0].detail : NULL, "too many tags", "  are too many");
    memset(name, 'x', sizeof name);
    ingest_test_reset(test);
    body = arena_printf(test->arena, "m,device=d %.126s=1\nm,device=d %.127s=1", name, name);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "", str_of(body), &columns), OK,
           "a metric of 128 bytes and of 129, the measurement in it");
    ok(columns->n_rows == 1 && columns->n_rejected == 1, "  are kept and rejected");
    ingest_test_reset(test);
    struct str text = lines_of(test, 9000, "%d-%d--");
    body = arena_printf(test->arena, "m s=\"%.65527s\"\nm s=\"%.65529s\"\nm s=\"%s%s%s\"", text.ptr,
                        text.ptr, text.ptr, text.ptr, text.ptr);
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "", str_of(body), &columns), OK,
           "strings of 64 KiB, and of more");
    ok(columns->n_events == 1 && columns->n_rejected == 2, "  are kept and rejected");
}

/* A body that would take forever if a broken line were looked through to the body's end. */
static void test_hostile(struct ingest_test *test)
{
    struct ingest_columns *columns;

    ingest_test_reset(test);
    int64_t began_us = clock_monotonic_us();
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "",
                             lines_of(test, 99999, "a b=\"\\\"%d,%d\n"), &columns), OK,
           "as many open quotes as there may be lines");
    is_int(ingest_test_parse(test, &ingest_format_influx_1, "",
                             lines_of(test, 99999, "a b=1,,\"%d%d=\"\n"), &columns), OK,
           "and as many broken lines with quotes");
    ok(clock_monotonic_us() - began_us < 3 * US_PER_SECOND, "are read in no time");
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test.rules.oldest_us = INT64_MIN;
    test_kept(&test);
    test_rejected(&test);
    test_endings(&test);
    test_bound(&test);
    test_limits(&test);
    test_hostile(&test);
    ingest_test_close(&test);
    return done_testing();
}

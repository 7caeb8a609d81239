/* A tenant's own names for what line protocol brings, and what is wrong with a configuration of
 * them. */
#include "ingest_test.h"

#include "domain/mapping.h"

static const struct mapping *read_config(struct ingest_test *test, const char *config)
{
    struct mapping_errors errors;
    const struct mapping *mapping = mapping_read(test->arena, str_of(config), &errors);

    ok(mapping != NULL, "%s", config);
    return mapping;
}

static void map_is(struct ingest_test *test, const char *name, const char *config,
                   const char *lines, const char *expected)
{
    struct ingest_columns *columns;

    ingest_test_reset(test);
    test->rules.mapping = read_config(test, config);
    ok(!ingest_test_parse(test, &ingest_format_influx_2, "text/plain", str_of(lines), &columns),
       "%s", name);
    is_str(ingest_test_dump(test, columns), expected, "  as it is expected");
}

static void test_names(struct ingest_test *test)
{
    map_is(test, "nothing is said", "{}", "energy,room=a kwh=1", "energy kwh{\"room\":\"a\"}=1");
    map_is(test, "a tag names the device", "{\"device\":[\"meter\"]}", "energy,meter=m1,room=a kwh=1",
           "m1 kwh{\"room\":\"a\"}=1");
    map_is(test, "the first that is there", "{\"device\":[\"x\",\"room\",\"meter\"]}",
           "energy,meter=m1,room=a kwh=1,w=2",
           "a kwh{\"meter\":\"m1\"}=1 w{\"meter\":\"m1\"}=2");
    map_is(test, "or none of them", "{\"device\":[\"x\"]}", "energy,host=h kwh=1",
           "h energy.kwh=1");
    map_is(test, "what the convention calls the device is not lost", "{\"device\":[\"core\"]}",
           "cpu,host=h1,core=0 idle=1\ncpu,host=h2,core=0 idle=2",
           "0 cpu.idle{\"device\":\"h1\"}=1 | 0 cpu.idle{\"device\":\"h2\"}=2");
    map_is(test, "but where it is dropped", "{\"device\":[\"core\"],\"labels\":{\"device\":null}}",
           "cpu,host=h1,core=0 idle=1", "0 cpu.idle=1");
    map_is(test, "the measurement names the device", "{\"device\":[\"{measurement}\"]}",
           "house,host=pi kwh=1,w=2", "house kwh{\"device\":\"pi\"}=1 w{\"device\":\"pi\"}=2");
    map_is(test, "a device has another key here", "{\"devices\":{\"energy\":\"house\",\"h\":\"server\"}}",
           "energy kwh=1\ncpu,host=h idle=2", "house kwh=1 | server cpu.idle=2");
    map_is(test, "labels have other names, or go", "{\"labels\":{\"room\":\"place\",\"fw\":null}}",
           "e,room=a,fw=2 v=1\ne v=2\ne,fw=1 v=3", "e v{\"place\":\"a\"}=1 | e v=2 | e v=3");
    map_is(test, "metrics have other names, or go",
           "{\"metrics\":{\"e.v\":\"voltage_v\",\"e.rssi\":null,\"e.w\":{\"unit\":\"W\"}}}",
           "e,host=h v=230,rssi=-3,w=5\ne,host=h rssi=-4\ne,host=h w=6",
           "h voltage_v=230 e.w=5 | h e.w=6");
    map_is(test, "of two that become one the last counts", "{\"metrics\":{\"a\":\"x\",\"b\":\"x\"}}",
           "e a=1,b=2", "e x=2");
    map_is(test, "the same names again and again", "{\"metrics\":{\"a\":\"x\"},\"labels\":{\"l\":\"m\"}}",
           "e,l=1 a=1 1795176000000000000\ne,l=1 a=2 1795175999000000000\ne,l=2 a=3 1795176000000000000",
           "e x{\"m\":\"1\"}=1 | e @2026-11-20T11:59:59Z x{\"m\":\"1\"}=2 | e x{\"m\":\"2\"}=3");
    is_int(test->rules.mapping->n_metrics, 1, "one rule");
}

static void test_units(struct ingest_test *test)
{
    struct ingest_columns *columns;

    ingest_test_reset(test);
    test->rules.mapping = read_config(test, "{\"metrics\":{\"e\":{\"name\":\"import\",\"unit\":\"kWh\","
                                            "\"kind\":\"delta\",\"role\":\"grid_import\"}}}");
    ok(!ingest_test_parse(test, &ingest_format_influx_1, "", STR("m e=1,f=2"), &columns), "a line");
    is_view(ingest_unit_of(&columns->series[0]), "kWh", "a new series has the unit");
    is_view(ingest_role_of(&columns->series[0]), "grid_import", "  and the role");
    is_int(columns->series[0].kind, INGEST_DELTA, "  and the kind");
    ok(ingest_unit_of(&columns->series[1]).len == 0 && columns->series[1].kind == INGEST_KIND_UNTOLD,
       "of another nothing is said");
}

/* Texts have tags like numbers, in their event's data. */
static void test_texts(struct ingest_test *test)
{
    map_is(test, "a tag names the device of a text, too", "{\"device\":[\"name\"]}",
           "modbus,host=pc,name=meter state=\"ok\"",
           "meter data={\"labels\":{\"device\":\"pc\"},\"measurement\":\"modbus\",\"state\":\"ok\"} +row");
    map_is(test, "beside numbers", "{\"device\":[\"name\"],\"labels\":{\"device\":null}}",
           "modbus,host=pc,name=meter,unit=3 w=1,state=\"ok\"",
           "meter modbus.w{\"unit\":\"3\"}=1 "
           "data={\"labels\":{\"unit\":\"3\"},\"measurement\":\"modbus\",\"state\":\"ok\"} +row");
    map_is(test, "where all its numbers are dropped", "{\"device\":[\"name\"],\"metrics\":{\"w\":null}}",
           "m,name=meter,unit=3 w=1,state=\"ok\"",
           "meter data={\"labels\":{\"unit\":\"3\"},\"state\":\"ok\"} +row");
    map_is(test, "its labels have other names, or go", "{\"labels\":{\"room\":\"place\",\"fw\":null}}",
           "e,host=h,room=a,fw=2 s=\"x\"\ne,host=h,fw=2 s=\"y\"\ne,host=h s=\"z\"",
           "h data={\"labels\":{\"place\":\"a\"},\"measurement\":\"e\",\"s\":\"x\"} +row | "
           "h data={\"measurement\":\"e\",\"s\":\"y\"} +row | h data={\"measurement\":\"e\",\"s\":\"z\"} +row");
    map_is(test, "the measurement names its device", "{\"device\":[\"{measurement}\"]}", "house,host=pi s=\"x\"",
           "house data={\"labels\":{\"device\":\"pi\"},\"measurement\":\"house\",\"s\":\"x\"} +row");
    map_is(test, "a field of the name labels is a text like others", "{\"labels\":{\"room\":\"place\"}}",
           "e,host=h,room=a labels=\"x\"",
           "h data={\"labels\":{\"place\":\"a\"},\"measurement\":\"e\",\"labels\":\"x\"} +row");
    map_is(test, "a device has another key here", "{\"devices\":{\"h\":\"server\"}}", "e,host=h s=\"x\"",
           "server data={\"measurement\":\"e\",\"s\":\"x\"} +row");
}

static void event_is(struct ingest_test *test, const struct ingest_format *format,
                     const char *config, const char *body, const char *device, const char *data)
{
    struct ingest_columns *columns;

    ingest_test_reset(test);
    test->rules.mapping = read_config(test, config);
    ok(!ingest_test_parse(test, format, "application/json", str_of(body), &columns), "  %s", format->name);
    is_int((int64_t)columns->n_events, 1, "  one event");
    is_view(columns->devices[columns->events[0].device].key, device, "  of the device");
    is_view(columns->events[0].data, data, "  with its data");
}

static void test_events(struct ingest_test *test)
{
    const char *log = "{\"resourceLogs\":[{\"resource\":{\"attributes\":["
                      "{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pc\"}},"
                      "{\"key\":\"rack\",\"value\":{\"stringValue\":\"r7\"}}]},"
                      "\"scopeLogs\":[{\"logRecords\":[{\"timeUnixNano\":\"1795176000000000000\","
                      "\"body\":{\"stringValue\":\"up\"},"
                      "\"attributes\":[{\"key\":\"unit\",\"value\":{\"stringValue\":\"u1\"}}]}]}]}]}";
    const char *data = "{\"body\":\"up\","
                       "\"attributes\":{\"unit\":\"u1\"},\"resource\":{\"host.name\":\"pc\",\"rack\":\"r7\"}}";

    event_is(test, &ingest_format_otlp_logs, "{\"metrics\":{\"x\":\"y\"}}", log, "pc", data);
    event_is(test, &ingest_format_otlp_logs, "{\"device\":[\"rack\"],\"labels\":{\"rack\":\"r\"}}", log, "r7", data);
    event_is(test, &ingest_format_otlp_logs, "{\"device\":[\"none\",\"unit\",\"rack\"]}", log, "u1", data);
    event_is(test, &ingest_format_collectd, "{\"device\":[\"plugin\"],\"labels\":{\"severity\":null}}",
             "[{\"labels\":{\"host\":\"h\",\"instance\":\"h\",\"plugin\":\"load\",\"severity\":\"OKAY\"},"
             "\"annotations\":{\"a\":\"b\"},\"startsAt\":\"2026-11-20T12:00:00Z\"}]",
             "load", "{\"labels\":{\"device\":\"h\",\"host\":\"h\",\"instance\":\"h\"},\"annotations\":{\"a\":\"b\"}}");
}

/* A token that is bound to the device "m1": whatever else would name one is a label. */
static void test_bound(struct ingest_test *test)
{
    test->rules.device = STR("m1");
    test->rules.is_device_bound = true;
    map_is(test, "a bound token's tags are labels", "{\"device\":[\"host\",\"meter\"]}",
           "e,host=pc,meter=m2 v=1\ne v=2",
           "m1 e.v{\"host\":\"pc\",\"meter\":\"m2\"}=1 | m1 e.v=2");
    map_is(test, "but where they repeat its name", "{\"device\":[\"host\",\"meter\"],\"devices\":{\"m9\":\"m1\"}}",
           "e,meter=m1 v=1\ne,meter=m9 v=2\ne,host=pc,meter=m1 v=3",
           "m1 e.v=1 | m1 e.v=2 | m1 e.v{\"host\":\"pc\"}=3");
    map_is(test, "the measurement is no device", "{\"device\":[\"{measurement}\"]}", "e v=1", "m1 e.v=1");
    map_is(test, "but where it is this one", "{\"device\":[\"{measurement}\"],\"devices\":{\"e\":\"m1\"}}",
           "e v=1", "m1 v=1");
    map_is(test, "it has no other key", "{\"devices\":{\"m1\":\"main\"}}",
           "e v=1\ne,device=m1 v=2\nm1 v=3",
           "m1 e.v=1 | m1 e.v=2 | m1 v=3");
    map_is(test, "what names it otherwise is another one", "{\"devices\":{\"m9\":\"m1\",\"x\":\"y\"}}",
           "e,device=m9 v=1\ne,device=x v=2\ne,device=m2 v=3",
           "m1 e.v=1 # 1: the token is for another device # 2: the token is for another device");
    map_is(test, "other rules hold", "{\"labels\":{\"room\":\"place\"},\"metrics\":{\"e.v\":\"volt\"}}",
           "e,room=a v=1", "m1 volt{\"place\":\"a\"}=1");
    test->rules.device = (struct str){ NULL, 0 };
    test->rules.is_device_bound = false;
    test->rules.mapping = NULL;
}

static void wrong_is(struct ingest_test *test, const char *config, const char *field,
                     const char *detail)
{
    struct mapping_errors errors;

    ingest_test_reset(test);
    ok(!mapping_read(test->arena, str_of(config), &errors), "%s", config);
    is_int(errors.n, 1, "  is wrong in one place");
    is_str(errors.items[0].field, field, "  which is named");
    is_str(errors.items[0].detail, detail, "  with the reason");
}

static void test_errors(struct ingest_test *test)
{
    struct mapping_errors errors;
    struct buf config;

    wrong_is(test, "{\"url\":\"x\"}", "url", "is not known; there are device, devices, labels, metrics");
    wrong_is(test, "{\"device\":\"meter\"}", "device", "must be a list of names of tags");
    wrong_is(test, "{\"device\":[1]}", "device", "must be a list of names of tags");
    wrong_is(test, "{\"device\":[\"\"]}", "device", "must be a name of 1 to 128 bytes");
    wrong_is(test, "{\"devices\":[]}", "devices", "must be an object of names");
    wrong_is(test, "{\"devices\":{\"a\":null}}", "devices.a", "must be a name");
    wrong_is(test, "{\"labels\":{\"a\":[]}}", "labels.a", "must be a name, or null");
    wrong_is(test, "{\"labels\":{\"a\":\"\"}}", "labels.a", "must be a name of 1 to 128 bytes");
    wrong_is(test, "{\"metrics\":3}", "metrics", "must be an object of metrics");
    wrong_is(test, "{\"metrics\":{\"a\":3}}", "metrics.a", "must be a name, an object, or null");
    wrong_is(test, "{\"metrics\":{\"a\":{\"name\":\"\"}}}", "metrics.a.name", "must be a name of 1 to 128 bytes");
    wrong_is(test, "{\"metrics\":{\"a\":{\"kind\":\"sum\"}}}", "metrics.a.kind", "must be gauge, counter or delta");
    wrong_is(test, "{\"metrics\":{\"a\":{\"unit\":3}}}", "metrics.a.unit", "must be a text");
    wrong_is(test, "{\"metrics\":{\"a\":{\"scale\":3}}}", "metrics.a.scale",
             "is not known; there are name, unit, kind, role");
    ok(!mapping_read(test->arena, STR("{\"labels\":1,\"devices\":2}"), &errors), "two at once");
    is_int(errors.n, 2, "  are both told");
    buf_init(&config, test->arena, 1u << 20);
    buf_add_text(&config, "{\"labels\":{\"a\":\"b\"");
    for (int i = 0; i < MAPPING_MAX_RULES; i++) {
        buf_printf(&config, ",\"l%d\":\"x\"", i);
    }
    buf_add_text(&config, "}}");
    ok(!mapping_read(test->arena, buf_str(&config), &errors), "too many rules");
    is_int(errors.n, 1, "  which is said once");
    ok(mapping_is_adapter(STR("influxdb")) && !mapping_is_adapter(STR("mqtt")), "conventions have adapters");
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_names(&test);
    test_units(&test);
    test_texts(&test);
    test_events(&test);
    test_bound(&test);
    test_errors(&test);
    ingest_test_close(&test);
    return done_testing();
}

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
    is_view(columns->series[0].unit, "kWh", "a new series has the unit");
    is_view(columns->series[0].role, "grid_import", "  and the role");
    is_int(columns->series[0].kind, INGEST_DELTA, "  and the kind");
    ok(columns->series[1].unit.len == 0 && columns->series[1].kind == INGEST_KIND_UNTOLD,
       "of another nothing is said");
}

/* A name that is too long only by its new name; a bound token's device. */
static void test_rules(struct ingest_test *test)
{
    struct ingest_columns *columns;

    ingest_test_reset(test);
    test->rules.mapping = read_config(test, "{\"device\":[\"meter\"]}");
    test->rules.device = STR("m1");
    test->rules.is_device_bound = true;
    const struct str lines = STR("e,meter=m2 v=1\ne,meter=m1 v=2");
    ok(!ingest_test_parse(test, &ingest_format_influx_2, "", lines, &columns), "a bound token's");
    is_int((int64_t)columns->n_rejected, 1, "a device that the mapping names is another one, too");
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
    test_rules(&test);
    test_errors(&test);
    ingest_test_close(&test);
    return done_testing();
}

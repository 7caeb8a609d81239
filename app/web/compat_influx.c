/* The helpers of InfluxDB: ping, health, and the few statements that clients run before they write.
 *
 *   SHOW DATABASES                   there is one: the tenant
 *   CREATE DATABASE …                it is there (Telegraf and ESPHome send it each time)
 *   SELECT LAST("f") FROM m WHERE …  IoTaWatt, to go on after what it sent: a time, no value
 *
 * Anything else is an error inside a 200, as InfluxDB has it, so that nobody takes silence for an
 * answer. Statements of IoTaWatt: Firmware/IotaWatt/uploaders/influxDB_uploader.cpp. */
#include "web/compat_influx.h"

#include "base/clock.h"
#include "base/json.h"
#include "domain/influxql.h"
#include "http/form.h"
#include "web/influx_names.h"

#define API_VERSION "1.8.10" /* whose clients' expectations are met */
#define MAX_STATEMENTS 20

/* ---- ping, health ---- */

static void say_version(struct web *web)
{
    (void)http_add_header(web->response, "X-Influxdb-Build", "OSS");
    (void)http_add_header(web->response, "X-Influxdb-Version", API_VERSION);
}

enum err compat_influx_ping(struct web *web)
{
    struct str verbose = http_query(web->request, "verbose");
    struct json_writer writer;

    say_version(web);
    if (verbose.len == 0 || str_equal(verbose, STR("0")) || str_equal(verbose, STR("false"))) {
        web->response->status = 204;
        return OK;
    }
    web->response->content_type = "application/json";
    json_writer_init(&writer, &web->response->body);
    json_open_object(&writer);
    json_key(&writer, "version");
    json_text(&writer, API_VERSION);
    json_close_object(&writer);
    return OK;
}

/* Its transaction was opened: the database can be reached. */
enum err compat_influx_health(struct web *web)
{
    struct json_writer writer;

    web->response->content_type = "application/json";
    json_writer_init(&writer, &web->response->body);
    json_open_object(&writer);
    json_key(&writer, "checks");
    json_open_array(&writer);
    json_close_array(&writer);
    json_key(&writer, "message");
    json_text(&writer, "ready for queries and writes");
    json_key(&writer, "name");
    json_text(&writer, "influxdb");
    json_key(&writer, "status");
    json_text(&writer, "pass");
    json_key(&writer, "version");
    json_text(&writer, API_VERSION);
    json_close_object(&writer);
    return OK;
}

/* ---- answering statements ---- */

static void write_error(struct json_writer *writer, const char *message)
{
    json_key(writer, "error");
    json_text(writer, message);
}

static void open_series(struct json_writer *writer, struct str name)
{
    json_key(writer, "series");
    json_open_array(writer);
    json_open_object(writer);
    json_key(writer, "name");
    json_string(writer, name);
    json_key(writer, "columns");
    json_open_array(writer);
}

static void open_values(struct json_writer *writer)
{
    json_close_array(writer);
    json_key(writer, "values");
    json_open_array(writer);
    json_open_array(writer);
}

static void close_series(struct json_writer *writer)
{
    json_close_array(writer);
    json_close_array(writer);
    json_close_object(writer);
    json_close_array(writer);
}

static void write_databases(struct web *web, struct json_writer *writer)
{
    open_series(writer, STR("databases"));
    json_text(writer, "name");
    open_values(writer);
    json_text(writer, web->who->tenant_slug);
    close_series(writer);
}

/* A time as `epoch` asks for it: a number of units, else RFC 3339. */
static void write_time(struct web *web, struct json_writer *writer, int64_t time_us)
{
    static const struct {
        const char *name;
        int64_t times, by;
    } units[] = {
        { "ns", 1000, 1 }, { "n", 1000, 1 },          { "us", 1, 1 },
        { "u", 1, 1 },     { "ms", 1, 1000 },         { "s", 1, US_PER_SECOND },
        { "m", 1, US_PER_MINUTE }, { "h", 1, US_PER_HOUR },
    };
    struct str epoch = http_field(web->request, "epoch");
    char text[CLOCK_TEXT_SIZE];

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (str_equal(epoch, str_of(units[i].name))) {
            json_int(writer, time_us * units[i].times / units[i].by);
            return;
        }
    }
    json_text(writer, clock_format(time_us, text));
}

static enum err write_last(struct web *web, struct json_writer *writer,
                           const struct influx_point *point)
{
    const struct mapping *mapping;
    struct last_time last;
    enum err err = influx_mapping_load(web, &mapping);

    if (err || !influx_series_of(web, mapping, point, &last)) {
        return err;
    }
    err = last_time_find(web->tx, &last, 1);
    if (err || !last.is_known) {
        return err;
    }
    open_series(writer, point->measurement);
    json_text(writer, "time");
    json_text(writer, "last");
    open_values(writer);
    write_time(web, writer, last.last_us);
    json_null(writer);
    close_series(writer);
    return OK;
}

/* A statement's answer into the open object of its result. */
static enum err write_result(struct web *web, struct json_writer *writer, enum influxql_kind kind,
                             const struct influx_point *point)
{
    switch (kind) {
    case INFLUXQL_LAST: return write_last(web, writer, point);
    case INFLUXQL_SELECT:
        write_error(writer, "of readings only the time of the LAST one is answered here; "
                            "read with GET /v1/devices/{key}/samples");
        break;
    case INFLUXQL_SHOW_DATABASES: write_databases(web, writer); break;
    case INFLUXQL_SHOW: write_error(writer, "only SHOW DATABASES is answered here"); break;
    case INFLUXQL_OTHER: write_error(writer, "this statement is not supported"); break;
    case INFLUXQL_CREATE:
    case INFLUXQL_END: break;
    }
    return OK;
}

static enum err write_results(struct web *web, struct str text)
{
    struct influxql ql;
    struct influx_point point;
    struct json_writer writer;
    enum err err = OK;

    web->response->content_type = "application/json";
    say_version(web);
    influxql_init(&ql, text, web->op->arena);
    json_writer_init(&writer, &web->response->body);
    json_open_object(&writer);
    json_key(&writer, "results");
    json_open_array(&writer);
    for (int i = 0; !err && i < MAX_STATEMENTS; i++) {
        enum influxql_kind kind = influxql_next(&ql, &point);
        if (kind == INFLUXQL_END) {
            break;
        }
        json_open_object(&writer);
        json_key(&writer, "statement_id");
        json_int(&writer, i);
        err = write_result(web, &writer, kind, &point);
        json_close_object(&writer);
    }
    json_close_array(&writer);
    json_close_object(&writer);
    buf_add_char(&web->response->body, '\n');
    return err;
}

enum err compat_influx_query(struct web *web)
{
    enum err err = http_read_form(web->request, web->max_body);
    struct str text = err ? (struct str){ 0 } : http_field(web->request, "q");

    if (err) {
        return err;
    }
    if (str_trim(text).len == 0) {
        return fail(web->op, ERR_MALFORMED, "missing required parameter \"q\"");
    }
    return write_results(web, text);
}

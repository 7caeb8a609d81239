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

/* ---- reading statements ---- */

struct scan {
    const char *at, *end;
};

static void pass_blanks(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' ||
                                    *scan->at == '\r')) {
        scan->at++;
    }
}

static bool take_char(struct scan *scan, char c)
{
    pass_blanks(scan);
    if (scan->at == scan->end || *scan->at != c) {
        return false;
    }
    scan->at++;
    return true;
}

/* Text between quotes, with \" and \\ read; ptr NULL where it does not close. */
static struct str take_quoted(struct web *web, struct scan *scan, char quote)
{
    const char *start = ++scan->at;
    char *out = arena_alloc(web->op->arena, (size_t)(scan->end - start) + 1);
    size_t n = 0;

    for (; out && scan->at < scan->end && *scan->at != quote; scan->at++) {
        scan->at += *scan->at == '\\' && scan->at + 1 < scan->end;
        out[n++] = *scan->at;
    }
    return out && take_char(scan, quote) ? (struct str){ out, n } : (struct str){ NULL, 0 };
}

/* A name, quoted or bare up to what ends one; ptr NULL when there is none. IoTaWatt does not quote
 * measurements. */
static struct str take_name(struct web *web, struct scan *scan)
{
    pass_blanks(scan);
    if (scan->at < scan->end && (*scan->at == '"' || *scan->at == '\'')) {
        return take_quoted(web, scan, *scan->at);
    }
    const char *start = scan->at;
    while (scan->at < scan->end && !strchr(" \t\r\n()=;,'\"", *scan->at)) {
        scan->at++;
    }
    return (struct str){ scan->at > start ? start : NULL, (size_t)(scan->at - start) };
}

/* True, and past it, where the next word is this one in either case. */
static bool take_word(struct web *web, struct scan *scan, const char *word)
{
    struct scan ahead = *scan;
    struct str name = take_name(web, &ahead);

    if (!name.ptr || !str_equal_nocase(name, str_of(word))) {
        return false;
    }
    *scan = ahead;
    return true;
}

/* "tag"='value' [AND …] */
static bool read_conditions(struct web *web, struct scan *scan, struct influx_point *point)
{
    do {
        struct str name = take_name(web, scan);
        if (!name.ptr || !take_char(scan, '=') || point->n_tags == INFLUX_MAX_TAGS) {
            return false;
        }
        struct str value = take_name(web, scan);
        if (!value.ptr) {
            return false;
        }
        point->tags[point->n_tags].name = name;
        point->tags[point->n_tags++].value = value;
    } while (take_word(web, scan, "and"));
    return true;
}

/* SELECT was taken. False for any other question than for the last of a field. */
static bool read_select(struct web *web, struct scan *scan, struct influx_point *point)
{
    *point = (struct influx_point){ .n_tags = 0 };
    if (!take_word(web, scan, "last") || !take_char(scan, '(')) {
        return false;
    }
    point->field = take_name(web, scan);
    if (!point->field.ptr || !take_char(scan, ')') || !take_word(web, scan, "from")) {
        return false;
    }
    point->measurement = take_name(web, scan);
    if (!point->measurement.ptr) {
        return false;
    }
    bool is_read = !take_word(web, scan, "where") || read_conditions(web, scan, point);
    pass_blanks(scan);
    return is_read && (scan->at == scan->end || *scan->at == ';');
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
    struct last_time last;

    if (!influx_series_of(web, point, &last)) {
        return OK;
    }
    enum err err = last_time_find(web->tx, &last, 1);
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

/* One statement into the open object of its result. */
static enum err run_statement(struct web *web, struct scan *scan, struct json_writer *writer)
{
    struct influx_point point;

    if (take_word(web, scan, "select")) {
        if (read_select(web, scan, &point)) {
            return write_last(web, writer, &point);
        }
        write_error(writer, "of readings only the time of the LAST one is answered here; "
                            "read with GET /v1/devices/{key}/samples");
    } else if (take_word(web, scan, "show")) {
        if (take_word(web, scan, "databases")) {
            write_databases(web, writer);
        } else {
            write_error(writer, "only SHOW DATABASES is answered here");
        }
    } else if (!take_word(web, scan, "create")) {
        write_error(writer, "this statement is not supported");
    }
    return OK;
}

/* Past the end of the statement. */
static void pass_statement(struct scan *scan)
{
    char quote = '\0';

    for (; scan->at < scan->end && (quote || *scan->at != ';'); scan->at++) {
        char c = *scan->at;
        if (c == '\\' && scan->at + 1 < scan->end) {
            scan->at++;
        } else if (quote) {
            quote = c == quote ? '\0' : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        }
    }
    scan->at += scan->at < scan->end;
}

static enum err write_results(struct web *web, struct str text)
{
    struct scan scan = { text.ptr, text.ptr + text.len };
    struct json_writer writer;
    enum err err = OK;

    web->response->content_type = "application/json";
    say_version(web);
    json_writer_init(&writer, &web->response->body);
    json_open_object(&writer);
    json_key(&writer, "results");
    json_open_array(&writer);
    for (int i = 0; !err && i < MAX_STATEMENTS; i++) {
        pass_blanks(&scan);
        if (scan.at == scan.end) {
            break;
        }
        struct scan statement = scan;
        json_open_object(&writer);
        json_key(&writer, "statement_id");
        json_int(&writer, i);
        err = run_statement(web, &statement, &writer);
        json_close_object(&writer);
        pass_statement(&scan);
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

/* POST /api/v2/query: the one question in Flux that a sender asks. IoTaWatt looks for the newest
 * reading of its outputs in a time range, ten times longer each time, and writes nothing before it
 * was answered (Firmware/IotaWatt/uploaders/influxDB2_uploader.cpp):
 *
 *   from(bucket: "b")
 *     |> range(start: 1700000000, stop: 1700003600)
 *     |> filter(fn: (r) =>
 *       (r._measurement == "m" and r.tag == "v" and r._field == "value") or
 *       (…))
 *     |> last()
 *     |> map(fn: (r) => ({_measurement: r._measurement,
 *                         _time: (uint(v:r._time)) / uint(v:1000000000)}))
 *     |> sort (columns: ["_time"], desc: true)
 *
 * The answer is CSV without annotations, newest first, `_time` in seconds and its column the last:
 * IoTaWatt takes any column for the time but one that is named exactly `_time`, which the carriage
 * return at the line's end keeps it from being. Nothing found is an empty line. Another question
 * gets Flux's table of errors. */
#include "web/compat_influx.h"

#include "base/clock.h"
#include "base/json.h"
#include "web/csv.h"
#include "web/influx_names.h"

#define MAX_OUTPUTS 64

struct flux {
    struct web *web;
    const char *at, *end;
    struct influx_point points[MAX_OUTPUTS];
    struct last_time lasts[MAX_OUTPUTS];
    int n;
    int64_t from_us;
};

static bool holds(struct str text, const char *part)
{
    return text.len > 0 && memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

/* ---- reading ---- */

static bool is_name_char(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (unsigned char)c >= 0x80;
}

static void pass_blanks(struct flux *flux)
{
    while (flux->at < flux->end && (*flux->at == ' ' || *flux->at == '\t' || *flux->at == '\n' ||
                                    *flux->at == '\r')) {
        flux->at++;
    }
}

/* Text between quotes; ptr NULL where there is none. */
static struct str take_quoted(struct flux *flux)
{
    struct str text = { NULL, 0 };

    pass_blanks(flux);
    if (flux->at == flux->end || *flux->at != '"') {
        return text;
    }
    const char *start = ++flux->at;
    while (flux->at < flux->end && *flux->at != '"') {
        flux->at++;
    }
    if (flux->at < flux->end) {
        text = (struct str){ start, (size_t)(flux->at++ - start) };
    }
    return text;
}

/* `r.name == "value"` whose name is at hand: one more thing that is known of the point. */
static void read_condition(struct flux *flux, struct influx_point *point)
{
    const char *start = flux->at;

    while (flux->at < flux->end && is_name_char(*flux->at)) {
        flux->at++;
    }
    struct str name = { start, (size_t)(flux->at - start) };
    pass_blanks(flux);
    if (flux->end - flux->at < 2 || flux->at[0] != '=' || flux->at[1] != '=') {
        return;
    }
    flux->at += 2;
    struct str value = take_quoted(flux);
    if (!value.ptr) {
        return;
    }
    if (str_equal(name, STR("_measurement"))) {
        point->measurement = value;
    } else if (str_equal(name, STR("_field"))) {
        point->field = value;
    } else if (point->n_tags < INFLUX_MAX_TAGS) {
        point->tags[point->n_tags].name = name;
        point->tags[point->n_tags++].value = value;
    }
}

/* A bracket closes what is known of one point. */
static void end_point(struct flux *flux, struct influx_point *point)
{
    if (point->measurement.len && point->field.len && flux->n < MAX_OUTPUTS &&
        influx_series_of(flux->web, point, &flux->lasts[flux->n])) {
        flux->points[flux->n++] = *point;
    }
    *point = (struct influx_point){ .n_tags = 0 };
}

static void read_filter(struct flux *flux)
{
    struct influx_point point = { .n_tags = 0 };

    while (flux->at < flux->end) {
        bool is_row = *flux->at == 'r' && flux->end - flux->at > 1 && flux->at[1] == '.';
        if (is_row) {
            flux->at += 2;
            read_condition(flux, &point);
        } else if (*flux->at == ')') {
            end_point(flux, &point);
            flux->at++;
        } else if (*flux->at == '"') {
            (void)take_quoted(flux);
        } else {
            flux->at++;
        }
    }
}

/* The number after "start:"; 0 without one. */
static int64_t read_start(struct str text)
{
    const char *at = memmem(text.ptr, text.len, "start:", 6);
    const char *end = text.ptr + text.len;
    int64_t seconds = 0;

    for (at = at ? at + 6 : end; at < end && *at == ' ';) {
        at++;
    }
    for (; at < end && *at >= '0' && *at <= '9' && seconds < CLOCK_MAX_US / US_PER_SECOND; at++) {
        seconds = seconds * 10 + (*at - '0');
    }
    return seconds;
}

/* The query itself, which some clients wrap: {"query": "…", "type": "flux"}. */
static enum err read_text(struct web *web, struct str *out)
{
    enum err err = http_read_decoded_body(web->request, web->max_body, out);
    struct json_reader reader;
    struct str name, query = { NULL, 0 };

    if (err || !str_equal(web->request->content_type, STR("application/json"))) {
        return err;
    }
    json_reader_init(&reader, *out, web->op->arena, MAX_JSON_DEPTH);
    if (json_enter_object(&reader)) {
        while (json_next_member(&reader, &name)) {
            bool is_query = str_equal(name, STR("query")) && json_peek(&reader) == JSON_STRING;
            (void)(is_query ? json_read_string(&reader, &query) : json_skip(&reader, NULL));
        }
    }
    if (reader.error || !query.ptr) {
        return fail(web->op, ERR_MALFORMED, "the body holds no \"query\"");
    }
    *out = query;
    return OK;
}

/* ---- answering ---- */

/* The newest of those not written yet, from the range's start on; -1: none is left. */
static int take_newest(struct flux *flux)
{
    int newest = -1;

    for (int i = 0; i < flux->n; i++) {
        const struct last_time *last = &flux->lasts[i];
        if (last->is_known && last->last_us >= flux->from_us &&
            (newest < 0 || last->last_us > flux->lasts[newest].last_us)) {
            newest = i;
        }
    }
    if (newest >= 0) {
        flux->lasts[newest].is_known = false;
    }
    return newest;
}

static void write_rows(struct flux *flux, struct buf *out)
{
    struct csv_writer csv;
    bool is_started = false;

    csv_writer_init(&csv, out);
    for (int i = take_newest(flux); i >= 0; i = take_newest(flux)) {
        buf_add_text(out, is_started ? "" : ",result,table,_measurement,_time\r\n");
        is_started = true;
        csv_null(&csv);
        csv_text(&csv, STR("_result"));
        csv_int(&csv, 0);
        csv_text(&csv, flux->points[i].measurement);
        csv_int(&csv, flux->lasts[i].last_us / US_PER_SECOND);
        csv_end_record(&csv);
    }
    buf_add_text(out, "\r\n");
}

enum err compat_influx_flux(struct web *web)
{
    struct flux *flux = arena_alloc(web->op->arena, sizeof *flux);
    struct str text = { .len = 0 };
    enum err err = flux ? read_text(web, &text) : fail_memory(web->op);

    if (err) {
        return err;
    }
    web->response->content_type = "text/csv; charset=utf-8";
    if (!holds(text, "last()") || !holds(text, "uint(v:1000000000)")) {
        buf_add_text(&web->response->body,
                     "error,reference\r\nof readings only the last times are answered here; read "
                     "with GET /v1/devices/{key}/samples,\r\n\r\n");
        return OK;
    }
    *flux = (struct flux){ .web = web, .at = text.ptr, .end = text.ptr + text.len,
                           .from_us = read_start(text) * US_PER_SECOND };
    read_filter(flux);
    err = flux->n ? last_time_find(web->tx, flux->lasts, flux->n) : OK;
    if (!err) {
        write_rows(flux, &web->response->body);
    }
    return err;
}

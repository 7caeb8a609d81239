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
#include "domain/flux.h"
#include "web/csv.h"
#include "web/influx_names.h"

/* The points that are series which the asking token may post. */
struct outputs {
    const struct influx_point *points[FLUX_MAX_POINTS];
    struct last_time lasts[FLUX_MAX_POINTS];
    int n;
    int64_t from_us;
};

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

/* The newest of those not written yet, from the range's start on; -1: none is left. */
static int take_newest(struct outputs *outputs)
{
    int newest = -1;

    for (int i = 0; i < outputs->n; i++) {
        const struct last_time *last = &outputs->lasts[i];
        if (last->is_known && last->last_us >= outputs->from_us &&
            (newest < 0 || last->last_us > outputs->lasts[newest].last_us)) {
            newest = i;
        }
    }
    if (newest >= 0) {
        outputs->lasts[newest].is_known = false;
    }
    return newest;
}

static void write_rows(struct outputs *outputs, struct buf *out)
{
    struct csv_writer csv;
    bool is_started = false;

    csv_writer_init(&csv, out);
    for (int i = take_newest(outputs); i >= 0; i = take_newest(outputs)) {
        buf_add_text(out, is_started ? "" : ",result,table,_measurement,_time\r\n");
        is_started = true;
        csv_null(&csv);
        csv_text(&csv, STR("_result"));
        csv_int(&csv, 0);
        csv_text(&csv, outputs->points[i]->measurement);
        csv_int(&csv, outputs->lasts[i].last_us / US_PER_SECOND);
        csv_end_record(&csv);
    }
    buf_add_text(out, "\r\n");
}

/* Finds the series of the points. */
static enum err find_series(const struct web *web, const struct flux *flux, struct outputs *out)
{
    const struct mapping *mapping;
    enum err err = influx_mapping_load(web, &mapping);

    *out = (struct outputs){ .from_us = flux->start_s * US_PER_SECOND };
    for (int i = 0; !err && i < flux->n; i++) {
        if (influx_series_of(web, mapping, &flux->points[i], &out->lasts[out->n])) {
            out->points[out->n++] = &flux->points[i];
        }
    }
    return err;
}

enum err compat_influx_flux(struct web *web)
{
    struct flux *flux = arena_alloc(web->op->arena, sizeof *flux);
    struct outputs *outputs = arena_alloc(web->op->arena, sizeof *outputs);
    struct str text = { .len = 0 };
    enum err err = flux && outputs ? read_text(web, &text) : fail_memory(web->op);

    if (err) {
        return err;
    }
    web->response->content_type = "text/csv; charset=utf-8";
    if (!flux_read(text, flux)) {
        buf_add_text(&web->response->body,
                     "error,reference\r\nof readings only the last times are answered here; read "
                     "with GET /v1/devices/{key}/samples,\r\n\r\n");
        return OK;
    }
    err = find_series(web, flux, outputs);
    if (err) {
        return err;
    }
    err = outputs->n ? last_time_find(web->tx, outputs->lasts, outputs->n) : OK;
    if (!err) {
        write_rows(outputs, &web->response->body);
    }
    return err;
}

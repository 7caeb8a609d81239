/* Reads the bodies of requests about rate schedules. Called by api_rates.c and
 * api_rate_assignments.c. */
#include "web/rate_input.h"

#include "domain/span.h"
#include "domain/tariff_read.h"
#include "domain/urdb.h"
#include "domain/zone.h"
#include "web/body.h"

/* ---- documents ---- */

enum err rate_input_refuse(struct web *web, const char *what, const struct problems *problems)
{
    struct op *op = web->op;

    if (problems->n_total == 0) {
        return OK;
    }
    struct http_item_error *errors = arena_array(op->arena, (size_t)problems->n, sizeof *errors);
    if (!errors) {
        return fail_memory(op);
    }
    for (int i = 0; i < problems->n; i++) {
        errors[i] = (struct http_item_error){ -1, problems->items[i].field,
                                              problems->items[i].detail };
    }
    web->response->errors = errors;
    web->response->n_errors = problems->n;
    if (problems->n_total > 1) {
        return fail(op, ERR_INVALID, "%d things are wrong with the %s.", problems->n_total,
                    what);
    }
    return fail(op, ERR_INVALID, "%s: %s", errors[0].field, errors[0].detail);
}

static void read_text(struct web *web, const struct rate_text *text, struct problems *problems,
                      struct rate_input *out)
{
    const struct identity *who = web->who;
    struct str zone = text->timezone.ptr ? text->timezone : str_of(who->tenant_timezone);
    struct str currency = text->currency.ptr ? text->currency : str_of(who->tenant_currency);

    *out = (struct rate_input){ .format = text->is_urdb ? "urdb" : "json" };
    if (!text->is_urdb) {
        out->tariff = tariff_read(web->op->arena, text->text, problems);
        return;
    }
    struct problems *left = arena_alloc(web->op->arena, sizeof *left);
    if (left) {
        problems_init(left, web->op->arena);
    }
    out->left = left;
    out->tariff = urdb_read(web->op->arena, text->text, zone, currency, problems, left);
}

enum err rate_input_read(struct web *web, const struct rate_text *text, struct problems *problems,
                         struct rate_input *out)
{
    bool is_zone = false;

    problems_init(problems, web->op->arena);
    read_text(web, text, problems, out);
    if (!out->tariff) {
        return OK;
    }
    enum err err = zone_exists(web->tx, str_of(out->tariff->timezone), &is_zone);
    if (err == OK && !is_zone) {
        problems_add(problems, "/timezone", "is no time zone of the tz database");
        out->tariff = NULL;
    }
    return err;
}

enum err rate_input_document(struct web *web, struct rate_input *out)
{
    struct str type = web->request->content_type;
    struct problems problems;
    struct rate_text text = { .is_urdb = str_equal(type, STR(URDB_MEDIA_TYPE)),
                              .timezone = web_query_text(web, "timezone"),
                              .currency = web_query_text(web, "currency") };

    if (!text.is_urdb && !str_equal(type, STR("application/json"))) {
        return fail(web->op, ERR_MEDIA_TYPE, "The body must be application/json or "
                                             URDB_MEDIA_TYPE ".");
    }
    enum err err = http_read_decoded_body(web->request, web->max_body, &text.text);
    if (err == OK) {
        err = rate_input_read(web, &text, &problems, out);
    }
    return err == OK && !out->tariff ? rate_input_refuse(web, "rate schedule", &problems) : err;
}

/* ---- places ---- */

/* A key; ptr NULL for none. */
static struct str read_key(struct body *body, const char *name)
{
    return body_is_null(body, name) ? (struct str){ NULL, 0 }
                                    : body_text(body, name, 1, MAX_NAME_BYTES);
}

/* A day as text; ptr NULL for none. */
static enum err read_day(struct body *body, const char *name, const char *zone_name,
                         struct str *out)
{
    struct web *web = body->web;
    struct zone zone;
    int64_t day, time_us;

    *out = read_key(body, name);
    if (!out->ptr || span_day_parse(*out, &day)) {
        return OK;
    }
    if (!clock_parse_rfc3339(*out, &time_us)) {
        body_refuse(body, name, "must be a date such as 2026-11-20, or an RFC 3339 time");
        return OK;
    }
    enum err err = zone_load(web->tx, zone_name, time_us, time_us + 1, &zone);
    if (err == OK) {
        const char *text = span_day_text(web->op->arena, span_day_of(&zone, time_us));
        *out = str_of(text);
        err = text ? OK : fail_memory(web->op);
    }
    return err;
}

enum err rate_input_place(struct web *web, const char *zone, struct rate_place *out)
{
    struct body body;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    out->site = read_key(&body, "site");
    out->device = read_key(&body, "device");
    if (out->site.ptr && out->device.ptr) {
        body_refuse(&body, "device", "must not be there beside a site");
    }
    err = read_day(&body, "from", zone, &out->from_day);
    if (err == OK) {
        err = read_day(&body, "to", zone, &out->to_day);
    }
    if (err != OK) {
        return err;
    }
    int64_t from, to;
    if (span_day_parse(out->from_day, &from) && span_day_parse(out->to_day, &to) && to <= from) {
        body_refuse(&body, "to", "must be after from: it is the first day on which the schedule "
                                 "does not hold any more");
    }
    return body_finish(&body);
}

/* /v1/devices/{key}/meter-entries: what happened to a device's meter that its readings do not tell.
 * Everybody of the tenant sees it, admins enter and withdraw. */
#include "web/api.h"

#include "domain/device.h"
#include "domain/device_change.h"
#include "domain/meter.h"
#include "web/body.h"
#include "web/by_id.h"

#include <inttypes.h>
#include <math.h>

static const char *const COLUMNS[] = {
    "id",   "metric", "labels", "kind", "at",      "until",   "final",        "initial",
    "size", "factor", "unit",   "note", "made_by", "made_at", "withdrawn_by", "withdrawn_at",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

/* ---- output ---- */

static void write_entry(struct list_writer *list, const struct meter_entry *entry)
{
    list_item(list);
    list_int(list, entry->id);
    list_text(list, entry->metric);
    list_json(list, entry->labels);
    list_text(list, entry->kind);
    list_time(list, entry->at_us);
    by_id_time(list, entry->until_us == METER_OPEN ? METER_INSTANT : entry->until_us);
    list_double(list, entry->final);
    list_double(list, entry->initial);
    list_double(list, entry->size);
    list_json(list, entry->factor);
    list_text(list, entry->unit);
    list_text(list, entry->note);
    list_text(list, entry->made_by);
    list_time(list, entry->made_us);
    list_text(list, entry->withdrawn_by);
    by_id_time(list, entry->withdrawn_by ? entry->withdrawn_us : INT64_MIN);
    list_end_item(list);
}

/* Where a page of the list begins: the cursor's time and, as its key, number. */
static enum err read_cursor(struct web *web, int64_t *before_us, int32_t *before_id)
{
    bool is_found = false;
    struct cursor cursor;
    long long id = 0;
    enum err err = web_query_cursor(web, CURSOR_METER, &is_found, &cursor);

    *before_us = INT64_MAX;
    *before_id = INT32_MAX;
    if (err != OK || !is_found) {
        return err;
    }
    if (!str_to_int64(cursor.key, &id) || id < 0 || id > INT32_MAX) {
        return fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
    }
    *before_us = cursor.time_us;
    *before_id = (int32_t)id;
    return OK;
}

enum err api_meter_list(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    struct meter_entry_list entries;
    struct device device;
    struct list_writer list;
    int64_t before_us = 0;
    int32_t before_id = 0;
    int limit = 0;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = read_cursor(web, &before_us, &before_id);
    }
    if (err == OK) {
        err = device_find(web->tx, key, &device);
    }
    if (err == OK) {
        err = meter_list(web->tx, key, before_us, before_id, limit + 1, &entries);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = entries.n > limit ? limit : entries.n;
    for (int i = 0; i < n; i++) {
        write_entry(&list, &entries.items[i]);
    }
    if (entries.n <= limit) {
        return list_end(&list, CURSOR_METER, NULL);
    }
    const char *id = arena_printf(web->op->arena, "%" PRId32, entries.items[n - 1].id);
    if (!id) {
        return fail_memory(web->op);
    }
    struct cursor last = { .time_us = entries.items[n - 1].at_us, .key = str_of(id) };
    return list_end(&list, CURSOR_METER, &last);
}

/* ---- entering ---- */

/* The parts that the kind of entry has; those that it has not are refused where they are given. */
static void read_parts(struct body *body, struct meter_given *given)
{
    for (int part = 0; given->kind && part < METER_PARTS; part++) {
        const char *name = METER_PART_NAMES[part];
        if (body_has(body, name) && !(given->kind->takes & 1U << part) &&
            !body_is_null(body, name)) {
            body_refuse(body, name, "does not go with this kind of entry");
        } else if (given->kind->needs & 1U << part &&
                   (!body_has(body, name) || body_is_null(body, name))) {
            body_refuse(body, name, "must be given");
        }
    }
    if (!body_is_null(body, "until")) {
        given->until_us = body_time(body, "until", METER_OPEN);
    }
    if (!body_is_null(body, "final")) {
        (void)body_number(body, "final", &given->final);
    }
    if (!body_is_null(body, "initial")) {
        (void)body_number(body, "initial", &given->initial);
    }
    if (!body_is_null(body, "size")) {
        (void)body_number(body, "size", &given->size);
    }
    if (!body_is_null(body, "factor")) {
        double factor = 1;
        given->factor = body_decimal(body, "factor", &factor);
        if (given->factor.len > METER_MAX_FACTOR_BYTES || factor <= 0) {
            body_refuse(body, "factor", "must be more than 0, and written in at most 40 digits");
        }
    }
    if (!body_is_null(body, "unit")) {
        given->unit = body_text(body, "unit", 1, MAX_UNIT_BYTES);
    }
}

static const struct meter_kind *read_kind(struct body *body)
{
    const char *names[METER_KINDS];

    for (int i = 0; i < METER_KINDS; i++) {
        names[i] = METER_KIND_LIST[i].name;
    }
    int kind = body_choice(body, "kind", names, METER_KINDS);
    return kind < 0 ? NULL : &METER_KIND_LIST[kind];
}

static enum err read_entry(struct web *web, struct meter_given *given)
{
    struct body body;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    *given = (struct meter_given){ .device = http_capture(web->request, "key"),
                                   .kind = read_kind(&body),
                                   .at_us = body_time(&body, "at", 0),
                                   .until_us = METER_OPEN,
                                   .final = NAN, .initial = NAN, .size = NAN };
    if (!body_is_null(&body, "metric")) {
        given->metric = body_text(&body, "metric", 1, METER_MAX_METRIC_BYTES);
    }
    if (!body_is_null(&body, "labels")) {
        given->labels = body_object(&body, "labels", MAX_LABELS_BYTES);
    }
    given->note = body_text(&body, "note", 0, METER_MAX_NOTE_BYTES);
    body_require(&body, "kind");
    body_require(&body, "at");
    read_parts(&body, given);
    if (given->until_us <= given->at_us) {
        body_refuse(&body, "until", "must be after at");
    }
    if (given->size <= 0) {
        body_refuse(&body, "size", "must be more than 0");
    }
    return body_finish(&body);
}

/* What the database has against it, field by field. */
static enum err refuse(struct web *web, const struct meter_problems *problems)
{
    struct http_item_error *errors = arena_array(web->op->arena, (size_t)problems->n,
                                                 sizeof *errors);

    if (!errors) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < problems->n; i++) {
        errors[i] = (struct http_item_error){ -1, problems->items[i].field,
                                              problems->items[i].detail };
    }
    web->response->errors = errors;
    web->response->n_errors = problems->n;
    return fail(web->op, ERR_INVALID, "%s: %s", errors[0].field, errors[0].detail);
}

enum err api_meter_add(struct web *web)
{
    struct meter_given given;
    struct meter_problems problems;
    struct meter_entry made;
    struct list_writer item;
    int32_t id = 0;
    enum err err = read_entry(web, &given);

    if (err == OK) {
        err = meter_check(web->tx, &given, &problems);
    }
    if (err == OK && problems.n > 0) {
        err = refuse(web, &problems);
    }
    if (err == OK) {
        err = meter_add(web->tx, &given, &id);
    }
    if (err == OK) {
        err = meter_find(web->tx, given.device, id, &made);
    }
    if (err == OK) {
        web->response->status = 201;
        list_single(&item, web, COLUMNS, N_COLUMNS);
        write_entry(&item, &made);
    }
    return err;
}

enum err api_meter_withdraw(struct web *web)
{
    static const char NONE[] = "the device has no such entry";
    int64_t id = 0;
    enum err err = by_id_capture(web, NONE, &id);

    if (err == OK && id > INT32_MAX) {
        err = fail(web->op, ERR_NOT_FOUND, "%s", NONE);
    }
    if (err == OK) {
        err = meter_withdraw(web->tx, http_capture(web->request, "key"), (int32_t)id);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

/* /v1/devices/{key}/series: what a device measures, and an admin's corrections of it. */
#include "domain/device.h"
#include "domain/device_change.h"
#include "web/api.h"
#include "web/body.h"
#include "web/list.h"

#include <inttypes.h>

static const char *const SERIES_COLUMNS[] = {
    "id", "metric", "labels", "unit", "kind", "role", "created_at", "last_time", "last_value",
};
#define N_SERIES_COLUMNS ((int)(sizeof SERIES_COLUMNS / sizeof *SERIES_COLUMNS))

/* The values of SERIES_COLUMNS. */
static void write_series(struct list_writer *list, const struct device_series *series)
{
    list_item(list);
    list_int(list, series->id);
    list_text(list, series->metric);
    list_json(list, series->labels);
    list_text(list, series->unit);
    list_text(list, series->kind);
    list_text(list, series->role);
    list_time(list, series->created_us);
    if (series->last_us == DEVICE_NEVER) {
        list_null(list);
        list_null(list);
    } else {
        list_time(list, series->last_us);
        list_double(list, series->last_value);
    }
    list_end_item(list);
}

enum err api_series_list(struct web *web)
{
    int limit = 0;
    bool has_cursor = false;
    struct cursor cursor;
    long long after = 0;
    struct device device;
    struct device_series_list series;
    struct list_writer list;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, CURSOR_SERIES, &has_cursor, &cursor);
    }
    if (err == OK && has_cursor &&
        (!str_to_int64(cursor.key, &after) || after < 0 || after > INT32_MAX)) {
        err = fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
    }
    if (err == OK) {
        err = device_find(web->tx, http_capture(web->request, "key"), &device);
    }
    if (err == OK) {
        err = list_begin(&list, web, SERIES_COLUMNS, N_SERIES_COLUMNS);
    }
    if (err == OK) {
        err = device_series_page(web->tx, device.id, (int32_t)after, limit + 1, &series);
    }
    if (err != OK) {
        return err;
    }
    int n = series.n > limit ? limit : series.n;
    for (int i = 0; i < n; i++) {
        write_series(&list, &series.items[i]);
    }
    struct cursor last = { 0 };
    if (series.n > limit) {
        last.key = str_of(arena_printf(web->op->arena, "%" PRId32, series.items[n - 1].id));
    }
    return list_end(&list, CURSOR_SERIES, series.n > limit ? &last : NULL);
}

/* Answers with the series as it is now. */
static enum err show(struct web *web, struct str key, int32_t id)
{
    struct device device;
    struct device_series_list series = { .n = 0 };
    enum err err = device_find(web->tx, key, &device);

    if (err == OK) {
        err = device_series_page(web->tx, device.id, id - 1, 1, &series);
    }
    if (err == OK && (series.n == 0 || series.items[0].id != id)) {
        err = fail(web->op, ERR_NOT_FOUND, "the device has no such series");
    }
    if (err != OK) {
        return err;
    }
    struct list_writer item = { .web = web, .columns = SERIES_COLUMNS,
                                .n_columns = N_SERIES_COLUMNS };
    web->response->content_type = "application/json";
    json_writer_init(&item.json, &web->response->body);
    write_series(&item, &series.items[0]);
    return OK;
}

static struct str choice_text(const char *const *choices, int i)
{
    return i < 0 ? (struct str){ NULL, 0 } : str_of(choices[i]);
}

enum err api_series_change(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    long long id = 0;
    struct body body;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    struct str unit = body_text(&body, "unit", 0, MAX_UNIT_BYTES);
    int kind = body_choice(&body, "kind", SERIES_KINDS, N_SERIES_KINDS);
    int role = body_choice(&body, "role", SERIES_ROLES, N_SERIES_ROLES);
    err = body_finish(&body);
    if (err != OK) {
        return err;
    }
    if (!str_to_int64(http_capture(web->request, "id"), &id) || id < 1 || id > INT32_MAX) {
        id = 0; /* no series has it */
    }
    err = device_series_change(web->tx, key, (int32_t)id, unit, choice_text(SERIES_KINDS, kind),
                               choice_text(SERIES_ROLES, role));
    return err == OK ? show(web, key, (int32_t)id) : err;
}

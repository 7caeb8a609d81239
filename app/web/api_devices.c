/* /v1/devices and /v1/devices/{key}: what a tenant has, and what its admins make of it. */
#include "base/clock.h"
#include "base/limits.h"
#include "domain/device.h"
#include "domain/device_change.h"
#include "domain/site.h"
#include "web/api.h"
#include "web/body.h"
#include "web/list_stream.h"

static const char *const device_columns[] = {
    "key", "name", "model", "site", "timezone", "created_at", "last_seen", "retired_at",
};
#define N_DEVICE_COLUMNS ((int)(sizeof device_columns / sizeof *device_columns))

static void write_time(struct list_writer *list, int64_t time_us)
{
    if (time_us == DEVICE_NEVER) {
        list_null(list);
    } else {
        list_time(list, time_us);
    }
}

/* The values of device_columns. */
static void write_device(struct list_writer *list, const struct device *device)
{
    list_text(list, device->key);
    list_text(list, device->name);
    list_text(list, device->model);
    list_text(list, device->site);
    list_text(list, device->timezone);
    write_time(list, device->created_us);
    write_time(list, device->last_seen_us);
    write_time(list, device->retired_us);
}

static enum err read_filter(struct web *web, struct device_filter *filter)
{
    struct str retired = web_query_text(web, "retired");
    bool is_yes = str_equal(retired, STR("true"));
    if (retired.ptr != NULL && !is_yes && !str_equal(retired, STR("false"))) {
        return fail(web->op, ERR_MALFORMED, "retired: must be true or false");
    }
    *filter = (struct device_filter){
        .site = web_query_text(web, "site"),
        .search = web_query_text(web, "q"),
        .use = retired.ptr == NULL ? DEVICE_ANY : is_yes ? DEVICE_RETIRED : DEVICE_IN_USE,
    };
    return OK;
}

static enum err write_page(struct list_writer *list, void *query, const struct cursor *after,
                           int limit, struct cursor *last, bool *is_more)
{
    struct device_list devices;
    struct str after_key = after ? after->key : (struct str){ .ptr = NULL };
    enum err err = device_list(list->web->tx, query, after_key, limit + 1, &devices);
    if (err != OK) {
        return err;
    }
    *is_more = devices.n > limit;
    int n = *is_more ? limit : devices.n;
    for (int i = 0; i < n; i++) {
        list_item(list);
        write_device(list, &devices.items[i]);
        list_end_item(list);
    }
    if (n > 0) {
        last->key = str_of(devices.items[n - 1].key);
    }
    return OK;
}

#define STREAM_ROWS 1000

enum err api_devices_list(struct web *web)
{
    struct device_filter *filter = arena_alloc(web->op->arena, sizeof *filter);
    struct list_source *source = arena_alloc(web->op->arena, sizeof *source);
    if (filter == NULL || source == NULL) {
        return fail_memory(web->op);
    }
    *source = (struct list_source){
        .columns = device_columns, .n_columns = N_DEVICE_COLUMNS,
        .kind = CURSOR_DEVICES, .page_rows = STREAM_ROWS,
        .query = filter, .write_page = write_page,
    };
    enum err err = read_filter(web, filter);
    return err == OK ? list_answer(web, source) : err;
}

static void write_series(struct json_writer *json, const struct device_series *series)
{
    char text[CLOCK_TEXT_SIZE];
    bool has_sample = series->last_us != DEVICE_NEVER;
    json_open_object(json);
    json_key(json, "id");
    json_int(json, series->id);
    json_key(json, "metric");
    json_text(json, series->metric);
    json_key(json, "labels");
    json_raw(json, str_of(series->labels));
    json_key(json, "unit");
    json_text(json, series->unit);
    json_key(json, "kind");
    json_text(json, series->kind);
    json_key(json, "role");
    json_text(json, series->role);
    json_key(json, "created_at");
    json_text(json, clock_format(series->created_us, text));
    json_key(json, "last_time");
    json_text(json, has_sample ? clock_format(series->last_us, text) : NULL);
    json_key(json, "last_value");
    json_double(json, series->last_value);
    json_close_object(json);
}

/* The device of the list with what only one of them has: configuration and series. */
static void write_document(struct web *web, const struct device *device,
                           const struct device_series_list *series)
{
    struct list_writer item = { .web = web, .columns = device_columns,
                                .n_columns = N_DEVICE_COLUMNS };
    web->response->content_type = "application/json";
    json_writer_init(&item.json, &web->response->body);
    list_item(&item);
    write_device(&item, device);
    json_key(&item.json, "config");
    json_raw(&item.json, device->config ? str_of(device->config) : STR("{}"));
    json_key(&item.json, "series");
    json_open_array(&item.json);
    for (int i = 0; i < series->n; i++) {
        write_series(&item.json, &series->items[i]);
    }
    json_close_array(&item.json);
    list_end_item(&item);
}

enum err api_devices_show(struct web *web)
{
    struct device device;
    enum err err = device_find(web->tx, http_capture(web->request, "key"), &device);
    if (err != OK) {
        return err;
    }
    struct device_series_list series;
    err = device_series_list(web->tx, device.id, &series);
    if (err != OK) {
        return err;
    }
    enum answer_form form;
    err = accept_form(web, &form);
    if (err != OK) {
        return err;
    }
    if (form == ANSWER_JSON) {
        write_document(web, &device, &series);
        return OK;
    }
    struct list_writer list;
    err = list_begin(&list, web, device_columns, N_DEVICE_COLUMNS);
    if (err != OK) {
        return err;
    }
    list_item(&list);
    write_device(&list, &device);
    list_end_item(&list);
    return list_end(&list, CURSOR_DEVICES, NULL);
}

/* ---- changes ---- */

/* The members that make and change a device. A site of null is none. */
static enum err read_device(struct web *web, struct body *body, struct device_facts_given *given)
{
    bool is_site = true;
    *given = (struct device_facts_given){
        .name = body_text(body, "name", 1, MAX_TITLE_BYTES),
        .model = body_text(body, "model", 0, MAX_TITLE_BYTES),
        .config = body_object(body, "config", MAX_CONFIG_BYTES),
    };
    if (body_is_null(body, "site")) {
        given->site = STR("");
    } else {
        given->site = body_text(body, "site", 1, MAX_NAME_BYTES);
    }
    if (given->site.len > 0) {
        enum err err = site_exists(web->tx, given->site, &is_site);
        if (err != OK) {
            return err;
        }
    }
    if (!is_site) {
        body_refuse(body, "site", "is no site of this tenant");
    }
    return body_finish(body);
}

/* Answers with the device as it is now. */
static enum err answer(struct web *web, struct str key)
{
    struct device device;
    struct device_series_list series;
    enum err err = device_find(web->tx, key, &device);
    if (err == OK) {
        err = device_series_list(web->tx, device.id, &series);
    }
    if (err == OK) {
        write_document(web, &device, &series);
    }
    return err;
}

enum err api_devices_add(struct web *web)
{
    struct body body;
    struct device_facts_given given;
    enum err err = body_read(web, &body);
    if (err != OK) {
        return err;
    }
    body_require(&body, "key");
    struct str key = body_text(&body, "key", 1, MAX_NAME_BYTES);
    err = read_device(web, &body, &given);
    if (err == OK) {
        err = device_add(web->tx, key, &given);
    }
    if (err == OK) {
        err = web_created(web, "/v1/devices/", key);
    }
    return err == OK ? answer(web, key) : err;
}

enum err api_devices_change(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    struct body body;
    struct device_facts_given given;
    enum err err = body_read(web, &body);
    if (err != OK) {
        return err;
    }
    bool is_retired = body_bool(&body, "retired", false);
    err = read_device(web, &body, &given);
    if (err != OK) {
        return err;
    }
    if (body_has(&body, "retired")) {
        given.retire = is_retired ? RETIRE_YES : RETIRE_NO;
    }
    err = device_change(web->tx, key, &given);
    return err == OK ? answer(web, key) : err;
}

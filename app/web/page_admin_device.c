/* /admin/devices/{key}: one device for the tenant's admins: what it is, what its series are,
 * whether it is in use. */
#include "web/admin_fields.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/device.h"
#include "domain/device_change.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_parts.h"

#include <inttypes.h>

#define SERIES_SHOWN 100

static const char MOVE_HINT[] =
    "A device takes its past along: its earlier energy and costs become the new site’s, too. Where "
    "they shall stay, leave it there, retire it and make a new device. Empty: no site.";

enum { FIELD_NAME, FIELD_MODEL, FIELD_SITE, FIELD_CONFIG, N_FIELDS };
enum { SERIES_UNIT, SERIES_KIND, SERIES_ROLE, N_SERIES_FIELDS };

static const struct form_outcome outcomes[] = {
    { "added", "The device is added. It can send as soon as it has a token." },
    { "saved", "The changes are saved." },
    { "series", "The series is corrected. Everything derived from it follows within seconds." },
    { "retired", "The device is retired: its readings stay, new ones are refused." },
    { "revived", "The device is in use again." },
};

static const struct choice_view kinds[] = {
    { "gauge", "Gauge: a level, such as power" },
    { "counter", "Counter: a meter that only rises" },
    { "delta", "Delta: an amount since the last reading" },
};

static const struct choice_view roles[] = {
    { "none", "None" },
    { "consumption", "Consumption" },
    { "generation", "Generation" },
    { "grid_import", "From the grid" },
    { "grid_export", "To the grid" },
    { "storage", "Storage" },
    { "sub_meter", "Sub-meter: counted elsewhere already" },
};

static const char *label_of(const struct choice_view *choices, size_t n, const char *value)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(choices[i].value, value) == 0) {
            return choices[i].label;
        }
    }
    return value;
}

/* The label up to its explanation: "Counter". */
static const char *short_label(struct arena *arena, const struct choice_view *choices, size_t n,
                               const char *value)
{
    struct str label = str_of(label_of(choices, n, value));

    return arena_copy(arena, str_cut(&label, ':'));
}

/* ---- the device ---- */

static enum err add_fields(struct web *web, const struct device *device,
                           struct admin_device_view *view)
{
    const char *config = "";
    enum err err = device_config_text(web->tx, str_of(device->key), &config);

    view->fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .value = device->name,
        .is_required = true, .max_bytes = MAX_TITLE_BYTES,
    };
    view->fields[FIELD_MODEL] = (struct field_view){
        .name = "model", .label = "Model", .type = "text", .value = device->model,
        .max_bytes = MAX_TITLE_BYTES,
    };
    view->fields[FIELD_CONFIG] = (struct field_view){
        .name = "config", .label = "Configuration", .type = "textarea",
        .value = strcmp(config, "{\n}") == 0 ? "{}" : config,
        .is_code = true, .rows = 6, .max_bytes = MAX_CONFIG_BYTES,
        .hint = "JSON. What “metrics” says about a series overrides its name.",
    };
    view->n_fields = N_FIELDS;
    if (err == OK) {
        err = admin_site_field(web, device->site, &view->fields[FIELD_SITE]);
        view->fields[FIELD_SITE].hint = MOVE_HINT;
    }
    return err;
}

/* ---- its series ---- */

static int by_metric(const void *a, const void *b)
{
    const struct device_series *x = a, *y = b;
    int order = strcmp(x->metric, y->metric);

    return order != 0 ? order : (x->id > y->id) - (x->id < y->id);
}

/* A number of the query; 0 without one. */
static int32_t query_id(const struct web *web, const char *name)
{
    long long id = 0;
    bool is_id = str_to_int64(http_query(web->request, name), &id) && id > 0 && id <= INT32_MAX;

    return is_id ? (int32_t)id : 0;
}

static struct admin_series_row series_row(struct arena *arena, const struct device_series *series)
{
    bool has_value = series->last_us != DEVICE_NEVER;

    return (struct admin_series_row){
        .id = arena_printf(arena, "%" PRId32, series->id),
        .metric = series->metric,
        .labels = strcmp(series->labels, "{}") == 0 ? NULL : series->labels,
        .unit = series->unit,
        .kind = short_label(arena, kinds, sizeof kinds / sizeof *kinds, series->kind),
        .role = short_label(arena, roles, sizeof roles / sizeof *roles, series->role),
        .value = has_value ? format_quantity(arena, series->last_value, series->unit) : NULL,
    };
}

static enum err add_series(struct web *web, const struct device *device,
                           struct admin_device_view *view)
{
    struct arena *arena = web->op->arena;
    int32_t after = query_id(web, "after");
    struct device_series_list list;
    enum err err = device_series_page(web->tx, device->id, after, SERIES_SHOWN + 1, &list);

    if (err != OK) {
        return err;
    }
    int n = list.n > SERIES_SHOWN ? SERIES_SHOWN : list.n;
    struct admin_series_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    const char *path = web_path(arena, "/admin/devices/", str_of(device->key));
    if (!rows || !path) {
        return fail_memory(web->op);
    }
    int32_t last = n > 0 ? list.items[n - 1].id : 0;
    if (n > 0) {
        qsort(list.items, (size_t)n, sizeof *list.items, by_metric);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = series_row(arena, &list.items[i]);
        rows[i].is_chosen = view->chosen_id && strcmp(view->chosen_id, rows[i].id) == 0;
    }
    view->series = rows;
    view->n_series = n;
    view->pager = (struct pager_view){
        .first = after > 0 ? path : NULL,
        .next = list.n > n ? arena_printf(arena, "%s?after=%" PRId32, path, last) : NULL,
    };
    return OK;
}

/* Opens the form of one series; none where the device has no such series. */
static enum err choose_series(struct web *web, const struct device *device, int32_t id,
                              struct admin_device_view *view)
{
    struct device_series_list list;
    enum err err = device_series_page(web->tx, device->id, id - 1, 1, &list);

    if (err != OK || id < 1 || list.n == 0 || list.items[0].id != id) {
        return err;
    }
    const struct device_series *series = &list.items[0];
    view->chosen = series->metric;
    view->chosen_id = arena_printf(web->op->arena, "%" PRId32, id);
    view->series_fields[SERIES_UNIT] = (struct field_view){
        .name = "unit", .label = "Unit", .type = "text", .value = series->unit,
        .max_bytes = MAX_UNIT_BYTES, .hint = "W, kW, Wh and kWh count as energy.",
    };
    view->series_fields[SERIES_KIND] = (struct field_view){
        .name = "kind", .label = "Kind", .type = "select", .value = series->kind,
        .choices = kinds, .n_choices = sizeof kinds / sizeof *kinds,
    };
    view->series_fields[SERIES_ROLE] = (struct field_view){
        .name = "role", .label = "Role", .type = "select", .value = series->role,
        .choices = roles, .n_choices = sizeof roles / sizeof *roles,
    };
    view->n_series_fields = N_SERIES_FIELDS;
    return OK;
}

/* ---- the page ---- */

static enum err load(struct web *web, struct device *device, struct admin_device_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct zone zone;
    enum err err = device_find(web->tx, http_capture(web->request, "key"), device);

    if (err != OK) {
        return err;
    }
    int64_t since_us = device->last_seen_us != DEVICE_NEVER &&
                               device->last_seen_us < device->created_us
                           ? device->last_seen_us
                           : device->created_us;
    err = zone_load(web->tx, device->timezone, since_us, now_us + US_PER_DAY, &zone);
    if (err != OK) {
        return err;
    }
    enum freshness freshness = freshness_of(now_us, device->last_seen_us);
    view->is_retired = device->retired_us != DEVICE_NEVER;
    view->key = device->key;
    view->name = device->name;
    view->state = view->is_retired ? "Retired" : freshness_word(freshness);
    view->state_class = view->is_retired ? "" : freshness_class(freshness);
    view->seen = moment_view(arena, &zone, now_us, device->last_seen_us);
    view->since = moment_view(arena, &zone, now_us, device->created_us);
    view->retired = moment_view(arena, &zone, now_us, device->retired_us);
    return add_fields(web, device, view);
}

static enum err show(struct web *web, const struct device *device, struct admin_device_view *view)
{
    enum err err = add_series(web, device, view);

    if (err != OK) {
        return err;
    }
    view->page = page_view(web, view->name, "/admin/devices");
    page_is_html(web);
    tpl_page_admin_device(&web->response->body, view);
    return OK;
}

enum err page_admin_device(struct web *web)
{
    struct device device;
    struct admin_device_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    enum err err = load(web, &device, &view);

    if (err == OK) {
        err = choose_series(web, &device, query_id(web, "series"), &view);
    }
    return err == OK ? show(web, &device, &view) : err;
}

/* 303 to the device's page with a word of `outcomes`. */
static enum err done(struct web *web, const char *word)
{
    struct str key = http_capture(web->request, "key");

    return form_done(web, web_path(web->op->arena, "/admin/devices/", key), word);
}

/* The field's text, empty where nothing is in it: what is shown is what is stored. */
static struct str whole_value(struct field_view *fields, const char *name)
{
    struct str value = form_value(fields, N_FIELDS, name);

    return value.ptr ? value : STR("");
}

enum err page_admin_device_save(struct web *web)
{
    struct device device;
    struct admin_device_view view = { .n_series = 0 };
    enum err err = load(web, &device, &view);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.fields, N_FIELDS);
    err = admin_check_site(web, view.fields, N_FIELDS);
    if (err == OK) {
        err = admin_check_config(web, view.fields, N_FIELDS);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show(web, &device, &view);
    }
    struct str config = form_value(view.fields, N_FIELDS, "config");
    struct device_facts_given given = {
        .name = form_value(view.fields, N_FIELDS, "name"),
        .model = whole_value(view.fields, "model"),
        .site = whole_value(view.fields, "site"),
        .config = config.ptr ? config : STR("{}"),
    };
    err = device_change(web->tx, str_of(device.key), &given);
    return err == OK ? done(web, "saved") : err;
}

enum err page_admin_device_retire(struct web *web)
{
    bool is_retired = str_equal(web_form(web, "retired"), STR("1"));
    struct device_facts_given given = { .retire = is_retired ? RETIRE_YES : RETIRE_NO };
    enum err err = device_change(web->tx, http_capture(web->request, "key"), &given);

    return err == OK ? done(web, is_retired ? "retired" : "revived") : err;
}

enum err page_admin_device_series(struct web *web)
{
    struct device device;
    long long id = 0;
    struct admin_device_view view = { .n_series = 0 };
    enum err err = load(web, &device, &view);

    if (err == OK && str_to_int64(web_form(web, "series"), &id) && id > 0 && id <= INT32_MAX) {
        err = choose_series(web, &device, (int32_t)id, &view);
    }
    if (err == OK && !view.chosen) {
        err = fail(web->op, ERR_NOT_FOUND, "the device has no such series");
    }
    if (err != OK) {
        return err;
    }
    if (!form_take(web, view.series_fields, N_SERIES_FIELDS)) {
        view.notice = form_rejected(web, view.series_fields, N_SERIES_FIELDS);
        return show(web, &device, &view);
    }
    err = device_series_change(web->tx, str_of(device.key), (int32_t)id,
                               str_of(view.series_fields[SERIES_UNIT].value),
                               str_of(view.series_fields[SERIES_KIND].value),
                               str_of(view.series_fields[SERIES_ROLE].value));
    return err == OK ? done(web, "series") : err;
}

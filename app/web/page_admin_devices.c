/* /admin/devices: a tenant's devices for its admins: found, filtered, added. */
#include "web/admin_fields.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/device.h"
#include "domain/device_change.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/html.h"
#include "view/model_parts.h"

#define DEVICES_SHOWN 50
#define MAX_SEARCH_BYTES 128

enum { FILTER_SEARCH, FILTER_SITE, FILTER_STATE, N_FILTERS };
enum { FIELD_KEY, FIELD_NAME, FIELD_MODEL, FIELD_SITE, N_FIELDS };

static const struct choice_view states[] = {
    { "", "In use" }, { "retired", "Retired" }, { "all", "All" },
};

static const struct form_outcome outcomes[] = {
    { "imported", "The devices are imported." },
    { "erased", "The device and all its data are erased." },
};

/* ---- the list ---- */

static const char *query_copy(const struct web *web, const char *name)
{
    struct str text = str_trim(http_query(web->request, name));

    text.len = text.len > MAX_SEARCH_BYTES ? 0 : text.len;
    const char *copy = arena_copy(web->op->arena, text);
    return copy ? copy : "";
}

static enum err list_filters(struct web *web, struct field_view filters[N_FILTERS])
{
    filters[FILTER_SEARCH] = (struct field_view){
        .name = "q", .label = "Search", .type = "search", .value = query_copy(web, "q"),
    };
    filters[FILTER_STATE] = (struct field_view){
        .name = "state", .label = "State", .type = "select", .value = query_copy(web, "state"),
        .choices = states, .n_choices = sizeof states / sizeof *states,
    };
    enum err err = admin_site_field(web, query_copy(web, "site"), &filters[FILTER_SITE]);
    struct field_view *site = &filters[FILTER_SITE];
    site->id = "filter-site";
    site->hint = NULL;
    if (err == OK && strcmp(site->type, "select") == 0) {
        /* the choice of none is that of all here */
        struct choice_view *choices = arena_array(web->op->arena, (size_t)site->n_choices,
                                                  sizeof *choices);
        if (!choices) {
            return fail_memory(web->op);
        }
        memcpy(choices, site->choices, (size_t)site->n_choices * sizeof *choices);
        choices[0].label = "All";
        site->choices = choices;
    }
    return err;
}

static struct str or_none(const char *text)
{
    return text[0] != '\0' ? str_of(text) : (struct str){ NULL, 0 };
}

static struct device_filter filter_of(const struct field_view filters[N_FILTERS])
{
    const char *state = filters[FILTER_STATE].value;

    return (struct device_filter){
        .site = or_none(filters[FILTER_SITE].value),
        .search = or_none(filters[FILTER_SEARCH].value),
        .use = strcmp(state, "all") == 0       ? DEVICE_ANY
               : strcmp(state, "retired") == 0 ? DEVICE_RETIRED
                                               : DEVICE_IN_USE,
    };
}

/* The list's address with its filters, and where it goes on after `key` (NULL: the beginning). */
static const char *list_address(struct arena *arena, const struct field_view filters[N_FILTERS],
                                const char *key)
{
    const char *separator = "?";
    struct buf path;

    buf_init(&path, arena, 4096);
    buf_add_text(&path, "/admin/devices");
    for (int i = 0; i <= N_FILTERS; i++) {
        const char *value = i < N_FILTERS ? filters[i].value : key;
        if (value && value[0] != '\0') {
            buf_add_text(&path, separator);
            buf_add_text(&path, i < N_FILTERS ? filters[i].name : "after");
            buf_add_char(&path, '=');
            html_url_part_chars(&path, value);
            separator = "&";
        }
    }
    buf_add_char(&path, '\0');
    return path.is_broken ? NULL : path.data;
}

static struct admin_device_row row_of(struct arena *arena, const struct zone *zone,
                                      int64_t now_us, const struct device *device)
{
    enum freshness freshness = freshness_of(now_us, device->last_seen_us);
    bool is_retired = device->retired_us != DEVICE_NEVER;

    return (struct admin_device_row){
        .key = device->key,
        .name = device->name,
        .model = device->model && device->model[0] != '\0' ? device->model : NULL,
        .site = device->site,
        .seen = moment_view(arena, zone, now_us, device->last_seen_us),
        .state = is_retired ? "Retired" : freshness_word(freshness),
        .state_class = is_retired ? "" : freshness_class(freshness),
    };
}

/* The tenant's zone from the oldest time that the list shows on. */
static enum err load_zone(struct web *web, const struct device_list *list, int64_t now_us,
                          struct zone *out)
{
    int64_t oldest_us = now_us;

    for (int i = 0; i < list->n; i++) {
        int64_t seen_us = list->items[i].last_seen_us;
        oldest_us = seen_us != DEVICE_NEVER && seen_us < oldest_us ? seen_us : oldest_us;
    }
    return zone_load(web->tx, web->who->tenant_timezone, oldest_us, now_us + US_PER_DAY, out);
}

static enum err add_rows(struct web *web, struct admin_devices_view *view)
{
    struct arena *arena = web->op->arena;
    struct device_filter filter = filter_of(view->filters);
    struct str after = http_query(web->request, "after");
    int64_t now_us = clock_now_us();
    struct device_list list;
    struct zone zone;
    enum err err = device_list(web->tx, &filter, after, DEVICES_SHOWN + 1, &list);

    if (err == OK) {
        err = load_zone(web, &list, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    int n = list.n > DEVICES_SHOWN ? DEVICES_SHOWN : list.n;
    struct admin_device_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = row_of(arena, &zone, now_us, &list.items[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    view->is_filtered = filter.site.ptr || filter.search.ptr || filter.use != DEVICE_IN_USE;
    view->pager = (struct pager_view){
        .first = after.ptr ? list_address(arena, view->filters, NULL) : NULL,
        .next = list.n > n ? list_address(arena, view->filters, rows[n - 1].key) : NULL,
    };
    return OK;
}

/* ---- adding ---- */

static enum err list_fields(struct web *web, struct field_view fields[N_FIELDS])
{
    fields[FIELD_KEY] = (struct field_view){
        .name = "key", .label = "Key", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = MAX_NAME_BYTES,
        .hint = "The name that the device sends with its readings. It stays.",
    };
    fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .max_bytes = MAX_TITLE_BYTES,
        .hint = "As people call it. Empty: the key.",
    };
    fields[FIELD_MODEL] = (struct field_view){
        .name = "model", .label = "Model", .type = "text", .max_bytes = MAX_TITLE_BYTES,
    };
    return admin_site_field(web, NULL, &fields[FIELD_SITE]);
}

static enum err show(struct web *web, struct admin_devices_view *view)
{
    enum err err = list_filters(web, view->filters);

    view->n_filters = N_FILTERS;
    view->n_fields = N_FIELDS;
    if (err == OK) {
        err = add_rows(web, view);
    }
    if (err != OK) {
        return err;
    }
    view->page = page_view(web, "Devices", "/admin/devices");
    page_is_html(web);
    tpl_page_admin_devices(&web->response->body, view);
    return OK;
}

enum err page_admin_devices(struct web *web)
{
    struct admin_devices_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    enum err err = list_fields(web, view.fields);

    return err == OK ? show(web, &view) : err;
}

/* Refuses what the form's fields cannot know: keys that are taken or impossible. */
static enum err check_key(struct web *web, struct field_view fields[N_FIELDS])
{
    struct str key = form_value(fields, N_FIELDS, "key");
    struct device known;

    admin_check_key(fields, N_FIELDS);
    if (!key.ptr || fields[FIELD_KEY].error) {
        return OK;
    }
    enum err err = device_find(web->tx, key, &known);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        return OK;
    }
    if (err == OK) {
        form_refuse(fields, N_FIELDS, "key", "There is a device with this key already.");
    }
    return err;
}

enum err page_admin_devices_add(struct web *web)
{
    struct admin_devices_view view = { .is_adding = true };
    enum err err = list_fields(web, view.fields);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.fields, N_FIELDS);
    err = check_key(web, view.fields);
    if (err == OK) {
        err = admin_check_site(web, view.fields, N_FIELDS);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show(web, &view);
    }
    struct str key = form_value(view.fields, N_FIELDS, "key");
    struct device_facts_given given = {
        .name = form_value(view.fields, N_FIELDS, "name"),
        .model = form_value(view.fields, N_FIELDS, "model"),
        .site = form_value(view.fields, N_FIELDS, "site"),
    };
    err = device_add(web->tx, key, &given);
    return err == OK ? form_done(web, web_path(web->op->arena, "/admin/devices/", key), "added")
                     : err;
}

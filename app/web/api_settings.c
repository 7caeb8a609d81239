/* /v1/tenant and /v1/plugins: what a tenant's admins set for all of it. */
#include "web/api_access.h"

#include "domain/account.h"
#include "domain/mapping.h"
#include "domain/settings.h"
#include "domain/zone.h"
#include "web/body.h"
#include "web/by_id.h"

/* ---- the tenant ---- */

static const char *const TENANT_COLUMNS[] = {
    "slug",     "name",        "timezone",   "currency",   "auto_register",
    "raw_days", "hourly_days", "daily_days", "event_days", "created_at",
    "request_rate", "token_rate", "max_series", "rows_per_day", "series", "rows_today",
};
#define N_TENANT_COLUMNS ((int)(sizeof TENANT_COLUMNS / sizeof *TENANT_COLUMNS))

static void write_days(struct list_writer *list, int days)
{
    if (days > 0) {
        list_int(list, days);
    } else {
        list_null(list);
    }
}

/* The limits that hold, whoever set them; null: none. */
static void write_limits(struct list_writer *list, const struct limits_used *used)
{
    const struct tenant_limits limits = limits_effective(&used->own, list->web->config);

    for (int i = 0; i < TENANT_LIMITS; i++) {
        if (limits.values[i] > 0) {
            list_int(list, limits.values[i]);
        } else {
            list_null(list);
        }
    }
    list_int(list, used->series);
    list_int(list, used->rows_today);
}

enum err api_tenant_show(struct web *web)
{
    struct settings settings;
    struct limits_used used;
    struct list_writer item;
    enum err err = settings_load(web->tx, &settings);

    if (err == OK) {
        err = limits_load(web->tx, &used);
    }
    if (err != OK) {
        return err;
    }
    list_single(&item, web, TENANT_COLUMNS, N_TENANT_COLUMNS);
    list_item(&item);
    list_text(&item, settings.slug);
    list_text(&item, settings.name);
    list_text(&item, settings.timezone);
    list_text(&item, settings.currency);
    list_bool(&item, settings.may_register);
    write_days(&item, settings.raw_days);
    write_days(&item, settings.hourly_days);
    write_days(&item, settings.daily_days);
    write_days(&item, settings.event_days);
    by_id_time(&item, settings.created_us);
    write_limits(&item, &used);
    list_end_item(&item);
    return OK;
}

/* null: as the installation's settings say. */
static void read_days(struct body *body, const char *name, int *days)
{
    if (body_is_null(body, name)) {
        *days = 0;
    } else {
        *days = (int)body_int(body, name, 1, SETTINGS_MAX_DAYS, *days);
    }
}

static enum err read_zone(struct web *web, struct body *body, struct settings *settings)
{
    struct str zone = body_text(body, "timezone", 1, MAX_NAME_BYTES);
    bool is_known = true;

    if (!zone.ptr) {
        return OK;
    }
    enum err err = zone_exists(web->tx, zone, &is_known);
    if (err == OK && !is_known) {
        body_refuse(body, "timezone", "is no time zone of the tz database");
    }
    settings->timezone = arena_copy(web->op->arena, zone);
    return err;
}

static enum err read_settings(struct web *web, struct body *body, struct settings *settings)
{
    struct str name = body_text(body, "name", 1, SETTINGS_MAX_NAME_BYTES);
    struct str currency = body_text(body, "currency", 3, 3);

    if (name.ptr && str_trim(name).len == 0) {
        body_refuse(body, "name", "must not be empty");
    } else if (name.ptr) {
        settings->name = arena_copy(web->op->arena, str_trim(name));
    }
    if (currency.ptr) {
        settings->currency = arena_copy(web->op->arena, currency);
        if (account_check_currency(web->op, settings->currency) != OK) {
            op_clear_fault(web->op);
            body_refuse(body, "currency", "must be a code of three capital letters (ISO 4217)");
        }
    }
    settings->may_register = body_bool(body, "auto_register", settings->may_register);
    read_days(body, "raw_days", &settings->raw_days);
    read_days(body, "hourly_days", &settings->hourly_days);
    read_days(body, "daily_days", &settings->daily_days);
    read_days(body, "event_days", &settings->event_days);
    enum err err = read_zone(web, body, settings);
    return err == OK ? body_finish(body) : err;
}

enum err api_tenant_change(struct web *web)
{
    struct settings settings;
    struct body body;
    enum err err = settings_load(web->tx, &settings);

    if (err == OK) {
        err = body_read(web, &body);
    }
    if (err == OK) {
        err = read_settings(web, &body, &settings);
    }
    if (err == OK) {
        err = settings_change(web->tx, &settings);
    }
    return err == OK ? api_tenant_show(web) : err;
}

/* ---- plugins ---- */

static const char *const PLUGIN_KINDS[] = { "adapter", "collector" };
#define N_PLUGIN_KINDS 2

static const char *const PLUGIN_COLUMNS[] = { "key", "kind", "is_enabled", "config",
                                              "created_at" };
#define N_PLUGIN_COLUMNS ((int)(sizeof PLUGIN_COLUMNS / sizeof *PLUGIN_COLUMNS))

static void write_plugin(struct list_writer *list, const struct plugin *plugin)
{
    list_item(list);
    list_text(list, plugin->key);
    list_text(list, plugin->kind);
    list_bool(list, plugin->is_enabled);
    list_json(list, plugin->config);
    by_id_time(list, plugin->created_us);
    list_end_item(list);
}

enum err api_plugins_list(struct web *web)
{
    int limit = 0;
    bool has_cursor = false;
    struct cursor cursor = { .key = { NULL, 0 } };
    struct plugin_list plugins;
    struct list_writer list;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, CURSOR_PLUGINS, &has_cursor, &cursor);
    }
    if (err == OK) {
        struct str after = has_cursor ? cursor.key : (struct str){ NULL, 0 };
        err = plugin_list(web->tx, after, limit + 1, &plugins);
    }
    if (err == OK) {
        err = list_begin(&list, web, PLUGIN_COLUMNS, N_PLUGIN_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = plugins.n > limit ? limit : plugins.n;
    for (int i = 0; i < n; i++) {
        write_plugin(&list, &plugins.items[i]);
    }
    struct cursor last = { .key = n > 0 ? str_of(plugins.items[n - 1].key) : STR("") };
    return list_end(&list, CURSOR_PLUGINS, plugins.n > limit ? &last : NULL);
}

enum err api_plugins_show(struct web *web)
{
    struct plugin plugin;
    struct list_writer item;
    enum err err = plugin_find(web->tx, http_capture(web->request, "key"), &plugin);

    if (err == OK) {
        list_single(&item, web, PLUGIN_COLUMNS, N_PLUGIN_COLUMNS);
        write_plugin(&item, &plugin);
    }
    return err;
}

/* An adapter of a convention has a form of its own. */
static void check_mapping(struct web *web, struct body *body, struct str key, struct str config)
{
    struct arena *arena = web->op->arena;
    struct mapping_errors errors;

    if (!config.ptr || !mapping_is_adapter(key) || mapping_read(arena, config, &errors)) {
        return;
    }
    for (int i = 0; i < errors.n; i++) {
        const char *field = arena_printf(arena, "config.%s", errors.items[i].field);
        body_refuse(body, field ? field : "config", errors.items[i].detail);
    }
}

/* PUT says all of it: what is left out is as for a new one. */
enum err api_plugins_put(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    struct plugin plugin = { .config = "{}" };
    struct body body;
    bool is_new = false;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    if (key.len == 0 || key.len > MAX_NAME_BYTES) {
        return fail(web->op, ERR_INVALID, "A plugin's key has 1 to %d bytes.", MAX_NAME_BYTES);
    }
    body_require(&body, "kind");
    int kind = body_choice(&body, "kind", PLUGIN_KINDS, N_PLUGIN_KINDS);
    struct str config = body_object(&body, "config", PLUGIN_MAX_CONFIG_BYTES);
    plugin.is_enabled = body_bool(&body, "is_enabled", true);
    if (kind == 0) {
        check_mapping(web, &body, key, config);
    }
    err = body_finish(&body);
    if (err != OK) {
        return err;
    }
    plugin.key = arena_copy(web->op->arena, key);
    plugin.kind = PLUGIN_KINDS[kind];
    plugin.config = config.ptr ? arena_copy(web->op->arena, config) : plugin.config;
    err = plugin_put(web->tx, &plugin, &is_new);
    if (err == OK && is_new) {
        err = web_created(web, "/v1/plugins/", key);
    }
    return err == OK ? api_plugins_show(web) : err;
}

enum err api_plugins_remove(struct web *web)
{
    enum err err = plugin_remove(web->tx, http_capture(web->request, "key"));

    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

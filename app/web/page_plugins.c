/* /admin/plugins and /admin/plugins/{key}: the ingest adapters and collectors that a tenant has
 * registered, and their settings, as its admins see them. */
#include "web/admin_fields.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

#include "base/json.h"
#include "domain/mapping.h"
#include "domain/settings.h"
#include "gen/templates.h"
#include "view/model_parts.h"

#define PLUGINS_SHOWN 50

/* The key is a field of the form that adds one only: whoever changes one sees those after it. */
enum { FIELD_KEY, FIELD_KIND, FIELD_ENABLED, FIELD_CONFIG, N_FIELDS };
_Static_assert((int)N_FIELDS == PLUGIN_FIELDS, "the view has room for the fields");
#define N_CHANGE_FIELDS (N_FIELDS - 1)

static const struct choice_view kinds[] = {
    { "adapter", "Adapter: takes what devices send" },
    { "collector", "Collector: asks for readings" },
};
#define N_KINDS ((int)(sizeof kinds / sizeof *kinds))

static const struct form_outcome list_outcomes[] = {
    { "removed", "The plugin is removed." },
};

static const struct form_outcome plugin_outcomes[] = {
    { "added", "The plugin is registered." },
    { "saved", "The changes are saved." },
};

/* "Adapter" or "Collector": what stands before the colon. */
static const char *kind_word(struct arena *arena, const char *kind)
{
    struct str label = str_of(strcmp(kind, kinds[0].value) == 0 ? kinds[0].label : kinds[1].label);

    return arena_copy(arena, str_cut(&label, ':'));
}

static void list_fields(const struct plugin *plugin, struct field_view fields[N_FIELDS])
{
    fields[FIELD_KEY] = (struct field_view){
        .name = "key", .label = "Key", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = MAX_NAME_BYTES, .value = plugin->key,
        .hint = "As programs name it. It stays. The adapters of what devices speak are acquisuite, "
                "collectd, egauge, emoncms, events, influxdb, otlp, prometheus, pvoutput, "
                "thingsboard.",
    };
    fields[FIELD_KIND] = (struct field_view){
        .name = "kind", .label = "Kind", .type = "select", .value = plugin->kind,
        .choices = kinds, .n_choices = N_KINDS,
    };
    fields[FIELD_ENABLED] = (struct field_view){
        .name = "is_enabled", .label = "Enabled", .type = "checkbox",
        .value = plugin->is_enabled ? "1" : "",
    };
    fields[FIELD_CONFIG] = (struct field_view){
        .name = "config", .label = "Settings", .type = "textarea", .value = plugin->config,
        .is_code = true, .rows = 8, .max_bytes = PLUGIN_MAX_CONFIG_BYTES,
        .hint = "A JSON object. For a convention’s adapter: which tag names the device, names "
                "for devices, labels and metrics, units. The audit trail does not keep it.",
    };
}

/* ---- what is wrong with a form ---- */

static int line_of(const struct json_reader *reader)
{
    int line = 1;

    for (const char *at = reader->start; at < reader->error_at; at++) {
        line += *at == '\n';
    }
    return line;
}

/* An adapter of a convention has a form of its own; the first that is wrong is told. */
static void check_mapping(struct web *web, struct str key, struct str config,
                          struct field_view *fields)
{
    struct arena *arena = web->op->arena;
    struct mapping_errors errors;
    bool is_adapter = strcmp(fields[FIELD_KIND].value, kinds[0].value) == 0;

    if (is_adapter && mapping_is_adapter(key) && !mapping_read(arena, config, &errors) &&
        errors.n) {
        form_refuse(fields, N_FIELDS, "config",
                    arena_printf(arena, "%s %s.", errors.items[0].field, errors.items[0].detail));
    }
}

/* An empty text is an empty object. */
static void check_config(struct web *web, struct str key, struct field_view *fields)
{
    struct arena *arena = web->op->arena;
    struct str text = str_trim(form_value(fields, N_FIELDS, "config"));
    struct json_reader reader;

    if (text.len == 0) {
        fields[FIELD_CONFIG].value = "{}";
        return;
    }
    json_reader_init(&reader, text, arena, MAX_JSON_DEPTH);
    if (json_peek(&reader) != JSON_OBJECT && !reader.error) {
        form_refuse(fields, N_FIELDS, "config", "The settings must be a JSON object, in braces.");
    } else if (!json_skip(&reader, NULL) || !json_at_end(&reader)) {
        const char *about = reader.error ? reader.error : "something follows the object";
        form_refuse(fields, N_FIELDS, "config",
                    arena_printf(arena, "This is no JSON (line %d): %s.", line_of(&reader), about));
    } else {
        check_mapping(web, key, text, fields);
    }
}

/* Stores what the form says. *is_new: there was none of this key. */
static enum err store(struct web *web, struct str key, const struct field_view *fields,
                      bool *is_new)
{
    const struct plugin plugin = {
        .key = arena_copy(web->op->arena, key),
        .kind = fields[FIELD_KIND].value,
        .is_enabled = fields[FIELD_ENABLED].value[0] == '1',
        .config = fields[FIELD_CONFIG].value,
    };
    return plugin_put(web->tx, &plugin, is_new);
}

/* ---- the list ---- */

static enum err add_rows(struct web *web, struct plugins_view *view)
{
    struct arena *arena = web->op->arena;
    struct str after = http_query(web->request, "after");
    struct plugin_list list;
    enum err err = plugin_list(web->tx, after, PLUGINS_SHOWN + 1, &list);

    if (err != OK) {
        return err;
    }
    int n = list.n > PLUGINS_SHOWN ? PLUGINS_SHOWN : list.n;
    struct plugin_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        const struct plugin *plugin = &list.items[i];
        rows[i] = (struct plugin_row){ plugin->key, kind_word(arena, plugin->kind),
                                       plugin->is_enabled };
    }
    view->rows = rows;
    view->n_rows = n;
    view->is_first = after.ptr == NULL;
    view->pager = (struct pager_view){
        .first = after.ptr ? "/admin/plugins" : NULL,
        .next =
            list.n > n ? web_path(arena, "/admin/plugins?after=", str_of(rows[n - 1].key)) : NULL,
    };
    return OK;
}

static enum err show_list(struct web *web, struct plugins_view *view)
{
    enum err err = add_rows(web, view);

    if (err != OK) {
        return err;
    }
    view->page = page_view(web, "Plugins", "/admin/plugins");
    page_is_html(web);
    tpl_page_plugins(&web->response->body, view);
    return OK;
}

static const struct plugin NEW_PLUGIN = {
    .key = "", .kind = "adapter", .is_enabled = true, .config = "{}",
};

enum err page_plugins(struct web *web)
{
    struct plugins_view view = {
        .notice = form_notice(web, list_outcomes, sizeof list_outcomes / sizeof *list_outcomes),
    };

    list_fields(&NEW_PLUGIN, view.fields);
    return show_list(web, &view);
}

/* A key that is taken is refused: a form that adds must not change another one. */
static enum err check_key(struct web *web, struct field_view *fields)
{
    struct str key = form_value(fields, N_FIELDS, "key");
    struct plugin taken;

    admin_check_key(fields, N_FIELDS);
    if (!key.ptr) {
        return OK;
    }
    enum err err = plugin_find(web->tx, key, &taken);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        return OK;
    }
    form_refuse(fields, N_FIELDS, "key", "There is a plugin with this key already.");
    return err;
}

enum err page_plugins_add(struct web *web)
{
    struct plugins_view view = { .is_adding = true };
    bool is_new = false;

    list_fields(&NEW_PLUGIN, view.fields);
    (void)form_take(web, view.fields, N_FIELDS);
    check_config(web, form_value(view.fields, N_FIELDS, "key"), view.fields);
    enum err err = check_key(web, view.fields);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show_list(web, &view);
    }
    struct str key = form_value(view.fields, N_FIELDS, "key");
    err = store(web, key, view.fields, &is_new);
    return err == OK ? form_done(web, web_path(web->op->arena, "/admin/plugins/", key), "added")
                     : err;
}

/* ---- one plugin ---- */

static enum err load_plugin(struct web *web, struct plugin_view *view)
{
    int64_t now_us = clock_now_us();
    struct plugin plugin;
    struct zone zone;
    enum err err = plugin_find(web->tx, http_capture(web->request, "key"), &plugin);

    if (err == OK) {
        err = page_zone(web, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    plugin.config = strcmp(plugin.config_lines, "{\n}") == 0 ? "{}" : plugin.config_lines;
    list_fields(&plugin, view->fields);
    view->key = plugin.key;
    view->is_enabled = plugin.is_enabled;
    view->since = moment_view(web->op->arena, &zone, now_us, plugin.created_us);
    return OK;
}

static enum err show_plugin(struct web *web, struct plugin_view *view)
{
    view->page = page_view(web, view->key, "/admin/plugins");
    view->shown = view->fields + 1;
    view->n_shown = N_CHANGE_FIELDS;
    page_is_html(web);
    tpl_page_plugin(&web->response->body, view);
    return OK;
}

enum err page_plugin(struct web *web)
{
    struct plugin_view view = {
        .notice =
            form_notice(web, plugin_outcomes, sizeof plugin_outcomes / sizeof *plugin_outcomes),
    };
    enum err err = load_plugin(web, &view);

    return err == OK ? show_plugin(web, &view) : err;
}

enum err page_plugin_save(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    struct plugin_view view = { .key = NULL };
    bool is_new = false;
    enum err err = load_plugin(web, &view);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.fields + 1, N_CHANGE_FIELDS);
    check_config(web, key, view.fields);
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show_plugin(web, &view);
    }
    err = store(web, key, view.fields, &is_new);
    return err == OK ? form_done(web, web_path(web->op->arena, "/admin/plugins/", key), "saved")
                     : err;
}

enum err page_plugin_remove(struct web *web)
{
    enum err err = plugin_remove(web->tx, http_capture(web->request, "key"));

    return err == OK ? form_done(web, "/admin/plugins", "removed") : err;
}

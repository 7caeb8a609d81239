/* /admin/sites and /admin/sites/{key}: places with a time zone, for the tenant's admins. */
#include "web/admin_fields.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/device_change.h"
#include "domain/site.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/model_parts.h"

#define SITES_SHOWN 50

/* ---- the list ---- */

enum { FIELD_KEY, FIELD_NAME, FIELD_ZONE, N_FIELDS };

static const struct form_outcome list_outcomes[] = {
    { "removed", "The site is removed." },
};

static enum err row_of(struct web *web, const struct site *site, int64_t now_us,
                       struct admin_site_row *out)
{
    struct zone zone;
    enum err err = zone_load(web->tx, site->timezone, now_us, now_us + 1, &zone);

    if (err == OK) {
        *out = (struct admin_site_row){
            .key = site->key,
            .name = site->name,
            .zone = site->timezone,
            .clock = format_clock(web->op->arena, &zone, now_us),
            .devices = site->devices,
        };
    }
    return err;
}

static enum err add_rows(struct web *web, struct admin_sites_view *view)
{
    struct arena *arena = web->op->arena;
    struct str after = http_query(web->request, "after");
    int64_t now_us = clock_now_us();
    struct site_list list;
    enum err err = site_list(web->tx, after, SITES_SHOWN + 1, &list);

    if (err != OK) {
        return err;
    }
    int n = list.n > SITES_SHOWN ? SITES_SHOWN : list.n;
    struct admin_site_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; err == OK && i < n; i++) {
        err = row_of(web, &list.items[i], now_us, &rows[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    view->is_first = after.ptr == NULL;
    view->pager = (struct pager_view){
        .first = after.ptr ? "/admin/sites" : NULL,
        .next = list.n > n ? web_path(arena, "/admin/sites?after=", str_of(rows[n - 1].key)) : NULL,
    };
    return err;
}

static enum err list_fields(struct web *web, struct field_view fields[N_FIELDS])
{
    fields[FIELD_KEY] = (struct field_view){
        .name = "key", .label = "Key", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = MAX_NAME_BYTES,
        .hint = "As devices and programs name it. It stays.",
    };
    fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .max_bytes = MAX_TITLE_BYTES,
        .hint = "As people call it. Empty: the key.",
    };
    return admin_zone_field(web, web->who->tenant_timezone, &fields[FIELD_ZONE]);
}

static enum err show_list(struct web *web, struct admin_sites_view *view)
{
    enum err err = add_rows(web, view);

    if (err != OK) {
        return err;
    }
    view->n_fields = N_FIELDS;
    view->page = page_view(web, "Sites", "/admin/sites");
    page_is_html(web);
    tpl_page_admin_sites(&web->response->body, view);
    return OK;
}

enum err page_admin_sites(struct web *web)
{
    struct admin_sites_view view = {
        .notice = form_notice(web, list_outcomes, sizeof list_outcomes / sizeof *list_outcomes),
    };
    enum err err = list_fields(web, view.fields);

    return err == OK ? show_list(web, &view) : err;
}

/* Refuses a key that is taken, and one that is impossible. */
static enum err check_key(struct web *web, struct field_view fields[N_FIELDS])
{
    struct str key = form_value(fields, N_FIELDS, "key");
    bool is_taken = false;

    admin_check_key(fields, N_FIELDS);
    enum err err = key.ptr ? site_exists(web->tx, key, &is_taken) : OK;
    if (is_taken) {
        form_refuse(fields, N_FIELDS, "key", "There is a site with this key already.");
    }
    return err;
}

enum err page_admin_sites_add(struct web *web)
{
    struct admin_sites_view view = { .is_adding = true };
    enum err err = list_fields(web, view.fields);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.fields, N_FIELDS);
    err = check_key(web, view.fields);
    if (err == OK) {
        err = admin_check_zone(web, view.fields, N_FIELDS);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show_list(web, &view);
    }
    struct str key = form_value(view.fields, N_FIELDS, "key");
    err = site_add(web->tx, key, form_value(view.fields, N_FIELDS, "name"),
                   form_value(view.fields, N_FIELDS, "timezone"));
    return err == OK ? form_done(web, web_path(web->op->arena, "/admin/sites/", key), "added")
                     : err;
}

/* ---- one site ---- */

enum { SITE_NAME, SITE_ZONE, N_SITE_FIELDS };

static const struct form_outcome site_outcomes[] = {
    { "added", "The site is added. Assign devices to it on their pages." },
    { "saved", "The changes are saved." },
};

static enum err load_site(struct web *web, struct admin_site_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct site site;
    struct zone zone;
    enum err err = site_find(web->tx, http_capture(web->request, "key"), &site);

    if (err == OK) {
        err = zone_load(web->tx, site.timezone, site.created_us, now_us + US_PER_DAY, &zone);
    }
    if (err == OK) {
        err = admin_zone_field(web, site.timezone, &view->fields[SITE_ZONE]);
    }
    if (err != OK) {
        return err;
    }
    view->fields[SITE_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .value = site.name, .is_required = true,
        .max_bytes = MAX_TITLE_BYTES,
    };
    view->fields[SITE_ZONE].hint =
        "Another zone moves the borders of all days, weeks and months of its devices.";
    view->n_fields = N_SITE_FIELDS;
    view->key = site.key;
    view->name = site.name;
    view->devices = site.devices;
    view->since = moment_view(arena, &zone, now_us, site.created_us);
    return OK;
}

static enum err show_site(struct web *web, struct admin_site_view *view)
{
    view->page = page_view(web, view->name, "/admin/sites");
    page_is_html(web);
    tpl_page_admin_site(&web->response->body, view);
    return OK;
}

enum err page_admin_site(struct web *web)
{
    struct admin_site_view view = {
        .notice = form_notice(web, site_outcomes, sizeof site_outcomes / sizeof *site_outcomes),
    };
    enum err err = load_site(web, &view);

    return err == OK ? show_site(web, &view) : err;
}

enum err page_admin_site_save(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    struct admin_site_view view = { .devices = 0 };
    enum err err = load_site(web, &view);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.fields, N_SITE_FIELDS);
    err = admin_check_zone(web, view.fields, N_SITE_FIELDS);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_SITE_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_SITE_FIELDS);
        return show_site(web, &view);
    }
    err = site_change(web->tx, key, form_value(view.fields, N_SITE_FIELDS, "name"),
                      form_value(view.fields, N_SITE_FIELDS, "timezone"));
    return err == OK ? form_done(web, web_path(web->op->arena, "/admin/sites/", key), "saved")
                     : err;
}

enum err page_admin_site_remove(struct web *web)
{
    enum err err = site_remove(web->tx, http_capture(web->request, "key"));

    return err == OK ? form_done(web, "/admin/sites", "removed") : err;
}

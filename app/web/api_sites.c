/* /v1/sites: admins list, make, change and remove places with a time zone. */
#include "base/limits.h"
#include "domain/device_change.h"
#include "domain/site.h"
#include "domain/zone.h"
#include "web/api.h"
#include "web/body.h"
#include "web/list.h"

static const char *const SITE_COLUMNS[] = { "key", "name", "timezone", "devices", "created_at" };
#define N_SITE_COLUMNS ((int)(sizeof SITE_COLUMNS / sizeof *SITE_COLUMNS))

/* The values of SITE_COLUMNS. */
static void write_site(struct list_writer *list, const struct site *site)
{
    list_item(list);
    list_text(list, site->key);
    list_text(list, site->name);
    list_text(list, site->timezone);
    list_int(list, site->devices);
    list_time(list, site->created_us);
    list_end_item(list);
}

enum err api_sites_list(struct web *web)
{
    int limit = 0;
    bool has_cursor = false;
    struct cursor cursor;
    struct list_writer list;
    struct site_list sites;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, CURSOR_SITES, &has_cursor, &cursor);
    }
    if (err == OK) {
        err = list_begin(&list, web, SITE_COLUMNS, N_SITE_COLUMNS);
    }
    if (err == OK) {
        struct str after = has_cursor ? cursor.key : (struct str){ NULL, 0 };
        err = site_list(web->tx, after, limit + 1, &sites);
    }
    if (err != OK) {
        return err;
    }
    int n = sites.n > limit ? limit : sites.n;
    for (int i = 0; i < n; i++) {
        write_site(&list, &sites.items[i]);
    }
    struct cursor last = { 0 };
    if (sites.n > limit) {
        last.key = str_of(sites.items[n - 1].key);
    }
    return list_end(&list, CURSOR_SITES, sites.n > limit ? &last : NULL);
}

/* Answers with the site as it is now. */
static enum err show(struct web *web, struct str key)
{
    struct site site;
    enum err err = site_find(web->tx, key, &site);

    if (err != OK) {
        return err;
    }
    struct list_writer item = { .web = web, .columns = SITE_COLUMNS, .n_columns = N_SITE_COLUMNS };
    web->response->content_type = "application/json";
    json_writer_init(&item.json, &web->response->body);
    write_site(&item, &site);
    return OK;
}

enum err api_sites_show(struct web *web)
{
    return show(web, http_capture(web->request, "key"));
}

/* The members that make and change a site. */
static enum err read_site(struct web *web, struct body *body, struct str *name,
                          struct str *zone)
{
    bool is_zone = true;

    *name = body_text(body, "name", 1, MAX_TITLE_BYTES);
    *zone = body_text(body, "timezone", 1, MAX_NAME_BYTES);
    if (zone->ptr) {
        enum err err = zone_exists(web->tx, *zone, &is_zone);
        if (err != OK) {
            return err;
        }
    }
    if (!is_zone) {
        body_refuse(body, "timezone", "is no time zone of the tz database");
    }
    return body_finish(body);
}

enum err api_sites_add(struct web *web)
{
    struct body body;
    struct str key, name, zone;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    body_require(&body, "key");
    key = body_text(&body, "key", 1, MAX_NAME_BYTES);
    err = read_site(web, &body, &name, &zone);
    if (err == OK) {
        err = site_add(web->tx, key, name, zone);
    }
    if (err == OK) {
        err = web_created(web, "/v1/sites/", key);
    }
    return err == OK ? show(web, key) : err;
}

enum err api_sites_change(struct web *web)
{
    struct body body;
    struct str key = http_capture(web->request, "key"), name, zone;
    enum err err = body_read(web, &body);

    if (err == OK) {
        err = read_site(web, &body, &name, &zone);
    }
    if (err == OK) {
        err = site_change(web->tx, key, name, zone);
    }
    return err == OK ? show(web, key) : err;
}

enum err api_sites_remove(struct web *web)
{
    enum err err = site_remove(web->tx, http_capture(web->request, "key"));

    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

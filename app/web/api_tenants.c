/* /v1/tenants: operators make, change and erase tenants. */
#include "base/clock.h"
#include "domain/operator.h"
#include "web/api.h"
#include "web/body.h"
#include "web/list.h"

static const char *const tenant_columns[] = {
    "slug", "name", "timezone", "currency", "status", "created_at", "devices",
    "request_rate", "token_rate", "max_series", "rows_per_day", "rows_today",
};
#define N_TENANT_COLUMNS ((int)(sizeof tenant_columns / sizeof *tenant_columns))

static const char *const statuses[] = { "active", "suspended" };

#define MAX_TENANT_NAME_BYTES 200
#define MAX_ZONE_BYTES 64

static void write_tenant(struct list_writer *list, const struct tenant_record *tenant)
{
    list_item(list);
    list_text(list, tenant->slug);
    list_text(list, tenant->name);
    list_text(list, tenant->timezone);
    list_text(list, tenant->currency);
    list_text(list, tenant->status);
    list_time(list, tenant->created_us);
    list_int(list, tenant->devices);
    for (int i = 0; i < TENANT_LIMITS; i++) {
        if (tenant->limits.values[i] == LIMIT_DEFAULT) {
            list_null(list);
        } else {
            list_int(list, tenant->limits.values[i]);
        }
    }
    list_int(list, tenant->rows_today);
    list_end_item(list);
}

enum err api_tenants_list(struct web *web)
{
    int limit = 0;
    bool has_cursor = false;
    struct cursor cursor = { 0 };
    struct tenant_list tenants;
    struct list_writer list;
    enum err err = web_query_limit(web, &limit);

    if (err == OK) {
        err = web_query_cursor(web, CURSOR_TENANTS, &has_cursor, &cursor);
    }
    if (err == OK) {
        err = operator_tenant_list(web->tx, cursor.key, limit + 1, &tenants);
    }
    if (err == OK) {
        err = list_begin(&list, web, tenant_columns, N_TENANT_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = tenants.n > limit ? limit : tenants.n;
    for (int i = 0; i < n; i++) {
        write_tenant(&list, &tenants.items[i]);
    }
    struct cursor last = { .key = n > 0 ? str_of(tenants.items[n - 1].slug) : STR("") };
    return list_end(&list, CURSOR_TENANTS, tenants.n > limit ? &last : NULL);
}

/* The tenant as a document, read anew: what the database made of it. */
static enum err answer_tenant(struct web *web, struct str slug)
{
    struct tenant_record tenant;
    enum err err = operator_tenant_find(web->tx, slug, &tenant);

    if (err != OK) {
        return err;
    }
    struct list_writer item = { .web = web, .columns = tenant_columns,
                                .n_columns = N_TENANT_COLUMNS };
    web->response->content_type = "application/json";
    json_writer_init(&item.json, &web->response->body);
    write_tenant(&item, &tenant);
    return OK;
}

enum err api_tenants_show(struct web *web)
{
    return answer_tenant(web, http_capture(web->request, "slug"));
}

static const char *text_or_null(struct web *web, struct str text)
{
    return text.ptr ? arena_copy(web->op->arena, text) : NULL;
}

/* Members that making and changing have in common. */
static void read_change(struct web *web, struct body *body, struct tenant_change *out)
{
    struct str name = body_text(body, "name", 1, MAX_TENANT_NAME_BYTES);
    struct str zone = body_text(body, "timezone", 1, MAX_ZONE_BYTES);
    struct str currency = body_text(body, "currency", 3, 3);

    *out = (struct tenant_change){
        .name = text_or_null(web, name),
        .timezone = text_or_null(web, zone),
        .currency = text_or_null(web, currency),
    };
    if (out->currency && strspn(out->currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3) {
        body_refuse(body, "currency", "must be three capital letters of ISO 4217");
    }
}

/* null: as the installation's settings say. */
static struct tenant_limits read_limits(struct body *body)
{
    struct tenant_limits limits;

    for (int i = 0; i < TENANT_LIMITS; i++) {
        const struct limit_row *row = &LIMIT_ROWS_OF[i];
        limits.values[i] = body_is_null(body, row->name)
                               ? LIMIT_DEFAULT
                               : body_int(body, row->name, 0, row->max, LIMIT_KEEP);
    }
    return limits;
}

enum err api_tenants_add(struct web *web)
{
    struct body body;
    struct tenant_change change;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    const char *slug = text_or_null(web, body_text(&body, "slug", 1, 63));
    read_change(web, &body, &change);
    body_require(&body, "slug");
    err = body_finish(&body);
    if (err == OK) {
        err = account_check_slug(web->op, slug);
    }
    if (err == OK) {
        err = account_tenant_add(web->tx, slug, change.name, change.timezone, change.currency);
    }
    if (err == OK) {
        err = answer_tenant(web, str_of(slug));
    }
    if (err != OK) {
        return err;
    }
    const char *location = arena_printf(web->op->arena, "/v1/tenants/%s", slug);
    web->response->status = 201;
    return location && http_add_header(web->response, "Location", location) ? OK
                                                                            : fail_memory(web->op);
}

enum err api_tenants_change(struct web *web)
{
    struct body body;
    struct tenant_change change;
    struct str slug = http_capture(web->request, "slug");
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    read_change(web, &body, &change);
    int status = body_choice(&body, "status", statuses, 2);
    change.status = status >= 0 ? statuses[status] : NULL;
    struct tenant_limits limits = read_limits(&body);
    err = body_finish(&body);
    if (err == OK) {
        err = operator_tenant_patch(web->tx, slug, &change);
    }
    if (err == OK) {
        err = limits_change(web->tx, slug, &limits);
    }
    return err == OK ? answer_tenant(web, slug) : err;
}

enum err api_tenants_erase(struct web *web)
{
    struct str slug = http_capture(web->request, "slug");
    const char *counts = NULL;
    enum err err = account_tenant_remove(web->tx, arena_copy(web->op->arena, slug), &counts);

    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    struct json_writer json;
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "erased");
    json_raw(&json, str_of(counts));
    json_close_object(&json);
    return OK;
}

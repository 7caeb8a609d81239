/* /admin/shares: read-only links of a dashboard, made, listed and withdrawn; and /share/{secret},
 * the page that a link opens. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "auth/share.h"
#include "base/clock.h"
#include "domain/share.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_parts.h"

#define SHARES_SHOWN 50

enum { FIELD_NAME, FIELD_DEVICE, FIELD_DAYS, N_FIELDS };

static const struct choice_view spans[] = {
    { "1", "1 day" }, { "7", "1 week" }, { "30", "30 days" }, { "90", "90 days" },
    { "365", "1 year" },
};

static const struct form_outcome outcomes[] = {
    { "withdrawn", "The link is withdrawn: it no longer works." },
};

static void list_fields(struct field_view fields[N_FIELDS])
{
    fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .is_required = true,
        .max_bytes = SHARE_MAX_NAME_BYTES, .hint = "Who the link is for.",
    };
    fields[FIELD_DEVICE] = (struct field_view){
        .name = "device", .label = "Device", .type = "text", .max_bytes = MAX_NAME_BYTES,
        .is_code = true, .hint = "The key of the device to show. Empty: the overview.",
    };
    fields[FIELD_DAYS] = (struct field_view){
        .name = "days", .label = "Works for", .type = "select", .value = "30",
        .choices = spans, .n_choices = sizeof spans / sizeof *spans,
    };
}

static struct share_row row_of(struct arena *arena, const struct zone *zone, int64_t now_us,
                               const struct share *share)
{
    bool is_revoked = share->revoked_us != SHARE_NEVER;
    bool is_over = !is_revoked && share->expires_us <= now_us;

    return (struct share_row){
        .id = arena_printf(arena, "%lld", (long long)share->id),
        .name = share->name,
        .shows = share->device ? share->device : "Overview",
        .created_by = share->created_by,
        .expires = moment_view(arena, zone, now_us, share->expires_us),
        .last_used = moment_view(arena, zone, now_us, share->last_used_us),
        .state = is_revoked ? "Withdrawn" : is_over ? "Expired" : "Works",
        .state_class = is_revoked || is_over ? "" : "live",
        .is_open = !is_revoked && !is_over,
    };
}

static int64_t before_id(const struct web *web)
{
    long long id = 0;

    return str_to_int64(http_query(web->request, "before"), &id) && id > 0 ? id : 0;
}

static enum err add_rows(struct web *web, struct shares_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    int64_t oldest_us = now_us;
    struct share_list list;
    struct zone zone;
    enum err err = share_list(web->tx, before_id(web), SHARES_SHOWN + 1, &list);

    for (int i = 0; err == OK && i < list.n; i++) {
        oldest_us = list.items[i].created_us < oldest_us ? list.items[i].created_us : oldest_us;
    }
    if (err == OK) {
        err = zone_load(web->tx, web->who->tenant_timezone, oldest_us,
                        now_us + (SHARE_MAX_DAYS + 1) * US_PER_DAY, &zone);
    }
    if (err != OK) {
        return err;
    }
    int n = list.n > SHARES_SHOWN ? SHARES_SHOWN : list.n;
    struct share_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = row_of(arena, &zone, now_us, &list.items[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    view->pager.first = before_id(web) > 0 ? "/admin/shares" : NULL;
    if (list.n > n) {
        view->pager.next = arena_printf(arena, "/admin/shares?before=%s", rows[n - 1].id);
    }
    return OK;
}

static enum err show(struct web *web, struct shares_view *view)
{
    enum err err = add_rows(web, view);

    if (err != OK) {
        return err;
    }
    view->page = page_view(web, "Shared links", "/admin/shares");
    page_is_html(web);
    tpl_page_shares(&web->response->body, view);
    return OK;
}

enum err page_shares(struct web *web)
{
    struct shares_view view = {
        .n_fields = N_FIELDS,
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };

    list_fields(view.fields);
    return show(web, &view);
}

/* The database would refuse an unknown device too, but then could show no page. */
static enum err check_device(struct web *web, struct field_view *fields)
{
    struct str key = form_value(fields, N_FIELDS, "device");
    struct device device;

    if (!key.ptr) {
        return OK;
    }
    enum err err = device_find(web->tx, key, &device);
    if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        form_refuse(fields, N_FIELDS, "device", "There is no device with this key.");
        return OK;
    }
    return err;
}

enum err page_shares_add(struct web *web)
{
    struct shares_view view = { .n_fields = N_FIELDS };
    char secret[SHARE_SECRET_SIZE];
    uint8_t hash[CRYPTO_HASH_BYTES];
    long long days = 0;
    int64_t id = 0;

    list_fields(view.fields);
    (void)form_take(web, view.fields, N_FIELDS);
    enum err err = check_device(web, view.fields);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show(web, &view);
    }
    struct str device = form_value(view.fields, N_FIELDS, "device");
    (void)str_to_int64(form_value(view.fields, N_FIELDS, "days"), &days);
    share_make(secret, hash);
    err = share_add(web->tx, view.fields[FIELD_NAME].value,
                    device.ptr ? arena_copy(web->op->arena, device) : NULL, hash, (int)days, &id);
    if (err != OK) {
        return err;
    }
    view.link = arena_printf(web->op->arena, "%s/share/%s", web_base_url(web), secret);
    list_fields(view.fields);
    return show(web, &view);
}

enum err page_shares_revoke(struct web *web)
{
    long long id = 0;

    if (!str_to_int64(web_form(web, "id"), &id)) {
        return fail(web->op, ERR_NOT_FOUND, "There is no such link.");
    }
    enum err err = share_revoke(web->tx, id);
    return err == OK ? form_done(web, "/admin/shares", "withdrawn") : err;
}

enum err page_share(struct web *web)
{
    if (!http_add_header(web->response, "X-Robots-Tag", "noindex")) {
        return fail_memory(web->op);
    }
    return web->who->device_key ? page_device_show(web, str_of(web->who->device_key))
                                : page_overview(web);
}

/* /operator/tenants/…: operators make a tenant, change it, suspend it, erase it. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/operator.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/model_parts.h"

enum { FIELD_SLUG, FIELD_NAME, FIELD_ZONE, FIELD_CURRENCY, N_FIELDS };

#define NEW_PATH "/operator/tenants"
#define TENANT_PREFIX "/operator/tenants/"

static const struct form_outcome outcomes[] = {
    { "made", "The tenant is there. Add its first admin with “tidemark user add”." },
    { "saved", "Saved." },
    { "limited", "The limits hold within five seconds." },
    { "suspended", "The tenant is suspended." },
    { "active", "The tenant is active again." },
};

static void list_fields(struct field_view fields[N_FIELDS], const struct tenant_record *tenant)
{
    fields[FIELD_SLUG] = (struct field_view){
        .name = "slug", .label = "Slug", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = 63,
        .hint = "Lower-case letters, digits and hyphens. It cannot be changed later.",
    };
    fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .is_required = true,
        .value = tenant ? tenant->name : "",
    };
    fields[FIELD_ZONE] = (struct field_view){
        .name = "timezone", .label = "Time zone", .type = "text", .is_required = true,
        .max_bytes = 64, .value = tenant ? tenant->timezone : "UTC",
        .hint = "For example Europe/Berlin. Decides when days begin, unless a site says otherwise.",
    };
    fields[FIELD_CURRENCY] = (struct field_view){
        .name = "currency", .label = "Currency", .type = "text", .is_required = true,
        .max_bytes = 3, .value = tenant ? tenant->currency : "USD",
        .hint = "Three capital letters of ISO 4217.",
    };
}

/* The form's fields: a tenant that exists keeps its slug. */
static void choose_fields(struct operator_tenant_view *view, const struct field_view all[N_FIELDS])
{
    int first = view->slug ? FIELD_NAME : FIELD_SLUG;

    view->n_fields = N_FIELDS - first;
    for (int i = first; i < N_FIELDS; i++) {
        view->fields[i - first] = all[i];
        view->fields[i - first].is_fixed = !view->may_change;
    }
}

/* A limit of the tenant's own, whose hint says what an empty one means. */
static void list_limits(struct web *web, const struct tenant_record *tenant,
                        struct operator_tenant_view *view)
{
    const struct tenant_limits defaults = limits_of_config(web->config);
    struct arena *arena = web->op->arena;

    _Static_assert(sizeof view->limits / sizeof *view->limits == TENANT_LIMITS, "one each");
    for (int i = 0; i < TENANT_LIMITS; i++) {
        long long value = tenant->limits.values[i], fallback = defaults.values[i];
        view->limits[i] = (struct field_view){
            .name = LIMIT_ROWS_OF[i].name, .label = LIMIT_ROWS_OF[i].label, .type = "text",
            .max_bytes = 16, .is_fixed = !view->may_change,
            .value = value == LIMIT_DEFAULT ? "" : arena_printf(arena, "%lld", value),
            .hint = fallback ? arena_printf(arena, "Empty means %lld, the default; 0 means any "
                                                   "number.", fallback)
                             : "Empty means the default, which is any number, as does 0.",
        };
    }
    view->rows_today = format_number(arena, (double)tenant->rows_today, 0);
}

static void list_confirm(struct operator_tenant_view *view)
{
    view->confirm = (struct field_view){
        .name = "confirm", .label = "Type its slug to confirm", .type = "text", .is_code = true,
        .is_required = true, .max_bytes = 63,
    };
}

static void add_facts(struct web *web, const struct tenant_record *tenant,
                      struct operator_tenant_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct zone utc = { .name = "UTC" };

    view->slug = tenant->slug;
    view->name = tenant->name;
    view->is_suspended = strcmp(tenant->status, "suspended") == 0;
    view->devices = arena_printf(arena, "%lld device%s", (long long)tenant->devices,
                                 tenant->devices == 1 ? "" : "s");
    view->created = moment_view(arena, &utc, now_us, tenant->created_us);
    view->action = web_path(arena, TENANT_PREFIX, str_of(tenant->slug));
    list_limits(web, tenant, view);
    list_confirm(view);
}

static enum err show(struct web *web, struct operator_tenant_view *view)
{
    view->page = page_view(web, view->slug ? view->name : "New tenant", "/operator");
    page_is_html(web);
    tpl_page_operator_tenant(&web->response->body, view);
    return OK;
}

static enum err find(struct web *web, struct tenant_record *tenant,
                     struct operator_tenant_view *view)
{
    enum err err = operator_tenant_find(web->tx, http_capture(web->request, "slug"), tenant);

    *view = (struct operator_tenant_view){
        .may_change = web->who->operator_role == OPERATOR_ADMIN,
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    if (err == OK) {
        add_facts(web, tenant, view);
    }
    return err;
}

enum err page_operator_tenant(struct web *web)
{
    struct operator_tenant_view view;
    struct field_view fields[N_FIELDS];
    struct tenant_record tenant;
    enum err err = find(web, &tenant, &view);

    if (err != OK) {
        return err;
    }
    list_fields(fields, &tenant);
    choose_fields(&view, fields);
    return show(web, &view);
}

enum err page_operator_tenant_new(struct web *web)
{
    struct operator_tenant_view view = { .action = NEW_PATH, .may_change = true };
    struct field_view fields[N_FIELDS];

    list_fields(fields, NULL);
    choose_fields(&view, fields);
    return show(web, &view);
}

/* What the database would refuse is refused here, beside its field. */
static enum err check_facts(struct web *web, struct field_view *fields, int n)
{
    struct str zone = form_value(fields, n, "timezone");
    struct str currency = form_value(fields, n, "currency");
    bool is_zone = true;
    enum err err = zone.ptr ? zone_exists(web->tx, zone, &is_zone) : OK;

    if (!is_zone) {
        form_refuse(fields, n, "timezone", "This time zone is not known.");
    }
    if (currency.ptr && (currency.len != 3 ||
                         strspn(currency.ptr, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") < currency.len)) {
        form_refuse(fields, n, "currency", "Three capital letters, like EUR.");
    }
    return err;
}

/* A slug of the right form that is free. */
static enum err check_slug(struct web *web, struct field_view *fields, int n)
{
    struct str slug = form_value(fields, n, "slug");
    struct tenant_record taken;

    if (!slug.ptr) {
        return OK;
    }
    if (account_check_slug(web->op, slug.ptr) != OK) {
        op_clear_fault(web->op);
        form_refuse(fields, n, "slug", "Lower-case letters, digits and hyphens, at most 63.");
        return OK;
    }
    enum err err = operator_tenant_find(web->tx, slug, &taken);
    if (err == OK) {
        form_refuse(fields, n, "slug", "There is a tenant with this slug already.");
    } else if (err == ERR_NOT_FOUND) {
        op_clear_fault(web->op);
        err = OK;
    }
    return err;
}

enum err page_operator_tenant_add(struct web *web)
{
    struct operator_tenant_view view = { .action = NEW_PATH, .may_change = true };
    struct field_view all[N_FIELDS];

    list_fields(all, NULL);
    choose_fields(&view, all);
    (void)form_take(web, view.fields, view.n_fields);
    enum err err = check_facts(web, view.fields, view.n_fields);
    if (err == OK) {
        err = check_slug(web, view.fields, view.n_fields);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, view.n_fields)) {
        view.notice = form_rejected(web, view.fields, view.n_fields);
        return show(web, &view);
    }
    const char *slug = view.fields[FIELD_SLUG].value;
    err = account_tenant_add(web->tx, slug, view.fields[FIELD_NAME].value,
                             view.fields[FIELD_ZONE].value, view.fields[FIELD_CURRENCY].value);
    return err == OK
               ? form_done(web, web_path(web->op->arena, TENANT_PREFIX, str_of(slug)), "made")
               : err;
}

enum err page_operator_tenant_save(struct web *web)
{
    struct operator_tenant_view view;
    struct field_view all[N_FIELDS];
    struct tenant_record tenant;
    enum err err = find(web, &tenant, &view);

    if (err != OK) {
        return err;
    }
    list_fields(all, &tenant);
    choose_fields(&view, all);
    (void)form_take(web, view.fields, view.n_fields);
    err = check_facts(web, view.fields, view.n_fields);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, view.n_fields)) {
        view.notice = form_rejected(web, view.fields, view.n_fields);
        return show(web, &view);
    }
    struct tenant_change change = {
        .name = form_field(view.fields, view.n_fields, "name")->value,
        .timezone = form_field(view.fields, view.n_fields, "timezone")->value,
        .currency = form_field(view.fields, view.n_fields, "currency")->value,
    };
    err = operator_tenant_patch(web->tx, str_of(view.slug), &change);
    return err == OK ? form_done(web, view.action, "saved") : err;
}

/* The number typed into a limit's field. */
static int64_t take_limit(struct operator_tenant_view *view, int which)
{
    const struct limit_row *row = &LIMIT_ROWS_OF[which];
    struct str text = form_value(view->limits, TENANT_LIMITS, row->name);
    long long value = LIMIT_DEFAULT;

    if (text.ptr && (!str_to_int64(text, &value) || value < 0 || value > row->max)) {
        form_refuse(view->limits, TENANT_LIMITS, row->name,
                    "This must be a whole number.");
    }
    return value;
}

enum err page_operator_tenant_limits(struct web *web)
{
    struct operator_tenant_view view;
    struct field_view all[N_FIELDS];
    struct tenant_record tenant;
    struct tenant_limits limits;
    enum err err = find(web, &tenant, &view);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.limits, TENANT_LIMITS);
    for (int i = 0; i < TENANT_LIMITS; i++) {
        limits.values[i] = take_limit(&view, i);
    }
    if (!form_is_good(view.limits, TENANT_LIMITS)) {
        list_fields(all, &tenant);
        choose_fields(&view, all);
        view.notice = form_rejected(web, view.limits, TENANT_LIMITS);
        return show(web, &view);
    }
    err = limits_change(web->tx, str_of(view.slug), &limits);
    return err == OK ? form_done(web, view.action, "limited") : err;
}

enum err page_operator_tenant_status(struct web *web)
{
    struct str slug = http_capture(web->request, "slug");
    struct str status = web_form(web, "status");
    bool is_suspended = str_equal(status, STR("suspended"));
    struct tenant_change change = { .status = is_suspended ? "suspended" : "active" };

    if (!is_suspended && !str_equal(status, STR("active"))) {
        return fail(web->op, ERR_INVALID, "A tenant is active or suspended.");
    }
    enum err err = operator_tenant_patch(web->tx, slug, &change);
    return err == OK ? form_done(web, web_path(web->op->arena, TENANT_PREFIX, slug), change.status)
                     : err;
}

enum err page_operator_tenant_erase(struct web *web)
{
    struct operator_tenant_view view;
    struct field_view all[N_FIELDS];
    struct tenant_record tenant;
    const char *counts;
    enum err err = find(web, &tenant, &view);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, &view.confirm, 1);
    if (!view.confirm.error && strcmp(view.confirm.value, tenant.slug) != 0) {
        view.confirm.error = "This is not its slug. Nothing was erased.";
    }
    if (view.confirm.error) {
        list_fields(all, &tenant);
        choose_fields(&view, all);
        web->response->status = 422;
        return show(web, &view);
    }
    err = account_tenant_remove(web->tx, tenant.slug, &counts);
    return err == OK ? form_done(web, "/operator", "erased") : err;
}

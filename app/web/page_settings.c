/* /admin/settings: what holds for all of a tenant. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

#include "domain/account.h"
#include "domain/limits.h"
#include "domain/settings.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/format.h"

enum {
    FIELD_NAME, FIELD_ZONE, FIELD_CURRENCY, FIELD_REGISTER,
    FIELD_RAW, FIELD_HOURLY, FIELD_DAILY, FIELD_EVENT, N_FIELDS
};
_Static_assert((int)N_FIELDS == SETTINGS_FIELDS, "the view has room for the fields");

static const struct form_outcome outcomes[] = {
    { "saved", "The settings are saved." },
};

/* A field of days, whose hint says what an empty one means. */
static struct field_view days_field(struct web *web, const char *name, const char *label, int days,
                                    int fallback)
{
    struct arena *arena = web->op->arena;

    return (struct field_view){
        .name = name, .label = label, .type = "text", .max_bytes = 8,
        .value = days > 0 ? arena_printf(arena, "%d", days) : "",
        .hint = arena_printf(arena, "In days. Empty means %d, the default.", fallback),
    };
}

static void list_fields(struct web *web, const struct settings *settings,
                        struct field_view fields[N_FIELDS])
{
    const struct config *config = web->config;

    fields[FIELD_NAME] = (struct field_view){
        .name = "name", .label = "Name", .type = "text", .value = settings->name,
        .is_required = true, .max_bytes = SETTINGS_MAX_NAME_BYTES,
    };
    fields[FIELD_ZONE] = (struct field_view){
        .name = "timezone", .label = "Time zone", .type = "text", .value = settings->timezone,
        .is_required = true, .max_bytes = MAX_NAME_BYTES,
        .hint = "Decides when days begin, where a site has no zone of its own.",
    };
    fields[FIELD_CURRENCY] = (struct field_view){
        .name = "currency", .label = "Currency", .type = "text", .value = settings->currency,
        .is_required = true, .max_bytes = 3, .hint = "Three capital letters, such as EUR.",
    };
    fields[FIELD_REGISTER] = (struct field_view){
        .name = "auto_register", .label = "Unknown devices may register themselves",
        .type = "checkbox", .value = settings->may_register ? "1" : "",
        .hint = "Otherwise an admin adds each device first.",
    };
    fields[FIELD_RAW] = days_field(web, "raw_days", "Keep raw readings", settings->raw_days,
                                   config->retention_raw_days);
    fields[FIELD_HOURLY] = days_field(web, "hourly_days", "Keep 15-minute and hourly values",
                                      settings->hourly_days, config->retention_hourly_days);
    fields[FIELD_DAILY] = days_field(web, "daily_days", "Keep daily, weekly and monthly values",
                                     settings->daily_days, config->retention_daily_days);
    fields[FIELD_EVENT] = days_field(web, "event_days", "Keep events", settings->event_days,
                                     config->retention_event_days);
}

/* The limits that hold, and how much of them is used. */
static enum err add_limits(struct web *web, struct settings_view *view)
{
    struct arena *arena = web->op->arena;
    struct limits_used used;
    enum err err = limits_load(web->tx, &used);

    if (err != OK) {
        return err;
    }
    const struct tenant_limits limits = limits_effective(&used.own, web->config);
    const int64_t counts[TENANT_LIMITS] = { [LIMIT_SERIES] = used.series,
                                            [LIMIT_ROWS] = used.rows_today };
    _Static_assert(sizeof view->limits / sizeof *view->limits == TENANT_LIMITS, "one each");
    for (int i = 0; i < TENANT_LIMITS; i++) {
        bool is_rate = i == LIMIT_REQUEST_RATE || i == LIMIT_TOKEN_RATE;
        view->limits[i].label = LIMIT_ROWS_OF[i].label;
        view->limits[i].used = is_rate ? NULL : format_number(arena, (double)counts[i], 0);
        view->limits[i].limit =
            limits.values[i] ? format_number(arena, (double)limits.values[i], 0) : NULL;
    }
    return OK;
}

static enum err show(struct web *web, struct settings_view *view, const struct settings *settings)
{
    struct field_view *zone_field = &view->fields[FIELD_ZONE];
    const char *const *names;
    struct zone zone;
    int n = 0;
    enum err err = zone_list(web->tx, &names, &n);

    if (err == OK) {
        err = page_zone(web, clock_now_us(), &zone);
    }
    if (err == OK) {
        err = add_limits(web, view);
    }
    if (err != OK) {
        return err;
    }
    struct choice_view *choices = arena_array(web->op->arena, (size_t)n + 1, sizeof *choices);
    if (!choices) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        choices[i] = (struct choice_view){ names[i], names[i] };
    }
    zone_field->choices = choices;
    zone_field->n_choices = n;
    view->slug = settings->slug;
    view->since = format_moment(web->op->arena, &zone, settings->created_us);
    view->page = page_view(web, "Settings", "/admin/settings");
    page_is_html(web);
    tpl_page_settings(&web->response->body, view);
    return OK;
}

enum err page_settings(struct web *web)
{
    struct settings_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    struct settings settings;
    enum err err = settings_load(web->tx, &settings);

    if (err != OK) {
        return err;
    }
    list_fields(web, &settings, view.fields);
    return show(web, &view, &settings);
}

/* The days typed into a field; 0: none, and the installation's count. */
static int take_days(struct field_view *fields, const char *name)
{
    struct str text = form_value(fields, N_FIELDS, name);
    long long days = 0;

    if (text.ptr && (!str_to_int64(text, &days) || days < 1 || days > SETTINGS_MAX_DAYS)) {
        form_refuse(fields, N_FIELDS, name, "This must be a number of days from 1 to 36500.");
        return 0;
    }
    return (int)days;
}

static enum err take(struct web *web, struct field_view *fields, struct settings *settings)
{
    bool is_zone = true;

    (void)form_take(web, fields, N_FIELDS);
    settings->name = fields[FIELD_NAME].value;
    settings->timezone = fields[FIELD_ZONE].value;
    settings->currency = fields[FIELD_CURRENCY].value;
    settings->may_register = fields[FIELD_REGISTER].value[0] == '1';
    settings->raw_days = take_days(fields, "raw_days");
    settings->hourly_days = take_days(fields, "hourly_days");
    settings->daily_days = take_days(fields, "daily_days");
    settings->event_days = take_days(fields, "event_days");
    if (!fields[FIELD_CURRENCY].error &&
        account_check_currency(web->op, settings->currency) != OK) {
        op_clear_fault(web->op);
        form_refuse(fields, N_FIELDS, "currency", "This must be three capital letters.");
    }
    if (fields[FIELD_ZONE].error) {
        return OK;
    }
    enum err err = zone_exists(web->tx, str_of(settings->timezone), &is_zone);
    if (err == OK && !is_zone) {
        form_refuse(fields, N_FIELDS, "timezone", "There is no time zone of this name.");
    }
    return err;
}

enum err page_settings_post(struct web *web)
{
    struct settings_view view = { .slug = NULL };
    struct settings settings;
    enum err err = settings_load(web->tx, &settings);

    if (err != OK) {
        return err;
    }
    list_fields(web, &settings, view.fields);
    err = take(web, view.fields, &settings);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.fields, N_FIELDS)) {
        view.notice = form_rejected(web, view.fields, N_FIELDS);
        return show(web, &view, &settings);
    }
    err = settings_change(web->tx, &settings);
    return err == OK ? form_done(web, "/admin/settings", "saved") : err;
}

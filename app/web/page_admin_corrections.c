/* /admin/devices/{key}/corrections: a reading put right, readings deleted after a look at how many
 * they are, the device erased. */
#include "web/form_input.h"
#include "web/form_time.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/json_number.h"
#include "domain/correction.h"
#include "domain/device.h"
#include "gen/templates.h"
#include "view/format.h"

#include <inttypes.h>

#define MAX_VALUE_BYTES 40

enum { PUT_SERIES, PUT_TIME, PUT_VALUE, N_PUT };
enum { DELETE_METRIC, DELETE_FROM, DELETE_TO, N_DELETE };

static const struct form_outcome outcomes[] = {
    { "set", "The value is set. Totals and energy follow within seconds." },
    { "same", "This was the value already; nothing was changed." },
    { "deleted", "The readings are deleted. Totals and energy follow within seconds." },
};

/* A device whose readings are corrected, and the page about it. */
struct desk {
    struct device device;
    struct device_series_list series;
    struct corrections_view view;
};

/* ---- the page ---- */

static const char *series_label(struct arena *arena, const struct device_series *series)
{
    return strcmp(series->labels, "{}") == 0
               ? series->metric
               : arena_printf(arena, "%s %s", series->metric, series->labels);
}

/* Choices of the series, and of their metrics after "all". */
static enum err add_choices(struct web *web, struct desk *desk)
{
    struct arena *arena = web->op->arena;
    int n = desk->series.n;
    struct choice_view *series = arena_array(arena, (size_t)n + 1, sizeof *series);
    struct choice_view *metrics = arena_array(arena, (size_t)n + 1, sizeof *metrics);
    int n_metrics = 1;

    if (!series || !metrics) {
        return fail_memory(web->op);
    }
    metrics[0] = (struct choice_view){ "", "All metrics" };
    for (int i = 0; i < n; i++) {
        const struct device_series *item = &desk->series.items[i];
        series[i].value = arena_printf(arena, "%" PRId32, item->id);
        series[i].label = series_label(arena, item);
        if (!series[i].value || !series[i].label) {
            return fail_memory(web->op);
        }
        if (i == 0 || strcmp(item->metric, desk->series.items[i - 1].metric) != 0) {
            metrics[n_metrics++] = (struct choice_view){ item->metric, item->metric };
        }
    }
    desk->view.put_fields[PUT_SERIES].choices = series;
    desk->view.put_fields[PUT_SERIES].n_choices = n;
    desk->view.delete_fields[DELETE_METRIC].choices = metrics;
    desk->view.delete_fields[DELETE_METRIC].n_choices = n_metrics;
    return OK;
}

static void add_fields(struct web *web, struct corrections_view *view)
{
    const char *hint = arena_printf(web->op->arena, "Such as 2026-11-20 14:05:00, in %s.",
                                    view->zone);

    view->put_fields[PUT_SERIES] = (struct field_view){
        .name = "series", .label = "Metric", .type = "select",
    };
    view->put_fields[PUT_TIME] = (struct field_view){
        .name = "time", .label = "Time", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = FORM_MAX_TIME_BYTES, .hint = hint,
    };
    view->put_fields[PUT_VALUE] = (struct field_view){
        .name = "value", .label = "Value", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = MAX_VALUE_BYTES,
    };
    view->delete_fields[DELETE_METRIC] = (struct field_view){
        .name = "metric", .label = "Metric", .type = "select",
    };
    view->delete_fields[DELETE_FROM] = (struct field_view){
        .name = "from", .label = "From", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = FORM_MAX_TIME_BYTES, .hint = hint,
    };
    view->delete_fields[DELETE_TO] = (struct field_view){
        .name = "to", .label = "Until", .type = "text", .is_required = true, .is_code = true,
        .max_bytes = FORM_MAX_TIME_BYTES, .hint = "A reading at exactly this time stays.",
    };
    view->erase_fields[0] = (struct field_view){
        .name = "key", .label = "Type the device’s key to confirm", .type = "text",
        .is_required = true, .is_code = true,
    };
    view->n_put_fields = N_PUT;
    view->n_delete_fields = N_DELETE;
    view->n_erase_fields = 1;
}

static enum err open_desk(struct web *web, struct desk **out)
{
    struct desk *desk = arena_alloc(web->op->arena, sizeof *desk);

    if (!desk) {
        return fail_memory(web->op);
    }
    *desk = (struct desk){ .series = { .n = 0 } };
    enum err err = device_find(web->tx, http_capture(web->request, "key"), &desk->device);
    if (err == OK) {
        err = device_series_list(web->tx, desk->device.id, &desk->series);
    }
    if (err != OK) {
        return err;
    }
    desk->view.key = desk->device.key;
    desk->view.name = desk->device.name;
    desk->view.zone = desk->device.timezone;
    desk->view.has_series = desk->series.n > 0;
    add_fields(web, &desk->view);
    *out = desk;
    return add_choices(web, desk);
}

static enum err show(struct web *web, struct corrections_view *view)
{
    view->page = page_view(web, "Correct readings", "/admin/devices");
    page_is_html(web);
    tpl_page_admin_corrections(&web->response->body, view);
    return OK;
}

enum err page_admin_corrections(struct web *web)
{
    struct desk *desk = NULL;
    enum err err = open_desk(web, &desk);

    if (!desk) {
        return err;
    }
    desk->view.notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes);
    return show(web, &desk->view);
}

static enum err go_back(struct web *web, const struct desk *desk, const char *word)
{
    const char *path = web_path(web->op->arena, "/admin/devices/", str_of(desk->device.key));

    return form_done(web, path ? arena_printf(web->op->arena, "%s/corrections", path) : NULL, word);
}

/* ---- a value ---- */

static enum err read_put(struct web *web, struct desk *desk, struct correction *out)
{
    struct field_view *fields = desk->view.put_fields;
    const char *value = fields[PUT_VALUE].value;
    const char *end = value + strlen(value);

    *out = (struct correction){ .index = 0 };
    for (int i = 0; i < desk->series.n; i++) {
        const struct device_series *series = &desk->series.items[i];
        if (strcmp(fields[PUT_SERIES].choices[i].value, fields[PUT_SERIES].value) == 0) {
            out->metric = str_of(series->metric);
            out->labels = str_of(series->labels);
        }
    }
    if (json_number_read(value, end, &out->value) != end || !__builtin_isfinite(out->value)) {
        form_refuse(fields, N_PUT, "value", "This is not a number. Write it like 12.5.");
    }
    return form_time(web, desk->device.timezone, &fields[PUT_TIME], &out->time_us);
}

/* Puts what the database has against it beside its field. */
static enum err judge_put(struct web *web, struct desk *desk, const struct correction_list *list)
{
    struct correction_problems problems;
    enum err err = correction_check(web->tx, str_of(desk->device.key), list, 1, &problems);

    if (err == OK && problems.n > 0) {
        bool is_value = strcmp(problems.items[0].field, "value") == 0;
        form_refuse(desk->view.put_fields, N_PUT, is_value ? "value" : "time",
                    arena_printf(web->op->arena, "It %s.", problems.items[0].detail));
    }
    return err;
}

enum err page_admin_corrections_put(struct web *web)
{
    struct desk *desk = NULL;
    struct correction item;
    struct correction_list list = { &item, 1 };
    struct correction_counts counts;
    enum err err = open_desk(web, &desk);

    if (!desk) {
        return err;
    }
    (void)form_take(web, desk->view.put_fields, N_PUT);
    err = read_put(web, desk, &item);
    if (err == OK && form_is_good(desk->view.put_fields, N_PUT)) {
        err = judge_put(web, desk, &list);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(desk->view.put_fields, N_PUT)) {
        desk->view.notice = form_rejected(web, desk->view.put_fields, N_PUT);
        return show(web, &desk->view);
    }
    err = correction_put(web->tx, str_of(desk->device.key), &list, &counts);
    return err == OK ? go_back(web, desk, counts.unchanged > 0 ? "same" : "set") : err;
}

/* ---- deleting ---- */

static enum err read_range(struct web *web, struct desk *desk, struct correction_range *range)
{
    struct field_view *fields = desk->view.delete_fields;

    *range = (struct correction_range){
        .device = str_of(desk->device.key),
        .metric = form_value(fields, N_DELETE, "metric"),
    };
    enum err err = form_time(web, desk->device.timezone, &fields[DELETE_FROM], &range->from_us);
    if (err == OK) {
        err = form_time(web, desk->device.timezone, &fields[DELETE_TO], &range->to_us);
    }
    if (err == OK && form_is_good(fields, N_DELETE) && range->to_us <= range->from_us) {
        form_refuse(fields, N_DELETE, "to", "This is not after the beginning.");
    }
    return err;
}

/* Counts what is asked for; what speaks against it goes beside the field. */
static enum err ask(struct web *web, struct desk *desk, const struct correction_range *range)
{
    struct arena *arena = web->op->arena;
    struct field_view *fields = desk->view.delete_fields;
    struct correction_found found = { 0 };
    enum err err = correction_delete_check(web->tx, range, &found);
    const char *problem = found.problem;
    int64_t n = found.n_samples;

    if (err != OK) {
        return err;
    }
    if (problem) {
        struct str rest = str_of(problem);
        bool is_from = str_starts_with(rest, STR("from: "));
        form_refuse(fields, N_DELETE, is_from ? "from" : "to",
                    arena_printf(arena, "Not possible: %s.", problem + (is_from ? 6 : 0)));
    } else if (n == 0 && found.n_days == 0) {
        form_refuse(fields, N_DELETE, "to", "There are no readings in this time.");
    } else {
        const char *archived =
            found.n_days == 0 ? ""
                              : arena_printf(arena, ", and those on %" PRId64 " day%s that the "
                                                    "archive alone has",
                                             found.n_days, found.n_days == 1 ? "" : "s");
        desk->view.question = arena_printf(
            arena, "%" PRId64 " reading%s of %s%s, from %s until %s (%s).", n, n == 1 ? "" : "s",
            range->metric.ptr ? fields[DELETE_METRIC].value : "all metrics", archived,
            fields[DELETE_FROM].value, fields[DELETE_TO].value, desk->device.timezone);
    }
    return OK;
}

enum err page_admin_corrections_delete(struct web *web)
{
    struct desk *desk = NULL;
    struct correction_range range;
    int64_t n_deleted = 0;
    enum err err = open_desk(web, &desk);

    if (!desk) {
        return err;
    }
    (void)form_take(web, desk->view.delete_fields, N_DELETE);
    err = read_range(web, desk, &range);
    if (err == OK && form_is_good(desk->view.delete_fields, N_DELETE)) {
        err = ask(web, desk, &range);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(desk->view.delete_fields, N_DELETE)) {
        desk->view.notice = form_rejected(web, desk->view.delete_fields, N_DELETE);
        desk->view.notice.text = "Nothing was deleted.";
        return show(web, &desk->view);
    }
    if (!str_equal(web_form(web, "sure"), STR("1"))) {
        return show(web, &desk->view);
    }
    err = correction_delete(web->tx, &range, &n_deleted);
    return err == OK ? go_back(web, desk, "deleted") : err;
}

/* ---- erasing ---- */

enum err page_admin_device_erase(struct web *web)
{
    struct desk *desk = NULL;
    const char *counts = NULL;
    enum err err = open_desk(web, &desk);

    if (!desk) {
        return err;
    }
    (void)form_take(web, desk->view.erase_fields, 1);
    if (!str_equal(str_of(desk->view.erase_fields[0].value), str_of(desk->device.key))) {
        form_refuse(desk->view.erase_fields, 1, "key", "This is not the device’s key.");
        desk->view.notice = form_rejected(web, desk->view.erase_fields, 1);
        desk->view.notice.text = "The device was not erased.";
        return show(web, &desk->view);
    }
    err = correction_device_erase(web->tx, str_of(desk->device.key), &counts);
    return err == OK ? form_done(web, "/admin/devices", "erased") : err;
}

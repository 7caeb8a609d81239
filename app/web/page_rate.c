/* /admin/rates/{id}: a rate schedule's version as people read it, where it holds, and the forms
 * that add a version, assign it, withdraw and remove. */
#include "web/page_rates.h"

#include "domain/device.h"
#include "domain/rate_holds.h"
#include "domain/span.h"
#include "domain/tariff_read.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/model_rates.h"
#include "web/admin_fields.h"
#include "web/api_rates.h"
#include "web/form_input.h"
#include "web/page.h"
#include "web/rate_base.h"
#include "web/rate_cover.h"

enum { PLACE_SITE, PLACE_DEVICE, PLACE_FROM, PLACE_TO, N_PLACE };

static const struct form_outcome OUTCOMES[] = {
    { "added", "The rate schedule is added. Say below where it holds." },
    { "partly", "The rate schedule is added. Of what is fed in, attributes and comments, not all "
                "that URDB says was taken over: compare its prices. Say below where it holds." },
    { "changed", "The version is added." },
    { "assigned", "It is assigned." },
    { "withdrawn", "The assignment is withdrawn." },
};

/* ---- what is shown ---- */

static const char *moment(struct arena *arena, const struct zone *zone, int64_t time_us)
{
    return format_moment(arena, zone, time_us);
}

/* "from 2024-01-01 until before 2025-01-01", of several spans joined. */
static const char *holds_words(struct arena *arena, const struct rate_holds *holds)
{
    const char *text = NULL;

    for (int i = 0; i < holds->n_spans; i++) {
        const struct rate_span *span = &holds->spans[i];
        const char *days = page_rates_days(arena, span->from_day, span->to_day);
        text = text && days ? arena_printf(arena, "%s, %s", text, days) : days;
    }
    return holds->n_spans > 0 ? text : "on no day: newer ones cover it";
}

static enum err add_versions(struct web *web, int32_t id, const struct zone *zone,
                             struct rate_view *view)
{
    struct arena *arena = web->op->arena;
    struct rate_version_list list;
    const struct rate_holds *holds;
    enum err err = rate_version_list(web->tx, id, &list);

    if (err == OK) {
        err = rate_holds(web->op, &list, &holds);
    }
    if (err != OK) {
        return err;
    }
    struct rate_version_row *rows = arena_array(arena, (size_t)list.n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < list.n; i++) {
        const struct rate_version *version = &list.items[i];
        rows[i] = (struct rate_version_row){
            version->number, page_rates_days(arena, version->from_day, version->to_day),
            moment(arena, zone, version->known_us), page_rates_maker(version->made_by),
            holds_words(arena, &holds[i]), version->number == view->number
        };
        if (version->number == view->number) {
            view->valid = rows[i].valid;
            view->currency = version->currency;
            view->zone = version->timezone;
        }
    }
    view->versions = rows;
    view->n_versions = list.n;
    return OK;
}

static const char *place_of(struct arena *arena, const struct rate_assignment *assignment)
{
    if (assignment->device) {
        return arena_printf(arena, "Device %s", assignment->device);
    }
    return assignment->site ? arena_printf(arena, "Site %s", assignment->site)
                            : "The whole tenant";
}

static enum err add_assignments(struct web *web, int32_t id, const struct zone *zone,
                                struct rate_view *view)
{
    struct arena *arena = web->op->arena;
    struct rate_assignment_list list;
    enum err err = rate_assignment_list(web->tx, id, true, &list);

    if (err != OK) {
        return err;
    }
    struct rate_assignment_row *rows = arena_array(arena, (size_t)list.n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < list.n; i++) {
        const struct rate_assignment *item = &list.items[i];
        bool is_withdrawn = item->known_until_us != RATE_IN_FORCE;
        const char *since = moment(arena, zone, item->known_us);
        rows[i] = (struct rate_assignment_row){
            item->id, place_of(arena, item),
            page_rates_days(arena, item->from_day, item->to_day),
            is_withdrawn ? arena_printf(arena, "%s to %s", since,
                                        moment(arena, zone, item->known_until_us))
                         : arena_printf(arena, "since %s", since),
            is_withdrawn
        };
    }
    view->assignments = rows;
    view->n_assignments = list.n;
    return OK;
}

static enum err add_document(struct web *web, int32_t id, struct rate_view *view)
{
    struct problems problems;
    const char *document;
    enum err err = rate_version_document(web->tx, id, (int32_t)view->number, &document);

    if (err != OK) {
        return err;
    }
    problems_init(&problems, web->op->arena);
    const struct tariff *tariff = tariff_read(web->op->arena, str_of(document), &problems);
    if (!tariff || !model_rate(web->op->arena, tariff, view)) {
        return fail(web->op, ERR_INTERNAL, "rate schedule %d cannot be shown", (int)id);
    }
    view->document = (struct field_view){
        .name = "document", .label = "Document", .type = "textarea", .rows = 12, .is_code = true,
        .is_required = true, .max_bytes = MAX_LIST_BODY_BYTES, .value = document,
        .hint = "Starts as the version shown. It holds from its valid_from on; what was known "
                "before stays.",
    };
    return OK;
}

static enum err place_fields(struct web *web, struct field_view fields[N_PLACE])
{
    fields[PLACE_DEVICE] = (struct field_view){
        .name = "device", .label = "Device", .type = "text", .is_code = true,
        .max_bytes = MAX_NAME_BYTES,
        .hint = "Its key, instead of a site. Neither: the whole tenant.",
    };
    fields[PLACE_FROM] = (struct field_view){ .name = "from", .label = "From", .type = "date",
                                              .hint = "Empty: always." };
    fields[PLACE_TO] = (struct field_view){ .name = "to", .label = "Until before", .type = "date",
                                            .hint = "Empty: open." };
    return admin_site_field(web, NULL, &fields[PLACE_SITE]);
}

static enum err load(struct web *web, int32_t *id, struct rate_view *view)
{
    struct str text = http_query(web->request, "version");
    struct rate_schedule schedule;
    struct zone zone;
    long long number = 0;
    enum err err = api_rates_capture(web, id);

    if (err == OK) {
        err = rate_schedule_find(web->tx, *id, &schedule);
    }
    if (err == OK) {
        err = page_zone(web, clock_now_us(), &zone);
    }
    if (err != OK) {
        return err;
    }
    view->id = *id;
    view->name = schedule.name;
    view->number = schedule.newest.number;
    view->newer.base = schedule.newest.number;
    if (text.ptr && str_to_int64(text, &number) && number > 0 && number < view->number) {
        view->number = number;
    }
    err = add_versions(web, *id, &zone, view);
    if (err == OK) {
        err = add_assignments(web, *id, &zone, view);
    }
    if (err == OK) {
        err = add_document(web, *id, view);
    }
    view->n_place = N_PLACE;
    return err == OK ? place_fields(web, view->place) : err;
}

static enum err show(struct web *web, struct rate_view *view)
{
    view->page = page_view(web, view->name, "/admin/rates");
    page_is_html(web);
    tpl_page_rate(&web->response->body, view);
    return OK;
}

enum err page_rate(struct web *web)
{
    struct rate_view view = {
        .notice = form_notice(web, OUTCOMES, sizeof OUTCOMES / sizeof *OUTCOMES),
    };
    int32_t id = 0;
    enum err err = load(web, &id, &view);

    return err == OK ? show(web, &view) : err;
}

/* ---- changes ---- */

static enum err done(struct web *web, int32_t id, const char *word)
{
    return form_done(web, page_rates_path(web->op->arena, id), word);
}

enum err page_rate_change(struct web *web)
{
    struct rate_view view = { .is_changing = true };
    struct problems problems;
    struct rate_input input = { .tariff = NULL };
    bool may_save = false;
    int32_t id = 0;
    enum err err = load(web, &id, &view);

    if (err == OK) {
        err = rate_base_check(web, id, true, &view.newer, &may_save);
    }
    if (err != OK) {
        return err;
    }
    problems_init(&problems, web->op->arena);
    if (form_take(web, &view.document, 1)) {
        struct rate_text text = { .text = form_value(&view.document, 1, "document") };
        err = rate_input_read(web, &text, &problems, &input);
    }
    if (err != OK) {
        return err;
    }
    if (!input.tariff) {
        view.wrongs = page_rates_wrongs(web->op->arena, &problems);
        view.n_wrongs = view.wrongs ? problems.n : 0;
        form_refuse(&view.document, 1, "document", "Nothing is kept: see what is wrong above.");
        view.notice = form_rejected(web, &view.document, 1);
        return show(web, &view);
    }
    if (!may_save) {
        view.notice = rate_base_refused(web, &view.newer);
        return show(web, &view);
    }
    err = rate_cover_check(web, id, input.tariff, &view.cover, &may_save);
    if (err == OK && !may_save) {
        view.notice = rate_cover_refused(web);
        return show(web, &view);
    }
    if (err != OK) {
        return err;
    }
    err = rate_version_add(web->tx, input.tariff, input.format, &id);
    return err == OK ? done(web, id, "changed") : err;
}

/* What only the tenant's things and both days can tell. */
static enum err check_place(struct web *web, struct field_view fields[N_PLACE],
                            struct rate_place *place)
{
    struct device device;
    int64_t from = INT64_MIN, to = INT64_MAX;
    enum err err = admin_check_site(web, fields, N_PLACE);

    *place = (struct rate_place){ form_value(fields, N_PLACE, "site"),
                                  form_value(fields, N_PLACE, "device"),
                                  form_value(fields, N_PLACE, "from"),
                                  form_value(fields, N_PLACE, "to") };
    if (place->from_day.ptr && !span_day_parse(place->from_day, &from)) {
        form_refuse(fields, N_PLACE, "from", "A date such as 2026-11-20.");
    }
    if (place->to_day.ptr && !span_day_parse(place->to_day, &to)) {
        form_refuse(fields, N_PLACE, "to", "A date such as 2026-11-20.");
    } else if (to <= from) {
        form_refuse(fields, N_PLACE, "to", "This must be after the first day.");
    }
    if (place->site.ptr && place->device.ptr) {
        form_refuse(fields, N_PLACE, "device", "Either a site or a device.");
    } else if (err == OK && place->device.ptr) {
        err = device_find(web->tx, place->device, &device);
        if (err == ERR_NOT_FOUND) {
            op_clear_fault(web->op);
            form_refuse(fields, N_PLACE, "device", "There is no device with this key.");
            err = OK;
        }
    }
    return err;
}

enum err page_rate_assign(struct web *web)
{
    struct rate_view view = { .is_changing = false };
    struct rate_place place;
    int32_t id = 0, assignment;
    enum err err = load(web, &id, &view);

    if (err != OK) {
        return err;
    }
    (void)form_take(web, view.place, N_PLACE);
    err = check_place(web, view.place, &place);
    if (err != OK) {
        return err;
    }
    if (!form_is_good(view.place, N_PLACE)) {
        view.notice = form_rejected(web, view.place, N_PLACE);
        return show(web, &view);
    }
    err = rate_assignment_add(web->tx, id, &place, &assignment);
    return err == OK ? done(web, id, "assigned") : err;
}

enum err page_rate_withdraw(struct web *web)
{
    long long assignment = 0;
    int32_t id = 0;
    enum err err = api_rates_capture(web, &id);

    if (err == OK && (!str_to_int64(web_form(web, "assignment"), &assignment) || assignment < 1 ||
                      assignment > INT32_MAX)) {
        err = fail(web->op, ERR_NOT_FOUND, "the rate schedule has no such assignment");
    }
    if (err == OK) {
        err = rate_assignment_withdraw(web->tx, id, (int32_t)assignment);
    }
    return err == OK ? done(web, id, "withdrawn") : err;
}

enum err page_rate_remove(struct web *web)
{
    int32_t id = 0;
    enum err err = api_rates_capture(web, &id);

    if (err == OK) {
        err = rate_schedule_remove(web->tx, id);
    }
    return err == OK ? form_done(web, "/admin/rates", "removed") : err;
}

/* /admin/devices/{key}/meter: what happened to a device's meter that its readings do not tell:
 * entered, a kind at a time, and withdrawn. */
#include "web/form_input.h"
#include "web/form_time.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/json_number.h"
#include "domain/device.h"
#include "domain/device_change.h"
#include "domain/meter.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/format.h"

#include <inttypes.h>
#include <math.h>

#define ENTRIES_SHOWN 200
#define MAX_VALUE_BYTES 40

static const struct form_outcome outcomes[] = {
    { "entered", "It is entered. Energy and costs follow within seconds." },
    { "withdrawn", "It is withdrawn, as if it had not been entered." },
};

/* What the page says of each of METER_KIND_LIST. */
static const struct kind_text {
    const char *title, *about;
} kind_texts[METER_KINDS] = {
    { "Swap", "From this time on a new meter is read; its history goes on from the old one’s." },
    { "Reset", "At this time the register began anew." },
    { "Rollover", "The register begins again at zero when it is full; this is no restart." },
    { "Gap", "Readings of this time do not count, and no energy is told for it." },
    { "Factor", "Energy of this time is multiplied, as for a current transformer." },
    { "Unit", "Readings of this time are in another unit than those of the series." },
};

/* The fields of the parts, in the order of enum meter_part. */
static const struct field_view part_fields[METER_PARTS] = {
    { .name = "until", .label = "Until", .type = "text", .is_code = true,
      .max_bytes = FORM_MAX_TIME_BYTES, .hint = "Just before this time. Empty: from then on." },
    { .name = "final", .label = "Last reading of the old meter", .type = "text", .is_code = true,
      .max_bytes = MAX_VALUE_BYTES,
      .hint = "Empty: not known; then nothing is told from its last reading here to the swap." },
    { .name = "initial", .label = "First reading of the new register", .type = "text",
      .is_code = true, .max_bytes = MAX_VALUE_BYTES,
      .hint = "Empty: zero after a reset; not known after a swap." },
    { .name = "size", .label = "Size", .type = "text", .is_code = true,
      .max_bytes = MAX_VALUE_BYTES, .hint = "What follows the largest reading, such as 100000." },
    { .name = "factor", .label = "Factor", .type = "text", .is_code = true,
      .max_bytes = METER_MAX_FACTOR_BYTES, .hint = "Such as 40 or 1.05." },
    { .name = "unit", .label = "Unit", .type = "text", .max_bytes = MAX_UNIT_BYTES,
      .hint = "Wh, kWh or MWh; of power W or kW." },
};

/* The device and the page about its meter. */
struct meter_desk {
    struct device device;
    struct device_series_list series;
    struct zone zone;
    struct meter_view view;
    const struct meter_kind *kind;
};

/* ---- the list ---- */

static void add_figure(struct arena *arena, const char **text, const char *what, double value)
{
    if (!isnan(value) && *text) {
        *text = arena_printf(arena, "%s%s%s %.15g", *text, **text ? ", " : "", what, value);
    }
}

static const char *figures_of(struct arena *arena, const struct meter_entry *entry)
{
    const char *text = "";

    add_figure(arena, &text, "ended at", entry->final);
    add_figure(arena, &text, "began at", entry->initial);
    add_figure(arena, &text, "size", entry->size);
    if (entry->factor) {
        text = arena_printf(arena, "× %s", entry->factor);
    }
    return entry->unit ? entry->unit : text ? text : "";
}

static const char *time_of(struct arena *arena, const struct zone *zone,
                           const struct meter_entry *entry)
{
    const char *at = format_moment(arena, zone, entry->at_us);

    if (entry->until_us == METER_INSTANT) {
        return at;
    }
    return entry->until_us == METER_OPEN
               ? arena_printf(arena, "from %s on", at)
               : arena_printf(arena, "%s to %s", at, format_moment(arena, zone, entry->until_us));
}

static struct meter_row row_of(struct arena *arena, const struct zone *zone,
                               const struct meter_entry *entry)
{
    const char *kind = entry->kind;

    for (int i = 0; i < METER_KINDS; i++) {
        if (strcmp(METER_KIND_LIST[i].name, entry->kind) == 0) {
            kind = kind_texts[i].title;
        }
    }
    return (struct meter_row){
        .id = arena_printf(arena, "%" PRId32, entry->id),
        .kind = kind,
        .figures = figures_of(arena, entry),
        .time = time_of(arena, zone, entry),
        .series = entry->metric ? entry->metric : "All energy",
        .note = entry->note,
        .made = arena_printf(arena, "%s by %s", format_moment(arena, zone, entry->made_us),
                             entry->made_by),
        .withdrawn = entry->withdrawn_by
                         ? arena_printf(arena, "withdrawn %s by %s",
                                        format_moment(arena, zone, entry->withdrawn_us),
                                        entry->withdrawn_by)
                         : NULL,
    };
}

static enum err add_rows(struct web *web, struct meter_desk *desk)
{
    struct meter_entry_list list;
    enum err err = meter_list(web->tx, str_of(desk->device.key), INT64_MAX, INT32_MAX,
                              ENTRIES_SHOWN, &list);

    if (err != OK) {
        return err;
    }
    struct meter_row *rows = arena_array(web->op->arena, (size_t)list.n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < list.n; i++) {
        rows[i] = row_of(web->op->arena, &desk->zone, &list.items[i]);
    }
    desk->view.rows = rows;
    desk->view.n_rows = list.n;
    return OK;
}

/* ---- the form ---- */

static enum err add_series_field(struct web *web, struct meter_desk *desk,
                                 struct field_view *field)
{
    struct arena *arena = web->op->arena;
    int n = desk->series.n;
    struct choice_view *choices = arena_array(arena, (size_t)n + 1, sizeof *choices);

    if (!choices) {
        return fail_memory(web->op);
    }
    choices[0] = (struct choice_view){ "", "All that tell energy" };
    for (int i = 0; i < n; i++) {
        const struct device_series *item = &desk->series.items[i];
        bool is_plain = strcmp(item->labels, "{}") == 0;
        choices[i + 1].value = arena_printf(arena, "%" PRId32, item->id);
        choices[i + 1].label = is_plain ? item->metric
                                        : arena_printf(arena, "%s %s", item->metric, item->labels);
        if (!choices[i + 1].value || !choices[i + 1].label) {
            return fail_memory(web->op);
        }
    }
    *field = (struct field_view){ .name = "series", .label = "Series", .type = "select",
                                  .value = "", .choices = choices, .n_choices = n + 1 };
    return OK;
}

/* The fields of the chosen kind; a kind that there is not is none. */
static enum err choose(struct web *web, struct meter_desk *desk, struct str name)
{
    struct arena *arena = web->op->arena;
    struct meter_view *view = &desk->view;

    for (int i = 0; i < METER_KINDS; i++) {
        if (str_equal(name, str_of(METER_KIND_LIST[i].name))) {
            desk->kind = &METER_KIND_LIST[i];
            view->kind = desk->kind->name;
            view->title = kind_texts[i].title;
            view->about = kind_texts[i].about;
            view->kinds[i].is_here = true;
        }
    }
    if (!desk->kind) {
        return OK;
    }
    view->fields[view->n_fields++] = (struct field_view){
        .name = "at", .label = desk->kind->takes & 1U << METER_UNTIL ? "From" : "Time",
        .type = "text", .is_required = true, .is_code = true, .max_bytes = FORM_MAX_TIME_BYTES,
        .hint = arena_printf(arena, "Such as 2026-11-20 14:05:00, in %s.", desk->device.timezone),
    };
    for (int part = 0; part < METER_PARTS; part++) {
        if (desk->kind->takes & 1U << part) {
            struct field_view *field = &view->fields[view->n_fields++];
            *field = part_fields[part];
            field->is_required = desk->kind->needs & 1U << part;
            field->hint = field->is_required && part == METER_UNTIL ? NULL : field->hint;
        }
    }
    view->fields[view->n_fields++] = (struct field_view){
        .name = "note", .label = "Note", .type = "text", .max_bytes = METER_MAX_NOTE_BYTES,
    };
    return add_series_field(web, desk, &view->fields[view->n_fields++]);
}

/* ---- the page ---- */

static enum err open_desk(struct web *web, struct str kind, struct meter_desk **out)
{
    struct meter_desk *desk = arena_alloc(web->op->arena, sizeof *desk);

    if (!desk) {
        return fail_memory(web->op);
    }
    *desk = (struct meter_desk){ .series = { .n = 0 } };
    enum err err = device_find(web->tx, http_capture(web->request, "key"), &desk->device);
    if (err == OK) {
        err = device_series_list(web->tx, desk->device.id, &desk->series);
    }
    if (err == OK) {
        err = zone_load(web->tx, desk->device.timezone, 0, clock_now_us() + US_PER_DAY,
                        &desk->zone);
    }
    const char *path = web_path(web->op->arena, "/admin/devices/",
                                http_capture(web->request, "key"));
    if (err == OK && !path) {
        err = fail_memory(web->op);
    }
    if (err != OK) {
        return err;
    }
    desk->view.key = desk->device.key;
    desk->view.name = desk->device.name;
    for (int i = 0; i < METER_KINDS; i++) {
        desk->view.kinds[desk->view.n_kinds++] = (struct choice_link){
            kind_texts[i].title,
            arena_printf(web->op->arena, "%s/meter?kind=%s", path, METER_KIND_LIST[i].name), false,
        };
    }
    *out = desk;
    return choose(web, desk, kind);
}

static enum err show(struct web *web, struct meter_desk *desk)
{
    enum err err = add_rows(web, desk);

    if (err != OK) {
        return err;
    }
    desk->view.page = page_view(web, "Meter", "/admin/devices");
    page_is_html(web);
    tpl_page_admin_meter(&web->response->body, &desk->view);
    return OK;
}

enum err page_admin_meter(struct web *web)
{
    struct meter_desk *desk = NULL;
    enum err err = open_desk(web, http_query(web->request, "kind"), &desk);

    if (err != OK || !desk) {
        return err;
    }
    desk->view.notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes);
    return show(web, desk);
}

static enum err done(struct web *web, const char *word)
{
    const char *path = web_path(web->op->arena, "/admin/devices/",
                                http_capture(web->request, "key"));

    return form_done(web, path ? arena_printf(web->op->arena, "%s/meter", path) : NULL, word);
}

/* ---- entering ---- */

/* The number of a field that the kind has; NaN where it is empty, or not there. */
static double read_number(struct meter_desk *desk, enum meter_part part)
{
    const char *name = METER_PART_NAMES[part];
    double value = NAN;

    if (!(desk->kind->takes & 1U << part)) {
        return value;
    }
    struct str text = form_value(desk->view.fields, desk->view.n_fields, name);
    if (text.ptr && (json_number_read(text.ptr, text.ptr + text.len, &value) !=
                         text.ptr + text.len || !isfinite(value))) {
        form_refuse(desk->view.fields, desk->view.n_fields, name,
                    "This is not a number. Write it like 12.5.");
        value = NAN;
    } else if (value <= 0 && (part == METER_SIZE || part == METER_FACTOR)) {
        form_refuse(desk->view.fields, desk->view.n_fields, name, "This must be more than 0.");
    }
    return value;
}

/* The series that was chosen; all where it is none of them. */
static void read_series(const struct meter_desk *desk, struct str id, struct meter_given *given)
{
    const struct field_view *field = &desk->view.fields[desk->view.n_fields - 1];

    for (int i = 0; i < desk->series.n; i++) {
        if (str_equal(id, str_of(field->choices[i + 1].value))) {
            given->metric = str_of(desk->series.items[i].metric);
            given->labels = str_of(desk->series.items[i].labels);
        }
    }
}

static enum err read_entry(struct web *web, struct meter_desk *desk, struct meter_given *given)
{
    struct field_view *fields = desk->view.fields;
    int n = desk->view.n_fields;
    const char *zone = desk->device.timezone;

    *given = (struct meter_given){ .device = str_of(desk->device.key), .kind = desk->kind,
                                   .until_us = METER_OPEN };
    given->final = read_number(desk, METER_FINAL);
    given->initial = read_number(desk, METER_INITIAL);
    given->size = read_number(desk, METER_SIZE);
    if (!isnan(read_number(desk, METER_FACTOR))) {
        given->factor = form_value(fields, n, "factor");
    }
    if (desk->kind->takes & 1U << METER_UNIT) {
        given->unit = form_value(fields, n, "unit");
    }
    given->note = form_value(fields, n, "note");
    read_series(desk, form_value(fields, n, "series"), given);
    enum err err = form_time(web, zone, form_field(fields, n, "at"), &given->at_us);
    if (err == OK && desk->kind->takes & 1U << METER_UNTIL && form_value(fields, n, "until").ptr) {
        err = form_time(web, zone, form_field(fields, n, "until"), &given->until_us);
        if (err == OK && given->until_us <= given->at_us) {
            form_refuse(fields, n, "until", "This is not after the beginning.");
        }
    }
    return err;
}

/* Puts what the database has against it beside its field. */
static enum err judge(struct web *web, struct meter_desk *desk, const struct meter_given *given)
{
    struct meter_problems problems;
    enum err err = meter_check(web->tx, given, &problems);

    for (int i = 0; err == OK && i < problems.n; i++) {
        const char *field = problems.items[i].field;
        bool is_series = strcmp(field, "metric") == 0 || strcmp(field, "labels") == 0;
        form_refuse(desk->view.fields, desk->view.n_fields,
                    is_series ? "series" : strcmp(field, "kind") == 0 ? "at" : field,
                    arena_printf(web->op->arena, "Not possible: %s.", problems.items[i].detail));
    }
    return err;
}

enum err page_admin_meter_add(struct web *web)
{
    struct meter_desk *desk = NULL;
    struct meter_given given;
    int32_t id = 0;
    enum err err = open_desk(web, web_form(web, "kind"), &desk);

    if (err != OK || !desk) {
        return err;
    }
    if (!desk->kind) {
        return fail(web->op, ERR_INVALID, "kind: there is no such kind of entry");
    }
    (void)form_take(web, desk->view.fields, desk->view.n_fields);
    err = read_entry(web, desk, &given);
    if (err == OK && form_is_good(desk->view.fields, desk->view.n_fields)) {
        err = judge(web, desk, &given);
    }
    if (err != OK) {
        return err;
    }
    if (!form_is_good(desk->view.fields, desk->view.n_fields)) {
        desk->view.notice = form_rejected(web, desk->view.fields, desk->view.n_fields);
        return show(web, desk);
    }
    err = meter_add(web->tx, &given, &id);
    return err == OK ? done(web, "entered") : err;
}

enum err page_admin_meter_withdraw(struct web *web)
{
    long long id = 0;

    if (!str_to_int64(web_form(web, "entry"), &id) || id < 1 || id > INT32_MAX) {
        return fail(web->op, ERR_NOT_FOUND, "the device has no such entry");
    }
    enum err err = meter_withdraw(web->tx, http_capture(web->request, "key"), (int32_t)id);
    return err == OK ? done(web, "withdrawn") : err;
}

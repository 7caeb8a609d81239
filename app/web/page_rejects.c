/* /admin/rejects: what ingest did not take, with the reason, to be replayed once the cause is
 * mended, or removed; and what became of all that was received during the last day. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"
#include "web/reject_input.h"

#include "base/buf.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/html.h"
#include "view/model_parts.h"
#include "view/models_rejects.h"

#include <inttypes.h>

#define ROWS_SHOWN 50
#define EXCERPT_BYTES 2000
#define HOURS_SHOWN 24

enum { FIELD_STATE, FIELD_REASON, FIELD_DEVICE, FIELD_CONVENTION, N_FIELDS };
_Static_assert((int)N_FIELDS == REJECT_FIELDS, "the view has room for the fields");

static const struct choice_view states[] = {
    { "open", "Not stored yet" }, { "pending", "Waiting for a replay" },
    { "replayed", "Replayed" },   { "", "All" },
};

static const struct form_outcome outcomes[] = {
    { "replayed", "Marked for replay, which takes some seconds. Reload the page to see what became "
                  "of it." },
    { "nothing", "Nothing of it can be replayed." },
    { "removed", "Removed." },
};

/* ---- filters ---- */

/* Of the query or, after a form, of its hidden fields. */
static struct str asked(const struct web *web, const char *name)
{
    return web->request->method == HTTP_POST ? web_form(web, name) : http_query(web->request, name);
}

static void read_fields(const struct web *web, struct field_view fields[N_FIELDS])
{
    static const struct {
        const char *name, *label, *type;
    } each[N_FIELDS] = {
        [FIELD_STATE] = { "state", "Show", "select" },
        [FIELD_REASON] = { "reason", "Reason contains", "text" },
        [FIELD_DEVICE] = { "device", "Device", "text" },
        [FIELD_CONVENTION] = { "convention", "Convention", "text" },
    };

    for (int i = 0; i < N_FIELDS; i++) {
        struct str value = str_trim(asked(web, each[i].name));
        fields[i] = (struct field_view){
            .name = each[i].name, .label = each[i].label, .type = each[i].type,
            .value = value.len ? arena_copy(web->op->arena, value) : "",
        };
    }
    fields[FIELD_STATE].choices = states;
    fields[FIELD_STATE].n_choices = sizeof states / sizeof *states;
    if (!asked(web, "state").ptr) {
        fields[FIELD_STATE].value = states[0].value;
    }
    fields[FIELD_DEVICE].is_code = true;
}

static struct str value_of(const struct field_view *field)
{
    return field->value && field->value[0] ? str_of(field->value) : (struct str){ 0 };
}

static struct reject_filter filter_of(const struct field_view fields[N_FIELDS])
{
    return (struct reject_filter){
        .from_us = INT64_MIN, .to_us = INT64_MAX, .state = value_of(&fields[FIELD_STATE]),
        .reason = value_of(&fields[FIELD_REASON]), .device = value_of(&fields[FIELD_DEVICE]),
        .convention = value_of(&fields[FIELD_CONVENTION]),
    };
}

static bool is_filtered(const struct field_view fields[N_FIELDS])
{
    bool is_first_state = strcmp(fields[FIELD_STATE].value, states[0].value) == 0;

    return !is_first_state || fields[FIELD_REASON].value[0] || fields[FIELD_DEVICE].value[0] ||
           fields[FIELD_CONVENTION].value[0];
}

/* "/admin/rejects?state=…&before=…" */
static const char *address(struct arena *arena, const struct field_view fields[N_FIELDS],
                           int64_t before)
{
    struct buf out;

    buf_init(&out, arena, 4096);
    buf_add_text(&out, "/admin/rejects");
    for (int i = 0; i < N_FIELDS; i++) {
        buf_printf(&out, "%c%s=", i == 0 ? '?' : '&', fields[i].name);
        html_url_part_chars(&out, fields[i].value);
    }
    if (before) {
        buf_printf(&out, "&before=%" PRId64, before);
    }
    buf_add_char(&out, '\0');
    return out.is_broken ? NULL : out.data;
}

/* ---- rows ---- */

static void set_state(struct reject_line *line, const struct reject_row *row)
{
    if (strcmp(row->state, "pending") == 0) {
        line->state = "Waiting for its replay";
        line->state_class = "late";
    } else if (strcmp(row->state, "replayed") == 0) {
        bool is_stored = row->outcome && strcmp(row->outcome, "rejected") != 0;
        bool was_there = row->outcome && strcmp(row->outcome, "duplicate") == 0;
        line->state = was_there ? "Replayed: was stored already"
                      : is_stored ? "Replayed: stored"
                                  : "Replayed: its items are listed";
        line->state_class = is_stored ? "live" : "";
    } else {
        line->state = row->attempts > 0 ? "Refused again" : "Not stored";
        line->state_class = "silent";
    }
}

static void set_text(struct reject_line *line, struct arena *arena, const struct reject_row *row)
{
    struct str text = reject_shown_text(row);
    const char *kept = row->text.len ? "It was too long to be kept whole, and cannot be replayed."
                                     : "It was not read, and cannot be replayed.";

    line->text = text.len ? arena_copy(arena, text) : NULL;
    line->about = !row->is_whole                  ? kept
                  : !text.ptr && row->text.len    ? "It cannot be shown as text."
                  : (size_t)row->size > text.len  ? "This is its beginning."
                                                  : NULL;
}

static struct reject_line line_of(struct arena *arena, const struct zone *zone, int64_t now_us,
                                  const struct reject_row *row)
{
    struct reject_line line = {
        .id = arena_printf(arena, "%" PRId64, row->id),
        .time = moment_view(arena, zone, now_us, row->time_us),
        .device = row->device,
        .source = row->item < 0 ? arena_printf(arena, "%s, the whole request", row->convention)
                                : arena_printf(arena, "%s, item %d", row->convention, row->item),
        .reason = row->reason,
        .request_id = row->request_id,
        .may_replay = row->is_whole && strcmp(row->state, "kept") == 0,
    };

    set_state(&line, row);
    set_text(&line, arena, row);
    return line;
}

static enum err add_rows(struct web *web, const struct zone *zone, struct rejects_view *view)
{
    struct arena *arena = web->op->arena;
    const struct reject_filter filter = filter_of(view->fields);
    struct reject_rows list;
    long long before = 0;

    if (!str_to_int64(http_query(web->request, "before"), &before) || before < 0) {
        before = 0;
    }
    enum err err = reject_list(web->tx, &filter, before, EXCERPT_BYTES, ROWS_SHOWN + 1, &list);
    if (err != OK) {
        return err;
    }
    int n = list.n > ROWS_SHOWN ? ROWS_SHOWN : list.n;
    struct reject_line *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = line_of(arena, zone, clock_now_us(), &list.items[i]);
        view->may_replay = view->may_replay || rows[i].may_replay;
    }
    view->rows = rows;
    view->n_rows = n;
    view->pager.first = before ? address(arena, view->fields, 0) : NULL;
    view->pager.next = list.n > n ? address(arena, view->fields, list.items[n - 1].id) : NULL;
    return OK;
}

/* ---- accounts ---- */

static struct ingest_hour_line hour_line(struct arena *arena, const struct ingest_hour *hour)
{
    return (struct ingest_hour_line){
        .received = format_number(arena, (double)hour->received, 0),
        .accepted = format_number(arena, (double)hour->accepted, 0),
        .duplicates = format_number(arena, (double)hour->duplicates, 0),
        .updated = format_number(arena, (double)hour->updated, 0),
        .rejected = format_number(arena, (double)hour->rejected, 0),
        .refused = format_number(arena, (double)hour->refused, 0),
    };
}

static enum err add_hours(struct web *web, const struct zone *zone, struct rejects_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct ingest_hour total = { .received = 0 };
    struct ingest_hours list;
    enum err err = ingest_hours_list(web->tx, now_us - HOURS_SHOWN * US_PER_HOUR, CLOCK_MAX_US,
                                     HOURS_SHOWN + 1, &list);

    if (err != OK) {
        return err;
    }
    struct ingest_hour_line *hours = arena_array(arena, (size_t)list.n + 1, sizeof *hours);
    if (!hours) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < list.n; i++) {
        const struct ingest_hour *hour = &list.items[i];
        hours[i] = hour_line(arena, hour);
        hours[i].name = format_clock(arena, zone, hour->time_us);
        hours[i].machine = format_machine(arena, zone, hour->time_us);
        total.received += hour->received;
        total.accepted += hour->accepted;
        total.duplicates += hour->duplicates;
        total.updated += hour->updated;
        total.rejected += hour->rejected;
        total.refused += hour->refused;
    }
    view->hours = hours;
    view->n_hours = list.n;
    view->total = hour_line(arena, &total);
    return OK;
}

/* ---- the page ---- */

enum err page_rejects(struct web *web)
{
    struct rejects_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    struct zone zone;
    enum err err = page_zone(web, clock_now_us(), &zone);

    read_fields(web, view.fields);
    if (err == OK) {
        err = add_rows(web, &zone, &view);
    }
    if (err == OK) {
        err = add_hours(web, &zone, &view);
    }
    if (err != OK) {
        return err;
    }
    view.is_filtered = is_filtered(view.fields);
    view.page = page_view(web, "Rejected data", "/admin/rejects");
    page_is_html(web);
    tpl_page_rejects(&web->response->body, &view);
    return OK;
}

enum err page_rejects_post(struct web *web)
{
    struct field_view fields[N_FIELDS];
    struct str id = web_form(web, "id");
    long long only = 0;
    int64_t n = 0;

    read_fields(web, fields);
    struct reject_filter filter = filter_of(fields);
    if (id.ptr) {
        if (!str_to_int64(id, &only) || only <= 0) {
            return fail(web->op, ERR_NOT_FOUND, "There is no such rejected item.");
        }
        filter = (struct reject_filter){ .only_id = only, .from_us = INT64_MIN,
                                         .to_us = INT64_MAX };
    }
    if (str_equal(web_form(web, "do"), STR("remove"))) {
        enum err err = reject_delete(web->tx, &filter, &n);
        return err == OK ? form_done(web, "/admin/rejects", "removed") : err;
    }
    enum err err = reject_replay(web->tx, &filter, &n);
    if (err != OK) {
        return err;
    }
    return form_done(web, "/admin/rejects", n > 0 ? "replayed" : "nothing");
}

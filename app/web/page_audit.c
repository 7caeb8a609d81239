/* /admin/audit: who changed what, with filters by area and person. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages_access.h"

#include "base/json.h"
#include "domain/settings.h"
#include "gen/templates.h"
#include "view/html.h"
#include "view/model_parts.h"

#include <inttypes.h>

#define ROWS_SHOWN 50
#define MAX_DETAIL_BYTES 2000
#define COMMAND_LINE "tidemark_operator" /* the actor of `tidemark tenant`, `user`, `token` */

enum { FIELD_AREA, FIELD_ACTOR, N_FIELDS };
_Static_assert((int)N_FIELDS == AUDIT_FIELDS, "the view has room for the fields");

/* The first words of actions. */
static const struct choice_view areas[] = {
    { "", "Everything" },        { "device", "Devices" },   { "site", "Sites" },
    { "series", "Series" },      { "sample", "Readings" },  { "token", "Tokens" },
    { "membership", "Members" },     { "invite", "Invitations" }, { "share", "Shared links" },
    { "plugin", "Plugins" },     { "tenant", "Settings" },
};

static void list_fields(struct field_view fields[N_FIELDS])
{
    fields[FIELD_AREA] = (struct field_view){
        .name = "area", .label = "Of", .type = "select", .value = "", .choices = areas,
        .n_choices = sizeof areas / sizeof *areas,
    };
    fields[FIELD_ACTOR] = (struct field_view){
        .name = "actor", .label = "By (an e-mail, or “token 17”)", .type = "text", .value = "",
    };
}

/* A JSON value as people read it: texts without quotes, null as "none". */
static void add_value(struct buf *out, struct json_reader *reader)
{
    struct str text;
    enum json_type type = json_peek(reader);

    if (type == JSON_STRING && json_read_string(reader, &text)) {
        buf_add(out, text.ptr, text.len);
    } else if (type == JSON_NULL && json_read_null(reader)) {
        buf_add_text(out, "none");
    } else if (json_skip(reader, &text)) {
        buf_add(out, text.ptr, text.len);
    }
}

/* "role: viewer → admin, name: Meter": a pair is before and after. */
static const char *describe(struct arena *arena, const char *json)
{
    struct json_reader reader;
    struct buf out;
    struct str name;
    bool is_first = true;

    buf_init(&out, arena, MAX_DETAIL_BYTES);
    json_reader_init(&reader, str_of(json), arena, 32);
    if (!json_enter_object(&reader)) {
        return "";
    }
    while (json_next_member(&reader, &name)) {
        buf_add_text(&out, is_first ? "" : ", ");
        buf_add(&out, name.ptr, name.len);
        buf_add_text(&out, ": ");
        is_first = false;
        if (json_peek(&reader) != JSON_ARRAY) {
            add_value(&out, &reader);
            continue;
        }
        bool is_after = false;
        for (json_enter_array(&reader); json_next_element(&reader); is_after = true) {
            buf_add_text(&out, is_after ? " → " : "");
            add_value(&out, &reader);
        }
    }
    buf_add_char(&out, '\0');
    return out.is_broken || reader.error ? json : out.data;
}

static struct audit_filter read_filter(const struct web *web, struct field_view *fields)
{
    long long before = 0, id = 0;
    struct audit_filter filter = {
        .action = web_query_text(web, "area"),
        .actor = web_query_text(web, "actor"),
        .from_us = CLOCK_MIN_US,
        .to_us = CLOCK_MAX_US,
        .limit = ROWS_SHOWN + 1,
    };

    for (int i = 0; filter.action.ptr && i < fields[FIELD_AREA].n_choices; i++) {
        const char *value = areas[i].value;
        fields[FIELD_AREA].value =
            str_equal(filter.action, str_of(value)) ? value : fields[FIELD_AREA].value;
    }
    if (filter.actor.ptr) {
        fields[FIELD_ACTOR].value = arena_copy(web->op->arena, filter.actor);
    }
    filter.is_before = str_to_int64(http_query(web->request, "before"), &before) &&
                       str_to_int64(http_query(web->request, "id"), &id) &&
                       before > CLOCK_MIN_US && before < CLOCK_MAX_US;
    filter.before_us = before;
    filter.before_id = id;
    return filter;
}

/* "/admin/audit?area=token&actor=…&before=…&id=…" */
static const char *address(struct arena *arena, const struct audit_filter *filter,
                           const struct audit_row *last)
{
    struct buf out;

    buf_init(&out, arena, 4096);
    buf_add_text(&out, "/admin/audit?area=");
    html_url_part_str(&out, filter->action);
    buf_add_text(&out, "&actor=");
    html_url_part_str(&out, filter->actor);
    if (last) {
        buf_add_text(&out, arena_printf(arena, "&before=%" PRId64 "&id=%" PRId64, last->time_us,
                                        last->id));
    }
    buf_add_char(&out, '\0');
    return out.is_broken ? NULL : out.data;
}

static enum err add_rows(struct web *web, const struct audit_filter *filter,
                         struct audit_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct audit_rows list;
    struct zone zone;
    enum err err = audit_list(web->tx, filter, &list);

    if (err == OK) {
        err = page_zone(web, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    int n = list.n > ROWS_SHOWN ? ROWS_SHOWN : list.n;
    struct audit_line *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        const struct audit_row *row = &list.items[i];
        rows[i] = (struct audit_line){
            .time = moment_view(arena, &zone, now_us, row->time_us),
            .actor = strcmp(row->actor, COMMAND_LINE) == 0 ? "command line" : row->actor,
            .action = row->action,
            .object = row->object,
            .detail = describe(arena, row->detail),
        };
    }
    view->rows = rows;
    view->n_rows = n;
    view->pager.first = filter->is_before ? address(arena, filter, NULL) : NULL;
    view->pager.next = list.n > n ? address(arena, filter, &list.items[n - 1]) : NULL;
    return OK;
}

enum err page_audit(struct web *web)
{
    struct audit_view view = { .n_rows = 0 };

    list_fields(view.fields);
    struct audit_filter filter = read_filter(web, view.fields);
    enum err err = add_rows(web, &filter, &view);
    if (err != OK) {
        return err;
    }
    view.is_filtered = filter.action.ptr || filter.actor.ptr;
    view.page = page_view(web, "Audit", "/admin/audit");
    page_is_html(web);
    tpl_page_audit(&web->response->body, &view);
    return OK;
}

/* /archives: the files that the archive has of the tenant, the latest first; admins have them
 * verified and days brought back. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "domain/archived.h"
#include "domain/span.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/link.h"
#include "view/model_parts.h"
#include "web/cursor.h"

#include <inttypes.h>

#define FILES_SHOWN 50
#define SUM_CHARACTERS 12 /* of the checksum: enough to compare by eye */

static const struct form_outcome outcomes[] = {
    { "wanted",
      "The day will be brought back: within a minute, unless the archive is busy or it changed." },
    { "verify",
      "The file will be read and verified: within a minute, unless the archive is busy." },
    { "days",
      "The days will be brought back, one after the other, unless the archive is busy or they "
      "changed." },
    { "there", "The database has this day, and keeps it for 30 days at least." },
};

static const struct {
    const char *place, *text, *class;
} PLACES[] = {
    { "database", "In the database", "live" },
    { "restored", "Restored", "live" },
    { "archive", "Archive alone", "late" },
};

static const struct {
    const char *verify, *text, *class;
} FINDINGS[] = {
    { "waiting", "Being verified", "late" }, { "sound", "Sound", "live" },
    { "damaged", "Damaged", "silent" },      { "missing", "Missing", "silent" },
    { "failed", "Not readable", "silent" },
};

static void set_found(struct archive_row *row, const struct archived *file)
{
    for (size_t i = 0; file->verify != NULL && i < sizeof FINDINGS / sizeof *FINDINGS; i++) {
        if (strcmp(FINDINGS[i].verify, file->verify) == 0) {
            row->found = FINDINGS[i].text;
            row->found_class = FINDINGS[i].class;
        }
    }
}

/* What is shown where the day is wanted back says more than where it is. */
static void set_place(struct archive_row *row, const struct archived *file)
{
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        if (strcmp(PLACES[i].place, file->place) == 0) {
            row->place = PLACES[i].text;
            row->place_class = PLACES[i].class;
        }
    }
    if (file->wish != NULL) {
        bool is_failed = strcmp(file->wish, "failed") == 0;
        row->place = is_failed ? "Not restored" : "Being restored";
        row->place_class = is_failed ? "silent" : "late";
    }
}

static const char *about(struct arena *arena, const struct archived *file)
{
    if (strcmp(file->kind, "rows") != 0) {
        return arena_printf(arena, "%s, what is void of it (%d)", file->table, file->n);
    }
    if (file->n == 1) {
        return file->table;
    }
    return arena_printf(arena, file->is_derived ? "%s, written anew (%d)"
                                                : "%s, what changed later (%d)",
                        file->table, file->n);
}

static struct archive_row row_of(struct web *web, const struct zone *zone, int64_t now_us,
                                 const struct archived *file)
{
    struct arena *arena = web->op->arena;
    bool is_admin = web->who->role == ROLE_ADMIN;
    bool is_checked = file->checked_us != ARCHIVED_UNCHECKED;
    bool is_waiting = file->verify != NULL && !is_checked;
    struct archive_row row = {
        .id = arena_printf(arena, "%" PRId64, file->id),
        .day = file->day,
        .about = about(arena, file),
        .href = arena_printf(arena, "/v1/archives/%" PRId64, file->id),
        .rows = format_number(arena, (double)file->n_rows, 0),
        .size = format_quantity(arena, (double)file->n_bytes, "B"),
        .sha256 = arena_printf(arena, "%.*s", SUM_CHARACTERS, file->sha256),
        .problem = file->problem,
        .may_verify = is_admin && !is_waiting,
        .may_restore = is_admin && !file->is_derived &&
                       strcmp(file->place, "archive") == 0 &&
                       (file->wish == NULL || strcmp(file->wish, "failed") == 0),
    };

    if (!is_waiting) {
        int64_t at_us = is_checked ? file->checked_us : file->verified_us;
        row.verified = moment_view(arena, zone, now_us, at_us);
    }
    set_place(&row, file);
    set_found(&row, file);
    return row;
}

/* The number that `before` says; 0 without a cursor of this list. */
static int64_t read_before(struct web *web)
{
    struct str text = web_query_text(web, "before");
    struct cursor cursor;
    long long id = 0;

    if (text.ptr == NULL || !cursor_decode(web->op->arena, CURSOR_ARCHIVES, text, &cursor) ||
        !str_to_int64(cursor.key, &id)) {
        return 0;
    }
    return id;
}

static const char *typed(struct web *web, const char *name)
{
    struct str text = web_query_text(web, name);

    return text.ptr ? arena_copy(web->op->arena, text) : "";
}

static enum err offer_tables(struct web *web, struct archives_view *view)
{
    static const char *const NAMES[] = { "samples", "events", "costs" };
    const int n = sizeof NAMES / sizeof *NAMES;
    struct archive_table_choice *tables =
        arena_array(web->op->arena, (size_t)n, sizeof *tables);

    if (!tables) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        tables[i] = (struct archive_table_choice){ NAMES[i], strcmp(NAMES[i], view->table) == 0 };
    }
    view->tables = tables;
    view->n_tables = n;
    return OK;
}

/* What is chosen: days, both inclusive, as they are typed, and a table; what is wrong with them, or
 * NULL. */
static const char *choose(struct arena *arena, const struct archives_view *view,
                          struct archived_filter *out)
{
    int64_t from = 0, to = 0;
    bool has_from = view->from[0] != '\0', has_to = view->to[0] != '\0';

    if (view->table[0]) {
        out->table = str_of(view->table);
    }
    if ((has_from && !span_day_parse(str_of(view->from), &from)) ||
        (has_to && !span_day_parse(str_of(view->to), &to))) {
        return "A date is written like 2026-11-20.";
    }
    if (has_from && has_to && to < from) {
        return "The last day is before the first.";
    }
    out->from_day = has_from ? span_day_text(arena, from) : NULL;
    out->to_day = has_to ? span_day_text(arena, to + 1) : NULL;
    return NULL;
}

static enum err read_filter(struct web *web, struct archives_view *view,
                            struct archived_filter *out)
{
    view->from = typed(web, "from");
    view->to = typed(web, "to");
    view->table = typed(web, "table");
    if (!view->from || !view->to || !view->table) {
        return fail_memory(web->op);
    }
    view->is_filtered = view->from[0] || view->to[0] || view->table[0];
    *out = (struct archived_filter){ .before_id = read_before(web) };
    view->span_error = choose(web->op->arena, view, out);
    bool is_whole = view->span_error || ((!view->from[0] || out->from_day) &&
                                         (!view->to[0] || out->to_day));
    return is_whole ? offer_tables(web, view) : fail_memory(web->op);
}

/* A button for admins that brings back all that is chosen. */
static enum err offer_days(struct web *web, const struct archived_filter *filter,
                           struct archives_view *view)
{
    struct arena *arena = web->op->arena;
    struct archived_away away = { .n_days = 0 };

    if (web->who->role != ROLE_ADMIN || !view->is_filtered) {
        return OK;
    }
    enum err err = archived_away(web->tx, filter, &away);
    if (err == OK && away.n_parts > ARCHIVED_MAX_AWAY) {
        view->too_many = arena_printf(arena, "%" PRId64 " days are away: choose fewer to restore "
                                      "them all.", away.n_days);
    } else if (err == OK && away.n_parts > 0) {
        view->restore = arena_printf(arena, "Restore %" PRId64 " day%s", away.n_days,
                                     away.n_days == 1 ? "" : "s");
    }
    return err;
}

static const char *list_link(struct arena *arena, const struct archives_view *view,
                             const struct archived *last)
{
    const char *id = last ? arena_printf(arena, "%" PRId64, last->id) : NULL;
    const char *cursor = NULL;

    if (id != NULL) {
        cursor = cursor_encode(arena, CURSOR_ARCHIVES, (struct cursor){ 0, str_of(id) });
    }
    const struct link_param params[] = {
        { "from", view->from }, { "to", view->to }, { "table", view->table }, { "before", cursor },
    };
    return link_to(arena, "/archives", params, sizeof params / sizeof *params);
}

static enum err add_rows(struct web *web, struct archives_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct archived_filter filter;
    struct archived_list list;
    struct zone zone;
    enum err err = read_filter(web, view, &filter);

    if (err != OK || view->span_error) {
        return err;
    }
    err = archived_list(web->tx, &filter, FILES_SHOWN + 1, &list);
    if (err == OK) {
        err = page_zone(web, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    int n = list.n > FILES_SHOWN ? FILES_SHOWN : list.n;
    struct archive_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (rows == NULL) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = row_of(web, &zone, now_us, &list.items[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    view->pager.first = filter.before_id > 0 ? list_link(arena, view, NULL) : NULL;
    view->pager.next = list.n > n ? list_link(arena, view, &list.items[n - 1]) : NULL;
    err = offer_days(web, &filter, view);
    if (err != OK) {
        return err;
    }
    return n == 0 ? archived_is_on(web->tx, &view->is_on) : OK;
}

enum err page_archives(struct web *web)
{
    struct archives_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
    };
    struct archived_total total;
    enum err err = archived_total(web->tx, &total);

    if (err == OK) {
        err = add_rows(web, &view);
    }
    if (err != OK) {
        return err;
    }
    view.summary = arena_printf(web->op->arena, "%" PRId64 " day%s in %" PRId64 " file%s, %s",
                                total.n_days, total.n_days == 1 ? "" : "s", total.n_files,
                                total.n_files == 1 ? "" : "s",
                                format_quantity(web->op->arena, (double)total.n_bytes, "B"));
    view.page = page_view(web, "Archive", "/uploads");
    page_is_html(web);
    tpl_page_archives(&web->response->body, &view);
    return OK;
}

enum err page_archives_verify(struct web *web)
{
    long long id = 0;

    if (!str_to_int64(web_form(web, "id"), &id)) {
        return fail(web->op, ERR_NOT_FOUND, ARCHIVED_NONE);
    }
    enum err err = archived_verify(web->tx, id);
    return err == OK ? form_done(web, "/archives", "verify") : err;
}

enum err page_archives_restore(struct web *web)
{
    bool is_there = false;
    long long id = 0;

    if (!str_to_int64(web_form(web, "id"), &id)) {
        return fail(web->op, ERR_NOT_FOUND, ARCHIVED_NONE);
    }
    enum err err = archived_restore(web->tx, id, &is_there);
    return err == OK ? form_done(web, "/archives", is_there ? "there" : "wanted") : err;
}

enum err page_archives_restore_days(struct web *web)
{
    struct arena *arena = web->op->arena;
    struct archives_view view = { .from = arena_copy(arena, web_form(web, "from")),
                                  .to = arena_copy(arena, web_form(web, "to")),
                                  .table = arena_copy(arena, web_form(web, "table")) };
    struct archived_filter filter = { .before_id = 0 };

    if (!view.from || !view.to || !view.table) {
        return fail_memory(web->op);
    }
    const char *error = choose(arena, &view, &filter);
    if (error == NULL && !view.from[0] && !view.to[0] && !view.table[0]) {
        error = "Which days?";
    }
    if (error != NULL) {
        return fail(web->op, ERR_INVALID, "%s", error);
    }
    const struct link_param params[] = {
        { "from", view.from }, { "to", view.to }, { "table", view.table }, { "done", "days" },
    };
    const char *location = link_to(arena, "/archives", params, sizeof params / sizeof *params);
    bool is_whole = location && (!view.from[0] || filter.from_day) &&
                    (!view.to[0] || filter.to_day);
    enum err err = is_whole ? archived_restore_days(web->tx, &filter) : fail_memory(web->op);
    if (err == OK) {
        http_redirect(web->response, location);
    }
    return err;
}

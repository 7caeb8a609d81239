/* /uploads: the tenant's files, the latest first, with previews of images; admins send and remove
 * them. What is sent goes to transfer/, not here. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "domain/upload.h"
#include "gen/templates.h"
#include "view/format.h"
#include "view/link.h"
#include "view/model_parts.h"
#include "web/cursor.h"

#define UPLOADS_SHOWN 50
#define MAX_PREVIEW_BYTES (4 << 20) /* larger images are not fetched to be shown small */

static const struct form_outcome outcomes[] = {
    { "sent", "The files are stored." },
    { "removed", "The file is deleted." },
};

/* Types that are told by name, and whether browsers show them as images. */
static const struct {
    const char *type, *kind;
    bool is_image;
} KINDS[] = {
    { "image/png", "PNG image", true },       { "image/jpeg", "JPEG image", true },
    { "image/gif", "GIF image", true },       { "image/webp", "WebP image", true },
    { "image/svg+xml", "SVG image", false },  { "application/pdf", "PDF", false },
    { "text/csv", "CSV", false },             { "text/plain", "text", false },
    { "application/json", "JSON", false },    { "application/zip", "ZIP archive", false },
    { "video/mp4", "MP4 video", false },      { "application/octet-stream", "file", false },
};

static const char *size_text(struct arena *arena, int64_t bytes)
{
    return format_join(arena, format_figure(arena, (double)bytes, "B"));
}

static struct upload_row row_of(struct arena *arena, const struct zone *zone, int64_t now_us,
                                const struct upload *upload)
{
    struct upload_row row = {
        .id = upload->id,
        .name = upload->name,
        .href = arena_printf(arena, "/v1/uploads/%s", upload->id),
        .kind = upload->type,
        .size = size_text(arena, upload->size),
        .device = upload->device,
        .made_by = upload->made_by,
        .stored = moment_view(arena, zone, now_us, upload->stored_us),
    };
    for (size_t i = 0; i < sizeof KINDS / sizeof *KINDS; i++) {
        if (strcmp(KINDS[i].type, upload->type) == 0) {
            row.kind = KINDS[i].kind;
            row.preview = KINDS[i].is_image && upload->size <= MAX_PREVIEW_BYTES ? row.href : NULL;
        }
    }
    if (upload->event) {
        const struct link_param only[] = { { "event", upload->event } };
        row.event_href = link_to(arena, "/uploads", only, 1);
    }
    if (upload->device) {
        row.device_href = link_path(arena, "/devices/", upload->device);
    }
    return row;
}

static enum err read_filter(struct web *web, struct upload_filter *filter)
{
    struct str text = web_query_text(web, "before");
    struct cursor cursor;

    *filter = (struct upload_filter){ .before_us = INT64_MAX,
                                      .device = web_query_text(web, "device") };
    if (text.ptr && cursor_decode(web->op->arena, CURSOR_UPLOADS, text, &cursor)) {
        filter->before_us = cursor.time_us;
        filter->before_id = arena_copy(web->op->arena, cursor.key);
    }
    return web_query_event(web, &filter->event);
}

/* "/uploads", as it is filtered, from behind the last row on where there is one. */
static const char *list_link(struct arena *arena, const struct upload_filter *filter,
                             const struct upload *last)
{
    const char *device = filter->device.ptr ? arena_copy(arena, filter->device) : NULL;
    const char *cursor = NULL;

    if (last) {
        cursor = cursor_encode(arena, CURSOR_UPLOADS,
                               (struct cursor){ last->stored_us, str_of(last->id) });
    }
    const struct link_param params[] = { { "device", device }, { "event", filter->event },
                                         { "before", cursor } };
    return link_to(arena, "/uploads", params, 3);
}

static enum err add_rows(struct web *web, struct uploads_view *view)
{
    struct arena *arena = web->op->arena;
    int64_t now_us = clock_now_us();
    struct upload_filter filter;
    struct upload_list list;
    struct zone zone;
    enum err err = read_filter(web, &filter);

    if (err == OK) {
        err = upload_list(web->tx, &filter, UPLOADS_SHOWN + 1, &list);
    }
    if (err == OK) {
        err = page_zone(web, now_us, &zone);
    }
    if (err != OK) {
        return err;
    }
    int n = list.n > UPLOADS_SHOWN ? UPLOADS_SHOWN : list.n;
    struct upload_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (!rows) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = row_of(arena, &zone, now_us, &list.items[i]);
    }
    view->rows = rows;
    view->n_rows = n;
    view->device = filter.device.ptr ? arena_copy(arena, filter.device) : "";
    view->event = filter.event ? filter.event : "";
    view->is_filtered = filter.device.ptr || filter.event;
    view->pager.first = filter.before_id ? list_link(arena, &filter, NULL) : NULL;
    view->pager.next = list.n > n ? list_link(arena, &filter, &list.items[n - 1]) : NULL;
    return view->device ? OK : fail_memory(web->op);
}

/* "12 files, 3.4 GB of 100 GB; 1 GB more is coming". */
static const char *summary_text(struct web *web, const struct upload_totals *totals)
{
    struct arena *arena = web->op->arena;
    int64_t quota = (int64_t)web->config->upload_quota_mib << 20;
    int64_t coming = totals->held - totals->bytes;
    const char *most = "", *more = "";

    if (quota > 0) {
        most = arena_printf(arena, " of %s", size_text(arena, quota));
    }
    if (coming > 0) {
        more = arena_printf(arena, "; %s more are coming", size_text(arena, coming));
    }
    return most && more ? arena_printf(arena, "%lld file%s, %s%s%s", (long long)totals->files,
                                       totals->files == 1 ? "" : "s",
                                       size_text(arena, totals->bytes), most, more)
                        : NULL;
}

enum err page_uploads(struct web *web)
{
    struct uploads_view view = {
        .notice = form_notice(web, outcomes, sizeof outcomes / sizeof *outcomes),
        .may_change = web->who->role == ROLE_ADMIN,
        .most = size_text(web->op->arena, (int64_t)web->config->upload_max_mib << 20),
    };
    struct upload_totals totals;
    enum err err = upload_total(web->tx, &totals);

    if (err == OK) {
        err = add_rows(web, &view);
    }
    if (err != OK) {
        return err;
    }
    view.summary = summary_text(web, &totals);
    view.page = page_view(web, "Files", "/uploads");
    page_is_html(web);
    tpl_page_uploads(&web->response->body, &view);
    return OK;
}

enum err page_uploads_remove(struct web *web)
{
    const char *id = arena_copy(web->op->arena, web_form(web, "id"));
    enum err err = id ? upload_remove(web->tx, id) : fail_memory(web->op);

    return err == OK ? form_done(web, "/uploads", "removed") : err;
}

/* The list of devices, a page of it at a time. */
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_parts.h"

#define DEVICES_SHOWN 100

static enum err show(struct web *web, const struct latest_list *list,
                     const struct latest_counts *counts, bool is_first, int64_t now_us)
{
    struct arena *arena = web->op->arena;
    int n = list->n > DEVICES_SHOWN ? DEVICES_SHOWN : list->n;
    struct zone zone;
    enum err err = zone_load(web->tx, web->who->tenant_timezone, latest_oldest(list, now_us),
                             now_us + US_PER_DAY, &zone);
    if (err != OK) {
        return err;
    }
    struct device_row *rows = arena_array(arena, (size_t)n + 1, sizeof *rows);
    if (rows == NULL) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < n; i++) {
        rows[i] = device_row(arena, &zone, now_us, &list->items[i]);
    }
    struct devices_view view = {
        .page = page_view(web, "Devices", "/devices"),
        .devices = rows,
        .n_devices = n,
        .counts = counts_view(arena, counts),
        .next = list->n > n ? rows[n - 1].key : NULL,
        .is_first = is_first,
    };
    page_is_html(web);
    tpl_page_devices(&web->response->body, &view);
    return OK;
}

enum err page_devices(struct web *web)
{
    struct str after = http_query(web->request, "after");
    int64_t now_us = clock_now_us();
    struct latest_list list;
    struct latest_counts counts;
    enum err err = latest_list(web->tx, after, DEVICES_SHOWN + 1, &list);
    if (err == OK) {
        err = latest_count(web->tx, now_us, &counts);
    }
    return err == OK ? show(web, &list, &counts, after.ptr == NULL, now_us) : err;
}

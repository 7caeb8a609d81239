/* The list of devices, a page of it at a time: found by text, site and state. */
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "base/limits.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_device.h"
#include "view/model_devices.h"

#define SITES_SHOWN LIST_LIMIT_MAX /* to choose from */

static void read_filter(struct web *web, struct devices_facts *facts)
{
    struct device_page_filter *filter = &facts->filter;
    *filter = (struct device_page_filter){
        .search = str_trim(web_query_text(web, "q")),
        .site = web_query_text(web, "site"),
        .after_key = web_query_text(web, "after"),
        .now_us = facts->now_us,
        .limit = DEVICES_SHOWN + 1,
    };
    if (filter->search.len == 0) {
        filter->search = (struct str){ NULL, 0 };
    }
    if (!device_state_parse(web_query_text(web, "state"), &filter->state)) {
        filter->state = STATE_IN_USE;
    }
}

/* The last hours of the devices' headlines, and the zone that the list's times are shown in. */
static enum err load_rest(struct web *web, struct devices_facts *facts)
{
    int32_t ids[DEVICES_SHOWN];
    int n = 0;
    int64_t oldest_us = facts->now_us - US_PER_DAY;
    for (int i = 0; i < facts->page.n && i < DEVICES_SHOWN; i++) {
        const struct device_line *line = &facts->page.items[i];
        int64_t seen_us = line->latest.last_seen_us;
        if (line->series_id != 0) {
            ids[n++] = line->series_id;
        }
        oldest_us = seen_us != DEVICE_NEVER && seen_us < oldest_us ? seen_us : oldest_us;
    }
    facts->spark_from_us =
        facts->now_us - facts->now_us % US_PER_HOUR - (SPARK_HOURS - 1) * US_PER_HOUR;
    enum err err = zone_load(web->tx, web->who->tenant_timezone, oldest_us,
                             facts->now_us + US_PER_DAY, &facts->zone);
    struct closed closed;
    if (err == OK && n > 0) {
        err = closed_load(web->tx, &closed);
    }
    if (err == OK && n > 0) {
        const struct spark_filter filter = { ids, n, facts->spark_from_us, facts->now_us + 1 };
        err = trace_sparks(web->tx, &closed, &filter, &facts->sparks, NULL);
    }
    return err;
}

static enum err load(struct web *web, struct devices_facts *facts)
{
    facts->now_us = clock_now_us();
    read_filter(web, facts);
    enum err err = device_page(web->tx, &facts->filter, &facts->page);
    if (err == OK) {
        err = latest_count(web->tx, facts->now_us, &facts->counts);
    }
    if (err == OK) {
        err = site_list(web->tx, (struct str){ NULL, 0 }, SITES_SHOWN, &facts->sites);
    }
    return err == OK ? load_rest(web, facts) : err;
}

enum err page_devices(struct web *web)
{
    struct devices_facts facts = { 0 };
    enum err err = load(web, &facts);
    if (err != OK) {
        return err;
    }
    struct devices_view view;
    if (!devices_view(web->op->arena, &facts, &view)) {
        return fail_memory(web->op);
    }
    view.page = page_view(web, "Devices", "/devices");
    page_is_html(web);
    tpl_page_devices(&web->response->body, &view);
    return OK;
}

/* One device: what it is and what its series did in the last 24 hours. */
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_device.h"

static int64_t floor_hour(int64_t time_us)
{
    return time_us - time_us % US_PER_HOUR;
}

static enum err load(struct web *web, struct str key, struct device_facts *out)
{
    struct device *device = &out->device;
    out->now_us = clock_now_us();
    /* The last of the 24 hours is the one that now lies in. */
    out->from_us = floor_hour(out->now_us) - (DEVICE_SPAN_HOURS - 1) * US_PER_HOUR;
    enum err err = device_find(web->tx, key, device);
    if (err != OK) {
        return err;
    }
    int64_t since_us = device->created_us < out->from_us ? device->created_us : out->from_us;
    err = zone_load(web->tx, device->timezone, since_us, out->now_us + US_PER_DAY, &out->zone);
    if (err == OK) {
        err = device_series_list(web->tx, device->id, &out->series);
    }
    if (err == OK) {
        err = trace_load(web->tx, device->key, out->from_us, out->now_us + 1, DEVICE_SLOT_S,
                         &out->trace);
    }
    return err;
}

enum err page_device_show(struct web *web, struct str key)
{
    struct device_facts facts;
    enum err err = load(web, key, &facts);
    if (err != OK) {
        return err;
    }
    struct device_view view;
    if (!device_view(web->op->arena, &facts, &view)) {
        return fail_memory(web->op);
    }
    view.page = page_view(web, view.name, "/devices");
    page_is_html(web);
    tpl_page_device(&web->response->body, &view);
    return OK;
}

enum err page_device(struct web *web)
{
    return page_device_show(web, http_capture(web->request, "key"));
}

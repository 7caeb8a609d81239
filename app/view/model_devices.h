/* The list of devices as its page shows it. */
#ifndef TIDEMARK_VIEW_MODEL_DEVICES_H
#define TIDEMARK_VIEW_MODEL_DEVICES_H

#include "domain/device_page.h"
#include "domain/site.h"
#include "domain/trace.h"
#include "view/models.h"

#define DEVICES_SHOWN 50

struct devices_facts {
    int64_t now_us;
    struct zone zone;
    struct device_page_filter filter;
    struct device_page page;          /* one more than are shown, where there are more */
    struct latest_counts counts;
    struct site_list sites;
    int64_t spark_from_us;
    struct sparks sparks;
};

/* Fills all but `page`. False beyond the arena's cap. `facts` must live as long as `out`. */
bool devices_view(struct arena *arena, const struct devices_facts *facts,
                  struct devices_view *out) MUST_CHECK;

#endif

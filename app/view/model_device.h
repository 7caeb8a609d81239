/* A device's facts as its page shows them. */
#ifndef TIDEMARK_VIEW_MODEL_DEVICE_H
#define TIDEMARK_VIEW_MODEL_DEVICE_H

#include "domain/device.h"
#include "domain/trace.h"
#include "view/models.h"

#define DEVICE_SLOT_S 300           /* a point of a line: 288 a day */
#define DEVICE_SPAN_HOURS 24
#define DEVICE_SERIES_SHOWN 24

struct device_facts {
    int64_t from_us, now_us;        /* the span that is drawn: whole hours, now is in the last */
    struct zone zone;               /* the device's, over the span and since it is known */
    struct device device;
    struct device_series_list series;
    struct trace trace;
};

/* Fills all but `page`. False beyond the arena's cap. `facts` must live as long as `out`. */
bool device_view(struct arena *arena, const struct device_facts *facts,
                 struct device_view *out) MUST_CHECK;

#endif

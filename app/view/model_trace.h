/* The chart, the statistics and the tables of one series over a span. */
#ifndef TIDEMARK_VIEW_MODEL_TRACE_H
#define TIDEMARK_VIEW_MODEL_TRACE_H

#include "domain/device.h"
#include "domain/span.h"
#include "domain/trace.h"
#include "view/models.h"

#define TRACE_COLUMNS 400       /* what a drawing is wide, about: a pixel or three of the plot */
#define HEAT_MAX_DAYS 31

struct trace_facts {
    const struct device_series *series;
    const struct zone *zone;             /* over a month before the span to a day behind */
    struct span span;
    int64_t now_us;
    struct trace trace;                  /* of the span's bucket */
    int64_t heat_from_day, heat_to_day;  /* inclusive; no heat map where to < from */
    struct trace heat;                   /* hours, or quarter hours, of those days */
};

/* Fills `out`. False beyond the arena's cap. */
bool trace_view(struct arena *arena, const struct trace_facts *facts,
                struct trace_view *out) MUST_CHECK;

/* Colours stand for roles: "used", "made", "grid", "plain". */
const char *role_tone(const char *role);

/* How its values add up: a delta's are summed, a counter's readings are subtracted. */
bool series_is_sum(const struct device_series *series);
bool series_is_counter(const struct device_series *series);

/* model_heat.c: adds the heat map and its table, where there are days for it. */
bool heat_view(struct arena *arena, const struct trace_facts *facts,
               struct trace_view *out) MUST_CHECK;

#endif

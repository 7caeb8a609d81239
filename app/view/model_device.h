/* A device's facts as its page shows them. */
#ifndef TIDEMARK_VIEW_MODEL_DEVICE_H
#define TIDEMARK_VIEW_MODEL_DEVICE_H

#include "domain/device_look.h"
#include "view/model_trace.h"
#include "view/models.h"

#define DEVICE_SERIES_SHOWN 25   /* a page of the list of metrics */
#define DEVICE_EVENTS_SHOWN 5
#define SPARK_HOURS 24

struct device_facts {
    int64_t now_us;
    struct zone zone;                     /* the device's, as far as times are shown */
    struct device device;
    struct device_look look;              /* its series in the order that they are listed in */
    const struct device_series *chosen;   /* the one that is drawn; NULL: none */
    struct span_query query;
    const char *from, *to;                /* as typed */
    const char *span_error;               /* why they were not taken; NULL: nothing wrong */
    bool is_cut;                          /* more samples than are drawn singly: in quarter hours */
    struct trace_facts trace;             /* of the chosen one */
    int page;                             /* of the list of metrics, from 0 */
    int64_t spark_from_us;
    struct sparks sparks;                 /* of that page */
    const char *path;                     /* of this page, encoded */
    bool is_shared;                       /* nothing leads elsewhere */
};

/* Sorts by what is most telling: power, then energy, then the rest, each by name. */
void device_sort_series(struct device_series_list *list);

/* The series to draw: that of the metric and labels (ptr NULL or empty: any), else the first that
 * ever said something. NULL where the device has none, or none of that name. */
const struct device_series *device_choose_series(const struct device_series_list *list,
                                                 struct str metric, struct str labels);

/* The series on a page of the list: [*first, the result). */
int series_on_page(const struct device_series_list *list, int page, int *first);

/* True for power and energy: what a day's shape is worth a heat map. */
bool series_has_heat(const struct device_series *series);

/* Fills all but `page`. False beyond the arena's cap. `facts` must live as long as `out`. */
bool device_view(struct arena *arena, const struct device_facts *facts,
                 struct device_view *out) MUST_CHECK;

/* model_series.c: the rows of the list. */
bool series_rows(struct arena *arena, const struct device_facts *facts,
                 struct device_view *out) MUST_CHECK;

/* "gauge · generation · phase 1" */
const char *series_about(struct arena *arena, const struct device_series *series);
struct figure series_value(struct arena *arena, const struct device_series *series);

/* A way to see the page: what differs from how it is seen now. */
struct device_place {
    const char *range, *from, *to;
    const char *metric, *labels, *bucket;
    const char *page;
};
struct device_place device_here(struct arena *arena, const struct device_facts *facts);
const char *device_link(struct arena *arena, const struct device_facts *facts,
                        const struct device_place *place);

/* Whose last hours, from from_us on. */
struct spark_series {
    int32_t id;
    int64_t from_us;
    const char *kind, *role;
};

/* They as a small line; n_points 0 where nothing is known. */
bool spark_view(struct arena *arena, const struct sparks *sparks,
                const struct spark_series *series, struct line_chart *out) MUST_CHECK;

#endif

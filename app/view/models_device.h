/* What the page of a device and the list of devices show. Built by view/model_device,
 * view/model_trace and view/model_devices. */
#ifndef TIDEMARK_VIEW_MODELS_DEVICE_H
#define TIDEMARK_VIEW_MODELS_DEVICE_H

#include "view/models_events.h"

#define TRACE_STATS 5

/* One series over a span. */
struct trace_view {
    bool is_bars, has_data;
    struct line_chart line;
    struct bar_chart bars;
    struct stat_view stats[TRACE_STATS];
    int n_stats;
    struct number_table table;           /* of lines, and of more bars than a table should hold */
    struct heat_chart heat;              /* n_days 0: none */
    struct number_table heat_table;
};

/* A metric in the list. */
struct series_row {
    const char *metric, *about, *href;
    struct figure value;
    struct moment_view at;
    struct line_chart spark;             /* n_points 0: none */
    bool is_here;                        /* the one that is drawn */
};

#define DEVICE_RANGES 5
#define DEVICE_BUCKETS 7

struct device_view {
    struct page_view page;
    const char *key, *name, *model, *site, *zone;
    const char *state, *state_class;
    struct moment_view seen, since, retired;

    /* the metric that is drawn; NULL: the device has none */
    const char *metric, *about, *labels;
    struct figure value;
    struct moment_view at;
    const char *span;                    /* "14 to 20 Nov 2026" */
    const char *notice;                  /* what was drawn otherwise than asked for, or NULL */
    struct choice_link ranges[DEVICE_RANGES], buckets[DEVICE_BUCKETS];
    const char *previous, *next;         /* addresses of the spans beside; next NULL: to come */
    const char *last_href;               /* where the last reading is; NULL: none, or it is here */
    const char *action;                  /* of the form */
    const char *from, *to, *bucket;      /* its values */
    const char *span_error;              /* NULL: none */
    const char *csv;
    struct trace_view trace;

    const struct series_row *series;     /* of a page of the list */
    int n_series, n_all;
    const char *series_previous, *series_next;

    const struct event_line *events;
    int n_events;
    const char *events_href;
    const char *files_href;              /* NULL: who looks may not see them */
};

/* A device in the list. */
struct device_item {
    const char *key, *name, *model, *site, *href;
    const char *metric;                  /* "" without a value */
    struct figure value;
    struct moment_view seen;
    const char *state, *state_class;
    struct line_chart spark;             /* n_points 0: none */
};

#define DEVICES_STATES 5

struct devices_view {
    struct page_view page;
    const char *counts;
    const char *q, *site;                /* as asked for; "" for none */
    const char *state;
    bool is_filtered;
    struct choice_link states[DEVICES_STATES];
    const struct choice_link *sites;     /* href: the key */
    int n_sites;
    const struct device_item *devices;
    int n_devices;
    const char *first, *next;            /* addresses; NULL: none */
};

#endif

/* What the page of events and the parts that list events show. Built by view/model_events. */
#ifndef TIDEMARK_VIEW_MODELS_EVENTS_H
#define TIDEMARK_VIEW_MODELS_EVENTS_H

#include "view/models.h"

#define EVENT_FACTS 6   /* members of an event's data that are shown at once */

struct event_fact {
    const char *name, *value;
};

struct event_line {
    struct moment_view at;
    const char *clock;                   /* "20 Nov 2026, 14:05:09" */
    const char *type;
    const char *device, *device_href;    /* NULL: of none */
    const char *site;                    /* NULL: of none */
    struct event_fact facts[EVENT_FACTS];
    int n_facts, n_more;
    const char *json;                    /* all of the data; NULL: none */
    const char *files_href;              /* NULL: the event has none */
};

struct events_view {
    struct page_view page;
    const char *type, *device, *from, *to, *data;   /* as asked for; "" for none */
    const char *span_error, *data_error;            /* NULL: none */
    bool is_filtered;                               /* any of them is set */
    const char *zone;                               /* whose dates these are */
    const struct event_line *events;
    int n_events;
    bool is_newest;                                 /* the page with the newest of them */
    const char *newest, *newer, *older;             /* addresses; NULL: none */
    const char *csv;
    struct bar_chart counts;                        /* by day and type; n_slots 0: none */
    struct total_view totals[CHART_MAX_BANDS];
};

#endif

/* What the overview shows, and parts that pages of energy share with it. Filled by
 * view/model_overview.c and view/model_month.c. */
#ifndef TIDEMARK_VIEW_MODELS_OVERVIEW_H
#define TIDEMARK_VIEW_MODELS_OVERVIEW_H

#include "view/models.h"

struct costs_view;

/* Power now, against the highest hour of the last 24. */
struct gauge_view {
    const char *label, *tone;            /* "Using", "used" */
    struct figure value;
    double percent;                      /* of the widest gauge, 0 to 100 */
    const char *most;                    /* "at most 1.24 kW in 24 h"; NULL: not known */
};

/* One of two things that are compared. */
struct side_view {
    const char *label;                   /* "1–20 November" */
    const char *value;                   /* "115 kWh" */
    double percent;                      /* of the greater one */
};

/* This month beside the one before. */
struct month_view {
    bool is_known;                       /* something was used or generated */
    bool has_generation;
    const char *name, *span;             /* "November"; "1–21 November" */
    struct figure used, generated;       /* so far */
    bool is_compared;
    struct side_view here, there;        /* used on days that are over, of both months */
    const char *verdict;                 /* "8 % less than on the same days of October" */
    const char *before;                  /* "October in all: 190 kWh used, 80.1 kWh generated" */
};

/* Something that happened. */
struct event_row {
    const char *type, *device;
    struct moment_view time;
    const char *data;                    /* its beginning; "" without any */
};

struct overview_view {
    struct page_view page;
    bool is_empty;                       /* no device yet */
    bool has_power, has_generation;
    struct gauge_view gauges[3];
    int n_gauges;
    const char *as_of, *as_of_machine;   /* "14:05" */
    const char *zone;                    /* "America/Los_Angeles, UTC−8" */
    struct line_chart tide;              /* the hours behind the live figures */
    const char *today;                   /* "Friday 20 November" */
    bool has_today, has_today_generation;
    struct figure today_used, today_generated;
    const char *today_share;             /* of the use, covered by generation; NULL: no word */
    double today_share_percent;
    const char *yesterday;               /* "9.84 kWh"; NULL: not known */
    struct month_view month;
    const struct costs_view *costs;      /* of this month; NULL: none are shown */
    struct bar_chart hours, days;
    struct total_view hour_totals[2], day_totals[2];
    int n_totals;
    const struct event_row *events;
    int n_events;
    const struct device_row *devices;
    int n_devices;
    const char *counts;                  /* "3 live, 1 late" */
    int64_t n_more;                      /* devices that are not shown */
    const char *base_url;                /* for the first steps: "http://127.0.0.1:8080" */
    const char *tenant_slug;
};

#endif

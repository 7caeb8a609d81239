/* What the pages of energy and of costs show. Filled by view/model_energy.c, model_costs.c and
 * model_explain.c. */
#ifndef TIDEMARK_VIEW_MODELS_COSTS_H
#define TIDEMARK_VIEW_MODELS_COSTS_H

#include "view/models.h"

#define ENERGY_RANGES 5
#define ENERGY_BUCKETS 6

struct energy_view {
    struct page_view page;
    struct place_view place;
    const char *where;                   /* "Site roof, Europe/Berlin" */
    const char *span, *notice;
    struct choice_link ranges[ENERGY_RANGES], buckets[ENERGY_BUCKETS];
    const char *previous, *next;         /* next NULL: to come */
    const char *from, *to, *span_error;
    const char *csv;
    struct bar_chart chart;
    struct stat_view stats[6];
    int n_stats;
    const char *cost, *cost_note;        /* NULL: nothing is priced */
    const char *cost_notice;             /* which costs are left out; NULL: none */
    const char *costs_href;
    struct number_table table;
};

/* A bucket's costs, in the table. */
struct cost_row {
    const char *name, *href;             /* where its parts are explained; NULL: nowhere */
    const char *energy;                  /* "12.3 kWh" */
    const char *cells[CHART_MAX_BANDS];
    const char *total;                   /* NULL: nothing is priced */
    bool is_provisional;
};

/* A part of a bar, in percent of its width. */
struct part_bar {
    const char *at, *width;              /* "62.5" */
};

/* A figure of the month with how it relates to another. */
struct month_cost {
    const char *label, *value;           /* value NULL: not known */
    const char *note;                    /* or NULL */
    const char *change, *change_tone;    /* "+8 %", "more" or "less"; NULL: none */
};

struct device_cost {
    const char *key, *href, *about;      /* "at the grid", "sub-meter" */
    const char *energy, *cost;           /* cost NULL: nothing is priced */
    const char *percent;                 /* of the dearest: "62.5" */
};

/* A line of why a day costs what it costs. */
struct why_line {
    const char *charge, *when, *tier, *quantity, *rate, *amount;
    const char *source, *source_href;    /* "Flat, version 2"; href NULL: not to be seen */
};

struct why_source {
    const char *device, *href, *metric, *role, *energy, *readings;
    bool is_counted;
};

/* Of a billing account. */
struct why_account {
    const char *name;                    /* "Site roof" */
    const struct why_line *lines;
    int n_lines;
    const char *total;
    const struct why_source *sources;
    int n_sources;
};

#define COST_VIEWS 3
#define COST_MONTH_FIGURES 4

struct costs_view {
    struct page_view page;
    struct place_view place;
    const char *where;
    const char *problem;                 /* why nothing can be shown; NULL: it is shown */
    bool is_priced;
    struct month_cost month[COST_MONTH_FIGURES];
    int n_month;
    struct choice_link views[COST_VIEWS];
    const char *span;
    const char *previous, *next;
    const char *total, *energy;          /* of what is shown */
    const char *status, *status_class;
    struct bar_chart chart;
    struct total_view totals[CHART_MAX_BANDS];
    struct part_bar bar[CHART_MAX_BANDS];   /* one a total; of what is paid for nothing */
    const struct cost_row *rows;
    int n_rows;
    const char *unit_heading;            /* "Hour" */
    const char *today;                   /* so far; NULL: not priced */
    const char *csv, *bill_href;
    const struct device_cost *devices;
    int n_devices;
    const char *devices_note;
    const struct why_account *why;
    int n_why;
    const char *why_day;                 /* "Friday 20 November 2026" */
};

#endif

/* A rate schedule's document as a form: rows of seasons, periods, rules and prices, as texts that
 * people type, each with what is wrong with it. Read and written by web/rate_form.c. */
#ifndef TIDEMARK_VIEW_MODELS_EDITOR_H
#define TIDEMARK_VIEW_MODELS_EDITOR_H

#include "view/models_bill.h"
#include "view/models_rates.h"

#define EDITOR_SEASONS 12
#define EDITOR_PERIODS 16
#define EDITOR_RULES 48
#define EDITOR_CHARGES 40
#define EDITOR_HOLIDAYS 48
#define EDITOR_BASELINES 13
#define EDITOR_SERIES 8
#define EDITOR_HEAD 7
#define EDITOR_BILL 4

struct season_row {
    const char *name, *title, *from, *to;   /* "06-01" */
    const char *error;                      /* NULL: nothing is wrong */
};

struct period_row {
    const char *name, *title, *error;
};

/* Which period it is when: of several that match the last one says. */
struct rule_row {
    const char *period, *seasons, *days;    /* "summer, winter", "weekdays", "mon tue" */
    const char *from, *to;                  /* "16:00" */
    const char *error;
};

/* A price of a charge, or a charge. */
struct charge_row {
    const char *type, *name, *season, *period;
    const char *price;                      /* "0.30", "0.20 to 100, 0.30", "7.5 %", "spot * 1.1" */
    const char *per, *of;                   /* "day"; codes of charges, "energy, fixed" */
    const char *more;                       /* other members, a JSON object */
    const char *error;
};

struct holiday_row {
    const char *name;
    const char *day;                        /* "12-25", "easter -2", "4th thu of nov" */
    const char *later;                      /* days after it: "1" */
    const char *observed;                   /* "sunday_to_monday" */
    const char *error;
};

/* The baseline that tiers in percent are of. */
struct baseline_row {
    const char *season, *kwh, *error;       /* a day; season "": of all */
};

/* Prices by time. */
struct timed_row {
    const char *name, *minutes;
    const char *prices;                     /* "2024-01-01T00:00:00Z 0.12", a line for each */
    const char *error;
};

struct rate_form {
    struct field_view head[EDITOR_HEAD];    /* name, description, source, zone, currency, days */
    struct season_row seasons[EDITOR_SEASONS];
    struct period_row periods[EDITOR_PERIODS];
    struct rule_row rules[EDITOR_RULES];
    struct charge_row charges[EDITOR_CHARGES];
    struct holiday_row holidays[EDITOR_HOLIDAYS];
    struct baseline_row baselines[EDITOR_BASELINES];
    struct timed_row series[EDITOR_SERIES];
    /* Shown, with empty ones to fill in. */
    int n_seasons, n_periods, n_rules, n_charges, n_holidays, n_baselines, n_series;
    struct field_view bill[EDITOR_BILL];    /* billing and rounding */
    struct field_view other;                /* the document's other members, a JSON object */
};

struct editor_view {
    struct page_view page;
    struct notice_view notice;
    struct rate_form form;
    const char *action;                     /* of the form: the page itself */
    const char *back, *heading;
    const struct rate_wrong *wrongs;        /* what has no field of its own */
    int n_wrongs;
    bool is_new;
    const struct choice_view *types, *pers, *observed, *minutes;
    int n_types, n_pers, n_observed, n_minutes;
    struct rate_view week;                  /* seasons' weeks, where the document is whole */
    const char *preview_day;                /* "Friday 20 November"; NULL: no preview */
    const char *preview_total, *preview_now;    /* with this document; with what is in force */
    const char *preview_problem;
    const struct bill_part *preview_parts;
    int n_preview_parts;
};

#endif

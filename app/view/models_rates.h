/* What the pages of rate schedules show. Filled by web/page_rates.c and model_rates.c. */
#ifndef TIDEMARK_VIEW_MODELS_RATES_H
#define TIDEMARK_VIEW_MODELS_RATES_H

#include "domain/tariff_calendar.h"
#include "view/models.h"
#include "view/models_form.h"

struct rate_row {
    int64_t id;
    const char *name, *currency, *zone;
    const char *valid;              /* "from 2024-01-01" */
    int64_t versions, assignments;
};

/* A field of a document that is wrong. */
struct rate_wrong {
    const char *field, *detail;
};

struct rates_view {
    struct page_view page;
    struct notice_view notice;
    const struct rate_row *rows;
    int n_rows;
    struct field_view fields[3];    /* document, or URDB's with a zone */
    int n_fields;
    const struct rate_wrong *wrongs;
    int n_wrongs;
    bool is_adding;
    struct pager_view pager;
};

/* An hour of the week: which period it is. */
struct rate_hour {
    const char *letter;             /* A, B, … in the order of the periods */
    const char *title;              /* "Peak"; more where it changes within the hour */
    int tint;                       /* 0 to 5 */
};

struct rate_weekday {
    const char *name;               /* "Monday", "Holidays" */
    struct rate_hour hours[24];
};

struct rate_season {
    const char *title;
    struct rate_weekday days[TARIFF_DAY_CLASSES];
    int n_days;
};

/* A price, an amount or a percentage. */
struct rate_price_row {
    const char *charge, *when, *what;
};

struct rate_period_row {
    const char *letter, *title;
    int tint;
};

struct rate_version_row {
    int64_t number;
    const char *valid, *known_since, *made_by;
    const char *holds;              /* the days that no newer one covers */
    bool is_shown;
};

struct rate_assignment_row {
    int64_t id;
    const char *place, *days, *known;
    bool is_withdrawn;
};

/* A version that was made after a form was opened. */
struct rate_newer {
    int64_t base;                   /* the newest version when the form was opened */
    int64_t number;                 /* the newest now; 0: it is the same */
    int64_t next;                   /* that saving would make */
    const char *path, *made_by, *when;
};

/* Versions that a new one would cover. */
struct rate_cover {
    const char *text;               /* "Version 2 (from …) would …"; NULL: none */
    bool is_ticked;
};

struct rate_view {
    struct page_view page;
    struct notice_view notice;
    int64_t id, number;
    const char *name, *description, *source, *currency, *zone, *valid;
    const struct rate_season *seasons;
    int n_seasons;
    const struct rate_period_row *periods;
    int n_periods;
    const struct rate_price_row *prices;
    int n_prices;
    const struct rate_version_row *versions;
    int n_versions;
    const struct rate_assignment_row *assignments;
    int n_assignments;
    struct field_view place[4];     /* site, device, from, to */
    int n_place;
    struct field_view document;
    struct rate_newer newer;        /* than the document's */
    struct rate_cover cover;
    const struct rate_wrong *wrongs;
    int n_wrongs;
    bool is_changing;
};

#endif

/* What the administration of sites, devices and series shows. Filled by web/page_admin_*.c. */
#ifndef TIDEMARK_VIEW_MODELS_ADMIN_H
#define TIDEMARK_VIEW_MODELS_ADMIN_H

#include "view/models.h"

struct admin_device_row {
    const char *key, *name, *model, *site;  /* model and site NULL: none */
    struct moment_view seen;
    const char *state, *state_class;
};

struct admin_devices_view {
    struct page_view page;
    struct notice_view notice;
    struct field_view filters[3];           /* q, site, state */
    int n_filters;
    bool is_filtered;
    struct field_view fields[4];            /* of the form that adds one */
    int n_fields;
    bool is_adding;                         /* that form is open */
    const struct admin_device_row *rows;
    int n_rows;
    struct pager_view pager;
};

struct admin_series_row {
    const char *id, *metric, *labels;       /* labels NULL: none */
    const char *unit, *kind, *role;
    const char *value;                      /* the last one; NULL: none yet */
    bool is_chosen;                         /* its form is open */
};

struct admin_device_view {
    struct page_view page;
    struct notice_view notice;
    const char *key, *name, *state, *state_class;
    struct moment_view seen, since, retired;
    bool is_retired;
    struct field_view fields[4];            /* name, model, site, config */
    int n_fields;
    const struct admin_series_row *series;
    int n_series;
    struct pager_view pager;
    const char *chosen;                     /* the metric of the series being changed, or NULL */
    const char *chosen_id;
    struct field_view series_fields[3];     /* unit, kind, role */
    int n_series_fields;
};

struct admin_site_row {
    const char *key, *name, *zone, *clock;  /* clock: the time there now */
    int64_t devices;
};

struct admin_sites_view {
    struct page_view page;
    struct notice_view notice;
    const struct admin_site_row *rows;
    int n_rows;
    bool is_first;
    struct field_view fields[3];            /* key, name, timezone */
    int n_fields;
    bool is_adding;
    struct pager_view pager;
};

struct admin_site_view {
    struct page_view page;
    struct notice_view notice;
    const char *key, *name;
    struct moment_view since;
    int64_t devices;
    struct field_view fields[2];            /* name, timezone */
    int n_fields;
};

struct import_row {
    unsigned line;
    const char *key, *name, *model, *site, *config;  /* NULL: empty */
    const char *fate, *state_class;         /* "New", "live" */
    const char *problem;                    /* or NULL */
};

struct admin_import_view {
    struct page_view page;
    struct notice_view notice;
    struct field_view text;
    bool is_preview;
    const char *summary;                    /* "3 new, 1 changed, 2 refused" */
    const char *seen;                       /* what the shown preview was made of */
    int n_good;
    const struct import_row *rows;
    int n_rows, n_more;                     /* n_more: that are not shown */
};

#endif

/* What the operators' pages show: tenants, and the state of the installation. Filled by
 * web/page_operator*.c. */
#ifndef TIDEMARK_VIEW_MODELS_OPERATOR_H
#define TIDEMARK_VIEW_MODELS_OPERATOR_H

#include "view/models.h"

struct tenant_row {
    const char *slug, *name;
    const char *devices, *series;       /* counts */
    const char *rows_day;               /* readings of the last 24 hours */
    const char *size;                   /* about, on disk */
    struct moment_view last_ingest;
    const char *state, *state_class;    /* "Active", "live" */
};

struct storage_row {
    const char *relation;
    const char *size, *rows, *pieces;   /* pieces: chunks or partitions */
    const char *packed;                 /* "12 of 14 packed, 11.2 : 1"; NULL: not packed here */
};

struct job_row {
    const char *name;
    struct moment_view last_run;
    const char *took, *failures;        /* "12 ms"; of the last 24 hours */
    const char *detail;                 /* of the last run */
    const char *state, *state_class;
};

struct query_row {
    const char *text, *calls, *mean, *total;
};

/* A figure at the head of the page. */
struct tile_view {
    const char *label, *note;
    struct figure value;
};

struct operator_view {
    struct page_view page;
    struct notice_view notice;
    const char *version;                /* of Tidemark and its database */
    bool may_change;                    /* an operator_admin */
    struct tile_view tiles[4];
    int n_tiles;
    struct bar_chart ingest;            /* readings a second by hour */
    struct total_view ingest_totals[1];
    const struct tenant_row *rows;
    int n_rows;
    struct pager_view pager;
    const struct storage_row *stored;
    int n_stored;
    const struct job_row *jobs;
    int n_jobs;
    const struct query_row *queries;
    int n_queries;
    const char *queries_note;           /* where they come from */
};

/* One tenant, or (slug NULL) a new one. */
struct operator_tenant_view {
    struct page_view page;
    struct notice_view notice;
    const char *slug, *name;
    bool may_change, is_suspended;
    const char *devices;
    struct moment_view created;
    struct field_view fields[4];        /* slug, name, timezone, currency */
    int n_fields;
    struct field_view limits[4];        /* of a tenant that exists */
    const char *rows_today;             /* "12,345 rows" */
    struct field_view confirm;          /* the slug, typed to erase */
    const char *action;                 /* where the form goes */
};

#endif

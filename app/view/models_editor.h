/* A rate schedule's document as a form: lists of rows, each cell a text that people type, each row
 * with what is wrong with it. Read and written by web/rate_form.c. */
#ifndef TIDEMARK_VIEW_MODELS_EDITOR_H
#define TIDEMARK_VIEW_MODELS_EDITOR_H

#include "view/models_bill.h"
#include "view/models_rates.h"

#define EDITOR_ROWS 48  /* of a list */
#define EDITOR_CELLS 14 /* of a row */
#define EDITOR_HEAD 7
#define EDITOR_BILL 4

enum editor_list {
    EDITOR_PERIODS,
    EDITOR_SEASONS,
    EDITOR_HOLIDAYS,
    EDITOR_RULES,    /* which period it is when: of several that match the last one says */
    EDITOR_DEMAND,   /* the same for demand charges, where it differs */
    EDITOR_EXPORT,   /* and for what is fed in */
    EDITOR_CHARGES,  /* prices of charges, and charges */
    EDITOR_SERIES,   /* prices by time */
    EDITOR_BASELINE, /* that tiers in percent are of */
    EDITOR_LISTS
};

struct column_view {
    const char *name;  /* of its cells, behind the list's letter and the row's number: "w3_from" */
    const char *label;
    const char *placeholder;
    const char *key;   /* the member of the document that it is; NULL: it is written apart */
    const char *mark;  /* between the words of a list; NULL: it is a text */
    const struct choice_view *choices; /* of a select; NULL: it is typed */
    int n_choices;
    bool is_lines;     /* several of them */
    bool is_aside;     /* alone it makes no row */
};

struct cell_view {
    const struct column_view *column;
    const char *name, *title; /* "w3_from"; "Rule 4, from" */
    const char *value;
    const char *error_id;     /* of what is wrong with it */
};

struct row_view {
    const char *values[EDITOR_CELLS];      /* "" where there is nothing */
    const char *error, *more_error;        /* of the table's cells and of those behind; or NULL */
    const char *pointer;                   /* where it was written in the document; or NULL */
    const char *also;                      /* a charge's, beside the first of its prices */
    const char *error_id, *more_id;        /* what follows is for the page */
    const char *more_title;
    const struct cell_view *cells, *more;  /* n_cells; n_more */
    bool has_more;                         /* some of these are filled */
};

struct rows_view {
    const char *letter, *title;            /* "w", "Rule" */
    const char *key;                       /* of the document: "windows" */
    const struct column_view *columns;     /* the table's, then those behind "More" */
    int n_cells, n_more;
    struct row_view rows[EDITOR_ROWS];
    int n;                                 /* shown, with empty ones to fill in */
    const char *error;                     /* of all of it; or NULL */
};

struct rate_form {
    struct field_view head[EDITOR_HEAD];   /* name, description, source, zone, currency, days */
    struct rows_view lists[EDITOR_LISTS];
    struct field_view bill[EDITOR_BILL];   /* billing and rounding */
};

struct editor_view {
    struct page_view page;
    struct notice_view notice;
    struct rate_form form;
    struct field_view document;             /* instead of the form where it cannot hold all of it */
    const char *action;                     /* of the form: the page itself */
    const char *back, *heading;
    const struct rate_wrong *wrongs;        /* what has no field of its own */
    int n_wrongs;
    bool is_new;
    struct rate_newer newer;                /* than what is edited; base 0: a new schedule */
    struct rate_cover cover;
    struct rate_view week;                  /* seasons' weeks, where the document is whole */
    const char *preview_day;                /* "Friday 20 November"; NULL: no preview */
    const char *preview_total, *preview_now;    /* with this document; with what is in force */
    const char *preview_problem;
    const struct bill_part *preview_parts;
    int n_preview_parts;
};

#endif

/* What the templates show, ready to be written: every value is text that was formatted by
 * view/format, every choice a bool. Built by view/model_*.c from the facts of the domain. All
 * of it lives in the request's arena. */
#ifndef TIDEMARK_VIEW_MODELS_H
#define TIDEMARK_VIEW_MODELS_H

#include "view/chart.h"
#include "view/models_form.h"

/* A tenant to turn to. */
struct home_view {
    const char *slug, *name;
    bool is_here;                /* the one that is looked at */
};

/* The frame of every page. */
struct page_view {
    const char *title;           /* of the document, without the product's name */
    const char *here;            /* address of the current entry of the menu; "" for none */
    const char *tenant, *person; /* NULL: nobody is logged in */
    const char *csrf;            /* form token */
    bool is_shared;              /* shown to whoever has a link: nothing leads elsewhere */
    bool is_admin;               /* of the tenant: the administration is in the menu */
    bool is_operator;            /* of the installation: theirs is in the menu */
    const char *path;            /* this page's address, to come back to */
    const char *theme;           /* "light", "dark"; "": as the browser likes it */
    const struct home_view *homes;   /* where the person may choose; n_homes 0 where not */
    int n_homes;
};

struct login_view {
    struct page_view page;
    const char *email;           /* as typed before, or "" */
    const char *next;            /* path to go to after the login */
    const char *error;           /* NULL: none */
};

struct problem_view {
    struct page_view page;
    int status;
    const char *heading, *explanation, *request_id;
    bool is_retry;               /* trying again may help */
};

/* A time as people and machines read it. */
struct moment_view {
    const char *relative, *absolute, *machine;   /* machine NULL: never */
};

struct device_row {
    const char *key, *name, *model;      /* model "": unknown */
    const char *metric;                  /* of the value; "" without one */
    struct figure value;
    const char *today;                   /* energy; NULL where there is none */
    struct moment_view seen;
    const char *state, *state_class;     /* "Live", "live" */
    struct line_chart spark;             /* n_points 0: none */
};

struct total_view {
    const char *name, *tone;
    const char *value;
};

/* One of several ways to see the page. */
struct choice_link {
    const char *label, *href;
    bool is_here;
};

struct stat_view {
    const char *name;
    struct figure value;
    const char *when;            /* NULL: says nothing of a time */
};

struct editor_view; /* of models_editor.h, which needs all of these */
struct rows_view;   /* the same */
struct cell_view;   /* the same */

#include "view/models_access.h"
#include "view/models_admin.h"
#include "view/models_archives.h"
#include "view/models_bill.h"
#include "view/models_corrections.h"
#include "view/models_costs.h"
#include "view/models_device.h"
#include "view/models_events.h"
#include "view/models_meter.h"
#include "view/models_operator.h"
#include "view/models_overview.h"
#include "view/models_rates.h"
#include "view/models_rejects.h"
#include "view/models_share.h"
#include "view/models_uploads.h"

#endif

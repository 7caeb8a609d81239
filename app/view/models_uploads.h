/* What the page of files shows. Filled by web/page_uploads. */
#ifndef TIDEMARK_VIEW_MODELS_UPLOADS_H
#define TIDEMARK_VIEW_MODELS_UPLOADS_H

#include "view/models.h"

struct upload_row {
    const char *id, *name;
    const char *href;    /* of its bytes */
    const char *preview; /* the same where it is an image that browsers show; NULL: none */
    const char *kind;    /* "PNG image", "file" */
    const char *size;    /* "1.2 MB" */
    const char *device, *device_href; /* NULL: none */
    const char *event_href; /* the list of the files of its event; NULL: of none */
    const char *made_by;
    struct moment_view stored;
};

struct uploads_view {
    struct page_view page;
    struct notice_view notice;
    const char *summary; /* "12 files, 3.4 GB of 100 GB" */
    const char *most;    /* a file may have, "5.4 GB" */
    const char *device;  /* whose files are listed; "": everybody's */
    const char *event;   /* the same of an event's id */
    bool is_filtered;    /* by either */
    const struct upload_row *rows;
    int n_rows;
    struct pager_view pager;
    bool may_change;     /* an admin: sends and removes */
};

#endif

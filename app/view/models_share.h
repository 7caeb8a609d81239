/* What the page of read-only links shows. Filled by web/page_shares. */
#ifndef TIDEMARK_VIEW_MODELS_SHARE_H
#define TIDEMARK_VIEW_MODELS_SHARE_H

#include "view/models.h"

struct share_row {
    const char *id, *name;
    const char *shows;                  /* "Overview" or a device's key */
    const char *created_by;
    struct moment_view expires, last_used;
    const char *state, *state_class;    /* "Works", "live" */
    bool is_open;                       /* works still: can be withdrawn */
};

struct shares_view {
    struct page_view page;
    struct notice_view notice;
    const char *link;                   /* just made, shown this once; NULL: none */
    struct field_view fields[3];        /* name, device, days */
    int n_fields;
    const struct share_row *rows;
    int n_rows;
    struct pager_view pager;
};

#endif

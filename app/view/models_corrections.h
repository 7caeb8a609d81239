/* What the page of corrections of a device shows. Filled by web/page_admin_corrections. */
#ifndef TIDEMARK_VIEW_MODELS_CORRECTIONS_H
#define TIDEMARK_VIEW_MODELS_CORRECTIONS_H

#include "view/models.h"

struct corrections_view {
    struct page_view page;
    struct notice_view notice;
    const char *key, *name, *zone;
    bool has_series;
    struct field_view put_fields[3];     /* series, time, value */
    int n_put_fields;
    struct field_view delete_fields[3];  /* metric, from, to */
    int n_delete_fields;
    const char *question;                /* what is about to be deleted; NULL: nothing yet */
    struct field_view erase_fields[1];   /* the key, typed again */
    int n_erase_fields;
};

#endif

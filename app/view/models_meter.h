/* What the page of a meter's timeline shows. Filled by web/page_admin_meter. */
#ifndef TIDEMARK_VIEW_MODELS_METER_H
#define TIDEMARK_VIEW_MODELS_METER_H

#include "view/models.h"

struct meter_row {
    const char *id, *kind, *figures;    /* "Swap", "ended at 103, began at 1"; figures "": none */
    const char *time, *series;
    const char *note;                   /* "": none */
    const char *made, *withdrawn;       /* by whom and when; withdrawn NULL: in force */
};

#define METER_FIELDS 6
struct meter_view {
    struct page_view page;
    struct notice_view notice;
    const char *key, *name;
    const struct meter_row *rows;
    int n_rows;
    struct choice_link kinds[6];
    int n_kinds;
    const char *kind, *title, *about;   /* of the form; kind NULL: none is chosen */
    struct field_view fields[METER_FIELDS];
    int n_fields;
};

#endif

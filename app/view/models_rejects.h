/* What the page of rejected data shows. Filled by web/page_rejects. */
#ifndef TIDEMARK_VIEW_MODELS_REJECTS_H
#define TIDEMARK_VIEW_MODELS_REJECTS_H

#include "view/models.h"

struct reject_line {
    const char *id;
    struct moment_view time;
    const char *device, *source;        /* device NULL: none; "event, item 3" */
    const char *reason, *text;          /* text NULL: no text, or none kept */
    const char *about;                  /* of the text, where there is something to say; or NULL */
    const char *request_id;
    const char *state, *state_class;    /* "Waiting", "late" */
    bool may_replay;
};

/* An hour's accounts. */
struct ingest_hour_line {
    const char *name, *machine;         /* "14:00" */
    const char *received, *accepted, *duplicates, *updated, *rejected, *refused;
};

#define REJECT_FIELDS 4
struct rejects_view {
    struct page_view page;
    struct notice_view notice;
    struct field_view fields[REJECT_FIELDS];
    bool is_filtered;
    const struct reject_line *rows;
    int n_rows;
    bool may_replay;                    /* something of it */
    struct pager_view pager;
    const struct ingest_hour_line *hours;
    int n_hours;
    struct ingest_hour_line total;
};

#endif

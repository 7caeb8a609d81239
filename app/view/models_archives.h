/* What the page of the archive shows. Filled by web/page_archives. */
#ifndef TIDEMARK_VIEW_MODELS_ARCHIVES_H
#define TIDEMARK_VIEW_MODELS_ARCHIVES_H

#include "view/models.h"

struct archive_row {
    const char *id;
    const char *day;   /* "2026-11-20" */
    const char *about; /* "samples", "samples, what changed later (2)" */
    const char *href;  /* of the file */
    const char *rows, *size;
    const char *sha256; /* its beginning */
    const char *place, *place_class; /* "In the database", "live" */
    const char *problem;             /* NULL: none */
    const char *found, *found_class; /* "Damaged", "silent"; NULL where nobody asked */
    struct moment_view verified;     /* when; without .machine while it waits */
    bool may_verify;                 /* an admin looks, and it does not wait for that */
    bool may_restore; /* an admin looks, and the day is in the archive alone */
};

struct archive_table_choice {
    const char *name;
    bool is_chosen;
};

struct archives_view {
    struct page_view page;
    struct notice_view notice;
    const char *summary; /* "12 days in 14 files, 3.4 GB" */
    const char *from, *to, *table; /* as they were chosen; "": any */
    const char *span_error;        /* about the days; NULL: they are right */
    bool is_filtered, is_on;       /* something is chosen; the installation archives */
    const char *restore;           /* "Restore 12 days": a button for what is chosen; NULL: none */
    const char *too_many;          /* why there is none, where there would be; NULL */
    const struct archive_table_choice *tables;
    int n_tables;
    const struct archive_row *rows;
    int n_rows;
    struct pager_view pager;
};

#endif

/* A utility's file beside what was measured at a place: read, rated and compared. For the page and
 * the API of it. */
#ifndef TIDEMARK_WEB_BILL_FILE_LOAD_H
#define TIDEMARK_WEB_BILL_FILE_LOAD_H

#include "domain/bill_compare.h"
#include "web/web.h"

struct bill_file_loaded {
    struct bill_file file;
    struct cost_accounts accounts;
    struct bill_comparison comparison;
    const char *currency;   /* ours; NULL: no schedule is in force */
    int decimals;
};

/* Compares the text with the place of `base`, whose days are ignored. ERR_INVALID for what is no
 * such file, covers more than BILL_FILE_DAYS, or is in another currency; else as cost_load. */
#define BILL_FILE_DAYS 400
enum err bill_file_load(struct web *web, const struct cost_query *base, struct str text,
                        struct bill_file_loaded *out) MUST_CHECK;

#endif

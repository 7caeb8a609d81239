/* Pages of raw samples out of the database and, of days that it does not have, out of the archive,
 * in one order. Used by api_samples.c. */
#ifndef TIDEMARK_WEB_RAW_SAMPLES_H
#define TIDEMARK_WEB_RAW_SAMPLES_H

#include "domain/sample.h"
#include "web/web.h"

struct reach;

/* What outlives a page of a request. */
struct raw_samples {
    struct arena *arena; /* the request's */
    struct reach *reach; /* NULL: nothing was read of the archive */
    bool is_long;        /* many pages follow: more is sorted at once */
};

struct raw_page {
    struct sample *items;
    int n;
    bool is_more;
    int64_t end_us; /* where it ended, when there is more */
    int32_t end_series;
};

/* At most filter->limit samples after the filter's position; fewer, none even, where finding them
 * takes long. Says in the header Tidemark-Source where the archive was asked. Failures of
 * sample_list, reach_check_dropped and reach_next. */
enum err raw_samples_read(struct web *web, struct raw_samples *raw,
                          const struct sample_filter *filter, struct raw_page *out) MUST_CHECK;

#endif

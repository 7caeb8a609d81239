/* Buckets that retention took, made anew of the archive's samples, among those that the database
 * lists. Used by api_samples.c and api_rollups.c. */
#ifndef TIDEMARK_WEB_OLD_BUCKETS_H
#define TIDEMARK_WEB_OLD_BUCKETS_H

#include "domain/rollup.h"
#include "web/web.h"

struct reach;

/* What outlives a page of a request. */
struct old_buckets {
    struct arena *arena; /* the request's */
    struct reach *reach; /* NULL: nothing was read of the archive */
};

struct bucket_page {
    struct rollup *items;
    int n;
    bool is_more;
    int64_t end_us; /* where it ended, when there is more */
    int32_t end_series;
};

/* A page of what the database `stored` of the filter's buckets, one more than the page may have,
 * and of what the archive has of them; of one bucket whichever is of more samples. It may have
 * fewer, none even, where finding them takes long. Says in the header Tidemark-Source where the
 * archive was asked. filter->limit is the page's. Failures of reach_check_dropped and
 * reach_fold_list. */
enum err old_buckets_page(struct web *web, struct old_buckets *old,
                          const struct rollup_filter *filter, const struct rollup_list *stored,
                          struct bucket_page *out) MUST_CHECK;

#endif

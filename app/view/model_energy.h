/* The facts of a place's energy as their page shows them. */
#ifndef TIDEMARK_VIEW_MODEL_ENERGY_H
#define TIDEMARK_VIEW_MODEL_ENERGY_H

#include "domain/cost_list.h"
#include "domain/energy_list.h"
#include "domain/span.h"
#include "view/models.h"

struct energy_facts {
    int64_t now_us;
    struct zone zone;                    /* the place's */
    const char *site, *device;           /* keys; NULL: all */
    struct span_query query;
    const char *from, *to, *span_error;  /* as typed; why they were not taken */
    struct span span;
    const int64_t *edges;                /* of the buckets: n + 1 */
    int n;
    struct energy_bucket_list energy;
    struct cost_list costs;              /* of the same buckets, or none */
    const char *costs_problem;           /* why there are none; or NULL */
    int64_t costs_to_us;                 /* of those before it; INT64_MAX: of all */
};

/* Fills all but `page` and `place`. False beyond the arena's cap. */
bool energy_view(struct arena *arena, const struct energy_facts *facts,
                 struct energy_view *out) MUST_CHECK;

#endif

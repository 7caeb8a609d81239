/* The overview's facts as the template shows them. */
#ifndef TIDEMARK_VIEW_MODEL_OVERVIEW_H
#define TIDEMARK_VIEW_MODEL_OVERVIEW_H

#include "domain/overview.h"
#include "view/models.h"

/* Fills all but `page`, `base_url` and `tenant_slug`. False beyond the arena's cap. `overview`
 * must live as long as `out`. */
bool overview_view(struct arena *arena, const struct overview *overview,
                   struct overview_view *out) MUST_CHECK;

#endif

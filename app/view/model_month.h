/* This month beside the one before, as the overview's card shows it. */
#ifndef TIDEMARK_VIEW_MODEL_MONTH_H
#define TIDEMARK_VIEW_MODEL_MONTH_H

#include "domain/month.h"
#include "view/models.h"

/* Of months whose days are the zone's. */
struct month_view month_view(struct arena *arena, const struct zone *zone,
                             const struct month *month);

#endif

/* The money beside the overview's energy. */
#ifndef TIDEMARK_WEB_OVERVIEW_COSTS_H
#define TIDEMARK_WEB_OVERVIEW_COSTS_H

#include "view/models.h"
#include "web/web.h"

/* This month's costs of the tenant; *out is NULL where no schedule is assigned to anything, where
 * places cannot be added up, and for who has a shared link. */
enum err overview_costs(struct web *web, const struct costs_view **out) MUST_CHECK;

#endif

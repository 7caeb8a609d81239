/* A bill as people read it: for the bill's page and the comparison of schedules. */
#ifndef TIDEMARK_VIEW_MODEL_BILL_H
#define TIDEMARK_VIEW_MODEL_BILL_H

#include "domain/cost.h"
#include "view/models.h"

/* The accounts' bills, part by part. False beyond the arena's cap. */
bool bill_parts(struct arena *arena, const struct cost_accounts *accounts,
                const struct bill *bills, const struct bill_part **out) MUST_CHECK;

#endif

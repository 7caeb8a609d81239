/* A rate schedule's document as people read it. */
#ifndef TIDEMARK_VIEW_MODEL_RATES_H
#define TIDEMARK_VIEW_MODEL_RATES_H

#include "domain/tariff_plan.h"
#include "view/models_rates.h"

/* Fills what the document says: periods, seasons, prices. False beyond the arena's cap. */
bool model_rate(struct arena *arena, const struct tariff *tariff, struct rate_view *view);

#endif

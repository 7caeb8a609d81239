/* What energy costs, as columns of a list. Called by the handlers of energy and costs. */
#ifndef TIDEMARK_WEB_COST_WRITE_H
#define TIDEMARK_WEB_COST_WRITE_H

#include "domain/cost_bucket.h"
#include "web/list.h"

/* The next column, all that the bucket costs, as a decimal with the currency's decimals at least;
 * no value where no schedule is in force in it. */
void cost_write_amount(struct list_writer *list, const struct cost_bucket *bucket, int decimals);

/* The next column: `{"peak":{"energy_kwh":1.5,"cost":"0.45"},…}`. */
void cost_write_periods(struct list_writer *list, const struct cost_bucket *bucket, int decimals);

#endif

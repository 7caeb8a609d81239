/* Handlers of what energy costs. */
#ifndef TIDEMARK_WEB_API_COSTS_H
#define TIDEMARK_WEB_API_COSTS_H

#include "web/web.h"

/* GET /v1/bills?site=&device=&from=&to=&as_of= */
enum err api_bills_show(struct web *web);
/* POST /v1/bills/compare?site=&device=&as_of=, a Green Button file */
enum err api_bills_compare(struct web *web);
/* GET /v1/costs?bucket=&site=&device=&from=&to=&tz=&as_of=&limit=&cursor= */
enum err api_costs_list(struct web *web);
/* GET /v1/costs/explain?site=&device=&day=&as_of= */
enum err api_costs_explain(struct web *web);
/* POST /v1/rate-schedules/compare */
enum err api_costs_compare(struct web *web);

#endif

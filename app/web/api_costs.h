/* Handlers of what energy costs. */
#ifndef TIDEMARK_WEB_API_COSTS_H
#define TIDEMARK_WEB_API_COSTS_H

#include "web/web.h"

/* GET /v1/bills?site=&device=&from=&to=&as_of= */
enum err api_bills_show(struct web *web);
/* GET /v1/costs?bucket=&site=&device=&from=&to=&tz=&as_of=&limit=&cursor= */
enum err api_costs_list(struct web *web);

#endif

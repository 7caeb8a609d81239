/* Handlers of rate schedules, and what they share. */
#ifndef TIDEMARK_WEB_API_RATES_H
#define TIDEMARK_WEB_API_RATES_H

#include "domain/rate_assignment.h"
#include "web/list.h"

/* GET /v1/rate-schedules?limit=&cursor=, POST with a document */
enum err api_rates_list(struct web *web);
enum err api_rates_add(struct web *web);
/* GET /v1/rate-schedules/{id}?version=&as=urdb, PUT with a document, DELETE */
enum err api_rates_show(struct web *web);
enum err api_rates_put(struct web *web);
enum err api_rates_remove(struct web *web);
/* POST /v1/rate-schedules/{id}/assign, DELETE /v1/rate-schedules/{id}/assignments/{assignment} */
enum err api_rates_assign(struct web *web);
enum err api_rates_unassign(struct web *web);
/* GET /v1/rate-schedules/{id}/prices?series=&from=&to=&as_of=, POST with unit rates or CSV */
enum err api_rates_prices_list(struct web *web);
enum err api_rates_prices_add(struct web *web);
/* GET /v1/rate-schedules/applied?site=&device=&from=&to=&as_of= */
enum err api_rates_applied(struct web *web);

/* The schedule's number in the address; ERR_NOT_FOUND where it is none. */
enum err api_rates_capture(struct web *web, int32_t *out) MUST_CHECK;

/* An assignment as a JSON object. */
void api_rates_write_assignment(struct json_writer *json, const struct rate_assignment *assignment);

#endif

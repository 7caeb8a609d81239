/* Handlers of the query API. Each reads its parameters, calls the domain and fills the
 * response; what a URL may be called by and with is in serve/routes.c. */
#ifndef TIDEMARK_WEB_API_H
#define TIDEMARK_WEB_API_H

#include "web/web.h"

/* GET /v1/devices?limit=&cursor= */
enum err api_devices_list(struct web *web);
/* GET /v1/devices/{key}: the device with its series */
enum err api_devices_show(struct web *web);
/* GET /v1/devices/{key}/samples?metric=&from=&to=&bucket=&tz=&limit=&cursor= */
enum err api_samples_list(struct web *web);
/* GET /v1/events?type=&device=&from=&to=&data=&limit=&cursor= */
enum err api_events_list(struct web *web);
/* GET /v1/openapi.json */
enum err api_meta_openapi(struct web *web);

#endif

/* Matches a request against a table of paths like "/v1/devices/{key}". The table
 * itself, the one list of URLs, is serve/routes.c. */
#ifndef TIDEMARK_HTTP_ROUTER_H
#define TIDEMARK_HTTP_ROUTER_H

#include "http/request.h"

/* True when the request's decoded segments fit `pattern`; its {names} become captures. */
bool http_path_matches(struct http_request *request, const char *pattern);

#endif

/* Handlers for monitors: alive, ready, version, metrics. */
#ifndef TIDEMARK_SERVE_HEALTH_H
#define TIDEMARK_SERVE_HEALTH_H

#include "web/web.h"

/* GET /v1/healthz: this process answers. */
enum err health_live(struct web *web);
/* GET /v1/readyz: the database is there, at this binary's schema. */
enum err health_ready(struct web *web);
/* GET /v1/version */
enum err health_version(struct web *web);
/* GET /metrics */
enum err health_metrics(struct web *web);

#endif

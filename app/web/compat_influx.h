/* What InfluxDB's clients ask beside writing, as far as they need it to begin. Run by the ingest
 * process, as the role ingest; failures are answered in the convention's shape by its format. */
#ifndef TIDEMARK_WEB_COMPAT_INFLUX_H
#define TIDEMARK_WEB_COMPAT_INFLUX_H

#include "web/web.h"

enum err compat_influx_ping(struct web *web);   /* GET /ping */
enum err compat_influx_health(struct web *web); /* GET /health */
enum err compat_influx_query(struct web *web);  /* GET, POST /query: InfluxQL */
enum err compat_influx_flux(struct web *web);   /* POST /api/v2/query */

#endif

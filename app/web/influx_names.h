/* The series that a question of an InfluxDB client means. */
#ifndef TIDEMARK_WEB_INFLUX_NAMES_H
#define TIDEMARK_WEB_INFLUX_NAMES_H

#include "domain/influx_point.h"
#include "domain/last_time.h"
#include "domain/mapping.h"
#include "web/web.h"

/* The series that a line with that measurement, field and tags would be a reading of, by the rules
 * of ingest/line_head.c and the tenant's mapping (or NULL), for whoever asks. False when it is none
 * that the asking token may post: a bound one may only ask for its own device. */
bool influx_series_of(const struct web *web, const struct mapping *mapping,
                      const struct influx_point *point, struct last_time *out);

/* The mapping of who asks; NULL: none. */
enum err influx_mapping_load(const struct web *web, const struct mapping **out) MUST_CHECK;

#endif

/* A field of a measurement with tags, as a question of an InfluxDB client names it. */
#ifndef TIDEMARK_DOMAIN_INFLUX_POINT_H
#define TIDEMARK_DOMAIN_INFLUX_POINT_H

#include "base/str.h"

#define INFLUX_MAX_TAGS 16

struct influx_point {
    struct str measurement, field;
    struct str_pair tags[INFLUX_MAX_TAGS];
    int n_tags;
};

#endif

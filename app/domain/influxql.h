/* The statements of InfluxQL that clients run before they write, told apart. */
#ifndef TIDEMARK_DOMAIN_INFLUXQL_H
#define TIDEMARK_DOMAIN_INFLUXQL_H

#include "base/arena.h"
#include "domain/influx_point.h"

struct influxql {
    const char *at, *end;
    struct arena *arena;
};

enum influxql_kind {
    INFLUXQL_END,            /* there is no further statement */
    INFLUXQL_LAST,           /* SELECT LAST("f") FROM m [WHERE "tag"='value' [AND …]] */
    INFLUXQL_SELECT,         /* another SELECT, or one that cannot be read */
    INFLUXQL_SHOW_DATABASES,
    INFLUXQL_SHOW,           /* another one */
    INFLUXQL_CREATE,         /* whatever is to be created */
    INFLUXQL_OTHER
};

/* Begins with the statements of a text, which are separated by semicolons. Text and arena outlive
 * what is read. */
void influxql_init(struct influxql *ql, struct str text, struct arena *arena);

/* Takes the next statement. Of INFLUXQL_LAST `point` is what is asked for; its texts are parts of
 * the statements' text or live in the arena. Without memory a name counts as one that cannot be
 * read. */
enum influxql_kind influxql_next(struct influxql *ql, struct influx_point *point);

#endif

/* How many events there were, by stretches of time and type. */
#ifndef TIDEMARK_DOMAIN_EVENT_COUNT_H
#define TIDEMARK_DOMAIN_EVENT_COUNT_H

#include "base/op.h"

#include <stdint.h>

struct db_tx;

struct event_count {
    int stretch;          /* from 0 */
    const char *type;
    int64_t count;
};

struct event_count_list {
    struct event_count *items;   /* by stretch and type */
    int n;
};

/* The stretches lie between the n ascending instants. */
enum err event_count(struct db_tx *tx, const int64_t *instants, int n,
                     struct event_count_list *out) MUST_CHECK;

#endif

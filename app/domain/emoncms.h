/* What emoncms calls things, and what its devices ask: a node is a device, an input a metric. */
#ifndef TIDEMARK_DOMAIN_EMONCMS_H
#define TIDEMARK_DOMAIN_EMONCMS_H

#include "base/arena.h"
#include "base/err.h"

#include <stdint.h>

struct db_tx;

/* A node's or input's name as emoncms keeps it: ASCII letters and digits, `_`, `-`, `.`, blanks
 * between them, and whatever is not ASCII; "power(W)" is "powerW". In the arena, or `text` itself;
 * ptr NULL without memory. */
struct str emoncms_name(struct arena *arena, struct str text);

/* An input with the time of its newest reading. */
struct emoncms_input {
    const char *metric;
    int64_t last_us;
};
struct emoncms_inputs {
    const struct emoncms_input *items; /* those that have a reading, by their names */
    int n;
};

/* The inputs of the node; none where it is not known. Runs as the role ingest. */
enum err emoncms_inputs(struct db_tx *tx, struct str node, struct emoncms_inputs *out) MUST_CHECK;

#endif

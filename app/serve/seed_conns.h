/* The connections that seeding needs, by the roles of the settings. */
#ifndef TIDEMARK_SERVE_SEED_CONNS_H
#define TIDEMARK_SERVE_SEED_CONNS_H

#include "base/config.h"
#include "domain/demo_seed.h"

/* Describes the connections; they open when first used. Release with seed_conns_close,
 * also after a failure. */
enum err seed_conns_open(struct op *op, const struct config *config,
                         struct demo_conns *out) MUST_CHECK;
void seed_conns_close(struct demo_conns *conns);

#endif

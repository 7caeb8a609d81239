/* The demo's devices at work: they post what they measure through the real HTTP ingest,
 * as anybody's would. `tidemark seed --post URL`. */
#ifndef TIDEMARK_SERVE_SEED_POST_H
#define TIDEMARK_SERVE_SEED_POST_H

#include "base/config.h"

#include <stdbool.h>

/* Makes each device a token, then posts every `every_s` seconds to `url` (of the server's
 * root) until SIGTERM or SIGINT; revokes the tokens at the end. What could not be delivered
 * is part of the next reading's energy, as with a meter. False when it could not begin. */
bool seed_post(const struct config *config, const char *url, int every_s);

#endif

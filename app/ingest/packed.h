/* Long bodies as they are kept: packed by zstd (RFC 8878), which its first bytes tell. */
#ifndef TIDEMARK_INGEST_PACKED_H
#define TIDEMARK_INGEST_PACKED_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>

/* True for what was packed, and for a text that begins as if it were: that is to be packed, too. */
bool packed_is(struct str text);

/* The text packed into at most `max` bytes, in the arena. ptr NULL where it does not fit, or
 * without memory. */
struct str packed_make(struct arena *arena, struct str text, size_t max);

#endif

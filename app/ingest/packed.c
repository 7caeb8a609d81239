/* Packing for the ledger. Who reads what was kept unpacks it as a request's content coding
 * (http/coding). Called by reject and by replay. */
#include "ingest/packed.h"

#include <zstd.h>

#define LEVEL 3
#define MAGIC "\x28\xb5\x2f\xfd" /* of a frame */

bool packed_is(struct str text)
{
    return str_starts_with(text, STR(MAGIC));
}

struct str packed_make(struct arena *arena, struct str text, size_t max)
{
    size_t bound = ZSTD_compressBound(text.len);
    size_t room = bound < max ? bound : max;
    char *out = arena_alloc(arena, room);
    size_t len = out ? ZSTD_compress(out, room, text.ptr, text.len, LEVEL) : 0;

    if (!out || ZSTD_isError(len)) {
        return (struct str){ NULL, 0 };
    }
    return (struct str){ out, len };
}

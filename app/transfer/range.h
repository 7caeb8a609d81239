/* What of a file a request asks for: Range and the conditions of RFC 9110. Pure. */
#ifndef TIDEMARK_TRANSFER_RANGE_H
#define TIDEMARK_TRANSFER_RANGE_H

#include "base/arena.h"
#include "base/str.h"

#include <stdint.h>

enum range_kind {
    RANGE_WHOLE, /* none, or none that is understood, or several */
    RANGE_PART,
    RANGE_NONE   /* 416: begins behind the end */
};

/* The one range of "bytes=0-499", "bytes=500-" or "bytes=-500" in `size` bytes. */
enum range_kind range_read(struct str header, int64_t size, int64_t *from, int64_t *len);

/* Whether a list of entity tags (If-None-Match, If-Match) names the tag, which is quoted and
 * strong, or is a star. `is_weak`: a weak one fits as well. */
bool range_names_tag(struct str header, const char *tag, bool is_weak);

#endif

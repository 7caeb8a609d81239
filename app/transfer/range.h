/* What of a file a request asks for (Range of RFC 9110). Pure. */
#ifndef TIDEMARK_TRANSFER_RANGE_H
#define TIDEMARK_TRANSFER_RANGE_H

#include "base/str.h"

#include <stdint.h>

enum range_kind {
    RANGE_WHOLE, /* none, or none that is understood, or several */
    RANGE_PART,
    RANGE_NONE   /* 416: begins behind the end */
};

/* The one range of "bytes=0-499", "bytes=500-" or "bytes=-500" in `size` bytes. */
enum range_kind range_read(struct str header, int64_t size, int64_t *from, int64_t *len);

#endif

/* Parquet's encodings of integers (Encodings.md of apache/parquet-format): the hybrid of runs and
 * packed bits, for levels and places in a dictionary, and DELTA_BINARY_PACKED. Written into a
 * buffer; read from bytes that need not be what they say. */
#ifndef TIDEMARK_PARQUET_PACK_H
#define TIDEMARK_PARQUET_PACK_H

#include "base/buf.h"

/* How many bits `value` takes; 0 for 0. */
unsigned pack_width(uint64_t value);

/* ---- writing ---- */

/* Numbers of at most `width` bits (1 to 32) as runs and packed groups of eight. */
void pack_hybrid(struct buf *out, const uint32_t *values, size_t n, unsigned width);
void pack_delta(struct buf *out, const int64_t *values, size_t n);

/* ---- reading: false where the bytes are not `n` such values ---- */

bool unpack_hybrid(struct str bytes, unsigned width, uint32_t *values, size_t n);
bool unpack_delta(struct str bytes, int64_t *values, size_t n);

#endif

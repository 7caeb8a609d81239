/* How far packed bytes may be unpacked: to their caller's cap and, on a thread that others need,
 * only as far as is done in no time. */
#ifndef TIDEMARK_HTTP_UNPACK_H
#define TIDEMARK_HTTP_UNPACK_H

#include "base/op.h"

/* The bytes that may come out where the caller allows `cap`: QUICK_BODY_BYTES at most in an
 * operation that must not wait. */
size_t http_unpack_cap(const struct op *op, size_t cap);

/* The failure of what comes out longer: ERR_TOO_LARGE where that is the caller's cap; else
 * ERR_UNAVAILABLE with op->would_wait and op->is_long. */
enum err http_fail_over(struct op *op, size_t cap) MUST_CHECK;

#endif

/* Content-Encoding: gzip and deflate, inflated into memory within a cap. */
#ifndef TIDEMARK_HTTP_INFLATE_H
#define TIDEMARK_HTTP_INFLATE_H

#include "base/op.h"
#include "base/str.h"

enum inflate_format {
    INFLATE_GZIP,   /* RFC 1952, one or several members */
    INFLATE_DEFLATE /* RFC 1950 (zlib), or bare RFC 1951 as some clients send */
};

/* Inflates all of `in` into the op's arena. ERR_TOO_LARGE when it would exceed `cap` bytes,
 * ERR_MALFORMED when it is damaged, cut short, or followed by anything else; and the failure of
 * http_fail_over. */
enum err http_inflate(struct op *op, struct str in, enum inflate_format format, size_t cap,
                      struct str *out) MUST_CHECK;

#endif

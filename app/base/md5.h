/* MD5 (RFC 1321), as some devices check what they upload. It protects from accidents alone: nothing
 * that anybody may want to forge may depend on it (crypto.h). */
#ifndef TIDEMARK_BASE_MD5_H
#define TIDEMARK_BASE_MD5_H

#include "base/str.h"

#include <stdint.h>

#define MD5_BYTES 16

/* The digest of all the bytes. */
void md5(struct str bytes, uint8_t out[MD5_BYTES]);

#endif

/* Bytes written down as hexadecimal digits, for tests of binary formats. */
#ifndef TIDEMARK_TESTS_HEX_H
#define TIDEMARK_TESTS_HEX_H

#include "base/arena.h"

#include <stdlib.h>

/* The bytes, in the arena, in a block of their own size, so that a read beyond them shows. */
static inline struct str from_hex(struct arena *arena, const char *digits)
{
    size_t len = strlen(digits) / 2;
    char *bytes = arena_alloc(arena, len ? len : 1);

    for (size_t i = 0; bytes && i < len; i++) {
        char pair[3] = { digits[2 * i], digits[2 * i + 1], '\0' };
        bytes[i] = (char)strtol(pair, NULL, 16);
    }
    return (struct str){ bytes, len };
}

#endif

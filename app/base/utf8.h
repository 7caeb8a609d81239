/* Whether a UTF-8 sequence is well formed. For those that walk a text (str, json, log, view/html);
 * others use str_is_utf8. */
#ifndef TIDEMARK_BASE_UTF8_H
#define TIDEMARK_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True for a byte that continues a sequence (10xxxxxx). */
static inline bool utf8_is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Length (2 to 4) of the well-formed multi-byte sequence that starts at `at` (before `end`),
 * or 0: RFC 3629 section 4, so no overlong forms, no surrogates, nothing beyond U+10FFFF. */
static inline size_t utf8_length(const char *at, const char *end)
{
    unsigned char first = (unsigned char)at[0];
    size_t left = (size_t)(end - at);

    if (first < 0xc2 || first > 0xf4 || left < 2 || !utf8_is_tail(at[1])) {
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    unsigned char second = (unsigned char)at[1];
    if (left < 3 || !utf8_is_tail(at[2])) {
        return 0;
    }
    if (first < 0xf0) {
        bool is_overlong = first == 0xe0 && second < 0xa0;
        bool is_surrogate = first == 0xed && second > 0x9f;
        return is_overlong || is_surrogate ? 0 : 3;
    }
    bool is_overlong = first == 0xf0 && second < 0x90;
    bool is_beyond = first == 0xf4 && second > 0x8f;
    return left < 4 || !utf8_is_tail(at[3]) || is_overlong || is_beyond ? 0 : 4;
}

#endif

/* The inner loops over text: finding the next byte that needs a decision. Eight bytes at a
 * time, portable, inlined because each use is hot. For base/ itself (str, json, log); others
 * use str.h. */
#ifndef TIDEMARK_BASE_SCAN_H
#define TIDEMARK_BASE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SCAN_ONES UINT64_C(0x0101010101010101)
#define SCAN_HIGHS UINT64_C(0x8080808080808080)

/* The high bit of each byte that is below 0x20 or above 0x7f. The lowest bit set is right;
 * bits above it may be carried into by it. */
static inline uint64_t scan_odd_bytes(uint64_t word)
{
    return ((word - SCAN_ONES * 0x20) | word) & SCAN_HIGHS;
}

/* Likewise for the bytes equal to `byte`. */
static inline uint64_t scan_bytes_equal(uint64_t word, unsigned char byte)
{
    uint64_t zeroed = word ^ (SCAN_ONES * byte);
    return (zeroed - SCAN_ONES) & ~zeroed & SCAN_HIGHS;
}

/* Index of the first marked byte of a word loaded from memory; marks is not 0. */
static inline size_t scan_first(uint64_t marks)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return (size_t)__builtin_ctzll(marks) / 8;
#else
#error "the carries of scan_odd_bytes run the other way here"
#endif
}

/* True when the byte is printable ASCII and, with `has_quotes`, needs no escape in JSON. */
static inline bool scan_is_plain(char c, bool has_quotes)
{
    unsigned char byte = (unsigned char)c;
    return byte >= 0x20 && byte < 0x80 && (!has_quotes || (byte != '"' && byte != '\\'));
}

/* The first byte from `at` on that is a control character or not ASCII, or `end`. */
static inline const char *scan_text(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t marks = scan_odd_bytes(word);
        if (marks) {
            return at + scan_first(marks);
        }
        at += 8;
    }
    while (at < end && scan_is_plain(*at, false)) {
        at++;
    }
    return at;
}

/* The same, stopping at a quote or a backslash too: what a JSON string may hold as it is. */
static inline const char *scan_quoted(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        uint64_t marks =
            scan_odd_bytes(word) | scan_bytes_equal(word, '"') | scan_bytes_equal(word, '\\');
        if (marks) {
            return at + scan_first(marks);
        }
        at += 8;
    }
    while (at < end && scan_is_plain(*at, true)) {
        at++;
    }
    return at;
}

#endif

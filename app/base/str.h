/* A borrowed view of bytes. Owns nothing and is not NUL-terminated; whoever made
 * the bytes keeps them alive. Used wherever text is looked at but not kept. */
#ifndef TIDEMARK_BASE_STR_H
#define TIDEMARK_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct str {
    const char *ptr; /* may be NULL when len is 0 */
    size_t len;      /* bytes */
};

/* A name and its value: a tag, a label, an attribute. */
struct str_pair {
    struct str name, value;
};

/* A view of a string literal; the second for static initializers. */
#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_INIT(literal)              \
    {                                  \
        (literal), sizeof(literal) - 1 \
    }

/* A view of a NUL-terminated string; NULL gives the empty view. */
static inline struct str str_of(const char *text)
{
    return (struct str){ text, text ? strlen(text) : 0 };
}

/* Equality of the bytes. */
static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (!a.ptr || !b.ptr ? a.len == 0 : memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* True for the empty prefix too. */
static inline bool str_starts_with(struct str text, struct str prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

/* ASCII case-insensitive equality (header names, media types, schemes). */
bool str_equal_nocase(struct str a, struct str b);

/* The text without leading and trailing spaces, tabs, CR and LF. */
struct str str_trim(struct str text);

/* Cuts *rest at the first `separator`: returns what stands before it and leaves what
 * follows in *rest; without a separator returns all and leaves *rest with ptr NULL. */
struct str str_cut(struct str *rest, char separator);

/* True when the bytes are well-formed UTF-8 without NUL (RFC 3629: no surrogates, no
 * overlong forms). */
bool str_is_utf8(struct str text);

/* Parses a decimal integer that spans the whole view: an optional minus sign and digits.
 * False on anything else or overflow. */
bool str_to_int64(struct str text, long long *out);

#endif

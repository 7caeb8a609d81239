/* Looking at borrowed text. Answers for comparing, cutting and checking views of bytes;
 * owns and copies nothing (arena_copy does). Called from everywhere. */
#include "base/str.h"

#include "base/scan.h"
#include "base/utf8.h"

#include <limits.h>

static unsigned char to_lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (to_lower(a.ptr[i]) != to_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

struct str str_cut(struct str *rest, char separator)
{
    struct str head = *rest;
    const char *cut = head.len > 0 ? memchr(head.ptr, separator, head.len) : NULL;

    if (!cut) {
        *rest = (struct str){ NULL, 0 };
        return head;
    }
    size_t before = (size_t)(cut - head.ptr);
    *rest = (struct str){ cut + 1, head.len - before - 1 };
    head.len = before;
    return head;
}

bool str_is_utf8(struct str text)
{
    if (text.len == 0) {
        return true;
    }
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;

    for (;;) {
        at = scan_text(at, end);
        if (at == end) {
            return true;
        }
        size_t length = (unsigned char)*at < 0x80 ? *at != '\0' : utf8_length(at, end);
        if (length == 0) {
            return false;
        }
        at += length;
    }
}

bool str_to_int64(struct str text, long long *out)
{
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    size_t i = is_negative ? 1 : 0;
    long long value = 0;

    if (i == text.len) {
        return false;
    }
    /* Counted downwards: the negative range is the larger one. */
    for (; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value)) {
            return false;
        }
    }
    if (!is_negative && value == LLONG_MIN) {
        return false;
    }
    *out = is_negative ? value : -value;
    return true;
}

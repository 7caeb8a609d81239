/* The capped, breakable byte buffer. Answers for growth, the cap and the number formats
 * that several layers write; not for escaping (json, view do that). */
#include "base/buf.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_SIZE 256
#define BRIEF_BYTES 256 /* most of what is printed is shorter */
#define NUMBER_SIZE 40 /* the longest number written here: -1.7976931348623157e+308 */

void buf_init(struct buf *buf, struct arena *arena, size_t cap)
{
    *buf = (struct buf){ .arena = arena, .cap = cap };
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->is_broken = false;
}

/* Makes room for `len` more bytes by doubling, or breaks the buffer. */
static bool grow(struct buf *buf, size_t len)
{
    if (buf->is_broken || len > buf->cap - buf->len) {
        buf->is_broken = true;
        return false;
    }
    size_t size = buf->size < FIRST_SIZE / 2 ? FIRST_SIZE : buf->size * 2;
    if (size < buf->len + len) {
        size = buf->len + len;
    }
    if (size > buf->cap) {
        size = buf->cap;
    }
    char *data = arena_resize(buf->arena, buf->data, buf->size, size);
    if (!data) {
        buf->is_broken = true;
        return false;
    }
    buf->data = data;
    buf->size = size;
    return true;
}

char *buf_reserve(struct buf *buf, size_t len)
{
    if ((buf->is_broken || len > buf->size - buf->len || !buf->data) && !grow(buf, len)) {
        return NULL;
    }
    return buf->data + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *at = len > 0 ? buf_reserve(buf, len) : NULL;
    if (at) {
        memcpy(at, bytes, len);
        buf->len += len;
    }
}

void buf_add_str(struct buf *buf, struct str text)
{
    buf_add(buf, text.ptr, text.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add_str(buf, str_of(text));
}

void buf_add_char(struct buf *buf, char c)
{
    char *at = buf_reserve(buf, 1);
    if (at) {
        *at = c;
        buf->len++;
    }
}

/* Writes the decimal digits of `value` so that they end before `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t value)
{
    do {
        *--end = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return end;
}

void buf_add_int(struct buf *buf, int64_t value)
{
    char text[NUMBER_SIZE];
    char *end = text + sizeof text;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *start = digits_before(end, size);

    if (value < 0) {
        *--start = '-';
    }
    buf_add(buf, start, (size_t)(end - start));
}

/* Six decimals at most and fifteen digits in all: then `scaled` / 10^6 is the one decimal of
 * up to fifteen digits that reads back as the value, hence the shortest. */
static bool add_short_decimal(struct buf *buf, double value)
{
    double size = fabs(value);
    if (!(size < 1e9) || (value == 0.0 && signbit(value))) {
        return false;
    }
    uint64_t scaled = (uint64_t)(size * 1e6 + 0.5);
    if ((double)scaled / 1e6 != size) {
        return false;
    }
    char text[NUMBER_SIZE];
    char *end = text + sizeof text;
    char *start = end;
    uint64_t fraction = scaled % 1000000;
    if (fraction > 0) {
        /* A leading 1 keeps the zeros after the point; the point takes its place. */
        start = digits_before(end, fraction + 1000000);
        *start = '.';
        while (end[-1] == '0') {
            end--;
        }
    }
    start = digits_before(start, scaled / 1000000);
    if (value < 0) {
        *--start = '-';
    }
    buf_add(buf, start, (size_t)(end - start));
    return true;
}

void buf_add_double(struct buf *buf, double value)
{
    char text[NUMBER_SIZE];

    if (add_short_decimal(buf, value)) {
        return;
    }
    if (fabs(value) < 1e15 && value == trunc(value) && value != 0.0) {
        buf_add_int(buf, (int64_t)value);
        return;
    }
    int length = 0;
    for (int precision = 15; precision <= 17; precision++) {
        length = snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    buf_add(buf, text, (size_t)length);
}

/* What did not fit at the first try; `length` of it, negative where the format is broken. */
__attribute__((format(printf, 3, 0)))
static void add_long(struct buf *buf, int length, const char *format, va_list args)
{
    /* One byte more for the NUL that vsnprintf writes and the buffer does not count. */
    char *at = length >= 0 ? buf_reserve(buf, (size_t)length + 1) : NULL;
    if (at) {
        vsnprintf(at, (size_t)length + 1, format, args);
        buf->len += (size_t)length;
    } else {
        buf->is_broken = true;
    }
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    char brief[BRIEF_BYTES];
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(brief, sizeof brief, format, args);
    va_end(args);
    if (length >= 0 && (size_t)length < sizeof brief) {
        buf_add(buf, brief, (size_t)length);
    } else {
        add_long(buf, length, format, again);
    }
    va_end(again);
}

void buf_add_be16(struct buf *buf, uint16_t value)
{
    value = __builtin_bswap16(value);
    buf_add(buf, &value, sizeof value);
}

void buf_add_be32(struct buf *buf, uint32_t value)
{
    value = __builtin_bswap32(value);
    buf_add(buf, &value, sizeof value);
}

void buf_add_be64(struct buf *buf, uint64_t value)
{
    value = __builtin_bswap64(value);
    buf_add(buf, &value, sizeof value);
}

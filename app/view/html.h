/* Writing values into HTML, escaped for the place where they stand. The compiled
 * templates call these by context; components that write markup from C (charts) call
 * them for every value that is not a literal. There is no way around the escaping but
 * buf_add, which is for literals.
 *
 * A value is a NUL-terminated string (NULL writes nothing), a struct str, an integer or
 * a double (one that is not finite writes nothing, null in JSON). Strings must be UTF-8;
 * bytes that are not are replaced by U+FFFD. */
#ifndef TIDEMARK_VIEW_HTML_H
#define TIDEMARK_VIEW_HTML_H

#include "base/buf.h"
#include "base/str.h"

#include <stdint.h>

#define HTML_WRITE(out, value, context)                                                           \
    _Generic((value),                                                                             \
        char *: html_##context##_chars, const char *: html_##context##_chars,                     \
        struct str: html_##context##_str,                                                         \
        int: html_number_int, long: html_number_int, long long: html_number_int,                  \
        unsigned int: html_number_size, unsigned long: html_number_size,                          \
        float: html_##context##_double, double: html_##context##_double)((out), (value))

/* Between tags: escapes & < >. */
#define html_text(out, value) HTML_WRITE(out, value, text)

/* Inside a quoted attribute value: escapes & < > " '. */
#define html_attr(out, value) HTML_WRITE(out, value, attr)

/* A whole address (or its beginning) in a quoted href, src, action …: a path, or an address
 * with the scheme http, https or mailto; anything else, also //host and control
 * characters, writes "#". Escaped as an attribute. */
#define html_url(out, value) HTML_WRITE(out, value, url)

/* One segment of a path or one value of a query within an address: percent-encodes all but
 * the unreserved characters of RFC 3986. */
#define html_url_part(out, value) HTML_WRITE(out, value, url_part)

/* A JSON value in a <script type="application/json">: a string in quotes, a number; < > & and
 * the line separators of JavaScript are written as \u escapes. */
#define html_json(out, value) HTML_WRITE(out, value, json)

/* ---- what the macros choose from ---- */

void html_text_str(struct buf *out, struct str text);
void html_attr_str(struct buf *out, struct str text);
void html_url_str(struct buf *out, struct str text);
void html_url_part_str(struct buf *out, struct str text);
void html_json_str(struct buf *out, struct str text);

void html_text_chars(struct buf *out, const char *text);
void html_attr_chars(struct buf *out, const char *text);
void html_url_chars(struct buf *out, const char *text);
void html_url_part_chars(struct buf *out, const char *text);
void html_json_chars(struct buf *out, const char *text); /* NULL writes null */

void html_number_int(struct buf *out, int64_t value);
void html_number_size(struct buf *out, uint64_t value);
void html_number_double(struct buf *out, double value);
void html_json_double(struct buf *out, double value);

#define html_text_double html_number_double
#define html_attr_double html_number_double
#define html_url_double html_number_double
#define html_url_part_double html_number_double

/* True when html_url would write the address and not "#". */
bool html_url_is_safe(struct str url);

#endif

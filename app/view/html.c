/* The escapers behind view/html.h. Each walks its text once, copies what needs no
 * escape in runs, and writes the rest by a table of its context. Escapes after the
 * OWASP Cross Site Scripting Prevention Cheat Sheet. */
#include "view/html.h"

#include "base/utf8.h"

#include <math.h>

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD in UTF-8 */

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";

/* The escape of one byte in a context, or NULL where the byte may stand as it is. */
typedef const char *(*escape_of)(unsigned char byte);

static const char *text_escape(unsigned char byte)
{
    switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case 0: return REPLACEMENT;
    default: return NULL;
    }
}

static const char *attr_escape(unsigned char byte)
{
    switch (byte) {
    case '"': return "&#34;";
    case '\'': return "&#39;";
    default: return text_escape(byte);
    }
}

static const char *json_escape(unsigned char byte)
{
    switch (byte) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    case '<': return "\\u003c";
    case '>': return "\\u003e";
    case '&': return "\\u0026";
    case 0: return REPLACEMENT;
    default: return NULL;
    }
}

/* Bytes of the well-formed UTF-8 sequence at `text`, or 0. */
static size_t sequence_len(const char *text, const char *end)
{
    return (unsigned char)*text < 0x80 ? 1 : utf8_length(text, end);
}

/* Writes `text` with the context's escapes; broken UTF-8 is replaced byte by byte. */
static void write_escaped(struct buf *out, struct str text, escape_of escape)
{
    size_t run = 0, i = 0;
    while (i < text.len) {
        unsigned char byte = (unsigned char)text.ptr[i];
        size_t step = sequence_len(text.ptr + i, text.ptr + text.len);
        const char *replacement = step == 0 ? REPLACEMENT : step == 1 ? escape(byte) : NULL;
        if (replacement) {
            buf_add(out, text.ptr + run, i - run);
            buf_add_text(out, replacement);
            run = i + 1;
        }
        i += step ? step : 1;
    }
    if (text.len > run)
        buf_add(out, text.ptr + run, text.len - run);
}

void html_text_str(struct buf *out, struct str text)
{
    write_escaped(out, text, text_escape);
}

void html_attr_str(struct buf *out, struct str text)
{
    write_escaped(out, text, attr_escape);
}

bool html_url_is_safe(struct str url)
{
    static const struct str schemes[] = { { "http", 4 }, { "https", 5 }, { "mailto", 6 } };
    if (!str_is_utf8(url))
        return false;
    /* Browsers drop tabs and line ends and trim spaces before they look for a scheme. */
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f)
            return false;
    /* They also take \ for /, and //host for another host. */
    if (url.len > 0 && url.ptr[0] == '\\')
        return false;
    if (url.len > 1 && url.ptr[0] == '/')
        return url.ptr[1] != '/' && url.ptr[1] != '\\';
    size_t end = 0;
    while (end < url.len && !memchr(":/?#\\", url.ptr[end], 5))
        end++;
    if (end == url.len || url.ptr[end] != ':')
        return true;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (str_equal_nocase((struct str){ url.ptr, end }, schemes[i]))
            return true;
    return false;
}

void html_url_str(struct buf *out, struct str text)
{
    if (html_url_is_safe(text))
        html_attr_str(out, text);
    else
        buf_add_char(out, '#');
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void html_url_part_str(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (is_unreserved(byte)) {
            buf_add_char(out, (char)byte);
        } else {
            const char escape[] = { '%', hex_upper[byte >> 4], hex_upper[byte & 15] };
            buf_add(out, escape, sizeof escape);
        }
    }
}

/* U+2028 and U+2029, which end a line in JavaScript but not in JSON; 3 bytes each. */
static bool is_line_separator(const char *at, size_t len)
{
    return len >= 3 && memcmp(at, "\xe2\x80", 2) == 0 && (at[2] == '\xa8' || at[2] == '\xa9');
}

void html_json_str(struct buf *out, struct str text)
{
    size_t run = 0;
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        char escape[] = { '\\', 'u', '0', '0', hex_lower[byte >> 4], hex_lower[byte & 15] };
        bool is_control = byte > 0 && byte < ' ' && !json_escape(byte);
        bool is_separator = is_line_separator(text.ptr + i, text.len - i);
        if (!is_control && !is_separator)
            continue;
        if (is_separator)
            memcpy(escape + 2, text.ptr[i + 2] == '\xa8' ? "2028" : "2029", 4);
        write_escaped(out, (struct str){ text.ptr + run, i - run }, json_escape);
        buf_add(out, escape, sizeof escape);
        i += is_separator ? 2 : 0;
        run = i + 1;
    }
    if (text.len > run)
        write_escaped(out, (struct str){ text.ptr + run, text.len - run }, json_escape);
    buf_add_char(out, '"');
}

void html_text_chars(struct buf *out, const char *text)
{
    html_text_str(out, str_of(text));
}

void html_attr_chars(struct buf *out, const char *text)
{
    html_attr_str(out, str_of(text));
}

void html_url_chars(struct buf *out, const char *text)
{
    html_url_str(out, str_of(text));
}

void html_url_part_chars(struct buf *out, const char *text)
{
    html_url_part_str(out, str_of(text));
}

void html_json_chars(struct buf *out, const char *text)
{
    if (text)
        html_json_str(out, str_of(text));
    else
        buf_add_text(out, "null");
}

void html_number_int(struct buf *out, int64_t value)
{
    buf_add_int(out, value);
}

void html_number_size(struct buf *out, uint64_t value)
{
    buf_printf(out, "%llu", (unsigned long long)value);
}

void html_number_double(struct buf *out, double value)
{
    if (isfinite(value))
        buf_add_double(out, value);
}

void html_json_double(struct buf *out, double value)
{
    if (isfinite(value))
        buf_add_double(out, value);
    else
        buf_add_text(out, "null");
}

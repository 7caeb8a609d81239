/* Writing JSON. Answers for commas, quotes and escapes, so that what comes out is always
 * valid; a buffer that breaks stays broken, to be seen once by whoever sends it. */
#include "base/json.h"

#include "base/scan.h"
#include "base/utf8.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

#define MAX_DEPTH 60

void json_writer_init(struct json_writer *writer, struct buf *out)
{
    *writer = (struct json_writer){ .out = out };
}

/* The comma that is due before a member or an element. */
static void begin_value(struct json_writer *writer)
{
    uint64_t bit = UINT64_C(1) << writer->depth;

    if (writer->is_after_key) {
        writer->is_after_key = false;
        return;
    }
    if (writer->depth > 0 && (writer->is_started & bit)) {
        buf_add_char(writer->out, ',');
    }
    writer->is_started |= bit;
}

static void open_nesting(struct json_writer *writer, char bracket)
{
    assert(writer->depth < MAX_DEPTH);
    begin_value(writer);
    buf_add_char(writer->out, bracket);
    writer->depth++;
    writer->is_started &= ~(UINT64_C(1) << writer->depth);
}

static void close_nesting(struct json_writer *writer, char bracket)
{
    assert(writer->depth > 0 && !writer->is_after_key);
    writer->depth--;
    buf_add_char(writer->out, bracket);
}

void json_open_object(struct json_writer *writer)
{
    open_nesting(writer, '{');
}

void json_close_object(struct json_writer *writer)
{
    close_nesting(writer, '}');
}

void json_open_array(struct json_writer *writer)
{
    open_nesting(writer, '[');
}

void json_close_array(struct json_writer *writer)
{
    close_nesting(writer, ']');
}

/* A byte that cannot stand as it is: a quote, a backslash, a control or not UTF-8. */
static void add_escape(struct buf *out, unsigned char c)
{
    static const char short_names[] = "btn\0fr"; /* of 0x08 to 0x0d; 0x0b has none */

    if (c == '"' || c == '\\') {
        buf_add_char(out, '\\');
        buf_add_char(out, (char)c);
    } else if (c >= 0x08 && c <= 0x0d && c != 0x0b) {
        buf_add_char(out, '\\');
        buf_add_char(out, short_names[c - 0x08]);
    } else {
        buf_printf(out, "\\u%04x", c < 0x80 ? c : 0xfffd);
    }
}

static void add_quoted(struct buf *out, struct str text)
{
    const char *at = text.ptr;
    const char *end = text.len > 0 ? text.ptr + text.len : text.ptr;
    const char *copied = at; /* all before it is written */

    buf_add_char(out, '"');
    while (at < end) {
        at = scan_quoted(at, end);
        if (at == end) {
            break;
        }
        size_t length = (unsigned char)*at >= 0x80 ? utf8_length(at, end) : 0;
        if (length > 0) {
            at += length;
            continue;
        }
        buf_add(out, copied, (size_t)(at - copied));
        add_escape(out, (unsigned char)*at);
        copied = ++at;
    }
    if (end > copied) {
        buf_add(out, copied, (size_t)(end - copied));
    }
    buf_add_char(out, '"');
}

void json_key_str(struct json_writer *writer, struct str key)
{
    begin_value(writer);
    add_quoted(writer->out, key);
    buf_add_char(writer->out, ':');
    writer->is_after_key = true;
}

void json_key(struct json_writer *writer, const char *key)
{
    json_key_str(writer, str_of(key));
}

void json_string(struct json_writer *writer, struct str value)
{
    begin_value(writer);
    add_quoted(writer->out, value);
}

void json_text(struct json_writer *writer, const char *value)
{
    if (value) {
        json_string(writer, str_of(value));
    } else {
        json_null(writer);
    }
}

void json_int(struct json_writer *writer, int64_t value)
{
    begin_value(writer);
    buf_add_int(writer->out, value);
}

void json_double(struct json_writer *writer, double value)
{
    if (!isfinite(value)) {
        json_null(writer);
        return;
    }
    begin_value(writer);
    buf_add_double(writer->out, value);
}

void json_bool(struct json_writer *writer, bool value)
{
    json_raw(writer, value ? STR("true") : STR("false"));
}

void json_null(struct json_writer *writer)
{
    json_raw(writer, STR("null"));
}

void json_raw(struct json_writer *writer, struct str value)
{
    begin_value(writer);
    buf_add_str(writer->out, value);
}

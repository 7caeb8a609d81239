/* Writes CSV (RFC 4180). Called by list.c. */
#include "web/csv.h"

#include <math.h>

void csv_writer_init(struct csv_writer *writer, struct buf *out)
{
    *writer = (struct csv_writer){ .out = out };
}

static void begin_field(struct csv_writer *writer)
{
    if (writer->is_after_field) {
        buf_add_char(writer->out, ',');
    }
    writer->is_after_field = true;
}

/* An empty text is quoted, so that it can be told from no value; so are spaces at the
 * ends, which some readers cut off. */
static bool needs_quotes(struct str value)
{
    if (value.len == 0 || value.ptr[0] == ' ' || value.ptr[value.len - 1] == ' ') {
        return true;
    }
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '"' || c == ',' || c == '\r' || c == '\n') {
            return true;
        }
    }
    return false;
}

void csv_text(struct csv_writer *writer, struct str value)
{
    begin_field(writer);
    if (!needs_quotes(value)) {
        buf_add_str(writer->out, value);
        return;
    }
    buf_add_char(writer->out, '"');
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '"') {
            buf_add_char(writer->out, '"');
        }
        buf_add_char(writer->out, value.ptr[i]);
    }
    buf_add_char(writer->out, '"');
}

void csv_int(struct csv_writer *writer, int64_t value)
{
    begin_field(writer);
    buf_add_int(writer->out, value);
}

void csv_double(struct csv_writer *writer, double value)
{
    begin_field(writer);
    if (isfinite(value)) {
        buf_add_double(writer->out, value);
    }
}

void csv_bool(struct csv_writer *writer, bool value)
{
    begin_field(writer);
    buf_add_text(writer->out, value ? "true" : "false");
}

void csv_null(struct csv_writer *writer)
{
    begin_field(writer);
}

void csv_end_record(struct csv_writer *writer)
{
    buf_add_text(writer->out, "\r\n");
    writer->is_after_field = false;
}

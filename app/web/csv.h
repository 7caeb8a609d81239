/* CSV as RFC 4180 writes it: fields by commas, records by CRLF, a field in quotes where
 * it has to be. Values are written as they are: a text that a spreadsheet takes for a
 * formula is for the spreadsheet to judge, for altering data would not be undone by a
 * reader that is none. */
#ifndef TIDEMARK_WEB_CSV_H
#define TIDEMARK_WEB_CSV_H

#include "base/buf.h"

struct csv_writer {
    struct buf *out;
    bool is_after_field; /* a comma is due */
};

void csv_writer_init(struct csv_writer *writer, struct buf *out);
void csv_text(struct csv_writer *writer, struct str value);
void csv_int(struct csv_writer *writer, int64_t value);
/* The shortest decimal that reads back alike; an empty field when not finite. */
void csv_double(struct csv_writer *writer, double value);
void csv_bool(struct csv_writer *writer, bool value);
/* No value: an empty field without quotes (an empty text is written as ""). */
void csv_null(struct csv_writer *writer);
void csv_end_record(struct csv_writer *writer);

#endif

/* CSV as RFC 4180 writes it, with any end of line: where a record ends, and its fields. Knows
 * nothing of what they mean. */
#ifndef TIDEMARK_BASE_CSV_H
#define TIDEMARK_BASE_CSV_H

#include "base/str.h"

/* Length of the record that begins at `text`, its end of line included; `lines` gets how many
 * lines it takes. 0: it does not end here (and where `is_all`, the text being the file's end, a
 * quote is not closed). */
size_t csv_record(struct str text, bool is_all, unsigned *lines);

/* Cuts a record of `len` bytes into fields, unquoting in place. Returns their number; -1 when
 * there are more than `max`, or a quote stands where none may. A blank record has none. */
int csv_split(char *record, size_t len, struct str *fields, int max);

#endif

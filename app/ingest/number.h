/* Numbers as devices write them in texts: "+5", ".5", "5.", "007", with blanks around. JSON's own
 * are base/json_number's. */
#ifndef TIDEMARK_INGEST_NUMBER_H
#define TIDEMARK_INGEST_NUMBER_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* The number that is all of `text` but blanks: decimal, with an exponent where it likes. False for
 * anything else: words, hexadecimal, NaN, what is beyond the double's range. */
bool number_read(struct str text, double *out);

/* A time as such conventions have it: an epoch by its magnitude (clock_from_epoch), a fraction of
 * seconds where it has one, or RFC 3339. False for anything else. */
bool number_read_time(struct str text, int64_t *out_us);

#endif

/* Numbers of JSON's grammar, which is stricter than strtod's. For json_read.c, and for
 * other formats whose numbers are written the same way. */
#ifndef TIDEMARK_BASE_JSON_NUMBER_H
#define TIDEMARK_BASE_JSON_NUMBER_H

#include "base/str.h"

#include <stdbool.h>

/* The end of the number that starts at `at` (before `end`), or NULL where none does:
 * RFC 8259 section 6. What follows it is not looked at. */
const char *json_number_end(const char *at, const char *end);

/* The same, with its value: correctly rounded, infinite beyond the double's range. */
const char *json_number_read(const char *at, const char *end, double *out);

/* The same for text of other languages: zeros may lead, and digits may be missing on one side of
 * the point ("007", "5.", ".5"). No plus, no hexadecimal, no words. */
const char *json_number_read_lax(const char *at, const char *end, double *out);

#endif

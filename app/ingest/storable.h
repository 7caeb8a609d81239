/* Which JSON the database's jsonb takes. \u0000 and lone surrogates are refused by base/json's
 * reader; here is the rest. */
#ifndef TIDEMARK_INGEST_STORABLE_H
#define TIDEMARK_INGEST_STORABLE_H

#include "base/str.h"

#include <stdbool.h>

/* True where a valid JSON value holds only numbers that jsonb can. */
bool storable_json(struct str text);

/* Passes over the string whose opening quote is at `at`; `end` when it does not close. */
const char *storable_pass_string(const char *at, const char *end);

#endif

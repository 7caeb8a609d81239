/* Lists of prices by time as suppliers publish them. */
#ifndef TIDEMARK_DOMAIN_PRICE_IMPORT_H
#define TIDEMARK_DOMAIN_PRICE_IMPORT_H

#include "base/clock.h"
#include "domain/price_series.h"
#include "domain/problems.h"

#define PRICE_IMPORT_METHOD "DIRECT_DEBIT"
#define PRICE_IMPORT_MAX 200000 /* points at once: five years of quarter hours */

struct price_import {
    const struct zone *zone; /* of times without an offset */
    int64_t unit_nano;       /* what 1 in the list is worth: NANO, or NANO / 100 for pence */
    bool is_without_tax;     /* value_exc_vat instead of value_inc_vat; JSON alone */
    struct str payment_method; /* JSON: of prices that are told for several, those for this one; ptr
                                * NULL: PRICE_IMPORT_METHOD */
    int minutes;             /* CSV: how long a price holds, where no column says until when */
};

/* Unit rates as Octopus publishes them: {"results":[{"value_exc_vat","value_inc_vat","valid_from",
 * "valid_to", "payment_method"}]}, newest or oldest first; without valid_to one holds until the
 * next, the last for ever. Of a local time that the clocks pass twice the order of the list says
 * which it is. False with `problems` when anything is wrong: unreadable, overlapping, not on
 * quarter hours. The points are in the arena. */
bool price_import_json(struct arena *arena, struct str text, const struct price_import *how,
                       struct price_series *out, struct problems *problems);

/* CSV: a header line that names a time (time, from, valid_from, start), a price (price, rate,
 * value, value_inc_vat) and perhaps the price's end (to, valid_to, end), then a line for each. */
bool price_import_csv(struct arena *arena, struct str text, const struct price_import *how,
                      struct price_series *out, struct problems *problems);

#endif

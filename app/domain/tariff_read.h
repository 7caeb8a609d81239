/* Reads a rate schedule's JSON document (docs/rate-schedules.md) and checks all of it. */
#ifndef TIDEMARK_DOMAIN_TARIFF_READ_H
#define TIDEMARK_DOMAIN_TARIFF_READ_H

#include "domain/problems.h"
#include "domain/tariff.h"

/* The document as a structure in the arena (the text may go). NULL when anything is wrong, and then
 * `problems`, which must be initialised, has at least one; out of memory is one of field "".
 * Unknown and repeated members are problems. That the zone exists is left to zone_exists. */
const struct tariff *tariff_read(struct arena *arena, struct str text, struct problems *problems);

#endif

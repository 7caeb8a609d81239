/* OpenEI's Utility Rate Database (https://openei.org/services/doc/rest/util_rates/): its documents
 * as rate schedules, and rate schedules as its documents as far as it can say them. */
#ifndef TIDEMARK_DOMAIN_URDB_H
#define TIDEMARK_DOMAIN_URDB_H

#include "base/json.h"
#include "domain/problems.h"
#include "domain/tariff.h"

/* Reads one rate: the object itself, or {"items":[...]} with exactly one. URDB knows no zone and no
 * currency: they are given. NULL when it cannot be read or says what we cannot; `problems`, which
 * must be initialised, says where: fields are URDB's, or of the schedule that was made of it. What
 * bears on a bill or may, and is not taken over, is added to `left`, initialised too, or NULL. */
const struct tariff *urdb_read(struct arena *arena, struct str text, struct str zone,
                               struct str currency, struct problems *problems,
                               struct problems *left);

/* Writes it as URDB. False, with `problems`, where URDB has no words for it: holidays, windows that
 * are not whole hours, seasons within a month, prices by time, taxes Nothing is written then. */
bool urdb_write(struct json_writer *json, const struct tariff *tariff, struct problems *problems);

#endif

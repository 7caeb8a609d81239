/* The energy of an overview, for overview.c alone. */
#ifndef TIDEMARK_DOMAIN_OVERVIEW_ENERGY_H
#define TIDEMARK_DOMAIN_OVERVIEW_ENERGY_H

#include "domain/energy.h"
#include "domain/overview.h"

/* Adds what these amount to, and the power they tell, to the overview's hours and days, whose
 * bounds are known, and to its devices. Only the calendars of their zones may have to be read. */
enum err overview_add_energy(struct db_tx *tx, const struct energy_sources *all,
                             struct overview *out) MUST_CHECK;

#endif

/* The energy of an overview, for overview.c alone. */
#ifndef TIDEMARK_DOMAIN_OVERVIEW_ENERGY_H
#define TIDEMARK_DOMAIN_OVERVIEW_ENERGY_H

#include "domain/energy.h"
#include "domain/overview.h"

/* Reads the energy of the overview's hours and days, whose bounds are known, and of its devices. */
enum err overview_load_energy(struct db_tx *tx, struct overview *out) MUST_CHECK;

/* Adds what these amount to. Only the calendars of their zones may have to be read. */
enum err overview_add_energy(struct db_tx *tx, const struct energy_sources *all,
                             struct overview *out) MUST_CHECK;

/* The device of that key among those shown, or NULL. */
struct overview_device *overview_find_device(struct overview *overview, const char *key);

#endif

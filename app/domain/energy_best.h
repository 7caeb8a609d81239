/* Which of a device's series count. A device may tell the same energy in several ways (an
 * interval's kWh, a meter's counter, watts). The series of a seat, which is a device's role, stand
 * in line by their place, as the database says it (core.energy_series; 1 is the best): on each
 * local day those of the best place that has data count, and no others. core.energy_slots says the
 * same for what is added up in the database. Called by the overview and by costs. */
#ifndef TIDEMARK_DOMAIN_ENERGY_BEST_H
#define TIDEMARK_DOMAIN_ENERGY_BEST_H

#include "base/arena.h"

#include <stdbool.h>

/* A seat's best places, by day. */
struct energy_best {
    int *places;
    int n_days;
};

/* Of a seat that has no data yet. False without memory. */
bool energy_best_init(struct energy_best *best, struct arena *arena, int n_days);

/* Begins with another seat. */
void energy_best_clear(struct energy_best *best);

/* A series of that place has data on the day; one outside of [0, n_days) is none. */
void energy_best_note(struct energy_best *best, int day, int place);

/* Whether any of the seat's series has data on the day. */
bool energy_best_is_known(const struct energy_best *best, int day);

/* Whether series of that place count on the day. */
bool energy_best_counts(const struct energy_best *best, int day, int place);

/* Whether two series are of one seat. */
bool energy_is_one_seat(const char *device, const char *role, const char *other_device,
                        const char *other_role);

#endif

/* Finds the best of what tells the same energy. Pure. */
#include "domain/energy_best.h"

#include <limits.h>
#include <string.h>

#define NO_PLACE INT_MAX

bool energy_best_init(struct energy_best *best, struct arena *arena, int n_days)
{
    best->places = arena_array(arena, (size_t)n_days + 1, sizeof *best->places);
    best->n_days = n_days;
    if (!best->places) {
        return false;
    }
    energy_best_clear(best);
    return true;
}

void energy_best_clear(struct energy_best *best)
{
    for (int day = 0; day < best->n_days; day++) {
        best->places[day] = NO_PLACE;
    }
}

static bool is_inside(const struct energy_best *best, int day)
{
    return day >= 0 && day < best->n_days;
}

void energy_best_note(struct energy_best *best, int day, int place)
{
    if (is_inside(best, day) && best->places[day] > place) {
        best->places[day] = place;
    }
}

bool energy_best_is_known(const struct energy_best *best, int day)
{
    return is_inside(best, day) && best->places[day] != NO_PLACE;
}

bool energy_best_counts(const struct energy_best *best, int day, int place)
{
    return is_inside(best, day) && best->places[day] == place;
}

bool energy_is_one_seat(const char *device, const char *role, const char *other_device,
                        const char *other_role)
{
    return strcmp(device, other_device) == 0 && strcmp(role, other_role) == 0;
}

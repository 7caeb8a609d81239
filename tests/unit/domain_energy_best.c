/* domain/energy_best: on each day the best place that has data counts. */
#include "domain/energy_best.h"

#include "tap.h"

static void check_days(struct energy_best *best)
{
    energy_best_note(best, 0, 2);
    energy_best_note(best, 1, 3);
    energy_best_note(best, 1, 1);
    energy_best_note(best, 1, 2);
    energy_best_note(best, -1, 1);
    energy_best_note(best, 3, 1);
    ok(energy_best_counts(best, 0, 2) && !energy_best_counts(best, 0, 1), "the only one counts");
    ok(energy_best_counts(best, 1, 1) && !energy_best_counts(best, 1, 2) &&
           !energy_best_counts(best, 1, 3),
       "of several the best counts alone, whatever their order");
    ok(energy_best_is_known(best, 1) && !energy_best_is_known(best, 2),
       "a day without data is not known");
    ok(!energy_best_is_known(best, -1) && !energy_best_is_known(best, 3) &&
           !energy_best_counts(best, 3, 1),
       "days outside have nothing");
    energy_best_clear(best);
    ok(!energy_best_is_known(best, 0) && !energy_best_is_known(best, 1), "another seat begins anew");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 16);
    struct energy_best best;
    ok(energy_best_init(&best, arena, 3), "three days");
    check_days(&best);
    ok(energy_is_one_seat("a", "consumption", "a", "consumption") &&
           !energy_is_one_seat("a", "consumption", "a", "generation") &&
           !energy_is_one_seat("a", "consumption", "b", "consumption"),
       "a seat is a device's role");
    arena_free(arena);
    return done_testing();
}

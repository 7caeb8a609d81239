/* In which order percentages and minimums are taken, as they may be of one another: a minimum is of
 * all versions of a schedule, and of what their charges before it come to. Called by rating.c and
 * bill.c. */
#include "domain/rating_parts.h"

int rating_same_charge(const struct rating_input *input, const struct rating_derived *of,
                       int version)
{
    const struct rating_version *versions = input->versions;

    if (version < 0 || versions[version].schedule_id != versions[of->version].schedule_id) {
        return -1;
    }
    const char *code = tariff_of(versions[of->version].plan)->charges[of->charge].code;
    return rating_charge_coded(tariff_of(versions[version].plan), code);
}

struct ordering {
    const struct rating_input *input;
    uint64_t *seen; /* by version: a bit each charge */
    struct rating_derived *items;
    int n;
};

static void add(struct ordering *all, int version, int charge);

/* Adds those that a charge is of. */
static void add_bases(struct ordering *all, int version, int charge)
{
    const struct tariff *tariff = tariff_of(all->input->versions[version].plan);

    for (int i = 0; i < charge; i++) {
        if (tariff->charges[charge].on >> i & 1) {
            add(all, version, i);
        }
    }
}

/* Adds a charge, unless it is there, behind those that it is of. */
static void add(struct ordering *all, int version, int charge)
{
    const struct rating_input *input = all->input;
    const struct rating_derived of = { version, charge };
    const struct tariff_charge *self = &tariff_of(input->versions[version].plan)->charges[charge];

    if ((!self->is_percent && self->kind != CHARGE_MINIMUM) || all->seen[version] >> charge & 1) {
        return;
    }
    all->seen[version] |= UINT64_C(1) << charge;
    if (self->is_percent) {
        add_bases(all, version, charge);
    }
    for (int i = 0; !self->is_percent && i < input->n_versions; i++) {
        int same = rating_same_charge(input, &of, i);
        if (same >= 0) {
            all->seen[i] |= UINT64_C(1) << same;
            add_bases(all, i, same);
        }
    }
    all->items[all->n++] = of;
}

struct rating_derived *rating_derive(struct arena *arena, const struct rating_input *input, int *n)
{
    struct ordering all = {
        .input = input,
        .seen = arena_array(arena, (size_t)input->n_versions + 1, sizeof *all.seen),
    };
    size_t most = 1;

    for (int i = 0; i < input->n_versions; i++) {
        most += (size_t)tariff_of(input->versions[i].plan)->n_charges;
    }
    all.items = arena_array(arena, most, sizeof *all.items);
    for (int i = 0; all.seen && all.items && i < input->n_versions; i++) {
        const struct tariff *tariff = tariff_of(input->versions[i].plan);
        for (int charge = 0; charge < tariff->n_charges; charge++) {
            add(&all, i, charge);
        }
    }
    *n = all.n;
    return all.seen ? all.items : NULL;
}

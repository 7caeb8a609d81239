/* Says which series a day's energy comes from, by the rules of cost_energy.h. Called by the API. */
#include "domain/cost_explain.h"

#include "db/db.h"
#include "domain/cost_parts.h"

#include <string.h>

static bool is_grid(const struct cost_meter *meter)
{
    return strcmp(meter->role, "grid_import") == 0 || strcmp(meter->role, "grid_export") == 0;
}

static bool is_counting(const struct cost_meter *meter)
{
    return is_grid(meter) || strcmp(meter->role, "consumption") == 0 ||
           strcmp(meter->role, "generation") == 0;
}

static void add_points(struct cost_source *source, int64_t from_us, int64_t to_us)
{
    const struct cost_meter *meter = source->meter;

    for (int i = 0; i < meter->n; i++) {
        if (meter->at_us[i] >= from_us && meter->at_us[i] < to_us) {
            source->energy = quantity_add(source->energy, meter->nkwh[i]);
            source->n_quarters++;
        }
    }
}

/* Whether another one takes its place: a better one of the same, or a meter at the grid. */
static bool is_outdone(const struct cost_source *source, const struct cost_source *by,
                       bool feeds_alone)
{
    bool is_same = strcmp(source->meter->device, by->meter->device) == 0 &&
                   strcmp(source->meter->role, by->meter->role) == 0;

    return (is_same && by->meter->place < source->meter->place) ||
           (is_grid(by->meter) && !is_grid(source->meter) && !feeds_alone);
}

static bool has_role(const struct cost_sources *sources, const char *role)
{
    for (int i = 0; i < sources->n; i++) {
        if (strcmp(sources->items[i].meter->role, role) == 0) {
            return true;
        }
    }
    return false;
}

enum err cost_explain(struct db_tx *tx, struct cost_account *account, int64_t from_us,
                      int64_t to_us, struct cost_sources *out)
{
    enum err err = cost_read_all(tx, account, from_us, to_us);

    *out = (struct cost_sources){
        arena_array(db_op(tx)->arena, (size_t)account->n_meters + 1, sizeof *out->items), 0
    };
    if (err != OK) {
        return err;
    }
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < account->n_meters; i++) {
        struct cost_source source = { .meter = &account->meters[i] };
        add_points(&source, from_us, to_us);
        if (source.n_quarters > 0) {
            out->items[out->n++] = source;
        }
    }
    bool feeds_alone = !has_role(out, "grid_import") && has_role(out, "consumption");
    for (int i = 0; i < out->n; i++) {
        out->items[i].is_counted = is_counting(out->items[i].meter);
        for (int j = 0; j < out->n && out->items[i].is_counted; j++) {
            out->items[i].is_counted = !is_outdone(&out->items[i], &out->items[j], feeds_alone);
        }
    }
    return OK;
}

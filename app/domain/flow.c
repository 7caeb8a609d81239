/* Sums by role and what follows from them. See flow.h for the rules; they are DESIGN's of
 * bills: series at the grid count, sub-meters are shown and never added. */
#include "domain/flow.h"

#include <math.h>
#include <string.h>

struct flow flow_none(void)
{
    return (struct flow){ NAN, NAN, NAN, NAN };
}

static void add(double *sum, double value)
{
    *sum = isnan(*sum) ? value : *sum + value;
}

void flow_add(struct flow *flow, const char *role, double value)
{
    if (isnan(value)) {
        return;
    }
    if (strcmp(role, "consumption") == 0) {
        add(&flow->consumption, value);
    } else if (strcmp(role, "generation") == 0) {
        add(&flow->generation, value);
    } else if (strcmp(role, "grid_import") == 0) {
        add(&flow->grid_import, value);
    } else if (strcmp(role, "grid_export") == 0) {
        add(&flow->grid_export, value);
    }
}

static double or_zero(double value)
{
    return isnan(value) ? 0 : value;
}

double flow_used(const struct flow *flow)
{
    if (isnan(flow->grid_import)) {
        return flow->consumption;
    }
    double used = flow->grid_import - or_zero(flow->grid_export) + or_zero(flow->generation);
    /* Meters are not read at the same instant: what is left can be a little below nothing. */
    return used < 0 ? 0 : used;
}

double flow_net(const struct flow *flow)
{
    if (!isnan(flow->grid_import)) {
        return flow->grid_import - or_zero(flow->grid_export);
    }
    if (isnan(flow->consumption) || isnan(flow->generation)) {
        return NAN;
    }
    return flow->consumption - flow->generation;
}

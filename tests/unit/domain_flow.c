/* domain/flow: what sums by role say of a place. Answers by hand. */
#include "domain/flow.h"

#include "tap.h"

#include <math.h>

static struct flow flow_of(double consumption, double generation, double import, double export)
{
    struct flow flow = flow_none();
    flow_add(&flow, "consumption", consumption);
    flow_add(&flow, "generation", generation);
    flow_add(&flow, "grid_import", import);
    flow_add(&flow, "grid_export", export);
    return flow;
}

struct flow_case {
    const char *name;
    double consumption, generation, import, export;
    double used, net;
};

static const struct flow_case cases[] = {
    { "plugs alone: their sum, the grid is not known", 300, NAN, NAN, NAN, 300, NAN },
    { "plugs and a roof: the grid is the rest", 300, 120, NAN, NAN, 300, 180 },
    { "more sun than use goes to the grid", 100, 250, NAN, NAN, 100, -150 },
    { "a meter at the grid: its devices are part of it", 300, NAN, 800, NAN, 800, 800 },
    { "a meter and a roof: import and generation less export", 50, 500, 20, 400, 120, -380 },
    { "meters read at different instants leave no negative use", NAN, 100, 0, 130, 0, -130 },
    { "generation alone uses nothing that is known", NAN, 100, NAN, NAN, NAN, NAN },
    { "nothing known stays unknown", NAN, NAN, NAN, NAN, NAN, NAN },
    { "zero is known", 0, 0, NAN, NAN, 0, 0 },
};

static bool is_same(double a, double b)
{
    return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9;
}

int main(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct flow_case *c = &cases[i];
        struct flow flow = flow_of(c->consumption, c->generation, c->import, c->export);
        bool is_right = is_same(flow_used(&flow), c->used) && is_same(flow_net(&flow), c->net);
        if (!ok(is_right, "%s", c->name)) {
            diag("used %g, net %g", flow_used(&flow), flow_net(&flow));
        }
    }
    struct flow flow = flow_none();
    flow_add(&flow, "consumption", 1.5);
    flow_add(&flow, "consumption", 2.5);
    flow_add(&flow, "sub_meter", 100);
    flow_add(&flow, "storage", 100);
    ok(is_same(flow_used(&flow), 4), "values of a role add up, sub-meters and storage do not");
    return done_testing();
}

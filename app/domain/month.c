/* Adds up the days of two months. Called by the overview's model. */
#include "domain/month.h"

#include <math.h>

static void add_known(double *sum, double value)
{
    if (!isnan(value)) {
        *sum = isnan(*sum) ? value : *sum + value;
    }
}

static struct month_part part_of(const struct overview_slot *days, int n)
{
    struct month_part part = {
        .from_us = days[0].from_us, .n_days = n, .used = NAN, .generated = NAN,
    };
    for (int i = 0; i < n; i++) {
        double used = flow_used(&days[i].energy);
        part.n_known += !isnan(used);
        add_known(&part.used, used);
        add_known(&part.generated, days[i].energy.generation);
    }
    return part;
}

/* The first day of the month that day `i` is in, as far as the days reach back. */
static int month_start(const struct overview *overview, int i)
{
    for (; i > 0; i--) {
        if (zone_is_month_start(&overview->zone, overview->days[i].from_us)) {
            break;
        }
    }
    return i;
}

struct month month_of(const struct overview *overview)
{
    const struct overview_slot *days = overview->days;
    int today = overview->n_days - 1;
    int here = month_start(overview, today);
    int there = here > 0 ? month_start(overview, here - 1) : 0;
    int n_over = today - here, n_whole = here - there;
    int n_same = n_over < n_whole ? n_over : n_whole;
    return (struct month){
        .so_far = part_of(days + here, today - here + 1),
        .same = part_of(days + here, n_same),
        .before = part_of(days + there, n_same),
        .whole = part_of(days + there, n_whole),
    };
}

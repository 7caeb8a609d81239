/* Tells what a schedule's bill lacks, and which of those that lack nothing is the cheapest. */
#include "web/what_if.h"

#include "view/format.h"
#include "view/format_money.h"

#include <string.h>

static bool is_of(const struct bill_sum *sum, const char *currency)
{
    return sum && strcmp(sum->currency, currency) == 0;
}

/* The most energy that one of the currency's bills has. */
static struct quantity most_energy(const struct what_if *all, const char *currency)
{
    struct quantity most = { 0 };

    for (int i = 0; i < all->n; i++) {
        const struct bill_sum *sum = all->sums[i];
        if (is_of(sum, currency) && sum->energy.nano > most.nano) {
            most = sum->energy;
        }
    }
    return most;
}

/* Schedules of several time zones have not the same hours in the same days. */
static struct quantity less_energy(const struct what_if *all, const struct bill_sum *sum)
{
    struct quantity most = most_energy(all, sum->currency);

    return (struct quantity){ sum->has_energy ? most.nano - sum->energy.nano : 0 };
}

static bool is_whole(const struct what_if *all, const struct bill_sum *sum)
{
    return sum->n_unpriced == 0 && sum->n_days_unpriced == 0 && less_energy(all, sum).nano == 0;
}

const char *what_if_lack(struct arena *arena, const struct what_if *all, int at)
{
    const struct bill_sum *sum = all->sums[at];

    if (is_whole(all, sum)) {
        return NULL;
    }
    if (sum->n_unpriced > 0) {
        return arena_printf(arena, "no prices for %lld interval%s", (long long)sum->n_unpriced,
                            sum->n_unpriced == 1 ? "" : "s");
    }
    if (sum->n_days_unpriced > 0) {
        return arena_printf(arena, "no schedule on %d day%s", sum->n_days_unpriced,
                            sum->n_days_unpriced == 1 ? "" : "s");
    }
    return arena_printf(arena, "%s" FORMAT_NBSP "kWh less than others in its days",
                        format_nano(arena, less_energy(all, sum), 3));
}

const struct bill_sum *what_if_cheapest(const struct what_if *all, const char *currency)
{
    const struct bill_sum *found = NULL;

    for (int i = 0; i < all->n; i++) {
        const struct bill_sum *sum = all->sums[i];
        if (is_of(sum, currency) && is_whole(all, sum) &&
            (!found || money_compare(sum->total, found->total) < 0)) {
            found = sum;
        }
    }
    return found;
}

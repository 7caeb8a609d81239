/* Which days the schedules in force rate together: those that a ratchet looks back to, and those of
 * one currency and zone. Reads nothing. Called by cost.c and by the ledger's files. */
#include "domain/cost_parts.h"
#include "domain/span.h"

#include <string.h>

/* ---- currencies and zones ---- */

/* The tariff in force on a day; NULL: there is none. */
static const struct tariff *tariff_on(const struct cost_rates *rates, int64_t day)
{
    int version = rating_version_on(rates->versions, rates->n, day, INT64_MAX);

    return version < 0 ? NULL : tariff_of(rates->versions[version].plan);
}

const struct tariff *cost_last_tariff(const struct cost_account *account, int64_t from_day,
                                      int64_t to_day)
{
    for (int64_t day = to_day - 1; day >= from_day; day--) {
        const struct tariff *tariff = tariff_on(&account->rates, day);
        if (tariff) {
            return tariff;
        }
    }
    return NULL;
}

static bool differs(const struct tariff *a, const struct tariff *b)
{
    return strcmp(a->currency, b->currency) != 0 || strcmp(a->timezone, b->timezone) != 0;
}

/* `day` is the first that is not as those before it. */
static enum err refuse_mixed(struct op *op, const struct tariff *before, const struct tariff *from,
                             int64_t day)
{
    bool is_zone = strcmp(before->currency, from->currency) == 0;
    const char *text = span_day_text(op->arena, day);

    if (!text) {
        return fail_memory(op);
    }
    return fail(op, ERR_INVALID,
                "These days are billed in different %s, %s and from %s on %s: ask for days of one "
                "of them.", is_zone ? "time zones" : "currencies",
                is_zone ? before->timezone : before->currency, text,
                is_zone ? from->timezone : from->currency);
}

enum err cost_check_rates(struct op *op, struct cost_account *account)
{
    const struct rating_input *input = &account->input;
    const struct tariff *last = cost_last_tariff(account, input->from_day, input->to_day);
    const struct tariff *first = NULL;

    for (int64_t day = input->from_day; last && day < input->to_day; day++) {
        const struct tariff *tariff = tariff_on(&account->rates, day);
        first = first ? first : tariff;
        if (tariff && differs(tariff, first)) {
            account->mixed_day = day;
            account->mixed_zones[0] = first->timezone;
            account->mixed_zones[1] = tariff->timezone;
            return refuse_mixed(op, first, tariff, day);
        }
    }
    if (last) {
        account->currency = last->currency;
        account->decimals = last->currency_decimals;
    }
    return OK;
}

int64_t cost_same_until(const struct cost_rates *rates, int64_t from_day, int64_t to_day)
{
    const struct tariff *first = NULL;

    for (int64_t day = from_day; day < to_day; day++) {
        const struct tariff *tariff = tariff_on(rates, day);
        first = first ? first : tariff;
        if (tariff && differs(tariff, first)) {
            return day;
        }
    }
    return to_day;
}

/* The first of the days [floor_day, to_day) since which all are billed as `last` or, where that is
 * NULL, as the last of them that is billed at all. */
static int64_t same_since(const struct cost_rates *rates, int64_t floor_day, int64_t to_day,
                          const struct tariff *last)
{
    for (int64_t day = to_day - 1; day >= floor_day; day--) {
        const struct tariff *tariff = tariff_on(rates, day);
        last = last ? last : tariff;
        if (tariff && differs(tariff, last)) {
            return day + 1;
        }
    }
    return floor_day;
}

int64_t cost_same_since(const struct cost_rates *rates, int64_t floor_day, int64_t from_day,
                        int64_t to_day)
{
    const struct tariff *first = NULL;

    for (int64_t day = from_day; !first && day < to_day; day++) {
        first = tariff_on(rates, day);
    }
    return first ? same_since(rates, floor_day, from_day, first) : floor_day;
}

/* ---- bills ---- */

int64_t cost_bill_since(const struct cost_rates *rates, int64_t to_day)
{
    struct rating_cycle cycle = rating_cycle_of(rates->versions, rates->n, to_day - 1, INT64_MAX);

    return same_since(rates, cycle.from_day, to_day, NULL);
}

int64_t cost_bill_until(const struct cost_rates *rates, int64_t from_day)
{
    struct rating_cycle cycle = rating_cycle_of(rates->versions, rates->n, from_day, INT64_MAX);

    return cost_same_until(rates, from_day, cycle.to_day);
}

/* ---- ratchets ---- */

/* How many cycles back the highest demand of earlier ones is asked for. */
static int ratchet_cycles(const struct cost_rates *rates, int64_t from_day, int64_t to_day)
{
    int most = 0;

    for (int i = 0; i < rates->n; i++) {
        const struct rating_version *version = &rates->versions[i];
        const struct tariff *tariff = tariff_of(version->plan);
        bool is_in_force = version->from_day < to_day && version->to_day > from_day;
        for (int c = 0; is_in_force && c < tariff->n_charges; c++) {
            int cycles = tariff->charges[c].ratchet_percent > 0 ? tariff->charges[c].ratchet_cycles
                                                                : 0;
            most = cycles > most ? cycles : most;
        }
    }
    return most;
}

bool cost_has_ratchets(const struct cost_rates *rates)
{
    return ratchet_cycles(rates, INT64_MIN, INT64_MAX) > 0;
}

int64_t cost_ratchet_day(const struct cost_rates *rates, int64_t from_day, int64_t to_day)
{
    int cycles = ratchet_cycles(rates, from_day, to_day);
    int64_t day = rating_cycles_before(rates->versions, rates->n, from_day, cycles, INT64_MAX);

    return cost_same_since(rates, day, from_day, to_day);
}

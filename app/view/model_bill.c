/* Lines of bills in words. Called by web/page_bill.c and web/page_what_if.c. */
#include "view/model_bill.h"

#include "domain/span.h"
#include "view/format_money.h"
#include "view/model_parts.h"

#include <string.h>

#define MEAN_DECIMALS 5 /* of several prices: those of one are shown as they are */

static const char *const kinds[] = {
    [CHARGE_ENERGY] = "Energy",   [CHARGE_DEMAND] = "Demand",   [CHARGE_FIXED] = "Fixed charge",
    [CHARGE_EXPORT] = "Fed in",   [CHARGE_MINIMUM] = "Minimum", [CHARGE_TAX] = "Tax",
    [CHARGE_RIDER] = "Surcharge",
};

static const char *charge_words(struct arena *arena, const struct tariff_charge *charge)
{
    const char *kind = kinds[charge->kind];

    return charge->name[0] != '\0' ? arena_printf(arena, "%s: %s", kind, charge->name) : kind;
}

static const char *join(struct arena *arena, const char *a, const char *b)
{
    return a && b ? arena_printf(arena, "%s, %s", a, b) : a ? a : b;
}

/* "Summer, Peak, tier 2" */
static const char *when_words(struct arena *arena, const struct tariff *tariff,
                              const struct bill_line *line)
{
    const char *season = line->season == TARIFF_ANY || tariff->n_seasons < 2
                             ? NULL
                             : tariff->seasons[line->season].title;
    const char *period = tariff->n_periods > 1 ? line->period : NULL;
    const char *tier = line->tier > 0 ? arena_printf(arena, "tier %d", line->tier) : NULL;

    return join(arena, join(arena, season, period), tier);
}

static const char *unit_words(const struct bill_line *line)
{
    static const char *const many[] = { "kWh", "kW", "days", "months", "years", "times", "%" };
    bool is_one = line->quantity.nano == NANO;

    return is_one && line->unit != UNIT_TIMES ? BILL_UNIT_NAMES[line->unit] : many[line->unit];
}

static const char *money_words(struct arena *arena, const struct cost_account *account,
                               struct money amount)
{
    return format_money(arena, amount, account->decimals, account->currency);
}

static const char *quantity_words(struct arena *arena, const struct cost_account *account,
                                  const struct bill_line *line)
{
    if (line->unit == UNIT_PERCENT) {
        const char *base = money_words(arena, account, line->base);
        return base ? arena_printf(arena, "of %s", base) : NULL;
    }
    if (line->charge->kind == CHARGE_MINIMUM) {
        return FORMAT_NONE;
    }
    const char *number = format_nano(arena, line->quantity, line->unit == UNIT_KWH ? 3 : 2);
    return number ? arena_printf(arena, "%s" FORMAT_NBSP "%s", number, unit_words(line)) : NULL;
}

static const char *rate_words(struct arena *arena, const struct bill_line *line)
{
    if (line->has_one_rate) {
        const char *rate = format_rate(arena, line->rate, 2);
        bool is_percent = line->unit == UNIT_PERCENT;
        return is_percent && rate ? arena_printf(arena, "%s" FORMAT_NBSP "%%", rate) : rate;
    }
    const char *mean = format_nano(arena, (struct quantity){ line->rate }, MEAN_DECIMALS);
    return mean ? arena_printf(arena, "%s on average", mean) : NULL;
}

static const char *note_words(struct arena *arena, const struct cost_account *account,
                              const struct bill_line *line)
{
    if (line->charge->kind == CHARGE_DEMAND && line->at_us != 0) {
        return arena_printf(arena, "highest on %s",
                            format_moment(arena, &account->zone, line->at_us));
    }
    if (line->charge->kind == CHARGE_MINIMUM) {
        return arena_printf(arena, "the rest of it: %s was reached",
                            money_words(arena, account, line->base));
    }
    if (line->n_unpriced > 0) {
        return arena_printf(arena, "without %d intervals that have no price yet",
                            line->n_unpriced);
    }
    return account->rates.n > 1 ? days_name(arena, line->from_day, line->to_day - 1) : NULL;
}

static struct bill_row row_of(struct arena *arena, const struct cost_account *account,
                              const struct bill_line *line)
{
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);

    return (struct bill_row){
        .charge = charge_words(arena, line->charge),
        .when = when_words(arena, tariff, line),
        .note = note_words(arena, account, line),
        .quantity = quantity_words(arena, account, line),
        .rate = rate_words(arena, line),
        .amount = money_words(arena, account, line->amount),
        .is_credit = money_sign(line->amount) < 0,
    };
}

/* "Time of use, version 2", of several: joined. */
static const char *source_of(struct arena *arena, const struct cost_account *account,
                             const struct bill *bill)
{
    const char *text = NULL;
    int last = -1;

    for (size_t i = 0; i < bill->n_lines; i++) {
        int version = bill->lines[i].version;
        if (version != last) {
            const struct cost_cite *cite = &account->rates.cites[version];
            const char *name = cite->number > 0
                                   ? arena_printf(arena, "%s, version %d", cite->name, cite->number)
                                   : cite->name;
            text = text && name ? arena_printf(arena, "%s; %s", text, name) : name;
        }
        last = version;
    }
    return text ? text : "No rate schedule was in force";
}

static const char *name_of(struct arena *arena, const struct cost_account *account)
{
    if (account->device) {
        return arena_printf(arena, "Device %s", account->device);
    }
    return account->site ? arena_printf(arena, "Site %s", account->site) : "Without a site";
}

bool bill_parts(struct arena *arena, const struct cost_accounts *accounts,
                const struct bill *bills, const struct bill_part **out)
{
    struct bill_part *parts = arena_array(arena, (size_t)accounts->n, sizeof *parts);

    for (int i = 0; parts && i < accounts->n; i++) {
        const struct cost_account *account = &accounts->items[i];
        const struct bill *bill = &bills[i];
        struct bill_row *rows = arena_array(arena, bill->n_lines + 1, sizeof *rows);
        if (!rows) {
            return false;
        }
        for (size_t n = 0; n < bill->n_lines; n++) {
            rows[n] = row_of(arena, account, &bill->lines[n]);
        }
        parts[i] = (struct bill_part){
            .name = name_of(arena, account),
            .source = source_of(arena, account, bill),
            .rows = rows,
            .n_rows = (int)bill->n_lines,
            .total = format_money(arena, bill->total, bill->decimals, account->currency),
        };
    }
    *out = parts;
    return parts != NULL;
}

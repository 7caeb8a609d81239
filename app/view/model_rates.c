/* A rate schedule's document as people read it: the week of each season hour by hour, and its
 * prices. Called by web/page_rate.c. */
#include "view/model_rates.h"

#include <string.h>

#define TINTS 6

static const char *const DAY_NAMES[TARIFF_DAY_CLASSES] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "Holidays",
};

/* ---- the week ---- */

/* A for the first period, then B …; those after Z by number. */
static const char *letter_of(struct arena *arena, int period)
{
    return period < 26 ? arena_printf(arena, "%c", 'A' + period)
                       : arena_printf(arena, "%d", period + 1);
}

static struct rate_hour hour_of(struct arena *arena, const struct tariff *tariff,
                                const struct tariff_day_plan *day, int hour)
{
    int first = tariff_segment_at(day, hour * 60), last = tariff_segment_at(day, hour * 60 + 59);
    int period = day->segments[first].period;
    struct rate_hour out = { letter_of(arena, period), tariff->periods[period].title,
                             period % TINTS };

    if (first != last) {
        int next = day->segments[last].period, minute = day->segments[last].from - hour * 60;
        out.title = arena_printf(arena, "%s, from minute %d %s", out.title, minute,
                                 tariff->periods[next].title);
    }
    return out;
}

static bool add_seasons(struct arena *arena, const struct tariff *tariff, struct rate_view *view)
{
    const struct tariff_plan *plan = tariff_compile(arena, tariff);
    struct rate_season *seasons = arena_array(arena, (size_t)tariff->n_seasons, sizeof *seasons);

    if (!plan || !seasons) {
        return false;
    }
    for (int season = 0; season < tariff->n_seasons; season++) {
        seasons[season].title = tariff->seasons[season].title;
        seasons[season].n_days = tariff->n_holidays > 0 ? TARIFF_DAY_CLASSES
                                                        : TARIFF_DAY_CLASSES - 1;
        for (int class = 0; class < seasons[season].n_days; class++) {
            struct rate_weekday *day = &seasons[season].days[class];
            const struct tariff_day_plan *hours =
                tariff_class_plan(plan, TARIFF_IMPORT, season, class);
            day->name = DAY_NAMES[class];
            for (int hour = 0; hour < 24; hour++) {
                day->hours[hour] = hour_of(arena, tariff, hours, hour);
            }
        }
    }
    view->seasons = seasons;
    view->n_seasons = tariff->n_seasons;
    return true;
}

static bool add_periods(struct arena *arena, const struct tariff *tariff, struct rate_view *view)
{
    struct rate_period_row *rows = arena_array(arena, (size_t)tariff->n_periods, sizeof *rows);

    for (int i = 0; rows && i < tariff->n_periods; i++) {
        rows[i] = (struct rate_period_row){ letter_of(arena, i), tariff->periods[i].title,
                                            i % TINTS };
    }
    view->periods = rows;
    view->n_periods = tariff->n_periods;
    return rows != NULL;
}

/* ---- prices ---- */

/* "Summer, Peak", "always" */
static const char *when_of(struct arena *arena, const struct tariff *tariff,
                           const struct tariff_price *price)
{
    const char *season = price->season == TARIFF_ANY ? NULL : tariff->seasons[price->season].title;
    const char *period = price->period == TARIFF_ANY ? NULL : tariff->periods[price->period].title;

    if (season && period) {
        return arena_printf(arena, "%s, %s", season, period);
    }
    return season ? season : period ? period : "Always";
}

static const char *decimal(struct arena *arena, int64_t nano)
{
    char text[MONEY_TEXT_SIZE];

    return arena_copy(arena, str_of(decimal_format(nano, MONEY_MAX_DECIMALS, 2, text)));
}

/* "0.10 up to 100 kWh, then 0.20", "spot × 1.03 + 0.015" */
static const char *price_text(struct arena *arena, const struct tariff *tariff,
                              const struct tariff_charge *charge, const struct tariff_price *price)
{
    const char *unit = charge->kind == CHARGE_DEMAND ? "kW" : "kWh";

    if (price->series >= 0) {
        return arena_printf(arena, "%s × %s + %s a kWh", tariff->series[price->series].name,
                            decimal(arena, price->factor), decimal(arena, price->add));
    }
    const char *text = "";
    for (int i = 0; text && i < price->n_tiers; i++) {
        const struct tariff_tier *tier = &price->tiers[i];
        const char *rate = decimal(arena, tier->rate), *then = i > 0 ? ", then " : "";
        text = tier->up_to == TARIFF_NO_LIMIT
                   ? arena_printf(arena, "%s%s%s", text, then, rate)
                   : arena_printf(arena, "%s%s%s up to %s%s", text, then, rate,
                                  decimal(arena, tier->up_to),
                                  charge->is_of_baseline ? " % of the baseline" : "");
    }
    return text ? arena_printf(arena, "%s a %s", text, unit) : NULL;
}

/* Of a charge without prices: an amount, or a percentage. */
static const char *amount_text(struct arena *arena, const struct tariff_charge *charge)
{
    static const char *const per[] = { "a day", "a billing month", "a year", "on its dates" };

    return charge->is_percent
               ? arena_printf(arena, "%s %%", decimal(arena, charge->percent))
               : arena_printf(arena, "%s %s", decimal(arena, charge->amount), per[charge->per]);
}

static bool add_prices(struct arena *arena, const struct tariff *tariff, struct rate_view *view)
{
    size_t n = 0;

    for (int i = 0; i < tariff->n_charges; i++) {
        n += (size_t)tariff->charges[i].n_prices + 1;
    }
    struct rate_price_row *rows = arena_array(arena, n, sizeof *rows);
    if (!rows) {
        return false;
    }
    for (int i = 0; i < tariff->n_charges; i++) {
        const struct tariff_charge *charge = &tariff->charges[i];
        for (int j = 0; j < charge->n_prices; j++) {
            rows[view->n_prices++] = (struct rate_price_row){
                charge->code, when_of(arena, tariff, &charge->prices[j]),
                price_text(arena, tariff, charge, &charge->prices[j])
            };
        }
        if (charge->n_prices == 0) {
            rows[view->n_prices++] = (struct rate_price_row){ charge->code, "Always",
                                                              amount_text(arena, charge) };
        }
    }
    view->prices = rows;
    return true;
}

bool model_rate(struct arena *arena, const struct tariff *tariff, struct rate_view *view)
{
    view->description = tariff->description;
    view->source = tariff->source;
    return add_periods(arena, tariff, view) && add_seasons(arena, tariff, view) &&
           add_prices(arena, tariff, view);
}

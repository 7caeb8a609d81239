/* Why a day costs what it costs: the lines of its charges with schedule, version, period, tier and
 * rate, and the series that were counted. Called by view/model_costs.c. */
#include "view/model_costs.h"

#include "domain/span.h"
#include "view/format_money.h"
#include "view/link.h"
#include "view/model_parts.h"

#include <string.h>

#define EXACT_DECIMALS 6 /* of an amount that is not rounded yet */

static const struct { const char *role, *words; } roles[] = {
    { "grid_import", "from the grid" }, { "grid_export", "to the grid" },
    { "consumption", "uses" },          { "generation", "generates" },
    { "sub_meter", "sub-meter" },       { "storage", "storage" },
};

static const char *role_words(const char *role)
{
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        if (strcmp(role, roles[i].role) == 0) {
            return roles[i].words;
        }
    }
    return role;
}

static const char *when_of(struct arena *arena, const struct tariff *tariff,
                           const struct rating_line *line)
{
    const char *season = line->season == TARIFF_ANY || tariff->n_seasons < 2
                             ? NULL
                             : tariff->seasons[line->season].title;
    const char *period =
        line->period == TARIFF_ANY ? NULL : tariff->periods[line->period].title;

    if (season && period) {
        return arena_printf(arena, "%s, %s", season, period);
    }
    return season ? season : period ? period : "–";
}

static const char *unit_of(const struct tariff_charge *charge)
{
    return charge->kind == CHARGE_DEMAND                              ? "kW"
           : charge->kind == CHARGE_FIXED                             ? "times"
           : charge->kind == CHARGE_MINIMUM || charge->is_percent ? ""
                                                                      : "kWh";
}

static const char *quantity_words(struct arena *arena, const struct tariff_charge *charge,
                                  const struct rating_line *line)
{
    const char *unit = unit_of(charge);
    const char *number = format_nano(arena, (struct quantity){ line->quantity }, 4);

    return unit[0] == '\0' || !number ? "–"
                                      : arena_printf(arena, "%s" FORMAT_NBSP "%s", number, unit);
}

static const char *rate_words(struct arena *arena, const struct tariff_charge *charge,
                              const struct rating_line *line)
{
    if (!line->has_one_rate) {
        return "by time";
    }
    const char *rate = format_rate(arena, line->rate, 2);
    return charge->is_percent && rate ? arena_printf(arena, "%s" FORMAT_NBSP "%%", rate) : rate;
}

static struct why_line line_view(struct arena *arena, const struct costs_facts *facts,
                                 const struct cost_account *account,
                                 const struct rating_line *line)
{
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);
    const struct tariff_charge *charge = &tariff->charges[line->charge];
    const struct cost_cite *cite = &account->rates.cites[line->version];

    return (struct why_line){
        .charge = charge->code,
        .when = when_of(arena, tariff, line),
        .tier = line->tier == TARIFF_ANY ? "–" : arena_printf(arena, "%d", line->tier + 1),
        .quantity = quantity_words(arena, charge, line),
        .rate = rate_words(arena, charge, line),
        .amount = format_money(arena, line->amount, EXACT_DECIMALS, account->currency),
        .source = arena_printf(arena, "%s, version %d", cite->name, (int)cite->number),
        .source_href = facts->has_rates_page
                           ? arena_printf(arena, "/admin/rates/%d?version=%d",
                                          (int)cite->schedule_id, (int)cite->number)
                           : NULL,
    };
}

static bool add_lines(struct arena *arena, const struct costs_facts *facts,
                      const struct cost_account *account, struct why_account *out)
{
    const struct rating *rating = &account->rating;
    struct why_line *lines = arena_array(arena, rating->n_lines + 1, sizeof *lines);
    struct money total = { 0 };

    for (size_t i = 0; lines && i < rating->n_lines; i++) {
        const struct rating_line *line = &rating->lines[i];
        const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);
        enum tariff_charge_kind kind = tariff->charges[line->charge].kind;
        bool is_energy = kind == CHARGE_ENERGY || kind == CHARGE_EXPORT ||
                         (kind == CHARGE_RIDER && !tariff->charges[line->charge].is_percent);
        if (line->day == facts->from_day && (is_energy || !account->is_valued)) {
            lines[out->n_lines++] = line_view(arena, facts, account, line);
            total = money_add(total, line->amount);
        }
    }
    out->lines = lines;
    out->total = format_money(arena, total, EXACT_DECIMALS, account->currency);
    return lines != NULL;
}

static bool add_sources(struct arena *arena, const struct cost_sources *sources,
                        struct why_account *out)
{
    struct why_source *rows = arena_array(arena, (size_t)sources->n + 1, sizeof *rows);

    for (int i = 0; rows && i < sources->n; i++) {
        const struct cost_source *source = &sources->items[i];
        const char *kwh = format_nano(arena, source->energy, 3);
        const char *path = link_path(arena, "/devices/", source->meter->device);
        const struct link_param params[] = { { "metric", source->meter->metric } };
        rows[i] = (struct why_source){
            .device = source->meter->device,
            .href = path ? link_to(arena, path, params, 1) : NULL,
            .metric = source->meter->metric,
            .role = role_words(source->meter->role),
            .energy = kwh ? arena_printf(arena, "%s" FORMAT_NBSP "kWh", kwh) : NULL,
            .readings = arena_printf(arena, "%d", source->n_quarters),
            .is_counted = source->is_counted,
        };
    }
    out->sources = rows;
    out->n_sources = sources->n;
    return rows != NULL;
}

static const char *name_of(struct arena *arena, const struct cost_account *account)
{
    if (account->device) {
        return arena_printf(arena, "Device %s", account->device);
    }
    return account->site ? arena_printf(arena, "Site %s", account->site) : "Without a site";
}

bool costs_explain(struct arena *arena, const struct costs_facts *facts, struct costs_view *out)
{
    int n = facts->accounts->n;
    struct why_account *accounts = arena_array(arena, (size_t)n, sizeof *accounts);

    for (int i = 0; accounts && i < n; i++) {
        const struct cost_account *account = &facts->accounts->items[i];
        accounts[i].name = name_of(arena, account);
        if (!add_lines(arena, facts, account, &accounts[i]) ||
            !add_sources(arena, &facts->sources[i], &accounts[i])) {
            return false;
        }
    }
    out->why = accounts;
    out->n_why = n;
    out->why_day = out->span;
    return accounts != NULL;
}

/* Rates a stretch of an account's days and its devices', from meters or from what the ledger has of
 * their quarter hours, and writes it. Called by cost_work.c. */
#include "db/db.h"
#include "domain/cost_turn.h"
#include "domain/cost_value.h"

/* Whether a change of energy touches the day. */
static bool is_touched(const struct cost_turn *turn, const struct cost_bucket *day)
{
    return turn->energy_us < turn->energy_end_us &&
           (turn->energy_end_us == INT64_MAX ||
            day->from_us < turn->energy_end_us + LONGEST_DAY_US) &&
           day->to_us > turn->energy_us - (turn->energy_us < 0 ? 0 : LONGEST_DAY_US);
}

/* The days of a stretch on which devices are to be valued again: those that the step is about,
 * with their cycles where prices depend on other days; and those that the ledger has not. All where
 * it is about everything: where from_us is first_us the stretch may begin before what the ledger
 * holds. */
static struct cost_stretch valued_of(const struct cost_turn *turn,
                                     const struct cost_account *account,
                                     const struct cost_stretch *stretch,
                                     const struct cost_days *days)
{
    struct cost_stretch valued = *stretch;
    int64_t from_day = cost_latest(cost_turn_day(account, turn->from_us), stretch->from_day);
    int64_t held_day = stretch->from_day;

    for (int i = 0; i < days->n; i++) {
        const struct cost_day *day = &days->items[i];
        held_day += day->day == held_day && strcmp(day->zone, account->zone.name) == 0;
    }
    if (cost_values_have_tiers(account)) {
        return valued;
    }
    if (turn->from_us > turn->first_us) {
        valued.from_day = cost_least(from_day, held_day);
    }
    if (held_day == stretch->to_day && turn->to_us < turn->settled_us) {
        int64_t touched_day = span_day_of(&account->zone, turn->to_us + LONGEST_DAY_US) + 1;
        valued.to_day = cost_latest(cost_least(stretch->to_day, touched_day), valued.from_day);
    }
    return valued;
}

/* Where something is read, all meters of the days on which devices are valued: the account's
 * quarter hours are the same by them, and they are read once. */
static void add_valued(const struct cost_stretch *valued, struct cost_supply *supply)
{
    if (supply->read_from < supply->read_to) {
        supply->needs_meters = true;
        supply->read_from = cost_least(supply->read_from, valued->from_day);
        supply->read_to = cost_latest(supply->read_to, valued->to_day);
    }
}

/* What of the input's days has to be read from meters: all but those that the ledger has at both
 * ends. */
static enum err find_supply(struct cost_turn *turn, const struct cost_account *account,
                            struct cost_days *days, struct cost_supply *out)
{
    const struct rating_input *input = &account->input;
    enum err err =
        cost_days_load(turn->tx, account, input->from_day, input->to_day, input->from_day, days);
    int64_t from = input->from_day, to = input->to_day;
    int last = days->n - 1;

    for (int i = 0; err == OK && i < days->n; i++) {
        const struct cost_day *day = &days->items[i];
        if (day->day == from && strcmp(day->zone, account->zone.name) == 0 &&
            !is_touched(turn, &day->bucket)) {
            from++;
        }
    }
    for (; err == OK && last >= 0 && to > from; last--, to--) {
        const struct cost_day *day = &days->items[last];
        if (day->day != to - 1 || strcmp(day->zone, account->zone.name) != 0 ||
            is_touched(turn, &day->bucket)) {
            break;
        }
    }
    *out = (struct cost_supply){ .days = days, .read_from = from, .read_to = to };
    return err;
}

/* The edges of the days. */
static enum err day_edges(struct op *op, const struct cost_account *account,
                          const struct cost_stretch *stretch, struct zone_starts *out)
{
    int n = (int)(stretch->to_day - stretch->from_day) + 1;

    *out = (struct zone_starts){ arena_array(op->arena, (size_t)n + 1, sizeof *out->us), n };
    for (int i = 0; out->us && i < n; i++) {
        out->us[i] = span_day_start(&account->zone, stretch->from_day + i);
    }
    return out->us ? OK : fail_memory(op);
}

/* What a stretch comes to. */
struct outcome {
    struct cost_buckets days;
    struct cost_values devices; /* of some of the days */
};

static enum err rate_days(struct cost_turn *turn, struct cost_account *account,
                          const struct cost_stretch *stretch, struct outcome *out)
{
    struct op *op = db_op(turn->tx);
    const struct cost_rates_query rated = { .from_day = account->input.from_day,
                                            .to_day = account->input.to_day,
                                            .known_us = COST_LATEST };
    const struct cost_accounts one = { account, 1 };
    struct cost_supply supply;
    struct cost_days days = { NULL, 0 };
    struct zone_starts edges;
    struct cost_stretch valued = *stretch;
    enum err err = cost_rates_add_prices(turn->tx, &rated, &account->rates);

    if (err == OK) {
        err = find_supply(turn, account, &days, &supply);
    }
    if (err == OK) {
        valued = valued_of(turn, account, stretch, &days);
        add_valued(&valued, &supply);
        err = cost_supply(turn->tx, &supply, account);
    }
    if (err == OK) {
        err = cost_rate_input(op, account);
    }
    if (err == OK) {
        err = day_edges(op, account, stretch, &edges);
    }
    if (err == OK) {
        err = cost_fold(op, &one, &edges, turn->settled_us, &out->days);
    }
    return err == OK
               ? cost_values_make(turn->tx, account, valued.from_day, valued.to_day, &out->devices)
               : err;
}

enum err cost_stretch_remove(struct cost_turn *turn, const struct cost_account *account,
                             int64_t from_day, int64_t to_day)
{
    int64_t *n_rows = &turn->work->n_rows;
    enum err err = cost_days_remove(turn->tx, account, from_day, to_day, n_rows);

    return err == OK ? cost_values_remove(turn->tx, account, from_day, to_day, n_rows) : err;
}

enum err cost_stretch_rate(struct cost_turn *turn, struct cost_account *account,
                           const struct cost_stretch *stretch)
{
    struct outcome made;
    int64_t *n_rows = &turn->work->n_rows;

    account->input = (struct rating_input){
        .versions = account->rates.versions,
        .n_versions = account->rates.n,
        .zone = &account->zone,
        .from_day = cost_ratchet_day(&account->rates, stretch->from_day, stretch->to_day),
        .to_day = stretch->to_day,
        .as_of_us = INT64_MAX,
        .known_until_us = turn->settled_us,
        .has_slots = true,
    };
    const struct tariff *last = cost_last_tariff(account, stretch->from_day, stretch->to_day);
    if (last && strcmp(last->timezone, account->zone.name) != 0) {
        return cost_stretch_remove(turn, account, stretch->from_day, stretch->to_day);
    }
    enum err err = cost_check_rates(db_op(turn->tx), account);
    if (err == OK) {
        err = rate_days(turn, account, stretch, &made);
    }
    if (err == OK) {
        turn->work->n_days += made.days.n;
        err = cost_days_store(turn->tx, account, &made.days, stretch->from_day, stretch->to_day,
                              n_rows);
    }
    return err == OK ? cost_values_store(turn->tx, account, &made.devices, n_rows) : err;
}

/* Writes bills. Called by the handlers of bills and of comparisons. */
#include "web/bill_write.h"

#include "domain/currency.h"
#include "domain/span.h"

const char *const BILL_COLUMNS[BILL_N_COLUMNS] = {
    "charge", "period", "tier", "quantity", "unit", "rate",     "amount",  "base",
    "season", "at",     "from", "to",       "site", "device",   "schedule", "version",
    "unpriced",
};

static bool is_energy(const struct tariff_charge *charge)
{
    return charge->kind == CHARGE_ENERGY;
}

static bool has_energy_charge(const struct cost_rates *rates)
{
    bool is_found = false;

    for (int i = 0; i < rates->n; i++) {
        const struct tariff *tariff = tariff_of(rates->versions[i].plan);
        for (int c = 0; c < tariff->n_charges; c++) {
            is_found = is_found || is_energy(&tariff->charges[c]);
        }
    }
    return is_found;
}

/* What was drawn on the version's days: each charge for energy is of all of it. */
static struct quantity energy_of(const struct bill *bill, int version)
{
    struct quantity most = { 0 };

    for (size_t i = 0; i < bill->n_lines; i++) {
        struct quantity sum = { 0 };
        for (size_t n = i; n < bill->n_lines; n++) {
            const struct bill_line *line = &bill->lines[n];
            if (line->version == version && is_energy(line->charge) &&
                line->charge == bill->lines[i].charge) {
                sum.nano += line->quantity.nano;
            }
        }
        most = sum.nano > most.nano ? sum : most;
    }
    return most;
}

static void add_bill(const struct cost_account *account, const struct bill *bill,
                     struct bill_sum *out)
{
    out->total = money_add(out->total, bill->total);
    out->status = bill->status == BILL_PROVISIONAL ? BILL_PROVISIONAL : out->status;
    out->n_missing += bill->n_missing;
    if (bill->n_days_unpriced > out->n_days_unpriced) {
        out->n_days_unpriced = bill->n_days_unpriced;
    }
    for (size_t i = 0; i < bill->n_lines; i++) {
        out->n_unpriced += bill->lines[i].n_unpriced;
    }
    out->has_energy = out->has_energy || has_energy_charge(&account->rates);
    for (int version = 0; version < account->rates.n; version++) {
        out->energy.nano += energy_of(bill, version).nano;
    }
}

enum err bill_sum(struct web *web, const struct cost_accounts *accounts, struct bill_sum *out)
{
    struct op *op = web->op;

    *out = (struct bill_sum){ .status = BILL_FINAL };
    enum err err = cost_currency(op, accounts, &out->currency, &out->decimals);
    if (err == OK && !out->currency) {
        out->currency = web->who->tenant_currency;
        out->decimals = currency_decimals(str_of(out->currency));
        out->decimals = out->decimals < 0 ? 2 : out->decimals;
    }
    out->bills = arena_array(op->arena, (size_t)accounts->n + 1, sizeof *out->bills);
    if (!out->bills) {
        return fail_memory(op);
    }
    for (int i = 0; err == OK && i < accounts->n; i++) {
        struct bill *bill = &out->bills[i];
        err = cost_bill(op, &accounts->items[i], bill);
        if (err == OK) {
            add_bill(&accounts->items[i], bill, out);
        }
    }
    return err;
}

/* ---- lines ---- */

const char *bill_period_name(const struct cost_account *account, const struct bill_line *line)
{
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);
    const char *title = line->period;

    for (int i = 0; title && i < tariff->n_periods; i++) {
        if (tariff->periods[i].title == title) {
            return tariff->periods[i].name;
        }
    }
    return title;
}

static void write_day(struct list_writer *list, int64_t day)
{
    list_text(list, span_day_text(list->web->op->arena, day));
}

static void write_amounts(struct list_writer *list, const struct bill_line *line, int decimals)
{
    char text[MONEY_TEXT_SIZE];
    bool is_percent = line->unit == UNIT_PERCENT;

    list_text(list, is_percent ? money_format(line->base, decimals, text)
                               : quantity_format(line->quantity, 0, text));
    list_text(list, BILL_UNIT_NAMES[line->unit]);
    list_text(list, decimal_format(line->rate, MONEY_MAX_DECIMALS, 0, text));
    list_text(list, money_format(line->amount, decimals, text));
    if (is_percent || line->charge->kind == CHARGE_MINIMUM) {
        list_text(list, money_format(line->base, decimals, text));
    } else {
        list_null(list);
    }
}

static void write_line(struct list_writer *list, const struct cost_account *account,
                       const struct bill_line *line)
{
    const struct cost_cite *cite = &account->rates.cites[line->version];
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);

    list_item(list);
    list_text(list, line->charge->code);
    list_text(list, bill_period_name(account, line));
    if (line->tier > 0) {
        list_int(list, line->tier);
    } else {
        list_null(list);
    }
    write_amounts(list, line, account->decimals);
    list_text(list, line->season == TARIFF_ANY ? NULL : tariff->seasons[line->season].name);
    if (line->charge->kind == CHARGE_DEMAND && line->at_us != 0) {
        list_time(list, line->at_us);
    } else {
        list_null(list);
    }
    write_day(list, line->from_day);
    write_day(list, line->to_day);
    list_text(list, account->site);
    list_text(list, account->device);
    list_int(list, cite->schedule_id);
    list_int(list, cite->number);
    list_int(list, line->n_unpriced);
    list_end_item(list);
}

void bill_write_lines(struct list_writer *list, const struct cost_accounts *accounts,
                      const struct bill_sum *sum)
{
    for (int i = 0; i < accounts->n; i++) {
        for (size_t n = 0; n < sum->bills[i].n_lines; n++) {
            write_line(list, &accounts->items[i], &sum->bills[i].lines[n]);
        }
    }
}

void bill_write_members(struct web *web, struct json_writer *json,
                        const struct cost_accounts *accounts, const struct bill_sum *sum)
{
    char text[MONEY_TEXT_SIZE];
    const struct list_writer begun = {
        .form = ANSWER_JSON, .columns = BILL_COLUMNS, .n_columns = BILL_N_COLUMNS
    };
    struct list_writer lines;

    json_key(json, "lines");
    json_open_array(json);
    list_resume(&lines, web, &begun);
    lines.json = *json; /* within the array that is open */
    bill_write_lines(&lines, accounts, sum);
    *json = lines.json;
    json_close_array(json);
    json_key(json, "total");
    json_text(json, money_format(sum->total, sum->decimals, text));
    json_key(json, "currency");
    json_text(json, sum->currency);
    json_key(json, "status");
    json_text(json, sum->status == BILL_FINAL ? "final" : "provisional");
    json_key(json, "missing");
    json_int(json, sum->n_missing);
    json_key(json, "unpriced");
    json_int(json, sum->n_unpriced);
    json_key(json, "days_without_schedule");
    json_int(json, sum->n_days_unpriced);
}

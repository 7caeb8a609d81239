/* Writes the ledger's days and lines. Called by cost_work.c. */
#include "base/json.h"
#include "db/db.h"
#include "domain/cost_day.h"
#include "gen/queries.h"

#include <string.h>

#define CITES 11 /* numbers of a line, in the order that ops.cost_store_lines says */
#define MAX_PERIODS_BYTES (64u << 10)

enum { FLAG_KNOWN = 1, FLAG_PRICED = 2, FLAG_FINAL = 4, FLAG_PARTLY = 8 };

/* Columns of the days that are written. */
struct day_columns {
    int32_t *days, *flags, *missing, *quarters;
    int64_t *from_us, *to_us;
    struct str *imports, *exports, *costs, *exporteds, *onces, *periods;
    int64_t *all_imports, *all_exports;
    uint8_t *all_known;
    size_t n, n_quarters;
};

/* Columns of the lines. */
struct line_columns {
    int32_t *days, *cites;
    struct str *charges, *periods, *amounts;
    int64_t *quantities, *rates, *at_us;
    size_t n;
};

static struct str copy(struct arena *arena, const char *text)
{
    return (struct str){ arena_copy(arena, str_of(text)), strlen(text) };
}

static struct str amount_text(struct arena *arena, struct money amount)
{
    char text[MONEY_TEXT_SIZE];

    return copy(arena, money_digits(amount, text));
}

static struct str quantity_text(struct arena *arena, struct quantity quantity)
{
    char text[MONEY_TEXT_SIZE];

    return copy(arena, quantity_digits(quantity, text));
}

static struct str periods_text(struct arena *arena, const struct cost_bucket *bucket)
{
    struct json_writer json;
    struct buf out;
    char text[MONEY_TEXT_SIZE];

    buf_init(&out, arena, MAX_PERIODS_BYTES);
    json_writer_init(&json, &out);
    json_open_array(&json);
    for (int i = 0; i < bucket->n_periods; i++) {
        const struct cost_period *period = &bucket->periods[i];
        json_open_object(&json);
        json_key(&json, "period");
        json_text(&json, period->name);
        json_key(&json, "title");
        json_text(&json, period->title);
        json_key(&json, "nkwh");
        json_text(&json, quantity_digits(period->import, text));
        json_key(&json, "atto");
        json_text(&json, money_digits(period->cost, text));
        json_close_object(&json);
    }
    json_close_array(&json);
    return buf_str(&out);
}

/* ---- days ---- */

static bool make_day_columns(struct arena *arena, size_t n, size_t n_quarters,
                             struct day_columns *out)
{
    *out = (struct day_columns){
        .days = arena_array(arena, n + 1, sizeof *out->days),
        .flags = arena_array(arena, n + 1, sizeof *out->flags),
        .missing = arena_array(arena, n + 1, sizeof *out->missing),
        .quarters = arena_array(arena, n + 1, sizeof *out->quarters),
        .from_us = arena_array(arena, n + 1, sizeof *out->from_us),
        .to_us = arena_array(arena, n + 1, sizeof *out->to_us),
        .imports = arena_array(arena, n + 1, sizeof *out->imports),
        .exports = arena_array(arena, n + 1, sizeof *out->exports),
        .costs = arena_array(arena, n + 1, sizeof *out->costs),
        .exporteds = arena_array(arena, n + 1, sizeof *out->exporteds),
        .onces = arena_array(arena, n + 1, sizeof *out->onces),
        .periods = arena_array(arena, n + 1, sizeof *out->periods),
        .all_imports = arena_array(arena, n_quarters + 1, sizeof *out->all_imports),
        .all_exports = arena_array(arena, n_quarters + 1, sizeof *out->all_exports),
        .all_known = arena_array(arena, n_quarters + 1, sizeof *out->all_known),
    };
    return out->days && out->flags && out->missing && out->quarters && out->from_us &&
           out->to_us && out->imports && out->exports && out->costs && out->exporteds &&
           out->onces && out->periods && out->all_imports && out->all_exports && out->all_known;
}

/* The quarter hours of a day; whether some of them is told only in part. */
static bool add_quarters(const struct cost_account *account, const struct cost_bucket *bucket,
                         struct day_columns *out)
{
    const struct cost_energy *energy = &account->energy;
    bool is_partly = false;
    size_t first = out->n_quarters;

    for (int64_t at_us = bucket->from_us; at_us < bucket->to_us; at_us += COST_QUARTER_US) {
        size_t index = (size_t)((at_us - energy->start_us) / COST_QUARTER_US);
        bool is_in = at_us >= energy->start_us && index < energy->n;
        out->all_imports[out->n_quarters] = is_in ? energy->import_nkwh[index] : 0;
        out->all_exports[out->n_quarters] = is_in ? energy->export_nkwh[index] : 0;
        out->all_known[out->n_quarters++] =
            is_in ? energy->known[index] | (energy->is_between[index] ? COST_DAY_BETWEEN : 0)
                  : COST_MISSING;
        is_partly = is_partly || (is_in && energy->known[index] == COST_PARTLY);
    }
    out->quarters[out->n] = (int32_t)(out->n_quarters - first);
    return is_partly;
}

static void add_day(struct arena *arena, const struct cost_account *account, int64_t day,
                    const struct cost_bucket *bucket, struct day_columns *out)
{
    bool is_partly = add_quarters(account, bucket, out);
    size_t at = out->n++;

    out->days[at] = (int32_t)day;
    out->from_us[at] = bucket->from_us;
    out->to_us[at] = bucket->to_us;
    out->imports[at] = quantity_text(arena, bucket->import);
    out->exports[at] = quantity_text(arena, bucket->export);
    out->costs[at] = amount_text(arena, bucket->cost);
    out->exporteds[at] = amount_text(arena, bucket->exported);
    out->onces[at] = amount_text(arena, bucket->once);
    out->periods[at] = periods_text(arena, bucket);
    out->missing[at] = account->rating.days[day - account->input.from_day].n_missing;
    out->flags[at] = (bucket->is_known ? FLAG_KNOWN : 0) | (bucket->is_priced ? FLAG_PRICED : 0) |
                     (bucket->is_final ? FLAG_FINAL : 0) | (is_partly ? FLAG_PARTLY : 0);
}

static void place_args(struct db_args *args, struct arena *arena,
                       const struct cost_account *account, int64_t from_day, int64_t to_day)
{
    db_args_init(args, arena);
    db_arg_text(args, account->site);
    db_arg_text(args, account->device);
    db_arg_int(args, (int32_t)from_day);
    db_arg_int(args, (int32_t)to_day);
}

static enum err run_days(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                         int64_t to_day, const struct day_columns *columns, int64_t *n_rows)
{
    struct db_args args;
    struct db_rows *rows;

    place_args(&args, db_op(tx)->arena, account, from_day, to_day);
    db_arg_text(&args, account->zone.name);
    db_arg_text(&args, account->currency);
    db_arg_int_array(&args, columns->days, columns->n);
    db_arg_time_array(&args, columns->from_us, columns->n);
    db_arg_time_array(&args, columns->to_us, columns->n);
    db_arg_str_array(&args, columns->imports, columns->n);
    db_arg_str_array(&args, columns->exports, columns->n);
    db_arg_str_array(&args, columns->costs, columns->n);
    db_arg_str_array(&args, columns->exporteds, columns->n);
    db_arg_str_array(&args, columns->onces, columns->n);
    db_arg_str_array(&args, columns->periods, columns->n);
    db_arg_int_array(&args, columns->flags, columns->n);
    db_arg_int_array(&args, columns->missing, columns->n);
    db_arg_int_array(&args, columns->quarters, columns->n);
    db_arg_int64_array(&args, columns->all_imports, columns->n_quarters);
    db_arg_int64_array(&args, columns->all_exports, columns->n_quarters);
    db_arg_bytes(&args, columns->all_known, columns->n_quarters);
    enum err err = db_run(tx, &q_job_cost_store_days, &args, &rows);
    if (err == OK) {
        *n_rows += db_int64(rows, 0, JOB_COST_STORE_DAYS_ROWS_WRITTEN);
    }
    return err;
}

static enum err store_days(struct db_tx *tx, const struct cost_account *account,
                           const struct cost_buckets *days, int64_t from_day, int64_t to_day,
                           int64_t *n_rows)
{
    struct arena *arena = db_op(tx)->arena;
    struct day_columns columns;
    size_t n_quarters = 0;

    for (int i = 0; i < days->n; i++) {
        const struct cost_bucket *bucket = &days->items[i];
        n_quarters += (size_t)((bucket->to_us - bucket->from_us) / COST_QUARTER_US) + 1;
    }
    if (!make_day_columns(arena, (size_t)days->n, n_quarters, &columns)) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < days->n; i++) {
        add_day(arena, account, from_day + i, &days->items[i], &columns);
    }
    return run_days(tx, account, from_day, to_day, &columns, n_rows);
}

/* ---- lines ---- */

static bool make_line_columns(struct arena *arena, size_t n, struct line_columns *out)
{
    *out = (struct line_columns){
        .days = arena_array(arena, n + 1, sizeof *out->days),
        .cites = arena_array(arena, (n + 1) * CITES, sizeof *out->cites),
        .charges = arena_array(arena, n + 1, sizeof *out->charges),
        .periods = arena_array(arena, n + 1, sizeof *out->periods),
        .amounts = arena_array(arena, n + 1, sizeof *out->amounts),
        .quantities = arena_array(arena, n + 1, sizeof *out->quantities),
        .rates = arena_array(arena, n + 1, sizeof *out->rates),
        .at_us = arena_array(arena, n + 1, sizeof *out->at_us),
    };
    return out->days && out->cites && out->charges && out->periods && out->amounts &&
           out->quantities && out->rates && out->at_us;
}

static void add_line(struct arena *arena, const struct cost_account *account,
                     const struct rating_line *line, int number, struct line_columns *out)
{
    const struct cost_cite *cite = &account->rates.cites[line->version];
    const struct tariff *tariff = tariff_of(account->rates.versions[line->version].plan);
    const int32_t cites[CITES] = {
        cite->schedule_id, cite->number, line->charge, line->season, line->period, line->tier,
        line->has_one_rate, line->n_days, line->of_days, line->n_unpriced, number,
    };
    size_t at = out->n++;

    memcpy(out->cites + at * CITES, cites, sizeof cites);
    out->days[at] = (int32_t)line->day;
    out->charges[at] = str_of(tariff->charges[line->charge].code);
    out->periods[at] =
        str_of(line->period == TARIFF_ANY ? "" : tariff->periods[line->period].name);
    out->quantities[at] = line->quantity;
    out->rates[at] = line->rate;
    out->amounts[at] = amount_text(arena, line->amount);
    out->at_us[at] = line->at_us;
}

static enum err store_lines(struct db_tx *tx, const struct cost_account *account,
                            int64_t from_day, int64_t to_day, int64_t *n_rows)
{
    struct arena *arena = db_op(tx)->arena;
    const struct rating *rating = &account->rating;
    struct line_columns columns;
    struct db_args args;
    struct db_rows *rows;
    int number = 0;

    if (!make_line_columns(arena, rating->n_lines, &columns)) {
        return fail_memory(db_op(tx));
    }
    for (size_t i = 0; i < rating->n_lines; i++) {
        const struct rating_line *line = &rating->lines[i];
        number = i > 0 && rating->lines[i - 1].day == line->day ? number + 1 : 0;
        if (line->day >= from_day && line->day < to_day) {
            add_line(arena, account, line, number, &columns);
        }
    }
    place_args(&args, arena, account, from_day, to_day);
    db_arg_int_array(&args, columns.days, columns.n);
    db_arg_int_array(&args, columns.cites, columns.n * CITES);
    db_arg_str_array(&args, columns.charges, columns.n);
    db_arg_str_array(&args, columns.periods, columns.n);
    db_arg_int64_array(&args, columns.quantities, columns.n);
    db_arg_int64_array(&args, columns.rates, columns.n);
    db_arg_str_array(&args, columns.amounts, columns.n);
    db_arg_time_array(&args, columns.at_us, columns.n);
    enum err err = db_run(tx, &q_job_cost_store_lines, &args, &rows);
    if (err == OK) {
        *n_rows += db_int64(rows, 0, JOB_COST_STORE_LINES_ROWS_WRITTEN);
    }
    return err;
}

enum err cost_days_store(struct db_tx *tx, const struct cost_account *account,
                         const struct cost_buckets *days, int64_t from_day, int64_t to_day,
                         int64_t *n_rows)
{
    enum err err = store_days(tx, account, days, from_day, to_day, n_rows);

    return err == OK ? store_lines(tx, account, from_day, to_day, n_rows) : err;
}

enum err cost_days_remove(struct db_tx *tx, const struct cost_account *account, int64_t from_day,
                          int64_t to_day, int64_t *n_rows)
{
    struct cost_account nothing = *account;

    nothing.rating = (struct rating){ .n_lines = 0 };
    return cost_days_store(tx, &nothing, &(struct cost_buckets){ NULL, 0 }, from_day, to_day,
                           n_rows);
}

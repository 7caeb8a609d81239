/* Where an account's quarter hours come from: the ledger has those of rated days; the others are
 * worked out from its meters, of which those at the grid are read first, as on a day that they tell
 * no other counts. Called by cost.c and cost_work.c. */
#include "db/db.h"
#include "domain/cost_parts.h"
#include "domain/span.h"

#include <string.h>

/* ---- from meters ---- */

static bool is_at_grid(const struct cost_meter *meter)
{
    return strcmp(meter->role, "grid_import") == 0 || strcmp(meter->role, "grid_export") == 0;
}

static bool is_behind(const struct cost_meter *meter)
{
    return strcmp(meter->role, "consumption") == 0 || strcmp(meter->role, "generation") == 0;
}

static bool is_any(const struct cost_meter *meter)
{
    return meter != NULL;
}

/* Marks the local days (from `first` on) on which a meter at the grid tells what is drawn. */
static void mark_days(const struct cost_account *account, int64_t first, int64_t n, uint8_t *marks)
{
    for (int m = 0; m < account->n_meters; m++) {
        const struct cost_meter *meter = &account->meters[m];
        bool is_drawn = strcmp(meter->role, "grid_import") == 0;
        for (int i = 0; is_drawn && i < meter->n; i++) {
            int64_t day = span_day_of(&account->site_zone, meter->at_us[i]) - first;
            if (day >= 0 && day < n) {
                marks[day] = 1;
            }
        }
    }
}

/* Reads what may count of the days in [from_us, to_us) on which nothing at the grid says what is
 * drawn. */
static enum err read_behind(struct db_tx *tx, struct cost_account *account, int64_t from_us,
                            int64_t to_us)
{
    const struct zone *zone = &account->site_zone;
    int64_t first = span_day_of(zone, from_us), n = span_day_of(zone, to_us) + 1 - first;
    uint8_t *marks = arena_array(db_op(tx)->arena, (size_t)n, sizeof *marks);

    if (!marks) {
        return fail_memory(db_op(tx));
    }
    mark_days(account, first, n, marks);
    const uint8_t *gap = memchr(marks, 0, (size_t)n);
    const uint8_t *last = memrchr(marks, 0, (size_t)n);
    if (!gap || !last) {
        return OK;
    }
    int64_t gap_us = span_day_start(zone, first + (gap - marks));
    int64_t end_us = span_day_start(zone, first + (last - marks) + 1);
    return cost_meters_read(tx, account->meters, account->n_meters, is_behind,
                            gap_us > from_us ? gap_us : from_us, end_us < to_us ? end_us : to_us);
}

static bool is_told(const struct cost_meter *meter, int64_t from_us, int64_t to_us)
{
    return meter->told_from_us <= from_us && meter->told_to_us >= to_us;
}

enum err cost_read_all(struct db_tx *tx, struct cost_account *account, int64_t from_us,
                       int64_t to_us)
{
    int n = 0;

    while (n < account->n_meters && is_told(&account->meters[n], from_us, to_us)) {
        n++;
    }
    return n == account->n_meters
               ? OK
               : cost_meters_read(tx, account->meters, account->n_meters, is_any, from_us, to_us);
}

static enum err read_meters(struct db_tx *tx, struct cost_account *account, bool needs_all,
                            int64_t from_us, int64_t to_us)
{
    if (needs_all) {
        return cost_read_all(tx, account, from_us, to_us);
    }
    for (int i = 0; i < account->n_meters; i++) {
        account->meters[i].n = 0;
        account->meters[i].told_from_us = account->meters[i].told_to_us = 0;
    }
    enum err err =
        cost_meters_read(tx, account->meters, account->n_meters, is_at_grid, from_us, to_us);
    return err == OK ? read_behind(tx, account, from_us, to_us) : err;
}

/* ---- put together ---- */

/* Whether a day of the site's begins then. */
static bool begins_day(const struct zone *zone, int64_t time_us)
{
    return span_day_start(zone, span_day_of(zone, time_us)) == time_us;
}

void cost_widen(const struct cost_account *account, int64_t *from_us, int64_t *to_us)
{
    const int64_t longest_us = US_PER_DAY + 2 * US_PER_HOUR;

    if (!begins_day(&account->site_zone, *from_us)) {
        *from_us -= longest_us;
    }
    if (!begins_day(&account->site_zone, *to_us)) {
        *to_us += longest_us;
    }
}

/* The span of time of an account's energy, and what of it is read. */
struct extent {
    int64_t from_us, to_us;
    int64_t read_us, end_us;
};

static enum err lay_out(struct op *op, const struct extent *extent, struct cost_energy *out)
{
    *out = (struct cost_energy){
        .start_us = extent->from_us,
        .n = (size_t)((extent->to_us - extent->from_us) / COST_QUARTER_US),
    };
    out->import_nkwh = arena_array(op->arena, out->n + 1, sizeof *out->import_nkwh);
    out->export_nkwh = arena_array(op->arena, out->n + 1, sizeof *out->export_nkwh);
    out->known = arena_array(op->arena, out->n + 1, sizeof *out->known);
    out->is_between = arena_array(op->arena, out->n + 1, sizeof *out->is_between);
    return out->import_nkwh && out->export_nkwh && out->known && out->is_between ? OK
                                                                                 : fail_memory(op);
}

/* Takes the ledger's quarter hours outside of what is read. */
static void add_days(const struct cost_days *days, const struct extent *extent,
                     struct cost_energy *out)
{
    for (int d = 0; d < days->n; d++) {
        const struct cost_day *day = &days->items[d];
        for (int i = 0; i < day->imports.n; i++) {
            int64_t at_us = day->bucket.from_us + i * COST_QUARTER_US;
            bool is_read = at_us >= extent->read_us && at_us < extent->end_us;
            if (at_us < extent->from_us || at_us >= extent->to_us || is_read) {
                continue;
            }
            size_t index = (size_t)((at_us - extent->from_us) / COST_QUARTER_US);
            out->import_nkwh[index] = day->imports.items[i];
            out->export_nkwh[index] = day->exports.items[i];
            out->known[index] = (uint8_t)day->known.ptr[i] & COST_DAY_KNOWN;
            out->is_between[index] = ((uint8_t)day->known.ptr[i] & COST_DAY_BETWEEN) != 0;
        }
    }
}

/* Works out what is read: of whole local days of the site, whatever the schedule's zone is. */
static enum err add_read(struct db_tx *tx, const struct cost_supply *supply,
                         const struct extent *extent, struct cost_account *account)
{
    const struct cost_meters meters = { account->meters, account->n_meters };
    int64_t from_us = extent->read_us, to_us = extent->end_us;
    struct cost_energy part;

    cost_widen(account, &from_us, &to_us);
    enum err err = read_meters(tx, account, supply->needs_meters, from_us, to_us);

    if (err == OK) {
        err = cost_energy_make(db_op(tx), &meters, &account->site_zone, from_us, to_us, &part);
    }
    if (err != OK) {
        return err;
    }
    struct cost_energy *out = &account->energy;
    size_t skip = (size_t)((extent->read_us - from_us) / COST_QUARTER_US);
    size_t at = (size_t)((extent->read_us - extent->from_us) / COST_QUARTER_US);
    size_t n = (size_t)((extent->end_us - extent->read_us) / COST_QUARTER_US);
    memcpy(out->import_nkwh + at, part.import_nkwh + skip, n * sizeof *out->import_nkwh);
    memcpy(out->export_nkwh + at, part.export_nkwh + skip, n * sizeof *out->export_nkwh);
    memcpy(out->known + at, part.known + skip, n);
    memcpy(out->is_between + at, part.is_between + skip, n);
    return OK;
}

/* Of all days of the account's input. */
static struct extent whole_extent(const struct cost_account *account)
{
    const struct rating_input *input = &account->input;

    return (struct extent){
        .from_us = cost_quarter_before(span_day_start(&account->zone, input->from_day)),
        .to_us = cost_quarter_before(span_day_start(&account->zone, input->to_day)),
    };
}

bool cost_is_supplied(const struct cost_account *account)
{
    const struct cost_energy *has = &account->energy;
    struct extent extent = whole_extent(account);

    return has->n > 0 && has->start_us <= extent.from_us &&
           has->start_us + (int64_t)has->n * COST_QUARTER_US >= extent.to_us;
}

enum err cost_supply(struct db_tx *tx, const struct cost_supply *supply,
                     struct cost_account *account)
{
    const struct rating_input *input = &account->input;
    const struct zone *zone = &account->zone;
    struct extent extent = whole_extent(account);

    if (cost_is_supplied(account)) {
        return OK;
    }
    bool is_all = !supply->days && supply->read_from >= supply->read_to;
    int64_t read_from = is_all ? input->from_day : supply->read_from;
    int64_t read_to = is_all ? input->to_day : supply->read_to;
    extent.read_us = cost_quarter_before(span_day_start(zone, read_from));
    extent.end_us = cost_quarter_before(span_day_start(zone, read_to));
    enum err err = lay_out(db_op(tx), &extent, &account->energy);
    if (err == OK && supply->days) {
        add_days(supply->days, &extent, &account->energy);
    }
    return err == OK && extent.read_us < extent.end_us ? add_read(tx, supply, &extent, account)
                                                       : err;
}

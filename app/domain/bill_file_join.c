/* Joins a feed's blocks with the types of their readings. Called by bill_file.c. */
#include "domain/bill_file_parts.h"

#include <stdlib.h>

#define NKWH_PER_WH INT64_C(1000000)
#define FLOW_REVERSE 19
#define MAX_POWER 9

bool bill_file_scale(int64_t value, int64_t power, int64_t *out)
{
    int64_t unit = NKWH_PER_WH;

    if (power < -MAX_POWER || power > MAX_POWER) {
        return false;
    }
    for (; power > 0; power--) {
        if (__builtin_mul_overflow(unit, 10, &unit)) {
            return false;
        }
    }
    for (; power < 0 && unit > 1; power++) {
        unit /= 10;
    }
    for (; power < 0; power++) {
        value /= 10;
    }
    return !__builtin_mul_overflow(value, unit, out);
}

/* ---- which type a block is of ---- */

static bool is_related(const struct bill_entry *entry, struct str to)
{
    for (int i = 0; i < entry->n_related; i++) {
        if (str_equal(entry->related[i], to)) {
            return true;
        }
    }
    return false;
}

/* Whether the block is of the meter reading. */
static bool is_of(const struct bill_entry *block, const struct bill_entry *meter)
{
    size_t len = meter->self.len;
    bool is_below = len > 0 && str_starts_with(block->self, meter->self) &&
                    block->self.len > len && block->self.ptr[len] == '/';

    return is_below || (block->up.len > 0 && is_related(meter, block->up));
}

static const struct bill_entry *type_of(const struct bill_parse *parse,
                                        const struct bill_entry *block)
{
    const struct bill_entry *only = NULL;
    int n_types = 0;

    for (size_t m = 0; m < parse->n_entries; m++) {
        const struct bill_entry *entry = &parse->entries[m];
        if (entry->kind == ENTRY_TYPE) {
            only = entry;
            n_types++;
        }
        if (entry->kind != ENTRY_METER || !is_of(block, entry)) {
            continue;
        }
        for (size_t t = 0; t < parse->n_entries; t++) {
            const struct bill_entry *type = &parse->entries[t];
            if (type->kind == ENTRY_TYPE && type->self.len > 0 && is_related(entry, type->self)) {
                return type;
            }
        }
    }
    return n_types == 1 ? only : NULL;
}

/* Energy of an interval, not the register's standing. */
static bool is_energy(const struct bill_entry *type)
{
    bool is_standing = type->accumulation == 1 || type->accumulation == 3 ||
                       type->accumulation == 9;

    return type->uom == BILL_UOM_WH && !is_standing;
}

/* Gives the block's readings their scale and keeps them; `n` counts what is kept. */
static void keep_block(struct bill_parse *parse, const struct bill_entry *block, size_t *n)
{
    const struct bill_entry *type = type_of(parse, block);

    for (int i = block->from; i < block->to; i++) {
        struct bill_reading reading = parse->readings[i];
        bool is_kept = type && is_energy(type) &&
                       bill_file_scale(1, type->power, &reading.unit_nkwh) &&
                       bill_file_scale(parse->values[i], type->power, &reading.nkwh);
        if (is_kept) {
            reading.is_export = type->flow == FLOW_REVERSE;
            parse->readings[(*n)++] = reading;
        } else {
            parse->n_ignored++;
        }
    }
}

static int compare(const void *left, const void *right)
{
    const struct bill_reading *a = left, *b = right;
    int order = (a->start_us > b->start_us) - (a->start_us < b->start_us);

    return order != 0 ? order : a->is_export - b->is_export;
}

/* Of readings that begin at the same time the first stays. */
static size_t drop_repeated(struct bill_reading *readings, size_t n)
{
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || compare(&readings[kept - 1], &readings[i]) != 0) {
            readings[kept++] = readings[i];
        }
    }
    return kept;
}

static const char *currency_of(int64_t number)
{
    static const struct { int64_t number; const char *code; } codes[] = {
        { 36, "AUD" },  { 124, "CAD" }, { 356, "INR" }, { 392, "JPY" }, { 484, "MXN" },
        { 554, "NZD" }, { 756, "CHF" }, { 826, "GBP" }, { 840, "USD" }, { 978, "EUR" },
    };

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].number == number) {
            return codes[i].code;
        }
    }
    return NULL;
}

void bill_file_finish(struct bill_parse *parse, struct bill_file *out)
{
    size_t n = 0;

    for (size_t i = 0; i < parse->n_entries; i++) {
        if (parse->entries[i].kind == ENTRY_BLOCK) {
            keep_block(parse, &parse->entries[i], &n);
        }
    }
    if (n > 0) {
        qsort(parse->readings, n, sizeof *parse->readings, compare);
        size_t kept = drop_repeated(parse->readings, n);
        parse->n_ignored += (int)(n - kept);
        n = kept;
    }
    *out = (struct bill_file){
        .readings = parse->readings,
        .n_readings = (int)n,
        .summaries = parse->summaries,
        .n_summaries = parse->n_summaries,
        .n_ignored = parse->n_ignored,
        .currency = currency_of(parse->currency),
    };
}

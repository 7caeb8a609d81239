/* Joins a feed's blocks with their meters and types, and adds up what several usage points tell of
 * the same intervals. Called by bill_file.c. */
#include "domain/bill_file_parts.h"

#include "base/clock.h"

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

/* ---- entries by their addresses ---- */

struct bill_link {
    struct str href;
    const struct bill_entry *entry;
};

/* Sorted; of one address meters with a type first, then in the order of the feed. */
struct bill_links {
    struct bill_link *items;
    size_t n;
};

/* By length first: what has another is told apart without being read. */
static int compare_hrefs(struct str a, struct str b)
{
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len > 0 ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

static int compare_links(const void *left, const void *right)
{
    const struct bill_link *a = left, *b = right;
    int order = compare_hrefs(a->href, b->href);

    order = order != 0 ? order : (b->entry->type != NULL) - (a->entry->type != NULL);
    return order != 0 ? order : (a->entry > b->entry) - (a->entry < b->entry);
}

static void add_link(struct bill_links *links, struct str href, const struct bill_entry *entry)
{
    if (href.len > 0) {
        links->items[links->n++] = (struct bill_link){ href, entry };
    }
}

static void sort_links(struct bill_links *links)
{
    if (links->n > 0) {
        qsort(links->items, links->n, sizeof *links->items, compare_links);
    }
}

/* The first of that address, or NULL. */
static const struct bill_link *find_link(const struct bill_links *links, struct str href)
{
    size_t from = 0, to = links->n;

    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (compare_hrefs(links->items[middle].href, href) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    bool is_found = from < links->n && str_equal(links->items[from].href, href);
    return is_found ? &links->items[from] : NULL;
}

/* Up to the last slash, without it; empty where there is none. */
static struct str parent_of(struct str href)
{
    size_t len = href.len;

    while (len > 0 && href.ptr[len - 1] != '/') {
        len--;
    }
    return (struct str){ href.ptr, len > 0 ? len - 1 : 0 };
}

/* ---- which meter, type and usage point a block is of ---- */

/* What a block tells of one interval. */
struct told {
    struct bill_reading reading;
    size_t point;   /* its usage point, a number of this file's */
    size_t n;       /* usage points that are added up in it */
    size_t at;      /* its place in the file */
};

struct join {
    struct bill_parse *parse;
    struct bill_links types;    /* by their own address */
    struct bill_links meters;   /* likewise */
    struct bill_links feeds;    /* meters, by what they are related to */
    struct bill_links points;   /* blocks, by what their usage point's meters are listed at */
    const struct bill_entry *only_type; /* where there is one alone; or NULL */
    struct told *told;
    size_t n_told;
};

static bool make_room(struct join *join, size_t n_entries, size_t n_readings)
{
    struct arena *arena = join->parse->op->arena;

    join->types.items = arena_array(arena, n_entries, sizeof *join->types.items);
    join->meters.items = arena_array(arena, n_entries, sizeof *join->meters.items);
    join->points.items = arena_array(arena, n_entries, sizeof *join->points.items);
    join->feeds.items =
        arena_array(arena, n_entries * BILL_MAX_RELATED, sizeof *join->feeds.items);
    join->told = arena_array(arena, n_readings + 1, sizeof *join->told);
    return join->types.items && join->meters.items && join->points.items && join->feeds.items &&
           join->told;
}

/* The first type that the meter is related to, or NULL. */
static const struct bill_entry *type_of_meter(const struct join *join,
                                              const struct bill_entry *meter)
{
    const struct bill_entry *first = NULL;

    for (int i = 0; i < meter->n_related; i++) {
        const struct bill_link *link = find_link(&join->types, meter->related[i]);
        if (link && (!first || link->entry < first)) {
            first = link->entry;
        }
    }
    return first;
}

/* The meter whose readings the block has: that it is listed at, or lies below; or NULL. */
static const struct bill_entry *meter_of(const struct join *join, const struct bill_entry *block)
{
    const struct bill_link *link = find_link(&join->feeds, block->up);

    for (struct str href = parent_of(block->self); !link && href.len > 0; href = parent_of(href)) {
        link = find_link(&join->meters, href);
    }
    return link ? link->entry : NULL;
}

/* Where the feed lists the entry beside others of its kind. */
static struct str list_of(const struct bill_entry *entry)
{
    return entry->up.len > 0 ? entry->up : parent_of(entry->self);
}

static void resolve_block(struct join *join, struct bill_entry *block)
{
    const struct bill_entry *meter = meter_of(join, block);

    block->type = meter && meter->type ? meter->type : join->only_type;
    block->point = meter ? list_of(meter) : parent_of(parent_of(list_of(block)));
    add_link(&join->points, block->point, block);
}

static void resolve(struct join *join)
{
    struct bill_parse *parse = join->parse;
    size_t n_types = 0;

    for (size_t i = 0; i < parse->n_entries; i++) {
        struct bill_entry *entry = &parse->entries[i];
        if (entry->kind == ENTRY_TYPE) {
            add_link(&join->types, entry->self, entry);
            join->only_type = n_types++ == 0 ? entry : NULL;
        } else if (entry->kind == ENTRY_METER) {
            add_link(&join->meters, entry->self, entry);
            for (int r = 0; r < entry->n_related; r++) {
                add_link(&join->feeds, entry->related[r], entry);
            }
        }
    }
    sort_links(&join->types);
    for (size_t i = 0; i < parse->n_entries; i++) {
        if (parse->entries[i].kind == ENTRY_METER) {
            parse->entries[i].type = type_of_meter(join, &parse->entries[i]);
        }
    }
    sort_links(&join->meters);
    sort_links(&join->feeds);
    for (size_t i = 0; i < parse->n_entries; i++) {
        if (parse->entries[i].kind == ENTRY_BLOCK) {
            resolve_block(join, &parse->entries[i]);
        }
    }
    sort_links(&join->points);
}

/* ---- readings ---- */

/* Energy of an interval, not the register's standing. */
static bool is_energy(const struct bill_entry *type)
{
    bool is_standing = type->accumulation == 1 || type->accumulation == 3 ||
                       type->accumulation == 9;

    return type->uom == BILL_UOM_WH && !is_standing;
}

/* Gives the block's readings their scale and keeps them. */
static void keep_block(struct join *join, const struct bill_entry *block)
{
    struct bill_parse *parse = join->parse;
    const struct bill_entry *type = block->type;
    const struct bill_link *link = find_link(&join->points, block->point);
    size_t point = link ? (size_t)(link - join->points.items) + 1 : 0;

    for (int i = block->from; i < block->to; i++) {
        struct bill_reading reading = parse->readings[i];
        bool is_kept = type && is_energy(type) &&
                       bill_file_scale(1, type->power, &reading.unit_nkwh) &&
                       bill_file_scale(parse->values[i], type->power, &reading.nkwh);
        if (is_kept) {
            reading.is_export = type->flow == FLOW_REVERSE;
            join->told[join->n_told++] = (struct told){ reading, point, 1, (size_t)i };
        } else {
            parse->n_ignored++;
        }
    }
}

/* By interval and direction. */
static int compare_intervals(const struct bill_reading *a, const struct bill_reading *b)
{
    int order = (a->start_us > b->start_us) - (a->start_us < b->start_us);

    order = order != 0 ? order : a->is_export - b->is_export;
    return order != 0 ? order
                      : (a->duration_s > b->duration_s) - (a->duration_s < b->duration_s);
}

static int compare_told(const void *left, const void *right)
{
    const struct told *a = left, *b = right;
    int order = compare_intervals(&a->reading, &b->reading);

    order = order != 0 ? order : (a->point > b->point) - (a->point < b->point);
    return order != 0 ? order : (a->at > b->at) - (a->at < b->at);
}

/* False where the sum is too large. */
static bool add_point(struct told *to, const struct told *more)
{
    struct bill_reading sum = to->reading;

    if (__builtin_add_overflow(sum.nkwh, more->reading.nkwh, &sum.nkwh) ||
        __builtin_add_overflow(sum.unit_nkwh, more->reading.unit_nkwh, &sum.unit_nkwh) ||
        __builtin_add_overflow(sum.cost, more->reading.cost, &sum.cost)) {
        return false;
    }
    sum.has_cost = sum.has_cost && more->reading.has_cost;
    to->reading = sum;
    to->n++;
    return true;
}

/* Of one interval and direction each usage point's first reading counts, and they are added up. */
static void add_points(struct join *join)
{
    size_t kept = 0, point = 0;

    for (size_t i = 0; i < join->n_told; i++) {
        const struct told *next = &join->told[i];
        struct told *last = kept > 0 ? &join->told[kept - 1] : NULL;
        if (!last || compare_intervals(&last->reading, &next->reading) != 0) {
            join->told[kept++] = *next;
        } else if (next->point == point || !add_point(last, next)) {
            join->parse->n_ignored++;
        }
        point = next->point;
    }
    join->n_told = kept;
}

/* Marks what longer intervals tell once more. False where usage points tell intervals that overlap
 * and are not the same: no sum of them means anything. */
static bool mark_overlaps(struct join *join)
{
    struct told *counted[2] = { NULL, NULL };

    for (size_t i = 0; i < join->n_told; i++) {
        struct told *told = &join->told[i], **last = &counted[told->reading.is_export];
        struct bill_reading *before = *last ? &(*last)->reading : NULL;
        bool is_over = before && told->reading.start_us <
                                     before->start_us + before->duration_s * US_PER_SECOND;
        if (is_over && ((*last)->point != told->point || (*last)->n != told->n)) {
            return false;
        }
        if (is_over && told->reading.duration_s >= before->duration_s) {
            told->reading.is_overlapping = true;
            continue;
        }
        if (is_over) {
            before->is_overlapping = true;
        }
        *last = told;
    }
    return true;
}

/* ---- the file ---- */

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

static enum err join_readings(struct bill_parse *parse)
{
    struct join join = { .parse = parse };

    if (!make_room(&join, parse->n_entries, parse->n_readings)) {
        return fail_memory(parse->op);
    }
    resolve(&join);
    for (size_t i = 0; i < parse->n_entries; i++) {
        if (parse->entries[i].kind == ENTRY_BLOCK) {
            keep_block(&join, &parse->entries[i]);
        }
    }
    if (join.n_told > 0) {
        qsort(join.told, join.n_told, sizeof *join.told, compare_told);
        add_points(&join);
    }
    if (!mark_overlaps(&join)) {
        return fail(parse->op, ERR_INVALID,
                    "The file's usage points tell different intervals, which cannot be added up: "
                    "ask the utility for a file of each.");
    }
    for (size_t i = 0; i < join.n_told; i++) {
        parse->readings[i] = join.told[i].reading;
    }
    parse->n_readings = join.n_told;
    return OK;
}

enum err bill_file_finish(struct bill_parse *parse, struct bill_file *out)
{
    enum err err = join_readings(parse);

    *out = (struct bill_file){
        .readings = parse->readings,
        .n_readings = (int)parse->n_readings,
        .summaries = parse->summaries,
        .n_summaries = parse->n_summaries,
        .n_ignored = parse->n_ignored,
        .currency = currency_of(parse->currency),
    };
    return err;
}

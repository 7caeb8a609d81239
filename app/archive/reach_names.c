/* The series that are wanted, by their names, as files have them, and by their ids. */
#include "archive/reach_parts.h"

#include "gen/queries.h"

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t add_text(uint64_t hash, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.ptr[i]) * FNV_PRIME;
    }
    return (hash ^ 0xff) * FNV_PRIME; /* no byte of UTF-8 */
}

/* The place of the series, or the free one where it would be; there is always a free one. */
static size_t place_of(const struct reach_names *names, const struct reach_series *series)
{
    uint64_t hash =
        add_text(add_text(add_text(FNV_START, series->device), series->metric), series->labels);
    size_t mask = names->n_places - 1;
    size_t at = (size_t)(hash ^ hash >> 32) & mask;
    const struct reach_series *there;

    while ((there = names->places[at]) != NULL &&
           !(str_equal(there->metric, series->metric) &&
             str_equal(there->labels, series->labels) &&
             str_equal(there->device, series->device))) {
        at = (at + 1) & mask;
    }
    return at;
}

static bool copy(struct arena *arena, struct str text, struct str *out)
{
    const char *bytes = arena_copy(arena, text);

    *out = (struct str){ bytes, text.len };
    return bytes != NULL;
}

static bool add(struct reach_names *names, struct arena *arena, const struct db_rows *rows, int at)
{
    struct reach_series *series = &names->series[names->n];
    struct str unit = db_str(rows, at, REACH_SERIES_UNIT);
    struct str zone = db_str(rows, at, REACH_SERIES_TIMEZONE);

    series->id = db_int(rows, at, REACH_SERIES_SERIES_ID);
    series->unit = unit.ptr ? arena_copy(arena, unit) : NULL;
    series->timezone = arena_copy(arena, zone);
    if ((unit.ptr && !series->unit) || !series->timezone ||
        !copy(arena, db_str(rows, at, REACH_SERIES_DEVICE), &series->device) ||
        !copy(arena, db_str(rows, at, REACH_SERIES_METRIC), &series->metric) ||
        !copy(arena, db_str(rows, at, REACH_SERIES_LABELS), &series->labels)) {
        return false;
    }
    names->places[place_of(names, series)] = series;
    names->n++;
    return true;
}

enum err reach_names_load(struct reach_names *names, struct db_tx *tx, struct arena *arena,
                          const struct reach_setup *setup)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_str(&args, setup->device);
    db_arg_str(&args, setup->metric);
    db_arg_str(&args, setup->site);
    enum err err = db_run(tx, &q_reach_series, &args, &rows);
    if (err != OK) {
        return err;
    }
    size_t n = (size_t)db_count(rows);
    *names = (struct reach_names){ .n_places = 8 };
    while (names->n_places < 2 * n + 1) {
        names->n_places *= 2;
    }
    names->series = arena_array(arena, n + 1, sizeof *names->series);
    names->places = arena_array(arena, names->n_places, sizeof(const struct reach_series *));
    bool is_there = names->series != NULL && names->places != NULL;
    for (int i = 0; is_there && i < (int)n; i++) {
        is_there = add(names, arena, rows, i);
    }
    return is_there ? OK : fail_memory(op);
}

int32_t reach_names_find(struct reach_names *names, struct str device, struct str metric,
                         struct str labels)
{
    const struct reach_series wanted = { .device = device, .metric = metric, .labels = labels };
    const struct reach_series *last = names->last;

    /* rows of a series follow each other */
    if (last == NULL || !str_equal(last->metric, metric) || !str_equal(last->labels, labels) ||
        !str_equal(last->device, device)) {
        last = names->places[place_of(names, &wanted)];
        names->last = last != NULL ? last : names->last;
    }
    return last != NULL ? last->id : 0;
}

const struct reach_series *reach_series_of(const struct reach *reach, int32_t series_id)
{
    const struct reach_names *names = &reach->names;
    size_t low = 0, high = names->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (names->series[middle].id < series_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < names->n && names->series[low].id == series_id ? &names->series[low] : NULL;
}

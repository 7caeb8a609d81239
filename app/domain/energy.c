/* Reads what series amount to. Called by overview.c. */
#include "domain/energy.h"

#include "db/ask.h"
#include "gen/queries.h"

#include <stdlib.h>

enum { ASK_SOURCES, ASK_OPEN };

/* Amounts of all series, in no order. */
struct told {
    struct db_int64_list series, at, nkwh;
};

void energy_ask(struct op *op, struct db_ask *asks)
{
    db_ask_init(&asks[ASK_SOURCES], op, &q_energy_sources);
    db_ask_init(&asks[ASK_OPEN], op, &q_energy_open);
}

/* What is closed: kept from one page to the next. */
static enum err ask_closed(struct db_tx *tx, const struct energy_span *span, struct db_ask *ask)
{
    db_ask_init(ask, db_op(tx), &q_energy_closed);
    ask->stamp = span->closed.stamp;
    db_arg_time(&ask->args, span->quarters_us);
    db_arg_time(&ask->args, span->days_us);
    return db_ask_all(tx, ask, 1);
}

/* Which place the row takes that comes after one of `place`: the first of its device and role, or
 * the next where the rank differs, for those of one rank share theirs. */
static int place_after(const struct db_rows *rows, int i, int place)
{
    static const int SEAT[] = { ENERGY_SOURCES_DEVICE, ENERGY_SOURCES_ROLE };
    for (int k = 0; k < 2; k++) {
        if (i == 0 || strcmp(db_text(rows, i, SEAT[k]), db_text(rows, i - 1, SEAT[k])) != 0) {
            return 1;
        }
    }
    bool is_same = strcmp(db_text(rows, i, ENERGY_SOURCES_RANK),
                          db_text(rows, i - 1, ENERGY_SOURCES_RANK)) == 0;
    return is_same ? place : place + 1;
}

static enum err read_sources(struct op *op, const struct db_rows *rows, struct energy_sources *out)
{
    *out = (struct energy_sources){ .n = db_count(rows) };
    out->items = arena_array(op->arena, (size_t)out->n, sizeof *out->items);
    if (out->items == NULL && out->n > 0) {
        return fail_memory(op);
    }
    int place = 0;
    for (int i = 0; i < out->n; i++) {
        place = place_after(rows, i, place);
        out->items[i] = (struct energy_source){
            .series_id = db_int(rows, i, ENERGY_SOURCES_SERIES_ID),
            .device = db_text(rows, i, ENERGY_SOURCES_DEVICE),
            .role = db_text(rows, i, ENERGY_SOURCES_ROLE),
            .zone = db_text(rows, i, ENERGY_SOURCES_ZONE),
            .place = place,
            .watts = db_double(rows, i, ENERGY_SOURCES_WATTS),
        };
    }
    return OK;
}

/* The three columns from `column` on. */
static enum err read_told(struct db_tx *tx, const struct db_rows *rows, int column,
                          struct told *out)
{
    enum err err = db_int64_list(tx, rows, 0, column, &out->series);
    if (err == OK) {
        err = db_int64_list(tx, rows, 0, column + 1, &out->at);
    }
    if (err == OK) {
        err = db_int64_list(tx, rows, 0, column + 2, &out->nkwh);
    }
    if (err == OK && (out->at.n != out->series.n || out->nkwh.n != out->series.n)) {
        err = fail(db_op(tx), ERR_INTERNAL, "%d times and %d amounts of %d series", out->at.n,
                   out->nkwh.n, out->series.n);
    }
    return err;
}

/* ---- to each what is its own ---- */

static int compare_ids(const void *a, const void *b)
{
    const struct energy_source *left = *(struct energy_source *const *)a;
    const struct energy_source *right = *(struct energy_source *const *)b;
    return (left->series_id > right->series_id) - (left->series_id < right->series_id);
}

/* The sources by their numbers. */
struct index {
    struct energy_source **items;
    int n;
};

static bool make_index(struct arena *arena, const struct energy_sources *all, struct index *out)
{
    *out = (struct index){ arena_array(arena, (size_t)all->n + 1, sizeof *out->items), all->n };
    for (int i = 0; out->items && i < all->n; i++) {
        out->items[i] = &all->items[i];
    }
    if (out->items) {
        qsort(out->items, (size_t)out->n, sizeof *out->items, compare_ids);
    }
    return out->items != NULL;
}

/* Its place in the index; -1: it came after the sources were asked for. `hint`: where to look
 * first, for what is of one series mostly stands together. */
static int find(const struct index *index, int64_t series_id, int hint)
{
    int low = 0, high = index->n - 1;
    if (hint >= 0 && index->items[hint]->series_id == series_id) {
        return hint;
    }
    while (low <= high) {
        int middle = (low + high) / 2;
        int64_t id = index->items[middle]->series_id;
        if (id == series_id) {
            return middle;
        }
        low = id < series_id ? middle + 1 : low;
        high = id < series_id ? high : middle - 1;
    }
    return -1;
}

/* Deals the amounts out: the points of each source, in the order of the index. NULL without
 * memory. */
static struct energy_points *deal(struct arena *arena, const struct index *index,
                                  const struct told *told)
{
    size_t n = (size_t)told->series.n;
    int *owner = arena_array(arena, n + 1, sizeof *owner);
    int *start = arena_array(arena, (size_t)index->n + 1, sizeof *start);
    int64_t *at_us = arena_array(arena, n + 1, sizeof *at_us);
    int64_t *nkwh = arena_array(arena, n + 1, sizeof *nkwh);
    struct energy_points *points = arena_array(arena, (size_t)index->n + 1, sizeof *points);
    if (!owner || !start || !at_us || !nkwh || !points) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        owner[i] = find(index, told->series.items[i], i > 0 ? owner[i - 1] : -1);
        if (owner[i] >= 0) {
            start[owner[i] + 1]++;
        }
    }
    for (int i = 0; i < index->n; i++) {
        start[i + 1] += start[i];
        points[i] = (struct energy_points){ at_us + start[i], nkwh + start[i], 0 };
    }
    for (size_t i = 0; i < n; i++) {
        if (owner[i] >= 0) {
            int to = start[owner[i]] + points[owner[i]].n++;
            at_us[to] = told->at.items[i];
            nkwh[to] = told->nkwh.items[i];
        }
    }
    return points;
}

/* The points in the three columns from `column` on. */
static enum err read_points(struct db_tx *tx, const struct db_rows *rows, int column,
                            const struct index *index, struct energy_points **out)
{
    struct told told;
    enum err err = read_told(tx, rows, column, &told);
    if (err != OK) {
        return err;
    }
    *out = deal(db_op(tx)->arena, index, &told);
    return *out ? OK : fail_memory(db_op(tx));
}

static enum err read_all(struct db_tx *tx, const struct db_rows *closed,
                         const struct db_rows *open, const struct index *index)
{
    struct energy_points *quarters = NULL, *days = NULL, *since = NULL;
    enum err err = read_points(tx, closed, ENERGY_CLOSED_QUARTER_SERIES, index, &quarters);

    if (err == OK) {
        err = read_points(tx, closed, ENERGY_CLOSED_DAY_SERIES, index, &days);
    }
    if (err == OK) {
        err = read_points(tx, open, ENERGY_OPEN_OPEN_SERIES, index, &since);
    }
    for (int i = 0; err == OK && i < index->n; i++) {
        index->items[i]->quarters = quarters[i];
        index->items[i]->days = days[i];
        index->items[i]->open = since[i];
    }
    return err;
}

enum err energy_read(struct db_tx *tx, const struct db_ask *asks, const struct energy_span *span,
                     struct energy_sources *out)
{
    struct index index = { NULL, 0 };
    struct db_ask closed;
    enum err err = read_sources(db_op(tx), asks[ASK_SOURCES].rows, out);

    if (err == OK && !make_index(db_op(tx)->arena, out, &index)) {
        err = fail_memory(db_op(tx));
    }
    if (err == OK) {
        err = ask_closed(tx, span, &closed);
    }
    return err == OK ? read_all(tx, closed.rows, asks[ASK_OPEN].rows, &index) : err;
}

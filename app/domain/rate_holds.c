/* Works out which version holds on which days, from the oldest version to the newest. */
#include "domain/rate_holds.h"

#include "domain/span.h"

#include <string.h>

#define NONE (-1)

/* From a day on, up to the next edge, the version at that place of the list holds. */
struct edge {
    int64_t day;
    int at; /* NONE: none does */
};

struct edges {
    struct edge *items; /* ascending by day; the first is before all days */
    int n;
};

struct painting {
    struct op *op;
    const struct rate_version_list *list;
    struct edges now, before; /* with the version that is looked at, and without it */
    struct rate_holds *holds;
    bool *is_there; /* by place in the list: it held on some day before */
};

static int64_t day_of(const char *text, int64_t fallback)
{
    int64_t day;

    return text && span_day_parse(str_of(text), &day) ? day : fallback;
}

static void push(struct edges *edges, int64_t day, int at)
{
    edges->items[edges->n++] = (struct edge){ day, at };
}

/* Lets the version at that place hold on its days, over all others. */
static void paint(struct painting *all, int at)
{
    const struct rate_version *version = &all->list->items[at];
    int64_t from = day_of(version->from_day, INT64_MIN + 1);
    int64_t to = day_of(version->to_day, INT64_MAX);
    struct edges old = all->now;
    int behind = NONE, i = 0;

    all->now = (struct edges){ all->before.items, 0 };
    all->before = old;
    for (; i < old.n && old.items[i].day < from; i++) {
        push(&all->now, old.items[i].day, old.items[i].at);
        behind = old.items[i].at;
    }
    push(&all->now, from, at);
    for (; i < old.n && old.items[i].day <= to; i++) {
        behind = old.items[i].at;
    }
    if (to < INT64_MAX) {
        push(&all->now, to, behind);
    }
    for (; i < old.n; i++) {
        push(&all->now, old.items[i].day, old.items[i].at);
    }
}

/* Which of the versions that held on some day hold on none now. */
static enum err find_covered(struct painting *all, int at)
{
    size_t size = (size_t)all->list->n + 1;
    int32_t *covers = arena_array(all->op->arena, size, sizeof *covers);
    bool *is_left = arena_array(all->op->arena, size, sizeof *is_left);
    int n = 0;

    if (!covers || !is_left) {
        return fail_memory(all->op);
    }
    for (int i = 0; i < all->now.n; i++) {
        if (all->now.items[i].at != NONE) {
            is_left[all->now.items[i].at] = true;
        }
    }
    for (int i = all->list->n - 1; i >= 0; i--) {
        if (all->is_there[i] && !is_left[i]) {
            covers[n++] = all->list->items[i].number;
        }
    }
    all->is_there = is_left;
    all->holds[at].covers = covers;
    all->holds[at].n_covers = n;
    return OK;
}

static enum err add_spans(struct painting *all, int at)
{
    struct arena *arena = all->op->arena;
    const struct edges *edges = &all->now;
    struct rate_span *spans = arena_array(arena, (size_t)edges->n + 1, sizeof *spans);
    int n = 0;

    for (int i = 0; spans && i < edges->n; i++) {
        if (edges->items[i].at == at) {
            spans[n++] = (struct rate_span){
                span_day_text(arena, edges->items[i].day),
                i + 1 < edges->n ? span_day_text(arena, edges->items[i + 1].day) : NULL,
            };
        }
    }
    all->holds[at].spans = spans;
    all->holds[at].n_spans = n;
    return spans ? OK : fail_memory(all->op);
}

static bool make_room(struct painting *all)
{
    struct arena *arena = all->op->arena;
    size_t n = (size_t)all->list->n + 1;

    all->now.items = arena_array(arena, 2 * n, sizeof *all->now.items);
    all->before.items = arena_array(arena, 2 * n, sizeof *all->before.items);
    all->holds = arena_array(arena, n, sizeof *all->holds);
    all->is_there = arena_array(arena, n, sizeof *all->is_there);
    return all->now.items && all->before.items && all->holds && all->is_there;
}

enum err rate_holds(struct op *op, const struct rate_version_list *list,
                    const struct rate_holds **out)
{
    struct painting all = { .op = op, .list = list };
    enum err err = OK;

    if (!make_room(&all)) {
        return fail_memory(op);
    }
    push(&all.now, INT64_MIN, NONE);
    for (int at = list->n - 1; err == OK && at >= 0; at--) {
        paint(&all, at);
        err = find_covered(&all, at);
    }
    for (int at = 0; err == OK && at < list->n; at++) {
        err = add_spans(&all, at);
    }
    *out = all.holds;
    return err;
}

/* ---- before one is added ---- */

static const struct rate_version *numbered(const struct rate_version_list *list, int32_t number)
{
    for (int i = 0; i < list->n; i++) {
        if (list->items[i].number == number) {
            return &list->items[i];
        }
    }
    return NULL;
}

enum err rate_holds_over(struct op *op, const struct rate_version_list *list,
                         const struct tariff *tariff, struct rate_version_list *out)
{
    struct rate_version *items = arena_array(op->arena, (size_t)list->n + 2, sizeof *items);
    const struct rate_version_list with = { items, list->n + 1 };
    const struct rate_holds *holds;

    *out = (struct rate_version_list){ .n = 0 };
    out->items = arena_array(op->arena, (size_t)list->n + 1, sizeof *out->items);
    if (!items || !out->items) {
        return fail_memory(op);
    }
    memcpy(items + 1, list->items, (size_t)list->n * sizeof *items);
    items[0] = (struct rate_version){
        .from_day = span_day_text(op->arena, tariff->from_day),
        .to_day = tariff->to_day == TARIFF_NEVER ? NULL : span_day_text(op->arena, tariff->to_day),
    };
    enum err err = rate_holds(op, &with, &holds);
    for (int i = 0; err == OK && i < holds[0].n_covers; i++) {
        const struct rate_version *version = numbered(list, holds[0].covers[i]);
        if (version && day_of(version->from_day, INT64_MIN) > tariff->from_day) {
            out->items[out->n++] = *version;
        }
    }
    return err;
}

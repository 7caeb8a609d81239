/* Series by their names, sorted, the highest number of each first. */
#include "archive/erased.h"

#include "base/clock.h"

#include <stdlib.h>

#define FIRST_SERIES 64

void erased_init(struct erased *erased, struct arena *arena)
{
    *erased = (struct erased){ .arena = arena };
}

bool erased_is_whole(const char *day, int64_t from_us, int64_t to_us)
{
    int64_t start_us;

    return clock_parse(str_of(day), &start_us) && from_us <= start_us &&
           to_us >= start_us + US_PER_DAY - 1;
}

static bool copy(struct arena *arena, struct str text, struct str *out)
{
    const char *bytes = arena_copy(arena, text);

    *out = (struct str){ bytes, text.len };
    return bytes != NULL;
}

bool erased_add(struct erased *erased, struct str device, struct str metric, struct str labels,
                int number)
{
    if (erased->n == erased->cap) {
        size_t cap = erased->cap > 0 ? erased->cap * 2 : FIRST_SERIES;
        struct erased_series *more =
            arena_resize(erased->arena, erased->series, erased->cap * sizeof *more,
                         cap * sizeof *more);
        if (more == NULL) {
            return false;
        }
        erased->series = more;
        erased->cap = cap;
    }
    struct erased_series *series = &erased->series[erased->n];
    series->number = number;
    bool is_copied = copy(erased->arena, device, &series->device) &&
                     copy(erased->arena, metric, &series->metric) &&
                     copy(erased->arena, labels, &series->labels);
    erased->n += is_copied;
    return is_copied;
}

static int compare_texts(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared > 0 ? memcmp(a.ptr, b.ptr, shared) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_names(const struct erased_series *a, const struct erased_series *b)
{
    int order = compare_texts(a->device, b->device);

    order = order != 0 ? order : compare_texts(a->metric, b->metric);
    return order != 0 ? order : compare_texts(a->labels, b->labels);
}

static int compare(const void *left, const void *right)
{
    const struct erased_series *a = left, *b = right;
    int order = compare_names(a, b);

    return order != 0 ? order : (a->number < b->number) - (a->number > b->number);
}

void erased_sort(struct erased *erased)
{
    if (erased->n > 0) {
        qsort(erased->series, erased->n, sizeof *erased->series, compare);
    }
}

bool erased_after(const struct erased *erased, struct str device, struct str metric,
                  struct str labels, int number)
{
    const struct erased_series wanted = { device, metric, labels, 0 };
    size_t low = 0, high = erased->n; /* the first that is not before it */

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_names(&erased->series[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < erased->n && compare_names(&erased->series[low], &wanted) == 0 &&
           erased->series[low].number > number;
}

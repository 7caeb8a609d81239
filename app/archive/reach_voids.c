/* What of a day is void: by its tombstones, and by what was erased or deleted since its files were
 * written. Called by reach_day.c. */
#include "archive/reach_parts.h"

#include <stdlib.h>

#define FIRST_VOIDS 64

bool reach_void_add(struct reach *reach, const struct reach_void *added)
{
    if (reach->n_voids == reach->voids_cap) {
        size_t cap = reach->voids_cap > 0 ? reach->voids_cap * 2 : FIRST_VOIDS;
        struct reach_void *more =
            arena_resize(reach->lasting, reach->voids, reach->voids_cap * sizeof *more,
                         cap * sizeof *more);
        if (more == NULL) {
            return false;
        }
        reach->voids = more;
        reach->voids_cap = cap;
    }
    reach->voids[reach->n_voids++] = *added;
    return true;
}

/* By number, series and beginning. */
static int compare_voids(const void *left, const void *right)
{
    const struct reach_void *a = left, *b = right;
    int order = (a->number > b->number) - (a->number < b->number);

    if (order == 0) {
        order = (a->series_id > b->series_id) - (a->series_id < b->series_id);
    }
    return order != 0 ? order : (a->from_us > b->from_us) - (a->from_us < b->from_us);
}

/* How many voids come before or at these. */
static size_t voids_up_to(const struct reach *reach, const struct reach_void *last)
{
    size_t low = 0, high = reach->n_voids;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_voids(&reach->voids[middle], last) <= 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool reach_is_void(const struct reach *reach, const struct reach_sample *sample)
{
    struct reach_void wanted = { sample->number, INT32_MAX, INT64_MAX, 0 };
    size_t at = voids_up_to(reach, &wanted);

    while (at < reach->n_voids) {
        wanted = (struct reach_void){ reach->voids[at].number, sample->series_id,
                                      sample->time_us, 0 };
        size_t end = voids_up_to(reach, &wanted);
        const struct reach_void *hit = end > at ? &reach->voids[end - 1] : NULL;
        if (hit && hit->series_id == sample->series_id && hit->to_us >= sample->time_us) {
            return true;
        }
        wanted = (struct reach_void){ wanted.number, INT32_MAX, INT64_MAX, 0 };
        at = voids_up_to(reach, &wanted);
    }
    return false;
}

bool reach_void_erased(struct reach *reach, const struct reach_day *day)
{
    bool is_added = true;

    for (int i = 0; i < reach->n_erased && is_added; i++) {
        const struct reach_erased *erased = &reach->erased[i];
        const struct reach_void all = { INT32_MAX, erased->series_id, erased->from_us,
                                        erased->to_us };
        is_added = strcmp(erased->day, day->name) != 0 || reach_void_add(reach, &all);
    }
    return is_added;
}

/* Those of a number and series may overlap: each is made to reach as far as all that begin before
 * it, so that the last one that begins before a sample, or with it, tells whether any has it. */
void reach_voids_sort(struct reach *reach)
{
    if (reach->n_voids > 0) {
        qsort(reach->voids, reach->n_voids, sizeof *reach->voids, compare_voids);
    }
    for (size_t i = 1; i < reach->n_voids; i++) {
        const struct reach_void *last = &reach->voids[i - 1];
        struct reach_void *next = &reach->voids[i];
        if (last->number == next->number && last->series_id == next->series_id &&
            last->to_us > next->to_us) {
            next->to_us = last->to_us;
        }
    }
}

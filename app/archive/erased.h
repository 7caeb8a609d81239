/* The series that tombstones of a day void whole, for they were erased or all their rows deleted:
 * known before the day is restored. Used by restore_day.c and the tables. */
#ifndef TIDEMARK_ARCHIVE_ERASED_H
#define TIDEMARK_ARCHIVE_ERASED_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct erased_series {
    struct str device, metric, labels; /* in the arena */
    int number;                        /* of the tombstones: they void lower ones */
};
struct erased {
    struct arena *arena;
    struct erased_series *series;
    size_t n, cap;
};

/* None yet; what is added lives in `arena`. */
void erased_init(struct erased *erased, struct arena *arena);

/* Whether [from_us, to_us], µs since 1970, both included, holds all of a day ("2026-11-20", of
 * UTC). */
bool erased_is_whole(const char *day, int64_t from_us, int64_t to_us);

/* Adds a series, whose names are copied. False beyond the arena's cap. */
bool erased_add(struct erased *erased, struct str device, struct str metric, struct str labels,
                int number);

/* Must be called between the last erased_add and the first erased_after. */
void erased_sort(struct erased *erased);

/* Whether a file of a higher number than `number` voids the series whole. */
bool erased_after(const struct erased *erased, struct str device, struct str metric,
                  struct str labels, int number);

#endif

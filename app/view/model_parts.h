/* Parts that the models of several pages share. Included by app/view/model_*.c. */
#ifndef TIDEMARK_VIEW_MODEL_PARTS_H
#define TIDEMARK_VIEW_MODEL_PARTS_H

#include "domain/latest.h"
#include "domain/sample.h"
#include "view/models.h"

/* A time beside now; `time_us` may be DEVICE_NEVER. */
struct moment_view moment_view(struct arena *arena, const struct zone *zone, int64_t now_us,
                               int64_t time_us);

/* A device's row with its headline value; without energy and spark. */
struct device_row device_row(struct arena *arena, const struct zone *zone, int64_t now_us,
                             const struct latest *latest);

/* The words of a freshness: "Live", and the class "live". */
const char *freshness_word(enum freshness freshness);
const char *freshness_class(enum freshness freshness);

/* "3 live, 1 late, 2 silent", without those that there are none of. */
const char *counts_view(struct arena *arena, const struct latest_counts *counts);

/* Ticks of the span [from_us, to_us] for an axis, about `target` of them. *n is their number;
 * NULL beyond the arena's cap (and *n is 0). */
const struct chart_tick *span_ticks(struct arena *arena, const struct zone *zone, int64_t from_us,
                                    int64_t to_us, int target, int *n);

/* "Fri 20 Nov, 14:00–15:00", with the offset where `is_offset_shown`. */
const char *span_name(struct arena *arena, const struct zone *zone, int64_t from_us,
                      int64_t to_us, bool is_offset_shown);

/* True when the zone's offset changes within [from_us, to_us). */
bool zone_changes(const struct zone *zone, int64_t from_us, int64_t to_us);

/* "Fri 20 Nov, 14:00–15:00", "Fri 20 Nov 2026", "Week from 16 Nov 2026", "Nov 2026". */
const char *bucket_name(struct arena *arena, const struct zone *zone, enum sample_bucket bucket,
                        int64_t from_us, int64_t to_us);

/* "hour", "day", … */
const char *bucket_word(enum sample_bucket bucket);

/* Local days, both inclusive: "20 Nov 2026", "14 Nov to 20 Nov 2026". */
const char *days_name(struct arena *arena, int64_t from_day, int64_t to_day);

#endif

/* Events as pages show them. */
#ifndef TIDEMARK_VIEW_MODEL_EVENTS_H
#define TIDEMARK_VIEW_MODEL_EVENTS_H

#include "domain/event.h"
#include "domain/event_count.h"
#include "view/models.h"

#define EVENTS_SHOWN 50        /* a page */
#define EVENT_COUNT_DAYS 14

/* A row of each event; NULL beyond the arena's cap, or for none. */
const struct event_line *event_lines(struct arena *arena, const struct zone *zone, int64_t now_us,
                                   const struct event_list *list);

/* The first of an event's data in a line: "code 7 · severity info". "" where there are none. */
const char *event_gist(struct arena *arena, const char *data);

/* Adds the bars by day and type, today last. `starts`: of the days, EVENT_COUNT_DAYS + 1. False
 * beyond the arena's cap. */
bool event_counts_view(struct arena *arena, const struct zone *zone, int64_t now_us,
                       const int64_t *starts, const struct event_count_list *counts,
                       struct events_view *out) MUST_CHECK;

#endif

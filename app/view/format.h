/* Numbers and times as pages show them: 24-hour clock, a dot for decimals, a thin space
 * between thousands, U+2212 for minus, a no-break space before a unit. Texts live in the
 * arena; NULL beyond its cap, which the writers of html.h pass over. A NaN is an en dash. */
#ifndef TIDEMARK_VIEW_FORMAT_H
#define TIDEMARK_VIEW_FORMAT_H

#include "base/arena.h"
#include "base/clock.h"

#define FORMAT_NONE "\xe2\x80\x93"       /* – */
#define FORMAT_NBSP "\xc2\xa0"           /* between a number and its unit */
#define FORMAT_THIN "\xe2\x80\xaf"       /* between thousands, no-break */
#define FORMAT_MINUS "\xe2\x88\x92"

/* ---- numbers ---- */

/* A unit to show values in: shown = value × factor. */
struct unit {
    const char *name;
    double factor;
};

/* The unit in which a value of that size reads best: W becomes kW, MW …, kWh becomes Wh below
 * one and MWh from ten thousand on, B becomes kB, MB …. Others (and NULL, shown as "") stay. */
struct unit unit_for(const char *base, double magnitude);

/* With a fixed count of decimals (0 to 9). */
const char *format_number(struct arena *arena, double value, int decimals);

/* The decimals that leave a value of that size three significant digits: 0 from 100 on. */
int format_decimals(double magnitude);

/* A value in the unit it reads best in, number and unit apart, for large figures. */
struct figure {
    const char *number;
    const char *unit;   /* "" without one */
};
struct figure format_figure(struct arena *arena, double value, const char *unit);

/* The same in the unit that the greatest of several values, `magnitude`, reads best in, so that
 * they can be compared. */
struct figure format_figure_beside(struct arena *arena, double value, const char *unit,
                                   double magnitude);

/* A figure in one piece: "1.24 kW". NULL where its number is. */
const char *format_join(struct arena *arena, struct figure figure);

/* format_figure in one piece. */
const char *format_quantity(struct arena *arena, double value, const char *unit);

/* A part of a whole, 0 to 1, in whole percent: "46 %". */
const char *format_share(struct arena *arena, double share);

/* ---- times ---- */

/* "14:05" */
const char *format_clock(struct arena *arena, const struct zone *zone, int64_t time_us);
/* "Fri 20 Nov" */
const char *format_day(struct arena *arena, const struct zone *zone, int64_t time_us);
/* "Friday 20 November" */
const char *format_day_long(struct arena *arena, const struct zone *zone, int64_t time_us);
/* "20 Nov 2026, 14:05" */
const char *format_moment(struct arena *arena, const struct zone *zone, int64_t time_us);
/* "2026-11-20T14:05:00-08:00", for <time datetime> */
const char *format_machine(struct arena *arena, const struct zone *zone, int64_t time_us);
/* "UTC−8", "UTC+5:30" */
const char *format_offset(struct arena *arena, int32_t offset_s);
/* "just now", "2 min ago", "3 h ago", "5 days ago"; "in 2 min" for what is to come. */
const char *format_relative(struct arena *arena, int64_t now_us, int64_t time_us);

/* Calendar fields of the zone's own clock. */
struct clock_fields format_local(const struct zone *zone, int64_t time_us);

extern const char *const format_months[12];   /* "Jan" … */

#endif

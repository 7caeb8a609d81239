/* Time. A time is an int64_t of microseconds since 1970-01-01 UTC (`_us`), the
 * database's own resolution. Zones come from the database (domain/zone), so that
 * there is one source of their rules; here is only the arithmetic. */
#ifndef TIDEMARK_BASE_CLOCK_H
#define TIDEMARK_BASE_CLOCK_H

#include "base/str.h"

#include <stdint.h>

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SECOND)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)

/* 0001-01-01 to the last microsecond of 9999 in UTC: what RFC 3339 can express. */
#define CLOCK_MIN_US INT64_C(-62135596800000000)
#define CLOCK_MAX_US INT64_C(253402300799999999)

/* "2026-11-20T12:00:00.123456+05:30" with its NUL */
#define CLOCK_TEXT_SIZE 40

int64_t clock_now_us(void);       /* wall clock */
int64_t clock_monotonic_us(void); /* for durations and deadlines */

/* Parses RFC 3339 (any offset, `T`, `t` or a space, fraction of 1 to 9 digits cut to
 * microseconds, a leap second as the next second where UTC has one; years 0001 to 9999).
 * False on anything else, also impossible dates. */
bool clock_parse_rfc3339(struct str text, int64_t *out_us);

/* Reads an integer epoch by magnitude: below 1e11 seconds, below 1e14 milliseconds,
 * below 1e17 microseconds, else nanoseconds (cut to the microsecond before). Negative values
 * by their size likewise: the result may then lie before CLOCK_MIN_US. */
int64_t clock_from_epoch(int64_t epoch);

/* Parses what an API client may write for a time: RFC 3339, a date (UTC midnight), or an
 * integer epoch. False on anything else or outside years 0001 to 9999. */
bool clock_parse(struct str text, int64_t *out_us);

/* RFC 3339 in UTC with `Z`; milliseconds or microseconds only where they are not zero.
 * Returns `out`. */
char *clock_format(int64_t time_us, char out[CLOCK_TEXT_SIZE]);

/* The same with the given offset (seconds east of UTC) written as `+hh:mm`. */
char *clock_format_offset(int64_t time_us, int32_t offset_s, char out[CLOCK_TEXT_SIZE]);

/* Calendar fields of a time in UTC (add an offset before for local ones). */
struct clock_fields {
    int year, month, day; /* month and day from 1 */
    int hour, minute, second;
    int micros;
    int weekday; /* 0 Monday … 6 Sunday */
};
struct clock_fields clock_split(int64_t time_us);
/* The inverse; fields must be in range (weekday is ignored). */
int64_t clock_join(const struct clock_fields *fields);

/* A zone's offsets over a span: each holds from `from_us` until the next one. */
struct zone_offset {
    int64_t from_us;
    int32_t offset_s;
};
struct zone {
    const char *name;                  /* IANA */
    const struct zone_offset *offsets; /* ascending; the first holds for all before it too */
    int n_offsets;                     /* 0 means UTC */
};
/* Seconds east of UTC that the zone had at that time. */
int32_t zone_offset_at(const struct zone *zone, int64_t time_us);
/* The same, fast for times that follow one another: *hint, 0 at first, is where to look first. */
int32_t zone_offset_near(const struct zone *zone, int64_t time_us, int *hint);

#endif

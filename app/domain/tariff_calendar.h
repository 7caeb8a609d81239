/* The calendar of a rate schedule: seasons by date, classes of days, holidays, and the windows that
 * say which period a minute of the day belongs to. Part of the document (tariff.h). */
#ifndef TIDEMARK_DOMAIN_TARIFF_CALENDAR_H
#define TIDEMARK_DOMAIN_TARIFF_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#define TARIFF_MAX_SEASONS 24
#define TARIFF_ANY (-1) /* every season, every period */
#define MINUTES_PER_DAY 1440

/* Days of any year, 101 to 1231: month * 100 + day. `to` is exclusive and may lie in the next. */
struct tariff_season_span {
    int season;
    int from_date, to_date;
};

/* Days of the week are bits, Monday the lowest; the eighth is holidays. */
#define TARIFF_WEEKDAYS 0x1fu
#define TARIFF_WEEKENDS 0x60u
#define TARIFF_HOLIDAYS 0x80u
#define TARIFF_ALL_DAYS 0xffu
#define TARIFF_DAY_CLASSES 8

enum tariff_holiday_kind { HOLIDAY_DATE, HOLIDAY_YEARLY, HOLIDAY_NTH_WEEKDAY, HOLIDAY_EASTER };
enum tariff_observed {
    OBSERVED_AS_IT_IS,
    OBSERVED_NEAREST_WEEKDAY, /* Saturday's on Friday, Sunday's on Monday */
    OBSERVED_SUNDAY_TO_MONDAY,
    OBSERVED_NEXT_WEEKDAY     /* Saturday's and Sunday's on Monday */
};
struct tariff_holiday {
    enum tariff_holiday_kind kind;
    const char *name;   /* may be "" */
    int64_t day;        /* of HOLIDAY_DATE: local day since 1970 */
    int month, mday;    /* of the others; mday of HOLIDAY_YEARLY */
    int nth, weekday;   /* 1 to 5, or -1: the last; 0 Monday … 6 Sunday */
    int offset;         /* days after (before: negative) what the rule says */
    enum tariff_observed observed;
};

/* Which period it is; of several that match a time the last one says. */
struct tariff_window {
    int period;
    uint32_t seasons;   /* a bit each */
    uint32_t days;      /* TARIFF_… */
    int from, to;       /* minutes of the local day, to exclusive; from > to: both ends of it */
};

/* What windows are for: each may have its own, else those of import hold. */
enum tariff_use { TARIFF_IMPORT, TARIFF_DEMAND, TARIFF_EXPORT };
#define TARIFF_USES 3
struct tariff_windows {
    const struct tariff_window *items;
    int n;
};

/* Day of the year of a local day: month * 100 + day, 101 to 1231. */
int tariff_date_of(int64_t day);
/* Class of a local day: 0 Monday … 6 Sunday, whether it is a holiday or not. */
int tariff_weekday_of(int64_t day);
/* The local day on which a rule's holiday of that year is observed, which may lie in the year
 * beside it. False where the year has none (a fifth Monday, another year's date). */
bool tariff_holiday_in(const struct tariff_holiday *holiday, int year, int64_t *day);

#endif

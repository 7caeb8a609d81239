/* Dates of rate schedules: days of the year and the rules of holidays. Called where schedules are
 * read and compiled. */
#include "domain/tariff_calendar.h"

#include "base/clock.h"

#define SATURDAY 5
#define SUNDAY 6

static int64_t day_of(int year, int month, int mday)
{
    struct clock_fields fields = { .year = year, .month = month, .day = mday };
    return clock_join(&fields) / US_PER_DAY - (clock_join(&fields) % US_PER_DAY < 0);
}

static struct clock_fields fields_of(int64_t day)
{
    return clock_split(day * US_PER_DAY);
}

int tariff_date_of(int64_t day)
{
    struct clock_fields fields = fields_of(day);
    return fields.month * 100 + fields.day;
}

int tariff_weekday_of(int64_t day)
{
    return fields_of(day).weekday;
}

/* Easter Sunday of the Gregorian calendar (the anonymous algorithm, Meeus, chapter 8). */
static int64_t easter_in(int year)
{
    int golden = year % 19;
    int century = year / 100, in_century = year % 100;
    int skipped = (century + 8) / 25;
    int moon = (19 * golden + century - century / 4 - (century - skipped + 1) / 3 + 15) % 30;
    int weekday = (32 + 2 * (century % 4) + 2 * (in_century / 4) - moon - in_century % 4) % 7;
    int late = (golden + 11 * moon + 22 * weekday) / 451;
    int march = moon + weekday - 7 * late + 22; /* day, counted from the start of March */

    return day_of(year, 3, 1) + march - 1;
}

/* The first, second, …, or last such day of the week of a month. */
static bool nth_weekday(const struct tariff_holiday *holiday, int year, int64_t *day)
{
    int month = holiday->month;
    int64_t first = day_of(year, month, 1);
    int64_t next = month == 12 ? day_of(year + 1, 1, 1) : day_of(year, month + 1, 1);

    if (holiday->nth < 0) {
        *day = next - 1 - (tariff_weekday_of(next - 1) - holiday->weekday + 7) % 7;
        return true;
    }
    *day = first + (holiday->weekday - tariff_weekday_of(first) + 7) % 7 + 7 * (holiday->nth - 1);
    return *day < next;
}

/* What the rule says of the year, before it is observed on another day. */
static bool rule_in(const struct tariff_holiday *holiday, int year, int64_t *day)
{
    switch (holiday->kind) {
    case HOLIDAY_DATE:
        *day = holiday->day;
        return fields_of(*day).year == year;
    case HOLIDAY_YEARLY:
        *day = day_of(year, holiday->month, holiday->mday);
        return fields_of(*day).day == holiday->mday; /* the 29th of February */
    case HOLIDAY_NTH_WEEKDAY: return nth_weekday(holiday, year, day);
    case HOLIDAY_EASTER: *day = easter_in(year); return true;
    }
    return false;
}

static int64_t observed(int64_t day, enum tariff_observed rule)
{
    int weekday = tariff_weekday_of(day);

    if (weekday == SUNDAY) {
        return rule == OBSERVED_AS_IT_IS ? day : day + 1;
    }
    if (weekday == SATURDAY && rule == OBSERVED_NEAREST_WEEKDAY) {
        return day - 1;
    }
    return weekday == SATURDAY && rule == OBSERVED_NEXT_WEEKDAY ? day + 2 : day;
}

bool tariff_holiday_in(const struct tariff_holiday *holiday, int year, int64_t *day)
{
    if (!rule_in(holiday, year, day)) {
        return false;
    }
    *day = observed(*day + holiday->offset, holiday->observed);
    return true;
}

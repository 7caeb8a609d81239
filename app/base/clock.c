/* Instants, calendar fields and their texts. Answers for RFC 3339 both ways, epochs and
 * the arithmetic between days and dates; not for the rules of zones, which come from the
 * database. Called by every layer; parsing is on ingest's hot path. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t clock_read_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

int64_t clock_now_us(void)
{
    return clock_read_us(CLOCK_REALTIME);
}

int64_t clock_monotonic_us(void)
{
    return clock_read_us(CLOCK_MONOTONIC);
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. Years are counted
 * from March, so that the leap day is a year's last; 400 years are 146,097 days
 * (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* The inverse, from the same source. */
static void date_from_days(int64_t days, struct clock_fields *out)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month_from_march = (5 * day_of_year + 2) / 153;
    out->day = (int)(day_of_year - (153 * month_from_march + 2) / 5 + 1);
    out->month = (int)(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
    out->year = (int)(year_of_era + era * 400 + (out->month <= 2));
}

static int days_in_month(int year, int month)
{
    static const signed char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && is_leap);
}

struct clock_fields clock_split(int64_t time_us)
{
    int64_t days = time_us / US_PER_DAY;
    int64_t rest = time_us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    struct clock_fields fields;
    date_from_days(days, &fields);
    int seconds = (int)(rest / US_PER_SECOND);
    fields.hour = seconds / 3600;
    fields.minute = seconds / 60 % 60;
    fields.second = seconds % 60;
    fields.micros = (int)(rest % US_PER_SECOND);
    int weekday = (int)((days + 3) % 7); /* 1970-01-01 was a Thursday */
    fields.weekday = weekday < 0 ? weekday + 7 : weekday;
    return fields;
}

int64_t clock_join(const struct clock_fields *fields)
{
    int64_t days = days_from_date(fields->year, fields->month, fields->day);
    int64_t seconds = fields->hour * 3600 + fields->minute * 60 + fields->second;
    return days * US_PER_DAY + seconds * US_PER_SECOND + fields->micros;
}

/* ---- reading ---- */

/* `count` digits at `at` as a number, or -1. */
static int read_digits(const char *at, int count)
{
    int value = 0;
    for (int i = 0; i < count; i++) {
        unsigned digit = (unsigned)(at[i] - '0');
        if (digit > 9) {
            return -1;
        }
        value = value * 10 + (int)digit;
    }
    return value;
}

/* "YYYY-MM-DD" at `at`. */
static bool read_date(const char *at, struct clock_fields *out)
{
    out->year = read_digits(at, 4);
    out->month = read_digits(at + 5, 2);
    out->day = read_digits(at + 8, 2);
    return out->year >= 1 && at[4] == '-' && out->month >= 1 && out->month <= 12 && at[7] == '-' &&
           out->day >= 1 && out->day <= days_in_month(out->year, out->month);
}

/* "hh:mm:ss" at `at`; second 60 is left to the caller. */
static bool read_clock(const char *at, struct clock_fields *out)
{
    out->hour = read_digits(at, 2);
    out->minute = read_digits(at + 3, 2);
    out->second = read_digits(at + 6, 2);
    return out->hour >= 0 && out->hour <= 23 && at[2] == ':' && out->minute >= 0 &&
           out->minute <= 59 && at[5] == ':' && out->second >= 0 && out->second <= 60;
}

/* ".d" to ".ddddddddd", if there is one: the rest after it, with ptr NULL when malformed. */
static struct str read_fraction(struct str text, int *micros)
{
    *micros = 0;
    if (text.len == 0 || text.ptr[0] != '.') {
        return text;
    }
    size_t i = 1;
    int unit = 100000;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        *micros += (text.ptr[i] - '0') * unit;
        unit /= 10;
    }
    if (i == 1 || i > 10) {
        return (struct str){ NULL, 0 };
    }
    return (struct str){ text.ptr + i, text.len - i };
}

/* "Z", "z" or "+hh:mm" spanning the whole text, as seconds east of UTC. */
static bool read_offset(struct str text, int *offset_s)
{
    *offset_s = 0;
    if (text.len == 1) {
        return text.ptr[0] == 'Z' || text.ptr[0] == 'z';
    }
    if (text.len != 6 || (text.ptr[0] != '+' && text.ptr[0] != '-') || text.ptr[3] != ':') {
        return false;
    }
    int hours = read_digits(text.ptr + 1, 2);
    int minutes = read_digits(text.ptr + 4, 2);
    int size = hours * 3600 + minutes * 60;
    *offset_s = text.ptr[0] == '-' ? -size : size;
    return hours >= 0 && hours <= 23 && minutes >= 0 && minutes <= 59;
}

bool clock_parse_rfc3339(struct str text, int64_t *out_us)
{
    struct clock_fields fields = { 0 };
    int offset_s;

    if (text.len < sizeof "2026-11-20T12:00:00Z" - 1 || !read_date(text.ptr, &fields) ||
        (text.ptr[10] != 'T' && text.ptr[10] != 't' && text.ptr[10] != ' ') ||
        !read_clock(text.ptr + 11, &fields)) {
        return false;
    }
    struct str zone = read_fraction((struct str){ text.ptr + 19, text.len - 19 }, &fields.micros);
    if (zone.len == 0 || !read_offset(zone, &offset_s)) {
        return false;
    }
    int64_t time_us = clock_join(&fields) - offset_s * US_PER_SECOND;
    /* Leap seconds are inserted before midnight UTC and nowhere else. */
    if (fields.second == 60 && time_us % US_PER_DAY >= US_PER_SECOND) {
        return false;
    }
    if (time_us < CLOCK_MIN_US || time_us > CLOCK_MAX_US) {
        return false;
    }
    *out_us = time_us;
    return true;
}

int64_t clock_from_epoch(int64_t epoch)
{
    uint64_t size = epoch < 0 ? 0 - (uint64_t)epoch : (uint64_t)epoch;

    if (size < UINT64_C(100000000000)) {
        return epoch * US_PER_SECOND;
    }
    if (size < UINT64_C(100000000000000)) {
        return epoch * 1000;
    }
    if (size < UINT64_C(100000000000000000)) {
        return epoch;
    }
    return epoch / 1000 - (epoch % 1000 < 0);
}

bool clock_parse(struct str text, int64_t *out_us)
{
    struct clock_fields fields = { 0 };
    long long epoch;

    if (text.len == sizeof "2026-11-20" - 1 && read_date(text.ptr, &fields)) {
        *out_us = clock_join(&fields);
        return true;
    }
    if (!str_to_int64(text, &epoch)) {
        return clock_parse_rfc3339(text, out_us);
    }
    int64_t time_us = clock_from_epoch(epoch);
    if (time_us < CLOCK_MIN_US || time_us > CLOCK_MAX_US) {
        return false;
    }
    *out_us = time_us;
    return true;
}

/* ---- writing ---- */

/* Date, time and fraction in the given fields' own zone; returns the length. */
static int format_local(int64_t local_us, char out[CLOCK_TEXT_SIZE])
{
    struct clock_fields at = clock_split(local_us);
    int length = snprintf(out, CLOCK_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", at.year, at.month,
                          at.day, at.hour, at.minute, at.second);
    char *end = out + length;
    size_t left = CLOCK_TEXT_SIZE - (size_t)length;

    if (at.micros % 1000 != 0) {
        length += snprintf(end, left, ".%06d", at.micros);
    } else if (at.micros != 0) {
        length += snprintf(end, left, ".%03d", at.micros / 1000);
    }
    return length;
}

char *clock_format(int64_t time_us, char out[CLOCK_TEXT_SIZE])
{
    int length = format_local(time_us, out);
    snprintf(out + length, CLOCK_TEXT_SIZE - (size_t)length, "Z");
    return out;
}

char *clock_format_offset(int64_t time_us, int32_t offset_s, char out[CLOCK_TEXT_SIZE])
{
    int minutes = (offset_s < 0 ? -offset_s : offset_s) / 60;
    int length = format_local(time_us + offset_s * US_PER_SECOND, out);
    snprintf(out + length, CLOCK_TEXT_SIZE - (size_t)length, "%c%02d:%02d",
             offset_s < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
    return out;
}

/* ---- zones ---- */

/* The last offset that begins at or before the time; the first where none does. */
static int find_offset(const struct zone *zone, int64_t time_us)
{
    int low = 0;
    int high = zone->n_offsets;
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (zone->offsets[middle].from_us <= time_us) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

int32_t zone_offset_at(const struct zone *zone, int64_t time_us)
{
    return zone->n_offsets > 0 ? zone->offsets[find_offset(zone, time_us)].offset_s : 0;
}

int32_t zone_offset_near(const struct zone *zone, int64_t time_us, int *hint)
{
    const struct zone_offset *offsets = zone->offsets;
    int at = *hint;

    if (zone->n_offsets == 0) {
        return 0;
    }
    bool is_here = (at == 0 || offsets[at].from_us <= time_us) &&
                   (at + 1 == zone->n_offsets || time_us < offsets[at + 1].from_us);
    if (!is_here) {
        *hint = at = find_offset(zone, time_us);
    }
    return offsets[at].offset_s;
}

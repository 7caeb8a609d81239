/* Reading local times and finding their instants. Called by the formats of PVOutput; the zone's
 * offsets are the database's (domain/zone). */
#include "ingest/local_time.h"

/* `n` digits at `at`. */
static bool read_digits(struct str text, size_t at, size_t n, int *out)
{
    *out = 0;
    for (size_t i = at; i < at + n; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        *out = *out * 10 + (text.ptr[i] - '0');
    }
    return true;
}

static bool read_date(struct str text, struct clock_fields *out)
{
    bool has_dashes = text.len == 10 && text.ptr[4] == '-' && text.ptr[7] == '-';
    size_t gap = has_dashes ? 1 : 0;

    return (has_dashes || text.len == 8) && read_digits(text, 0, 4, &out->year) &&
           read_digits(text, 4 + gap, 2, &out->month) &&
           read_digits(text, 6 + 2 * gap, 2, &out->day);
}

static bool read_clock(struct str text, struct clock_fields *out)
{
    struct str hour = str_cut(&text, ':');
    struct str minute = str_cut(&text, ':');

    if (!hour.ptr || hour.len == 0) {
        return true;
    }
    return hour.len <= 2 && read_digits(hour, 0, hour.len, &out->hour) && minute.len == 2 &&
           read_digits(minute, 0, 2, &out->minute) &&
           (!text.ptr || (text.len == 2 && read_digits(text, 0, 2, &out->second)));
}

bool local_time_read(struct str date, struct str time, int64_t *out_us)
{
    struct clock_fields fields = { .year = 0 };

    if (!read_date(str_trim(date), &fields) || !read_clock(str_trim(time), &fields) ||
        fields.year < 1600 || fields.month < 1 || fields.month > 12 || fields.day < 1 ||
        fields.day > 31 || fields.hour > 23 || fields.minute > 59 || fields.second > 59) {
        return false;
    }
    *out_us = clock_join(&fields);
    struct clock_fields back = clock_split(*out_us);
    return back.day == fields.day; /* the 30th of February is the 2nd of March */
}

int64_t local_time_to_utc(const struct zone *zone, int64_t local_us, int64_t last_us,
                          int64_t now_us)
{
    int32_t before_s = zone_offset_at(zone, local_us - US_PER_DAY);
    int32_t after_s = zone_offset_at(zone, local_us + US_PER_DAY);
    int64_t first_us = local_us - before_s * US_PER_SECOND;
    int64_t second_us = local_us - after_s * US_PER_SECOND;
    bool has_first = zone_offset_at(zone, first_us) == before_s;
    bool has_second = zone_offset_at(zone, second_us) == after_s;

    if (has_first && has_second && first_us < second_us) {
        bool is_live = second_us <= now_us && now_us - second_us < US_PER_HOUR;
        return is_live || first_us <= last_us ? second_us : first_us;
    }
    return has_first || !has_second ? first_us : second_us;
}

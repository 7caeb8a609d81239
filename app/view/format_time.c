/* Times as text, on the clock of a zone. Called by the models of the pages and by charts. */
#include "view/format.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const format_months[12] = {
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
};
static const char *const months_long[12] = {
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
};
static const char *const days[7] = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" };
static const char *const days_long[7] = {
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
};

struct clock_fields format_local(const struct zone *zone, int64_t time_us)
{
    return clock_split(time_us + zone_offset_at(zone, time_us) * US_PER_SECOND);
}

const char *format_clock(struct arena *arena, const struct zone *zone, int64_t time_us)
{
    struct clock_fields at = format_local(zone, time_us);
    return arena_printf(arena, "%02d:%02d", at.hour, at.minute);
}

const char *format_day(struct arena *arena, const struct zone *zone, int64_t time_us)
{
    struct clock_fields at = format_local(zone, time_us);
    return arena_printf(arena, "%s %d %s", days[at.weekday], at.day, format_months[at.month - 1]);
}

const char *format_day_long(struct arena *arena, const struct zone *zone, int64_t time_us)
{
    struct clock_fields at = format_local(zone, time_us);
    return arena_printf(arena, "%s %d %s", days_long[at.weekday], at.day,
                        months_long[at.month - 1]);
}

const char *format_moment(struct arena *arena, const struct zone *zone, int64_t time_us)
{
    struct clock_fields at = format_local(zone, time_us);
    return arena_printf(arena, "%d %s %d, %02d:%02d", at.day, format_months[at.month - 1], at.year,
                        at.hour, at.minute);
}

const char *format_machine(struct arena *arena, const struct zone *zone, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    /* Whole seconds are what <time> needs. */
    int64_t second_us = time_us - ((time_us % US_PER_SECOND) + US_PER_SECOND) % US_PER_SECOND;
    clock_format_offset(second_us, zone_offset_at(zone, time_us), text);
    return arena_copy(arena, str_of(text));
}

const char *format_offset(struct arena *arena, int32_t offset_s)
{
    const char *sign = offset_s < 0 ? FORMAT_MINUS : "+";
    int minutes = abs(offset_s) / 60;
    if (offset_s == 0) {
        return "UTC";
    }
    if (minutes % 60 == 0) {
        return arena_printf(arena, "UTC%s%d", sign, minutes / 60);
    }
    return arena_printf(arena, "UTC%s%d:%02d", sign, minutes / 60, minutes % 60);
}

const char *format_relative(struct arena *arena, int64_t now_us, int64_t time_us)
{
    int64_t age_us = now_us - time_us;
    bool is_past = age_us >= 0;
    int64_t size_us = is_past ? age_us : -age_us;
    if (size_us < 45 * US_PER_SECOND) {
        return "just now";
    }
    int64_t count;
    const char *unit;
    if (size_us < 59 * US_PER_MINUTE + 30 * US_PER_SECOND) {
        count = (size_us + US_PER_MINUTE / 2) / US_PER_MINUTE;
        unit = "min";
    } else if (size_us < 36 * US_PER_HOUR) {
        count = (size_us + US_PER_HOUR / 2) / US_PER_HOUR;
        unit = "h";
    } else {
        count = (size_us + US_PER_DAY / 2) / US_PER_DAY;
        unit = "days";
    }
    return arena_printf(arena, "%s%" PRId64 FORMAT_NBSP "%s%s", is_past ? "" : "in ", count, unit,
                        is_past ? " ago" : "");
}

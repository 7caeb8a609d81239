/* view/model_overview and domain/month: two months side by side, gauges on one scale, what events
 * say. Answers by hand. */
#include "domain/month.h"
#include "view/model_overview.h"

#include "tap.h"

#include <math.h>

static const struct zone utc = { "UTC", NULL, 0 };

/* An overview at noon of that day, `used` kWh on each day that is known: as many days as lie
 * between the first of the month before and today, 30 at least. */
static void fill(struct overview *out, int year, int month, int day, int n_days, double used)
{
    struct clock_fields noon = { .year = year, .month = month, .day = day, .hour = 12 };
    int64_t now_us = clock_join(&noon), midnight_us = now_us - US_PER_DAY / 2;
    *out = (struct overview){
        .now_us = now_us, .zone = utc, .n_days = n_days, .power = flow_none(), .counts = { .all = 1 },
    };
    for (int i = 0; i < n_days; i++) {
        int64_t from_us = midnight_us - (n_days - 1 - i) * US_PER_DAY;
        out->days[i] = (struct overview_slot){ from_us, from_us + US_PER_DAY, flow_none() };
        out->days[i].energy.consumption = used;
    }
    for (int i = 0; i < OVERVIEW_HOURS; i++) {
        int64_t from_us = now_us - (OVERVIEW_HOURS - 1 - i) * US_PER_HOUR;
        out->hours[i] = (struct overview_slot){ from_us, from_us + US_PER_HOUR, flow_none() };
    }
}

static void check_months(void)
{
    static const struct { const char *name; int year, month, day, n_days, same, whole; } cases[] = {
        { "in the middle of a month its days that are over are compared", 2026, 11, 21, 52, 20, 31 },
        { "on the first of a month nothing is over", 2026, 11, 1, 32, 0, 31 },
        { "a long month after a short one: as many as the short one has", 2026, 3, 31, 59, 28, 28 },
        { "the first of March: its February is whole", 2026, 3, 1, 30, 0, 28 },
        { "the end of August: July is as long", 2026, 8, 31, 62, 30, 31 },
    };
    struct overview overview;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fill(&overview, cases[i].year, cases[i].month, cases[i].day, cases[i].n_days, 2);
        struct month month = month_of(&overview);
        ok(month.same.n_days == cases[i].same && month.before.n_days == cases[i].same &&
               month.whole.n_days == cases[i].whole && month.so_far.n_days == cases[i].day,
           "%s", cases[i].name);
        ok(month.so_far.used == 2 * cases[i].day && month.whole.used == 2 * cases[i].whole,
           "and they are added up");
    }
}

static void check_words(struct arena *arena)
{
    struct overview overview;
    struct overview_view view;
    fill(&overview, 2026, 11, 21, 52, 2);
    for (int i = 31; i < 51; i++) {
        overview.days[i].energy.consumption = 2.5;
    }
    ok(overview_view(arena, &overview, &view), "an overview is shown");
    is_str(view.month.span, "1–21 November", "the month so far");
    is_str(view.month.here.label, "1–20 November", "its days that are over");
    is_str(view.month.there.label, "1–20 October", "beside those of the month before");
    is_str(view.month.verdict, "25\u00a0% more than on the same days of October", "say how much more");
    ok(view.month.here.percent == 100 && view.month.there.percent == 80, "their bars have one scale");
    is_str(view.month.before, "October in all: 62.0\u00a0kWh used", "the whole of the month before");

    overview.days[5].energy.consumption = NAN;
    ok(overview_view(arena, &overview, &view) && !view.month.is_compared, "a day missing: no comparison");
    is_str(view.month.verdict, "Not compared: 1–20 October was measured on 19 of 20 days", "and why");
    fill(&overview, 2026, 11, 21, 52, NAN);
    ok(overview_view(arena, &overview, &view) && !view.month.is_known && view.month.verdict == NULL &&
           view.month.before == NULL, "of nothing known nothing is said");
    fill(&overview, 2026, 11, 21, 52, 0);
    ok(overview_view(arena, &overview, &view), "nothing used at all");
    is_str(view.month.verdict, "Nothing was used on the same days of October", "is no division by zero");
}

static void check_gauges(struct arena *arena)
{
    struct overview overview;
    struct overview_view view;
    fill(&overview, 2026, 11, 21, 52, 2);
    overview.hours[3].energy.consumption = 2;
    overview.power.consumption = 500;
    overview.power.generation = 1500;
    ok(overview_view(arena, &overview, &view), "power is shown");
    is_int(view.n_gauges, 3, "used, generated, and what passes the grid");
    is_str(view.gauges[0].most, "at most 2.00\u00a0kW in 24 h", "beside the highest hour");
    ok(view.gauges[0].percent == 25 && view.gauges[1].percent == 75 && view.gauges[2].percent == 50,
       "all on the scale of the highest");
    is_str(view.gauges[2].label, "To the grid", "more sun than use goes to the grid");
    ok(view.gauges[1].most == NULL, "more than ever: no word of a highest hour");
    fill(&overview, 2026, 11, 21, 52, 2);
    ok(overview_view(arena, &overview, &view) && view.n_gauges == 0 && !view.has_power,
       "nothing live: no gauge");
}

static void check_events(struct arena *arena)
{
    static char data[400];
    memset(data, 'x', sizeof data - 1);
    memcpy(data, "{\"a\": \"", 7);
    for (size_t i = 8; i + 1 < sizeof data; i += 2) {
        memcpy(data + i, "ü", 2);
    }
    memcpy(data + sizeof data - 4, "\"}", 3);
    struct event events[] = {
        { .type = "alarm", .device = "m1", .data = "{\"code\": 7, \"severity\": \"info\"}" },
        { .type = "long", .data = data },
        { .type = "bare", .data = "{}" }, { .type = "none" },
    };
    struct overview overview;
    struct overview_view view;
    fill(&overview, 2026, 11, 21, 52, 2);
    overview.events = (struct event_list){ events, 4 };
    ok(overview_view(arena, &overview, &view) && view.n_events == 4, "events are shown");
    is_str(view.events[0].data, "code 7 · severity info", "with what they say");
    size_t len = strlen(view.events[1].data);
    ok(len < 130 && strcmp(view.events[1].data + len - 5, "ü…") == 0, "cut between two characters");
    ok(view.events[2].data[0] == '\0' && view.events[3].data[0] == '\0', "or nothing");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    check_months();
    check_words(arena);
    check_gauges(arena);
    check_events(arena);
    arena_free(arena);
    return done_testing();
}

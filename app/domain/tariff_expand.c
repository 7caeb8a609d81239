/* Calendars written out. Called where a schedule is checked and compiled. */
#include "domain/tariff_expand.h"

int tariff_next_date(int date)
{
    static const int last[] = { 131, 229, 331, 430, 531, 630, 731, 831, 930, 1031, 1130, 1231 };
    int month = date / 100;

    if (date < last[month - 1]) {
        return date + 1;
    }
    return month == 12 ? 101 : (month + 1) * 100 + 1;
}

void tariff_expand_seasons(const struct tariff *tariff, uint8_t seasons[TARIFF_DATES])
{
    memset(seasons, TARIFF_NONE, TARIFF_DATES);
    for (int date = 101, n = 0; tariff->n_season_spans == 0 && n < 366; n++) {
        seasons[date] = 0;
        date = tariff_next_date(date);
    }
    for (int i = 0; i < tariff->n_season_spans; i++) {
        const struct tariff_season_span *span = &tariff->season_spans[i];
        int date = span->from_date;
        do {
            seasons[date] = (uint8_t)span->season;
            date = tariff_next_date(date);
        } while (date != span->to_date);
    }
}

static const struct tariff_windows *windows_of(const struct tariff *tariff, enum tariff_use use)
{
    return &tariff->windows[tariff->windows[use].n > 0 ? use : TARIFF_IMPORT];
}

void tariff_expand_day(const struct tariff *tariff, enum tariff_use use, int season, int class,
                       uint8_t periods[MINUTES_PER_DAY])
{
    const struct tariff_windows *windows = windows_of(tariff, use);

    memset(periods, windows->n == 0 ? 0 : TARIFF_NONE, MINUTES_PER_DAY);
    for (int i = 0; i < windows->n; i++) {
        const struct tariff_window *window = &windows->items[i];
        if (!(window->seasons & 1u << season) || !(window->days & 1u << class)) {
            continue;
        }
        if (window->from < window->to) {
            memset(periods + window->from, window->period, (size_t)(window->to - window->from));
        } else {
            memset(periods, window->period, (size_t)window->to);
            memset(periods + window->from, window->period,
                   (size_t)(MINUTES_PER_DAY - window->from));
        }
    }
}

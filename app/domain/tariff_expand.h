/* The rules of a calendar written out, day of the year by day and minute by minute: for checking
 * that nothing is left open, and for compiling. */
#ifndef TIDEMARK_DOMAIN_TARIFF_EXPAND_H
#define TIDEMARK_DOMAIN_TARIFF_EXPAND_H

#include "domain/tariff.h"

#define TARIFF_DATES 1232 /* days of the year are month * 100 + day, below this */
#define TARIFF_NONE 0xff  /* no season, no period */

/* The date after a date of a leap year: 229 after 228, 101 after 1231. */
int tariff_next_date(int date);

/* The season of each date; TARIFF_NONE where none is or that is no date. */
void tariff_expand_seasons(const struct tariff *tariff, uint8_t seasons[TARIFF_DATES]);

/* The period of each minute of a day of the season and class; TARIFF_NONE where none matches.
 * Uses without windows of their own have those of import. */
void tariff_expand_day(const struct tariff *tariff, enum tariff_use use, int season, int class,
                       uint8_t periods[MINUTES_PER_DAY]);

#endif

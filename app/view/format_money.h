/* Money as pages show it: the currency's sign before the number where it is plain which one is
 * meant, else its code; a thin space between thousands, U+2212 for minus. Digits are those of the
 * amount, rounded half away from zero. */
#ifndef TIDEMARK_VIEW_FORMAT_MONEY_H
#define TIDEMARK_VIEW_FORMAT_MONEY_H

#include "domain/money.h"

/* "$", "€", "CHF": what stands before amounts, and at the axis of a chart. In the arena. */
const char *format_currency(struct arena *arena, const char *currency);

/* "$1 234.50", "CHF 12.00", "−€0.08", with so many decimals. */
const char *format_money(struct arena *arena, struct money amount, int decimals,
                         const char *currency);

/* All decimals there are, at least so many: "0.61949". For rates in billionths. */
const char *format_rate(struct arena *arena, int64_t rate_nano, int decimals);

/* value * 10^-scale, with its decimals up to so many and further ones where they are not zero. */
const char *format_decimal(struct arena *arena, int64_t value, int scale, int decimals);

/* Billionths of a kWh, kW or day with so many decimals: "1 234.5". */
const char *format_nano(struct arena *arena, struct quantity quantity, int decimals);

/* How one amount relates to another in whole percent, "+8 %", "−3 %", "as much"; NULL where the
 * other is nothing. */
const char *format_change(struct arena *arena, struct money now, struct money before);

/* How much of `whole` an amount is, in percent with a decimal, for the length of a bar: "62.5".
 * "0.0" of what is not above zero. */
const char *format_part(struct arena *arena, struct money amount, struct money whole);

#endif

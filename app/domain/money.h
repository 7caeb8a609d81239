/* Money, rates and quantities as exact decimals; no binary fraction ever holds one.
 *
 * A rate, a quantity or a price is an int64_t of billionths ("nano"): of the currency's unit per
 * kWh, kW or day; of a kWh, a kW, a day. Their product is an amount in 1e-18 ("atto") of the
 * currency's unit, without rounding. Rounding happens where a bill's line is made, once. */
#ifndef TIDEMARK_DOMAIN_MONEY_H
#define TIDEMARK_DOMAIN_MONEY_H

#include "base/arena.h"
#include "base/buf.h"

#include <stdint.h>

#define NANO INT64_C(1000000000)
#define MONEY_DIGITS 18       /* decimals of an amount */
#define MONEY_MAX_DECIMALS 9  /* decimals of a rate or quantity */
#define MONEY_TEXT_SIZE 48    /* any amount or quantity, with its NUL */

/* An amount. Below 1.7e20 currency units; sums saturate there. */
struct money {
    __extension__ __int128 atto;
};

/* A sum of quantities that one int64_t may not hold. */
struct quantity {
    __extension__ __int128 nano;
};

enum money_rounding { ROUND_HALF_AWAY, ROUND_HALF_EVEN };

/* ---- arithmetic ---- */

struct money money_of(int64_t quantity_nano, int64_t rate_nano);
/* An amount of whole billionths, such as a fixed charge. */
struct money money_of_nano(int64_t nano);
struct money money_add(struct money a, struct money b);
struct money money_subtract(struct money a, struct money b);
/* Negative, zero or positive. */
int money_sign(struct money amount);
int money_compare(struct money a, struct money b);
/* `percent_nano` billionths of a percent of the amount, rounded half away at 1e-18. */
struct money money_percent(struct money amount, int64_t percent_nano);
/* Part `i` (from 0) of the amount cut into `n` parts that add up to it and differ by at most
 * 1e-18. */
struct money money_part(struct money amount, int i, int n);
/* The amount * n / of_n, cut at 1e-18. */
struct money money_share(struct money amount, int n, int of_n);
/* How much the amount is of the whole, in parts of which the whole has `of`: 100 gives percent.
 * Rounded half away from zero, within +-INT32_MAX; 0 where the whole is not above zero. */
int money_ratio(struct money amount, struct money whole, int of);
/* Rounded to so many decimals, 0 to 18. */
struct money money_round(struct money amount, int decimals, enum money_rounding rounding);

struct quantity quantity_add(struct quantity a, int64_t nano);
/* What a unit of the quantity comes to, in billionths; 0 where there is no quantity. */
int64_t money_per(struct money amount, struct quantity quantity);

/* a * b / c, rounded half away from zero; c is positive. Saturates. */
int64_t nano_scale(int64_t a, int64_t b, int64_t c);
/* price * factor + add, all nano, the product rounded so. False where that is beyond int64_t. */
bool nano_price(int64_t price, int64_t factor, int64_t add, int64_t *out);

/* ---- text ---- */

/* Reads a decimal as JSON writes numbers ("-0.61949", "2e-3") into units of 10^-decimals. False
 * for anything else, for more decimals than that, and beyond int64_t. */
bool decimal_parse(struct str text, int decimals, int64_t *out);
/* The same, further decimals rounded: for documents whose numbers went through binary fractions. */
bool decimal_parse_near(struct str text, int decimals, int64_t *out);

/* The decimal of value * 10^-scale into `out`, with at least `decimals` decimals (of the scale's)
 * and further ones only where they are not zero. Returns `out`. */
char *decimal_format(int64_t value, int scale, int decimals, char out[MONEY_TEXT_SIZE]);
char *money_format(struct money amount, int decimals, char out[MONEY_TEXT_SIZE]);
char *quantity_format(struct quantity quantity, int decimals, char out[MONEY_TEXT_SIZE]);

/* Whole units, 1e-18 and billionths, as text and back: how they are stored. False for anything that
 * these do not write. */
char *money_digits(struct money amount, char out[MONEY_TEXT_SIZE]);
char *quantity_digits(struct quantity quantity, char out[MONEY_TEXT_SIZE]);
bool money_read(struct str digits, struct money *out);
bool quantity_read(struct str digits, struct quantity *out);

#endif

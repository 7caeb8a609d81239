/* Decimal to double. Answers for JSON's grammar of numbers and for correct rounding:
 * quickly where digits and exponent are small (nearly always), else by strtod, which reads
 * a decimal point because the process never leaves the C locale (setlocale is banned).
 * Called by the JSON reader and by ingest's text formats. */
#include "base/json_number.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_MANTISSA (UINT64_C(1) << 53) /* integers up to here are doubles */
#define EXACT_EXPONENT 22                  /* and so are the powers of ten up to here */
#define MAX_DIGITS 19                      /* fit into 64 bits */
/* The rounding of any double is decided by 767 digits, and by whether anything follows them. */
#define DECIDING_DIGITS 768
#define MAX_EXPONENT 100000 /* beyond it all is 0 or infinite */

static const double powers_of_ten[EXACT_EXPONENT + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* The parts of a number as they stand in the text. */
struct decimal {
    const char *digits; /* the first digit */
    const char *digits_end;
    size_t n_fraction; /* digits after the point */
    uint64_t mantissa; /* all digits without the point; wrapped beyond MAX_DIGITS */
    int64_t exponent;  /* as written, limited */
    bool is_negative;
};

static inline bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* Digits into the mantissa; returns where they end. */
static inline const char *take_digits(const char *at, const char *end, uint64_t *mantissa)
{
    uint64_t value = *mantissa;
    while (at < end && is_digit(*at)) {
        value = value * 10 + (uint64_t)(*at - '0');
        at++;
    }
    *mantissa = value;
    return at;
}

/* "e+12" at `at`: the end, or NULL when no digit follows. */
static const char *take_exponent(const char *at, const char *end, int64_t *exponent)
{
    bool is_negative = false;
    int64_t value = 0;

    at++;
    if (at < end && (*at == '+' || *at == '-')) {
        is_negative = *at == '-';
        at++;
    }
    if (at == end || !is_digit(*at)) {
        return NULL;
    }
    for (; at < end && is_digit(*at); at++) {
        /* Limited far above any body's length in digits, which it may have to balance. */
        if (value < INT64_C(1) << 40) {
            value = value * 10 + (*at - '0');
        }
    }
    *exponent = is_negative ? -value : value;
    return at;
}

/* Takes the number apart; returns its end, or NULL where the grammar is not met: JSON's, or
 * with `is_lax` the one that strtod and other languages have too. */
static inline const char *take_number(const char *at, const char *end, bool is_lax,
                                      struct decimal *out)
{
    out->is_negative = at < end && *at == '-';
    at += out->is_negative;
    out->digits = at;
    out->mantissa = 0;
    out->exponent = 0;
    out->n_fraction = 0;
    if (!is_lax && (at == end || !is_digit(*at))) {
        return NULL;
    }
    at = !is_lax && *at == '0' ? at + 1 : take_digits(at, end, &out->mantissa);
    bool has_digits = at > out->digits;
    if (at < end && *at == '.') {
        const char *fraction = at + 1;
        at = take_digits(fraction, end, &out->mantissa);
        if (at == fraction && !(is_lax && has_digits)) {
            return NULL;
        }
        has_digits = true;
        out->n_fraction = (size_t)(at - fraction);
    }
    out->digits_end = at;
    if (!has_digits) {
        return NULL;
    }
    if (at < end && (*at | 0x20) == 'e') {
        at = take_exponent(at, end, &out->exponent);
    }
    return at;
}

const char *json_number_end(const char *at, const char *end)
{
    struct decimal decimal;
    return take_number(at, end, false, &decimal);
}

/* mantissa / 10^places, correctly rounded, for a mantissa other than 0 and 1 to 19 places:
 * a quotient of 63 or 64 bits whose last bit also stands for the remainder rounds to 53
 * bits as the true quotient does. Covers the 17 digits that other languages print. */
static double divide_exactly(uint64_t mantissa, int places)
{
    uint64_t divisor = (uint64_t)powers_of_ten[places];
    int mantissa_shift = __builtin_clzll(mantissa);
    int divisor_shift = __builtin_clzll(divisor);
    divisor <<= divisor_shift;
    __extension__ unsigned __int128 dividend = mantissa << mantissa_shift;
    dividend <<= 63;
    uint64_t quotient = (uint64_t)(dividend / divisor);
    quotient |= (uint64_t)(dividend % divisor != 0);
    return ldexp((double)quotient, divisor_shift - mantissa_shift - 63);
}

/* Any number of digits, by strtod over the ones that decide the rounding. */
static double convert_slowly(const struct decimal *decimal)
{
    char text[DECIDING_DIGITS + 32];
    size_t length = 0;
    bool has_more = false;
    int64_t exponent = decimal->exponent - (int64_t)decimal->n_fraction;

    for (const char *at = decimal->digits; at < decimal->digits_end; at++) {
        if (*at == '.' || (*at == '0' && length == 0)) {
            continue;
        }
        if (length < DECIDING_DIGITS) {
            text[length++] = *at;
        } else {
            exponent++;
            has_more = has_more || *at != '0';
        }
    }
    if (length == 0) {
        return 0.0;
    }
    if (has_more) {
        /* What follows matters only by being more than nothing. */
        text[length++] = '1';
        exponent--;
    }
    if (exponent > MAX_EXPONENT || exponent < -MAX_EXPONENT) {
        exponent = exponent > 0 ? MAX_EXPONENT : -MAX_EXPONENT;
    }
    snprintf(text + length, sizeof text - length, "e%d", (int)exponent);
    return strtod(text, NULL);
}

static inline double convert(const struct decimal *decimal)
{
    int64_t exponent = decimal->exponent - (int64_t)decimal->n_fraction;
    size_t n_digits = (size_t)(decimal->digits_end - decimal->digits) - (decimal->n_fraction > 0);

    if (n_digits > MAX_DIGITS) {
        return convert_slowly(decimal);
    }
    if (decimal->mantissa == 0) {
        return 0.0;
    }
    if (decimal->mantissa <= EXACT_MANTISSA && exponent >= -EXACT_EXPONENT &&
        exponent <= EXACT_EXPONENT) {
        /* Both operands are exact, so one rounding is made (Clinger, 1990). */
        double value = (double)decimal->mantissa;
        return exponent < 0 ? value / powers_of_ten[-exponent] : value * powers_of_ten[exponent];
    }
    if (exponent < 0 && exponent >= -MAX_DIGITS) {
        return divide_exactly(decimal->mantissa, (int)-exponent);
    }
    return convert_slowly(decimal);
}

const char *json_number_read(const char *at, const char *end, double *out)
{
    struct decimal decimal;
    const char *after = take_number(at, end, false, &decimal);

    if (after) {
        double value = convert(&decimal);
        *out = decimal.is_negative ? -value : value;
    }
    return after;
}

const char *json_number_read_lax(const char *at, const char *end, double *out)
{
    struct decimal decimal;
    const char *after = take_number(at, end, true, &decimal);

    if (after) {
        double value = convert(&decimal);
        *out = decimal.is_negative ? -value : value;
    }
    return after;
}

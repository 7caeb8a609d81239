/* Exact decimals: their arithmetic and their text. Called by everything that knows a price. */
#include "domain/money.h"

/* What a struct money holds, where it is computed with: 128 bits. */
#define WIDE __typeof__((struct money){ 0 }.atto)

#define PERCENT_NANO (100 * NANO)  /* all of it, in billionths of a percent */
#define MAX_SIGNIFICANT_DIGITS 36  /* of a decimal's text: 128 bits hold 38 */
#define MAX_EXPONENT 1000          /* beyond it a number is 0 or too large in any unit */

static WIDE power_of_ten(int n)
{
    WIDE power = 1;
    for (; n > 0; n--) {
        power *= 10;
    }
    return power;
}

/* a / b, halves away from zero; b is positive. */
static WIDE divide(WIDE a, WIDE b)
{
    WIDE rest = a % b;
    WIDE size = rest < 0 ? -rest : rest;
    WIDE up = a < 0 ? -1 : 1;

    return a / b + (size >= b - size ? up : 0);
}

/* ---- arithmetic ---- */

static struct money most(bool is_negative)
{
    const WIDE half = (WIDE)1 << 126;
    const WIDE all = half - 1 + half;
    return (struct money){ is_negative ? -all : all };
}

struct money money_of(int64_t quantity_nano, int64_t rate_nano)
{
    return (struct money){ (WIDE)quantity_nano * rate_nano };
}

struct money money_of_nano(int64_t nano)
{
    return money_of(nano, NANO);
}

struct money money_add(struct money a, struct money b)
{
    struct money sum;
    return __builtin_add_overflow(a.atto, b.atto, &sum.atto) ? most(a.atto < 0) : sum;
}

struct money money_subtract(struct money a, struct money b)
{
    struct money rest;
    return __builtin_sub_overflow(a.atto, b.atto, &rest.atto) ? most(a.atto < 0) : rest;
}

int money_sign(struct money amount)
{
    return (amount.atto > 0) - (amount.atto < 0);
}

int money_compare(struct money a, struct money b)
{
    return (a.atto > b.atto) - (a.atto < b.atto);
}

struct money money_percent(struct money amount, int64_t percent_nano)
{
    struct money whole, rest;

    if (__builtin_mul_overflow(amount.atto / PERCENT_NANO, percent_nano, &whole.atto)) {
        return most((amount.atto < 0) != (percent_nano < 0));
    }
    rest.atto = divide(amount.atto % PERCENT_NANO * percent_nano, PERCENT_NANO);
    return money_add(whole, rest);
}

struct money money_share(struct money amount, int n, int of_n)
{
    return (struct money){ amount.atto / of_n * n + amount.atto % of_n * n / of_n };
}

struct money money_part(struct money amount, int i, int n)
{
    WIDE rest = amount.atto % n;
    return (struct money){ amount.atto / n + rest * (i + 1) / n - rest * i / n };
}

int money_ratio(struct money amount, struct money whole, int of)
{
    if (whole.atto <= 0) {
        return 0;
    }
    /* digits that a ratio does not show make room for the product */
    const WIDE room = most(false).atto / 2 / INT32_MAX;
    while (amount.atto > room || amount.atto < -room || whole.atto > room) {
        amount.atto /= 2;
        whole.atto = whole.atto < 2 ? 1 : whole.atto / 2;
    }
    WIDE ratio = divide(amount.atto * of, whole.atto);
    return ratio > INT32_MAX ? INT32_MAX : ratio < -INT32_MAX ? -INT32_MAX : (int)ratio;
}

struct money money_round(struct money amount, int decimals, enum money_rounding rounding)
{
    WIDE unit = power_of_ten(MONEY_DIGITS - decimals);
    WIDE rounded = divide(amount.atto, unit);
    WIDE rest = amount.atto - rounded * unit;
    bool is_half = 2 * (rest < 0 ? -rest : rest) == unit;

    if (rounding == ROUND_HALF_EVEN && is_half && rounded % 2 != 0) {
        rounded -= rounded < 0 ? -1 : 1;
    }
    return (struct money){ rounded * unit };
}

struct quantity quantity_add(struct quantity a, int64_t nano)
{
    return (struct quantity){ a.nano + nano };
}

int64_t money_per(struct money amount, struct quantity quantity)
{
    WIDE size = quantity.nano < 0 ? -quantity.nano : quantity.nano;
    WIDE rate = size == 0 ? 0 : divide(amount.atto, size);

    rate = quantity.nano < 0 ? -rate : rate;
    return rate > INT64_MAX || rate < -INT64_MAX ? 0 : (int64_t)rate;
}

int64_t nano_scale(int64_t a, int64_t b, int64_t c)
{
    WIDE scaled = divide((WIDE)a * b, c);

    if (scaled > INT64_MAX) {
        return INT64_MAX;
    }
    return scaled < -INT64_MAX ? -INT64_MAX : (int64_t)scaled;
}

bool nano_price(int64_t price, int64_t factor, int64_t add, int64_t *out)
{
    WIDE sum = (factor == NANO ? price : divide((WIDE)price * factor, NANO)) + add;

    *out = (int64_t)sum;
    return sum >= INT64_MIN && sum <= INT64_MAX;
}

/* ---- reading ---- */

struct digits {
    WIDE value;   /* without its sign */
    int decimals; /* of them behind the point */
    int n;        /* seen, for there must be some on each side of a point */
    bool is_long; /* more than can be held */
};

static const char *read_digits(const char *at, const char *end, struct digits *digits)
{
    digits->n = 0;
    for (; at < end && *at >= '0' && *at <= '9'; at++, digits->n++) {
        if (digits->value < power_of_ten(MAX_SIGNIFICANT_DIGITS)) {
            digits->value = digits->value * 10 + (*at - '0');
        } else {
            digits->is_long = true;
        }
    }
    return at;
}

/* The exponent at `at`, which is 'e' or 'E'. */
static const char *read_exponent(const char *at, const char *end, int *exponent)
{
    struct digits digits = { 0 };
    bool is_negative = at + 1 < end && at[1] == '-';

    at += 1 + (at + 1 < end && (at[1] == '-' || at[1] == '+'));
    at = read_digits(at, end, &digits);
    *exponent = digits.value > MAX_EXPONENT ? MAX_EXPONENT : (int)digits.value;
    *exponent = is_negative ? -*exponent : *exponent;
    return digits.n > 0 ? at : NULL;
}

/* The digits and the power of ten of their last one; false where it is no number. */
static bool read_decimal(struct str text, struct digits *digits, int *exponent)
{
    const char *end = text.ptr + text.len;
    const char *at = read_digits(text.ptr, end, digits);
    bool is_number = digits->n > 0;

    if (is_number && at < end && *at == '.') {
        at = read_digits(at + 1, end, digits);
        digits->decimals = digits->n;
        is_number = digits->n > 0;
    }
    if (is_number && at < end && (*at == 'e' || *at == 'E')) {
        at = read_exponent(at, end, exponent);
    }
    *exponent -= digits->decimals;
    return is_number && at == end && !digits->is_long;
}

/* `exact`: no digit may be lost. */
static bool parse(struct str text, int decimals, bool is_exact, int64_t *out)
{
    struct digits digits = { 0 };
    int exponent = 0;
    bool is_negative = text.len > 0 && text.ptr[0] == '-';

    if (is_negative) {
        text = (struct str){ text.ptr + 1, text.len - 1 };
    }
    if (text.len == 0 || !read_decimal(text, &digits, &exponent)) {
        return false;
    }
    exponent += decimals;
    for (; exponent > 0 && digits.value != 0 && digits.value <= INT64_MAX; exponent--) {
        digits.value *= 10;
    }
    if (exponent < 0) {
        int lost = -exponent > MAX_SIGNIFICANT_DIGITS + 1 ? MAX_SIGNIFICANT_DIGITS + 1 : -exponent;
        if (is_exact && digits.value % power_of_ten(lost) != 0) {
            return false;
        }
        digits.value = divide(digits.value, power_of_ten(lost));
    }
    *out = digits.value > INT64_MAX ? 0 : (int64_t)digits.value * (is_negative ? -1 : 1);
    return digits.value <= INT64_MAX;
}

bool decimal_parse(struct str text, int decimals, int64_t *out)
{
    return parse(text, decimals, true, out);
}

bool decimal_parse_near(struct str text, int decimals, int64_t *out)
{
    return parse(text, decimals, false, out);
}

/* ---- writing ---- */

/* value * 10^-scale with at least `decimals` decimals. */
static char *format(WIDE value, int scale, int decimals, char out[MONEY_TEXT_SIZE])
{
    char *at = out + MONEY_TEXT_SIZE - 1;
    bool is_negative = value < 0;
    bool has_begun = false;

    *at = 0;
    for (int place = -scale; place <= 0 || value != 0; place++) {
        int digit = (int)(value % 10);
        value /= 10;
        has_begun = has_begun || digit != 0 || place >= -decimals;
        if (has_begun) {
            *--at = (char)('0' + (digit < 0 ? -digit : digit));
        }
        if (has_begun && place == -1) {
            *--at = '.';
        }
    }
    if (is_negative) {
        *--at = '-';
    }
    memmove(out, at, (size_t)(out + MONEY_TEXT_SIZE - at));
    return out;
}

char *decimal_format(int64_t value, int scale, int decimals, char out[MONEY_TEXT_SIZE])
{
    return format(value, scale, decimals, out);
}

char *money_format(struct money amount, int decimals, char out[MONEY_TEXT_SIZE])
{
    return format(amount.atto, MONEY_DIGITS, decimals, out);
}

char *quantity_format(struct quantity quantity, int decimals, char out[MONEY_TEXT_SIZE])
{
    return format(quantity.nano, MONEY_MAX_DECIMALS, decimals, out);
}

/* ---- whole units ---- */

char *money_digits(struct money amount, char out[MONEY_TEXT_SIZE])
{
    return format(amount.atto, 0, 0, out);
}

char *quantity_digits(struct quantity quantity, char out[MONEY_TEXT_SIZE])
{
    return format(quantity.nano, 0, 0, out);
}

bool money_read(struct str digits, struct money *out)
{
    bool is_negative = digits.len > 0 && digits.ptr[0] == '-';
    struct money value = { 0 };

    for (size_t i = is_negative; i < digits.len; i++) {
        struct money digit = { digits.ptr[i] - '0' };
        if (digit.atto < 0 || digit.atto > 9 ||
            __builtin_mul_overflow(value.atto, 10, &value.atto) ||
            __builtin_sub_overflow(value.atto, digit.atto, &value.atto)) {
            return false;
        }
    }
    /* gathered below zero, where there is room for one more */
    out->atto = is_negative ? value.atto : -value.atto;
    return digits.len > is_negative;
}

bool quantity_read(struct str digits, struct quantity *out)
{
    struct money units = { 0 };
    bool is_read = money_read(digits, &units);

    out->nano = units.atto;
    return is_read;
}

/* Numbers of JSON against the C library's strtod, bit for bit. */
#include "base/json.h"
#include "base/json_number.h"

#include "tap.h"

#include <math.h>
#include <stdlib.h>

/* The reader's value of a whole text; NAN when refused. */
static double value_of(const char *text)
{
    const char *end = text + strlen(text);
    double value = NAN;
    return json_number_read(text, end, &value) == end ? value : (double)NAN;
}

/* DBL_MAX and half a unit of its last place: just below, and exactly, what rounds to infinity. */
static const char below_half[] =
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
    "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
    "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
    "342711559699508093042880177904174497791";
static const char at_half[] =
    "179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017"
    "977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273"
    "854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704"
    "342711559699508093042880177904174497792";

static const char *const chosen[] = {
    "0",
    "-0",
    "0.0",
    "-0.0e5",
    "1",
    "-1",
    "10",
    "1234567890",
    "0.1",
    "0.5",
    "1.234",
    "229.9",
    "1e0",
    "1E5",
    "1e-5",
    "1.5e+3",
    "123456789012345",
    "9007199254740992",
    /* Halfway between two doubles, to even: below, at and above. */
    "9007199254740993",
    "9007199254740994",
    "9007199254740995",
    "9007199254740993.0000001",
    "1e22",
    "1e23",
    "1e-22",
    "1e-23",
    "8.5e22",
    "123456789e15",
    "0.30000000000000004",
    "0.1000000000000000055511151231257827",
    "229.90000000000001",
    "3.141592653589793238",
    "1234567890123456789",
    "18446744073709551615",
    "18446744073709551616",
    "9999999999999999999",
    "99999999999999999999",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.7976931348623159e308",
    "1e309",
    "-1e400",
    "1e999999999999999999999",
    "1e-999999999999999999999",
    "0e999999999999999999999",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "4.9e-324",
    "2.4703282292062327e-324",
    "2.4703282292062328e-324",
    "5e-324",
    "1e-400",
    "6.631236846766476e-316",
    "0.00000000000000000000000000000000000000000001",
    "100000000000000000000000000000000000",
    "0.000000000000000000000000000000000000000000000000000000000000000001e66",
};

static void test_chosen(void)
{
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        is_double(value_of(chosen[i]), strtod(chosen[i], NULL), "%.60s is strtod's", chosen[i]);
    }
}

/* 1 + 2^-53 exactly is halfway; a digit hundreds of places later decides. */
static void test_far_digit(void)
{
    static const char half[] = "1.00000000000000011102230246251565404236316680908203125";
    char text[2000];

    memset(text, '0', sizeof text);
    memcpy(text, half, sizeof half - 1);
    text[1998] = '\0';
    is_double(value_of(text), 1.0, "a half is rounded to even through 2,000 zeros");
    text[1997] = '1';
    is_double(value_of(text), 1.0 + 0x1p-52, "and a 1 behind them lifts it");
    is_double(value_of(below_half), 0x1.fffffffffffffp1023, "309 digits make the largest double");
    is_double(value_of(at_half), HUGE_VAL, "and one more in the last makes it infinite");
}

/* A repeatable sequence (xorshift64*, Vigna 2016). */
static uint64_t next_bits(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* A number of some shape that devices, spreadsheets or other languages write. */
static void make_number(char *out, size_t size, int shape, uint64_t bits, uint64_t more)
{
    double value;
    int places = (int)(more % 20);

    memcpy(&value, &bits, sizeof value);
    switch (shape) {
    case 0: /* any double, in full */
        snprintf(out, size, "%.17g", isfinite(value) ? value : 1.0);
        break;
    case 1: /* a reading */
        snprintf(out, size, "%.*f", (int)(more % 7), (double)(int64_t)(bits % 100000000) / 997.0);
        break;
    case 2: /* up to 19 digits with a point somewhere */
        snprintf(out, size, "%llu.%0*llu", (unsigned long long)(bits % 1000), 1 + places % 17,
                 (unsigned long long)(more % 1000000));
        break;
    case 3: /* 17 digits of an everyday size */
        snprintf(out, size, "%.17g", (double)(bits % 1000000007) / (double)(1 + more % 100003));
        break;
    case 4: /* any digits and exponent */
        snprintf(out, size, "%llue%d", (unsigned long long)bits, (int)(more % 680) - 340);
        break;
    default: /* more digits than 64 bits hold */
        snprintf(out, size, "%llu%llu.%llue-%d", (unsigned long long)bits, (unsigned long long)more,
                 (unsigned long long)bits, (int)(more % 60));
    }
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void test_random(void)
{
    static const char *const names[] = {
        "any double written in full",    "readings of a few digits",     "a point anywhere",
        "17 digits of an everyday size", "any digits with any exponent", "more than 19 digits",
    };
    uint64_t state = 7;
    char text[128];

    for (int shape = 0; shape < 6; shape++) {
        int n_wrong = 0;
        for (int i = 0; i < 50000; i++) {
            uint64_t bits = next_bits(&state);
            make_number(text, sizeof text, shape, bits, next_bits(&state));
            double got = value_of(text);
            double expected = strtod(text, NULL);
            if (bits_of(got) != bits_of(expected) && n_wrong++ == 0) {
                diag("%s: got %.17g, expected %.17g", text, got, expected);
            }
        }
        is_int(n_wrong, 0, "50,000 numbers are strtod's: %s", names[shape]);
    }
}

static void test_bounds(void)
{
    static const char text[] = "123.5e2";
    double value;

    for (size_t length = 1; length < sizeof text; length++) {
        const char *end = json_number_read(text, text + length, &value);
        bool is_whole = text[length - 1] >= '0' && text[length - 1] <= '9';
        ok(is_whole ? end == text + length : end == NULL, "\"%.*s\" %s", (int)length, text,
           is_whole ? "is read and no further" : "is refused");
    }
    const char *end = text + sizeof text - 1;
    ok(json_number_end(text, end) == end, "finding the end alone finds the same");
    ok(json_number_end(text, text) == NULL, "nothing is not a number");
    is_double(value_of("1e400"), HUGE_VAL, "beyond the range is infinite");
}

int main(void)
{
    test_chosen();
    test_far_digit();
    test_random();
    test_bounds();
    return done_testing();
}

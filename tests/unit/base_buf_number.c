/* Numbers as buf writes them: against printf and strtod. */
#include "base/buf.h"

#include "tap.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const char *int_text(struct arena *arena, int64_t value)
{
    struct buf buf;
    buf_init(&buf, arena, 64);
    buf_add_int(&buf, value);
    return arena_copy(arena, buf_str(&buf));
}

static const char *double_text(struct arena *arena, double value)
{
    struct buf buf;
    buf_init(&buf, arena, 64);
    buf_add_double(&buf, value);
    return arena_copy(arena, buf_str(&buf));
}

static void test_integers(struct arena *arena)
{
    is_str(int_text(arena, 0), "0", "zero is a digit");
    is_str(int_text(arena, -7), "-7", "a negative number has its sign");
    is_str(int_text(arena, INT64_MAX), "9223372036854775807", "the largest integer is written");
    is_str(int_text(arena, INT64_MIN), "-9223372036854775808", "the smallest integer is written");
}

static void test_doubles(struct arena *arena)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0.0, "0" },
        { -0.0, "-0" },
        { 1.0, "1" },
        { -1.0, "-1" },
        { 0.1, "0.1" },
        { -0.5, "-0.5" },
        { 1.234, "1.234" },
        { 229.9, "229.9" },
        { 100.0, "100" },
        { 1e6, "1000000" },
        { 123456789.123456, "123456789.123456" },
        { 0.000001, "0.000001" },
        { 0.001, "0.001" },
        { 10.05, "10.05" },
        { 1e15, "1e+15" },
        { 999999999999999.0, "999999999999999" },
        { 1e100, "1e+100" },
        { 1e-7, "1e-07" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 1.0 / 3.0, "0.3333333333333333" },
        { 2.0 / 3.0, "0.6666666666666666" },
        { 9007199254740993.0, "9007199254740992" },
        { DBL_MAX, "1.7976931348623157e+308" },
        { DBL_TRUE_MIN, "4.94065645841247e-324" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        is_str(double_text(arena, cases[i].value), cases[i].text, "%.17g is written %s",
               cases[i].value, cases[i].text);
    }
}

/* A repeatable sequence (xorshift64*, Vigna 2016): failures can be found again. */
static uint64_t next_bits(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

/* The length of the shortest that printf can do. */
static size_t shortest(double value)
{
    char text[40];
    for (int precision = 1; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    return strlen(text);
}

static void test_round_trip(struct arena *arena)
{
    uint64_t state = 42;
    int n_wrong = 0;
    int n_long = 0;

    for (int i = 0; i < 60000; i++) {
        uint64_t bits = next_bits(&state);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (i % 3 == 1) {
            value = (double)(int64_t)(bits % 2000000) / 1000.0;
        } else if (i % 3 == 2) {
            value = (double)(bits % 1000000007) / 997.0;
        }
        if (!isfinite(value)) {
            continue;
        }
        const char *text = double_text(arena, value);
        n_wrong += strtod(text, NULL) != value;
        /* Up to 1e-4 plain notation may be longer than printf's exponent. */
        n_long += fabs(value) >= 1e-4 && fabs(value) < 1e9 && strlen(text) > shortest(value);
        arena_reset(arena);
    }
    is_int(n_wrong, 0, "60,000 doubles read back as they were");
    is_int(n_long, 0, "and none of an everyday size is written longer than need be");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    test_integers(arena);
    test_doubles(arena);
    test_round_trip(arena);
    arena_free(arena);
    return done_testing();
}

/* domain/money and domain/currency: decimals are exact, rounding happens where it is asked for and
 * as it is asked for. Expected values by hand. */
#include "domain/currency.h"
#include "domain/money.h"

#include "tap.h"

static const char *text_of(struct money amount, int decimals)
{
    static char text[MONEY_TEXT_SIZE];
    return money_format(amount, decimals, text);
}

static struct money money(const char *text)
{
    int64_t nano = 0;
    ok(decimal_parse(str_of(text), 9, &nano), "%s is a decimal", text);
    return money_of_nano(nano);
}

static void check_parse(void)
{
    static const struct { const char *text; int decimals; int64_t value; } good[] = {
        { "0.61949", 9, 619490000 },       { "-0.61949", 9, -619490000 },  { "1", 9, NANO },
        { "2e-3", 9, 2000000 },            { "1.5E+2", 2, 15000 },         { "0", 9, 0 },
        { "9223372036.854775807", 9, INT64_MAX }, { "0.100000000000", 1, 1 }, { "-0", 9, 0 },
        { "0e999999", 9, 0 },              { "100e-2", 0, 1 },             { "0.000000001", 9, 1 },
    };
    static const char *const wrong[] = {
        "", "-", ".5", "5.", "+1", "1,5", "0.0000000001", "9223372036.854775808", "1e", "1e+", "0x1", "NaN",
        "1e10", " 1", "1 ", "--1", "1e-10", "99999999999999999999999999999999999999999999",
    };
    int64_t value;

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ok(decimal_parse(str_of(good[i].text), good[i].decimals, &value) && value == good[i].value,
           "'%s' is read exactly", good[i].text);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ok(!decimal_parse(str_of(wrong[i]), 9, &value), "'%s' is no decimal of nine places", wrong[i]);
    }
    ok(decimal_parse_near(STR("0.098330000000000001"), 9, &value) && value == 98330000,
       "what a binary fraction left behind is rounded away where that is asked for");
    ok(decimal_parse_near(STR("-0.0000000005"), 9, &value) && value == -1, "halves away from zero");
}

static void check_text(void)
{
    char text[MONEY_TEXT_SIZE];

    is_str(decimal_format(619490000, 9, 0, text), "0.61949", "zeros behind are not written");
    is_str(decimal_format(-5, 9, 0, text), "-0.000000005", "nor is a minus forgotten");
    is_str(decimal_format(12 * NANO, 9, 2, text), "12.00", "decimals that are asked for are");
    is_str(decimal_format(0, 9, 0, text), "0", "nothing is 0");
    is_str(decimal_format(INT64_MIN, 9, 2, text), "-9223372036.854775808", "the least number too");
    is_str(text_of(money_of(1234567890123456789, 1234567890123456789), 2),
            "1524157875323883675.019051998750190521", "a product of 37 digits is exact");
    struct quantity quantity = { 1500000000 };
    is_str(quantity_format(quantity, 0, text), "1.5", "a quantity and a half");
    is_str(text_of(money_of(1, 1), 2), "0.000000000000000001", "and of the two least quantities");
    is_str(text_of(money_subtract(money("0.3"), money("0.1")), 2), "0.20", "0.3 - 0.1 is 0.2");
}

static void check_rounding(void)
{
    static const struct { const char *value; int decimals; const char *away, *even; } rows[] = {
        { "0.125", 2, "0.13", "0.12" },    { "0.135", 2, "0.14", "0.14" },   { "-0.125", 2, "-0.13", "-0.12" },
        { "0.1249999", 2, "0.12", "0.12" }, { "0.1250001", 2, "0.13", "0.13" }, { "2.5", 0, "3", "2" },
        { "-3.5", 0, "-4", "-4" },         { "0.0005", 3, "0.001", "0.000" }, { "1", 3, "1.000", "1.000" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct money value = money(rows[i].value);
        int decimals = rows[i].decimals;
        is_str(text_of(money_round(value, decimals, ROUND_HALF_AWAY), decimals), rows[i].away,
                "%s to %d places, half away from zero", rows[i].value, decimals);
        is_str(text_of(money_round(value, decimals, ROUND_HALF_EVEN), decimals), rows[i].even,
                "%s to %d places, half to even", rows[i].value, decimals);
    }
}

static void check_parts(void)
{
    struct money sum = { 0 }, year = money("120");
    for (int i = 0; i < 365; i++) {
        sum = money_add(sum, money_part(year, i, 365));
    }
    is_str(text_of(sum, 2), "120.00", "the parts of a year's charge add up to it");
    is_str(text_of(money_part(money("-1"), 0, 3), 2), "-0.333333333333333333", "a third of a credit");
    is_str(text_of(money_percent(money("103.59"), 20 * NANO), 2), "20.718", "20 %% is exact");
    is_str(text_of(money_percent(money("-100"), 19 * NANO / 2), 2), "-9.50", "9.5 %% of a credit");
    is_str(text_of(money_percent(money_of(INT64_MAX, INT64_MAX), 100 * NANO), 2),
           "85070591730234615847.396907784232501249", "all of the largest product");
    struct money huge = money_of(INT64_MAX, INT64_MAX);
    huge = money_add(huge, huge);
    is_int(money_compare(money_add(huge, huge), huge), 1, "beyond what can be held sums stay at the end");
    is_int(money_sign(money_percent(huge, -INT64_MAX)), -1, "and so do percentages");
    is_int(money_ratio(money("1"), money("3"), 1000), 333, "a third in thousandths");
    is_int(money_ratio(money("-2"), money("3"), 100), -67, "less two thirds in percent");
    is_int(money_ratio(money("0.125"), money("100"), 1000), 1, "halves away from zero");
    is_int(money_ratio(money("1"), money("0"), 100), 0, "of nothing, nothing");
    is_int(money_ratio(money("9000000000"), money("0.000000001"), 100), INT32_MAX, "as much as can be said");
    is_int(money_ratio(money_of(INT64_MAX, INT64_MAX / 4), huge, 1000), 125, "an eighth of a huge amount");
    is_int(nano_scale(3 * NANO, 1030000000, NANO), 3090000000, "a price times 1.03");
    is_int(nano_scale(-1, 1, 2), -1, "halves away from zero");
    int64_t price = 0;
    ok(nano_price(3 * NANO, 2 * NANO, NANO / 2, &price) && price == 13 * NANO / 2, "3 x 2 + 0.5");
    ok(nano_price(INT64_MAX, NANO, -1, &price) && price == INT64_MAX - 1, "the highest less a billionth");
    ok(nano_price(-INT64_MAX, NANO, -1, &price) && price == INT64_MIN, "the lowest");
    ok(!nano_price(INT64_MAX, NANO, 1, &price) && !nano_price(-INT64_MAX, NANO, -2, &price) &&
           !nano_price(900000 * NANO, 100000 * NANO, NANO, &price) &&
           !nano_price(INT64_MIN, INT64_MIN, INT64_MAX, &price), "what does not fit is refused");
    is_int(nano_scale(INT64_MAX, INT64_MAX, 1), INT64_MAX, "the end there too");
}

int main(void)
{
    check_parse();
    check_text();
    check_rounding();
    check_parts();
    is_int(currency_decimals(STR("JPY")), 0, "a yen has no hundredths");
    is_int(currency_decimals(STR("EUR")), 2, "a euro has");
    is_int(currency_decimals(STR("BHD")), 3, "a dinar has thousandths");
    is_int(currency_decimals(STR("EU")), -1, "EU is no currency");
    is_int(currency_decimals(STR("AED AFN")), -1, "nor are two");
    is_int(currency_decimals(STR("")), -1, "nor is nothing");
    return done_testing();
}

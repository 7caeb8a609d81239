/* Where the lines of an axis of money go. */
#include "view/money_scale.h"

#include "view/format.h"
#include "view/format_money.h"

#define MAX_POWER 20   /* of ten units: amounts end below 1.7e20 */

static int64_t power_of_ten(int n)
{
    int64_t power = 1;

    for (; n > 0; n--) {
        power *= 10;
    }
    return power;
}

/* digit * 10^power units; the power is at least that of the last digit. */
static struct money amount_of(int digit, int power)
{
    int n = power + MONEY_DIGITS;
    int first = n < MONEY_DIGITS ? n : MONEY_DIGITS;

    return money_of(digit * power_of_ten(first), power_of_ten(n - first));
}

static int floor_thousand(int thousandths)
{
    return thousandths / MONEY_SCALE_STEP - (thousandths % MONEY_SCALE_STEP < 0 ? 1 : 0);
}

/* The least step that the range has few enough of: each is taken up to the range where the next
 * is nearer to a quarter of it, by ratio (4 * sqrt(2), 4 * sqrt(10) / 2, 4 * sqrt(50) / 5). */
static struct money_scale with_step(struct money range)
{
    static const struct { int digit, most; } steps[] = { { 1, 5656 }, { 2, 6324 }, { 5, 5656 } };
    struct money_scale scale = { .n = 0 };

    for (int power = -MONEY_DIGITS; power <= MAX_POWER - 2; power++) {
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
            scale.digit = steps[i].digit;
            scale.power = power;
            scale.step = amount_of(scale.digit, power);
            if (money_ratio(range, scale.step, MONEY_SCALE_STEP) <= steps[i].most) {
                return scale;
            }
        }
    }
    return scale;
}

struct money_scale money_scale(struct money least, struct money most)
{
    const struct money zero = { 0 };

    least = money_sign(least) < 0 ? least : zero;
    most = money_sign(most) > 0 ? most : zero;
    if (money_compare(least, most) == 0) {
        most = money_of_nano(NANO);
    }
    struct money_scale scale = with_step(money_subtract(most, least));
    int top = money_ratio(most, scale.step, MONEY_SCALE_STEP);
    scale.first = floor_thousand(money_ratio(least, scale.step, MONEY_SCALE_STEP));
    scale.n = -floor_thousand(-top) - scale.first + 1;
    return scale;
}

int money_scale_height(const struct money_scale *scale, struct money amount)
{
    int height = money_ratio(amount, scale->step, MONEY_SCALE_STEP);

    return height == 0 ? money_sign(amount) : height;
}

/* Of the greatest line's digits, the first is in this place: 0 for the units. */
static int first_place(const struct money_scale *scale)
{
    int last = scale->first + scale->n - 1;
    int greatest = scale->digit * (last > -scale->first ? last : -scale->first);
    int place = scale->power;

    for (; greatest >= 10; greatest /= 10) {
        place++;
    }
    return place;
}

const char *money_scale_label(struct arena *arena, const struct money_scale *scale, int i)
{
    int place = first_place(scale);
    int unit = place >= 12 ? 12 : place >= 9 ? 9 : place >= 6 ? 6 : 0;
    int power = scale->power - unit;
    int64_t value = (int64_t)scale->digit * (scale->first + i);
    const char *number = power < 0
                             ? format_decimal(arena, value, -power, -power)
                             : format_decimal(arena, value * power_of_ten(power), 0, 0);

    if (!number || unit == 0) {
        return number;
    }
    return arena_printf(arena, "%s" FORMAT_NBSP "%s", number,
                        unit == 12 ? "T" : unit == 9 ? "G" : "M");
}

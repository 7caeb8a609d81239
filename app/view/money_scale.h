/* The axis of a chart of money and how tall amounts are drawn on it, in integers. Called by
 * view/model_bands.c. */
#ifndef TIDEMARK_VIEW_MONEY_SCALE_H
#define TIDEMARK_VIEW_MONEY_SCALE_H

#include "domain/money.h"

#define MONEY_SCALE_STEP 1000   /* the height of a step */

/* Lines at whole multiples of a step of 1, 2 or 5 times a power of ten: of `first`, which is zero
 * or below, to that of first + n - 1. */
struct money_scale {
    struct money step;
    int digit, power;   /* the step is digit * 10^power units of the currency */
    int first, n;
};

/* About four steps from `least` to `most`, zero among them. */
struct money_scale money_scale(struct money least, struct money most);

/* In thousandths of a step; what is not nothing has some height. */
int money_scale_height(const struct money_scale *scale, struct money amount);

/* What stands at line i (from 0), as many decimals as the step has, from a million on "2 M".
 * NULL beyond the arena's cap. */
const char *money_scale_label(struct arena *arena, const struct money_scale *scale, int i);

#endif

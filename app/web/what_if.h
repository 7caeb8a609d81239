/* Which of several schedules' bills of the same days is the cheapest: one that lacks something that
 * others have is none. Called by POST /v1/rate-schedules/compare and its page. */
#ifndef TIDEMARK_WEB_WHAT_IF_H
#define TIDEMARK_WEB_WHAT_IF_H

#include "web/bill_write.h"

/* The sums side by side. NULL elements were not made, and are not compared. */
struct what_if {
    const struct bill_sum *const *sums;
    int n;
};

/* What sum `at` lacks beside others of its currency, in words ("no prices for 96 intervals"), in
 * the arena; NULL where nothing. */
const char *what_if_lack(struct arena *arena, const struct what_if *all, int at);

/* The least total of those in the currency that lack nothing; NULL: each lacks something. */
const struct bill_sum *what_if_cheapest(const struct what_if *all, const char *currency);

#endif

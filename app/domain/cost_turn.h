/* Between the files of the ledger's making: cost_work.c (which place, which days) and
 * cost_stretch.c (rating and writing them). For nobody else. */
#ifndef TIDEMARK_DOMAIN_COST_TURN_H
#define TIDEMARK_DOMAIN_COST_TURN_H

#include "domain/cost_parts.h"
#include "domain/cost_work.h"
#include "domain/span.h"

#include <string.h>

#define LONGEST_DAY_US (26 * US_PER_HOUR)

/* A place that was taken, and what of it is to be done. */
struct cost_turn {
    struct db_tx *tx;
    struct cost_work *work;
    bool is_idle;                     /* nothing: go on behind it */
    const char *site;                 /* key; NULL: devices at none */
    int64_t from_us, to_us;           /* to be rated again; INT64_MAX: on and on */
    int64_t energy_us, energy_end_us; /* of it, where quarter hours are others */
    int64_t first_us;                 /* energy begins */
    int64_t settled_us;               /* days that end later are not rated yet */
    int64_t kept_us; /* older energy may be gone: what the ledger has of it stays */
    int64_t next_us; /* what is left begins; INT64_MAX: nothing is */
    int64_t rated_from_us, rated_until_us, due_us;
};

/* The days of an account that a step rates. */
struct cost_stretch {
    /* Whole cycles, but for the last and where a currency or zone ends. */
    int64_t from_day, to_day;
    int64_t over_day;         /* the first day that is not over */
    int64_t end_day;          /* until when there is something to do */
};

/* The earlier of two times or days. */
static inline int64_t cost_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The later one. */
static inline int64_t cost_latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The site's days decide which series counts: how far before a change a day may be that it touches,
 * beyond that which it is in. */
static inline int64_t cost_turn_reach_us(const struct cost_account *account)
{
    return strcmp(account->zone.name, account->site_zone.name) == 0 ? 0 : LONGEST_DAY_US;
}

/* The day that a change at a time may touch first. */
static inline int64_t cost_turn_day(const struct cost_account *account, int64_t time_us)
{
    return span_day_of(&account->zone, time_us - cost_turn_reach_us(account));
}

/* Rates a stretch of one currency and zone and writes it. Where the zone is not the account's, it
 * has no days in the ledger: whoever asks for them has them rated. */
enum err cost_stretch_rate(struct cost_turn *turn, struct cost_account *account,
                           const struct cost_stretch *stretch) MUST_CHECK;

/* Removes what the ledger has of the days [from_day, to_day). */
enum err cost_stretch_remove(struct cost_turn *turn, const struct cost_account *account,
                             int64_t from_day, int64_t to_day) MUST_CHECK;

#endif

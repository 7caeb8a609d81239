/* A rate schedule's document as a structure: one version of a tariff, as docs/rate-schedules.md
 * describes it. Made by tariff_read (from JSON), urdb_read or price lists; made by nothing else,
 * so that what exists is valid. Names are resolved to indices; everything lies in one arena and is
 * never changed afterwards, so threads may share it.
 *
 * What a version costs at a time is tariff_plan.h's, what a history costs rating.h's. */
#ifndef TIDEMARK_DOMAIN_TARIFF_H
#define TIDEMARK_DOMAIN_TARIFF_H

#include "domain/money.h"
#include "domain/price_series.h"
#include "domain/tariff_calendar.h"

#define TARIFF_MAX_PERIODS 64
#define TARIFF_MAX_CHARGES 64  /* a bit each in tariff_charge.on */
#define TARIFF_MAX_TIERS 16
#define TARIFF_MAX_ROWS 512    /* windows, holidays, prices of a charge, billing dates */
#define TARIFF_MAX_SERIES 8
#define TARIFF_MAX_NAME_BYTES 80
/* A ratchet looks back no further: three years of billing cycles, these of up to 33 days. */
#define TARIFF_RATCHET_DAYS 1200
#define TARIFF_NEVER INT64_MAX /* a validity without an end */
#define TARIFF_NO_LIMIT INT64_MAX /* the last tier's */

/* ---- charges ---- */

struct tariff_tier {
    int64_t up_to;  /* exclusive end in nano-kWh (demand: nano-kW), or of a baseline's allowance in
                     * nano-percent; TARIFF_NO_LIMIT: the last */
    int64_t rate;   /* nano per kWh or kW */
};

/* The price in a season and period; of several that match the last one says. For demand every row
 * is a charge of its own: the highest demand in its season and period. */
struct tariff_price {
    int season, period;               /* TARIFF_ANY: every */
    const struct tariff_tier *tiers;  /* at least one, unless there is a series */
    int n_tiers;
    int series;                       /* of prices by time, or -1 */
    int64_t factor, add;              /* price = series * factor + add, both nano */
};

enum tariff_charge_kind {
    CHARGE_ENERGY,
    CHARGE_DEMAND,
    CHARGE_FIXED,
    CHARGE_EXPORT,
    CHARGE_MINIMUM,
    CHARGE_TAX,
    CHARGE_RIDER
};
/* "energy", …: what codes begin with; ended by NULL. */
extern const char *const TARIFF_CHARGE_NAMES[CHARGE_RIDER + 2];

enum tariff_per { PER_DAY, PER_MONTH, PER_YEAR, PER_DATE };

struct tariff_charge {
    enum tariff_charge_kind kind;
    const char *name; /* "" for the only one of its kind */
    const char *code; /* "energy", "energy:Baseline credit": unique in the document */

    /* energy, export, demand, riders per kWh */
    const struct tariff_price *prices;
    int n_prices;
    bool has_tiers;         /* some price has more than one */
    bool is_tiered_by_day;  /* tiers begin anew each local day, not each billing cycle */
    bool is_tiered_alone;   /* a period's tiers count that period's energy alone, not all */
    bool is_of_baseline;    /* bounds are percent of the baseline */

    /* demand */
    int demand_minutes;     /* 15, 30 or 60 */
    int64_t ratchet_percent; /* nano; 0: none */
    int ratchet_cycles;     /* how many billing cycles it looks back */

    /* fixed, minimum */
    int64_t amount;         /* nano */
    enum tariff_per per;    /* month: a billing cycle */
    const int *dates;       /* of PER_DATE: days of the year, month * 100 + day */
    int n_dates;

    /* taxes, and riders in percent */
    bool is_percent;
    int64_t percent;        /* nano-percent */
    uint64_t on;            /* the charges before it that it is taken of; minimum: that count */
};

/* Prices by time, which the document may hold, or somebody brings (price_series.h). */
struct tariff_series {
    const char *name;
    int minutes; /* 15, 30 or 60 */
    const struct price_point *points; /* ascending; may be none */
    int n_points;
};

struct tariff_name {
    const char *name;  /* what the document refers to */
    const char *title; /* for people; the name where there is none */
};

struct tariff {
    const char *name, *description, *source; /* the latter two may be "" */
    const char *timezone;                    /* IANA; that it exists is the database's to say */
    char currency[4];
    int currency_decimals;
    int64_t from_day, to_day; /* valid on local days [from, to); to TARIFF_NEVER: open */

    struct tariff_name seasons[TARIFF_MAX_SEASONS];
    int n_seasons; /* at least one */
    const struct tariff_season_span *season_spans;
    int n_season_spans; /* none: the one season is all year */
    const struct tariff_holiday *holidays;
    int n_holidays;
    struct tariff_name periods[TARIFF_MAX_PERIODS];
    int n_periods; /* at least one */
    struct tariff_windows windows[TARIFF_USES];
    int64_t baseline[TARIFF_MAX_SEASONS]; /* nano-kWh a day in each season; 0: none */
    struct tariff_series series[TARIFF_MAX_SERIES];
    int n_series;
    struct tariff_charge charges[TARIFF_MAX_CHARGES];
    int n_charges;

    int billing_day;              /* of the month, 1 to 31: the last where there is no such */
    const int64_t *billing_days;  /* first local days of cycles, ascending: before billing_day */
    int n_billing_days;
    enum money_rounding rounding; /* of a bill's lines */
    int rounding_decimals;
};

#endif

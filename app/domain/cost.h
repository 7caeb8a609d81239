/* What energy costs at a site, a device or all of a tenant: gathers the energy and the rate
 * schedules of each billing account there, and rates them. What the ledger has of it, and nothing
 * has touched since, is taken from there and is the same. Called by the API and pages.
 *
 * An account is what gets a bill of its own: a site with all its devices (those without a site
 * together are one more), except devices to which a rate schedule is assigned that stand at the
 * grid themselves, or where nothing else of the site does: each is an account. A device alone that
 * is none is valued: what its energy costs, without fixed charges, demand, minimums and
 * percentages. */
#ifndef TIDEMARK_DOMAIN_COST_H
#define TIDEMARK_DOMAIN_COST_H

#include "domain/bill.h"
#include "domain/cost_energy.h"
#include "domain/cost_rates.h"

struct cost_days;
struct cost_memo;
struct cost_place_state;
struct db_tx;

#define COST_LATEST INT64_MAX /* as it is known now */

/* A bound of a span: a local day, or an instant, which means the day that it lies in. */
enum cost_bound_kind { BOUND_NONE, BOUND_DAY, BOUND_TIME };
struct cost_bound {
    enum cost_bound_kind kind;
    int64_t day;
    int64_t time_us;
};

struct cost_query {
    struct str site, device;     /* keys; ptr NULL both: all of the tenant */
    struct cost_bound from;      /* none: as cost_bill_since says of the last day */
    struct cost_bound to;        /* exclusive; none: today is the last day */
    int64_t as_of_us;            /* schedules, assignments and prices known later are not */
    int64_t now_us;
    bool needs_slots;            /* what each quarter hour costs, not bills alone */
    const char *days_zone;       /* with needs_slots: whole days of this zone will do; or NULL */
    bool needs_meters;           /* all meters are looked at later on: what is read of any, is read
                                  * of all */
    int32_t schedule_id;         /* as if it held everywhere and always; 0: those assigned */
    const struct tariff *tariff; /* the same of one that is not kept; its prices by time are those
                                  * of schedule_id. NULL: none */
    struct cost_memo *memo;      /* of queries of the same place and as_of_us; or NULL */
};

struct cost_account {
    const char *site, *device;   /* keys, or NULL */
    bool is_valued;              /* a device that is no account: its energy alone */
    struct cost_meter *meters;   /* with their quarter hours */
    int n_meters;
    struct zone site_zone;       /* that the meters' days are local by */
    struct zone zone;            /* that the bill's days are local by: the schedule's */
    struct cost_rates rates;
    int64_t rates_from, rates_to; /* the days that those in force were read for */
    const char *currency;        /* NULL where no schedule is in force */
    int decimals;                /* of the currency */
    int64_t from_day, to_day;    /* that were asked for */
    int64_t mixed_day;           /* the first of another currency or zone; 0: there is none */
    const char *mixed_zones[2];  /* of the days before it, and its own */
    const char *stamp;           /* while it is the same so is what the ledger has; NULL: unknown */
    struct cost_days *ledger;    /* those before ledger_day that were asked for; NULL: none */
    int64_t ledger_day;          /* INT64_MIN: nothing is from the ledger */
    struct cost_energy energy;   /* of days that were rated here */
    struct rating_input input;   /* whole billing cycles around them; for bills the ledger's too */
    struct rating rating;
};

struct cost_accounts {
    struct cost_account *items;  /* one at least */
    int n;
};

/* What is read once for several queries: accounts with their energy and schedules, and since when
 * the ledger holds. */
struct cost_memo {
    int64_t from_us, to_us;        /* that the queries lie in; 0 both: that is not known */
    struct cost_accounts accounts; /* items NULL: nothing is read yet */
    const struct cost_place_state *states; /* NULL: the same */
    int n_states;
};

/* Gathers and rates. ERR_NOT_FOUND for a site, device or schedule that there is not; ERR_CHANGING
 * where too much of it waits to be rated for the ledger; ERR_INVALID for a span that is empty or
 * too long, or too long for so many accounts, and for one in which an account's schedules differ
 * in zone or currency. In the operation's arena; of many accounts there is without needs_slots
 * what their bills need, and no energy but whether it is known. */
enum err cost_load(struct db_tx *tx, const struct cost_query *query,
                   struct cost_accounts *out) MUST_CHECK;

/* The zone of the query's device, else of its site, else of the tenant. */
enum err cost_zone(struct db_tx *tx, const struct cost_query *query, const char **out) MUST_CHECK;

/* What is known of the rated quarter hour that begins then. */
enum cost_known cost_known_at(const struct cost_account *account, int64_t time_us);

/* The currency of all accounts, with its decimals; NULL where no schedule is in force in any.
 * ERR_INVALID where they differ. */
enum err cost_currency(struct op *op, const struct cost_accounts *accounts, const char **out,
                       int *decimals) MUST_CHECK;

/* The first day of the bill that ends before to_day: of the billing cycle of the day before or,
 * where currency or zone change within it, of those that the last days are billed in. */
int64_t cost_bill_since(const struct cost_rates *rates, int64_t to_day);

/* The first day behind the bill that begins with from_day: of the next billing cycle, or of another
 * currency or zone. */
int64_t cost_bill_until(const struct cost_rates *rates, int64_t from_day);

/* The bill of an account over the days that were asked for: provisional, too, where one of several
 * meters is silent. */
enum err cost_bill(struct op *op, const struct cost_account *account, struct bill *out) MUST_CHECK;

#endif

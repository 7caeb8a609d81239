/* What a tenant's series amount to in energy, and tell of power. Which of them count is
 * energy_best.h's business. Called by the overview. */
#ifndef TIDEMARK_DOMAIN_ENERGY_H
#define TIDEMARK_DOMAIN_ENERGY_H

#include "domain/closed.h"

#define NKWH_PER_KWH 1e9

/* Nano-kWh in the buckets that begin at these times. */
struct energy_points {
    const int64_t *at_us, *nkwh;
    int n;
};

/* A series. */
struct energy_source {
    int32_t series_id;
    const char *device, *role;
    const char *zone;               /* of the device's site */
    int place;                      /* 1 is the best of the device's and role's */
    double watts;                   /* told in the last 15 minutes; NaN: none */
    struct energy_points quarters;  /* of UTC, as far as they are closed */
    struct energy_points days;      /* local ones, as far as quarter hours are closed */
    struct energy_points open;      /* quarter hours; to be added to both */
};

struct energy_sources {
    struct energy_source *items;    /* ascending by (device, role, place) */
    int n;
};

/* What is asked for of it. */
struct energy_span {
    int64_t quarters_us, days_us;   /* closed quarter hours from here on, and days */
    struct closed closed;
};

#define ENERGY_ASKS 2

/* Asks for those of the tenant that the transaction is bound to, and for what is not closed: fills
 * ENERGY_ASKS of `asks`, which are asked together. */
void energy_ask(struct op *op, struct db_ask *asks);

/* Reads the answers, into the operation's arena, and asks for what is closed. */
enum err energy_read(struct db_tx *tx, const struct db_ask *asks, const struct energy_span *span,
                     struct energy_sources *out) MUST_CHECK;

#endif

/* Rules: ages, the bound device, and the tenant's zone where the format's times are local. */
#include "ingest/rules.h"

#include "base/clock.h"
#include "domain/zone.h"
#include "ingest/adapters.h"
#include "ingest/quota.h"

#define ZONE_WAIT_MS 2000
#define ZONE_YEARS 30 /* back, for those who may send any age */

/* The offsets of the tenant's zone over all times that may be sent. */
static enum err load_zone(const struct ingest_options *options, struct op *op,
                          const struct identity *who, struct ingest_rules *rules)
{
    struct zone *zone = arena_alloc(op->arena, sizeof *zone);
    int64_t from_us = rules->oldest_us == INT64_MIN
                          ? rules->now_us - ZONE_YEARS * 366 * US_PER_DAY
                          : rules->oldest_us - 2 * US_PER_DAY;
    struct db_conn *conn = NULL;
    struct db_tx *tx = NULL;
    enum err err = zone ? db_pool_take(options->pool, op, ZONE_WAIT_MS, &conn) : fail_memory(op);

    if (err) {
        return err;
    }
    err = db_begin(op, conn, DB_READ, who->tenant_id, &tx);
    if (!err) {
        err = zone_load(tx, who->tenant_timezone, from_us, rules->newest_us + 2 * US_PER_DAY,
                        zone);
        db_rollback(tx);
    }
    db_pool_give(options->pool, conn);
    rules->zone = zone;
    return err;
}

enum err ingest_rules_make(const struct ingest_options *options, struct op *op,
                           const struct identity *who, const struct ingest_format *format,
                           int64_t arrived_us, struct ingest_rules *out)
{
    int64_t now_us = clock_now_us();
    int raw_days = who->raw_days ? who->raw_days : options->raw_days;

    *out = (struct ingest_rules){
        .now_us = arrived_us,
        .newest_us = now_us + MAX_FUTURE_HOURS * US_PER_HOUR,
        .oldest_us = who->is_backfill ? INT64_MIN : now_us - raw_days * US_PER_DAY,
        .device = who->device_id ? str_of(who->device_key) : (struct str){ 0 },
        .is_device_bound = who->device_id != 0,
        .max_events = format->max_events ? format->max_events : MAX_BATCH_EVENTS,
        .seed = options->seed,
        .max_series = quotas_limits(options->quotas, &who->limits).max_series,
    };
    enum err err = ingest_adapters_find(options->adapters, options->pool, op, who, format,
                                        &out->mapping);
    if (err) {
        return err;
    }
    return format->needs_zone ? load_zone(options, op, who, out) : OK;
}

/* The configurations as the database has them, one tenant a place; another tenant of the same place
 * takes it over, so memory is bounded. They are read anew for each request, in its own arena: a few
 * microseconds, and nothing to be counted or freed. Called by ingest/rules. */
#include "ingest/adapters.h"

#include "db/db.h"
#include "domain/mapped.h"
#include "gen/queries.h"

#include <pthread.h>

#define ADAPTERS_KEPT 1024 /* a power of two */
#define PLACE_BYTES (512u << 10) /* each convention's may have 16 KiB */
#define WAIT_MS 2000

/* A convention, and the key of its adapter. */
static const struct {
    const struct ingest_format *format;
    const char *key;
} KEYS[] = {
    { &ingest_format_event, "events" },
    { &ingest_format_events, "events" },
    { &ingest_format_influx_1, "influxdb" },
    { &ingest_format_influx_2, "influxdb" },
    { &ingest_format_influx_3, "influxdb" },
    { &ingest_format_prometheus, "prometheus" },
    { &ingest_format_otlp_metrics, "otlp" },
    { &ingest_format_otlp_logs, "otlp" },
    { &ingest_format_emoncms_post, "emoncms" },
    { &ingest_format_emoncms_bulk, "emoncms" },
    { &ingest_format_thingsboard_telemetry, "thingsboard" },
    { &ingest_format_thingsboard_attributes, "thingsboard" },
    { &ingest_format_collectd, "collectd" },
    { &ingest_format_acquisuite, "acquisuite" },
    { &ingest_format_egauge, "egauge" },
    { &ingest_format_pvoutput_status, "pvoutput" },
    { &ingest_format_pvoutput_batch, "pvoutput" },
    { &ingest_format_pvoutput_output, "pvoutput" },
};

struct adapter {
    struct adapter *next;
    const char *key, *config;
    bool is_enabled;
};

struct place {
    struct arena *arena; /* of the adapters; NULL until the place is used */
    int32_t tenant_id;
    int64_t version;
    struct adapter *adapters;
};

struct ingest_adapters {
    struct arena *arena;
    pthread_mutex_t lock;
    struct place places[ADAPTERS_KEPT];
};

struct ingest_adapters *ingest_adapters_new(void)
{
    struct arena *arena = arena_new(sizeof(struct ingest_adapters) + 64);
    struct ingest_adapters *adapters = arena ? arena_alloc(arena, sizeof *adapters) : NULL;

    if (!adapters) {
        arena_free(arena);
        return NULL;
    }
    adapters->arena = arena;
    (void)pthread_mutex_init(&adapters->lock, NULL);
    return adapters;
}

void ingest_adapters_free(struct ingest_adapters *adapters)
{
    if (!adapters) {
        return;
    }
    for (int i = 0; i < ADAPTERS_KEPT; i++) {
        arena_free(adapters->places[i].arena);
    }
    (void)pthread_mutex_destroy(&adapters->lock);
    arena_free(adapters->arena);
}

static struct place *place_of(struct ingest_adapters *adapters, int32_t tenant_id)
{
    return &adapters->places[(uint32_t)tenant_id & (ADAPTERS_KEPT - 1)];
}

const char *ingest_adapter_key(const struct ingest_format *format)
{
    for (size_t i = 0; i < sizeof KEYS / sizeof KEYS[0]; i++) {
        if (KEYS[i].format == format) {
            return KEYS[i].key;
        }
    }
    return NULL;
}

/* What is remembered of one adapter. */
struct found {
    bool is_known;      /* the tenant's configuration is */
    bool is_there, is_enabled;
    const char *config; /* in the op's arena */
};

static struct found look_up(struct ingest_adapters *adapters, struct op *op,
                            const struct identity *who, const char *key)
{
    struct found found = { .config = NULL };

    (void)pthread_mutex_lock(&adapters->lock);
    const struct place *place = place_of(adapters, who->tenant_id);
    found.is_known =
        place->tenant_id == who->tenant_id && place->version >= who->adapters_version;
    for (const struct adapter *adapter = found.is_known ? place->adapters : NULL; adapter;
         adapter = adapter->next) {
        if (strcmp(adapter->key, key) == 0) {
            found.is_there = true;
            found.is_enabled = adapter->is_enabled;
            found.config = arena_copy(op->arena, str_of(adapter->config));
            found.is_known = found.config != NULL;
        }
    }
    (void)pthread_mutex_unlock(&adapters->lock);
    return found;
}

static bool keep_adapter(struct place *place, const struct db_rows *rows, int row)
{
    struct adapter *adapter = arena_alloc(place->arena, sizeof *adapter);

    if (!adapter) {
        return false;
    }
    *adapter = (struct adapter){
        .next = place->adapters,
        .key = arena_copy(place->arena, db_str(rows, row, INGEST_ADAPTERS_KEY)),
        .config = arena_copy(place->arena, db_str(rows, row, INGEST_ADAPTERS_CONFIG)),
        .is_enabled = db_bool(rows, row, INGEST_ADAPTERS_IS_ENABLED),
    };
    place->adapters = adapter;
    return adapter->key && adapter->config;
}

/* Remembers the rows, which are of at least one. False without memory. */
static bool remember(struct ingest_adapters *adapters, int32_t tenant_id,
                     const struct db_rows *rows)
{
    bool is_kept = true;

    (void)pthread_mutex_lock(&adapters->lock);
    struct place *place = place_of(adapters, tenant_id);
    place->arena = place->arena ? place->arena : arena_new(PLACE_BYTES);
    place->tenant_id = 0;
    place->adapters = NULL;
    is_kept = place->arena != NULL;
    if (is_kept) {
        arena_reset(place->arena);
    }
    for (int i = 0; is_kept && i < db_count(rows); i++) {
        if (!db_is_null(rows, i, INGEST_ADAPTERS_KEY) &&
            mapping_is_adapter(db_str(rows, i, INGEST_ADAPTERS_KEY))) {
            is_kept = keep_adapter(place, rows, i);
        }
    }
    if (is_kept) {
        place->tenant_id = tenant_id;
        place->version = db_int64(rows, 0, INGEST_ADAPTERS_VERSION);
    }
    (void)pthread_mutex_unlock(&adapters->lock);
    return is_kept;
}

static enum err load(struct ingest_adapters *adapters, struct db_pool *pool, struct op *op,
                     int32_t tenant_id)
{
    struct db_conn *conn;
    struct db_rows *rows;
    struct db_tx *tx;
    enum err err = db_pool_take(pool, op, WAIT_MS, &conn);

    if (err) {
        return err;
    }
    err = db_begin(op, conn, DB_READ, tenant_id, &tx);
    if (!err) {
        err = db_run(tx, &q_ingest_adapters, NULL, &rows);
        if (!err && (db_count(rows) == 0 || !remember(adapters, tenant_id, rows))) {
            err = fail(op, ERR_UNAVAILABLE, "the tenant's adapters are not to be had");
        }
        db_rollback(tx);
    }
    db_pool_give(pool, conn);
    return err;
}

enum err ingest_adapters_find(struct ingest_adapters *adapters, struct db_pool *pool,
                              struct op *op, const struct identity *who,
                              const struct ingest_format *format, const struct mapping **out)
{
    const char *key = who->adapters_version && adapters ? ingest_adapter_key(format) : NULL;

    *out = NULL;
    if (!key) {
        return OK;
    }
    struct found found = look_up(adapters, op, who, key);
    if (!found.is_known) {
        enum err err = load(adapters, pool, op, who->tenant_id);
        if (err) {
            return err;
        }
        found = look_up(adapters, op, who, key);
    }
    if (!found.is_known) { /* another tenant of the same place came between */
        return fail(op, ERR_UNAVAILABLE, "the tenant's adapters are not to be had");
    }
    if (!found.is_there) {
        return OK;
    }
    if (!found.is_enabled) {
        return fail(op, ERR_FORBIDDEN, "This tenant has turned off what is sent this way (%s).",
                    key);
    }
    if (found.config && strcmp(found.config, "{}") != 0) {
        return mapped_read(op, key, found.config, out);
    }
    return OK;
}

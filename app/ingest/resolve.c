/* Resolving names. Misses of one request cost one transaction bound to its tenant; numbers are
 * put into the cache after its commit only, for until then they may come to nothing. Called by
 * the service in the thread that answers the request. */
#include "ingest/resolve.h"

#include "base/clock.h"
#include "gen/queries.h"
#include "ingest/quota.h"

#define ATTEMPTS 4
#define POOL_WAIT_MS 5000
#define FOREIGN_KEY_VIOLATION "23503"

/* ---- asking the database ---- */

static enum err ask_devices(const struct resolve *resolve, struct db_tx *tx)
{
    struct ingest_columns *columns = resolve->columns;
    struct arena *arena = resolve->op->arena;
    struct str *keys = arena_array(arena, columns->n_devices + 1, sizeof *keys);
    struct ingest_device **asked = arena_array(arena, columns->n_devices + 1, sizeof *asked);
    struct db_args args;
    struct db_rows *rows;
    size_t n = 0;

    if (!keys || !asked) {
        return fail_memory(resolve->op);
    }
    for (size_t i = 0; i < columns->n_devices; i++) {
        if (!columns->devices[i].id) {
            asked[n] = &columns->devices[i];
            keys[n++] = columns->devices[i].key;
        }
    }
    if (n == 0) {
        return OK;
    }
    db_args_init(&args, arena);
    db_arg_str_array(&args, keys, n);
    db_arg_bool(&args, resolve->may_register);
    enum err err = db_run(tx, &q_ingest_devices, &args, &rows);
    for (size_t i = 0; !err && i < n; i++) {
        asked[i]->is_retired = db_bool(rows, (int)i, INGEST_DEVICES_IS_RETIRED);
        asked[i]->id =
            asked[i]->is_retired ? 0 : db_int(rows, (int)i, INGEST_DEVICES_DEVICE_ID);
        asked[i]->site_id = db_int(rows, (int)i, INGEST_DEVICES_SITE_ID);
        asked[i]->is_asked = true;
    }
    return err;
}

static enum err ask_sites(const struct resolve *resolve, struct db_tx *tx)
{
    struct ingest_columns *columns = resolve->columns;
    struct arena *arena = resolve->op->arena;
    struct str *keys = arena_array(arena, columns->n_sites + 1, sizeof *keys);
    struct ingest_site **asked = arena_array(arena, columns->n_sites + 1, sizeof *asked);
    struct db_args args;
    struct db_rows *rows;
    size_t n = 0;

    if (!keys || !asked) {
        return fail_memory(resolve->op);
    }
    for (size_t i = 0; i < columns->n_sites; i++) {
        if (!columns->sites[i].id) {
            asked[n] = &columns->sites[i];
            keys[n++] = columns->sites[i].key;
        }
    }
    if (n == 0) {
        return OK;
    }
    db_args_init(&args, arena);
    db_arg_str_array(&args, keys, n);
    db_arg_bool(&args, resolve->may_register);
    enum err err = db_run(tx, &q_ingest_sites, &args, &rows);
    for (size_t i = 0; !err && i < n; i++) {
        asked[i]->id = db_int(rows, (int)i, INGEST_SITES_SITE_ID);
        asked[i]->is_asked = true;
    }
    return err;
}

/* A device that is nowhere yet gets the site that its first event names. Asked only with the
 * device, so that a device in the cache costs nothing. */
static enum err place_devices(const struct resolve *resolve, struct db_tx *tx)
{
    struct ingest_columns *columns = resolve->columns;
    struct arena *arena = resolve->op->arena;
    int32_t *devices = arena_array(arena, columns->n_devices + 1, sizeof *devices);
    int32_t *sites = arena_array(arena, columns->n_devices + 1, sizeof *sites);
    struct db_args args;
    size_t n = 0;

    if (!devices || !sites) {
        return fail_memory(resolve->op);
    }
    for (size_t i = 0; i < columns->n_events; i++) {
        const struct ingest_event *event = &columns->events[i];
        struct ingest_device *device = &columns->devices[event->device];
        int32_t site_id = event->site == INGEST_NONE ? 0 : columns->sites[event->site].id;
        if (device->is_asked && device->id && !device->site_id && site_id) {
            devices[n] = device->id;
            sites[n++] = device->site_id = site_id;
        }
    }
    if (n == 0) {
        return OK;
    }
    db_args_init(&args, arena);
    db_arg_int_array(&args, devices, n);
    db_arg_int_array(&args, sites, n);
    return db_run(tx, &q_ingest_place, &args, NULL);
}

/* As the database names them; '' where the metric's name is to tell. */
static const char *const KINDS[] = { [INGEST_KIND_UNTOLD] = "", [INGEST_GAUGE] = "gauge",
                                     [INGEST_COUNTER] = "counter", [INGEST_DELTA] = "delta" };

/* New metrics of a known device are registered as long as the tenant may have more. */
static enum err ask_series(const struct resolve *resolve, struct db_tx *tx)
{
    struct ingest_columns *columns = resolve->columns;
    struct arena *arena = resolve->op->arena;
    size_t room = columns->n_series + 1;
    int32_t *devices = arena_array(arena, room, sizeof *devices);
    struct str *metrics = arena_array(arena, room, sizeof *metrics);
    struct str *labels = arena_array(arena, room, sizeof *labels);
    struct str *kinds = arena_array(arena, room, sizeof *kinds);
    struct str *units = arena_array(arena, room, sizeof *units);
    struct str *roles = arena_array(arena, room, sizeof *roles);
    struct ingest_series **asked = arena_array(arena, room, sizeof *asked);
    struct db_args args;
    struct db_rows *rows;
    size_t n = 0;

    if (!devices || !metrics || !labels || !kinds || !units || !roles || !asked) {
        return fail_memory(resolve->op);
    }
    for (size_t i = 0; i < columns->n_series; i++) {
        struct ingest_series *series = &columns->series[i];
        int32_t device_id = columns->devices[series->device].id;
        if (!series->id && device_id) {
            asked[n] = series;
            devices[n] = device_id;
            metrics[n] = series->metric;
            kinds[n] = str_of(KINDS[series->kind]);
            units[n] = ingest_unit_of(series);
            roles[n] = ingest_role_of(series);
            labels[n++] = series->labels.len ? series->labels : STR("{}");
        }
    }
    if (n == 0) {
        return OK;
    }
    db_args_init(&args, arena);
    db_arg_int_array(&args, devices, n);
    db_arg_str_array(&args, metrics, n);
    db_arg_str_array(&args, labels, n);
    db_arg_bool(&args, !(columns->rules.max_series &&
                         quotas_is_full(resolve->quotas, resolve->tenant_id,
                                        clock_monotonic_us())));
    db_arg_str_array(&args, kinds, n);
    db_arg_int(&args, columns->rules.max_series);
    db_arg_str_array(&args, units, n);
    db_arg_str_array(&args, roles, n);
    enum err err = db_run(tx, &q_ingest_series, &args, &rows);
    for (size_t i = 0; !err && i < n; i++) {
        asked[i]->id = db_int(rows, (int)i, INGEST_SERIES_SERIES_ID);
        asked[i]->last_us = db_is_null(rows, (int)i, INGEST_SERIES_LAST_TIME)
                                ? INT64_MIN
                                : db_time(rows, (int)i, INGEST_SERIES_LAST_TIME);
        asked[i]->is_full = db_bool(rows, (int)i, INGEST_SERIES_IS_FULL);
        asked[i]->is_asked = true;
    }
    return err;
}

/* ---- what is not to be had ---- */

/* Of an event with several metrics one is enough: it is stored whole or not at all. */
static void reject_over_limit(const struct resolve *resolve)
{
    struct ingest_columns *columns = resolve->columns;
    bool is_full = false;

    for (size_t i = 0; i < columns->n_series; i++) {
        is_full |= columns->series[i].is_full;
    }
    if (!is_full) {
        return;
    }
    quotas_note_full(resolve->quotas, resolve->tenant_id, clock_monotonic_us());
    for (size_t i = 0; i < columns->n_rows; i++) {
        const struct ingest_series *series = &columns->series[columns->rows[i].series];
        if (series->is_full) {
            columns_reject_event(columns, &columns->events[columns->rows[i].event], "metrics",
                                 "\"%.*s\" would be a new series, and the tenant has the %d that "
                                 "it may have",
                                 columns_shown(series->metric), series->metric.ptr,
                                 columns->rules.max_series);
        }
    }
}

static void reject_unknown(const struct resolve *resolve)
{
    struct ingest_columns *columns = resolve->columns;

    for (size_t i = 0; i < columns->n_events; i++) {
        struct ingest_event *event = &columns->events[i];
        const struct ingest_device *device = &columns->devices[event->device];
        int shown = columns_shown(device->key);
        if (!device->id) {
            columns_reject_event(columns, event, "device",
                                 device->is_retired ? "device \"%.*s\" is retired"
                                                    : "device \"%.*s\" is not registered",
                                 shown, device->key.ptr);
        } else if (event->site != INGEST_NONE && !columns->sites[event->site].id) {
            const struct str site = columns->sites[event->site].key;
            columns_reject_event(columns, event, "site", "site \"%.*s\" is not registered",
                                 columns_shown(site), site.ptr);
        }
    }
}

static void reject_missing(const struct resolve *resolve)
{
    reject_unknown(resolve);
    reject_over_limit(resolve);
    columns_reject_rest(resolve->columns);
}

/* Of a request that is stored whole or not at all: whether it is not. */
static bool is_refused(const struct resolve *resolve)
{
    if (!resolve->columns->is_whole) {
        return false;
    }
    reject_missing(resolve);
    return resolve->columns->n_rejected > 0;
}

/* A series that could not be registered: its device went meanwhile. */
static enum err check_series(const struct resolve *resolve)
{
    const struct ingest_columns *columns = resolve->columns;

    for (size_t i = 0; i < columns->n_series; i++) {
        const struct ingest_series *series = &columns->series[i];
        if (!series->id && !series->is_full && columns->devices[series->device].id) {
            series_cache_forget_devices(resolve->cache, resolve->tenant_id, columns);
            return fail(resolve->op, ERR_CHANGING, "a device was removed at this moment");
        }
    }
    return OK;
}

/* ---- the cache ---- */

static void remember(const struct resolve *resolve, int64_t now_us)
{
    const struct ingest_columns *columns = resolve->columns;

    for (size_t i = 0; i < columns->n_devices; i++) {
        if (columns->devices[i].is_asked && columns->devices[i].id) {
            series_cache_put_device(resolve->cache, resolve->tenant_id, &columns->devices[i],
                                    now_us);
        }
    }
    for (size_t i = 0; i < columns->n_sites; i++) {
        if (columns->sites[i].is_asked && columns->sites[i].id) {
            series_cache_put_site(resolve->cache, resolve->tenant_id, &columns->sites[i], now_us);
        }
    }
    for (size_t i = 0; i < columns->n_series; i++) {
        const struct ingest_series *series = &columns->series[i];
        if (series->is_asked && series->id) {
            series_cache_put_series(resolve->cache, resolve->tenant_id,
                                    columns->devices[series->device].id, series, series->last_us);
        }
    }
}

/* Forgets the numbers that the database gave in a transaction that came to nothing. */
static void unlearn(const struct resolve *resolve)
{
    struct ingest_columns *columns = resolve->columns;

    for (size_t i = 0; i < columns->n_devices; i++) {
        if (columns->devices[i].is_asked) {
            columns->devices[i].is_asked = columns->devices[i].is_retired = false;
            columns->devices[i].id = 0;
        }
    }
    for (size_t i = 0; i < columns->n_sites; i++) {
        if (columns->sites[i].is_asked) {
            columns->sites[i].is_asked = false;
            columns->sites[i].id = 0;
        }
    }
    for (size_t i = 0; i < columns->n_series; i++) {
        columns->series[i].is_asked = columns->series[i].is_full = false;
        columns->series[i].id = 0;
    }
}

enum err ingest_resolve_in(const struct resolve *resolve, struct db_tx *tx)
{
    enum err err = ask_devices(resolve, tx);

    if (!err) {
        err = ask_sites(resolve, tx);
    }
    if (!err) {
        err = place_devices(resolve, tx);
    }
    if (!err) {
        err = ask_series(resolve, tx);
    }
    if (!err) {
        err = check_series(resolve);
    }
    if (!err) {
        reject_missing(resolve);
        err = columns_add_starts(resolve->columns);
    }
    return err;
}

/* Lets devices be asked for that are nowhere, as far as is known, and whose events name a site: it
 * becomes theirs (place_devices). How many. */
static size_t unlearn_unplaced(struct ingest_columns *columns)
{
    size_t n = 0;

    for (size_t i = 0; columns->n_sites && i < columns->n_events; i++) {
        struct ingest_device *device = &columns->devices[columns->events[i].device];
        if (columns->events[i].site != INGEST_NONE && device->id && !device->site_id) {
            device->id = 0;
            n++;
        }
    }
    return n;
}

/* Fills in what is known. Returns whether anything has to be asked for. */
static bool look_up(const struct resolve *resolve, int64_t now_us)
{
    struct series_cache *cache = resolve->cache;
    struct ingest_columns *columns = resolve->columns;
    size_t missing = series_cache_find_devices(cache, resolve->tenant_id, columns, now_us);

    missing += series_cache_find_sites(cache, resolve->tenant_id, columns, now_us);
    missing += unlearn_unplaced(columns);
    missing += series_cache_find_series(cache, resolve->tenant_id, columns);
    return missing > 0;
}

/* What the names belong to was removed: a device, or the tenant, whose token opens nothing a few
 * seconds later. Nothing is wrong with the data. */
static enum err fail_gone(const struct resolve *resolve)
{
    op_clear_fault(resolve->op);
    return fail(resolve->op, ERR_CHANGING, "a device or its tenant was removed at this moment");
}

static enum err ask(const struct resolve *resolve, struct db_conn *conn)
{
    struct db_tx *tx;
    enum err err = db_begin(resolve->op, conn, DB_WRITE, resolve->tenant_id, &tx);

    if (err) {
        return err;
    }
    err = ask_devices(resolve, tx);
    if (!err) {
        err = ask_sites(resolve, tx);
    }
    if (!err) {
        err = place_devices(resolve, tx);
    }
    if (!err) {
        /* of devices just learned the cache may know the series */
        (void)series_cache_find_series(resolve->cache, resolve->tenant_id, resolve->columns);
        err = ask_series(resolve, tx);
    }
    if (!err) {
        err = check_series(resolve);
    }
    if (err) {
        bool is_gone = strcmp(db_sqlstate(tx), FOREIGN_KEY_VIOLATION) == 0;
        db_rollback(tx);
        return is_gone ? fail_gone(resolve) : err;
    }
    if (is_refused(resolve)) { /* what it would have registered, too */
        db_rollback(tx);
        unlearn(resolve);
        return OK;
    }
    return db_commit(tx);
}

enum err ingest_resolve(const struct resolve *resolve, struct db_pool *pool)
{
    int64_t now_us = clock_monotonic_us();
    struct db_conn *conn;
    enum err err = OK;

    if (look_up(resolve, now_us)) {
        err = db_pool_take(pool, resolve->op, POOL_WAIT_MS, &conn);
        if (err) {
            return err;
        }
        for (int attempt = 1;; attempt++) {
            err = ask(resolve, conn);
            if (!err_may_pass(err) || attempt == ATTEMPTS) {
                break;
            }
            /* deadlocked with another that registers, a device went, or the connection did */
            op_clear_fault(resolve->op);
            unlearn(resolve);
            (void)look_up(resolve, now_us);
        }
        db_pool_give(pool, conn);
        if (err) {
            return err;
        }
        remember(resolve, now_us);
    }
    reject_missing(resolve);
    return columns_add_starts(resolve->columns);
}

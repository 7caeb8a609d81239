/* Fills the demo's past: computes readings and COPYs them as the ingest writer would, with
 * the change log that late samples need. Called by serve/cmd_seed.c. */
#include "base/crypto.h"
#include "db/conn.h"
#include "db/copy.h"
#include "domain/demo_seed.h"
#include "gen/queries.h"

#define SPAN_US (7 * US_PER_DAY)               /* filled in one transaction */
#define SPAN_STEPS ((int)(SPAN_US / DEMO_STEP_US))
#define SPAN_MAX_EVENTS 64
#define ROW_BYTES 64                           /* of one sample in COPY's format, and to spare */
#define MAX_SERIES (DEMO_MAX_DEVICES * DEMO_MAX_METRICS)

/* One span of one tenant: what to store and what to note about it. */
struct span {
    struct demo_store *store;
    int64_t from_us, to_us;                    /* (from, to], on steps */
    struct demo_moment *moments;               /* SPAN_STEPS, of one device at a time */
    struct buf rows;                           /* COPY's */
    int64_t n_samples;
    int n_series;                              /* of the arrays below: series with samples */
    int32_t tenant_ids[MAX_SERIES], series_ids[MAX_SERIES];
    int64_t first_us[MAX_SERIES], last_us[MAX_SERIES];
    double last_values[MAX_SERIES];
    int n_devices;
    int32_t device_ids[DEMO_MAX_DEVICES];
    int64_t seen_us[DEMO_MAX_DEVICES];
};

/* The device's moments on the steps of the span that come after its last sample. */
static int compute_moments(struct span *span, int device_index)
{
    const struct demo_device *device = &span->store->tenant->devices[device_index];
    int64_t last_us = span->store->last_us[device_index];
    int n = 0;
    for (int64_t at = span->from_us + DEMO_STEP_US; at <= span->to_us; at += DEMO_STEP_US) {
        if (at <= last_us) {
            continue;
        }
        /* What was before the demo began is nobody's energy. */
        int64_t since_us = last_us >= span->from_us ? last_us : at - DEMO_STEP_US;
        span->moments[n++] = demo_moment_at(device, &span->store->zone, since_us, at);
        last_us = at;
    }
    return n;
}

static void add_series(struct span *span, int device_index, int metric_index, int n_moments)
{
    const struct demo_device *device = &span->store->tenant->devices[device_index];
    const struct demo_metric *metric = &device->metrics[metric_index];
    int32_t series_id = span->store->series_ids[device_index][metric_index];
    double value = 0;
    for (int i = 0; i < n_moments; i++) {
        value = demo_value(device, metric, &span->moments[i]);
        db_copy_row(&span->rows, 4);
        db_copy_int(&span->rows, span->store->tenant_id);
        db_copy_int(&span->rows, series_id);
        db_copy_time(&span->rows, span->moments[i].time_us);
        db_copy_double(&span->rows, value);
    }
    int at = span->n_series++;
    span->tenant_ids[at] = span->store->tenant_id;
    span->series_ids[at] = series_id;
    span->first_us[at] = span->moments[0].time_us;
    span->last_us[at] = span->moments[n_moments - 1].time_us;
    span->last_values[at] = value;
    span->n_samples += n_moments;
}

static void compute(struct span *span)
{
    buf_clear(&span->rows);
    span->n_series = span->n_devices = 0;
    span->n_samples = 0;
    for (int i = 0; i < span->store->tenant->n_devices; i++) {
        int n = compute_moments(span, i);
        for (int j = 0; n > 0 && j < span->store->tenant->devices[i].n_metrics; j++) {
            add_series(span, i, j, n);
        }
        if (n > 0) {
            span->device_ids[span->n_devices] = span->store->device_ids[i];
            span->seen_us[span->n_devices++] = span->moments[n - 1].time_us;
        }
    }
}

/* Samples written after the fact have to be known to whoever derives from them. Young ones are
 * noted too: none then depends on how far rollups are closed. */
static enum err log_changes(struct db_tx *tx, const struct span *span)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_int_array(&args, span->tenant_ids, (size_t)span->n_series);
    db_arg_int_array(&args, span->series_ids, (size_t)span->n_series);
    db_arg_time_array(&args, span->first_us, (size_t)span->n_series);
    db_arg_time_array(&args, span->last_us, (size_t)span->n_series);
    return db_run(tx, &q_ingest_change_log, &args, NULL);
}

static enum err note_last(struct db_tx *tx, const struct span *span)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_int_array(&args, span->tenant_ids, (size_t)span->n_series);
    db_arg_int_array(&args, span->series_ids, (size_t)span->n_series);
    db_arg_time_array(&args, span->last_us, (size_t)span->n_series);
    db_arg_double_array(&args, span->last_values, (size_t)span->n_series);
    enum err err = db_run(tx, &q_ingest_series_last, &args, NULL);
    if (err != OK) {
        return err;
    }
    db_args_init(&args, db_op(tx)->arena);
    db_arg_int_array(&args, span->device_ids, (size_t)span->n_devices);
    db_arg_time_array(&args, span->seen_us, (size_t)span->n_devices);
    return db_run(tx, &q_ingest_device_seen, &args, NULL);
}

/* The event's identity: the same event is the same on every run. */
static char *event_key(struct arena *arena, const struct demo_event *event)
{
    uint8_t hash[16];
    char hex[33];
    char *content = arena_printf(arena, "%s %s %lld", event->device->key, event->type,
                                 (long long)event->time_us);
    crypto_blake2b(str_of(content), STR("tidemark demo"), hash, sizeof hash);
    crypto_hex(hash, sizeof hash, hex);
    return arena_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
                        hex + 20);
}

static int32_t device_id_of(const struct demo_store *store, const struct demo_device *device)
{
    return store->device_ids[device - store->tenant->devices];
}

static enum err store_events(struct db_tx *tx, const struct span *span)
{
    struct demo_event events[SPAN_MAX_EVENTS];
    int32_t tenants[SPAN_MAX_EVENTS], devices[SPAN_MAX_EVENTS], sites[SPAN_MAX_EVENTS];
    int64_t times[SPAN_MAX_EVENTS], seqs[SPAN_MAX_EVENTS];
    struct str types[SPAN_MAX_EVENTS], ids[SPAN_MAX_EVENTS], keys[SPAN_MAX_EVENTS];
    struct str data[SPAN_MAX_EVENTS];
    struct arena *arena = db_op(tx)->arena;
    int n = demo_events(span->store->tenant, &span->store->zone, span->from_us, span->to_us,
                        events, SPAN_MAX_EVENTS);
    for (int i = 0; i < n; i++) {
        tenants[i] = span->store->tenant_id;
        devices[i] = device_id_of(span->store, events[i].device);
        sites[i] = span->store->site_id;
        times[i] = events[i].time_us;
        types[i] = str_of(events[i].type);
        seqs[i] = -1;
        ids[i] = (struct str){ .ptr = NULL };
        keys[i] = str_of(event_key(arena, &events[i]));
        data[i] = str_of(events[i].data);
    }
    if (n == 0) {
        return OK;
    }
    struct db_args args;
    db_args_init(&args, arena);
    db_arg_int_array(&args, tenants, (size_t)n);
    db_arg_int_array(&args, devices, (size_t)n);
    db_arg_int_array(&args, sites, (size_t)n);
    db_arg_time_array(&args, times, (size_t)n);
    db_arg_str_array(&args, types, (size_t)n);
    db_arg_int64_array(&args, seqs, (size_t)n);
    db_arg_str_array(&args, ids, (size_t)n);
    db_arg_str_array(&args, keys, (size_t)n);
    db_arg_str_array(&args, data, (size_t)n);
    return db_run(tx, &q_ingest_events, &args, NULL);
}

/* One span in one transaction: all of it is there, or a later run fills it. */
static enum err store_span(struct op *op, struct db_conn *conn, struct span *span)
{
    int64_t stored = 0;
    struct db_tx *tx;
    enum err err = db_begin(op, conn, DB_WRITE, 0, &tx);
    if (err != OK) {
        return err;
    }
    err = db_copy_send(tx, &q_ingest_copy, &span->rows, &stored);
    if (err == OK) {
        err = log_changes(tx, span);
    }
    if (err == OK) {
        err = note_last(tx, span);
    }
    if (err == OK) {
        err = store_events(tx, span);
    }
    return db_end(tx, err);
}

static enum err ensure_partitions(struct op *op, struct db_conn *conn, int64_t from_us,
                                  int64_t to_us)
{
    struct db_args args;

    db_args_init(&args, op->arena);
    db_arg_time(&args, from_us);
    db_arg_time(&args, to_us);
    return db_run_committed(op, conn, 0, &q_ingest_partitions_ensure, &args, NULL);
}

static int64_t on_step(int64_t time_us)
{
    return time_us / DEMO_STEP_US * DEMO_STEP_US;
}

/* Where the filling begins: at the device that is furthest behind, but not before the demo. */
static int64_t begin_of(const struct demo_store *store, int64_t now_us)
{
    int64_t begin_us = now_us;
    for (int i = 0; i < store->tenant->n_devices; i++) {
        begin_us = store->last_us[i] < begin_us ? store->last_us[i] : begin_us;
    }
    int64_t eldest_us = now_us - DEMO_DAYS * US_PER_DAY;
    return on_step(begin_us > eldest_us ? begin_us : eldest_us);
}

static enum err fill_span(struct op *op, const struct demo_conns *conns, struct span *span)
{
    compute(span);
    if (span->rows.is_broken) {
        return fail_memory(op);
    }
    if (span->n_samples == 0) {
        return OK;
    }
    enum err err = store_span(op, conns->ingest_conn, span);
    for (int i = 0; err == OK && i < span->store->tenant->n_devices; i++) {
        if (span->store->last_us[i] < span->to_us) {
            span->store->last_us[i] = span->to_us;
        }
    }
    return err;
}

enum err demo_store_fill(struct op *op, const struct demo_conns *conns, struct demo_store *store,
                         int64_t now_us, int64_t *out_samples)
{
    int64_t end_us = on_step(now_us);
    *out_samples = 0;
    struct span *span = arena_alloc(op->arena, sizeof *span);
    if (span == NULL) {
        return fail_memory(op);
    }
    *span = (struct span){ .store = store, .to_us = begin_of(store, now_us) };
    span->moments = arena_array(op->arena, (size_t)SPAN_STEPS, sizeof *span->moments);
    buf_init(&span->rows, op->arena, (size_t)SPAN_STEPS * MAX_SERIES * ROW_BYTES);
    if (span->moments == NULL) {
        return fail_memory(op);
    }
    enum err err = OK;
    if (span->to_us < end_us) {
        err = ensure_partitions(op, conns->ingest_conn, span->to_us, end_us);
    }
    while (err == OK && span->to_us < end_us) {
        span->from_us = span->to_us;
        span->to_us = span->from_us + SPAN_US < end_us ? span->from_us + SPAN_US : end_us;
        err = fill_span(op, conns, span);
        *out_samples += span->n_samples;
    }
    return err;
}

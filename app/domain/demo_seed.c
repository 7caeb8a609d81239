/* Makes the demo's tenants with all but their samples, and opens them again. Called by
 * serve/cmd_seed.c; demo_fill.c goes on from here. */
#include "domain/demo_seed.h"

#include "base/crypto.h"
#include "db/conn.h"
#include "domain/zone.h"
#include "gen/queries.h"

/* ---- persons ---- */

/* Makes a person who is new: hashing a password takes a while. */
static enum err put_person(struct db_tx *tx, const struct demo_person *person,
                           const char *operator_role)
{
    char hash[CRYPTO_PASSWORD_SIZE];
    bool is_there = false;
    enum err err = account_person_exists(tx, person->email, &is_there);
    if (err != OK || is_there) {
        return err;
    }
    if (!crypto_password_hash(str_of(person->password), hash)) {
        return fail(db_op(tx), ERR_INTERNAL, "no memory to hash a password");
    }
    return account_person_add(tx, person->email, person->name, hash, operator_role);
}

/* Who is there already stays what the tenant's admins made of them. */
static enum err put_member(struct db_tx *tx, const struct demo_tenant *tenant, bool is_new,
                           const struct demo_person *person)
{
    bool is_there = false;
    enum err err = account_person_exists(tx, person->email, &is_there);
    if (err != OK || (is_there && !is_new)) {
        return err;
    }
    err = put_person(tx, person, NULL);
    if (err != OK) {
        return err;
    }
    return account_membership_add(tx, person->email, tenant->slug, person->role);
}

enum err demo_operator_put(struct op *op, const struct demo_conns *conns)
{
    struct db_tx *tx;
    enum err err = db_begin(op, conns->operator_conn, DB_WRITE, 0, &tx);
    if (err != OK) {
        return err;
    }
    return db_end(tx, put_person(tx, &demo_operator, demo_operator.role));
}

/* ---- tokens ---- */

enum err demo_token_put(struct op *op, const struct demo_conns *conns,
                        const struct new_token *token)
{
    struct db_tx *tx;
    int64_t id = 0;
    enum err err = db_begin(op, conns->operator_conn, DB_WRITE, 0, &tx);
    return err == OK ? db_end(tx, account_token_add(tx, token, &id)) : err;
}

enum err demo_tokens_revoke(struct op *op, const struct demo_conns *conns, const char *tenant_slug,
                            const char *name)
{
    struct db_args args;

    db_args_init(&args, op->arena);
    db_arg_text(&args, tenant_slug);
    db_arg_text(&args, name);
    return db_run_committed(op, conns->operator_conn, 0, &q_demo_token_revoke, &args, NULL);
}

/* ---- tenant, site, devices ---- */

/* Runs a statement whose only row is an id; *out_id is 0 without a row. */
static enum err run_for_id(struct db_tx *tx, const struct db_query *query,
                           const struct db_args *args, int32_t *out_id)
{
    struct db_rows *rows;
    enum err err = db_run(tx, query, args, &rows);
    if (err == OK) {
        *out_id = db_count(rows) > 0 ? db_int(rows, 0, 0) : 0;
    }
    return err;
}

static enum err put_devices(struct db_tx *tx, bool is_new, struct demo_store *store)
{
    const struct demo_tenant *tenant = store->tenant;
    for (int i = 0; i < tenant->n_devices; i++) {
        const struct demo_device *device = &tenant->devices[i];
        struct db_args args;
        db_args_init(&args, db_op(tx)->arena);
        db_arg_text(&args, tenant->slug);
        db_arg_text(&args, device->key);
        db_arg_text(&args, is_new ? device->name : NULL);
        db_arg_text(&args, is_new ? device->model : NULL);
        db_arg_text(&args, is_new ? tenant->site_key : NULL);
        db_arg_text(&args, is_new ? device->config : NULL);
        enum err err = run_for_id(tx, &q_demo_device_put, &args, &store->device_ids[i]);
        if (err != OK) {
            return err;
        }
    }
    return OK;
}

static enum err find_tenant(struct db_tx *tx, struct demo_store *store)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, store->tenant->slug);
    return run_for_id(tx, &q_demo_tenant_find, &args, &store->tenant_id);
}

static enum err put_site(struct db_tx *tx, bool is_new, struct demo_store *store)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, store->tenant->slug);
    db_arg_text(&args, store->tenant->site_key);
    db_arg_text(&args, is_new ? store->tenant->site_name : NULL);
    return run_for_id(tx, &q_demo_site_put, &args, &store->site_id);
}

static enum err put_tenant(struct db_tx *tx, struct demo_store *store)
{
    const struct demo_tenant *tenant = store->tenant;
    enum err err = find_tenant(tx, store);
    bool is_new = err == OK && store->tenant_id == 0;
    if (is_new) {
        err = account_tenant_add(tx, tenant->slug, tenant->name, tenant->timezone,
                                 tenant->currency);
    }
    if (err == OK && is_new) {
        err = find_tenant(tx, store);
    }
    if (err == OK) {
        err = put_site(tx, is_new, store);
    }
    if (err == OK) {
        err = put_devices(tx, is_new, store);
    }
    for (int i = 0; err == OK && i < tenant->n_persons; i++) {
        err = put_member(tx, tenant, is_new, &tenant->persons[i]);
    }
    return err;
}

/* ---- series ---- */

static enum err read_series(struct db_tx *tx, struct demo_store *store)
{
    const struct demo_tenant *tenant = store->tenant;
    int32_t device_ids[DEMO_MAX_DEVICES * DEMO_MAX_METRICS];
    struct str metrics[DEMO_MAX_DEVICES * DEMO_MAX_METRICS];
    struct str labels[DEMO_MAX_DEVICES * DEMO_MAX_METRICS];
    size_t n = 0;
    for (int i = 0; i < tenant->n_devices; i++) {
        for (int j = 0; j < tenant->devices[i].n_metrics; j++, n++) {
            device_ids[n] = store->device_ids[i];
            metrics[n] = str_of(tenant->devices[i].metrics[j].name);
            labels[n] = STR("{}");
        }
    }
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_int_array(&args, device_ids, n);
    db_arg_str_array(&args, metrics, n);
    db_arg_str_array(&args, labels, n);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_demo_series, &args, &rows);
    int row = 0;
    for (int i = 0; err == OK && i < tenant->n_devices; i++) {
        store->last_us[i] = 0;
        for (int j = 0; j < tenant->devices[i].n_metrics; j++, row++) {
            store->series_ids[i][j] = db_int(rows, row, DEMO_SERIES_SERIES_ID);
            if (!db_is_null(rows, row, DEMO_SERIES_LAST_TIME)) {
                int64_t last_us = db_time(rows, row, DEMO_SERIES_LAST_TIME);
                store->last_us[i] = last_us > store->last_us[i] ? last_us : store->last_us[i];
            }
        }
    }
    return err;
}

enum err demo_store_open(struct op *op, const struct demo_conns *conns,
                         const struct demo_tenant *tenant, struct demo_store *out)
{
    struct db_tx *tx;
    *out = (struct demo_store){ .tenant = tenant };
    enum err err = db_begin(op, conns->operator_conn, DB_WRITE, 0, &tx);
    if (err == OK) {
        err = db_end(tx, put_tenant(tx, out));
    }
    if (err == OK) {
        err = db_begin(op, conns->ingest_conn, DB_WRITE, out->tenant_id, &tx);
    }
    if (err == OK) {
        err = db_end(tx, read_series(tx, out));
    }
    if (err == OK) {
        err = db_begin(op, conns->web_conn, DB_READ, out->tenant_id, &tx);
    }
    if (err != OK) {
        return err;
    }
    int64_t now_us = clock_now_us();
    return db_end(tx, zone_load(tx, tenant->timezone, now_us - (DEMO_DAYS + 2) * US_PER_DAY,
                                now_us + 366 * US_PER_DAY, &out->zone));
}

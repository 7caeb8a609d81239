/* Changes to devices and series; what may be is the database's to say. Called by the handlers of
 * the administration. */
#include "domain/device_change.h"

#include "db/db.h"
#include "gen/queries.h"

const char *const SERIES_KINDS[N_SERIES_KINDS] = { "gauge", "counter", "delta" };
const char *const SERIES_ROLES[N_SERIES_ROLES] = { "none",       "consumption", "generation",
                                                   "grid_import", "grid_export", "storage",
                                                   "sub_meter" };

static void add_facts(struct db_args *args, struct str key, const struct device_facts_given *given)
{
    db_arg_str(args, key);
    db_arg_str(args, given->name);
    db_arg_str(args, given->model);
    db_arg_str(args, given->site);
    db_arg_str(args, given->config);
}

enum err device_add(struct db_tx *tx, struct str key, const struct device_facts_given *given)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    add_facts(&args, key, given);
    return db_run(tx, &q_device_add, &args, NULL);
}

enum err device_add_to(struct db_tx *tx, const char *tenant_slug, struct str key,
                       const struct device_facts_given *given)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, tenant_slug);
    db_arg_str(&args, key);
    db_arg_str(&args, given->name);
    db_arg_str(&args, given->model);
    db_arg_str(&args, given->site);
    return db_run(tx, &q_operator_device_add, &args, NULL);
}

enum err device_change(struct db_tx *tx, struct str key, const struct device_facts_given *given)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    add_facts(&args, key, given);
    if (given->retire == RETIRE_KEEP) {
        db_arg_null(&args);
    } else {
        db_arg_bool(&args, given->retire == RETIRE_YES);
    }
    return db_run(tx, &q_device_change, &args, NULL);
}

enum err device_config_text(struct db_tx *tx, struct str key, const char **out)
{
    struct db_rows *rows;
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, key);
    enum err err = db_run(tx, &q_device_config, &args, &rows);
    if (err == OK && db_count(rows) == 0) {
        err = fail(db_op(tx), ERR_NOT_FOUND, "no device has this key");
    }
    if (err == OK) {
        *out = db_text(rows, 0, DEVICE_CONFIG_CONFIG);
    }
    return err;
}

enum err device_config_check(struct db_tx *tx, struct str config, const char **problem)
{
    struct db_rows *rows;
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, config);
    enum err err = db_run(tx, &q_config_problem, &args, &rows);
    if (err == OK) {
        *problem = db_text(rows, 0, CONFIG_PROBLEM_PROBLEM);
    }
    return err;
}

enum err device_series_change(struct db_tx *tx, struct str key, int32_t series_id, struct str unit,
                              struct str kind, struct str role)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, key);
    db_arg_int(&args, series_id);
    db_arg_str(&args, unit);
    db_arg_str(&args, kind);
    db_arg_str(&args, role);
    return db_run(tx, &q_series_change, &args, NULL);
}

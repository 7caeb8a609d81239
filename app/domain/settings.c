/* Settings, plugins and the audit trail of a tenant. Called by the handlers of /v1/tenant,
 * /v1/plugins, /v1/audit, /admin/settings, /admin/plugins and /admin/audit. */
#include "domain/settings.h"

#include "db/db.h"
#include "gen/queries.h"

/* ---- settings ---- */

enum err settings_load(struct db_tx *tx, struct settings *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_settings_load, NULL, &rows);

    if (err != OK) {
        return err;
    }
    if (db_count(rows) == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "There is no such tenant.");
    }
    *out = (struct settings){
        .slug = db_text(rows, 0, SETTINGS_LOAD_SLUG),
        .name = db_text(rows, 0, SETTINGS_LOAD_NAME),
        .timezone = db_text(rows, 0, SETTINGS_LOAD_TIMEZONE),
        .currency = db_text(rows, 0, SETTINGS_LOAD_CURRENCY),
        .may_register = db_bool(rows, 0, SETTINGS_LOAD_AUTO_REGISTER),
        .raw_days = db_int(rows, 0, SETTINGS_LOAD_RAW_DAYS),
        .hourly_days = db_int(rows, 0, SETTINGS_LOAD_HOURLY_DAYS),
        .daily_days = db_int(rows, 0, SETTINGS_LOAD_DAILY_DAYS),
        .event_days = db_int(rows, 0, SETTINGS_LOAD_EVENT_DAYS),
        .created_us = db_time(rows, 0, SETTINGS_LOAD_CREATED_AT),
    };
    return OK;
}

static void arg_days(struct db_args *args, int days)
{
    if (days > 0) {
        db_arg_int(args, days);
    } else {
        db_arg_null(args);
    }
}

enum err settings_change(struct db_tx *tx, const struct settings *settings)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, settings->name);
    db_arg_text(&args, settings->timezone);
    db_arg_text(&args, settings->currency);
    db_arg_bool(&args, settings->may_register);
    arg_days(&args, settings->raw_days);
    arg_days(&args, settings->hourly_days);
    arg_days(&args, settings->daily_days);
    arg_days(&args, settings->event_days);
    return db_run(tx, &q_settings_change, &args, NULL);
}

/* ---- plugins ---- */

static enum err load_plugins(struct db_tx *tx, struct str only, struct str after, int limit,
                             struct plugin_list *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, only);
    db_arg_str(&args, after);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_plugin_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct plugin){
            .key = db_text(rows, i, PLUGIN_LIST_KEY),
            .kind = db_text(rows, i, PLUGIN_LIST_KIND),
            .is_enabled = db_bool(rows, i, PLUGIN_LIST_IS_ENABLED),
            .config = db_text(rows, i, PLUGIN_LIST_CONFIG),
            .config_lines = db_text(rows, i, PLUGIN_LIST_CONFIG_LINES),
            .created_us = db_time(rows, i, PLUGIN_LIST_CREATED_AT),
        };
    }
    return OK;
}

enum err plugin_list(struct db_tx *tx, struct str after_key, int limit, struct plugin_list *out)
{
    return load_plugins(tx, (struct str){ NULL, 0 }, after_key, limit, out);
}

enum err plugin_find(struct db_tx *tx, struct str key, struct plugin *out)
{
    struct plugin_list found;
    enum err err = load_plugins(tx, key, (struct str){ NULL, 0 }, 1, &found);

    if (err != OK) {
        return err;
    }
    if (found.n == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "There is no such plugin.");
    }
    *out = found.items[0];
    return OK;
}

enum err plugin_put(struct db_tx *tx, const struct plugin *plugin, bool *is_new)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, plugin->key);
    db_arg_text(&args, plugin->kind);
    db_arg_bool(&args, plugin->is_enabled);
    db_arg_text(&args, plugin->config);
    enum err err = db_run(tx, &q_plugin_put, &args, &rows);
    if (err == OK) {
        *is_new = db_bool(rows, 0, PLUGIN_PUT_IS_NEW);
    }
    return err;
}

enum err plugin_remove(struct db_tx *tx, struct str key)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, key);
    return db_run(tx, &q_plugin_remove, &args, NULL);
}

/* ---- the audit trail ---- */

enum err audit_list(struct db_tx *tx, const struct audit_filter *filter, struct audit_rows *out)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, filter->action);
    db_arg_str(&args, filter->actor);
    db_arg_time(&args, filter->from_us);
    db_arg_time(&args, filter->to_us);
    if (filter->is_before) {
        db_arg_time(&args, filter->before_us);
        db_arg_int64(&args, filter->before_id);
    } else {
        db_arg_null(&args);
        db_arg_null(&args);
    }
    db_arg_int(&args, filter->limit);
    enum err err = db_run(tx, &q_audit_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(db_op(tx)->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(db_op(tx));
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct audit_row){
            .id = db_int64(rows, i, AUDIT_LIST_ID),
            .time_us = db_time(rows, i, AUDIT_LIST_TIME),
            .actor = db_text(rows, i, AUDIT_LIST_ACTOR),
            .action = db_text(rows, i, AUDIT_LIST_ACTION),
            .object = db_text(rows, i, AUDIT_LIST_OBJECT),
            .detail = db_text(rows, i, AUDIT_LIST_DETAIL),
        };
    }
    return OK;
}

/* Reads devices and series through the tenant's views. Called by the device handlers
 * of the API and, for the 404 of an unknown device, by those of its samples. */
#include "domain/device.h"

#include "db/ask.h"
#include "gen/queries.h"

enum err device_list(struct db_tx *tx, const struct device_filter *filter, struct str after_key,
                     int limit, struct device_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_str(&args, after_key);
    db_arg_int(&args, limit);
    db_arg_str(&args, filter->site);
    db_arg_str(&args, filter->search);
    if (filter->use == DEVICE_ANY) {
        db_arg_null(&args);
    } else {
        db_arg_bool(&args, filter->use == DEVICE_RETIRED);
    }
    struct db_rows *rows;
    enum err err = db_run(tx, &q_device_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct device *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct device){
            .key = db_text(rows, i, DEVICE_LIST_KEY),
            .name = db_text(rows, i, DEVICE_LIST_NAME),
            .model = db_text(rows, i, DEVICE_LIST_MODEL),
            .site = db_text(rows, i, DEVICE_LIST_SITE),
            .timezone = db_text(rows, i, DEVICE_LIST_TIMEZONE),
            .created_us = db_time_or(rows, i, DEVICE_LIST_CREATED_AT, DEVICE_NEVER),
            .last_seen_us = db_time_or(rows, i, DEVICE_LIST_LAST_SEEN, DEVICE_NEVER),
            .retired_us = db_time_or(rows, i, DEVICE_LIST_RETIRED_AT, DEVICE_NEVER),
        };
    }
    *out = (struct device_list){ .items = items, .n = n };
    return OK;
}

enum err device_list_of(struct db_tx *tx, const char *tenant_slug, struct device_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_text(&args, tenant_slug);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_operator_device_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct device *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (items == NULL) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct device){
            .key = db_text(rows, i, OPERATOR_DEVICE_LIST_KEY),
            .name = db_text(rows, i, OPERATOR_DEVICE_LIST_NAME),
            .model = db_text(rows, i, OPERATOR_DEVICE_LIST_MODEL),
            .site = db_text(rows, i, OPERATOR_DEVICE_LIST_SITE),
            .created_us = db_time_or(rows, i, OPERATOR_DEVICE_LIST_CREATED_AT, DEVICE_NEVER),
            .last_seen_us = db_time_or(rows, i, OPERATOR_DEVICE_LIST_LAST_SEEN, DEVICE_NEVER),
            .retired_us = db_time_or(rows, i, OPERATOR_DEVICE_LIST_RETIRED_AT, DEVICE_NEVER),
        };
    }
    *out = (struct device_list){ .items = items, .n = n };
    return OK;
}

enum err device_find(struct db_tx *tx, struct str key, struct device *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_str(&args, key);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_device_find, &args, &rows);
    if (err != OK) {
        return err;
    }
    if (db_count(rows) == 0) {
        /* The key is not repeated here: another tenant's device and none at all read alike. */
        return fail(op, ERR_NOT_FOUND, "no device has this key");
    }
    *out = (struct device){
        .id = db_int(rows, 0, DEVICE_FIND_ID),
        .key = db_text(rows, 0, DEVICE_FIND_KEY),
        .name = db_text(rows, 0, DEVICE_FIND_NAME),
        .model = db_text(rows, 0, DEVICE_FIND_MODEL),
        .site = db_text(rows, 0, DEVICE_FIND_SITE),
        .timezone = db_text(rows, 0, DEVICE_FIND_TIMEZONE),
        .config = db_text(rows, 0, DEVICE_FIND_CONFIG),
        .created_us = db_time_or(rows, 0, DEVICE_FIND_CREATED_AT, DEVICE_NEVER),
        .last_seen_us = db_time_or(rows, 0, DEVICE_FIND_LAST_SEEN, DEVICE_NEVER),
        .retired_us = db_time_or(rows, 0, DEVICE_FIND_RETIRED_AT, DEVICE_NEVER),
    };
    return OK;
}

/* The rows of device_series or device_series_page, whose columns are the same. */
static enum err read_series(struct op *op, const struct db_rows *rows,
                            struct device_series_list *out)
{
    int n = db_count(rows);
    struct device_series *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct device_series){
            .id = db_int(rows, i, DEVICE_SERIES_ID),
            .metric = db_text(rows, i, DEVICE_SERIES_METRIC),
            .labels = db_text(rows, i, DEVICE_SERIES_LABELS),
            .unit = db_text(rows, i, DEVICE_SERIES_UNIT),
            .kind = db_text(rows, i, DEVICE_SERIES_KIND),
            .role = db_text(rows, i, DEVICE_SERIES_ROLE),
            .created_us = db_time_or(rows, i, DEVICE_SERIES_CREATED_AT, DEVICE_NEVER),
            .last_us = db_time_or(rows, i, DEVICE_SERIES_LAST_TIME, DEVICE_NEVER),
            .last_value = db_double(rows, i, DEVICE_SERIES_LAST_VALUE),
        };
    }
    *out = (struct device_series_list){ .items = items, .n = n };
    return OK;
}

void device_series_ask(struct op *op, int32_t device_id, struct db_ask *ask)
{
    db_ask_init(ask, op, &q_device_series);
    db_arg_int(&ask->args, device_id);
}

enum err device_series_read(struct op *op, const struct db_ask *ask, struct device_series_list *out)
{
    return read_series(op, ask->rows, out);
}

enum err device_series_list(struct db_tx *tx, int32_t device_id, struct device_series_list *out)
{
    struct db_ask ask;
    device_series_ask(db_op(tx), device_id, &ask);
    enum err err = db_ask_all(tx, &ask, 1);
    return err == OK ? device_series_read(db_op(tx), &ask, out) : err;
}

enum err device_series_page(struct db_tx *tx, int32_t device_id, int32_t after_id, int limit,
                            struct device_series_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_int(&args, device_id);
    db_arg_int(&args, after_id);
    db_arg_int(&args, limit);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_device_series_page, &args, &rows);
    return err == OK ? read_series(op, rows, out) : err;
}

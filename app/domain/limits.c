/* Limits of tenants. Called by `tidemark tenant set`, the handlers of /v1/tenants and /v1/tenant
 * and the pages of settings and operators. */
#include "domain/limits.h"

#include "base/json.h"
#include "db/db.h"
#include "gen/queries.h"

const struct limit_row LIMIT_ROWS_OF[TENANT_LIMITS] = {
    [LIMIT_REQUEST_RATE] = { "request_rate", "Posts a second", 1000000 },
    [LIMIT_TOKEN_RATE] = { "token_rate", "Posts a second of each token", 1000000 },
    [LIMIT_SERIES] = { "max_series", "Series", 100000000 },
    [LIMIT_ROWS] = { "rows_per_day", "Rows stored a day", INT64_C(1000000000000) },
};

struct tenant_limits limits_of_config(const struct config *config)
{
    return (struct tenant_limits){
        .values = { [LIMIT_REQUEST_RATE] = config->ingest_request_rate,
                    [LIMIT_TOKEN_RATE] = config->ingest_token_rate,
                    [LIMIT_SERIES] = config->ingest_max_series,
                    [LIMIT_ROWS] = config->ingest_rows_per_day },
    };
}

struct tenant_limits limits_effective(const struct tenant_limits *own, const struct config *config)
{
    struct tenant_limits limits = limits_of_config(config);

    for (int i = 0; i < TENANT_LIMITS; i++) {
        if (own->values[i] != LIMIT_DEFAULT) {
            limits.values[i] = own->values[i];
        }
    }
    return limits;
}

enum err limits_change(struct db_tx *tx, struct str slug, const struct tenant_limits *limits)
{
    struct json_writer json;
    struct db_args args;
    struct buf text;

    buf_init(&text, db_op(tx)->arena, 1024);
    json_writer_init(&json, &text);
    json_open_object(&json);
    for (int i = 0; i < TENANT_LIMITS; i++) {
        if (limits->values[i] == LIMIT_KEEP) {
            continue;
        }
        json_key(&json, LIMIT_ROWS_OF[i].name);
        if (limits->values[i] == LIMIT_DEFAULT) {
            json_null(&json);
        } else {
            json_int(&json, limits->values[i]);
        }
    }
    json_close_object(&json);
    if (str_equal(buf_str(&text), STR("{}"))) {
        return OK;
    }
    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, slug);
    db_arg_str(&args, buf_str(&text));
    return db_run(tx, &q_tenant_limit, &args, NULL);
}

static int64_t limit_at(const struct db_rows *rows, int column)
{
    return db_is_null(rows, 0, column) ? LIMIT_DEFAULT : db_int64(rows, 0, column);
}

enum err limits_load(struct db_tx *tx, struct limits_used *out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_limits_load, NULL, &rows);

    if (err != OK) {
        return err;
    }
    if (db_count(rows) == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "There is no such tenant.");
    }
    *out = (struct limits_used){
        .own.values = { [LIMIT_REQUEST_RATE] = limit_at(rows, LIMITS_LOAD_REQUEST_RATE),
                        [LIMIT_TOKEN_RATE] = limit_at(rows, LIMITS_LOAD_TOKEN_RATE),
                        [LIMIT_SERIES] = limit_at(rows, LIMITS_LOAD_MAX_SERIES),
                        [LIMIT_ROWS] = limit_at(rows, LIMITS_LOAD_ROWS_PER_DAY) },
        .series = db_int64(rows, 0, LIMITS_LOAD_SERIES),
        .rows_today = db_int64(rows, 0, LIMITS_LOAD_ROWS_TODAY),
    };
    return OK;
}

/* Sites over the tenant's view and functions. Called by the handlers of sites and, for the
 * choices of a form, by those of devices. */
#include "domain/site.h"

#include "db/db.h"
#include "gen/queries.h"

enum err site_list(struct db_tx *tx, struct str after_key, int limit, struct site_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_str(&args, after_key);
    db_arg_int(&args, limit);
    enum err err = db_run(tx, &q_site_list, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct site *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct site){
            .key = db_text(rows, i, SITE_LIST_KEY),
            .name = db_text(rows, i, SITE_LIST_NAME),
            .timezone = db_text(rows, i, SITE_LIST_TIMEZONE),
            .created_us = db_time(rows, i, SITE_LIST_CREATED_AT),
            .devices = db_int64(rows, i, SITE_LIST_DEVICES),
        };
    }
    *out = (struct site_list){ items, n };
    return OK;
}

static enum err find(struct db_tx *tx, struct str key, struct db_rows **out)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, key);
    return db_run(tx, &q_site_find, &args, out);
}

enum err site_find(struct db_tx *tx, struct str key, struct site *out)
{
    struct db_rows *rows;
    enum err err = find(tx, key, &rows);

    if (err != OK) {
        return err;
    }
    if (db_count(rows) == 0) {
        /* The key is not repeated here: another tenant's site and none at all read alike. */
        return fail(db_op(tx), ERR_NOT_FOUND, "no site has this key");
    }
    *out = (struct site){
        .key = db_text(rows, 0, SITE_FIND_KEY),
        .name = db_text(rows, 0, SITE_FIND_NAME),
        .timezone = db_text(rows, 0, SITE_FIND_TIMEZONE),
        .created_us = db_time(rows, 0, SITE_FIND_CREATED_AT),
        .devices = db_int64(rows, 0, SITE_FIND_DEVICES),
    };
    return OK;
}

enum err site_exists(struct db_tx *tx, struct str key, bool *out)
{
    struct db_rows *rows;
    enum err err = find(tx, key, &rows);

    *out = err == OK && db_count(rows) > 0;
    return err;
}

static enum err put(struct db_tx *tx, const struct db_query *query, struct str key,
                    struct str name, struct str zone)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, key);
    db_arg_str(&args, name);
    db_arg_str(&args, zone);
    return db_run(tx, query, &args, NULL);
}

enum err site_add(struct db_tx *tx, struct str key, struct str name, struct str zone)
{
    return put(tx, &q_site_add, key, name, zone);
}

enum err site_change(struct db_tx *tx, struct str key, struct str name, struct str zone)
{
    return put(tx, &q_site_change, key, name, zone);
}

enum err site_remove(struct db_tx *tx, struct str key)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, key);
    return db_run(tx, &q_site_remove, &args, NULL);
}

/* Tenants for operators. Called by the operators' API and pages; the command line has
 * domain/account. */
#include "domain/operator.h"

#include "db/db.h"
#include "gen/queries.h"

static int64_t limit_at(const struct db_rows *rows, int row, int column)
{
    return db_is_null(rows, row, column) ? LIMIT_DEFAULT : db_int64(rows, row, column);
}

static enum err run_page(struct db_tx *tx, struct str after, int limit, struct str slug,
                         struct tenant_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_str(&args, after);
    db_arg_int(&args, limit);
    db_arg_str(&args, slug);
    enum err err = db_run(tx, &q_tenant_page, &args, &rows);
    if (err != OK) {
        return err;
    }
    out->n = db_count(rows);
    out->items = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->items);
    if (!out->items) {
        return fail_memory(op);
    }
    for (int i = 0; i < out->n; i++) {
        out->items[i] = (struct tenant_record){
            .slug = db_text(rows, i, TENANT_PAGE_SLUG),
            .name = db_text(rows, i, TENANT_PAGE_NAME),
            .timezone = db_text(rows, i, TENANT_PAGE_TIMEZONE),
            .currency = db_text(rows, i, TENANT_PAGE_CURRENCY),
            .status = db_text(rows, i, TENANT_PAGE_STATUS),
            .created_us = db_time(rows, i, TENANT_PAGE_CREATED_AT),
            .devices = db_int64(rows, i, TENANT_PAGE_DEVICES),
            .limits.values = {
                [LIMIT_REQUEST_RATE] = limit_at(rows, i, TENANT_PAGE_REQUEST_RATE),
                [LIMIT_TOKEN_RATE] = limit_at(rows, i, TENANT_PAGE_TOKEN_RATE),
                [LIMIT_SERIES] = limit_at(rows, i, TENANT_PAGE_MAX_SERIES),
                [LIMIT_ROWS] = limit_at(rows, i, TENANT_PAGE_ROWS_PER_DAY),
            },
            .rows_today = db_int64(rows, i, TENANT_PAGE_ROWS_TODAY),
        };
    }
    return OK;
}

enum err operator_tenant_list(struct db_tx *tx, struct str after, int limit,
                              struct tenant_list *out)
{
    return run_page(tx, after, limit, (struct str){ NULL, 0 }, out);
}

enum err operator_tenant_find(struct db_tx *tx, struct str slug, struct tenant_record *out)
{
    struct tenant_list list;
    enum err err = run_page(tx, (struct str){ NULL, 0 }, 1, slug, &list);

    if (err == OK && list.n == 0) {
        return fail(db_op(tx), ERR_NOT_FOUND, "there is no tenant of this name");
    }
    if (err == OK) {
        *out = list.items[0];
    }
    return err;
}

enum err operator_tenant_patch(struct db_tx *tx, struct str slug,
                               const struct tenant_change *change)
{
    struct db_args args;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_str(&args, slug);
    db_arg_text(&args, change->name);
    db_arg_text(&args, change->timezone);
    db_arg_text(&args, change->currency);
    db_arg_text(&args, change->status);
    return db_run(tx, &q_tenant_patch, &args, NULL);
}

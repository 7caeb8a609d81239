/* Prices by time over the tenant's functions. */
#include "domain/rate_price.h"

#include "db/db.h"
#include "gen/queries.h"

enum err rate_price_list(struct db_tx *tx, const struct rate_price_filter *filter,
                         struct rate_price_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_int(&args, filter->schedule_id);
    db_arg_text(&args, filter->series);
    db_arg_time(&args, filter->from_us);
    db_arg_time(&args, filter->to_us);
    db_arg_time(&args, filter->known_us);
    db_arg_int(&args, filter->limit);
    enum err err = db_run(tx, &q_rate_prices, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct rate_price *items = arena_array(op->arena, (size_t)n + 1, sizeof *items);
    if (!items) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct rate_price){
            .point = { .from_us = db_time(rows, i, RATE_PRICES_FROM_TIME),
                       .to_us = db_time(rows, i, RATE_PRICES_TO_TIME),
                       .rate = db_int64(rows, i, RATE_PRICES_NANO_RATE) },
            .known_us = db_time(rows, i, RATE_PRICES_KNOWN_SINCE),
        };
    }
    *out = (struct rate_price_list){ items, n };
    return OK;
}

enum err rate_price_add(struct db_tx *tx, int32_t schedule_id, const char *series,
                        const struct price_series *prices, int32_t *added)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;
    int64_t *columns = arena_array(op->arena, 3 * prices->n + 1, sizeof *columns);

    if (!columns) {
        return fail_memory(op);
    }
    int64_t *from = columns, *to = columns + prices->n, *rate = columns + 2 * prices->n;
    for (size_t i = 0; i < prices->n; i++) {
        from[i] = prices->points[i].from_us;
        to[i] = prices->points[i].to_us;
        rate[i] = prices->points[i].rate;
    }
    db_args_init(&args, op->arena);
    db_arg_int(&args, schedule_id);
    db_arg_text(&args, series);
    db_arg_time_array(&args, from, prices->n);
    db_arg_time_array(&args, to, prices->n);
    db_arg_int64_array(&args, rate, prices->n);
    enum err err = db_run(tx, &q_rate_prices_add, &args, &rows);
    if (err == OK) {
        *added = db_int(rows, 0, RATE_PRICES_ADD_ADDED);
    }
    return err;
}

/* Reads events through the tenant's listing function, by two statements of the same columns. Called
 * by GET /v1/events and by pages. */
#include "domain/event.h"

#include "db/ask.h"
#include "gen/queries.h"

static void add_filter(struct db_args *args, const struct event_filter *filter)
{
    db_arg_str(args, filter->type);
    db_arg_str(args, filter->device);
    db_arg_time(args, filter->from_us);
    db_arg_time(args, filter->to_us);
    if (filter->is_before || filter->is_after) {
        db_arg_time(args, filter->before_us);
        db_arg_str(args, filter->before_key);
    } else {
        db_arg_null(args);
        db_arg_null(args);
    }
    /* the first one may be looked up in an index, the others are checked */
    db_arg_str(args, filter->n_data > 0 ? filter->data[0] : (struct str){ .ptr = NULL });
    db_arg_int(args, filter->limit);
    db_arg_str(args, filter->site);
    db_arg_str_array(args, filter->data + 1, filter->n_data > 1 ? (size_t)filter->n_data - 1 : 0);
}

static struct event read_event(const struct db_rows *rows, int row)
{
    return (struct event){
        .time_us = db_time(rows, row, EVENT_LIST_TIME),
        .type = db_text(rows, row, EVENT_LIST_TYPE),
        .device = db_text(rows, row, EVENT_LIST_DEVICE),
        .has_seq = !db_is_null(rows, row, EVENT_LIST_SEQ),
        .seq = db_int64(rows, row, EVENT_LIST_SEQ),
        .id = db_text(rows, row, EVENT_LIST_ID),
        .site = db_text(rows, row, EVENT_LIST_SITE),
        .data = db_text(rows, row, EVENT_LIST_DATA),
        .key = db_text(rows, row, EVENT_LIST_KEY),
    };
}

void event_list_ask(struct op *op, const struct event_filter *filter, struct db_ask *ask)
{
    db_ask_init(ask, op, filter->is_after ? &q_event_list_after : &q_event_list);
    add_filter(&ask->args, filter);
}

enum err event_list_read(struct op *op, const struct db_ask *ask, struct event_list *out)
{
    const struct db_rows *rows = ask->rows;
    int n = db_count(rows);
    struct event *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = read_event(rows, i);
    }
    *out = (struct event_list){ .items = items, .n = n };
    return OK;
}

enum err event_list(struct db_tx *tx, const struct event_filter *filter, struct event_list *out)
{
    struct db_ask ask;
    event_list_ask(db_op(tx), filter, &ask);
    enum err err = db_ask_all(tx, &ask, 1);
    return err == OK ? event_list_read(db_op(tx), &ask, out) : err;
}

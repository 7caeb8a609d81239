/* Counts events. Called by the page of events. */
#include "domain/event_count.h"

#include "db/db.h"
#include "gen/queries.h"

enum err event_count(struct db_tx *tx, const int64_t *instants, int n, struct event_count_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_time_array(&args, instants, (size_t)n);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_event_counts, &args, &rows);
    if (err != OK) {
        return err;
    }
    int count = db_count(rows);
    struct event_count *items = arena_array(op->arena, (size_t)count, sizeof *items);
    if (items == NULL && count > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < count; i++) {
        items[i] = (struct event_count){
            .stretch = db_int(rows, i, EVENT_COUNTS_STRETCH) - 1,
            .type = db_text(rows, i, EVENT_COUNTS_TYPE),
            .count = db_int64(rows, i, EVENT_COUNTS_COUNT),
        };
    }
    *out = (struct event_count_list){ .items = items, .n = count };
    return OK;
}

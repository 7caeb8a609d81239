/* Reads devices with their headline values. Called by the overview and by the list of devices. */
#include "domain/latest.h"

#include "base/clock.h"
#include "db/ask.h"
#include "gen/queries.h"

enum freshness freshness_of(int64_t now_us, int64_t last_seen_us)
{
    if (last_seen_us == DEVICE_NEVER) {
        return FRESH_NEVER;
    }
    int64_t age_us = now_us - last_seen_us;
    if (age_us < LATEST_LIVE_MINUTES * US_PER_MINUTE) {
        return FRESH_LIVE;
    }
    return age_us < LATEST_SILENT_HOURS * US_PER_HOUR ? FRESH_LATE : FRESH_SILENT;
}

void latest_list_ask(struct op *op, struct str after_key, int limit, struct db_ask *ask)
{
    db_ask_init(ask, op, &q_latest_list);
    db_arg_str(&ask->args, after_key);
    db_arg_int(&ask->args, limit);
}

enum err latest_list_read(struct op *op, const struct db_ask *ask, struct latest_list *out)
{
    const struct db_rows *rows = ask->rows;
    int n = db_count(rows);
    struct latest *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = (struct latest){
            .key = db_text(rows, i, LATEST_LIST_KEY),
            .name = db_text(rows, i, LATEST_LIST_NAME),
            .model = db_text(rows, i, LATEST_LIST_MODEL),
            .last_seen_us = db_time_or(rows, i, LATEST_LIST_LAST_SEEN, DEVICE_NEVER),
            .metric = db_text(rows, i, LATEST_LIST_METRIC),
            .unit = db_text(rows, i, LATEST_LIST_UNIT),
            .role = db_text(rows, i, LATEST_LIST_ROLE),
            .last_us = db_time_or(rows, i, LATEST_LIST_LAST_TIME, DEVICE_NEVER),
            .last_value = db_double(rows, i, LATEST_LIST_LAST_VALUE),
        };
    }
    *out = (struct latest_list){ .items = items, .n = n };
    return OK;
}

void latest_count_ask(struct op *op, int64_t now_us, struct db_ask *ask)
{
    db_ask_init(ask, op, &q_latest_count);
    db_arg_time(&ask->args, now_us - LATEST_LIVE_MINUTES * US_PER_MINUTE);
    db_arg_time(&ask->args, now_us - LATEST_SILENT_HOURS * US_PER_HOUR);
}

struct latest_counts latest_count_read(const struct db_ask *ask)
{
    const struct db_rows *rows = ask->rows;
    struct latest_counts counts = {
        .all = db_int64(rows, 0, LATEST_COUNT_ALL_DEVICES),
        .live = db_int64(rows, 0, LATEST_COUNT_LIVE),
        .late = db_int64(rows, 0, LATEST_COUNT_LATE),
    };
    counts.silent = counts.all - counts.live - counts.late;
    return counts;
}

enum err latest_count(struct db_tx *tx, int64_t now_us, struct latest_counts *out)
{
    struct db_ask ask;
    latest_count_ask(db_op(tx), now_us, &ask);
    enum err err = db_ask_all(tx, &ask, 1);
    if (err == OK) {
        *out = latest_count_read(&ask);
    }
    return err;
}

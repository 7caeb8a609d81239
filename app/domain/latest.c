/* Reads devices with their headline values. Called by the overview and by the list of devices. */
#include "domain/latest.h"

#include "base/clock.h"
#include "db/db.h"
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

enum err latest_list(struct db_tx *tx, struct str after_key, int limit, struct latest_list *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_str(&args, after_key);
    db_arg_int(&args, limit);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_latest_list, &args, &rows);
    if (err != OK) {
        return err;
    }
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

int64_t latest_oldest(const struct latest_list *list, int64_t now_us)
{
    int64_t oldest_us = now_us;
    for (int i = 0; i < list->n; i++) {
        int64_t seen_us = list->items[i].last_seen_us;
        if (seen_us != DEVICE_NEVER && seen_us < oldest_us) {
            oldest_us = seen_us;
        }
    }
    return oldest_us;
}

enum err latest_count(struct db_tx *tx, int64_t now_us, struct latest_counts *out)
{
    struct db_args args;
    db_args_init(&args, db_op(tx)->arena);
    db_arg_time(&args, now_us - LATEST_LIVE_MINUTES * US_PER_MINUTE);
    db_arg_time(&args, now_us - LATEST_SILENT_HOURS * US_PER_HOUR);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_latest_count, &args, &rows);
    if (err != OK) {
        return err;
    }
    *out = (struct latest_counts){
        .all = db_int64(rows, 0, LATEST_COUNT_ALL_DEVICES),
        .live = db_int64(rows, 0, LATEST_COUNT_LIVE),
        .late = db_int64(rows, 0, LATEST_COUNT_LATE),
    };
    out->silent = out->all - out->live - out->late;
    return OK;
}

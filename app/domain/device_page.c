/* Reads pages of the list of devices. Called by the page of devices. */
#include "domain/device_page.h"

#include "base/clock.h"
#include "db/db.h"
#include "gen/queries.h"

static const char *const names[] = {
    [STATE_IN_USE] = "", [STATE_LIVE] = "live", [STATE_LATE] = "late",
    [STATE_SILENT] = "silent", [STATE_RETIRED] = "retired",
};

const char *device_state_name(enum device_state state)
{
    return names[state];
}

bool device_state_parse(struct str text, enum device_state *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_equal(text, str_of(names[i]))) {
            *out = (enum device_state)i;
            return true;
        }
    }
    return false;
}

static struct device_line read_line(const struct db_rows *rows, int row)
{
    return (struct device_line){
        .latest = {
            .key = db_text(rows, row, DEVICE_PAGE_KEY),
            .name = db_text(rows, row, DEVICE_PAGE_NAME),
            .model = db_text(rows, row, DEVICE_PAGE_MODEL),
            .last_seen_us = db_time_or(rows, row, DEVICE_PAGE_LAST_SEEN, DEVICE_NEVER),
            .metric = db_text(rows, row, DEVICE_PAGE_METRIC),
            .unit = db_text(rows, row, DEVICE_PAGE_UNIT),
            .role = db_text(rows, row, DEVICE_PAGE_ROLE),
            .last_us = db_time_or(rows, row, DEVICE_PAGE_LAST_TIME, DEVICE_NEVER),
            .last_value = db_double(rows, row, DEVICE_PAGE_LAST_VALUE),
        },
        .site = db_text(rows, row, DEVICE_PAGE_SITE),
        .retired_us = db_time_or(rows, row, DEVICE_PAGE_RETIRED_AT, DEVICE_NEVER),
        .series_id = db_int(rows, row, DEVICE_PAGE_SERIES_ID),
        .kind = db_text(rows, row, DEVICE_PAGE_KIND),
    };
}

enum err device_page(struct db_tx *tx, const struct device_page_filter *filter,
                     struct device_page *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    db_args_init(&args, op->arena);
    db_arg_str(&args, filter->search);
    db_arg_str(&args, filter->site);
    db_arg_text(&args, filter->state == STATE_IN_USE ? NULL : names[filter->state]);
    db_arg_time(&args, filter->now_us - LATEST_LIVE_MINUTES * US_PER_MINUTE);
    db_arg_time(&args, filter->now_us - LATEST_SILENT_HOURS * US_PER_HOUR);
    db_arg_str(&args, filter->after_key);
    db_arg_int(&args, filter->limit);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_device_page, &args, &rows);
    if (err != OK) {
        return err;
    }
    int n = db_count(rows);
    struct device_line *items = arena_array(op->arena, (size_t)n, sizeof *items);
    if (items == NULL && n > 0) {
        return fail_memory(op);
    }
    for (int i = 0; i < n; i++) {
        items[i] = read_line(rows, i);
    }
    *out = (struct device_page){ .items = items, .n = n };
    return OK;
}

/* The table of events: the columns that exports have (web/api_events.c), and what makes an event
 * the same one when it comes again. */
#include "archive/restore.h"

#include "gen/queries.h"

#include <inttypes.h>

#define MAX_BATCH_BYTES (4u << 20) /* of data that wait to be stored, but for the last row's */

enum {
    EVENT_TIME,
    EVENT_TYPE,
    EVENT_DEVICE,
    EVENT_SEQ,
    EVENT_ID,
    EVENT_SITE,
    EVENT_DATA,
    EVENT_KEY,
    EVENT_ARRIVED,
    EVENT_COLUMNS
};
static const struct parquet_column event_columns[EVENT_COLUMNS] = {
    [EVENT_TIME] = { "time", PARQUET_TIME, false },
    [EVENT_TYPE] = { "type", PARQUET_STRING, false },
    [EVENT_DEVICE] = { "device", PARQUET_STRING, false },
    [EVENT_SEQ] = { "seq", PARQUET_INT64, true },
    [EVENT_ID] = { "id", PARQUET_STRING, true },
    [EVENT_SITE] = { "site", PARQUET_STRING, true },
    [EVENT_DATA] = { "data", PARQUET_STRING, false },
    [EVENT_KEY] = { "key", PARQUET_STRING, false },
    [EVENT_ARRIVED] = { "arrived", PARQUET_TIME, false },
};
static const struct parquet_schema event_rows = { event_columns, EVENT_COLUMNS };

static const struct parquet_column void_columns[] = {
    { "device", PARQUET_STRING, false },
    { "from", PARQUET_TIME, false },
    { "to", PARQUET_TIME, false },
};
static const struct parquet_schema event_voids = { void_columns, 3 };

/* ---- archiving ---- */

/* The texts of a file, and where `fetch` has them. */
static const struct {
    int column, fetched;
} TEXTS[] = {
    { EVENT_TYPE, ARCHIVE_FETCH_EVENTS_TYPE }, { EVENT_DEVICE, ARCHIVE_FETCH_EVENTS_DEVICE },
    { EVENT_ID, ARCHIVE_FETCH_EVENTS_ID },     { EVENT_SITE, ARCHIVE_FETCH_EVENTS_SITE },
    { EVENT_DATA, ARCHIVE_FETCH_EVENTS_DATA }, { EVENT_KEY, ARCHIVE_FETCH_EVENTS_KEY },
};
#define N_TEXTS (sizeof TEXTS / sizeof *TEXTS)

static enum err put_event(const struct archive *archive, struct parquet_writer *out,
                          const struct db_rows *batch, int row)
{
    (void)archive;
    parquet_put_time(out, EVENT_TIME, db_time(batch, row, ARCHIVE_FETCH_EVENTS_TIME));
    parquet_put_time(out, EVENT_ARRIVED, db_time(batch, row, ARCHIVE_FETCH_EVENTS_ARRIVED));
    if (!db_is_null(batch, row, ARCHIVE_FETCH_EVENTS_SEQ)) {
        parquet_put_int(out, EVENT_SEQ, db_int64(batch, row, ARCHIVE_FETCH_EVENTS_SEQ));
    }
    for (size_t i = 0; i < N_TEXTS; i++) {
        parquet_put_str(out, TEXTS[i].column, db_str(batch, row, TEXTS[i].fetched));
    }
    return parquet_end_row(out);
}

/* ---- restoring ---- */

struct events {
    int64_t *times, *arrivals;         /* of the batch, as all that follows */
    struct str *texts[EVENT_COLUMNS];  /* in the batch's memory; ptr NULL: NULL, as in the file.
                                        * Numbers in decimal; NULL where a column is of times */
    size_t n, n_bytes;
};

static bool is_text(int column)
{
    return event_columns[column].type != PARQUET_TIME;
}

static enum err open_events(struct restoring *restoring)
{
    struct arena *arena = restoring->archive->days;
    struct events *events = arena_alloc(arena, sizeof *events);

    if (events == NULL) {
        return fail_memory(&restoring->archive->rows);
    }
    *events = (struct events){
        .times = arena_array(arena, RESTORE_BATCH_ROWS, sizeof *events->times),
        .arrivals = arena_array(arena, RESTORE_BATCH_ROWS, sizeof *events->arrivals),
    };
    bool is_there = events->times && events->arrivals;
    for (int i = 0; i < EVENT_COLUMNS && is_there; i++) {
        if (is_text(i)) {
            events->texts[i] = arena_array(arena, RESTORE_BATCH_ROWS, sizeof **events->texts);
            is_there = events->texts[i] != NULL;
        }
    }
    restoring->batch = events;
    return is_there ? OK : fail_memory(&restoring->archive->rows);
}

/* Whoever adds the next row finds the batch's memory released. */
static enum err flush_events(struct restoring *restoring)
{
    static const int ORDER[] = { EVENT_TYPE, EVENT_DEVICE, EVENT_SEQ, EVENT_ID,
                                 EVENT_SITE, EVENT_DATA,   EVENT_KEY };
    struct events *events = restoring->batch;
    struct db_args args;

    if (events->n == 0) {
        return OK;
    }
    db_args_init(&args, restoring->archive->batches);
    db_arg_text(&args, restoring->task->day);
    db_arg_time_array(&args, events->times, events->n);
    for (size_t i = 0; i < sizeof ORDER / sizeof *ORDER; i++) {
        db_arg_str_array(&args, events->texts[ORDER[i]], events->n);
    }
    db_arg_time_array(&args, events->arrivals, events->n);
    enum err err = db_run(restoring->tx, &q_archive_restore_events, &args, NULL);
    events->n = 0;
    events->n_bytes = 0;
    if (err == OK) {
        arena_reset(restoring->archive->batches);
    }
    return err;
}

/* Copies a value into the batch's memory; numbers in decimal. */
static bool keep(struct arena *arena, int column, const struct parquet_value *value,
                 struct str *out)
{
    *out = (struct str){ NULL, 0 };
    if (value->is_null) {
        return true;
    }
    if (event_columns[column].type == PARQUET_INT64) {
        *out = str_of(arena_printf(arena, "%" PRId64, value->number));
    } else {
        *out = (struct str){ arena_copy(arena, value->text), value->text.len };
    }
    return out->ptr != NULL;
}

static enum err add_event(struct restoring *restoring, const struct parquet_value *row)
{
    struct archive *archive = restoring->archive;
    struct events *events = restoring->batch;
    bool is_kept = true;
    enum err err = OK;

    if (erased_after(&restoring->erased, row[EVENT_DEVICE].text, STR(""), STR(""),
                     restoring->number)) {
        return OK;
    }
    if (events->n == RESTORE_BATCH_ROWS || events->n_bytes >= MAX_BATCH_BYTES) {
        err = flush_events(restoring);
    }
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < EVENT_COLUMNS && is_kept; i++) {
        if (is_text(i)) {
            is_kept = keep(archive->batches, i, &row[i], &events->texts[i][events->n]);
        }
    }
    if (!is_kept) {
        return fail_memory(&archive->rows);
    }
    events->times[events->n] = row[EVENT_TIME].number;
    events->arrivals[events->n] = row[EVENT_ARRIVED].number;
    events->n_bytes += row[EVENT_DATA].text.len;
    events->n++;
    return OK;
}

const struct archive_table archive_table_events = {
    .name = "events",
    .rows = &event_rows,
    .voids = &event_voids,
    .n_names = 1,
    .fetch = &q_archive_fetch_events,
    .time_column = ARCHIVE_FETCH_EVENTS_TIME,
    .put = put_event,
    .restore_void = &q_archive_restore_void_events,
    .open = open_events,
    .add = add_event,
    .flush = flush_events,
};

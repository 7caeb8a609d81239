/* A day of the archive, read: what its tombstones void, then its rows, of which the first so many
 * after a position are kept and sorted. A file is read row group by row group, and none of it is
 * believed that differs from what the database noted: its notes, the number of its rows; each page
 * that is used has its checksum. */
#include "archive/reach_parts.h"

#include "base/clock.h"

#include <stdlib.h>

#define ROWS_A_LOOK 4096 /* at the clock */

/* ---- what is kept ---- */

/* By time and series, of one sample's versions the latest first. */
static int compare_samples(const void *left, const void *right)
{
    const struct reach_sample *a = left, *b = right;
    int order = reach_order(a->time_us, a->series_id, b->time_us, b->series_id);

    return order != 0 ? order : (a->number < b->number) - (a->number > b->number);
}

/* Sorts what is there, and keeps no more than the window may have. */
static void settle(struct reach_window *window)
{
    qsort(window->rows, window->n, sizeof *window->rows, compare_samples);
    window->is_cut |= window->n > window->cap;
    window->n = window->n > window->cap ? window->cap : window->n;
}

/* Leaves of each sample its latest version. */
static void drop_replaced(struct reach_window *window)
{
    size_t n = 0;

    for (size_t i = 0; i < window->n; i++) {
        const struct reach_sample *row = &window->rows[i];
        if (n == 0 || reach_order(window->rows[n - 1].time_us, window->rows[n - 1].series_id,
                                  row->time_us, row->series_id) != 0) {
            window->rows[n++] = *row;
        }
    }
    window->n = n;
}

/* ---- rows ---- */

/* Which of the day's files of rows. */
enum part { PART_ALL, PART_FIRST, PART_LATER };

/* Where the window begins, and how far the day is read. */
struct slice {
    enum part part;
    struct reach *reach;
    const struct reach_day *day;
    const struct archive_file *file; /* at hand */
    int64_t from_us, to_us;
    int64_t after_us;
    int32_t after_series;
    struct reach_sample edge; /* of a cut window: what comes after it is left */
    reach_sink sink;          /* that takes them instead of the window; or NULL */
    void *context;
    enum err taken; /* what it said last */
};

typedef enum err (*take_row)(struct slice *slice, const struct parquet_value *row);

static bool is_in(const struct slice *slice, const struct reach_sample *sample)
{
    const struct reach_sample *edge = &slice->edge;

    return sample->time_us >= slice->from_us && sample->time_us < slice->to_us &&
           reach_order(sample->time_us, sample->series_id, slice->after_us,
                       slice->after_series) > 0 &&
           reach_order(sample->time_us, sample->series_id, edge->time_us, edge->series_id) <= 0;
}

static enum err take_sample(struct slice *slice, const struct parquet_value *row)
{
    struct reach *reach = slice->reach;
    struct reach_window *window = &reach->window;
    int64_t in_day_us = row[SAMPLE_TIME].number - slice->day->start_us;
    struct reach_sample sample = {
        row[SAMPLE_TIME].number, row[SAMPLE_VALUE].real,
        reach_names_find(&reach->names, row[SAMPLE_DEVICE].text, row[SAMPLE_METRIC].text,
                         row[SAMPLE_LABELS].text),
        slice->file->n,
    };

    if (in_day_us < 0 || in_day_us >= US_PER_DAY) {
        return fail(&reach->archive.file, ERR_INVALID, "%s: a row of another day",
                    slice->file->object);
    }
    if (sample.series_id == 0 || !is_in(slice, &sample) || reach_is_void(reach, &sample)) {
        return OK;
    }
    if (slice->sink != NULL) {
        slice->taken = slice->sink(slice->context, &sample);
        return slice->taken;
    }
    window->rows[window->n++] = sample;
    if (window->n == 2 * window->cap) {
        settle(window);
        slice->edge = window->rows[window->n - 1];
    }
    return OK;
}

static enum err take_void(struct slice *slice, const struct parquet_value *row)
{
    struct reach *reach = slice->reach;
    const struct reach_void added = {
        slice->file->n,
        reach_names_find(&reach->names, row[VOID_DEVICE].text, row[VOID_METRIC].text,
                         row[VOID_LABELS].text),
        row[VOID_FROM].number, row[VOID_TO].number,
    };

    return added.series_id == 0 || reach_void_add(reach, &added) ? OK
                                                           : fail_memory(&reach->archive.file);
}

/* ---- files ---- */

/* Says what the failure of a day's file means to who asked, and to the log what it was. */
static enum err fail_file(struct reach *reach, enum err err, const struct archive_file *file)
{
    struct op *inner = &reach->archive.file;
    struct store_object object;
    bool is_missing = err == ERR_NOT_FOUND, is_damaged = err == ERR_INVALID;

    if (err == OK) {
        return OK;
    }
    log_error("a file of the archive could not be read", LOG_TEXT("id", inner->id),
              LOG_TEXT("object", file->object), LOG_TEXT("why", inner->fault.detail));
    op_clear_fault(inner);
    if (err == ERR_INTERNAL && /* it ended early, or something else of ours */
        store_head(reach->archive.store, inner, file->object, &object) == OK) {
        is_damaged = object.size != file->n_bytes;
    }
    op_clear_fault(inner);
    if (is_missing || is_damaged) {
        return fail(reach->op, ERR_DAMAGED,
                    "The archive alone has %s, and file %d of that day is %s.", file->day,
                    file->n, is_missing ? "missing" : "damaged");
    }
    return fail(reach->op, err, "the archive's store failed at %s", file->object);
}

static enum err read_rows(struct slice *slice, take_row take)
{
    struct reach *reach = slice->reach;
    const struct archive_file *file = slice->file;
    bool is_rows = archive_is_rows(file), is_end = false;
    int column = is_rows ? (int)SAMPLE_DEVICE : (int)VOID_DEVICE;
    struct str device = reach->setup.device;
    struct parquet_value row[PARQUET_MAX_COLUMNS];
    struct archive_reading reading;
    int n_rows = 0; /* since the clock was looked at */
    enum err err = archive_file_open(&reach->archive, file->object, file->n_bytes,
                                     is_rows ? &archive_samples : &archive_voids, &reading);

    if (err == OK) {
        err = archive_file_check(&reading, file);
    }
    while (err == OK && !reach->is_late) {
        reach->is_late = reach->read_until_us != INT64_MAX && n_rows++ % ROWS_A_LOOK == 0 &&
                         clock_monotonic_us() > reach->read_until_us;
        err = device.ptr != NULL
                  ? parquet_find(reading.parquet, column, device, row, &is_end)
                  : parquet_next(reading.parquet, row, &is_end);
        if (err != OK || is_end) {
            break;
        }
        err = take(slice, row);
    }
    return err;
}

/* The day's files of rows, or those of tombstones. */
static enum err read_files(struct slice *slice, bool is_rows)
{
    bool is_first = true;
    enum err err = OK;

    for (int i = 0; i < slice->day->n_files && err == OK && !slice->reach->is_late;
         i++) {
        slice->file = &slice->day->files[i];
        if (archive_is_rows(slice->file) != is_rows) {
            continue;
        }
        bool is_wanted = slice->part == PART_ALL || (slice->part == PART_FIRST) == is_first;
        is_first = false;
        if (is_wanted) {
            arena_reset(slice->reach->archive.files);
            err = read_rows(slice, is_rows ? take_sample : take_void);
            err = slice->taken != OK ? slice->taken : fail_file(slice->reach, err, slice->file);
        }
    }
    return err;
}

/* A day gets its numbers one after another: one that nobody knows was lost. */
static enum err check_numbers(const struct slice *slice)
{
    const struct reach_day *day = slice->day;
    int last = 0;

    for (int i = 0; i < day->n_files; i++) {
        if (day->files[i].n > last + 1) {
            return fail(slice->reach->op, ERR_DAMAGED,
                        "The archive alone has %s, and file %d of that day is missing.", day->name,
                        last + 1);
        }
        last = day->files[i].n;
    }
    return OK;
}

/* What is void of the day. */
static enum err read_voids(struct slice *slice)
{
    struct reach *reach = slice->reach;

    reach->n_voids = 0;
    enum err err = check_numbers(slice);
    err = err ? err : read_files(slice, false);
    if (err == OK && !reach_void_erased(reach, slice->day)) {
        err = fail_memory(reach->op);
    }
    if (err == OK) {
        reach_voids_sort(reach);
    }
    return err;
}

static struct slice slice_of(struct reach *reach, const struct reach_day *day)
{
    return (struct slice){
        .reach = reach, .day = day, .from_us = reach->span.from_us, .to_us = reach->span.to_us,
        .after_us = INT64_MIN, .edge = { .time_us = INT64_MAX, .series_id = INT32_MAX },
    };
}

enum err reach_day_load(struct reach *reach, const struct reach_day *day, int64_t after_us,
                        int32_t after_series)
{
    struct slice slice = slice_of(reach, day);
    struct reach_window *window = &reach->window;

    slice.after_us = after_us;
    slice.after_series = after_series;
    window->n = window->at = 0;
    window->is_cut = false;
    window->after_us = after_us;
    window->after_series = after_series;
    window->start_us = INT64_MIN; /* what is half read is nothing */
    enum err err = read_voids(&slice);
    if (err == OK) {
        err = read_files(&slice, true);
    }
    if (err == OK && !reach->is_late) {
        settle(window);
        drop_replaced(window);
        window->start_us = day->start_us;
    }
    return err;
}

/* ---- several files of rows ---- */

/* The first file on its way to the sink, with the later ones' rows, which are in the window. */
struct merging {
    struct reach *reach;
    reach_sink sink;
    void *context;
    int32_t series_id; /* at hand */
    size_t at;         /* the next later row, of that series or behind it */
};

#define GIVEN 0 /* in place of a row's number */

static int compare_by_series(const void *left, const void *right)
{
    const struct reach_sample *a = left, *b = right;

    int order = (a->series_id > b->series_id) - (a->series_id < b->series_id);

    return order != 0 ? order : (a->time_us > b->time_us) - (a->time_us < b->time_us);
}

/* Where the later rows of a series begin. */
static size_t find_later(const struct reach_window *window, int32_t series_id)
{
    size_t low = 0, high = window->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (window->rows[middle].series_id < series_id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The later rows of the series at hand before that time. */
static enum err give_later(struct merging *merging, int64_t before_us)
{
    struct reach_window *window = &merging->reach->window;
    enum err err = OK;

    for (; merging->at < window->n && err == OK; merging->at++) {
        struct reach_sample *row = &window->rows[merging->at];
        if (row->series_id != merging->series_id || row->time_us >= before_us) {
            break;
        }
        err = row->number == GIVEN ? OK : merging->sink(merging->context, row);
        row->number = GIVEN;
    }
    return err;
}

/* A row of the first file, unless a later one takes its place. */
static enum err merge_sample(void *context, const struct reach_sample *sample)
{
    struct merging *merging = context;
    const struct reach_window *window = &merging->reach->window;
    enum err err = OK;

    if (sample->series_id != merging->series_id) {
        err = give_later(merging, INT64_MAX);
        merging->series_id = sample->series_id;
        merging->at = find_later(window, sample->series_id);
    }
    err = err ? err : give_later(merging, sample->time_us);
    const struct reach_sample *next = &window->rows[merging->at];
    bool is_replaced = merging->at < window->n && next->series_id == sample->series_id &&
                       next->time_us == sample->time_us;
    return err || is_replaced ? err : merging->sink(merging->context, sample);
}

/* Reads all but the first file of rows into the window, in the order of series and time; what it
 * has no room for makes it a cut one. */
static enum err load_later(struct reach *reach, const struct reach_day *day)
{
    struct slice slice = slice_of(reach, day);
    struct reach_window *window = &reach->window;

    slice.part = PART_LATER;
    window->n = window->at = 0;
    window->is_cut = false;
    window->start_us = INT64_MIN; /* no page goes on with it */
    enum err err = read_files(&slice, true);
    if (err == OK && !reach->is_late) {
        settle(window);
        drop_replaced(window);
        qsort(window->rows, window->n, sizeof *window->rows, compare_by_series);
    }
    return err;
}

/* The first file, which is all of the day but for what came late, is read once. */
static enum err each_merged(struct reach *reach, const struct reach_day *day, reach_sink sink,
                            void *context)
{
    struct reach_window *window = &reach->window;
    struct merging merging = { .reach = reach, .sink = sink, .context = context };
    struct slice slice = slice_of(reach, day);

    slice.part = PART_FIRST;
    slice.sink = merge_sample;
    slice.context = &merging;
    enum err err = read_files(&slice, true);
    for (size_t i = 0; i < window->n && err == OK && !reach->is_late; i++) {
        if (window->rows[i].number != GIVEN) {
            err = sink(context, &window->rows[i]);
        }
    }
    return err;
}

/* A window after the other, as often as it takes: where the later files are large, too. */
static enum err each_of_windows(struct reach *reach, const struct reach_day *day, reach_sink sink,
                                void *context)
{
    struct reach_window *window = &reach->window;
    int64_t after_us = INT64_MIN;
    int32_t after_series = 0;
    enum err err = OK;

    do {
        err = reach_day_load(reach, day, after_us, after_series);
        for (size_t i = 0; i < window->n && err == OK && !reach->is_late; i++) {
            err = sink(context, &window->rows[i]);
            after_us = window->rows[i].time_us;
            after_series = window->rows[i].series_id;
        }
    } while (err == OK && window->is_cut && !reach->is_late);
    return err;
}

enum err reach_day_each(struct reach *reach, const struct reach_day *day, reach_sink sink,
                        void *context)
{
    struct slice slice = slice_of(reach, day);
    int n_rows_files = 0;

    for (int i = 0; i < day->n_files; i++) {
        n_rows_files += archive_is_rows(&day->files[i]);
    }
    enum err err = read_voids(&slice);
    if (err == OK && n_rows_files > 1) {
        err = load_later(reach, day);
        if (err != OK || reach->is_late) {
            return err;
        }
        return reach->window.is_cut ? each_of_windows(reach, day, sink, context)
                                    : each_merged(reach, day, sink, context);
    }
    slice.sink = sink;
    slice.context = context;
    return err == OK ? read_files(&slice, true) : err;
}

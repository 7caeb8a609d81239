/* Gathering and ordering a batch. Sorted rows keep the index's pages hot and make writers lock
 * in one order. Sorting is counting by series, which the columns have told apart already; the
 * times of a series mostly ascend as they come. Pure but for the cache's claims; called by
 * the writers. */
#include "ingest/batch.h"

#include "base/clock.h"

#include <stdlib.h>

/* A series as one ticket knows it. */
struct mention {
    int32_t tenant_id, series_id;
    uint32_t ticket, series;
};

struct gathering {
    struct ingest_batch *batch;
    enum ingest_lane lane;
    struct mention *mentions;
    size_t n_mentions;
    size_t *bases;     /* of each ticket: where its series begin in run_of */
    uint32_t *run_of;  /* the run of each series of each ticket */
};

static bool is_wanted(const struct gathering *gathering, const struct ingest_columns *columns,
                      size_t row)
{
    uint8_t lane = columns->lanes[row];
    bool is_in = gathering->lane == LANE_LATE
                     ? lane == INGEST_ROW_LATE
                     : lane == INGEST_ROW_FAST || lane == INGEST_ROW_START;

    return is_in && !columns->events[columns->rows[row].event].is_rejected;
}

/* Lists the tickets and counts what they hold. */
static bool list_tickets(struct gathering *gathering, struct ingest_ticket *tickets)
{
    struct ingest_batch *batch = gathering->batch;
    struct arena *arena = batch->op->arena;
    size_t n_series = 0;

    for (const struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
        batch->n_tickets++;
        batch->n_rows += ticket->columns->n_rows;
        batch->n_events += ticket->columns->n_events;
        n_series += ticket->columns->n_series;
    }
    batch->tickets = arena_array(arena, batch->n_tickets, sizeof *batch->tickets);
    gathering->bases = arena_array(arena, batch->n_tickets, sizeof *gathering->bases);
    gathering->run_of = arena_array(arena, n_series + 1, sizeof *gathering->run_of);
    gathering->mentions = arena_array(arena, n_series + 1, sizeof *gathering->mentions);
    batch->rows = arena_array(arena, batch->n_rows + 1, sizeof *batch->rows);
    batch->events = arena_array(arena, batch->n_events + 1, sizeof *batch->events);
    if (!batch->tickets || !gathering->bases || !gathering->run_of || !gathering->mentions ||
        !batch->rows || !batch->events) {
        return false;
    }
    size_t at = 0;
    size_t base = 0;
    for (struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
        gathering->bases[at] = base;
        base += ticket->columns->n_series;
        batch->tickets[at++] = ticket;
    }
    return true;
}

static int compare_mentions(const void *left, const void *right)
{
    const struct mention *a = left, *b = right;

    if (a->tenant_id != b->tenant_id) {
        return a->tenant_id < b->tenant_id ? -1 : 1;
    }
    return (a->series_id > b->series_id) - (a->series_id < b->series_id);
}

/* Makes a run of each distinct series, in the order of the key. */
static bool make_runs(struct gathering *gathering)
{
    struct ingest_batch *batch = gathering->batch;
    struct mention *mentions = gathering->mentions;
    size_t n = 0;

    for (size_t t = 0; t < batch->n_tickets; t++) {
        const struct ingest_columns *columns = batch->tickets[t]->columns;
        for (size_t s = 0; s < columns->n_series; s++) {
            if (columns->series[s].id) {
                mentions[n++] = (struct mention){ batch->tickets[t]->tenant_id,
                                                  columns->series[s].id, (uint32_t)t, (uint32_t)s };
            }
        }
    }
    qsort(mentions, n, sizeof *mentions, compare_mentions);
    batch->runs = arena_array(batch->op->arena, n + 1, sizeof *batch->runs);
    if (!batch->runs) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const struct mention *mention = &mentions[i];
        if (i == 0 || compare_mentions(mention - 1, mention) != 0) {
            const struct ingest_columns *columns = batch->tickets[mention->ticket]->columns;
            const struct ingest_series *series = &columns->series[mention->series];
            batch->runs[batch->n_runs++].claim = (struct series_claim){
                .series = series, .tenant_id = mention->tenant_id,
                .device_id = columns->devices[series->device].id,
            };
        }
        gathering->run_of[gathering->bases[mention->ticket] + mention->series] =
            (uint32_t)(batch->n_runs - 1);
    }
    return true;
}

/* Counts each run's rows, then puts every row into its run in the order of arrival. */
static void place_rows(struct gathering *gathering)
{
    struct ingest_batch *batch = gathering->batch;
    size_t n = 0;

    for (size_t t = 0; t < batch->n_tickets; t++) {
        const struct ingest_columns *columns = batch->tickets[t]->columns;
        const uint32_t *run_of = gathering->run_of + gathering->bases[t];
        for (size_t r = 0; r < columns->n_rows; r++) {
            if (is_wanted(gathering, columns, r)) {
                batch->runs[run_of[columns->rows[r].series]].end++;
            }
        }
    }
    for (size_t i = 0; i < batch->n_runs; i++) {
        struct batch_run *run = &batch->runs[i];
        size_t count = run->end;
        run->first = run->end = n;
        n += count;
    }
    batch->n_rows = n;
    for (size_t t = 0; t < batch->n_tickets; t++) {
        const struct ingest_columns *columns = batch->tickets[t]->columns;
        const uint32_t *run_of = gathering->run_of + gathering->bases[t];
        for (size_t r = 0; r < columns->n_rows; r++) {
            if (is_wanted(gathering, columns, r)) {
                const struct ingest_row *row = &columns->rows[r];
                struct batch_run *run = &batch->runs[run_of[row->series]];
                batch->rows[run->end++] = (struct batch_row){
                    run->claim.tenant_id, run->claim.series->id,
                    columns->events[row->event].time_us, row->value, (uint32_t)t, (uint32_t)r,
                };
            }
        }
    }
}

static int compare_rows(const void *left, const void *right)
{
    const struct batch_row *a = left, *b = right;

    if (a->time_us != b->time_us) {
        return a->time_us < b->time_us ? -1 : 1;
    }
    if (a->ticket != b->ticket) {
        return a->ticket < b->ticket ? -1 : 1;
    }
    return (a->row > b->row) - (a->row < b->row);
}

static void sort_runs(struct ingest_batch *batch)
{
    for (size_t i = 0; i < batch->n_runs; i++) {
        const struct batch_run *run = &batch->runs[i];
        for (size_t r = run->first + 1; r < run->end; r++) {
            if (batch->rows[r].time_us < batch->rows[r - 1].time_us) {
                qsort(&batch->rows[run->first], run->end - run->first, sizeof *batch->rows,
                      compare_rows);
                break;
            }
        }
    }
}

/* An event goes with its samples: late where one of them is. Otherwise of two requests with the
 * same event one could find the event new and the other its samples. */
static bool is_late_event(const struct ingest_columns *columns, const struct ingest_event *event)
{
    if (event->is_late) {
        return true;
    }
    for (uint32_t i = 0; i < event->n_rows; i++) {
        uint8_t lane = columns->lanes[event->first_row + i];
        if (lane == INGEST_ROW_LATE || lane == INGEST_ROW_DONE) {
            return true;
        }
    }
    return false;
}

static void list_events(struct ingest_batch *batch, enum ingest_lane lane)
{
    batch->n_events = 0;
    for (size_t t = 0; t < batch->n_tickets; t++) {
        const struct ingest_columns *columns = batch->tickets[t]->columns;
        for (size_t e = 0; e < columns->n_events; e++) {
            const struct ingest_event *event = &columns->events[e];
            if (event->is_stored && !event->is_rejected &&
                is_late_event(columns, event) == (lane == LANE_LATE)) {
                batch->events[batch->n_events++] =
                    (struct batch_event){ (uint32_t)t, (uint32_t)e };
            }
        }
    }
}

enum err batch_gather(struct op *op, struct ingest_ticket *tickets, enum ingest_lane lane,
                      struct ingest_batch **out)
{
    struct ingest_batch *batch = arena_alloc(op->arena, sizeof *batch);
    struct gathering gathering = { .batch = batch, .lane = lane };

    if (!batch) {
        return fail_memory(op);
    }
    batch->op = op;
    if (!list_tickets(&gathering, tickets) || !make_runs(&gathering)) {
        return fail_memory(op);
    }
    place_rows(&gathering);
    sort_runs(batch);
    list_events(batch, lane);
    *out = batch;
    return OK;
}

static uint8_t *lane_of(const struct ingest_batch *batch, const struct batch_row *row)
{
    return &batch->tickets[row->ticket]->columns->lanes[row->row];
}

/* Leaves a row to the late lane; a start that is not known to be one is dropped. */
static void leave(struct ingest_batch *batch, const struct batch_row *row)
{
    uint8_t *lane = lane_of(batch, row);

    if (*lane == INGEST_ROW_START) {
        *lane = INGEST_ROW_NONE;
        return;
    }
    *lane = INGEST_ROW_LATE;
    batch->tickets[row->ticket]->n_late++;
}

static bool is_start(const struct ingest_batch *batch, const struct batch_row *row)
{
    const struct ingest_columns *columns = batch->tickets[row->ticket]->columns;

    return columns->events[columns->rows[row->row].event].is_start;
}

/* Whether a sender told a sample of the time of rows[at], among its run's rows[from … end - 1]. */
static bool is_told(const struct ingest_batch *batch, size_t at, size_t from, size_t end)
{
    const struct batch_row *rows = batch->rows;

    size_t first = at;

    while (first > from && batch_is_same_key(&rows[first - 1], &rows[at])) {
        first--;
    }
    for (size_t r = first; r < end && batch_is_same_key(&rows[r], &rows[at]); r++) {
        if (!is_start(batch, &rows[r])) {
            return true;
        }
    }
    return false;
}

/* False for the row of a start that is none: its series has come further, or has a sample of that
 * time. Another one is a row as others are from then on. */
static bool settle_start(const struct ingest_batch *batch, const struct series_claim *claim,
                         size_t at, size_t from, size_t end)
{
    const struct batch_row *row = &batch->rows[at];
    uint8_t *lane = lane_of(batch, row);

    if (*lane == INGEST_ROW_START) {
        bool is_due = row->time_us > claim->last_us && !is_told(batch, at, from, end);
        *lane = is_due ? INGEST_ROW_FAST : INGEST_ROW_NONE;
    }
    return *lane != INGEST_ROW_NONE;
}

static void leave_old_events(struct ingest_batch *batch, int64_t oldest_us)
{
    for (size_t i = 0; i < batch->n_events; i++) {
        struct ingest_ticket *ticket = batch->tickets[batch->events[i].ticket];
        struct ingest_event *event = &ticket->columns->events[batch->events[i].event];
        if (event->time_us < oldest_us && event->n_rows == 0) {
            event->is_late = true;
            ticket->n_late++;
        }
    }
}

void batch_split(struct ingest_batch *batch, struct series_cache *cache, int64_t oldest_us)
{
    struct series_claim *claims =
        arena_array(batch->op->arena, batch->n_runs + 1, sizeof *claims);
    size_t kept = 0;
    size_t n = 0;

    if (!claims) {
        batch_leave_rows(batch);
        return;
    }
    for (size_t i = 0; i < batch->n_runs; i++) {
        struct batch_run *run = &batch->runs[i];
        if (run->first < run->end) {
            run->claim.newest_us = batch->rows[run->end - 1].time_us;
            claims[n++] = run->claim;
        }
    }
    series_cache_claim(cache, claims, n);
    n = 0;
    for (size_t i = 0; i < batch->n_runs; i++) {
        struct batch_run *run = &batch->runs[i];
        size_t from = run->first;
        size_t end = run->end;
        run->first = kept;
        if (from < end) {
            run->claim.last_us = claims[n++].last_us;
        }
        for (size_t r = from; r < end; r++) {
            if (!settle_start(batch, &run->claim, r, from, end)) {
                continue;
            }
            if (batch->rows[r].time_us <= run->claim.last_us ||
                batch->rows[r].time_us < oldest_us) {
                leave(batch, &batch->rows[r]);
            } else {
                batch->rows[kept++] = batch->rows[r];
            }
        }
        run->end = kept;
    }
    batch->n_rows = kept;
    leave_old_events(batch, oldest_us);
    list_events(batch, LANE_FAST);
}

void batch_leave_rows(struct ingest_batch *batch)
{
    for (size_t r = 0; r < batch->n_rows; r++) {
        leave(batch, &batch->rows[r]);
    }
    batch->n_rows = 0;
    batch->n_runs = 0;
    list_events(batch, LANE_FAST);
}

void batch_leave_all(struct ingest_batch *batch)
{
    leave_old_events(batch, INT64_MAX);
    batch_leave_rows(batch);
}

int64_t batch_day_of(int64_t time_us)
{
    int64_t day = time_us / US_PER_DAY;

    return day - (time_us % US_PER_DAY < 0);
}

static int compare_by_day(const void *left, const void *right)
{
    const struct batch_row *a = left, *b = right;
    int64_t day_a = batch_day_of(a->time_us), day_b = batch_day_of(b->time_us);

    if (day_a != day_b) {
        return day_a < day_b ? -1 : 1;
    }
    if (a->tenant_id != b->tenant_id) {
        return a->tenant_id < b->tenant_id ? -1 : 1;
    }
    if (a->series_id != b->series_id) {
        return a->series_id < b->series_id ? -1 : 1;
    }
    return compare_rows(left, right);
}

/* By day and arrival. */
struct dated_event {
    struct batch_event event;
    int64_t day;
};

static int compare_dated(const void *left, const void *right)
{
    const struct dated_event *a = left, *b = right;

    if (a->day != b->day) {
        return a->day < b->day ? -1 : 1;
    }
    if (a->event.ticket != b->event.ticket) {
        return a->event.ticket < b->event.ticket ? -1 : 1;
    }
    return (a->event.event > b->event.event) - (a->event.event < b->event.event);
}

/* Without memory they stay as they are, which makes more transactions. */
static void sort_events(struct ingest_batch *batch)
{
    struct dated_event *dated =
        arena_array(batch->op->arena, batch->n_events + 1, sizeof *dated);

    for (size_t i = 0; dated && i < batch->n_events; i++) {
        dated[i] = (struct dated_event){ batch->events[i],
                                         batch_day_of(batch_event_time(batch, i)) };
    }
    if (dated) {
        qsort(dated, batch->n_events, sizeof *dated, compare_dated);
    }
    for (size_t i = 0; dated && i < batch->n_events; i++) {
        batch->events[i] = dated[i].event;
    }
}

void batch_sort_by_day(struct ingest_batch *batch)
{
    sort_events(batch);
    for (size_t r = 1; r < batch->n_rows; r++) {
        if (batch_day_of(batch->rows[r].time_us) != batch_day_of(batch->rows[0].time_us)) {
            qsort(batch->rows, batch->n_rows, sizeof *batch->rows, compare_by_day);
            return;
        }
    }
}

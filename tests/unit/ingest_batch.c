/* A batch's order and its split into lanes; what failures mean; how the one bad request among
 * many is found. */
#include "ingest_test.h"

#include "ingest/batch.h"
#include "ingest/judge.h"

/* ---- gathering ---- */

struct fixture {
    struct ingest_test *test;
    struct series_cache *cache;
};

/* A resolved, sealed ticket of the events in `body`; a device's number is `first_id`, its series
 * count from ten times that. Tickets are linked through `next`. */
static struct ingest_ticket *ticket_of(struct fixture *fixture, int32_t tenant_id, int32_t first_id,
                                       const char *body, struct ingest_ticket *next)
{
    struct ingest_test *test = fixture->test;
    struct ingest_ticket *ticket = arena_alloc(test->arena, sizeof *ticket);
    struct ingest_columns *columns;

    if (ingest_test_parse(test, &ingest_format_events, "", str_of(body), &columns) ||
        columns_seal(columns)) {
        printf("Bail out! %s\n", test->op.fault.detail);
        exit(1);
    }
    for (size_t i = 0; i < columns->n_devices; i++) {
        columns->devices[i].id = first_id + (int32_t)i;
    }
    for (size_t i = 0; i < columns->n_series; i++) {
        struct ingest_series *series = &columns->series[i];
        series->id = 10 * columns->devices[series->device].id + (series->metric.ptr[0] - 'a');
    }
    *ticket = (struct ingest_ticket){ .columns = columns, .tenant_id = tenant_id, .next = next };
    return ticket;
}

/* "tenant/series@second=value" of each row. */
static const char *rows_of(struct ingest_test *test, const struct ingest_batch *batch)
{
    struct buf out;

    buf_init(&out, test->arena, 1u << 16);
    for (size_t i = 0; i < batch->n_rows; i++) {
        const struct batch_row *row = &batch->rows[i];
        buf_printf(&out, "%s%d/%d@%lld=%g", i ? " " : "", row->tenant_id, row->series_id,
                   (long long)((row->time_us - NOW_US) / US_PER_SECOND), row->value);
    }
    return arena_copy(test->arena, buf_str(&out));
}

#define AT(device, second, metrics) \
    "{\"device\":\"" device "\",\"time\":" second ",\"metrics\":{" metrics "}}"
#define STORED(device, second, metrics) \
    "{\"type\":\"t\",\"device\":\"" device "\",\"time\":" second ",\"metrics\":{" metrics "}}"

static void test_order(struct fixture *fixture)
{
    struct ingest_test *test = fixture->test;
    struct ingest_ticket *second =
        ticket_of(fixture, 1, 5, "[" AT("d", "1795176001", "\"a\":7") "," AT("e", "1795175000", "\"a\":8") "]",
                  NULL);
    struct ingest_ticket *first =
        ticket_of(fixture, 2, 3, "[" AT("x", "1795176002", "\"b\":1,\"a\":2") ","
                  AT("x", "1795176001", "\"a\":3") "," AT("x", "1795176002", "\"a\":4") "]", second);
    struct ingest_ticket *third = ticket_of(fixture, 1, 5, "[" AT("d", "1795175999", "\"a\":9") "]", NULL);
    struct ingest_batch *batch;

    second->next = third;
    ok(batch_gather(&test->op, first, LANE_FAST, &batch) == OK, "three requests of two tenants");
    is_str(rows_of(test, batch),
           "1/50@-1=9 1/50@1=7 1/60@-1000=8 2/30@1=3 2/30@2=2 2/30@2=4 2/31@2=1",
           "rows are in the order of the key, repeats in that of arrival");
    is_int((int64_t)batch->n_runs, 4, "of four series");
    is_int((int64_t)batch->n_events, 0, "plain telemetry makes no event");
}

static void test_split(struct fixture *fixture)
{
    struct ingest_test *test = fixture->test;
    struct ingest_ticket *ticket = ticket_of(
        fixture, 1, 5, "[" AT("d", "1795176001", "\"a\":1") "," STORED("d", "1795176002", "\"a\":2,\"b\":3") ","
        STORED("d", "1795176003", "\"a\":4") "," "{\"type\":\"t\",\"device\":\"d\"}]", NULL);
    const struct ingest_columns *columns = ticket->columns;
    struct ingest_batch *batch;

    series_cache_put_series(fixture->cache, 1, 5, &columns->series[0], NOW_US + 2 * US_PER_SECOND);
    series_cache_put_series(fixture->cache, 1, 5, &columns->series[1], INT64_MIN);
    ok(batch_gather(&test->op, ticket, LANE_FAST, &batch) == OK, "a series that is at second 2");
    is_int((int64_t)batch->n_events, 3, "three events of their own");
    batch_split(batch, fixture->cache, INT64_MIN);
    is_str(rows_of(test, batch), "1/50@3=4 1/51@2=3", "what is newer stays in the fast lane");
    is_int((int64_t)batch->n_events, 2, "with the events that have no late sample");
    is_int((int64_t)ticket->n_late, 2, "two rows are left");
    ok(batch_gather(&test->op, ticket, LANE_LATE, &batch) == OK, "the late lane gathers");
    is_str(rows_of(test, batch), "1/50@1=1 1/50@2=2", "  those");
    is_int((int64_t)batch->n_events, 1, "  and their event");

    struct ingest_ticket *again =
        ticket_of(fixture, 1, 5, "[" AT("d", "1795176003", "\"a\":5") "," AT("d", "1795176004", "\"a\":6") "]", NULL);
    ok(batch_gather(&test->op, again, LANE_FAST, &batch) == OK, "another batch of that series");
    batch_split(batch, fixture->cache, INT64_MIN);
    is_str(rows_of(test, batch), "1/50@4=6", "has nothing of what the first one claimed");
    batch_leave_all(batch);
    is_int((int64_t)again->n_late, 2, "leaving all leaves the rest too");
    is_int((int64_t)batch->n_rows, 0, "and an empty batch");

    again = ticket_of(fixture, 1, 99, "[" AT("z", "1795176003", "\"a\":5") "]", NULL);
    ok(batch_gather(&test->op, again, LANE_FAST, &batch) == OK, "a series that the cache forgot");
    batch_split(batch, fixture->cache, INT64_MIN);
    is_int((int64_t)again->n_late, 1, "is late: nobody knows how far it has come");
}

/* A ticket of one series, 50, which its sender says to count since `start`, a second; its newest sample
 * is at `last`. */
static struct ingest_ticket *counter_of(struct fixture *fixture, const char *body, int64_t start, int64_t last)
{
    struct ingest_ticket *ticket = ticket_of(fixture, 1, 5, body, NULL);
    struct ingest_series *series = &ticket->columns->series[0];

    series->start_us = NOW_US + start * US_PER_SECOND;
    series->last_us = last == INT64_MIN ? last : NOW_US + last * US_PER_SECOND;
    if (columns_add_starts(ticket->columns)) {
        printf("Bail out! %s\n", fixture->test->op.fault.detail);
        exit(1);
    }
    return ticket;
}

/* The cache knows the series as having come to the second `last`. */
static void put_anew(struct fixture *fixture, const struct ingest_series *series, int64_t last)
{
    struct ingest_series other = *series;

    other.id++;
    series_cache_put_series(fixture->cache, 1, 5, &other, INT64_MIN);
    series_cache_put_series(fixture->cache, 1, 5, series, NOW_US + last * US_PER_SECOND);
}

static const char *split_of(struct fixture *fixture, struct ingest_ticket *tickets)
{
    struct ingest_batch *batch;

    if (batch_gather(&fixture->test->op, tickets, LANE_FAST, &batch)) {
        return "not gathered";
    }
    batch_split(batch, fixture->cache, INT64_MIN);
    return rows_of(fixture->test, batch);
}

#define COUNTER "[" AT("c", "1795176009", "\"a\":7") "]"

static void test_starts(struct fixture *fixture)
{
    struct ingest_ticket *ticket = counter_of(fixture, COUNTER, 5, INT64_MIN);
    const struct ingest_series series = ticket->columns->series[0];

    series_cache_put_series(fixture->cache, 1, 5, &series, INT64_MIN);
    is_str(split_of(fixture, ticket), "1/50@9=7", "a counter of which nothing was known has not begun anew");
    is_int((int64_t)counter_of(fixture, COUNTER, 5, 5)->columns->n_rows, 1, "nor one that was told at its start");

    put_anew(fixture, &series, 2);
    struct ingest_ticket *first = counter_of(fixture, COUNTER, 5, 2);
    struct ingest_ticket *second = counter_of(fixture, "[" AT("c", "1795176011", "\"a\":9") "]", 5, 2);
    first->next = second;
    is_str(split_of(fixture, first), "1/50@5=0 1/50@5=0 1/50@9=7 1/50@11=9",
           "one that began later was 0 then, whoever says so");
    ticket = counter_of(fixture, "[" AT("c", "1795176013", "\"a\":11") "]", 5, 2);
    is_str(split_of(fixture, ticket), "1/50@13=11", "but for who comes behind those that said so");
    is_int((int64_t)ticket->n_late, 0, "  and leaves nothing to the late lane");
    is_str(split_of(fixture, first), "", "what was claimed and comes again, of a batch in which one is no good,");
    is_int((int64_t)first->n_late, 2, "  is late with its start");

    put_anew(fixture, &series, 2);
    ticket = counter_of(fixture, "[" AT("c", "1795176009", "\"a\":7") "," AT("c", "1795176005", "\"a\":6") "]",
                        5, 2);
    is_str(split_of(fixture, ticket), "1/50@5=6 1/50@9=7", "a sample of the start's own time goes before it");

    put_anew(fixture, &series, 2);
    ticket = counter_of(fixture, COUNTER, 5, 2);
    is_str(split_of(fixture, ticket), "1/50@5=0 1/50@9=7", "a restart that could not be stored");
    series_cache_forget_starts(fixture->cache, 1, ticket->columns);
    ticket->columns->series[0].id = 0;
    is_int((int64_t)series_cache_find_series(fixture->cache, 1, ticket->columns), 1,
           "  is asked for anew when it comes again");
}

/* Of a new series, and of events without samples. */
static void test_old(struct fixture *fixture)
{
    struct ingest_test *test = fixture->test;
    struct ingest_ticket *ticket = ticket_of(
        fixture, 1, 77, "[" AT("o", "1795089601", "\"a\":1") "," AT("o", "1795176001", "\"a\":2") ","
        "{\"type\":\"t\",\"device\":\"o\",\"time\":1795089601},"
        "{\"type\":\"t\",\"device\":\"o\",\"time\":1795176001}]", NULL);
    struct ingest_batch *batch;

    series_cache_put_series(fixture->cache, 1, 77, &ticket->columns->series[0], INT64_MIN);
    ok(batch_gather(&test->op, ticket, LANE_FAST, &batch) == OK, "a new series, of yesterday and now");
    batch_split(batch, fixture->cache, NOW_US - US_PER_DAY / 2);
    is_str(rows_of(test, batch), "1/770@1=2", "what is old leaves the fast lane");
    is_int((int64_t)batch->n_events, 1, "  with old events");
    is_int((int64_t)ticket->n_late, 2, "both are counted");
    ok(batch_gather(&test->op, ticket, LANE_LATE, &batch) == OK, "the late lane gathers");
    is_int((int64_t)batch->n_rows, 1, "  the row");
    is_int((int64_t)batch->n_events, 1, "  and the event");
    ticket->columns->lanes[batch->rows[0].row] = INGEST_ROW_DONE;
    ok(batch_gather(&test->op, ticket, LANE_LATE, &batch) == OK, "and once more");
    is_int((int64_t)batch->n_rows, 0, "  what is not written yet");
}

static void test_days(struct fixture *fixture)
{
    struct ingest_test *test = fixture->test;
    struct ingest_ticket *ticket = ticket_of(
        fixture, 1, 5, "[" AT("d", "1795176001", "\"b\":1,\"a\":2") "," AT("d", "1795089601", "\"b\":3,\"a\":4") "]",
        NULL);
    struct ingest_batch *batch;

    ok(batch_gather(&test->op, ticket, LANE_FAST, &batch) == OK, "samples of two days");
    batch_sort_by_day(batch);
    is_str(rows_of(test, batch), "1/50@-86399=4 1/51@-86399=3 1/50@1=2 1/51@1=1",
           "can be ordered by day, then by key");
    is_int(batch_day_of(-1), -1, "the day before 1970 is -1");
    is_int(batch_day_of(-US_PER_DAY), -1, "  from its start");
    is_int(batch_day_of(US_PER_DAY - 1), 0, "and the first one 0 to its end");
}

static void test_rejected(struct fixture *fixture)
{
    struct ingest_test *test = fixture->test;
    struct ingest_ticket *ticket = ticket_of(
        fixture, 1, 5, "[" STORED("d", "1795176001", "\"a\":1") "," STORED("e", "1795176001", "\"a\":2") "]", NULL);
    struct ingest_batch *batch;

    ticket->columns->devices[1].id = 0;
    ticket->columns->series[1].id = 0;
    columns_reject_event(ticket->columns, &ticket->columns->events[1], "device", "gone");
    columns_reject_event(ticket->columns, &ticket->columns->events[1], "device", "gone twice");
    is_int(ticket->columns->n_rejected, 1, "an event is rejected once");
    ok(batch_gather(&test->op, ticket, LANE_FAST, &batch) == OK, "a rejected event in a request");
    is_str(rows_of(test, batch), "1/50@1=1", "leaves no row");
    is_int((int64_t)batch->n_events, 1, "and no event");
}

/* ---- verdicts ---- */

static const struct {
    const char *sqlstate;
    enum err err;
    enum write_verdict verdict;
} verdicts[] = {
    { "", OK, WRITE_DONE },
    { "", ERR_UNAVAILABLE, WRITE_RETRY },
    { "", ERR_INTERNAL, WRITE_POISONED },
    { "40P01", ERR_UNAVAILABLE, WRITE_RETRY },
    { "40001", ERR_UNAVAILABLE, WRITE_RETRY },
    { "08006", ERR_UNAVAILABLE, WRITE_RETRY },
    { "57P01", ERR_UNAVAILABLE, WRITE_RETRY },
    { "57P03", ERR_UNAVAILABLE, WRITE_RETRY },
    { "57014", ERR_UNAVAILABLE, WRITE_RETRY },
    { "55P03", ERR_UNAVAILABLE, WRITE_RETRY },
    { "53100", ERR_INTERNAL, WRITE_RETRY },
    { "25006", ERR_INTERNAL, WRITE_RETRY },
    { "23505", ERR_CONFLICT, WRITE_LATE },
    { "23514", ERR_INVALID, WRITE_PARTITION },
    { "23503", ERR_INVALID, WRITE_POISONED },
    { "22003", ERR_INVALID, WRITE_POISONED },
    { "22P02", ERR_INVALID, WRITE_POISONED },
    { "42501", ERR_INTERNAL, WRITE_REFUSED },
    { "42883", ERR_INTERNAL, WRITE_REFUSED },
    { "3F000", ERR_INTERNAL, WRITE_REFUSED },
    { "XX000", ERR_INTERNAL, WRITE_POISONED },
};

static void test_verdicts(void)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof *verdicts; i++) {
        is_int(judge_write(verdicts[i].err, verdicts[i].sqlstate), verdicts[i].verdict,
               "the verdict on '%s'", verdicts[i].sqlstate);
    }
    is_int(judge_request("22P05").code, ERR_INVALID, "a value that cannot be held is the client's");
    is_int(judge_request("23503").code, ERR_CHANGING, "a device that vanished is nobody's");
    is_int(judge_write(ERR_UNAVAILABLE, "TM503"), WRITE_POISONED,
           "what a function of ours puts off is split off, as the others can be written");
    is_int(judge_request("TM503").code, ERR_UNAVAILABLE, "and is to be sent again");
    is_int(judge_request("XX000").code, ERR_INTERNAL, "anything else is ours");
}

/* ---- bisection ---- */

#define MAX_TICKETS 64

struct sink {
    uint64_t poison;      /* bit per ticket */
    int down_after;       /* attempts until the database is away; -1: never */
    int n_attempts, n_written, n_given_up, n_away;
    bool is_wrong;        /* a poisoned one was written, or a good one given up */
    const struct ingest_ticket *base;
};

static bool is_poison(const struct sink *sink, const struct ingest_ticket *ticket)
{
    return sink->poison >> (ticket - sink->base) & 1;
}

static enum write_verdict try_sink(void *context, struct ingest_ticket *tickets)
{
    struct sink *sink = context;
    int n = 0;
    bool has_poison = false;

    for (struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
        n++;
        has_poison = has_poison || is_poison(sink, ticket);
    }
    if (sink->n_attempts++ == sink->down_after) {
        sink->down_after = sink->n_attempts;
        sink->n_away += n;
        return WRITE_RETRY;
    }
    if (has_poison) {
        return WRITE_POISONED;
    }
    sink->n_written += n;
    return WRITE_DONE;
}

static void give_up_sink(void *context, struct ingest_ticket *ticket)
{
    struct sink *sink = context;

    sink->n_given_up++;
    sink->is_wrong = sink->is_wrong || !is_poison(sink, ticket);
}

static void test_bisect(void)
{
    static const struct {
        const char *says;
        int n;
        uint64_t poison;
        int down_after, n_written, n_given_up, max_attempts;
    } cases[] = {
        { "a good batch", 10, 0, -1, 10, 0, 1 },
        { "one ticket, poisoned", 1, 1, -1, 0, 1, 1 },
        { "the first of many", 64, 1, -1, 63, 1, 13 },
        { "the last of many", 64, UINT64_C(1) << 63, -1, 63, 1, 13 },
        { "one in the middle of an odd number", 37, 1u << 18, -1, 36, 1, 13 },
        { "two far apart", 64, 1 | UINT64_C(1) << 40, -1, 62, 2, 25 },
        { "two beside each other", 2, 3, -1, 0, 2, 3 },
        { "all of them", 8, 255, -1, 0, 8, 15 },
        { "one, and the database goes away", 8, 1, 2, 0, 0, 7 },
    };
    struct ingest_ticket tickets[MAX_TICKETS];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sink sink = { .poison = cases[i].poison, .down_after = cases[i].down_after,
                             .base = tickets };
        const struct judge_bisect bisect = { try_sink, give_up_sink, &sink };
        int n_linked = 0;
        memset(tickets, 0, sizeof tickets);
        for (int t = 0; t + 1 < cases[i].n; t++) {
            tickets[t].next = &tickets[t + 1];
        }
        judge_bisect(&bisect, tickets);
        if (cases[i].down_after < 0) {
            is_int(sink.n_written, cases[i].n_written, "%s: the good ones are written", cases[i].says);
            is_int(sink.n_given_up, cases[i].n_given_up, "  the bad ones are given up");
        }
        is_int(sink.n_written + sink.n_given_up + sink.n_away, cases[i].n, "  each ticket has its end");
        ok(sink.n_attempts <= cases[i].max_attempts, "  in %d attempts", sink.n_attempts);
        ok(!sink.is_wrong, "  and none wrongly");
        for (const struct ingest_ticket *ticket = tickets; ticket; ticket = ticket->next) {
            n_linked++;
        }
        is_int(n_linked, cases[i].n, "  the list is whole again");
    }
}

int main(void)
{
    struct ingest_test test;
    struct fixture fixture = { &test, series_cache_new(1000) };

    ingest_test_open(&test);
    test_order(&fixture);
    test_split(&fixture);
    test_starts(&fixture);
    test_old(&fixture);
    test_days(&fixture);
    test_rejected(&fixture);
    test_verdicts();
    test_bisect();
    series_cache_free(fixture.cache);
    ingest_test_close(&test);
    return done_testing();
}

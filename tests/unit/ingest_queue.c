/* The queue with threads at both ends: everything that goes in comes out once, batches keep
 * their limits and keep pace, late work waits for what it depends on, a full and a closed queue
 * refuse. */
#include "ingest_test.h"

#include "base/clock.h"
#include "ingest/queue.h"

#include <stdatomic.h>

#define SENDERS 8
#define TICKETS_EACH 2000

/* A ticket of `n` rows that no writer looks at. */
static void ticket_make(struct ingest_ticket *ticket, struct ingest_columns *columns, size_t n)
{
    columns->n_rows = n;
    *ticket = (struct ingest_ticket){ .columns = columns, .tenant_id = 1, .bytes = n * 100 };
}

static void ticket_of(struct ingest_test *test, struct ingest_ticket *ticket, int32_t tenant_id,
                      size_t n)
{
    ticket_make(ticket, columns_new(&test->op, &test->rules), n);
    ticket->tenant_id = tenant_id;
}

struct crowd {
    struct ingest_queue *queue;
    struct ingest_rules rules;
    _Atomic int n_done, n_late_done, n_taken, n_oversized, n_out_of_turn;
    _Atomic uint64_t last_finished; /* not exact: a witness */
};

static void *send_tickets(void *argument)
{
    struct crowd *crowd = argument;
    struct ingest_test test = { .arena = arena_new(1u << 20) };
    struct ingest_ticket ticket;

    for (int i = 0; i < TICKETS_EACH; i++) {
        ingest_test_reset(&test);
        ticket_make(&ticket, columns_new(&test.op, &crowd->rules), (size_t)(i % 50 + 1));
        if (ingest_queue_push(crowd->queue, &ticket)) {
            break;
        }
        ingest_queue_wait(crowd->queue, &ticket);
        atomic_fetch_add(&crowd->n_done, ticket.result == OK);
    }
    ingest_test_close(&test);
    return NULL;
}

static void *write_fast(void *argument)
{
    struct crowd *crowd = argument;
    struct ingest_ticket *batch;
    unsigned n = 0;

    while ((batch = ingest_queue_take(crowd->queue, LANE_FAST)) != NULL) {
        size_t rows = 0;
        for (struct ingest_ticket *ticket = batch; ticket; ticket = ticket->next) {
            ticket->n_late = n++ % 3 == 0;
            rows += ticket->columns->n_rows;
            atomic_fetch_add(&crowd->n_taken, 1);
        }
        atomic_fetch_add(&crowd->n_oversized, rows > BATCH_MAX_ROWS);
        ingest_queue_finish(crowd->queue, LANE_FAST, batch);
    }
    return NULL;
}

static void *write_late(void *argument)
{
    struct crowd *crowd = argument;
    struct ingest_ticket *batch;

    while ((batch = ingest_queue_take(crowd->queue, LANE_LATE)) != NULL) {
        for (struct ingest_ticket *ticket = batch; ticket; ticket = ticket->next) {
            atomic_fetch_add(&crowd->n_out_of_turn, ticket->after < ticket->batch);
            atomic_fetch_add(&crowd->n_late_done, 1);
        }
        ingest_queue_finish(crowd->queue, LANE_LATE, batch);
    }
    return NULL;
}

static pthread_t start(void *(*run)(void *argument), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, argument) != 0) {
        printf("Bail out! no thread\n");
        exit(1);
    }
    return thread;
}

static void test_crowd(const struct ingest_test *test)
{
    struct crowd crowd = { .queue = ingest_queue_new(QUEUE_MAX_BYTES), .rules = test->rules };
    pthread_t senders[SENDERS], writers[3];

    writers[0] = start(write_fast, &crowd);
    writers[1] = start(write_fast, &crowd);
    writers[2] = start(write_late, &crowd);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = start(send_tickets, &crowd);
    }
    for (int i = 0; i < SENDERS; i++) {
        (void)pthread_join(senders[i], NULL);
    }
    ok(ingest_queue_drain(crowd.queue, clock_monotonic_us()), "at the end nothing is waiting");
    ingest_queue_close(crowd.queue);
    for (int i = 0; i < 3; i++) {
        (void)pthread_join(writers[i], NULL);
    }
    is_int(crowd.n_done, SENDERS * TICKETS_EACH, "every ticket is done");
    is_int(crowd.n_taken, SENDERS * TICKETS_EACH, "each was taken once");
    ok(crowd.n_late_done >= SENDERS * TICKETS_EACH / 3 - 3, "those with late rows a second time");
    is_int(crowd.n_oversized, 0, "no batch was over its limit");
    is_int(crowd.n_out_of_turn, 0, "late work waits for its own batch at least");
    ingest_queue_free(crowd.queue);
    ingest_queue_free(NULL);
}

/* ---- step by step, with one thread ---- */

static size_t length_of(const struct ingest_ticket *tickets)
{
    size_t n = 0;

    for (; tickets; tickets = tickets->next) {
        n++;
    }
    return n;
}

static void test_limits(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(100000);
    struct ingest_ticket tickets[4], whole;

    for (int i = 0; i < 4; i++) {
        ticket_of(test, &tickets[i], i + 1, 300);
    }
    ok(!ingest_queue_push(queue, &tickets[0]) && !ingest_queue_push(queue, &tickets[1]) &&
           !ingest_queue_push(queue, &tickets[2]), "three tenants' requests fit");
    is_int(ingest_queue_push(queue, &tickets[3]), ERR_UNAVAILABLE, "a fourth does not: 503");
    is_int((int64_t)ingest_queue_count(queue).refused, 1, "  which is counted");
    struct ingest_ticket *batch = ingest_queue_take(queue, LANE_FAST);
    is_int((int64_t)length_of(batch), 3, "a free writer takes all that waits");
    is_int(ingest_queue_push(queue, &tickets[3]), ERR_UNAVAILABLE,
           "being written is still waiting");
    ingest_queue_finish(queue, LANE_FAST, batch);
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 0, "until it is done");
    for (int i = 0; i < 3; i++) {
        ingest_queue_wait(queue, &tickets[i]);
    }

    ticket_make(&whole, columns_new(&test->op, &test->rules), 1u << 20);
    ok(!ingest_queue_push(queue, &whole), "a request larger than the queue is taken when it is empty");
    batch = ingest_queue_take(queue, LANE_FAST);
    is_int((int64_t)length_of(batch), 1, "  as a batch of its own");
    ingest_queue_finish(queue, LANE_FAST, batch);
    ingest_queue_wait(queue, &whole);

    ok(!ingest_queue_push(queue, &tickets[0]), "one more");
    ingest_queue_close(queue);
    is_int(ingest_queue_push(queue, &tickets[1]), ERR_UNAVAILABLE, "a closed queue refuses");
    ok(!ingest_queue_drain(queue, clock_monotonic_us()), "  and is not drained yet");
    batch = ingest_queue_take(queue, LANE_FAST);
    is_int((int64_t)length_of(batch), 1, "  what is in it is still taken");
    ingest_queue_finish(queue, LANE_FAST, batch);
    ok(ingest_queue_drain(queue, clock_monotonic_us()), "  then it is drained");
    ok(!ingest_queue_take(queue, LANE_FAST) && !ingest_queue_take(queue, LANE_LATE),
       "  and there is no more work");
    ingest_queue_wait(queue, &tickets[0]);
    ingest_queue_free(queue);
}

/* ---- how large batches are ---- */

#define PACE_ROWS 300
#define PACE_MANY (BATCH_MAX_ROWS / PACE_ROWS) /* requests that fill the largest batch */
#define PACE_FEW (BATCH_LEAST_ROWS / PACE_ROWS) /* and the smallest one */

/* How many of `n` requests that wait the first batch takes, which then takes so long, or is held up;
 * the others follow at once. */
static size_t first_batch(struct ingest_test *test, struct ingest_queue *queue, int n, int64_t ms, bool is_held_up)
{
    static struct ingest_ticket tickets[PACE_MANY];
    size_t n_first = 0, n_waiting = 0;

    ingest_test_reset(test);
    for (int i = 0; i < n; i++) {
        ticket_of(test, &tickets[i], 1, PACE_ROWS);
        n_waiting += ingest_queue_push(queue, &tickets[i]) == OK;
    }
    while (n_waiting > 0) {
        struct ingest_ticket *batch = ingest_queue_take(queue, LANE_FAST);
        n_waiting -= length_of(batch);
        if (n_first == 0) {
            n_first = length_of(batch);
            batch->is_held_up = is_held_up;
            (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
        }
        ingest_queue_finish(queue, LANE_FAST, batch);
    }
    return n_first;
}

/* Batches get smaller when writing is slow, and larger when it no longer is. */
static void test_pace(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(SIZE_MAX);

    first_batch(test, queue, PACE_FEW + 1, 80, true);
    is_int((int64_t)first_batch(test, queue, PACE_MANY, 0, false), PACE_MANY,
           "a batch that took more than one attempt says nothing of the pace");
    first_batch(test, queue, PACE_FEW + 1, 300, false);
    is_int((int64_t)first_batch(test, queue, PACE_MANY, 0, false), PACE_FEW, "after a stall batches are small");
    for (int i = 0; i < 10; i++) {
        first_batch(test, queue, PACE_MANY, 0, false);
    }
    is_int((int64_t)first_batch(test, queue, PACE_MANY, 0, false), PACE_MANY, "and large again soon");
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* How many tickets of the tenant a batch holds, in the order in which they were made. */
static size_t count_of(const struct ingest_ticket *batch, int32_t tenant_id, bool *is_ordered)
{
    const struct ingest_ticket *before = NULL;
    size_t n = 0;

    for (; batch; batch = batch->next) {
        if (batch->tenant_id == tenant_id) {
            *is_ordered &= !before || before < batch;
            before = batch;
            n++;
        }
    }
    return n;
}

#define FLOOD 30
#define FLOOD_ROWS (BATCH_MAX_ROWS / 3 - 5) /* three fit into a batch, and then nothing else */

/* One tenant's large requests are there first; the others' small ones come later, and are all in
 * the first batch. */
static void test_round(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(SIZE_MAX);
    static struct ingest_ticket flood[FLOOD], small[40];
    bool is_ordered = true;
    size_t n_flood = 0, n_small = 0;
    int n_pushed = 0, n_batches = 0;

    for (int i = 0; i < FLOOD; i++) {
        ticket_of(test, &flood[i], 1, FLOOD_ROWS);
        n_pushed += ingest_queue_push(queue, &flood[i]) == OK;
    }
    for (int i = 0; i < 40; i++) {
        ticket_of(test, &small[i], 2 + i % 8, 3);
        n_pushed += ingest_queue_push(queue, &small[i]) == OK;
    }
    is_int(n_pushed, FLOOD + 40, "large requests of one tenant, then small ones of eight");
    while (n_flood + n_small < FLOOD + 40) {
        struct ingest_ticket *batch = ingest_queue_take(queue, LANE_FAST);
        for (int32_t tenant = 2; tenant < 10; tenant++) {
            n_small += count_of(batch, tenant, &is_ordered);
        }
        n_flood += count_of(batch, 1, &is_ordered);
        if (++n_batches == 1) {
            is_int((int64_t)n_small, 40, "the first batch has everybody's");
            is_int((int64_t)n_flood, 2, "  and of the flood what else fits");
        }
        ingest_queue_finish(queue, LANE_FAST, batch);
    }
    ok(is_ordered, "each tenant's requests keep their order");
    is_int(n_batches, 1 + (FLOOD - 2 + 2) / 3, "and batches are as full as they can be");
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* A request that is larger than what small ones leave of a batch is not passed over for ever. */
static void test_large_one(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(SIZE_MAX);
    static struct ingest_ticket many[3][100];
    struct ingest_ticket large;
    bool is_ordered = true;
    int n_pushed = 0, n_batches = 0;

    ticket_of(test, &large, 50, BATCH_MAX_ROWS - 10);
    for (int tenant = 0; tenant < 3; tenant++) {
        for (int i = 0; i < 100; i++) {
            ticket_of(test, &many[tenant][i], tenant + 1, 1000);
            n_pushed += ingest_queue_push(queue, &many[tenant][i]) == OK;
        }
    }
    is_int(n_pushed, 300, "three tenants send much");
    ok(!ingest_queue_push(queue, &large), "and one that nearly fills a batch, of another");
    for (;;) {
        struct ingest_ticket *batch = ingest_queue_take(queue, LANE_FAST);
        size_t n = count_of(batch, 50, &is_ordered);
        n_batches++;
        ingest_queue_finish(queue, LANE_FAST, batch);
        if (n) {
            break;
        }
    }
    is_int(n_batches, 2, "it begins the next batch");
    ingest_queue_close(queue);
    while (ingest_queue_count(queue).waiting) {
        ingest_queue_finish(queue, LANE_FAST, ingest_queue_take(queue, LANE_FAST));
    }
    ingest_queue_free(queue);
}

/* Two batches at work, the first with a late row: the late lane must wait for both. */
static void test_turns(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(QUEUE_MAX_BYTES);
    struct ingest_ticket first, second;

    ticket_make(&first, columns_new(&test->op, &test->rules), SECOND_WRITER_ROWS);
    ticket_make(&second, columns_new(&test->op, &test->rules), SECOND_WRITER_ROWS);
    ok(!ingest_queue_push(queue, &first), "a batch");
    struct ingest_ticket *one = ingest_queue_take(queue, LANE_FAST);
    ok(!ingest_queue_push(queue, &second), "and another, at work at the same time");
    struct ingest_ticket *two = ingest_queue_take(queue, LANE_FAST);
    first.n_late = 1;
    ingest_queue_finish(queue, LANE_FAST, one);
    is_int((int64_t)ingest_queue_count(queue).waiting, 2, "the first has late rows: it is not done");
    ok(first.after >= second.batch, "it goes on when the second is finished");
    ingest_queue_finish(queue, LANE_FAST, two);
    struct ingest_ticket *late = ingest_queue_take(queue, LANE_LATE);
    ok(late == &first && !late->next, "then the late lane gets it");
    ingest_queue_finish(queue, LANE_LATE, late);
    ingest_queue_wait(queue, &first);
    ingest_queue_wait(queue, &second);

    ticket_make(&first, columns_new(&test->op, &test->rules), 1);
    ok(!ingest_queue_push(queue, &first), "a batch that fails");
    one = ingest_queue_take(queue, LANE_FAST);
    first.n_late = 1;
    first.result = ERR_UNAVAILABLE;
    ingest_queue_finish(queue, LANE_FAST, one);
    ingest_queue_wait(queue, &first);
    is_int((int64_t)ingest_queue_count(queue).waiting, 0, "  is done, whatever it left");
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* A batch of `n` requests goes through. */
static void pass_on(struct ingest_test *test, struct ingest_queue *queue, int n)
{
    struct ingest_ticket tickets[4];
    int n_pushed = 0, n_taken = 0;

    for (int i = 0; i < n; i++) {
        ticket_of(test, &tickets[i], 1, 3);
        n_pushed += ingest_queue_push(queue, &tickets[i]) == OK;
    }
    struct ingest_ticket *batch = ingest_queue_take(queue, LANE_FAST);
    for (struct ingest_ticket *ticket = batch; ticket; ticket = ticket->next) {
        n_taken++;
    }
    ingest_queue_finish(queue, LANE_FAST, batch);
    is_int(n_taken, n_pushed, "a batch of %d", n);
}

/* After a crowd was answered, the next batch gives half of it time to come back. */
static void test_gathering(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(QUEUE_MAX_BYTES);
    int64_t took_us = GATHER_US;

    pass_on(test, queue, 1);
    int64_t begun_us = clock_monotonic_us();
    pass_on(test, queue, 4);
    pass_on(test, queue, 1);
    ok(clock_monotonic_us() - begun_us >= GATHER_US, "of a crowd less than half waits for the others");
    for (int i = 0; i < 100 && took_us >= GATHER_US; i++) { /* the machine may be busy with others */
        begun_us = clock_monotonic_us();
        pass_on(test, queue, 4);
        pass_on(test, queue, 2);
        took_us = clock_monotonic_us() - begun_us;
    }
    ok(took_us < GATHER_US, "half of it goes at once");
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* While a batch is committed the next one begins, in less than a batch that is held up would be
 * given up after. */
static void test_commit(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(QUEUE_MAX_BYTES);
    struct ingest_ticket tickets[3];
    int64_t executed_us = 0, committed_us = SECOND_WRITER_WAIT_US;

    for (int i = 0; i < 3; i++) {
        ticket_of(test, &tickets[i], 1, 3);
    }
    for (int i = 0; i < 100 && committed_us >= SECOND_WRITER_WAIT_US; i++) {
        bool is_pushed = !ingest_queue_push(queue, &tickets[0]);
        int64_t begun_us = clock_monotonic_us();
        struct ingest_ticket *first = ingest_queue_take(queue, LANE_FAST);
        is_pushed &= !ingest_queue_push(queue, &tickets[1]);
        struct ingest_ticket *second = ingest_queue_take(queue, LANE_FAST);
        executed_us = clock_monotonic_us() - begun_us;
        ingest_queue_commits(queue, first);
        ingest_queue_commits(queue, second);
        ingest_queue_commits(queue, second); /* of another attempt */
        is_pushed &= !ingest_queue_push(queue, &tickets[2]);
        begun_us = clock_monotonic_us();
        struct ingest_ticket *third = ingest_queue_take(queue, LANE_FAST);
        committed_us = clock_monotonic_us() - begun_us;
        ingest_queue_finish(queue, LANE_FAST, first);
        ingest_queue_finish(queue, LANE_FAST, second);
        ingest_queue_finish(queue, LANE_FAST, third);
        for (int k = 0; k < 3; k++) {
            ingest_queue_wait(queue, &tickets[k]);
        }
        if (!is_pushed) {
            break;
        }
    }
    ok(executed_us >= SECOND_WRITER_WAIT_US, "beside a batch that is executed no other begins");
    ok(committed_us < SECOND_WRITER_WAIT_US, "beside those that are committed one does");
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_limits(&test);
    ingest_test_reset(&test);
    test_turns(&test);
    ingest_test_reset(&test);
    test_pace(&test);
    ingest_test_reset(&test);
    test_round(&test);
    ingest_test_reset(&test);
    test_large_one(&test);
    ingest_test_reset(&test);
    test_gathering(&test);
    ingest_test_reset(&test);
    test_commit(&test);
    test_crowd(&test);
    ingest_test_close(&test);
    return done_testing();
}

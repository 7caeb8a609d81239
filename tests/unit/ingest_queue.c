/* The queue with threads at both ends: everything that goes in comes out once, batches keep
 * their limits, late work waits for what it depends on, a full and a closed queue refuse. */
#include "ingest_test.h"

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
        ticket_make(&tickets[i], columns_new(&test->op, &test->rules), 300);
    }
    ok(!ingest_queue_push(queue, &tickets[0]) && !ingest_queue_push(queue, &tickets[1]) &&
           !ingest_queue_push(queue, &tickets[2]), "three requests fit");
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

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_limits(&test);
    ingest_test_reset(&test);
    test_turns(&test);
    test_crowd(&test);
    ingest_test_close(&test);
    return done_testing();
}

/* Room in the queue: how tenants share it, what is promised before a request is read, and what
 * becomes of promises. */
#include "ingest_test.h"

#include "ingest/queue.h"

/* A ticket of `n` rows, of 100 bytes each, that no writer looks at. */
static void ticket_of(struct ingest_test *test, struct ingest_ticket *ticket, int32_t tenant_id, size_t n)
{
    struct ingest_columns *columns = columns_new(&test->op, &test->rules);

    columns->n_rows = n;
    *ticket = (struct ingest_ticket){ .columns = columns, .tenant_id = tenant_id, .bytes = n * 100 };
}

static size_t length_of(const struct ingest_ticket *tickets)
{
    size_t n = 0;

    for (; tickets; tickets = tickets->next) {
        n++;
    }
    return n;
}

static void test_shares(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(100000);
    struct ingest_ticket flood[10], others[3];
    int n = 0;

    for (int i = 0; i < 10; i++) {
        ticket_of(test, &flood[i], 1, 100);
        n += ingest_queue_push(queue, &flood[i]) == OK;
    }
    is_int(n, 5, "a tenant that floods gets half of the queue");
    op_clear_fault(&test->op);
    ticket_of(test, &others[0], 2, 100);
    ticket_of(test, &others[1], 2, 200);
    ticket_of(test, &others[2], 2 + 1024, 100);
    ok(!ingest_queue_push(queue, &others[0]), "another finds room");
    is_int(ingest_queue_push(queue, &others[1]), OK, "  as much as is left then");
    is_int(ingest_queue_push(queue, &others[2]), ERR_UNAVAILABLE,
           "two whose numbers are alike in their last bits share");
    struct ingest_ticket *batch = ingest_queue_take(queue, LANE_FAST);
    is_int((int64_t)length_of(batch), 7, "all that was taken is in one batch");
    is_int(ingest_queue_push(queue, &flood[9]), ERR_UNAVAILABLE,
           "what is being written counts as well");
    ingest_queue_finish(queue, LANE_FAST, batch);
    for (int i = 0; i < 5; i++) {
        ingest_queue_wait(queue, &flood[i]);
    }
    ingest_queue_wait(queue, &others[0]);
    ingest_queue_wait(queue, &others[1]);
    ok(!ingest_queue_push(queue, &flood[9]), "and no longer when it is done");
    batch = ingest_queue_take(queue, LANE_FAST);
    ingest_queue_finish(queue, LANE_FAST, batch);
    ingest_queue_wait(queue, &flood[9]);
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* What is promised to requests that are still read counts like what waits. */
static void test_rooms(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(100000);
    struct queue_room rooms[3] = { 0 }, other = { 0 };
    struct ingest_ticket ticket;

    ok(!ingest_queue_reserve(queue, &test->op, 1, 30000, &rooms[0]) &&
           !ingest_queue_reserve(queue, &test->op, 1, 20000, &rooms[1]), "half of the queue is promised");
    is_int(ingest_queue_reserve(queue, &test->op, 1, 100, &rooms[2]), ERR_UNAVAILABLE,
           "  and no more to the same tenant");
    op_clear_fault(&test->op);
    ticket_of(test, &ticket, 1, 100);
    is_int(ingest_queue_push(queue, &ticket), ERR_UNAVAILABLE, "  nor taken of it without room");
    op_clear_fault(&test->op);
    ok(!ingest_queue_reserve(queue, &test->op, 2, 50000, &other), "another finds room");
    ticket.room = &rooms[0];
    ticket.bytes = 25000;
    ok(!ingest_queue_push(queue, &ticket), "what has room is taken, though nobody else would be");
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 25000 + 20000 + 50000, "  at its weight");
    ingest_queue_leave(&rooms[0]);
    ingest_queue_leave(&rooms[1]);
    ingest_queue_leave(&rooms[2]);
    ingest_queue_leave(&other);
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 25000, "what was not used is given back, once");
    ingest_queue_finish(queue, LANE_FAST, ingest_queue_take(queue, LANE_FAST));
    ingest_queue_wait(queue, &ticket);
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 0, "until nothing is left");
    ok(!ingest_queue_reserve(queue, &test->op, 1, 200000, &rooms[0]),
       "more than the queue is promised when it is empty");
    ingest_queue_close(queue);
    ticket.room = &rooms[0];
    is_int(ingest_queue_push(queue, &ticket), ERR_UNAVAILABLE, "a promise ends with the queue");
    ingest_queue_leave(&rooms[0]);
    ingest_queue_free(queue);
}

/* What weighs more than it was promised is judged by its weight; so is what another's room is for. */
static void test_small_promise(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(100000);
    struct queue_room rooms[3] = { 0 };
    struct ingest_ticket tickets[3];

    for (int i = 0; i < 3; i++) {
        ok(!ingest_queue_reserve(queue, &test->op, i < 2 ? 1 : 0, 100, &rooms[i]), "a small promise");
        ticket_of(test, &tickets[i], 1, 400);
        tickets[i].room = &rooms[i];
    }
    ok(!ingest_queue_push(queue, &tickets[0]), "a ticket that is much larger finds room");
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 40000 + 200, "  at its weight");
    is_int(ingest_queue_push(queue, &tickets[1]), ERR_UNAVAILABLE, "the next one would be over its tenant's share");
    op_clear_fault(&test->op);
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 40000 + 100, "  and its promise is given up");
    tickets[2].bytes = 100;
    ok(!ingest_queue_push(queue, &tickets[2]), "what was promised to somebody unknown is weighed as well");
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 40000 + 100, "  and is of its tenant then");
    ingest_queue_finish(queue, LANE_FAST, ingest_queue_take(queue, LANE_FAST));
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 0, "until nothing is left");
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* Before who sends it is known, a request may be nobody's. */
static void test_unknown(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(100000);
    struct queue_room rooms[20] = { 0 }, other = { 0 };
    int n = 0;

    ok(!ingest_queue_reserve(queue, &test->op, 1024, 1000, &other), "a tenant has room");
    for (int i = 0; i < 20; i++) {
        n += ingest_queue_reserve(queue, &test->op, 0, 2000, &rooms[i]) == OK;
        op_clear_fault(&test->op);
    }
    is_int(n, 100000 / QUEUE_UNKNOWN_PART / 2000, "all who are not known have a small part together");
    ingest_queue_leave(&other);
    ok(!ingest_queue_reserve(queue, &test->op, 1024, 40000, &other), "which is none of a tenant's");
    ingest_queue_leave(&other);
    for (int i = 0; i < 20; i++) {
        ingest_queue_leave(&rooms[i]);
    }
    ingest_queue_close(queue);
    ingest_queue_free(queue);
}

/* What is being read turns out to take more than it was promised. */
static void test_growing(struct ingest_test *test)
{
    struct ingest_queue *queue = ingest_queue_new(100000);
    struct queue_room mine = { 0 }, other = { 0 }, unknown = { 0 };
    struct ingest_ticket ticket, little;

    ok(!ingest_queue_reserve(queue, &test->op, 1, 1000, &mine), "a small promise");
    ok(ingest_queue_grow(&mine, 1, 90000), "who is alone may take nearly all");
    ok(!ingest_queue_reserve(queue, &test->op, 2, 10000, &other), "another has what is left");
    ok(!ingest_queue_grow(&other, 2, 20000), "  and no more");
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 100000, "  what was not granted is not weighed");
    ok(!ingest_queue_grow(&mine, 1, 100001), "nor does one grow beyond the queue");
    ticket_of(test, &little, 4, 15);
    ok(!ingest_queue_push(queue, &little), "who has nothing in it is let in with little all the same");
    ingest_queue_leave(&mine);
    ok(ingest_queue_grow(&other, 2, 40000), "until the first one is gone");
    unknown.queue = queue;
    ok(ingest_queue_grow(&unknown, 0, 10000) && !ingest_queue_grow(&unknown, 0, 20000),
       "who is not known has a small part");
    ok(ingest_queue_grow(&unknown, 3, 20000), "  and a tenant's when he is");
    ticket_of(test, &ticket, 3, 200);
    ticket.room = &unknown;
    ok(!ingest_queue_push(queue, &ticket), "  which is promised to what he sends");
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 61500, "  and used up by it");
    ingest_queue_leave(&other);
    ingest_queue_finish(queue, LANE_FAST, ingest_queue_take(queue, LANE_FAST));
    is_int((int64_t)ingest_queue_count(queue).waiting_bytes, 0, "until nothing is left");
    ingest_queue_close(queue);
    ok(!ingest_queue_grow(&mine, 1, 1), "nothing grows in a queue that is closed");
    ingest_queue_free(queue);
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_shares(&test);
    ingest_test_reset(&test);
    test_rooms(&test);
    ingest_test_reset(&test);
    test_small_promise(&test);
    ingest_test_reset(&test);
    test_unknown(&test);
    ingest_test_reset(&test);
    test_growing(&test);
    ingest_test_close(&test);
    return done_testing();
}

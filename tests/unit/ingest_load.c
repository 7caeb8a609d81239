/* Many threads at once: the same keys from all sides are stored exactly once and counted right,
 * while connections are cut too; a poisoned request harms only itself; a full queue refuses and
 * nothing else. Against a real database, see ingest_store_test.h. */
#include "ingest_store_test.h"

#include <stdatomic.h>

#define THREADS 8
#define KEYS 600
#define EVENTS_PER_REQUEST 20

struct load {
    struct store_test *test;
    const char *device;      /* prefix */
    int n_requests;
    bool is_persistent;      /* sends again after 503, as devices do */
    _Atomic int64_t accepted, duplicates, updated, failed, retried;
};

struct sender {
    struct load *load;
    pthread_t thread;
    unsigned number;
};

/* A small generator of our own: the same sequence for the same seed. */
static unsigned next_number(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* EVENTS_PER_REQUEST events out of KEYS; an event's content follows from its number. */
static struct str make_body(struct arena *arena, const struct load *load, unsigned *state)
{
    struct buf body;

    buf_init(&body, arena, 1u << 20);
    buf_add_char(&body, '[');
    for (int i = 0; i < EVENTS_PER_REQUEST; i++) {
        unsigned key = next_number(state) % KEYS;
        long long time_ms = load->test->now_us / 1000 - 600000 + key * 1000;
        buf_printf(&body, "%s{\"device\":\"%s-%u\",\"time\":%lld,\"type\":\"%s\",\"seq\":%u,"
                   "\"metrics\":{\"a\":%u,\"b\":1}}", i ? "," : "", load->device, key % 7, time_ms,
                   key % 3 ? "telemetry" : "tick", key, key);
    }
    buf_add_char(&body, ']');
    return buf_str(&body);
}

static void *send_requests(void *argument)
{
    struct sender *sender = argument;
    struct load *load = sender->load;
    const struct identity who = store_sender(load->test->alpha);
    struct arena *bodies = arena_new(4u << 20);
    struct arena *arena = arena_new(16u << 20);
    unsigned state = sender->number * 7919u + 1;

    for (int i = 0; i < load->n_requests; i++) {
        arena_reset(bodies);
        struct str body = make_body(bodies, load, &state);
        struct store_answer answer =
            store_post_as(load->test, arena, &who, "/v1/events/batch", body);
        while (load->is_persistent && answer.err == ERR_UNAVAILABLE) {
            atomic_fetch_add(&load->retried, 1);
            answer = store_post_as(load->test, arena, &who, "/v1/events/batch", body);
        }
        if (answer.err || answer.rejected) {
            atomic_fetch_add(&load->failed, 1);
            continue;
        }
        atomic_fetch_add(&load->accepted, answer.accepted);
        atomic_fetch_add(&load->duplicates, answer.duplicates);
        atomic_fetch_add(&load->updated, answer.updated);
    }
    arena_free(bodies);
    arena_free(arena);
    return NULL;
}

static void run_load(struct load *load, void (*meanwhile)(struct load *load))
{
    struct sender senders[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        senders[i] = (struct sender){ .load = load, .number = i };
        if (pthread_create(&senders[i].thread, NULL, send_requests, &senders[i]) != 0) {
            printf("Bail out! no thread\n");
            exit(1);
        }
    }
    if (meanwhile) {
        meanwhile(load);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        (void)pthread_join(senders[i].thread, NULL);
    }
}

/* What is stored of a load, against what any order of its requests must leave. */
static void check_stored(struct load *load, int64_t n_keys)
{
    struct store_test *test = load->test;

    is_int(store_count(test, "SELECT count(*) FROM core.sample x JOIN core.series s"
                       " ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id"
                       " WHERE d.key LIKE '%s-%%'", load->device),
           2 * n_keys, "  two samples of each key are stored");
    is_int(store_count(test, "SELECT count(*) FROM core.sample x JOIN core.series s"
                       " ON s.id = x.series_id AND s.metric = 'a' JOIN core.device d"
                       " ON d.id = s.device_id WHERE d.key LIKE '%s-%%' AND x.value <>"
                       " (extract(epoch FROM x.time) * 1000 - %lld) / 1000", load->device,
                       (long long)(test->now_us / 1000 - 600000)),
           0, "  with their own values");
    is_int(store_count(test, "SELECT count(*) FROM core.event e JOIN core.device d"
                       " ON d.id = e.device_id AND d.tenant_id = e.tenant_id"
                       " WHERE d.key LIKE '%s-%%'", load->device),
           n_keys / 3, "  and each event once");
}

static void test_same_keys(struct store_test *test)
{
    struct load load = { .test = test, .device = "load", .n_requests = 100 };

    run_load(&load, NULL);
    is_int(load.failed, 0, "eight threads with the same keys: no request fails");
    is_int(load.accepted, KEYS, "  each key is new exactly once");
    is_int(load.updated, 0, "  none is an update");
    is_int(load.accepted + load.duplicates, THREADS * 100 * EVENTS_PER_REQUEST,
           "  all others are duplicates");
    check_stored(&load, KEYS);
    struct load again = { .test = test, .device = "load", .n_requests = 10 };
    store_restart(test);
    run_load(&again, NULL);
    is_int(again.accepted + again.updated, 0, "after a restart nothing of it is new");
    check_stored(&again, KEYS);
}

/* ---- cut connections ---- */

static void cut_connections(struct load *load)
{
    for (int i = 0; i < 25; i++) {
        (void)store_count(load->test, "SELECT count(pg_terminate_backend(pid))"
                          " FROM pg_stat_activity WHERE usename = 'tidemark_ingest'"
                          " AND pg_sleep(0.02) IS NOT NULL");
    }
}

static void test_cut_connections(struct store_test *test)
{
    struct load load = { .test = test, .device = "cut", .n_requests = 150, .is_persistent = true };

    struct ingest_stats before, after;

    ingest_read_stats(test->service, &before);
    log_open(LOG_ERROR + 1, LOG_LOGFMT, "test");
    run_load(&load, cut_connections);
    log_open(LOG_ERROR, LOG_LOGFMT, "test");
    ingest_read_stats(test->service, &after);
    is_int(load.failed, 0, "connections are cut: no request is refused for good");
    ok(after.retries > before.retries, "  though batches were cut while being written (%llu)",
       (unsigned long long)(after.retries - before.retries));
    ok(load.accepted <= KEYS && load.accepted > 0,
       "  nothing is accepted twice, though a lost commit may call the new a duplicate (%lld)",
       (long long)load.accepted);
    diag("%lld requests were sent again", (long long)load.retried);
    check_stored(&load, KEYS);
}

/* ---- poison ---- */

static void send_poison(struct load *load)
{
    const struct identity who = store_sender(load->test->alpha);
    struct arena *arena = arena_new(16u << 20);
    int n_refused = 0;

    for (int i = 0; i < 10; i++) {
        struct store_answer answer = store_post_as(
            load->test, arena, &who, "/v1/event",
            STR("{\"device\":\"poison\",\"type\":\"poison\",\"data\":{},\"metrics\":{\"a\":1}}"));
        n_refused += answer.err == ERR_INTERNAL;
    }
    is_int(n_refused, 10, "what the database cannot take fails by itself");
    arena_free(arena);
}

static void test_poison(struct store_test *test)
{
    struct load load = { .test = test, .device = "fine", .n_requests = 100 };

    ok(db_test_do(&test->db, test->super, "poison",
                  "ALTER TABLE core.event ADD CONSTRAINT poison CHECK (type <> 'poison')") == OK,
       "the database refuses some events");
    log_open(LOG_ERROR + 1, LOG_LOGFMT, "test");
    run_load(&load, send_poison);
    log_open(LOG_ERROR, LOG_LOGFMT, "test");
    is_int(load.failed, 0, "  and harms no request that shared its batch");
    is_int(load.accepted, KEYS, "  whose events are all accepted once");
    check_stored(&load, KEYS);
    (void)db_test_do(&test->db, test->super, "cure", "ALTER TABLE core.event DROP CONSTRAINT poison");
}

/* ---- a full queue ---- */

static void *post_one(void *argument)
{
    struct load *load = argument;
    struct store_answer answer =
        store_post(load->test, load->test->alpha, "{\"device\":\"full\",\"metrics\":{\"a\":1}}");

    atomic_fetch_add(answer.err ? &load->failed : &load->accepted, 1);
    return NULL;
}

static void test_full_queue(struct store_test *test)
{
    const struct db_query lock = TEST_QUERY("lock", "LOCK TABLE core.sample IN EXCLUSIVE MODE", 0, 0);
    struct load load = { .test = test };
    struct ingest_stats stats = { .requests = 0 };
    const struct identity who = store_sender(test->alpha);
    struct arena *arena = arena_new(1u << 20);
    pthread_t thread;

    ingest_stop(test->service, 10000);
    store_start(test, 1);
    (void)store_post(test, test->alpha, "{\"device\":\"full\",\"metrics\":{\"a\":1}}");
    struct db_tx *tx = db_test_begin(&test->db, test->super, 0);
    ok(db_run(tx, &lock, NULL, NULL) == OK, "the samples are locked");
    if (pthread_create(&thread, NULL, post_one, &load) != 0) {
        exit(1);
    }
    while (stats.queue_bytes == 0) {
        ingest_read_stats(test->service, &stats);
    }
    struct store_answer answer = store_post_as(test, arena, &who, "/v1/event",
                                               STR("{\"device\":\"full\",\"metrics\":{\"a\":1}}"));
    is_int(answer.err, ERR_UNAVAILABLE, "a full queue refuses: 503");
    is_str(answer.body, "too much is waiting to be written", "  and says why");
    db_rollback(tx);
    db_test_reset(&test->db);
    (void)pthread_join(thread, NULL);
    is_int(load.accepted, 1, "what was in the queue is stored");
    ingest_read_stats(test->service, &stats);
    is_int((int64_t)stats.refused, 1, "the refusal is counted");
    arena_free(arena);
}

int main(void)
{
    struct store_test test = { .service = NULL };

    if (!store_open(&test)) {
        return 0;
    }
    test_same_keys(&test);
    test_cut_connections(&test);
    test_poison(&test);
    test_full_queue(&test);
    store_close(&test);
    return done_testing();
}

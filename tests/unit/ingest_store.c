/* What becomes of requests: outcomes, the two lanes and their change log, duplicates within a
 * request, across requests, restarts and processes, events by their keys, the tenant law, what
 * is rejected with the database's knowledge, the dry run, poison. Against a real database, see
 * ingest_store_test.h. */
#include "ingest_store_test.h"

#include <stdatomic.h>

/* A time so many milliseconds before the test began, as an epoch in ms. */
static long long ago_ms(const struct store_test *test, int64_t ms)
{
    return (long long)(test->now_us / 1000 - ms);
}

#define DAY_MS INT64_C(86400000)

static int64_t samples_of(struct store_test *test, const char *device)
{
    return store_count(test,
                       "SELECT count(*) FROM core.sample x JOIN core.series s ON s.id = x.series_id"
                       " JOIN core.device d ON d.id = s.device_id WHERE d.key = '%s'", device);
}

static int64_t changes_of(struct store_test *test, const char *device)
{
    return store_count(test,
                       "SELECT count(*) FROM core.change x JOIN core.series s ON s.id = x.series_id"
                       " JOIN core.device d ON d.id = s.device_id WHERE d.key = '%s'", device);
}

static int64_t value_of(struct store_test *test, const char *device, long long time_ms)
{
    return store_count(test,
                       "SELECT value::int8 FROM core.sample x"
                       " JOIN core.series s ON s.id = x.series_id"
                       " JOIN core.device d ON d.id = s.device_id WHERE d.key = '%s'"
                       " AND x.time = to_timestamp(%lld / 1000.0)", device, time_ms);
}

static void test_outcomes(struct store_test *test)
{
    long long t = ago_ms(test, 60000);
    struct store_answer answer = store_post(
        test, test->alpha, "{\"device\":\"out\",\"time\":%lld,\"metrics\":{\"a\":1,\"b\":2}}", t);

    is_answer(&answer, 1, 0, 0, "a new event");
    is_int(answer.status, 200, "  is answered 200");
    answer = store_post(test, test->alpha,
                        "{\"device\":\"out\",\"time\":%lld,\"metrics\":{\"a\":1,\"b\":2}}", t);
    is_answer(&answer, 0, 1, 0, "the same again");
    answer = store_post(test, test->alpha,
                        "{\"device\":\"out\",\"time\":%lld,\"metrics\":{\"a\":1,\"b\":3}}", t);
    is_answer(&answer, 0, 0, 1, "another value of one metric");
    answer = store_post(test, test->alpha,
                        "{\"device\":\"out\",\"time\":%lld,\"metrics\":{\"b\":4,\"c\":1}}", t);
    is_answer(&answer, 1, 0, 0, "another value and something new");
    is_int(samples_of(test, "out"), 3, "three samples are stored");
    answer = store_post(test, test->alpha, "[{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                        "{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                        "{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":2}},"
                        "{\"metrics\":{\"a\":2}}]", t, t, t);
    is_answer(&answer, 1, 1, 1, "one new key three times in a request");
    is_int(answer.rejected, 1, "  and a bad event is rejected beside it");
    is_int(answer.status, 207, "  with 207");
    is_int(value_of(test, "o2", t), 2, "  the last value stays");
    answer = store_post(test, test->alpha, "[{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":2}},"
                        "{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":5}},"
                        "{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":2}}]", t, t, t);
    is_answer(&answer, 0, 1, 2, "a value changed and changed back");
    is_int(value_of(test, "o2", t), 2, "  stays what it was last");
    answer = store_post(test, test->alpha, "[{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":7}},"
                        "{\"device\":\"o2\",\"time\":%lld,\"metrics\":{\"a\":8}}]", t, t + 1);
    is_answer(&answer, 1, 0, 1, "a correction and a new sample in one request");
    answer = store_post(test, test->alpha, "[]");
    is_answer(&answer, 0, 0, 0, "no event at all");
    answer = store_post(test, test->alpha, "[{\"device\":\"o2\"},7]");
    is_int(answer.status, 422, "all rejected: 422");
}

static void test_change_log(struct store_test *test)
{
    struct store_answer answer;
    long long noon = ago_ms(test, 9 * DAY_MS) / DAY_MS * DAY_MS + DAY_MS / 2; /* ranges end with the day */

    (void)store_post(test, test->alpha, "{\"device\":\"log\",\"time\":%lld,\"metrics\":{\"a\":1}}",
                     ago_ms(test, 5000));
    is_int(changes_of(test, "log"), 0, "a new sample of now is no change");
    answer = store_post(test, test->alpha, "{\"device\":\"log\",\"time\":%lld,\"metrics\":{\"a\":1}}",
                        ago_ms(test, 10000));
    is_answer(&answer, 1, 0, 0, "an earlier sample");
    is_int(changes_of(test, "log"), 1, "  is one, however young");
    answer = store_post(test, test->alpha, "{\"device\":\"log\",\"time\":%lld,\"metrics\":{\"a\":1}}",
                        ago_ms(test, 10000));
    is_answer(&answer, 0, 1, 0, "the same sample");
    is_int(changes_of(test, "log"), 1, "  changes nothing");
    answer = store_post(test, test->alpha, "[{\"device\":\"old\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                        "{\"device\":\"old\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                        "{\"device\":\"old\",\"time\":%lld,\"metrics\":{\"a\":1}}]",
                        noon, noon + 3600000, ago_ms(test, 1000));
    is_answer(&answer, 3, 0, 0, "new samples of days ago and of now");
    is_int(changes_of(test, "old"), 1, "  are one range of changes");
    is_int(store_count(test, "SELECT count(*) FROM core.change x JOIN core.series s"
                       " ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id"
                       " WHERE d.key = 'old' AND x.to_time - x.from_time = interval '1 hour'"),
           1, "  that ends with the old ones");
    answer = store_post(test, test->alpha, "[{\"device\":\"old\",\"time\":%lld,\"metrics\":{\"a\":2}},"
                        "{\"device\":\"old\",\"time\":%lld,\"metrics\":{\"a\":2}}]",
                        noon, noon + DAY_MS);
    is_answer(&answer, 1, 0, 1, "a correction and a late sample of other days");
    is_int(changes_of(test, "old"), 3, "  are a range each");
}

/* Rollups say that they are closing until so many hours from now; 0: until where they are closed. */
static bool move_closing(struct store_test *test, int hours)
{
    static const struct db_query query =
        TEST_QUERY("move", "UPDATE core.rollup_state SET closing_until = CASE WHEN $1::int4 > 0"
                           " THEN now() + make_interval(hours => $1) ELSE closed_until END"
                           " RETURNING 1::int8 AS n",
                   1, 1);
    struct db_tx *tx = db_test_begin(&test->db, test->super, 0);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, test->db.arena);
    db_arg_int(&args, hours);
    enum err err = db_run(tx, &query, &args, &rows);
    err = err ? err : db_commit(tx);
    db_test_reset(&test->db);
    return !err;
}

/* Rollups are ahead of a clock that is behind. */
static void test_closed(struct store_test *test)
{
    struct store_answer answer;

    (void)store_post(test, test->alpha, "{\"device\":\"closed\",\"time\":%lld,\"metrics\":{\"a\":1}}",
                     ago_ms(test, 9000));
    is_int(changes_of(test, "closed"), 0, "a sample of open time is no change");
    ok(move_closing(test, 1), "that time is closed");
    answer = store_post(test, test->alpha, "{\"device\":\"closed\",\"type\":\"alarm\",\"time\":%lld,"
                        "\"metrics\":{\"a\":2}}", ago_ms(test, 8000));
    is_answer(&answer, 1, 0, 0, "the next one is stored");
    is_int(changes_of(test, "closed"), 1, "  and noted as a change");
    is_int(store_count(test, "SELECT count(*) FROM core.event e JOIN core.device d ON d.id = e.device_id"
                       " WHERE d.key = 'closed'"), 1, "  its event is there once");
    ok(move_closing(test, 0), "it is open again");
}

static void test_tenants(struct store_test *test)
{
    long long t = ago_ms(test, 1000);
    struct store_answer answer;

    for (int i = 0; i < 2; i++) {
        answer = store_post(test, i ? test->beta : test->alpha,
                            "{\"device\":\"same\",\"time\":%lld,\"type\":\"t\",\"site\":\"roof\","
                            "\"metrics\":{\"a\":%d}}", t, i);
        is_answer(&answer, 1, 0, 0, "the same names in another tenant are other things");
    }
    is_int(store_count(test, "SELECT count(*) FROM core.series s JOIN core.device d"
                       " ON d.id = s.device_id WHERE d.key = 'same'"), 2, "two series");
    is_int(store_count(test, "SELECT count(*) FROM core.event e JOIN core.device d"
                       " ON d.id = e.device_id AND d.tenant_id = e.tenant_id WHERE d.key = 'same'"),
           2, "two events, each with its tenant's device");
    is_int(store_count(test, "SELECT count(*) FROM core.sample x JOIN core.series s"
                       " ON s.id = x.series_id WHERE s.tenant_id <> x.tenant_id"), 0,
           "every sample's tenant is its series' tenant");
}

static void test_events(struct store_test *test)
{
    static const char *const events[] = {
        ("{\"device\":\"ev\",\"type\":\"job\",\"id\":\"0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5061\","
         "\"time\":%lld,\"data\":{\"n\":1}}"),
        "{\"device\":\"ev\",\"type\":\"job\",\"seq\":17,\"time\":%lld,\"data\":{\"n\":2}}",
        "{\"device\":\"ev\",\"type\":\"job\",\"time\":%lld,\"data\":{\"n\":3}}",
        "{\"device\":\"ev\",\"time\":%lld,\"metrics\":{\"a\":1},\"data\":{\"firmware\":\"2\"}}",
    };
    long long t = ago_ms(test, 2000);
    struct store_answer answer;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    for (int round = 0; round < 3; round++) {
        if (round == 2) {
            store_restart(test);
        }
        for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
            answer = store_post(test, test->alpha, events[i], t);
            is_answer(&answer, round == 0, round != 0, 0,
                      round == 0 ? "a new event" : round == 1 ? "sent again" : "after a restart");
        }
    }
#pragma GCC diagnostic pop
    is_int(store_count(test, "SELECT count(*) FROM core.event e JOIN core.device d"
                       " ON d.id = e.device_id AND d.tenant_id = e.tenant_id WHERE d.key = 'ev'"),
           4, "four events are stored");
    is_int(store_count(test, "SELECT count(*) FROM core.event e JOIN core.device d"
                       " ON d.id = e.device_id AND d.tenant_id = e.tenant_id WHERE d.key = 'ev'"
                       " AND coalesce(e.data ->> 'n' = '2', false) = (e.seq IS NOT NULL)"
                       " AND coalesce(e.data ->> 'n' = '1', false) = (e.id IS NOT NULL)"),
           4, "  with their seq, id and data");
    answer = store_post(test, test->alpha,
                        "[{\"device\":\"ev2\",\"type\":\"x\",\"time\":%lld},"
                        "{\"device\":\"ev2\",\"type\":\"x\",\"time\":%lld},"
                        "{\"device\":\"ev2\",\"type\":\"y\",\"time\":%lld,\"metrics\":{\"a\":1}}]",
                        t, t, t);
    is_answer(&answer, 2, 1, 0, "an event twice in one request");
    answer = store_post(test, test->alpha, "{\"device\":\"ev2\",\"type\":\"y\",\"time\":%lld,"
                        "\"metrics\":{\"a\":2}}", t);
    is_answer(&answer, 1, 0, 0, "another content is another event");
    answer = store_post(test, test->alpha, "{\"device\":\"ev2\",\"time\":%lld,\"seq\":1,"
                        "\"metrics\":{\"a\":3}}", t + 1);
    is_answer(&answer, 1, 0, 0, "plain telemetry");
    is_int(store_count(test, "SELECT count(*) FROM core.event e JOIN core.device d"
                       " ON d.id = e.device_id AND d.tenant_id = e.tenant_id WHERE d.key = 'ev2'"),
           3, "  makes no event");
}

static void test_flush(struct store_test *test)
{
    long long t = ago_ms(test, 3000);

    (void)store_post(test, test->alpha, "[{\"device\":\"fl\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                     "{\"device\":\"fl\",\"time\":%lld,\"metrics\":{\"a\":9}}]", t, t - 1000);
    (void)store_post(test, test->alpha, "{\"device\":\"fl\",\"time\":%lld,\"metrics\":{\"a\":5}}", t);
    store_restart(test);
    is_int(store_count(test, "SELECT l.value::int8 FROM core.series_last l JOIN core.series s"
                       " ON s.id = l.series_id JOIN core.device d ON d.id = s.device_id"
                       " WHERE d.key = 'fl' AND l.time = to_timestamp(%lld / 1000.0)", t),
           5, "at the end every series' newest sample is noted, as corrected");
    is_int(store_count(test, "SELECT count(*) FROM core.device WHERE key = 'fl'"
                       " AND last_seen > now() - interval '1 minute'"),
           1, "  and when devices were seen");
}

static void test_processes(struct store_test *test)
{
    struct ingest_service *first = test->service;
    long long t = ago_ms(test, 4000);
    struct store_answer answer;

    (void)store_post(test, test->alpha, "{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":1}}", t);
    store_start(test, QUEUE_MAX_BYTES);
    answer = store_post(test, test->alpha,
                        "{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":1}}", t);
    is_answer(&answer, 0, 1, 0, "a second process knows what the first one stored");
    answer = store_post(test, test->alpha, "[{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                        "{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":2}}]", t + 1, t + 2);
    is_answer(&answer, 2, 0, 0, "what the second one stores");
    struct ingest_service *second = test->service;
    test->service = first;
    answer = store_post(test, test->alpha, "[{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                        "{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":7}},"
                        "{\"device\":\"two\",\"type\":\"x\",\"time\":%lld},"
                        "{\"device\":\"two\",\"time\":%lld,\"metrics\":{\"a\":3}}]",
                        t + 1, t + 2, t, t + 3);
    is_answer(&answer, 2, 1, 1, "the first one takes for new, and is put right");
    is_int(value_of(test, "two", t + 2), 7, "  the correction is stored");
    is_int(samples_of(test, "two"), 4, "  and everything once");
    ingest_stop(second, 10000);
}

static void test_registration(struct store_test *test)
{
    struct identity stranger = store_sender(test->alpha);
    struct arena *arena = arena_new(8u << 20);
    struct store_answer answer;

    stranger.may_register = false;
    answer = store_post_as(test, arena, &stranger, "/v1/event",
                           STR("{\"device\":\"who\",\"metrics\":{\"a\":1}}"));
    is_int(answer.status, 422, "without registration an unknown device is rejected");
    ok(strstr(answer.body, "device \\\"who\\\" is not registered") != NULL, "  by its name");
    answer = store_post_as(test, arena, &stranger, "/v1/event",
                           STR("[{\"device\":\"who\",\"metrics\":{\"a\":1}},"
                               "{\"device\":\"out\",\"site\":\"moon\",\"metrics\":{\"a\":1}},"
                               "{\"device\":\"out\",\"metrics\":{\"new\":1}}]"));
    is_answer(&answer, 1, 0, 0, "a known device is taken, its new metric too");
    is_int(answer.rejected, 2, "  the unknown device and the unknown site are rejected");
    is_int(store_count(test, "SELECT count(*) FROM core.device WHERE key = 'who'"), 0,
           "  and not registered");
    (void)store_post(test, test->alpha, "{\"device\":\"gone\",\"metrics\":{\"a\":1}}");
    ok(db_test_do(&test->db, test->super, "retire",
                  "UPDATE core.device SET retired_at = now() - interval '1 second'"
                  " WHERE key = 'gone'") == OK, "a device is retired");
    store_restart(test);
    answer = store_post(test, test->alpha, "{\"device\":\"gone\",\"metrics\":{\"a\":2}}");
    is_int(answer.status, 422, "  and rejected");
    ok(strstr(answer.body, "is retired") != NULL, "  as such");
    arena_free(arena);
}

static void test_dry_run(struct store_test *test)
{
    const struct identity who = store_sender(test->alpha);
    struct arena *arena = arena_new(8u << 20);
    struct store_answer answer = store_post_as(
        test, arena, &who, "/v1/events/batch?dry_run=1",
        STR("[{\"device\":\"dry\",\"type\":\"x\",\"metrics\":{\"a\":1}},{\"device\":\"dry\"},"
            "{\"device\":\"dry\",\"type\":\"x\",\"metrics\":{\"a\":1}}]"));

    is_answer(&answer, 1, 1, 0, "a dry run tells what would become of a request");
    ok(strstr(answer.body, "\"dry_run\":true") != NULL, "  says that it is one");
    is_int(store_count(test, "SELECT count(*) FROM core.device WHERE key = 'dry'"), 0,
           "  and stores nothing, not even the device");
    is_int(samples_of(test, "dry"), 0, "  no sample");
    answer = store_post(test, test->alpha, "[{\"device\":\"dry\",\"type\":\"x\","
                        "\"metrics\":{\"a\":1}}]");
    is_answer(&answer, 1, 0, 0, "the same request for real");
    arena_free(arena);
}

static void test_old(struct store_test *test)
{
    struct identity who = store_sender(test->alpha);
    struct arena *arena = arena_new(8u << 20);
    struct store_answer answer;
    const struct str body = STR("[{\"device\":\"age\",\"time\":\"1850-03-01T00:00:00Z\",\"metrics\":{\"a\":1}},"
                                "{\"device\":\"age\",\"time\":\"1987-03-01T00:00:00Z\",\"metrics\":{\"a\":1},"
                                "\"type\":\"x\"},"
                                "{\"device\":\"age\",\"time\":\"2020-02-29T23:59:59Z\",\"metrics\":{\"a\":1}}]");

    answer = store_post_as(test, arena, &who, "/v1/events/batch", body);
    is_int(answer.status, 422, "an ordinary token may not send old times");
    who.is_backfill = true;
    answer = store_post_as(test, arena, &who, "/v1/events/batch?dry_run=1", body);
    is_answer(&answer, 3, 0, 0, "a dry run of other centuries");
    answer = store_post_as(test, arena, &who, "/v1/events/batch", body);
    is_answer(&answer, 3, 0, 0, "backfill may, and partitions are made for it");
    answer = store_post_as(test, arena, &who, "/v1/events/batch", body);
    is_answer(&answer, 0, 3, 0, "and again");
    is_int(samples_of(test, "age"), 3, "three samples");
    arena_free(arena);
}

/* ---- a chunk that lets nobody in ---- */

/* A request on a thread of its own, for it has to wait. */
struct held {
    struct store_test *test;
    const char *body;
    pthread_t thread;
    _Atomic bool is_answered;
    struct store_answer answer;
};

static void *post_held(void *argument)
{
    struct held *held = argument;
    const struct identity who = store_sender(held->test->alpha);
    struct arena *arena = arena_new(8u << 20);

    held->answer =
        store_post_as(held->test, arena, &who, "/v1/events/batch", str_of(held->body));
    atomic_store(&held->is_answered, true);
    arena_free(arena);
    return NULL;
}

/* Waits until one of ingest's sessions waits for a lock; for two seconds at most. */
static bool await_blocked(struct store_test *test)
{
    int64_t until_us = clock_monotonic_us() + 2 * US_PER_SECOND;
    bool is_blocked = false;

    while (!is_blocked && clock_monotonic_us() < until_us) {
        is_blocked = store_count(test, "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                                 " WHERE NOT l.granted AND a.usename = 'tidemark_ingest'") > 0;
    }
    return is_blocked;
}

static void test_locked(struct store_test *test)
{
    static const struct db_query lock = TEST_QUERY(
        "lock", "DO $$ DECLARE part regclass; BEGIN FOR part IN SELECT x.tableoid FROM core.sample x"
        " JOIN core.series s ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id"
        " WHERE d.key = 'ten' UNION SELECT e.tableoid FROM core.event e JOIN core.device d"
        " ON d.id = e.device_id WHERE d.key = 'ten' LOOP"
        " EXECUTE format('LOCK TABLE %s IN EXCLUSIVE MODE', part); END LOOP; END $$", 0, 0);
    long long t = ago_ms(test, 10 * DAY_MS);
    char bodies[2][512];
    struct held held[2];
    struct db_test own; /* what it has lives while others are asked */

    if (!db_test_open(&own)) {
        return;
    }
    struct db_conn *holder = db_conn_new(&(struct db_options){ .url = own.url, .name = "test" });
    (void)store_post(test, test->alpha, "[{\"device\":\"ten\",\"type\":\"x\",\"time\":%lld,"
                     "\"metrics\":{\"a\":1}}]", t);
    struct db_tx *tx = db_test_begin(&own, holder, 0);
    ok(db_run(tx, &lock, NULL, NULL) == OK, "chunks of ten days ago let nobody in");
    (void)snprintf(bodies[0], sizeof bodies[0], "[{\"device\":\"ten-1\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                   "{\"device\":\"ten-2\",\"time\":%lld,\"metrics\":{\"a\":1}},"
                   "{\"device\":\"ten-2\",\"time\":%lld,\"metrics\":{\"a\":1}}]", t, t, ago_ms(test, 0));
    (void)snprintf(bodies[1], sizeof bodies[1], "[{\"device\":\"ten\",\"type\":\"y\",\"time\":%lld}]", t);
    for (int i = 0; i < 2; i++) {
        held[i] = (struct held){ .test = test, .body = bodies[i] };
        (void)pthread_create(&held[i].thread, NULL, post_held, &held[i]);
        ok(await_blocked(test), "  who has something for them waits");
    }
    struct store_answer answer = store_post(test, test->beta, "{\"device\":\"now\",\"metrics\":{\"a\":1}}");
    is_answer(&answer, 1, 0, 0, "meanwhile another tenant's reading of now is stored");
    answer = store_post(test, test->beta, "{\"device\":\"now\",\"time\":%lld,\"metrics\":{\"a\":1}}",
                        ago_ms(test, 60000));
    is_answer(&answer, 1, 0, 0, "  and a late one of another day");
    for (int64_t until_us = clock_monotonic_us() + 5 * US_PER_SECOND;
         samples_of(test, "ten-2") == 0 && clock_monotonic_us() < until_us;) {
    }
    is_int(samples_of(test, "ten-2"), 1, "and of the same request what is of now");
    ok(!atomic_load(&held[0].is_answered) && !atomic_load(&held[1].is_answered),
       "while what is for those chunks waits");
    db_rollback(tx);
    for (int i = 0; i < 2; i++) {
        (void)pthread_join(held[i].thread, NULL);
    }
    is_answer(&held[0].answer, 3, 0, 0, "and is stored when they let it in: samples");
    is_answer(&held[1].answer, 1, 0, 0, "  and an event");
    is_int(samples_of(test, "ten-1") + samples_of(test, "ten-2"), 3, "each of them once");
    db_conn_close(holder);
    db_test_close(&own);
}

static void test_large(struct store_test *test)
{
    struct identity who = store_sender(test->alpha);
    struct arena *arena = arena_new(96u << 20);
    struct arena *body_arena = arena_new(32u << 20);
    struct buf body;

    buf_init(&body, body_arena, 16u << 20);
    buf_add_char(&body, '[');
    for (int i = 0; i < 10000; i++) {
        buf_printf(&body, "%s{\"device\":\"big-%d\",\"time\":%lld,\"metrics\":{\"a\":%d,\"b\":%d}}",
                   i ? "," : "", i % 50, ago_ms(test, 100000) + i / 50, i, -i);
    }
    buf_add_char(&body, ']');
    struct store_answer answer =
        store_post_as(test, arena, &who, "/v1/events/batch", buf_str(&body));
    is_answer(&answer, 10000, 0, 0, "10,000 events of 50 devices");
    answer = store_post_as(test, arena, &who, "/v1/events/batch", buf_str(&body));
    is_answer(&answer, 0, 10000, 0, "the same again");
    is_int(store_count(test, "SELECT count(*) FROM core.sample x JOIN core.series s"
                       " ON s.id = x.series_id JOIN core.device d ON d.id = s.device_id"
                       " WHERE d.key LIKE 'big-%%'"), 20000, "20,000 samples");
    arena_free(body_arena);
    arena_free(arena);
}

int main(void)
{
    struct store_test test = { .service = NULL };

    if (!store_open(&test)) {
        return 0;
    }
    test_outcomes(&test);
    test_change_log(&test);
    test_closed(&test);
    test_tenants(&test);
    test_events(&test);
    test_flush(&test);
    test_processes(&test);
    test_registration(&test);
    test_dry_run(&test);
    test_old(&test);
    test_locked(&test);
    test_large(&test);
    store_close(&test);
    return done_testing();
}

/* A running ingest service against a real database, and requests to it. Both URLs come from
 * tests/sql/ingest.t: TIDEMARK_TEST_DATABASE a superuser's, TIDEMARK_TEST_INGEST_URL the role
 * ingest's, both of the same migrated database, with the tenants "alpha" and "beta". */
#ifndef TIDEMARK_TESTS_INGEST_STORE_TEST_H
#define TIDEMARK_TESTS_INGEST_STORE_TEST_H

#include "db_test.h"

#include "base/clock.h"
#include "http/transport.h"
#include "ingest/service.h"

struct store_test {
    struct db_test db;
    struct db_conn *super;
    struct db_options options;
    struct db_pool *pool;
    struct ingest_service *service;
    int32_t alpha, beta;
    int64_t now_us;
};

/* A request's body in memory. */
struct memory_transport {
    struct http_transport transport; /* first */
    const char *query;
    struct str body;
};

static inline const char *memory_variable(struct http_transport *transport, const char *name)
{
    const struct memory_transport *memory = (const struct memory_transport *)(const void *)transport;

    if (strcmp(name, "REQUEST_URI") == 0) {
        return memory->query;
    }
    if (strcmp(name, "REQUEST_METHOD") == 0) {
        return "POST";
    }
    return strcmp(name, "CONTENT_TYPE") == 0 ? "application/json" : NULL;
}

static inline int64_t memory_read(struct http_transport *transport, char *out, size_t cap)
{
    struct memory_transport *memory = (struct memory_transport *)(void *)transport;
    size_t len = memory->body.len < cap ? memory->body.len : cap;

    memcpy(out, memory->body.ptr, len);
    memory->body.ptr += len;
    memory->body.len -= len;
    return (int64_t)len;
}

/* One statement's first value as a number, in a transaction of its own. */
static inline int64_t store_count(struct store_test *test, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline int64_t store_count(struct store_test *test, const char *format, ...)
{
    static const char *const columns[] = { "n" };
    char sql[1024];
    struct db_query query = { .name = "count", .sql = sql, .roles = "super", .columns = columns,
                              .n_columns = 1, .n_params = 0 };
    struct db_rows *rows;
    va_list args;

    va_start(args, format);
    (void)vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    struct db_tx *tx = db_test_begin(&test->db, test->super, 0);
    int64_t value = -1;
    if (db_run(tx, &query, NULL, &rows) == OK && db_count(rows) > 0) {
        value = db_int64(rows, 0, 0);
    } else {
        diag("%s: %s", sql, test->db.op.fault.detail);
    }
    db_rollback(tx);
    db_test_reset(&test->db);
    return value;
}

static inline void store_start(struct store_test *test, size_t queue_bytes)
{
    const struct ingest_options options = { .db = test->options, .pool = test->pool,
                                            .raw_days = 90, .queue_bytes = queue_bytes };
    test->service = ingest_start(&options);
    if (!test->service) {
        printf("Bail out! the service does not start\n");
        exit(1);
    }
}

static inline void store_restart(struct store_test *test)
{
    ingest_stop(test->service, 10000);
    store_start(test, QUEUE_MAX_BYTES);
}

static inline bool store_open(struct store_test *test)
{
    const char *url = getenv("TIDEMARK_TEST_INGEST_URL");

    if (!url) {
        printf("1..0 # SKIP needs a migrated database in TIDEMARK_TEST_INGEST_URL; "
               "tests/sql/ingest.t gives it one\n");
        return false;
    }
    if (!db_test_open(&test->db)) {
        return false;
    }
    /* nothing prepared by name: statements are made up as needed */
    test->super = db_conn_new(&(struct db_options){ .url = test->db.url, .name = "test" });
    test->options = (struct db_options){ .url = url, .name = "test ingest", .is_prepared = true,
                                         .statement_timeout_ms = 20000 };
    test->pool = db_pool_new(&test->options, 4);
    test->alpha = (int32_t)store_count(test, "SELECT id::int8 FROM core.tenant WHERE slug = 'alpha'");
    test->beta = (int32_t)store_count(test, "SELECT id::int8 FROM core.tenant WHERE slug = 'beta'");
    test->now_us = clock_now_us();
    store_start(test, QUEUE_MAX_BYTES);
    return true;
}

static inline void store_close(struct store_test *test)
{
    ingest_stop(test->service, 10000);
    db_pool_free(test->pool);
    db_conn_close(test->super);
    db_test_close(&test->db);
}

static inline struct identity store_sender(int32_t tenant_id)
{
    return (struct identity){ .kind = IDENTITY_DEVICE, .tenant_id = tenant_id,
                              .may_register = true };
}

struct store_answer {
    enum err err;
    int status;
    int64_t accepted, duplicates, updated, rejected;
    char body[2048]; /* or the failure's detail */
};

static inline int64_t store_member(const char *body, const char *name)
{
    const char *at = strstr(body, name);
    return at ? strtoll(at + strlen(name), NULL, 10) : -1;
}

/* Posts a body (a list, or one event object) in an arena that is reset before. */
static inline struct store_answer store_post_as(struct store_test *test, struct arena *arena,
                                                const struct identity *who, const char *query,
                                                struct str body)
{
    struct memory_transport transport = { .transport = { .variable = memory_variable, .read = memory_read },
                                          .query = query, .body = body };
    struct store_answer answer = { .status = 0 };
    struct http_request request;
    struct http_response response;
    struct op op;

    arena_reset(arena);
    op_init(&op, arena, "test");
    http_response_init(&response, arena);
    answer.err = http_request_init(&request, &op, &transport.transport);
    if (!answer.err) {
        struct ingest_pending *pending;
        answer.err = ingest_begin(test->service, &request, who,
                                  body.ptr[0] == '[' ? &ingest_format_events
                                                     : &ingest_format_event,
                                  NULL, &pending);
        answer.err = answer.err ? answer.err : ingest_end(test->service, pending, &response);
    }
    struct str said = answer.err ? str_of(op.fault.detail) : buf_str(&response.body);
    (void)snprintf(answer.body, sizeof answer.body, "%.*s", (int)said.len, said.ptr);
    answer.status = response.status;
    answer.accepted = store_member(answer.body, "\"accepted\":");
    answer.duplicates = store_member(answer.body, "\"duplicates\":");
    answer.updated = store_member(answer.body, "\"updated\":");
    answer.rejected = store_member(answer.body, "\"rejected\":");
    return answer;
}

static inline struct store_answer store_post(struct store_test *test, int32_t tenant_id,
                                             const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline struct store_answer store_post(struct store_test *test, int32_t tenant_id,
                                             const char *format, ...)
{
    const struct identity who = store_sender(tenant_id);
    struct arena *arena = arena_new(96u << 20);
    static char body[1u << 20];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(body, sizeof body, format, args);
    va_end(args);
    struct store_answer answer =
        store_post_as(test, arena, &who, "/v1/events/batch", (struct str){ body, (size_t)len });
    arena_free(arena);
    return answer;
}

/* Checks an answer's counts; on a failure shows it. */
static inline bool is_answer(const struct store_answer *answer, int64_t accepted,
                             int64_t duplicates, int64_t updated, const char *name)
{
    bool is_right = !answer->err && answer->accepted == accepted &&
                    answer->duplicates == duplicates && answer->updated == updated;
    ok(is_right, "%s: %lld accepted, %lld duplicates, %lld updated", name, (long long)accepted,
       (long long)duplicates, (long long)updated);
    if (!is_right) {
        diag("%d %s", (int)answer->err, answer->body);
    }
    return is_right;
}

#endif

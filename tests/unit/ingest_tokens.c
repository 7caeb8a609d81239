/* Tokens that are remembered while the database tells of changes: every way in which one ends is
 * known within seconds, whoever made it and however late it is committed; when nothing can be
 * heard any more, all are asked for again as if nothing were told. Against a real database, see
 * ingest_store_test.h. */
#include "ingest_store_test.h"

#include "auth/token.h"
#include "ingest/name_feed.h"

#define AGE_US (TOKEN_CACHE_AGE_MS * INT64_C(1000))
#define PATIENCE_US (4 * US_PER_SECOND) /* less than TOKEN_CACHE_AGE_MS */

enum { PLAIN, REVOKED, ROTATED, BOUND, PAUSED, ERASED, N_TOKENS };
static const char *const TENANTS[N_TOKENS] = { "still", "still", "still", "still", "paused", "gone" };

struct token_test {
    struct store_test *store;
    struct token_cache *cache;
    struct series_cache *names;
    struct db_conn *conn; /* of the role ingest */
};

static void hash_token(int number, uint8_t hash[CRYPTO_HASH_BYTES])
{
    char text[32];

    (void)snprintf(text, sizeof text, "token of test %d", number);
    crypto_sha256(str_of(text), hash);
}

/* Runs a statement as the superuser, and commits. */
static void run(struct token_test *test, const char *sql)
{
    const struct db_query query = { .name = "test", .sql = sql, .roles = "super" };
    struct db_tx *tx = db_test_begin(&test->store->db, test->store->super, 0);

    enum err err = db_run(tx, &query, NULL, NULL);
    if (err || db_commit(tx)) {
        diag("%s: %s", sql, test->store->db.op.fault.detail);
        ok(false, "the statement runs");
    }
    db_test_reset(&test->store->db);
}

static void make_tokens(struct token_test *test)
{
    char hex[CRYPTO_HEX_SIZE], sql[600];
    uint8_t hash[CRYPTO_HASH_BYTES];

    run(test, "SELECT ops.tenant_add(t, t, 'UTC', 'EUR')"
              " FROM unnest('{still,paused,gone}'::text[]) t");
    for (int i = 0; i < N_TOKENS; i++) {
        hash_token(i, hash);
        crypto_hex(hash, sizeof hash, hex);
        (void)snprintf(sql, sizeof sql,
                       "SELECT ops.token_add('%s', 'device', %s, 't%d', '\\x%s', 'tmk_t%d', NULL,"
                       " false)",
                       TENANTS[i], i == BOUND ? "'bound-1'" : "NULL", i, hex, i);
        run(test, sql);
    }
}

/* Asks the database for the token, as a post does; true when it is one. */
static bool ask(struct token_test *test, int number)
{
    struct identity who = { .kind = IDENTITY_NONE };
    uint8_t hash[CRYPTO_HASH_BYTES];
    struct db_tx *tx = db_test_begin(&test->store->db, test->conn, 0);

    hash_token(number, hash);
    enum err err = token_resolve(test->cache, tx, hash, &who);
    if (err) {
        db_rollback(tx);
    } else {
        err = db_commit(tx);
    }
    db_test_reset(&test->store->db);
    return err == OK && who.kind == IDENTITY_DEVICE;
}

/* True when a post at that time would not have to ask. */
static bool is_known(struct token_test *test, int number, int64_t now_us)
{
    struct identity who;
    uint8_t hash[CRYPTO_HASH_BYTES];

    hash_token(number, hash);
    bool is_found = token_cache_find(test->cache, &test->store->db.op, hash, now_us, &who);
    db_test_reset(&test->store->db);
    return is_found;
}

/* Waits until a post at `at_us` would (not) have to ask. */
static bool await_known(struct token_test *test, int number, bool wanted, int64_t at_us)
{
    int64_t begin_us = clock_monotonic_us();

    while (is_known(test, number, at_us) != wanted) {
        if (clock_monotonic_us() - begin_us > PATIENCE_US) {
            return false;
        }
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = 20000000 }, NULL);
    }
    return true;
}

/* Asks for all tokens until they hold for longer than they would if nothing were told. */
static void hold_all(struct token_test *test)
{
    bool is_held = false;

    for (int round = 0; round < 3 && !is_held; round++) {
        int64_t asked_us = clock_monotonic_us();
        is_held = true;
        for (int i = 0; i < N_TOKENS; i++) {
            is_held &= ask(test, i);
        }
        is_held = is_held && await_known(test, PLAIN, true, asked_us + AGE_US + US_PER_SECOND / 10);
    }
    ok(is_held, "while changes are told a token is not asked for again after some seconds");
}

/* The token has to be asked for again, soon, and then is (not) good. */
static void is_told(struct token_test *test, int number, bool is_good, const char *about)
{
    ok(await_known(test, number, false, clock_monotonic_us()) && ask(test, number) == is_good,
       "%s is known within seconds", about);
}

static void test_ends(struct token_test *test)
{
    static const struct db_query late = {
        .name = "late", .roles = "super",
        .sql = "UPDATE core.token SET is_backfill = true WHERE prefix = 'tmk_t0'",
    };
    struct db_test *db = &test->store->db;
    struct db_conn *other = db_test_conn(db, 0);
    struct db_tx *tx = db_test_begin(db, other, 0);

    ok(db_run(tx, &late, NULL, NULL) == OK, "a token is changed by a transaction that goes on");
    run(test, "SELECT ops.token_revoke('still', 'tmk_t1')");
    run(test, "UPDATE core.token SET old_hash = hash, old_until = now() + interval '1 hour',"
              " hash = sha256('another') WHERE prefix = 'tmk_t2'");
    run(test, "UPDATE core.device SET retired_at = now() WHERE key = 'bound-1'");
    run(test, "UPDATE core.tenant SET status = 'suspended' WHERE slug = 'paused'");
    run(test, "SELECT ops.tenant_remove('gone')");
    is_told(test, REVOKED, false, "a revoked token");
    is_told(test, ROTATED, true, "that a secret is a former one");
    is_told(test, BOUND, false, "that the device of a token was retired");
    is_told(test, PAUSED, false, "that a tenant is suspended");
    is_told(test, ERASED, false, "that a tenant was erased");
    ok(is_known(test, PLAIN, clock_monotonic_us()), "what did not change is still known");
    ok(db_commit(tx) == OK, "the transaction that went on ends");
    is_told(test, PLAIN, true, "what it changed");
    db_conn_close(other);
}

static void test_deaf(struct token_test *test)
{
    run(test, "REVOKE EXECUTE ON FUNCTION api.name_changes(text, int) FROM tidemark_ingest");
    int64_t deaf_us = clock_monotonic_us();
    (void)ask(test, PLAIN);
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0,
                          &(struct timespec){ .tv_sec = 1, .tv_nsec = 300000000 }, NULL);
    ok(is_known(test, PLAIN, clock_monotonic_us()), "where changes cannot be heard of a token holds");
    ok(!is_known(test, PLAIN, deaf_us + AGE_US + US_PER_SECOND / 10), "  for some seconds only");
    run(test, "GRANT EXECUTE ON FUNCTION api.name_changes(text, int) TO tidemark_ingest");
    ok(await_known(test, PLAIN, true, deaf_us + AGE_US + US_PER_SECOND / 10), "  until they can");
}

int main(void)
{
    struct store_test store = { .service = NULL };
    struct token_test test = { .store = &store };

    if (!store_open(&store)) {
        return 0;
    }
    test.cache = token_cache_new(64);
    test.names = series_cache_new(64);
    test.conn = db_conn_new(&store.options);
    make_tokens(&test);
    struct name_feed *feed = name_feed_start(&store.options, test.names, test.cache);
    hold_all(&test);
    test_ends(&test);
    test_deaf(&test);
    name_feed_stop(feed);
    db_conn_close(test.conn);
    series_cache_free(test.names);
    token_cache_free(test.cache);
    store_close(&store);
    return done_testing();
}

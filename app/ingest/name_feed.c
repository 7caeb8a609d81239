/* The feed: asks from where it left off, so that what one answer misses the next one brings. When
 * that is no longer to be had (asked too late, or the database may be another one), it begins anew.
 * Called by the service. */
#include "ingest/name_feed.h"

#include "auth/token.h"
#include "base/clock.h"
#include "gen/queries.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

/* Changes are kept for a day; long before that nothing is taken for granted. */
#define LONGEST_GAP_US US_PER_HOUR
#define ARENA_BYTES (16u << 20)
#define STATEMENT_TIMEOUT_MS 4000 /* later its answer would be no use */
#define MAX_SNAPSHOT_BYTES 16384 /* two numbers, and one of each transaction under way */

struct name_feed {
    struct arena *arena;
    struct arena *scratch; /* of one answer */
    struct db_conn *conn;
    struct series_cache *names;
    struct token_cache *tokens; /* or NULL */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop;
    bool is_stopping;
    bool is_failing;  /* which was logged */
    char next[MAX_SNAPSHOT_BYTES]; /* what to ask with; "": from now on */
    int64_t heard_us; /* when the last good answer was asked for, monotonic */
};

/* The rows of the changes since the last time. */
static enum err ask(struct name_feed *feed, struct op *op, struct db_rows **rows)
{
    struct db_args args;
    struct db_tx *tx;
    enum err err = db_begin(op, feed->conn, DB_READ, 0, &tx);

    if (err) {
        return err;
    }
    db_args_init(&args, op->arena);
    db_arg_text(&args, feed->next[0] ? feed->next : NULL);
    db_arg_int(&args, NAME_CHANGES_MAX);
    err = db_run(tx, &q_ingest_name_changes, &args, rows);
    db_rollback(tx);
    return err;
}

/* The changes of an answer, sorted by whose they are. */
struct changes {
    struct name_change *names;
    struct token_change *tokens;
    size_t n_names, n_tokens;
};

/* False for a hash that is none, or without memory. */
static bool add_token(struct changes *changes, struct arena *arena, int32_t tenant_id,
                      struct str hex)
{
    uint8_t *hash = arena_alloc(arena, CRYPTO_HASH_BYTES);

    if (!hash || hex.len != 2 * (size_t)CRYPTO_HASH_BYTES ||
        !crypto_hex_decode(hex, hash, CRYPTO_HASH_BYTES)) {
        return false;
    }
    changes->tokens[changes->n_tokens++] = (struct token_change){ tenant_id, hash };
    return true;
}

/* False for a change that cannot be understood, or without memory. */
static bool add_change(struct changes *changes, struct arena *arena, const struct db_rows *rows,
                       int row)
{
    const struct str kind = db_str(rows, row, INGEST_NAME_CHANGES_KIND);
    const struct str key = db_str(rows, row, INGEST_NAME_CHANGES_KEY);
    int32_t tenant_id = db_int(rows, row, INGEST_NAME_CHANGES_TENANT_ID);
    bool is_site = str_equal(kind, STR("site"));

    if (is_site || str_equal(kind, STR("device"))) {
        changes->names[changes->n_names++] = (struct name_change){ tenant_id, is_site, key };
        return true;
    }
    if (str_equal(kind, STR("tenant"))) {
        changes->tokens[changes->n_tokens++] = (struct token_change){ tenant_id, NULL };
        return true;
    }
    return str_equal(kind, STR("token")) && add_token(changes, arena, tenant_id, key);
}

/* Tells the caches. False where that cannot be done. */
static bool tell(const struct name_feed *feed, struct op *op, const struct db_rows *rows,
                 int64_t began_us)
{
    size_t n_rows = (size_t)db_count(rows);
    struct changes changes = {
        .names = arena_array(op->arena, n_rows, sizeof *changes.names),
        .tokens = arena_array(op->arena, n_rows, sizeof *changes.tokens),
    };

    if (!changes.names || !changes.tokens) {
        return false;
    }
    for (int i = 0; i < (int)n_rows; i++) {
        if (!db_is_null(rows, i, INGEST_NAME_CHANGES_KIND) &&
            !add_change(&changes, op->arena, rows, i)) {
            return false;
        }
    }
    series_cache_hear(feed->names, changes.names, changes.n_names, began_us);
    if (feed->tokens) {
        token_cache_hear(feed->tokens, changes.tokens, changes.n_tokens, began_us);
    }
    return true;
}

static void begin_anew(struct name_feed *feed)
{
    series_cache_lose_track(feed->names);
    if (feed->tokens) {
        token_cache_lose_track(feed->tokens);
    }
    feed->next[0] = '\0';
}

/* The oldest transaction under way in a snapshot, which never goes back; 0 for "". */
static int64_t oldest_of(const char *snapshot)
{
    return strtoll(snapshot, NULL, 10);
}

static void ask_once(struct name_feed *feed)
{
    int64_t began_us = clock_monotonic_us();
    struct db_rows *rows;
    struct op op;

    arena_reset(feed->scratch);
    op_init(&op, feed->scratch, "name feed");
    /* a new connection may lead to a database that was restored, or to another server */
    if (feed->next[0] &&
        (!db_conn_is_open(feed->conn) || began_us - feed->heard_us > LONGEST_GAP_US)) {
        begin_anew(feed);
    }
    if (ask(feed, &op, &rows)) {
        if (!feed->is_failing) {
            op_log_fault(&op);
        }
        feed->is_failing = true;
        return;
    }
    feed->is_failing = false;
    struct str next = db_str(rows, 0, INGEST_NAME_CHANGES_NEXT);
    if (oldest_of(next.ptr) < oldest_of(feed->next) || next.len >= sizeof feed->next ||
        db_count(rows) >= NAME_CHANGES_MAX || !tell(feed, &op, rows, began_us)) {
        begin_anew(feed);
        return;
    }
    memcpy(feed->next, next.ptr, next.len + 1);
    feed->heard_us = began_us;
}

/* ---- the thread ---- */

/* Waits for the next turn; false when it is to end. */
static bool wait_for_turn(struct name_feed *feed)
{
    int64_t due_us = clock_monotonic_us() + NAME_CHANGES_INTERVAL_MS * (US_PER_SECOND / 1000);
    struct timespec due = {
        .tv_sec = (time_t)(due_us / US_PER_SECOND),
        .tv_nsec = (long)(due_us % US_PER_SECOND) * 1000,
    };
    int late = 0;

    (void)pthread_mutex_lock(&feed->lock);
    while (!feed->is_stopping && !late) {
        late = pthread_cond_timedwait(&feed->stop, &feed->lock, &due);
    }
    bool is_stopping = feed->is_stopping;
    (void)pthread_mutex_unlock(&feed->lock);
    return !is_stopping;
}

static void *feed_thread(void *context)
{
    do {
        ask_once(context);
    } while (wait_for_turn(context));
    return NULL;
}

static void feed_free(struct name_feed *feed)
{
    db_conn_close(feed->conn);
    arena_free(feed->scratch);
    (void)pthread_mutex_destroy(&feed->lock);
    (void)pthread_cond_destroy(&feed->stop);
    arena_free(feed->arena);
}

struct name_feed *name_feed_start(const struct db_options *options, struct series_cache *names,
                                  struct token_cache *tokens)
{
    struct arena *arena = arena_new(sizeof(struct name_feed) + 64);
    struct name_feed *feed = arena ? arena_alloc(arena, sizeof *feed) : NULL;
    struct db_options own = *options;
    pthread_condattr_t attributes;

    if (!feed) {
        arena_free(arena);
        return NULL;
    }
    own.statement_timeout_ms = STATEMENT_TIMEOUT_MS;
    (void)pthread_mutex_init(&feed->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&feed->stop, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    feed->arena = arena;
    feed->names = names;
    feed->tokens = tokens;
    feed->conn = db_conn_new(&own);
    feed->scratch = arena_new(ARENA_BYTES);
    if (!feed->conn || !feed->scratch ||
        pthread_create(&feed->thread, NULL, feed_thread, feed) != 0) {
        feed_free(feed);
        return NULL;
    }
    return feed;
}

void name_feed_stop(struct name_feed *feed)
{
    if (!feed) {
        return;
    }
    (void)pthread_mutex_lock(&feed->lock);
    feed->is_stopping = true;
    (void)pthread_cond_broadcast(&feed->stop);
    (void)pthread_mutex_unlock(&feed->lock);
    (void)pthread_join(feed->thread, NULL);
    feed_free(feed);
}

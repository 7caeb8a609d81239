/* Lists of samples and of buckets out of the archive hold what the database has of the same days: in
 * windows of few samples, pages of few days and with no patience at all. tests/sql/archive_reach.t
 * fills the database and the store that TIDEMARK_TEST_STORE names, of the tenant 1. */
#include "db_test.h"

#include "archive/reach_fold.h"
#include "archive/reach_parts.h"
#include "objects/kind.h"

#define TENANT 1
#define PAGE 50
#define MAX_PAGES 20000

struct fact {
    int64_t time_us;
    int32_t series_id;
    int64_t count;
    double value, min, max, last;
};

struct facts {
    struct fact *items;
    int n, at, n_wrong;
};

static struct db_test test;
static struct db_conn *conn;
static struct store *store;
static struct arena *lasting;
static const char *const columns[] = { "time", "series", "count", "value", "min", "max", "last" };

#define OF_SERIES "WHERE x.tenant_id = 1 AND x.time < (SELECT until FROM core.archive_cursor WHERE" \
                  " tenant_id = 1 AND relation = 'samples') "

static struct facts ask(const char *sql)
{
    const struct db_query query = { .name = "facts", .sql = sql, .roles = "super",
                                    .columns = columns, .n_columns = 7 };
    struct facts out = { .n = 0 };
    struct db_rows *rows;
    struct db_tx *tx = db_test_begin(&test, conn, TENANT);

    if (db_run(tx, &query, NULL, &rows) != OK) {
        printf("Bail out! %s\n", test.op.fault.detail);
        exit(1);
    }
    out.n = db_count(rows);
    out.items = arena_array(lasting, (size_t)out.n + 1, sizeof *out.items);
    for (int i = 0; i < out.n; i++) {
        out.items[i] = (struct fact){
            db_time(rows, i, 0), db_int(rows, i, 1), db_int64(rows, i, 2), db_double(rows, i, 3),
            db_double(rows, i, 4), db_double(rows, i, 5), db_double(rows, i, 6),
        };
    }
    db_rollback(tx);
    db_test_reset(&test);
    return out;
}

static struct reach *open_reach(const struct reach_setup *limits)
{
    struct reach_setup setup = *limits;
    struct reach *reach = NULL;

    setup.store = store;
    setup.arena = lasting;
    setup.id = "test";
    if (reach_open(&test.op, &setup, &reach) != OK) {
        printf("Bail out! %s\n", test.op.fault.detail);
        exit(1);
    }
    return reach;
}

static bool is_next(struct facts *facts, int64_t time_us, int32_t series_id, double value)
{
    const struct fact *fact = &facts->items[facts->at];
    bool is_same = facts->at < facts->n && fact->time_us == time_us &&
                   fact->series_id == series_id && fact->value == value;

    facts->at += facts->at < facts->n;
    facts->n_wrong += !is_same;
    return is_same;
}

/* ---- what is read of the store ---- */

static struct store_kind counting;
static const struct store_kind *counted;
static struct {
    char key[200];
    int64_t from;
} seen[MAX_PAGES];
static int n_gets, n_again; /* of the latter, which were the same as one before */

static enum err count_get(void *self, struct op *op, const char *key, struct store_range range,
                          store_sink sink, void *context)
{
    int at = 0;

    while (at < n_gets && (seen[at].from != range.from || strcmp(seen[at].key, key) != 0)) {
        at++;
    }
    n_again += at < n_gets;
    if (n_gets < MAX_PAGES) {
        (void)snprintf(seen[n_gets].key, sizeof seen->key, "%s", key);
        seen[n_gets++].from = range.from;
    }
    return counted->get(self, op, key, range, sink, context);
}

static void count_gets(void)
{
    counted = store->kind;
    counting = *counted;
    counting.get = count_get;
    store->kind = &counting;
}

/* ---- samples ---- */

/* Reads a page; false: there are no more. */
static bool read_page(struct reach *reach, struct reach_span *span, struct facts *facts)
{
    struct reach_sample sample;
    enum reach_state state = REACH_END;
    bool is_any;
    struct db_tx *tx = db_test_begin(&test, conn, TENANT);
    enum err err = reach_begin(reach, tx, span, &is_any);

    for (int n = 0; err == OK && n < PAGE; n++) {
        err = reach_next(reach, &sample, &state);
        if (err != OK || state == REACH_END) {
            break;
        }
        span->is_after = true;
        span->after_us = sample.time_us;
        span->after_series = sample.series_id;
        if (state == REACH_LATE) {
            break;
        }
        is_next(facts, sample.time_us, sample.series_id, sample.value);
    }
    if (err != OK) {
        diag("%s", test.op.fault.detail);
        facts->n_wrong++;
    }
    db_rollback(tx);
    db_test_reset(&test);
    return err == OK && state != REACH_END;
}

static void test_samples(struct facts *facts, const struct reach_setup *limits, bool is_kept)
{
    struct reach_span span = { .from_us = INT64_C(0), .to_us = INT64_C(4102444800000000) };
    struct reach *reach = NULL;
    int n = 0;

    facts->at = facts->n_wrong = 0;
    do {
        if (!is_kept || reach == NULL) {
            arena_reset(lasting);
            reach = open_reach(limits);
        }
    } while (read_page(reach, &span, facts) && n++ < MAX_PAGES);
    arena_reset(lasting);
    is_int(facts->n_wrong, 0, "windows of %zu, %d days, patience %lld, %s: none is wrong",
           limits->window, limits->max_days, (long long)limits->patience_us,
           is_kept ? "one reach" : "a reach for each page");
    is_int(facts->at, facts->n, "  and all are there");
}

/* ---- buckets ---- */

static void take_buckets(const struct reach_buckets *page, struct facts *facts)
{
    for (int i = 0; i < page->n; i++) {
        const struct reach_bucket *bucket = &page->items[i];
        const struct fact *fact = &facts->items[facts->at];
        if (is_next(facts, bucket->start_us, bucket->series_id, bucket->first)) {
            facts->n_wrong += fact->count != bucket->count || fact->min != bucket->min ||
                              fact->max != bucket->max || fact->last != bucket->last;
        }
    }
}

/* Reads all pages; each is given so long, and longer where that was not enough for a bucket. How many
 * were refused. is_kept: by one reach, as those of a stream. */
static void read_buckets(const char *grain, struct facts *facts, struct reach_setup limits,
                         bool is_kept, int *n_refused)
{
    const int64_t first_patience_us = limits.patience_us;
    struct reach *reach = NULL;
    struct reach_fold fold = { .grain = grain, .zone_name = "UTC", .limit = is_kept ? 9 : 40,
                               .from_us = INT64_C(946684800000000),
                               .to_us = INT64_C(4102444800000000),
                               .end_us = INT64_C(4102444800000000) };
    struct reach_buckets page = { .n = 0 };
    bool is_more = true;

    facts->at = facts->n_wrong = *n_refused = 0;
    for (int n = 0; is_more && n < MAX_PAGES; n++) {
        if (!is_kept || reach == NULL) {
            arena_reset(lasting);
            reach = open_reach(&limits);
        }
        struct db_tx *tx = db_test_begin(&test, conn, TENANT);
        enum err err = reach_fold_list(reach, tx, &fold, &page);
        if (err == ERR_INVALID) {
            ++*n_refused;
            limits.patience_us = 2 * limits.patience_us + 1000;
        } else if (err == OK) {
            limits.patience_us = first_patience_us;
            is_more = page.is_late || page.n == fold.limit;
            page.n -= is_kept && page.n == fold.limit; /* it only shows that there are more */
            take_buckets(&page, facts);
            fold.is_after = true;
            fold.after_us = page.is_late ? page.late_us - 1 : fold.after_us;
            fold.after_series = INT32_MAX;
            if (!page.is_late && page.n > 0) {
                fold.after_us = page.items[page.n - 1].start_us;
                fold.after_series = page.items[page.n - 1].series_id;
            }
        } else {
            diag("%s", test.op.fault.detail);
            facts->n_wrong++;
            is_more = false;
        }
        db_rollback(tx);
        db_test_reset(&test);
    }
    arena_reset(lasting);
}

static void test_buckets(const char *grain, struct facts *facts)
{
    const struct reach_setup calm = { .window = 7, .patience_us = 60 * US_PER_SECOND };
    const struct reach_setup wide = { .window = 300, .patience_us = 60 * US_PER_SECOND }; /* less than a day */
    const struct reach_setup hurried = { .window = 1000, .patience_us = 0 };
    int n_refused;

    n_gets = n_again = 0;
    read_buckets(grain, facts, wide, true, &n_refused);
    is_int(facts->n_wrong, 0, "%s: pages of one answer: no bucket is wrong", grain);
    is_int(facts->at, facts->n, "  all are there");
    ok(n_gets > 20, "  out of files");
    is_int(n_again, 0, "  of which nothing is read twice");
    read_buckets(grain, facts, calm, false, &n_refused);
    is_int(facts->n_wrong, 0, "%s: with time no bucket is wrong", grain);
    is_int(facts->at, facts->n, "  all are there");
    is_int(n_refused, 0, "  and none is refused");
    read_buckets(grain, facts, hurried, false, &n_refused);
    is_int(facts->n_wrong, 0, "%s: in a hurry no bucket is wrong", grain);
    is_int(facts->at, facts->n, "  all are there");
    ok(n_refused > 0, "  when what takes too long was refused");
}

/* ---- what is void ---- */

#define SPAN 12

/* How often what the reach says differs from what looking at each says. */
static int wrong_voids(struct reach *reach, const struct reach_void *voids, size_t n_voids)
{
    int n_wrong = 0;

    for (int32_t at = 0; at < 3 * 4 * SPAN; at++) {
        const struct reach_sample sample = { .time_us = at % SPAN, .series_id = at / SPAN % 4,
                                             .number = at / SPAN / 4 };
        bool is_void = false;
        for (size_t i = 0; i < n_voids; i++) {
            is_void |= voids[i].number > sample.number && voids[i].series_id == sample.series_id &&
                       voids[i].from_us <= sample.time_us && voids[i].to_us >= sample.time_us;
        }
        n_wrong += reach_is_void(reach, &sample) != is_void;
    }
    return n_wrong;
}

static void test_voids(void)
{
    const struct {
        const char *name;
        int64_t from_us, to_us, then_from_us, then_to_us;
    } cases[] = {
        { "one inside the other", 0, 10, 3, 5 },
        { "one around the other", 3, 5, 0, 10 },
        { "two of one beginning, the shorter first", 2, 4, 2, 9 },
        { "two of one beginning, the longer first", 2, 9, 2, 4 },
        { "two that overlap", 1, 5, 4, 8 },
        { "two that touch", 1, 3, 4, 8 },
        { "two apart", 1, 2, 8, 9 },
    };
    struct reach reach = { .lasting = lasting };
    struct reach_void voids[40];
    int n_wrong = 0;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        voids[0] = (struct reach_void){ 2, 1, cases[i].from_us, cases[i].to_us };
        voids[1] = (struct reach_void){ 2, 1, cases[i].then_from_us, cases[i].then_to_us };
        reach.n_voids = 0;
        ok(reach_void_add(&reach, &voids[0]) && reach_void_add(&reach, &voids[1]), "%s",
           cases[i].name);
        reach_voids_sort(&reach);
        is_int(wrong_voids(&reach, voids, 2), 0, "  void is what either has");
    }
    for (unsigned seed = 1; seed <= 500; seed++) {
        uint32_t state = seed;
        size_t n_voids = seed % (sizeof voids / sizeof *voids);
        reach.n_voids = 0;
        for (size_t i = 0; i < n_voids; i++) {
            int32_t draw[4];
            for (int j = 0; j < 4; j++) {
                state = state * 1664525u + 1013904223u;
                draw[j] = (int32_t)(state >> 20);
            }
            voids[i] = (struct reach_void){ draw[0] % 3, draw[1] % 4, draw[2] % SPAN, 0 };
            voids[i].to_us = voids[i].from_us + draw[3] % 4;
            n_wrong += !reach_void_add(&reach, &voids[i]);
        }
        reach_voids_sort(&reach);
        n_wrong += wrong_voids(&reach, voids, n_voids);
    }
    is_int(n_wrong, 0, "of many at random, of files and series, the same");
}

int main(void)
{
    struct arena *facts_arena;
    struct facts samples, hours, days, months;

    if (!db_test_open(&test)) {
        return 0;
    }
    conn = db_conn_new(&(struct db_options){ .url = test.url, .name = "test" });
    lasting = facts_arena = arena_new(64u << 20);
    if (store_open_folder(&test.op, getenv("TIDEMARK_TEST_STORE"), &store) != OK) {
        printf("Bail out! %s\n", test.op.fault.detail);
        return 1;
    }
    count_gets();
    samples = ask("SELECT x.time, x.series_id, 1::int8, x.value, x.value, x.value, x.value"
                  " FROM core.sample x " OF_SERIES "ORDER BY 1, 2");
#define BUCKETS(unit)                                                                           \
    "SELECT date_trunc('" unit "', x.time, 'UTC'), x.series_id, count(*),"                      \
    " (array_agg(x.value ORDER BY x.time))[1], min(x.value), max(x.value),"                     \
    " (array_agg(x.value ORDER BY x.time DESC))[1] FROM core.sample x " OF_SERIES               \
    "GROUP BY 1, 2 ORDER BY 1, 2"
    hours = ask(BUCKETS("hour"));
    days = ask(BUCKETS("day"));
    months = ask(BUCKETS("month"));
    lasting = arena_new(512u << 20);
    ok(samples.n > 1000, "there are samples");
    test_voids();
    for (int i = 0; i < 16; i++) {
        const struct reach_setup limits = {
            .window = (const size_t[]){ 1, 7, 64, 100000 }[i / 4],
            .max_days = i & 2 ? 2 : 0,
            .patience_us = i & 1 ? 60 * US_PER_SECOND : 0,
        };
        if (limits.window > 1) {
            test_samples(&samples, &limits, true);
            test_samples(&samples, &limits, false);
        }
    }
    test_buckets("1h", &hours);
    test_buckets("1d", &days);
    test_buckets("1mo", &months);
    store_close(store);
    db_conn_close(conn);
    arena_free(lasting);
    arena_free(facts_arena);
    db_test_close(&test);
    return done_testing();
}

/* Buckets and quotas with a clock of the test's own: what a rate lets through at once and later,
 * whose limits are whose, what is put back, and the bounds of the tables. */
#include "ingest_test.h"

#include "base/bucket.h"
#include "ingest/quota.h"

#define SECOND US_PER_SECOND

/* How many of `n` posts a bucket lets through at this time. */
static int take(struct bucket *bucket, int rate, int64_t now_us, int n)
{
    int64_t wait_us;
    int taken = 0;

    for (int i = 0; i < n; i++) {
        taken += bucket_take(bucket, rate, now_us, &wait_us);
    }
    return taken;
}

static void test_bucket(void)
{
    struct bucket bucket = { 0 };
    int64_t start_us = 1000 * SECOND;
    int64_t wait_us = 0;

    is_int(take(&bucket, 5, start_us, 100), 50, "a full bucket holds ten seconds' worth");
    ok(!bucket_take(&bucket, 5, start_us, &wait_us), "then it is empty");
    is_int(wait_us, SECOND / 5, "  and says for how long");
    is_int(take(&bucket, 5, start_us + SECOND / 5 - 1, 1), 0, "until then there is none");
    is_int(take(&bucket, 5, start_us + SECOND / 5, 2), 1, "then one");
    is_int(take(&bucket, 5, start_us + 3 * SECOND, 100), 14, "what flows in can be used later");
    is_int(take(&bucket, 5, start_us + 1000 * SECOND, 100), 50, "but it never holds more");
    bucket_give(&bucket, 5);
    is_int(take(&bucket, 5, start_us + 1000 * SECOND, 100), 1, "what was put back can be taken");
    is_int(take(&bucket, 1, start_us + 5000 * SECOND, 100), 10, "one a second");
    bucket = (struct bucket){ 0 };
    int sum = 0;
    for (int64_t at_us = 0; at_us < 100 * SECOND; at_us += SECOND / 1000) {
        sum += take(&bucket, 7, start_us + at_us, 1);
    }
    ok(sum >= 769 && sum <= 771, "over 100 s a rate of 7 lets 700 and the first 70 through (%d)",
       sum);
    is_int(take(&(struct bucket){ 0 }, BUCKET_MAX_RATE, start_us, 1000), 1000, "the fastest rate");
}

static struct quotas *quotas;

/* Of 200 posts of a token, how many are let in; of the others, when the last was told to return. */
static int posts(struct ingest_test *test, const struct identity *who, int64_t now_us,
                 int *retry_s)
{
    int n = 0;

    for (int i = 0; i < 200; i++) {
        op_clear_fault(&test->op);
        n += quotas_admit(quotas, &test->op, who, now_us, NOW_US, retry_s) == OK;
    }
    return n;
}

static struct identity sender(int32_t tenant_id, int64_t token_id, struct identity_limits limits)
{
    return (struct identity){ .kind = IDENTITY_DEVICE, .tenant_id = tenant_id,
                              .token_id = token_id, .limits = limits };
}

#define OWN IDENTITY_NO_LIMIT_OF_ITS_OWN

static void test_rates(struct ingest_test *test)
{
    static const struct identity_limits defaults = { .request_rate = 10, .token_rate = 4 };
    const struct identity_limits none = { OWN, OWN, OWN, OWN };
    struct identity first = sender(1, 11, none), second = sender(1, 12, none);
    struct identity third = sender(1, 13, none), other = sender(2, 21, none);
    struct identity free = sender(3, 31, (struct identity_limits){ 0 });
    struct identity own = sender(4, 41, (struct identity_limits){ 3, 0, OWN, OWN });
    int64_t now_us = 50 * SECOND;
    int retry_s = 0;

    quotas = quotas_new(&defaults);
    is_int(posts(test, &first, now_us, &retry_s), 40, "a token has its rate");
    is_int(retry_s, 1, "  and is told when to return");
    is_int(test->op.fault.code, ERR_RATE_LIMITED, "  as a limit of its rate");
    is_str(test->op.fault.detail, "More than 4 posts a second of this token.", "  in words");
    is_int(posts(test, &second, now_us, &retry_s), 40, "another token of the tenant its own");
    is_int(posts(test, &third, now_us, &retry_s), 20, "until the tenant's is used up");
    is_str(test->op.fault.detail, "More than 10 posts a second of this tenant.", "  in words");
    is_int(posts(test, &other, now_us, &retry_s), 40, "another tenant does not feel it");
    is_int(posts(test, &third, now_us + SECOND, &retry_s), 10,
           "what the tenant refused did not cost the token");
    is_int(posts(test, &free, now_us, &retry_s), 200, "a tenant may be free of limits");
    is_int(posts(test, &own, now_us, &retry_s), 30, "or have its own");
    quotas_undo(quotas, &own);
    is_int(posts(test, &own, now_us, &retry_s), 1, "what was for nothing is put back");
    ok(quotas_refused(quotas, QUOTA_TOKEN_RATE) > 0 && quotas_refused(quotas, QUOTA_REQUEST_RATE) > 0,
       "refusals are counted by limit");
    const struct identity_limits holds = quotas_limits(quotas, &own.limits);
    ok(holds.request_rate == 3 && holds.token_rate == 0 && holds.max_series == 0,
       "a tenant's own limit, none of its own, the installation's");
    ok(quotas_limits(NULL, &own.limits).request_rate == 0, "without quotas there are none");
}

static struct ingest_columns *rows(struct ingest_test *test, int n, uint8_t outcome)
{
    struct ingest_columns *columns = columns_new(&test->op, &test->rules);
    struct ingest_draft *draft = columns_begin(columns, 0);
    char name[16];

    draft->device = STR("d");
    draft->data = STR("{}");
    for (int i = 0; i < n; i++) {
        (void)snprintf(name, sizeof name, "m%d", i);
        ok(columns_metric(columns, str_of(arena_copy(test->arena, str_of(name))), STR(""), 1),
           "a metric");
    }
    columns_end(columns);
    columns->events[0].outcome = outcome;
    return columns;
}

static void test_rows(struct ingest_test *test)
{
    static const struct identity_limits defaults = { .rows_per_day = 8 };
    const struct identity who = sender(9, 1, (struct identity_limits){ OWN, OWN, OWN, OWN });
    const struct identity rich = sender(9, 1, (struct identity_limits){ OWN, OWN, OWN, 1000 });
    int retry_s = 0;

    quotas = quotas_new(&defaults);
    quotas_count(quotas, 9, rows(test, 3, INGEST_NEW));
    quotas_count(quotas, 9, rows(test, 3, 0));
    is_int(posts(test, &who, 0, &retry_s), 200, "three samples and an event: four rows of eight");
    quotas_count(quotas, 9, rows(test, 3, INGEST_UPDATED));
    is_int(posts(test, &who, 0, &retry_s), 0, "what replaces counts, what is there already does not");
    ok(retry_s >= 1, "whoever is refused is told to return (%d s)", retry_s);
    is_int(posts(test, &rich, 0, &retry_s), 200, "a quota that is raised holds at once");
    quotas_count(NULL, 9, rows(test, 1, INGEST_NEW));
    ok(!quotas_is_full(quotas, 9, 5), "a tenant has room for series");
    quotas_note_full(quotas, 9, 5);
    ok(quotas_is_full(quotas, 9, 6) && !quotas_is_full(quotas, 10, 6), "until it has not");
    ok(!quotas_is_full(quotas, 9, 5 + 5 * SECOND), "which is looked at again soon");
    ok(!quotas_is_full(NULL, 9, 6), "without quotas nobody is full");
}

/* More tenants and tokens than there are places: memory stays what it was, and nobody crashes. */
static void test_bounds(struct ingest_test *test)
{
    static const struct identity_limits defaults = { .request_rate = 1, .token_rate = 1 };
    struct identity who = sender(0, 0, (struct identity_limits){ OWN, OWN, OWN, OWN });
    int64_t wait_us = 7 * SECOND;
    int n_admitted = 0, retry_s;

    quotas = quotas_new(&defaults);
    for (int32_t i = 1; i <= 100000; i++) {
        who.token_id = i;
        who.tenant_id = i % 20000 + 1;
        op_clear_fault(&test->op);
        n_admitted += quotas_admit(quotas, &test->op, &who, wait_us, NOW_US, &retry_s) == OK;
    }
    is_int(n_admitted, 100000, "a hundred thousand tokens of twenty thousand tenants");
    quotas = quotas_new(&(struct identity_limits){ .request_rate = 1 });
    for (who.tenant_id = 1; who.tenant_id < 100000; who.tenant_id++) {
        (void)!quotas_admit(quotas, &test->op, &who, wait_us, NOW_US, &retry_s);
    }
    is_int(posts(test, &who, wait_us, &retry_s), 10, "the limits of the hundred thousandth tenant hold");
    who.tenant_id--;
    is_int(posts(test, &who, wait_us, &retry_s), 9, "  and those of the one before, who has posted");
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_bucket();
    test_rates(&test);
    test_rows(&test);
    test_bounds(&test);
    ingest_test_close(&test);
    return done_testing();
}

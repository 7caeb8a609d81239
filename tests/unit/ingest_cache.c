/* The bounded map and the series cache: what is found again, what is forgotten and when, whose
 * numbers are whose, and how writers share a series' times between them. */
#include "ingest_test.h"

#include "ingest/map.h"
#include "ingest/series_cache.h"

#include <malloc.h>

static struct str number_key(char buffer[16], int i)
{
    return (struct str){ buffer, (size_t)snprintf(buffer, 16, "key-%d", i) };
}

static void test_map(void)
{
    struct ingest_map *map = ingest_map_new(1000);
    char buffer[16];
    int n_found = 0;

    ok(ingest_map_find(map, STR("a")) == NULL, "an empty map holds nothing");
    ingest_map_put(map, STR("a"), (struct ingest_map_value){ 1, 2, 3 });
    ingest_map_put(map, STR(""), (struct ingest_map_value){ 0, 9, 0 });
    is_int(ingest_map_find(map, STR("a"))->id, 2, "what was put is found");
    is_int(ingest_map_find(map, STR(""))->id, 9, "under the empty key too");
    ok(ingest_map_find(map, STR("a\0b")) == NULL, "a longer key is another one");
    ingest_map_put(map, STR("a"), (struct ingest_map_value){ 1, 4, 3 });
    is_int(ingest_map_find(map, STR("a"))->id, 4, "putting again replaces");
    ingest_map_find(map, STR("a"))->id = 5;
    is_int(ingest_map_find(map, STR("a"))->id, 5, "a value may be changed in place");

    for (int i = 0; i < 20000; i++) {
        ingest_map_put(map, number_key(buffer, i), (struct ingest_map_value){ 0, i, 0 });
        if (ingest_map_find(map, STR("a")) == NULL) {
            n_found--;
        }
    }
    is_int(n_found, 0, "what is asked for all the time is never forgotten");
    ok(ingest_map_count(map) <= 1000, "the map never outgrows its bound");
    for (int i = 0; i < 20000; i++) {
        const struct ingest_map_value *value = ingest_map_find(map, number_key(buffer, i));
        n_found += value != NULL;
        if (value && value->id != i) {
            ok(false, "key-%d has its own value", i);
        }
    }
    ok(n_found >= 400 && n_found <= 1000, "the newest entries are there, the oldest are not (%d)",
       n_found);
    ok(ingest_map_find(map, STR("key-19999")) != NULL, "the very last one is");
    ingest_map_free(map);
    ingest_map_free(NULL);
}

/* A key as long as a series of Prometheus has: device, metric and labels. */
static struct str long_key(char buffer[301], int i)
{
    memset(buffer, 'x', 300);
    (void)snprintf(buffer + 290, 11, "%010u", (unsigned)i);
    return (struct str){ buffer, 300 };
}

static size_t bytes_in_use(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void test_long_keys(void)
{
    const int n = 300000;
    size_t before = bytes_in_use();
    struct ingest_map *map = ingest_map_new(SERIES_CACHE_MAX);
    char buffer[301];
    int n_found = 0;

    for (int i = 0; i < n; i++) {
        ingest_map_put(map, long_key(buffer, i), (struct ingest_map_value){ 0, i, 0 });
    }
    for (int i = 0; i < n; i++) {
        const struct ingest_map_value *value = ingest_map_find(map, long_key(buffer, i));
        n_found += value && value->id == i;
    }
    size_t bytes = bytes_in_use() - before;
    is_int(n_found, n, "300,000 keys of 300 bytes are all known by their own values");
    ok(bytes <= (32u << 20), "in 32 MiB (%zu bytes)", bytes);
    ingest_map_free(map);
}

/* Columns of one event with the metrics a and b. */
static struct ingest_columns *columns_of(struct ingest_test *test, const char *device)
{
    struct ingest_columns *columns = columns_new(&test->op, &test->rules);
    struct ingest_draft *draft = columns_begin(columns, 0);

    draft->device = str_of(device);
    draft->site = STR("roof");
    ok(columns_metric(columns, STR("a"), STR(""), 1) &&
           columns_metric(columns, STR("a"), STR("{\"x\":1}"), 1) &&
           columns_metric(columns, STR("b"), STR(""), 1),
       "three metrics of %s, two with one name", device);
    columns_end(columns);
    return columns;
}

static void test_names(struct ingest_test *test)
{
    struct series_cache *cache = series_cache_new(1000);
    struct ingest_columns *columns = columns_of(test, "d");
    int64_t now_us = 100 * US_PER_SECOND;
    const int64_t age_us = NAME_CACHE_AGE_MS * INT64_C(1000);

    is_int((int64_t)columns->n_series, 3, "labels make a series of their own");
    is_int((int64_t)series_cache_find_devices(cache, 1, columns, now_us), 1, "nothing is known");
    is_int((int64_t)series_cache_find_series(cache, 1, columns), 0,
           "series of a device without a number are not looked for");
    columns->devices[0].id = 7;
    columns->devices[0].site_id = 3;
    columns->sites[0].id = 4;
    is_int((int64_t)series_cache_find_series(cache, 1, columns), 3, "its series are missing");
    for (int i = 0; i < 3; i++) {
        columns->series[i].id = 20 + i;
        series_cache_put_series(cache, 1, 7, &columns->series[i], 1000);
    }
    series_cache_put_device(cache, 1, &columns->devices[0], now_us);
    series_cache_put_site(cache, 1, &columns->sites[0], now_us);

    struct ingest_columns *again = columns_of(test, "d");
    is_int((int64_t)series_cache_find_devices(cache, 1, again, now_us + age_us / 2), 0,
           "a device is known for a while");
    is_int(again->devices[0].id, 7, "  by its number");
    is_int(again->devices[0].site_id, 3, "  and its site");
    is_int((int64_t)series_cache_find_sites(cache, 1, again, now_us), 0, "so is the site named");
    is_int((int64_t)series_cache_find_series(cache, 1, again), 0, "and its series");
    ok(again->series[0].id == 20 && again->series[1].id == 21 && again->series[2].id == 22,
       "  each by its own number");

    again = columns_of(test, "d");
    is_int((int64_t)series_cache_find_devices(cache, 1, again, now_us + age_us), 1,
           "then it is asked for again: it may be gone");
    again = columns_of(test, "d");
    is_int((int64_t)series_cache_find_devices(cache, 2, again, now_us), 1,
           "another tenant's device of that name is another one");
    again->devices[0].id = 7;
    is_int((int64_t)series_cache_find_series(cache, 2, again), 3,
           "  and even with its number another tenant finds no series");
    again->devices[0].id = 8;
    is_int((int64_t)series_cache_find_series(cache, 1, again), 3,
           "a device registered anew under its name has new series");
    series_cache_forget_devices(cache, 1, again);
    again->devices[0].id = 0;
    is_int((int64_t)series_cache_find_devices(cache, 1, again, now_us), 1,
           "a device can be made to be asked for");
    series_cache_free(cache);
    series_cache_free(NULL);
}

/* Whether the cache knows device d and its site, as a request at that time would find. */
static bool knows(struct ingest_test *test, struct series_cache *cache, int64_t now_us)
{
    struct ingest_columns *columns = columns_of(test, "d");
    bool has_device = series_cache_find_devices(cache, 1, columns, now_us) == 0;
    bool has_site = series_cache_find_sites(cache, 1, columns, now_us) == 0;

    if (has_device != has_site) {
        ok(false, "device and site are known together");
    }
    return has_device && has_site;
}

static void learn(struct ingest_test *test, struct series_cache *cache, int64_t asked_us)
{
    struct ingest_columns *columns = columns_of(test, "d");

    columns->devices[0].id = 7;
    columns->sites[0].id = 4;
    series_cache_put_device(cache, 1, &columns->devices[0], asked_us);
    series_cache_put_site(cache, 1, &columns->sites[0], asked_us);
}

static void test_changes(struct ingest_test *test)
{
    const int64_t age_us = NAME_CACHE_AGE_MS * INT64_C(1000);
    const int64_t long_us = NAME_CACHE_LONG_MS * INT64_C(1000);
    const struct name_change device = { 1, false, STR("d") };
    const struct name_change both[] = { device, { 1, true, STR("roof") } };
    const struct name_change others[] = { { 2, false, STR("d") }, { 1, true, STR("d") },
                                          { 1, false, STR("roof") } };
    struct series_cache *cache = series_cache_new(1000);
    int64_t begin_us = clock_monotonic_us();

    learn(test, cache, begin_us - 1);
    series_cache_hear(cache, NULL, 0, begin_us);
    ok(!knows(test, cache, begin_us + age_us),
       "what was asked for before changes were listened to holds for seconds");
    int64_t asked_us = clock_monotonic_us() + 1; /* later than all that was heard so far */
    learn(test, cache, asked_us);
    ok(knows(test, cache, begin_us + age_us - 1), "what was asked for since holds");
    ok(!knows(test, cache, begin_us + age_us), "  unless nothing was heard for some seconds");
    series_cache_hear(cache, NULL, 0, begin_us + age_us);
    ok(knows(test, cache, begin_us + age_us), "  until something is");
    series_cache_hear(cache, others, 3, begin_us + age_us);
    ok(knows(test, cache, begin_us + age_us), "a change of another one is no change");
    series_cache_hear(cache, NULL, 0, asked_us + long_us);
    ok(!knows(test, cache, asked_us + long_us), "nothing holds for ever");
    series_cache_hear(cache, both, 2, begin_us + age_us);
    ok(!knows(test, cache, begin_us + age_us), "what changed has to be asked for");
    learn(test, cache, asked_us - 1);
    ok(!knows(test, cache, begin_us + age_us),
       "and is not taken from who asked before the change was told");
    asked_us = clock_monotonic_us() + 1;
    learn(test, cache, asked_us);
    ok(knows(test, cache, begin_us + age_us), "who asks afterwards is believed");
    series_cache_lose_track(cache);
    ok(knows(test, cache, asked_us + 1) && !knows(test, cache, asked_us + age_us),
       "without the changes all hold for seconds again");
    series_cache_hear(cache, NULL, 0, asked_us + age_us);
    ok(!knows(test, cache, asked_us + age_us), "  also when they are listened to anew");
    series_cache_free(cache);
}

static void test_claims(struct ingest_test *test)
{
    struct series_cache *cache = series_cache_new(1000);
    struct ingest_columns *columns = columns_of(test, "d");
    struct ingest_series *series = &columns->series[0];

    series->id = 20;
    struct series_claim claim = { .series = series, .tenant_id = 1, .device_id = 7,
                                  .newest_us = 500 };
    series_cache_claim(cache, &claim, 1);
    ok(claim.last_us == INT64_MAX, "of a series that is not known nothing can be claimed");
    series_cache_put_series(cache, 1, 7, series, 100);
    series_cache_claim(cache, &claim, 1);
    is_int(claim.last_us, 100, "else what is newer than its last sample");
    series_cache_claim(cache, &claim, 1);
    is_int(claim.last_us, 500, "and nobody else can any more");
    claim.newest_us = 300;
    series_cache_claim(cache, &claim, 1);
    claim.newest_us = 600;
    series_cache_claim(cache, &claim, 1);
    is_int(claim.last_us, 500, "an older claim moves nothing back");
    series_cache_put_series(cache, 1, 7, series, 50);
    series_cache_claim(cache, &claim, 1);
    is_int(claim.last_us, 600, "nor does asking the database again");
    series_cache_put_series(cache, 1, 7, series, 900);
    series_cache_claim(cache, &claim, 1);
    is_int(claim.last_us, 900, "unless it knows more");
    claim.tenant_id = 2;
    series_cache_claim(cache, &claim, 1);
    ok(claim.last_us == INT64_MAX, "another tenant claims nothing of it");
    series_cache_free(cache);
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_map();
    test_long_keys();
    test_names(&test);
    test_changes(&test);
    test_claims(&test);
    ingest_test_close(&test);
    return done_testing();
}

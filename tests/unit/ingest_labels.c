/* Labels of a reading: what names the device is taken out, the rest is a JSON object in order. */
#include "ingest_test.h"

#include "ingest/labels.h"

static void test_order(struct ingest_test *test)
{
    struct ingest_labels labels = { .n = 0 };
    struct str text;

    ok(labels_write(&labels, test->arena, &text) && text.len == 0, "none are nothing");
    ok(labels_add(&labels, STR("zone"), STR("b")) && labels_add(&labels, STR("host"), STR("pi")) &&
           labels_add(&labels, STR("a"), STR("say \"hi\"")) && labels_add(&labels, STR("zon"), STR("é")),
       "four are added");
    ok(str_equal(labels_take(&labels, "host"), STR("pi")), "one is taken");
    ok(labels_take(&labels, "host").ptr == NULL, "once");
    ok(str_equal(labels_find(&labels, "zone"), STR("b")), "one is looked at");
    ok(labels_write(&labels, test->arena, &text), "the rest is written");
    is_view(text, "{\"a\":\"say \\\"hi\\\"\",\"zon\":\"é\",\"zone\":\"b\"}", "sorted by their bytes");
}

static void test_repeats(struct ingest_test *test)
{
    struct ingest_labels labels = { .n = 0 };
    struct str text;

    ok(labels_add(&labels, STR("a"), STR("1")) && labels_add(&labels, STR("a"), STR("2")) &&
           labels_add(&labels, STR("b"), STR("1")) && labels_add(&labels, STR("b"), STR("")) &&
           labels_add(&labels, STR("c"), STR("")),
       "given twice, and emptied");
    ok(labels_write(&labels, test->arena, &text), "written");
    is_view(text, "{\"a\":\"2\"}", "the last value counts, an empty one is none");
}

static void test_bound(struct ingest_test *test)
{
    static char names[MAX_LABELS + 1][16];
    struct ingest_labels labels = { .n = 0 };
    bool has_all = true;

    (void)test;
    for (int i = 0; i < MAX_LABELS; i++) {
        snprintf(names[i], sizeof names[i], "l%d", i);
        has_all = labels_add(&labels, str_of(names[i]), STR("x")) && has_all;
    }
    ok(has_all, "as many as there is room for");
    ok(!labels_add(&labels, STR("more"), STR("x")), "and no more");
    ok(labels_add(&labels, STR("l0"), STR("y")), "but those there may change");
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_order(&test);
    test_repeats(&test);
    test_bound(&test);
    ingest_test_close(&test);
    return done_testing();
}

/* What is kept of what is rejected: no token in whatever place, and no more than there may be
 * between two writes. The database is tests/http/rejects.t's. */
#include "ingest_test.h"

#include "ingest/ledger.h"
#include "ingest/redact.h"

/* Of a request whose own token was tmk_ and these 32 digits. */
#define KEY "0123456789abcdef0123456789abcdef"
#define CROSSED "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

struct redact_case {
    const char *what;
    bool is_form;
    const char *text, *expected;
};

static const struct redact_case CASES[] = {
    { "text without a token stays", false, "{\"device\":\"m\"}", "{\"device\":\"m\"}" },
    { "the request's own token", false, "a tmk_" KEY " b", "a tmk_" CROSSED " b" },
    { "without its prefix", false, "key=" KEY "&x", "key=" CROSSED "&x" },
    { "twice", false, KEY KEY, CROSSED CROSSED },
    { "somebody else's", false, "[\"tmk_AZaz09-_\",1]", "[\"tmk_xxxxxxxx\",1]" },
    { "a prefix at the end", false, "tmk_", "tmk_" },
    { "a part of the key is none", false, "0123456789abcdef", "0123456789abcdef" },
    { "no field of what is no form", false, "apikey=short", "apikey=short" },
    { "a key of a form, whatever it is", true, "apikey=short&node=1", "apikey=xxxxx&node=1" },
    { "an escaped name", true, "%61pikey=short&node=1", "%61pikey=xxxxx&node=1" },
    { "an escaped token", true, "note=%74mk_abc&node=1", "note=xxxxxxxxx&node=1" },
    { "a token in a field", true, "data=1,tmk_abc,2", "data=1,tmk_xxx,2" },
    { "a name that cannot be read", true, "%zz=short", "%zz=xxxxx" },
    { "a value that cannot be read", true, "data=50%&n=1", "data=50%&n=1" },
    { "fields without values", true, "apikey&&=&apikey=", "apikey&&=&apikey=" },
    { "PVOutput's key", true, "key=short&d=1", "key=xxxxx&d=1" },
};

static struct redact redact_for(struct ingest_test *test, bool is_form)
{
    return (struct redact){ .arena = test->arena, .key = STR(KEY), .is_form = is_form,
                            .places = CREDENTIAL_IN_EMONCMS | CREDENTIAL_IN_PVOUTPUT };
}

static void is_text(struct str got, struct str expected, const char *name)
{
    if (!ok(str_equal(got, expected), "%s", name)) {
        diag("got %.*s", (int)got.len, got.ptr);
    }
}

static void test_tokens(struct ingest_test *test)
{
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const struct redact redact = redact_for(test, CASES[i].is_form);
        is_text(redact_body(&redact, str_of(CASES[i].text), 8192), str_of(CASES[i].expected),
                CASES[i].what);
        ingest_test_reset(test);
    }
}

static void test_parts(struct ingest_test *test)
{
    struct redact redact = redact_for(test, false);

    redact.is_multipart = true;
    is_text(redact_body(&redact,
                        STR("--b\r\nContent-Disposition: form-data; name=\"PASSWORD\"\r\n\r\nsesame"
                            "\r\n--b\r\nContent-Disposition: form-data; name=\"X\"\r\n\r\ny\r\n--b--"),
                        8192),
            STR("--b\r\nContent-Disposition: form-data; name=\"PASSWORD\"\r\n\r\nxxxxxx"
                "\r\n--b\r\nContent-Disposition: form-data; name=\"X\"\r\n\r\ny\r\n--b--"),
            "a gateway's password");
    is_text(redact_body(&redact, STR("name=\"PASSWORD\"\r\n\r\nses"), 8192),
            STR("name=\"PASSWORD\"\r\n\r\nxxx"), "one that was cut");
    is_text(redact_body(&redact, STR("name=\"PASSWORD\"\r\n"), 8192),
            STR("name=\"PASSWORD\"\r\n"), "and one that never came");
}

/* Wherever the cut falls, nothing of the token before it is left. */
static void test_cuts(struct ingest_test *test)
{
    static const char text[] = "apikey is " KEY " or tmk_" KEY ".";
    static const char expected[] = "apikey is " CROSSED " or tmk_" CROSSED ".";
    const struct redact redact = redact_for(test, false);
    int n_wrong = 0;

    for (size_t max = 0; max <= sizeof text; max++) {
        struct str kept = redact_item(&redact, str_of(text), max);
        size_t len = max < sizeof text - 1 ? max : sizeof text - 1;
        n_wrong += !str_equal(kept, (struct str){ expected, len });
    }
    ok(n_wrong == 0, "a cut through a token leaves none of it");
}

static void test_parameters(struct ingest_test *test)
{
    static const struct {
        const char *name, *value;
        bool is_credential;
    } cases[] = {
        { "p", "x", true }, { "u", "x", true }, { "apikey", "x", true }, { "key", "x", true },
        { "node", "x", false }, { "db", "tmk_x", true }, { "db", KEY, true }, { KEY, "", true },
        { "data", "1", false },
    };
    struct redact redact = redact_for(test, false);

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ok(redact_is_credential(&redact, str_of(cases[i].name), str_of(cases[i].value)) ==
               cases[i].is_credential,
           "%s=%s %s kept", cases[i].name, cases[i].value, cases[i].is_credential ? "is not" : "is");
    }
    redact.places = CREDENTIAL_IN_HEADERS;
    ok(!redact_is_credential(&redact, STR("key"), STR("x")), "key is PVOutput's alone");
}

/* Without a database: nothing is written, what is open must not grow. */
static void test_bounds(struct ingest_test *test)
{
    const struct db_options options = { .url = "postgresql:///none?host=/nonexistent",
                                        .name = "test" };
    const size_t n = LEDGER_MAX_REJECTS / 2 + 500;
    struct ingest_reject *rejects = arena_array(test->arena, n, sizeof *rejects);
    char *text = arena_alloc(test->arena, MAX_REJECT_BYTES * 1000);
    struct ingest_ledger *ledger = ingest_ledger_start(&options);

    if (!ok(ledger && rejects && text, "the ledger starts without a database")) {
        return;
    }
    memset(text, 'x', MAX_REJECT_BYTES * 1000);
    for (size_t i = 0; i < n; i++) {
        rejects[i] = (struct ingest_reject){ .tenant_id = 1, .text = STR("x") };
    }
    ingest_ledger_keep(ledger, rejects, n);
    struct ledger_counts counts = ingest_ledger_counts(ledger);
    ok(counts.kept == LEDGER_MAX_REJECTS / 2 && counts.dropped == 500,
       "a tenant keeps half of what there may be between two writes");
    for (size_t i = 0; i < 1000; i++) {
        rejects[i] = (struct ingest_reject){
            .tenant_id = 2, .text = { text + i * MAX_REJECT_BYTES, MAX_REJECT_BYTES } };
    }
    ingest_ledger_keep(ledger, rejects, 1000);
    uint64_t kept = ingest_ledger_counts(ledger).kept - counts.kept;
    ok(kept > 400 && kept <= LEDGER_MAX_REJECT_BYTES / 2 / MAX_REJECT_BYTES,
       "of long ones half the bytes");
    ok(ingest_ledger_counts(ledger).dropped == 500 + 1000 - kept, "the others are counted");
    kept = ingest_ledger_counts(ledger).kept;
    size_t n_whole = 0;
    for (; n_whole < 8; n_whole++) {
        rejects[n_whole] = (struct ingest_reject){ .tenant_id = 3, .n_items = 100, .item = -1,
                                                   .text = { text, MAX_REJECT_WHOLE_BYTES } };
    }
    for (size_t i = 0; i < n_whole; i++) {
        ingest_ledger_keep(ledger, &rejects[i], 1);
    }
    counts = ingest_ledger_counts(ledger);
    ok(counts.kept - kept <= 700 && (counts.kept - kept) % 100 == 0,
       "of bodies kept whole there are less, each for its items");
    ok(counts.kept + counts.dropped == LEDGER_MAX_REJECTS / 2 + 500 + 1000 + 800,
       "and the others' items are counted");
    ingest_ledger_stop(ledger);
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    log_open(LOG_ERROR + 1, LOG_LOGFMT, "test");
    test_tokens(&test);
    test_parts(&test);
    test_cuts(&test);
    test_parameters(&test);
    test_bounds(&test);
    ingest_test_close(&test);
    return done_testing();
}

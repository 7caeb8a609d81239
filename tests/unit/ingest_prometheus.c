/* Prometheus remote write: what is read of a request, what is left out, what is rejected. The
 * bytes were made by protobuf's own encoder (Python's) from Prometheus's prompb/remote.proto and
 * io/prometheus/write/v2/types.proto. */
#include "hex.h"
#include "http_test.h"
#include "ingest_test.h"

/* {what, version, bytes, events}; "!" for a request that is refused as a whole. */
static const struct {
    const char *says;
    int version;
    const char *digits;
    const char *dump;
} requests[] = {
    { "a sample of the label device", 1,
      "0a4a0a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d310a090a0468"
      "6f73741201680a080a036a6f6212016a121009000000000000f83f1098cccfc69f34",
      "m1 @2026-11-20T11:59:59Z power_w{\"host\":\"h\",\"job\":\"j\"}=1.5" },
    { "without it of host", 1,
      "0a4e0a130a085f5f6e616d655f5f1207706f7765725f770a0a0a04686f7374120270690a0f0a08696e73"
      "74616e63651203693a390a080a036a6f6212016a121009000000000000f83f1098cccfc69f34",
      "pi @2026-11-20T11:59:59Z power_w{\"instance\":\"i:9\",\"job\":\"j\"}=1.5" },
    { "without that of instance", 1,
      "0a4f0a130a085f5f6e616d655f5f1207706f7765725f770a190a08696e7374616e6365120d31302e302e"
      "302e353a393130300a0b0a036a6f6212046e6f646512100900000000000000c01098cccfc69f34",
      "10.0.0.5:9100 @2026-11-20T11:59:59Z power_w{\"job\":\"node\"}=-2" },
    { "without that of job", 1,
      "0a340a130a085f5f6e616d655f5f1207706f7765725f770a0b0a036a6f6212046e6f6465121009000000"
      "000000d03f1098cccfc69f34",
      "node @2026-11-20T11:59:59Z power_w=0.25" },
    { "several samples of several series", 1,
      "0a470a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d311210090000"
      "00000000f03f10b0c4cfc69f3412100900000000000000401098cccfc69f340a4b0a1c0a085f5f6e616d"
      "655f5f1210656e657267795f6b77685f746f74616c0a0c0a0664657669636512026d320a0b0a05706861"
      "736512024c311210090000000080842e411098cccfc69f34",
      "m1 @2026-11-20T11:59:58Z power_w=1 | m1 @2026-11-20T11:59:59Z power_w=2 | m2 @2026-1"
      "1-20T11:59:59Z energy_kwh_total{\"phase\":\"L1\"}=1000000" },
    { "milliseconds are kept", 1,
      "0a350a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d311210090000"
      "00000000f03f1092cecfc69f34",
      "m1 @2026-11-20T11:59:59.250Z power_w=1" },
    { "a stale marker and NaN are no samples", 1,
      "0a590a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d311210090200"
      "00000000f07f1098cccfc69f34121009000000000000f87f1097cccfc69f341210090000000000000840"
      "1098cccfc69f34",
      "m1 @2026-11-20T11:59:59Z power_w=3" },
    { "infinity is rejected", 1,
      "0a470a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d311210090000"
      "00000000f07f1098cccfc69f3412100900000000000008401098cccfc69f34",
      "m1 @2026-11-20T11:59:59Z power_w=3 # 0: metric \"power_w\" is not a finite number of"
      " at most 1e100" },
    { "a native histogram is its count and sum", 1,
      "0a85010a150a085f5f6e616d655f5f12096c6174656e63795f730a0c0a0664657669636512026d31222f"
      "080c190000000000803240200229fca9f1d24d62503f30025a0210025a04080210026204020201007898"
      "cccfc69f34221911000000000000044019000000000000f0bf7899cccfc69f3422120801190200000000"
      "00f07f789acccfc69f34",
      "m1 @2026-11-20T11:59:59Z latency_s_count=12 latency_s_sum=18.5 | m1 @2026-11-20T11:5"
      "9:59.001Z latency_s_count=2.5 latency_s_sum=-1" },
    { "metadata alone is nothing", 1,
      "1a0b08011201782201792a017a",
      "" },
    { "other alphabets", 1,
      "0a3c0a160a085f5f6e616d655f5f120ad182d0b5d0bfd0bbd0be0a100a0664657669636512066bc3bc63"
      "6865121009000000000000f03f1098cccfc69f34",
      "küche @2026-11-20T11:59:59Z тепло=1" },
    { "no name", 1,
      "0a200a0c0a0664657669636512026d31121009000000000000f03f1098cccfc69f34",
      "# 0: no label __name__" },
    { "no device", 1,
      "0a340a130a085f5f6e616d655f5f1207706f7765725f770a0b0a05706861736512024c31121009000000"
      "000000f03f1098cccfc69f34",
      "# 0: no device: neither the event names one nor does the token" },
    { "no time is 1970", 1,
      "0a2e0a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d311209090000"
      "00000000f03f",
      "# 0: time is older than raw samples are kept" },
    { "a time beyond years", 1,
      "0a4e0a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d311213090000"
      "00000000f03f10ffffffffffffffff7f121409000000000000f03f1080808080808080808001",
      "# 0: timestamp is out of range # 1: timestamp is out of range" },
    { "a label without a name", 1,
      "0a3a0a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d310a03120178"
      "121009000000000000f03f1098cccfc69f34",
      "# 0: a label has no name" },
    { "a label given twice: the last", 1,
      "0a430a130a085f5f6e616d655f5f1207706f7765725f770a0c0a0664657669636512026d310a0c0a0664"
      "657669636512026d32121009000000000000f03f1098cccfc69f34",
      "m2 @2026-11-20T11:59:59Z power_w=1" },
    { "nothing at all", 1,
      "",
      "" },
    { "labels by reference", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a3d0a06010203040506121009000000000000f83f1098cccfc69f3422140a020102110000000000"
      "00f03f1898cccfc69f342a04080220013093cccfc69f34",
      "m1 @2026-11-20T11:59:59Z power_w{\"phase\":\"L1\"}=1.5" },
    { "several series share symbols", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a4d0a0401020304121009000000000000f03f1098cccfc69f3412100900000000000000401099cc"
      "cfc69f3422140a02010211000000000000f03f1898cccfc69f342a04080220013093cccfc69f342a3b0a"
      "040105030412100900000000000008401098cccfc69f3422140a02010211000000000000f03f1898cccf"
      "c69f342a04080220013093cccfc69f34",
      "m1 @2026-11-20T11:59:59Z power_w=1 | m1 @2026-11-20T11:59:59.001Z power_w=2 | m1 @20"
      "26-11-20T11:59:59Z phase=3" },
    { "a native histogram", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a520a04010203041a27080319000000000000124020697898cccfc69f34820110000000000000f0"
      "3f000000000000004022140a02010211000000000000f03f1898cccfc69f342a04080220013093cccfc6"
      "9f34",
      "m1 @2026-11-20T11:59:59Z power_w_count=3 power_w_sum=4.5" },
    { "a stale marker", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a3b0a0401020304121009020000000000f07f1098cccfc69f3422140a02010211000000000000f0"
      "3f1898cccfc69f342a04080220013093cccfc69f34",
      "" },
    { "references out of order or none", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a3d0a06050603040102121009000000000000f03f1098cccfc69f3422140a020102110000000000"
      "00f03f1898cccfc69f342a04080220013093cccfc69f342a35121009000000000000f03f1098cccfc69f"
      "3422140a02010211000000000000f03f1898cccfc69f342a04080220013093cccfc69f34",
      "m1 @2026-11-20T11:59:59Z power_w{\"phase\":\"L1\"}=1 # 1: no label __name__" },
    { "a reference that is not there", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a390a020107121009000000000000f03f1098cccfc69f3422140a02010211000000000000f03f18"
      "98cccfc69f342a04080220013093cccfc69f34",
      "!" },
    { "half a pair", 2,
      "220022085f5f6e616d655f5f2207706f7765725f77220664657669636522026d31220570686173652202"
      "4c312a3a0a03010203121009000000000000f03f1098cccfc69f3422140a02010211000000000000f03f"
      "1898cccfc69f342a04080220013093cccfc69f34",
      "!" },
    { "no symbols at all", 2,
      "2a390a020102121009000000000000f03f1098cccfc69f3422140a02010211000000000000f03f1898cc"
      "cfc69f342a04080220013093cccfc69f34",
      "!" },
};

static const char *const types[] = {
    "", "application/x-protobuf;proto=prometheus.WriteRequest",
    "application/x-protobuf; proto=\"io.prometheus.write.v2.Request\"",
};

static enum err parse(struct ingest_test *test, const char *type, struct str body,
                      struct ingest_columns **out)
{
    struct fake fake = fake_request("POST", "/api/v1/write");
    struct http_request request;

    ingest_test_reset(test);
    fake_set(&fake, "CONTENT_TYPE", type);
    *out = columns_new(&test->op, &test->rules);
    enum err err = http_request_init(&request, &test->op, &fake.transport);
    return err ? err : ingest_format_prometheus.parse(&request, body, *out);
}

static void check(struct ingest_test *test, const char *type, size_t i)
{
    struct arena *bytes = arena_new(1 << 16);
    struct ingest_columns *columns;
    enum err err = parse(test, type, from_hex(bytes, requests[i].digits), &columns);

    if (requests[i].dump[0] == '!') {
        is_int(err, ERR_MALFORMED, "%s is refused as a whole", requests[i].says);
    } else {
        ok(err == OK, "%s", requests[i].says);
        is_str(ingest_test_dump(test, columns), requests[i].dump, "  is what it should be");
    }
    arena_free(bytes);
}

static void test_requests(struct ingest_test *test)
{
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        check(test, types[requests[i].version], i);
        if (requests[i].digits[0]) {
            check(test, types[0], i); /* the version is seen in the body as well */
        }
    }
}

/* Every way of cutting each request short is refused or reads fewer fields, and none crashes. */
static void test_cuts(struct ingest_test *test)
{
    struct arena *bytes = arena_new(1 << 16);
    struct ingest_columns *columns;
    int n_wrong = 0;

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        size_t len = strlen(requests[i].digits) / 2;
        for (size_t cut = 1; cut < len; cut++) {
            arena_reset(bytes);
            struct str whole = from_hex(bytes, requests[i].digits);
            char *part = malloc(cut);
            memcpy(part, whole.ptr, cut);
            enum err err = parse(test, types[requests[i].version], (struct str){ part, cut }, &columns);
            n_wrong += err != OK && err != ERR_MALFORMED;
            free(part);
        }
    }
    is_int(n_wrong, 0, "cut anywhere, a request is refused or shorter");
    arena_free(bytes);
}

static void test_types(struct ingest_test *test)
{
    static const struct {
        const char *type;
        enum err err;
    } cases[] = {
        { "application/x-protobuf", OK },
        { "application/x-protobuf; charset=utf-8", OK },
        { "application/x-protobuf ; Proto=prometheus.WriteRequest ", OK },
        { "application/x-protobuf;proto=prometheus.writerequest", ERR_MEDIA_TYPE },
        { "application/x-protobuf;proto=io.prometheus.write.v3.Request", ERR_MEDIA_TYPE },
        { "application/x-protobuf;proto=", ERR_MEDIA_TYPE },
        { "application/x-protobuf;proto", ERR_MEDIA_TYPE },
    };
    struct ingest_columns *columns;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        is_int(parse(test, cases[i].type, STR(""), &columns), cases[i].err, "type %s",
               cases[i].type);
    }
}

/* The sender of a bound token is that device, whatever host it says it runs on. */
static void test_bound(struct ingest_test *test)
{
    struct arena *bytes = arena_new(1 << 16);
    struct ingest_columns *columns;

    test->rules.device = STR("mine");
    test->rules.is_device_bound = true;
    ok(parse(test, types[1], from_hex(bytes, requests[1].digits), &columns) == OK, "a bound token");
    is_str(ingest_test_dump(test, columns),
           "mine @2026-11-20T11:59:59Z "
           "power_w{\"host\":\"pi\",\"instance\":\"i:9\",\"job\":\"j\"}=1.5",
           "  is its device's, and the labels stay");
    ok(parse(test, types[1], from_hex(bytes, requests[0].digits), &columns) == OK, "but for `device`");
    is_str(ingest_test_dump(test, columns), "# 0: the token is for another device", "  which counts");
    test->rules.device = (struct str){ 0 };
    test->rules.is_device_bound = false;
    arena_free(bytes);
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    test_requests(&test);
    test_cuts(&test);
    test_types(&test);
    test_bound(&test);
    ingest_test_close(&test);
    return done_testing();
}

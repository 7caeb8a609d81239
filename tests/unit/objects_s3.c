/* Signatures as Amazon publishes them, and the XML of S3 servers. */
#include "objects/s3.h"

#include "tap.h"

#include "base/clock.h"

/* "Examples: Signature Calculations in AWS Signature Version 4" of the Amazon S3 API Reference. */
static const struct s3_keys KEYS = { "AKIAIOSFODNN7EXAMPLE",
                                     "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1" };
#define EXAMPLE_HOST "examplebucket.s3.amazonaws.com"
#define EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static struct arena *arena;

static const struct {
    const char *what;
    struct s3_call call;
    const char *names, *signature;
} EXAMPLES[] = {
    { "GET of an object's range",
      { "GET", EXAMPLE_HOST, "/test.txt", { { 0 } }, 0, { { "range", "bytes=0-9" } }, 1, EMPTY_SHA256, 0 },
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41" },
    { "PUT of an object",
      { "PUT", EXAMPLE_HOST, "/test%24file.text", { { 0 } }, 0,
        { { "date", "Fri, 24 May 2013 00:00:00 GMT" }, { "x-amz-storage-class", "REDUCED_REDUNDANCY" } }, 2,
        "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", 0 },
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd" },
    { "GET of a bucket's lifecycle",
      { "GET", EXAMPLE_HOST, "/", { { "lifecycle", "" } }, 1, { { 0 } }, 0, EMPTY_SHA256, 0 },
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543" },
    { "GET of a bucket's list",
      { "GET", EXAMPLE_HOST, "/", { { "prefix", "J" }, { "max-keys", "2" } }, 2, { { 0 } }, 0, EMPTY_SHA256, 0 },
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7" },
};

static int64_t example_time(void)
{
    return clock_join(&(struct clock_fields){ .year = 2013, .month = 5, .day = 24 });
}

static void test_authorization(void)
{
    for (size_t i = 0; i < sizeof EXAMPLES / sizeof EXAMPLES[0]; i++) {
        struct s3_call call = EXAMPLES[i].call;
        char expected[512];

        call.time_us = example_time();
        snprintf(expected, sizeof expected,
                 "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
                 "SignedHeaders=%s,Signature=%s", EXAMPLES[i].names, EXAMPLES[i].signature);
        is_str(s3_authorization(arena, &KEYS, &call), expected, "%s", EXAMPLES[i].what);
    }
}

static void test_presigned(void)
{
    struct s3_call call = { "GET", EXAMPLE_HOST, "/test.txt", { { 0 } }, 0, { { 0 } }, 0, NULL,
                            example_time() };

    is_str(s3_presign(arena, &KEYS, &call, 86400),
           "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
           "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
           "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
           "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
           "a presigned address");
}

static void test_encoding(void)
{
    static const struct {
        const char *text, *path, *value;
    } cases[] = {
        { "a b+c", "a%20b%2Bc", "a%20b%2Bc" },
        { "x/y=1&z?#%", "x/y%3D1%26z%3F%23%25", "x%2Fy%3D1%26z%3F%23%25" },
        { "-._~AZaz09", "-._~AZaz09", "-._~AZaz09" },
        { "ü日", "%C3%BC%E6%97%A5", "%C3%BC%E6%97%A5" },
        { "!*'()", "%21%2A%27%28%29", "%21%2A%27%28%29" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf path, value;
        buf_init(&path, arena, 1000);
        buf_init(&value, arena, 1000);
        s3_encode(&path, str_of(cases[i].text), true);
        s3_encode(&value, str_of(cases[i].text), false);
        is_str(arena_copy(arena, buf_str(&path)), cases[i].path, "in a path: %s", cases[i].text);
        is_str(arena_copy(arena, buf_str(&value)), cases[i].value, "in a query: %s", cases[i].text);
    }
}

/* The reference's own example of ListObjectsV2, with a key that needs escapes. */
static const char LIST[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\n"
    "  <Name>bucket</Name>\n  <Prefix/>\n"
    "  <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>\n"
    "  <KeyCount>2</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>true</IsTruncated>\n"
    "  <Contents><Key>happy &amp; &#34;face&#x22;.jpg</Key><LastModified>2014-11-21T19:40:05.000Z</LastModified>\n"
    "    <ETag>&quot;70ee1738b6b21e2c8a43f3a5ab0eee71&quot;</ETag><Size>11</Size>\n"
    "    <Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner>\n"
    "    <StorageClass>STANDARD</StorageClass></Contents>\n"
    "  <Contents><Key>z</Key><LastModified>2014-11-21T19:40:06Z</LastModified><Size>0</Size></Contents>\n"
    "  <CommonPrefixes><Prefix>photos/</Prefix></CommonPrefixes>\n"
    "</ListBucketResult>";

static void test_list(void)
{
    struct store_page page;

    ok(s3_read_list(arena, STR(LIST), 10, &page) && page.n == 2, "a list of two objects");
    is_str(page.objects[0].key, "happy & \"face\".jpg", "its key without escapes");
    is_int(page.objects[0].size, 11, "its size");
    is_int(page.objects[0].modified_us, INT64_C(1416598805000000), "its time");
    is_str(page.objects[1].key, "z", "the second");
    is_str(page.next, "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=", "and how it goes on");
    ok(!s3_read_list(arena, STR(LIST), 1, &page), "more than were asked for are refused");
    ok(!s3_read_list(arena, (struct str){ LIST, sizeof LIST - 20 }, 10, &page), "a list cut short, too");
    ok(!s3_read_list(arena, STR("<html><body>hello</body></html>"), 10, &page), "or no list at all");
    ok(!s3_read_list(arena, STR("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>"), 10,
                     &page),
       "or one that does not say how it goes on");
    ok(s3_read_list(arena, STR("<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"), 10,
                    &page) && page.n == 0 && !page.next,
       "an empty one is a list");
    ok(!s3_read_list(arena, STR("<ListBucketResult><Contents><Key>a</Key><Size>-1</Size></Contents>"
                                "</ListBucketResult>"), 10, &page),
       "a size that is none");
}

static void test_uploads(void)
{
    static const char text[] =
        "<?xml version='1.0'?><ListMultipartUploadsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
        "<Bucket>b</Bucket><NextUploadIdMarker>x</NextUploadIdMarker><Upload><Key>my/divisor</Key>"
        "<UploadId>XMgbGlrZSBlbHZpbmc</UploadId><Initiator><ID>i</ID></Initiator>"
        "<Initiated>2010-11-10T20:48:33.000Z</Initiated></Upload><IsTruncated>false</IsTruncated>"
        "</ListMultipartUploadsResult>";
    struct s3_upload_page page;

    ok(s3_read_uploads(arena, STR(text), 4, &page) && page.n == 1, "one unfinished upload");
    is_str(page.uploads[0].key, "my/divisor", "of which object");
    is_str(page.uploads[0].id, "XMgbGlrZSBlbHZpbmc", "by which name");
    is_int(page.uploads[0].initiated_us, INT64_C(1289422113000000), "since when");
    ok(!page.next_key && !page.next_id, "there are no others");
    ok(!s3_read_uploads(arena, STR("<Error><Code>x</Code></Error>"), 4, &page), "an error is no list");
    ok(s3_read_uploads(arena, STR("<ListMultipartUploadsResult><NextKeyMarker>my/file</NextKeyMarker>"
                                  "<NextUploadIdMarker>Y</NextUploadIdMarker><IsTruncated>true</IsTruncated>"
                                  "</ListMultipartUploadsResult>"), 4, &page) && page.n == 0, "a list that goes on");
    ok(page.next_key && strcmp(page.next_key, "my/file") == 0 && strcmp(page.next_id, "Y") == 0, "from where");
}

static void test_hosts(void)
{
    static const struct {
        const char *scheme, *host, *expected;
    } cases[] = {
        { "https://", "s3.example:443", "s3.example" }, { "http://", "s3.example:80", "s3.example" },
        { "https://", "s3.example:80", "s3.example:80" }, { "http://", "s3.example:9000", "s3.example:9000" },
        { "https://", "[::1]:443", "[::1]" }, { "https://", "s3.example", "s3.example" },
        { "http://", "s3.example:8080", "s3.example:8080" },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str host = s3_signed_host(cases[i].scheme, str_of(cases[i].host));
        ok(str_equal(host, str_of(cases[i].expected)), "%s%s is signed as %s", cases[i].scheme, cases[i].host,
           cases[i].expected);
    }
}

static void test_errors(void)
{
    struct s3_error error = s3_read_error(
        arena, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\n  <Code>NoSuchKey</Code>\n"
                   "  <Message>The resource you requested does not exist</Message>\n"
                   "  <Resource>/mybucket/myfoto.jpg</Resource>\n</Error>"));

    ok(str_equal(error.code, STR("NoSuchKey")) &&
           str_equal(error.message, STR("The resource you requested does not exist")), "an error");
    ok(s3_read_error(arena, STR("<Error><Code>x</Code>")).code.len == 0, "none that is cut short");
    ok(s3_read_error(arena, STR("<html><Code>x</Code></html>")).code.len == 0, "none in another document");
    ok(s3_read_error(arena, STR("")).code.len == 0, "none in nothing");
    ok(str_equal(s3_read_text(arena, STR("<A><UploadId>a&lt;b</UploadId></A>"), "UploadId"), STR("a<b")),
       "the text of an element");
    ok(!s3_read_text(arena, STR("<A/>"), "UploadId").ptr, "which there is not");
}

int main(void)
{
    arena = arena_new(16u << 20);
    if (!arena || !crypto_open()) {
        return 1;
    }
    test_authorization();
    test_presigned();
    test_encoding();
    test_list();
    test_uploads();
    test_hosts();
    test_errors();
    arena_free(arena);
    return done_testing();
}

/* AcquiSuite's uploads: the log of its user manual ("Log File Format"), form fields and boundary of a
 * socket dump in Obvius' HTTP upload kit (post-acquisuite.txt, post-acquilite.txt), packed by
 * Python's gzip, sums by md5sum. */
#include "convention_test.h"
#include "hex.h"

#include "base/md5.h"
#include "http/multipart.h"

#define TYPE "multipart/form-data; boundary=MIME_BOUNDRY_MIME_BOUNDRY_MIME_BOUNDRY"
#define LINE "--MIME_BOUNDRY_MIME_BOUNDRY_MIME_BOUNDRY\r\n"
#define LAST "--MIME_BOUNDRY_MIME_BOUNDRY_MIME_BOUNDRY--\r\n"
#define FIELD(name, value) \
    LINE "Content-Disposition: form-data; name=\"" name "\"\r\n\r\n" value "\r\n"
#define FILE_HEAD                                                                              \
    LINE "Content-Disposition: form-data; name=\"LOGFILE\"; "                                  \
         "filename=\"/var/log/modbus/mb-001.43C8484F.log.gz\"\r\n"                             \
         "Content-Type: application/octet-stream;\r\n\r\n"
#define WHO FIELD("SERIALNUMBER", "444D50000879") FIELD("PASSWORD", "password") \
    FIELD("LOOPNAME", "GSM/GPRS Test System")
#define LOG_HEAD FIELD("MODE", "LOGFILEUPLOAD") WHO FIELD("MODBUSIP", "127.0.0.1") \
    FIELD("MODBUSPORT", "502") FIELD("MODBUSDEVICE", "1") FIELD("MODBUSDEVICENAME", "MH Two")

static const char manual[] = "'2002-01-31 18:30:00',0,0,0,-0.00,89.29,39.05,49.11,0,0,0,0\n"
                             "'2002-01-31 18:35:00',0,0,0x02,-0.01,104.24,39.05,49.11,0,0,0,0\n"
                             "'2002-01-31 18:40:00',0,0,0,,87.82,39.05,49.11,0,0,0,0\n"
                             "'2002-01-31 18:45:00',139,,,,,,,,,,\n";
#define MANUAL_MD5 "14d27018c22c4768487babf64501f2e9"
#define MANUAL_GZIP                                                                            \
    "1f8b08000000000002038dcd3b0e80300c03d0bda760eb9246cea722e9c9383e524180986a8fd693ab02da20cd64" \
    "9318860154c26c030314c99a64c9e8e4c922f78a527fb6bff6804e2e2470565ff1fefda6d83974895db762494fca09" \
    "9c96698bd7000000"
#define MANUAL_GZIP_MD5 "ca7f31b8c2dc66c4594ab05cae351de9"
#define MANUAL_DUMP                                                                            \
    "444D50000879-1 @2002-01-31T18:30:00Z point_1=-0 point_2=89.29 point_3=39.05"               \
    " point_4=49.11 point_5=0 point_6=0 point_7=0 point_8=0"                                   \
    " | 444D50000879-1 @2002-01-31T18:35:00Z point_1=-0.01 point_2=104.24 point_3=39.05"        \
    " point_4=49.11 point_5=0 point_6=0 point_7=0 point_8=0 data={\"high_alarm\":\"0x02\"} +row" \
    " | 444D50000879-1 @2002-01-31T18:40:00Z point_2=87.82 point_3=39.05 point_4=49.11 point_5=0" \
    " point_6=0 point_7=0 point_8=0"                                                           \
    " | 444D50000879-1 @2002-01-31T18:45:00Z data={\"error\":\"139\"} +row"

/* What is sent, the file put in between. */
static enum err upload(struct convention_test *test, const char *head, struct str file,
                       const char *tail)
{
    struct buf body;

    convention_begin(test, "POST", "/acquisuite");
    buf_init(&body, test->ingest.arena, 1u << 20);
    buf_add_text(&body, head);
    buf_add_str(&body, file);
    buf_add_text(&body, tail);
    fake_set(&test->fake, "CONTENT_TYPE", TYPE);
    test->fake.body = buf_str(&body);
    return convention_parse(test);
}

static const struct {
    const char *says, *head, *file, *tail;
    enum err err;
    const char *result;
} uploads[] = {
    { "a log as it is", LOG_HEAD FIELD("MD5CHECKSUM", MANUAL_MD5) FILE_HEAD, manual, "\r\n" LAST, OK,
      MANUAL_DUMP },
    { "its sum in capitals", LOG_HEAD FIELD("MD5CHECKSUM", "14D27018C22C4768487BABF64501F2E9") FILE_HEAD,
      manual, "\r\n" LAST, OK, MANUAL_DUMP },
    { "no sum", LOG_HEAD FILE_HEAD, manual, "\r\n" LAST, OK, MANUAL_DUMP },
    { "another sum", LOG_HEAD FIELD("MD5CHECKSUM", MANUAL_GZIP_MD5) FILE_HEAD, manual, "\r\n" LAST,
      ERR_INVALID, "MD5CHECKSUM is not that of LOGFILE" },
    { "AcquiLite's log", LOG_HEAD FILE_HEAD,
      "'2006-01-01 12:00:00',0,0,0,103193,0,,,,13097,0,,,,,,,,101112,0,,,,5443,0,,,,,,,\n"
      "'2006-01-01 12:36:26',161,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n",
      "\r\n" LAST, OK,
      "444D50000879-1 @2006-01-01T12:00:00Z point_1=103193 point_2=0 point_6=13097 point_7=0"
      " point_15=101112 point_16=0 point_20=5443 point_21=0"
      " | 444D50000879-1 @2006-01-01T12:36:26Z data={\"error\":\"161\"} +row" },
    { "NULL, as older ones write it", LOG_HEAD FILE_HEAD, "'2006-01-01 12:00:00',0,0,0,NULL,87.82\n",
      "\r\n" LAST, OK, "444D50000879-1 @2006-01-01T12:00:00Z point_2=87.82" },
    { "blank lines, CRLF, no end of line", LOG_HEAD FILE_HEAD,
      "\r\n'2006-01-01 12:00:00',0,0,0,1\r\n\r\n2006-01-01 12:00:01,0,0x00,0x00,2", "\r\n" LAST, OK,
      "444D50000879-1 @2006-01-01T12:00:00Z point_1=1 | 444D50000879-1 @2006-01-01T12:00:01Z point_1=2" },
    { "bad lines among good ones", LOG_HEAD FILE_HEAD,
      "oops\n'2006-02-30 12:00:00',0,0,0,1\n'2006-01-01 12:00:00',0,0,0,many\n'2006-01-01 12:00:00'\n"
      "'2006-01-01 12:00:00',0,0,0,1e400\n'2006-01-01 12:00:00',0,0,0,7\n",
      "\r\n" LAST, OK,
      "444D50000879-1 @2006-01-01T12:00:00Z point_1=7 # 0: a line does not begin with a time"
      " # 1: a line does not begin with a time # 2: point 1 is not a number"
      " # 3: a line has no values # 4: point 1 is not a number" },
    { "a line without a reading says nothing", LOG_HEAD FILE_HEAD, "'2006-01-01 12:00:00',0,0,0,,,\n",
      "\r\n" LAST, OK, "" },
    { "an empty log", LOG_HEAD FILE_HEAD, "", "\r\n" LAST, OK, "" },
    { "no Modbus device", FIELD("MODE", "LOGFILEUPLOAD") WHO FILE_HEAD, "'2006-01-01 12:00:00',0,0,0,7\n",
      "\r\n" LAST, OK, "444D50000879 @2006-01-01T12:00:00Z point_1=7" },
    { "nobody's log", FIELD("MODE", "LOGFILEUPLOAD") FILE_HEAD, "'2006-01-01 12:00:00',0,0,0,7\n",
      "\r\n" LAST, OK, "# 0: no device: neither the event names one nor does the token" },
    { "no log", LOG_HEAD, "", LAST, ERR_INVALID, "no LOGFILE" },
    { "a status", FIELD("SENDDATATRACE", "YES") FIELD("MODE", "STATUS") WHO FIELD("UPTIME", "271")
      FIELD("PERCENTBLOCKSINUSE", "18") FIELD("ACQUISUITEVERSION", "v01.06.0117b"), "", LAST, OK,
      "444D50000879 type=status data={\"LOOPNAME\":\"GSM/GPRS Test System\","
      "\"UPTIME\":\"271\",\"PERCENTBLOCKSINUSE\":\"18\",\"ACQUISUITEVERSION\":\"v01.06.0117b\"} +row" },
    { "what settings there are", FIELD("SERIALNUMBER", "444D50000879") FIELD("MODE", "CONFIGFILEMANIFEST"),
      "", LAST, OK, "" },
    { "another mode", FIELD("MODE", "FORMAT"), "", LAST, ERR_INVALID, "MODE FORMAT is not known here" },
    { "no mode", WHO, "", LAST, ERR_INVALID, "no MODE" },
    { "a packed log that is damaged", LOG_HEAD FILE_HEAD, "\x1f\x8b oops", "\r\n" LAST, ERR_MALFORMED, NULL },
    { "a form cut short", LOG_HEAD FILE_HEAD, manual, "", ERR_MALFORMED,
      "The form is cut short, or a part of it has no name." },
    { "a part without a name", LINE "Content-Type: text/plain\r\n\r\nx\r\n", "", LAST, ERR_MALFORMED,
      "The form is cut short, or a part of it has no name." },
    { "another boundary", "--x\r\n\r\n--x--\r\n", "", "", ERR_MALFORMED,
      "The form does not begin with its boundary." },
    { "nothing", "", "", "", ERR_MALFORMED, "The form does not begin with its boundary." },
};

static void test_uploads(struct convention_test *test)
{
    for (size_t i = 0; i < sizeof uploads / sizeof *uploads; i++) {
        enum err err = upload(test, uploads[i].head, str_of(uploads[i].file), uploads[i].tail);
        is_int(err, uploads[i].err, "%s: %s", uploads[i].says, err ? "refused" : "read");
        if (uploads[i].result) {
            is_str(convention_result(test, err), uploads[i].result, "  with the right result");
        }
    }
    struct arena *own = arena_new(1u << 16);
    enum err err = upload(test, LOG_HEAD FIELD("MD5CHECKSUM", MANUAL_GZIP_MD5) FILE_HEAD,
                          from_hex(own, MANUAL_GZIP), "\r\n" LAST);
    is_str(convention_result(test, err), MANUAL_DUMP, "a packed log, as AcquiSuite sends it");
    arena_free(own);
}

/* A gateway whose token is for one device. */
static void test_bound(struct convention_test *test)
{
    test->ingest.rules.device = STR("roof");
    test->ingest.rules.is_device_bound = true;
    enum err err = upload(test, LOG_HEAD FILE_HEAD, STR("'2006-01-01 12:00:00',0,0,0,7\n"), "\r\n" LAST);
    is_str(convention_result(test, err), "roof @2006-01-01T12:00:00Z point_1{\"modbus\":\"1\"}=7",
           "a bound token's device has what is behind it as labels");
    test->ingest.rules.device = (struct str){ NULL, 0 };
    test->ingest.rules.is_device_bound = false;
}

static void test_answers(struct convention_test *test)
{
    static const struct ingest_error errors[] = {
        { .index = 1, .code = ERR_INVALID, .field = "point", .detail = "point 1 is not a number" },
    };
    static const struct ingest_outcome stored = { .accepted = 1 },
                                       some = { .accepted = 2, .rejected = 1, .errors = errors, .n_errors = 1 };
    struct op *op = &test->ingest.op;
    enum err err = upload(test, LOG_HEAD FILE_HEAD, str_of(manual), "\r\n" LAST);

    is_str(convention_answer(test, err, &stored), "200 \nSUCCESS\n", "stored: the device deletes its log");
    is_str(convention_answer(test, err, &some),
           "406 FAILURE: 1 rejected, the others are stored; the first: point 1 is not a number\n",
           "not all stored: it keeps its log");
    err = fail(op, ERR_UNAVAILABLE, "the database does not answer");
    const char *answer = convention_answer(test, err, NULL);
    ok(strncmp(answer, "503 FAILURE: ", 13) == 0, "nor does it delete it when the database is away: %s", answer);
    op_clear_fault(op);
    err = fail(op, ERR_MALFORMED, "no");
    is_str(convention_answer(test, err, NULL), "406 FAILURE: no\n", "or when nothing was understood");
}

static void test_lf(void)
{
    struct arena *arena = arena_new(1u << 16);
    struct http_part parts[3];
    struct op op;
    int n;
    const char *body = "preamble\n--b\nContent-Disposition: form-data; name=a\n\n1\r\n--b  \n"
                       "content-disposition: form-data; filename=\"x;y\"; name=\"c\"\n\n\n--b\n"
                       "Content-Disposition: form-data; name=\"d\"\n\n--b2\n--b--";

    op_init(&op, arena, "test");
    is_int(http_read_multipart(&op, STR("Multipart/form-data;charset=x; Boundary=\"b\""), str_of(body), parts,
                               3, &n), OK, "lines that end in LF");
    is_int(n, 3, "three parts");
    ok(str_equal(parts[0].content, STR("1\r")), "a CR is the content's own then");
    ok(str_equal(parts[1].name, STR("c")) && str_equal(parts[1].file_name, STR("x;y")), "quoted parameters");
    ok(parts[1].content.len == 0, "an empty part");
    is_int(http_read_multipart(&op, STR("multipart/form-data; boundary=b"), str_of(body), parts, 2, &n),
           ERR_MALFORMED, "too many parts");
    op_clear_fault(&op);
    is_int(http_read_multipart(&op, STR("multipart/form-data"), str_of(body), parts, 3, &n), ERR_MALFORMED,
           "no boundary");
    arena_free(arena);
}

/* RFC 1321's examples, and lengths around a block by md5sum. */
static void test_md5(void)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "d41d8cd98f00b204e9800998ecf8427e" },
        { "a", "0cc175b9c0f1b6a831c399e269772661" },
        { "abc", "900150983cd24fb0d6963f7d28e17f72" },
        { "message digest", "f96b697d7cb7938d525a2f31aaf161d0" },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
          "57edf4a22be3c955ac49da2e2107b67a" },
        { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "04364420e25c512fd958a70738aa8f72" },
        { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "668a72d5ba17f08e62dabcafad6db14b" },
        { "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "c1bb4f81d892b2d57947682aeb252456" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t sum[MD5_BYTES];
        char hex[MD5_BYTES * 2 + 1];
        md5(str_of(cases[i].text), sum);
        crypto_hex(sum, sizeof sum, hex);
        is_str(hex, cases[i].hex, "MD5 of %zu bytes", strlen(cases[i].text));
    }
}

int main(void)
{
    struct convention_test test = { .format = &ingest_format_acquisuite, .pattern = "/acquisuite" };

    ingest_test_open(&test.ingest);
    test.ingest.rules.oldest_us = INT64_MIN;
    test_uploads(&test);
    test_bound(&test);
    test_answers(&test);
    test_lf();
    test_md5();
    ingest_test_close(&test.ingest);
    return done_testing();
}

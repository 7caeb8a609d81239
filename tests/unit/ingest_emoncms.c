/* emoncms's input/post and input/bulk: the examples of its own documentation (input_methods.php,
 * input_api_obj.php, docs/input_encrypted.md), what emonHub, EmonESP and IoTaWatt send by their
 * sources, and what it does with what is no good. */
#include "convention_test.h"

#define FORM "application/x-www-form-urlencoded"

/* ---- input/post ---- */

static const struct {
    const char *says, *target;
    enum err err;
    const char *result;
} posts[] = {
    /* of emoncms's documentation */
    { "json", "/input/post?json={power:200}", OK, "0 power=200" },
    { "csv is named by its places", "/input/post?csv=100,200,300", OK, "0 1=100 2=200 3=300" },
    { "a node", "/input/post?node=1&csv=100,200,300", OK, "1 1=100 2=200 3=300" },
    { "a time", "/input/post?time=1795175940&node=1&csv=100", OK, "1 @2026-11-20T11:59:00Z 1=100" },
    { "a named node and several", "/input/post?node=emontx&json={power1:100,power2:200,power3:300}", OK,
      "emontx power1=100 power2=200 power3=300" },
    { "fulljson", "/input/post?node=emontx&fulljson={%22power1%22:100,%22power2%22:200,%22power3%22:300}",
      OK, "emontx power1=100 power2=200 power3=300" },
    { "data", "/input/post?node=emontx&data={power1:100,power2:200,power3:300}", OK,
      "emontx power1=100 power2=200 power3=300" },
    { "the node in the path", "/input/post/emontx?csv=1", OK, "emontx 1=1" },
    { "with .json behind it", "/input/post/emon.tx.json?csv=1", OK, "emon.tx 1=1" },
    { "power(W) is powerW", "/input/post?fulljson={%22power(W)%22:1}", OK, "0 powerW=1" },
    { "a time within fulljson", "/input/post?fulljson={%22time%22:1795175940,%22a%22:1}", OK,
      "0 @2026-11-20T11:59:00Z a=1" },
    { "as ISO 8601", "/input/post?fulljson={%22a%22:1,%22time%22:%222026-11-20T12:59:00%2B01:00%22}", OK,
      "0 @2026-11-20T11:59:00Z a=1" },
    { "the parameter before it", "/input/post?time=1795175941&fulljson={%22time%22:1795175940,%22a%22:1}",
      OK, "0 @2026-11-20T11:59:01Z a=1" },
    /* EmonESP's publisher */
    { "as EmonESP posts",
      "/input/post?fulljson=%7B%22power1%22%3A12%2C%22temp%22%3A-3.5%7D&node=emonesp&apikey=x", OK,
      "emonesp power1=12 temp=-3.5" },
    /* what is loose */
    { "quotes, brackets and blanks mean nothing", "/input/post?json={%22a%22:+100,%20%22b%22:%22-2.5%22}",
      OK, "0 a=100 b=-2.5" },
    { "numbers as they are written", "/input/post?csv=.5,5.,007,1e3,-0", OK,
      "0 1=0.5 2=5 3=7 4=1000 5=-0" },
    { "null and nothing are no values", "/input/post?csv=1,null,,4", OK, "0 1=1 4=4" },
    { "null by name", "/input/post?json={a:null,b:2}", OK, "0 b=2" },
    { "names beyond ASCII", "/input/post?node=k%C3%BCche&json={d%C3%A4mmerung:1}", OK, "küche dämmerung=1" },
    { "only nulls leave nothing", "/input/post?csv=null", OK, "" },
    { "texts in fulljson are the event's data",
      "/input/post?fulljson={%22a%22:%227%22,%22b%22:true,%22state%22:%22on%22,%22n%22:null}", OK,
      "0 a=7 b=1 data={\"state\":\"on\"} +row" },
    { "a name given twice counts once, the last", "/input/post?json={a:1,a:2}", OK, "0 a=2" },
    { "an empty time is now", "/input/post?time=&csv=1", OK, "0 1=1" },
    { "milliseconds", "/input/post?time=1795175940250&csv=1", OK, "0 @2026-11-20T11:59:00.250Z 1=1" },
    /* what is no good, in emoncms's words where it has them */
    { "nothing", "/input/post", ERR_INVALID, "Request contains no data via csv, json or data tag" },
    { "empty data", "/input/post?node=1&csv=", ERR_INVALID,
      "Request contains no data via csv, json or data tag" },
    { "a word for a value", "/input/post?json={a:on}", OK, "# 0: Format error, json value is not numeric" },
    { "a word in csv", "/input/post?csv=1,on", OK, "# 0: Format error: csv value is not numeric" },
    { "nan", "/input/post?json={a:nan}", OK, "# 0: Format error, json value is not numeric" },
    { "no name", "/input/post?json={:1}", OK, "# 0: Format error, json key missing or invalid character" },
    { "two colons", "/input/post?json={a:1:2}", OK, "# 0: Format error, json value is not numeric" },
    { "fulljson that is none", "/input/post?fulljson={a:1}", ERR_MALFORMED,
      "Input in not a valid JSON object: a member's name was expected at byte 1" },
    { "a list", "/input/post?fulljson=[1]", ERR_INVALID, "Input in not a valid JSON object" },
    { "something nested", "/input/post?fulljson={%22a%22:{%22b%22:1}}", ERR_INVALID,
      "Input in not a valid JSON object" },
    { "more behind it", "/input/post?fulljson={}1", ERR_MALFORMED,
      "Input in not a valid JSON object: more after it at byte 2" },
    { "a time that is a word", "/input/post?time=yesterday&csv=1", OK,
      "# 0: time is neither an epoch nor RFC 3339" },
    { "one in fulljson", "/input/post?fulljson={%22time%22:%22soon%22,%22a%22:1}", OK,
      "# 0: time is neither an epoch nor RFC 3339" },
    { "a time of 1970", "/input/post?time=60&csv=1", OK, "# 0: time is older than raw samples are kept" },
    { "a number beyond all", "/input/post?csv=1e400", OK, "# 0: Format error: csv value is not numeric" },
};

static void test_posts(struct convention_test *test)
{
    test->format = &ingest_format_emoncms_post;
    for (size_t i = 0; i < sizeof posts / sizeof *posts; i++) {
        test->pattern = strncmp(posts[i].target, "/input/post/", 12) == 0 ? "/input/post/{node}"
                                                                           : "/input/post";
        convention_begin(test, "GET", posts[i].target);
        enum err err = convention_parse(test);
        is_int(err, posts[i].err, "%s: %s", posts[i].says, err ? "refused" : "read");
        is_str(convention_result(test, err), posts[i].result, "  with the right result");
    }
}

static void test_forms(struct convention_test *test)
{
    static const struct {
        const char *says, *target, *type, *body, *result;
    } forms[] = {
        { "a form", "/input/post", FORM, "node=emontx&json={power:200}", "emontx power=200" },
        { "with a charset", "/input/post", FORM "; charset=UTF-8", "csv=1%2C2", "0 1=1 2=2" },
        { "the query beside it", "/input/post?node=7", FORM, "csv=1", "7 1=1" },
    };
    test->format = &ingest_format_emoncms_post;
    test->pattern = "/input/post";
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        convention_begin(test, "POST", forms[i].target);
        fake_body(&test->fake, forms[i].type, forms[i].body);
        enum err err = convention_parse(test);
        is_str(convention_result(test, err), forms[i].result, "%s", forms[i].says);
    }
}

/* ---- input/bulk ---- */

static const struct {
    const char *says, *query, *body;
    enum err err;
    const char *result;
} bulks[] = {
    /* of emoncms's documentation: now is 12:00:00 */
    { "the last row is now", "", "data=[[0,16,1137],[2,17,1437,3164],[4,19,1412,3077]]", OK,
      "16 @2026-11-20T11:59:56Z 1=1137 | 17 @2026-11-20T11:59:58Z 1=1437 2=3164 | 19 1=1412 2=3077" },
    { "offset: -6 is 16 - 10 seconds after now", "?offset=-10",
      "data=[[-10,16,1137],[-8,17,1437,3164],[-6,19,1412,3077]]", OK,
      "16 1=1137 | 17 @2026-11-20T12:00:02Z 1=1437 2=3164 | 19 @2026-11-20T12:00:04Z 1=1412 2=3077" },
    { "time: -6 is 1387730121", "",
      "data=[[-10,16,1137],[-8,17,1437,3164],[-6,19,1412,3077]]&time=1387730127", OK,
      "16 @2013-12-22T16:35:17Z 1=1137 | 17 @2013-12-22T16:35:19Z 1=1437 2=3164"
      " | 19 @2013-12-22T16:35:21Z 1=1412 2=3077" },
    { "sentat: 543 is now", "", "data=[[520,16,1137],[530,17,1437,3164],[535,19,1412,3077]]&sentat=543", OK,
      "16 @2026-11-20T11:59:37Z 1=1137 | 17 @2026-11-20T11:59:47Z 1=1437 2=3164"
      " | 19 @2026-11-20T11:59:52Z 1=1412 2=3077" },
    { "named inputs", "?time=1795175990", "data=[[4,19,{\"power\":1412}]]", OK,
      "19 @2026-11-20T11:59:54Z power=1412" },
    /* emonHub: absolute times, its clock in sentat */
    { "as emonHub sends, three seconds slow", "?sentat=1795175997",
      "data=%5B%5B1795175970%2C10%2C150%2C250%5D%2C%5B1795175980%2C%22emonpi%22%2C1%5D%5D", OK,
      "10 @2026-11-20T11:59:30Z 1=150 2=250 | emonpi @2026-11-20T11:59:40Z 1=1" },
    { "a minute slow, which is set right", "?sentat=1795175940", "data=[[1795175930,10,1]]", OK,
      "10 @2026-11-20T11:59:50Z 1=1" },
    /* IoTaWatt: time, then rows with null for what is not connected */
    { "as IoTaWatt sends", "",
      "time=1795175900&data=[[10,\"IotaWatt\",229.9,null,1350.0],[20,\"IotaWatt\",230.1,null,-0.4]]",
      OK, "IotaWatt @2026-11-20T11:58:30Z 1=229.9 3=1350 | IotaWatt @2026-11-20T11:58:40Z 1=230.1 3=-0.4" },
    { "rows of nulls leave nothing", "", "time=1795175900&data=[[10,\"a\",null],[20,\"a\",1]]", OK,
      "a @2026-11-20T11:58:40Z 1=1" },
    { "rows of fewer than three are passed over", "?time=1795175900", "data=[[],[1],[2,3],[4,5,6]]", OK,
      "5 @2026-11-20T11:58:24Z 1=6" },
    { "numbers as texts, true, and words", "?time=1795175900", "data=[[\"4\",\"5\",\"6\",true,\"on\"]]", OK,
      "5 @2026-11-20T11:58:24Z 1=6 2=1 data={\"3\":\"on\"} +row" },
    { "names among numbers take no place", "?time=1795175900", "data=[[4,5,1,{\"a\":2},3]]", OK,
      "5 @2026-11-20T11:58:24Z 1=1 a=2 2=3" },
    { "no node is 0", "?time=1795175900", "data=[[4,null,1],[5,\"\",1]]", OK,
      "0 @2026-11-20T11:58:24Z 1=1 | 0 @2026-11-20T11:58:25Z 1=1" },
    { "a node's name is cleaned", "?time=1795175900", "data=[[4,\"house/1\",1]]", OK,
      "house1 @2026-11-20T11:58:24Z 1=1" },
    { "fractions of seconds", "?time=1795175900", "data=[[4.25,5,6]]", OK, "5 @2026-11-20T11:58:24.250Z 1=6" },
    /* compressed: bytes by Python's zlib.compress */
    { "hexadecimal zlib", "?c=1",
      "data=789c0dc8b10d00300803b087321082887a0be2ff378a47cf04d820e5c52468b064885d1705be0b2614f6ee07fa2b0a6a",
      OK, "16 @2026-11-20T11:59:56Z 1=1137 | 17 @2026-11-20T11:59:58Z 1=1437 2=3164 | 19 1=1412 2=3077" },
    /* what is no good */
    { "no data", "", "node=1", ERR_MALFORMED,
      "Format error, json string supplied is not valid (not a list of rows at byte 0)" },
    { "no JSON", "", "data=hello", ERR_MALFORMED,
      "Format error, json string supplied is not valid (a value was expected at byte 0)" },
    { "an object", "", "data={}", ERR_MALFORMED,
      "Format error, json string supplied is not valid (not a list of rows at byte 0)" },
    { "an empty list", "", "data=[]", ERR_MALFORMED,
      "Format error, json string supplied is not valid (not a list of rows at byte 2)" },
    { "a cut list", "", "data=[[0,16,1137],[2,17", ERR_MALFORMED,
      "Format error, json string supplied is not valid (unexpected end at byte 18)" },
    { "nothing in the last row", "", "data=[[0,16,1137],[]]", ERR_INVALID,
      "Format error, last item in bulk data does not contain any data" },
    { "a last row that is none", "", "data=[[0,16,1137],7]", ERR_INVALID,
      "Format error, last item in bulk data does not contain any data" },
    { "a last row without a time", "", "data=[[\"now\",16,1137]]", ERR_INVALID,
      "Format error, the last item has no time" },
    { "a row that is none among others", "?time=1795175900", "data=[7,[0,16,1137]]", OK,
      "16 @2026-11-20T11:58:20Z 1=1137 # 0: Format error, a row is a list" },
    { "a node that is an object", "?time=1795175900", "data=[[0,{},1],[0,16,1137]]", OK,
      "16 @2026-11-20T11:58:20Z 1=1137 # 0: Format error, node must not be an object" },
    { "a value that is a list", "?time=1795175900", "data=[[0,1,[2]],[0,16,1137]]", OK,
      "16 @2026-11-20T11:58:20Z 1=1137 # 0: Format error, a value is a list" },
    { "a time that is a word", "?time=1795175900", "data=[[\"x\",1,2],[0,16,1137]]", OK,
      "16 @2026-11-20T11:58:20Z 1=1137 # 0: Format error, time is not a number of seconds" },
    { "times beyond all", "?time=1795175900", "data=[[1e300,1,2],[0,16,1137]]", OK,
      "16 @2026-11-20T11:58:20Z 1=1137 # 0: Format error, time is not a number of seconds" },
    { "a reference that is a word", "?sentat=soon", "data=[[0,16,1137]]", ERR_INVALID,
      "sentat is not a number of seconds" },
    { "hexadecimal that is none", "?c=1", "data=78zz", ERR_MALFORMED,
      "Format error, compressed hex not valid" },
    { "half a digit", "?c=1", "data=789", ERR_MALFORMED, "Format error, compressed hex not valid" },
    { "hexadecimal of something else", "?c=1", "data=00ff00ff", ERR_MALFORMED, NULL },
};

static void test_bulks(struct convention_test *test)
{
    char target[256];

    test->format = &ingest_format_emoncms_bulk;
    test->pattern = "/emoncms/input/bulk.json";
    test->ingest.rules.oldest_us = INT64_MIN;
    for (size_t i = 0; i < sizeof bulks / sizeof *bulks; i++) {
        (void)snprintf(target, sizeof target, "/emoncms/input/bulk.json%s", bulks[i].query);
        convention_begin(test, "POST", target);
        fake_body(&test->fake, FORM, bulks[i].body);
        enum err err = convention_parse(test);
        is_int(err, bulks[i].err, "%s: %s", bulks[i].says, err ? "refused" : "read");
        if (bulks[i].result) {
            is_str(convention_result(test, err), bulks[i].result, "  with the right result");
        }
    }
}

/* cb=1: Python's zlib.compress of [[1795175970,10,150,250],[1795175980,"emonpi",{"power1":100,
 * "rssi":-67}]] as the body, without a content type, as emonHub's requests.post has it. */
static void test_binary(struct convention_test *test)
{
    static const char body[] =
        "\x78\x9c\x8b\x8e\x36\x34\xb7\x34\x35\x34\x37\xb5\x34\x37\xd0\x31\x04\x22\x53\x03"
        "\x1d\x23\x53\x83\x58\x1d\xb8\xb8\x85\x81\x8e\x52\x6a\x6e\x7e\x5e\x41\xa6\x92\x4e"
        "\xb5\x52\x41\x7e\x79\x6a\x91\xa1\x92\x95\xa1\x01\x50\xb8\xa8\xb8\x38\x53\xc9\x4a"
        "\xd7\xcc\xbc\x36\x36\x16\x00\x90\x67\x13\x1c";

    test->format = &ingest_format_emoncms_bulk;
    test->pattern = "/input/bulk.json";
    convention_begin(test, "POST", "/input/bulk.json?sentat=1795176000&cb=1");
    test->fake.body = (struct str){ body, sizeof body - 1 };
    enum err err = convention_parse(test);
    is_str(convention_result(test, err),
           "10 @2026-11-20T11:59:30Z 1=150 2=250 | emonpi @2026-11-20T11:59:40Z power1=100 rssi=-67",
           "zlib in the body");
    convention_begin(test, "POST", "/input/bulk.json?sentat=1795176000&cb=1");
    test->fake.body = (struct str){ body, sizeof body - 9 };
    is_int(convention_parse(test), ERR_MALFORMED, "cut short, refused");
}

/* ---- tokens and answers ---- */

static void test_bound(struct convention_test *test)
{
    test->format = &ingest_format_emoncms_post;
    test->pattern = "/input/post";
    test->ingest.rules.device = STR("own");
    test->ingest.rules.is_device_bound = true;
    convention_begin(test, "GET", "/input/post?csv=1");
    is_str(convention_result(test, convention_parse(test)), "own 1=1",
           "without a node a bound token's device is meant");
    convention_begin(test, "GET", "/input/post?node=other&csv=1");
    is_str(convention_result(test, convention_parse(test)), "# 0: the token is for another device",
           "another node is not the token's");
    test->ingest.rules.device = (struct str){ NULL, 0 };
    test->ingest.rules.is_device_bound = false;
}

static void test_answers(struct convention_test *test)
{
    static const struct ingest_error errors[] = {
        { .index = 3, .code = ERR_INVALID, .field = "time", .detail = "time is \"odd\"" },
    };
    static const struct ingest_outcome stored = { .accepted = 1 },
                                       none = { .rejected = 1, .errors = errors, .n_errors = 1 },
                                       some = { .accepted = 4, .duplicates = 1, .rejected = 2,
                                                .errors = errors, .n_errors = 1 };

    test->format = &ingest_format_emoncms_post;
    test->pattern = "/input/post";
    convention_begin(test, "GET", "/input/post?csv=1");
    enum err err = convention_parse(test);
    is_str(convention_answer(test, err, &stored), "200 ok", "stored: ok");
    is_str(convention_answer(test, err, &none),
           "200 {\"success\": false, \"message\": \"time is 'odd'\"}", "rejected: why");
    is_str(convention_answer(test, err, &some),
           "200 {\"success\": false, \"message\": \"2 rejected, 5 stored; row 3: time is 'odd'\"}",
           "in part: what of it");
    convention_begin(test, "GET", "/input/post?fulljson={%22a%22:1}");
    err = convention_parse(test);
    is_str(convention_answer(test, err, &stored), "200 {\"success\": true}", "fulljson has its own");
    convention_begin(test, "GET", "/input/post");
    err = convention_parse(test);
    is_str(convention_answer(test, err, &stored),
           "200 {\"success\": false, \"message\": \"Request contains no data via csv, json or data tag\"}",
           "bad data is 200 in emoncms");
    static const struct {
        enum err err;
        const char *answer;
    } failures[] = {
        { ERR_UNAUTHORIZED, "401 Invalid API key" },
        { ERR_FORBIDDEN, "403 {\"success\": false, \"message\": \"x\"}" },
        { ERR_TOO_LARGE, "413 {\"success\": false, \"message\": \"x\"}" },
        { ERR_UNAVAILABLE, "503 {\"success\": false, \"message\": \"The service cannot take this now;"
                           " send it again a little later.\"}" },
    };
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        op_clear_fault(&test->ingest.op);
        err = fail(&test->ingest.op, failures[i].err, "x");
        is_str(convention_answer(test, err, NULL), failures[i].answer, "failure %d has its status",
               failures[i].err);
    }
}

int main(void)
{
    struct convention_test test = { 0 };

    ingest_test_open(&test.ingest);
    test_posts(&test);
    test_forms(&test);
    test_bulks(&test);
    test_binary(&test);
    test_bound(&test);
    test_answers(&test);
    ingest_test_close(&test.ingest);
    return done_testing();
}

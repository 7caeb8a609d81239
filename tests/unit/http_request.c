/* What becomes of a request's target, headers, cookies and body. */
#include "http_test.h"
#include "tap.h"

static struct arena *arena;

static enum err parse(struct fake *fake, struct op *op, struct http_request *request)
{
    arena_reset(arena);
    op_init(op, arena, "test");
    return http_request_init(request, op, &fake->transport);
}

static void test_targets(void)
{
    static const struct {
        const char *target;
        enum err err;
        int n;
        const char *first, *last, *about;
    } cases[] = {
        { "/", OK, 0, "", "", "the root has no segments" },
        { "/v1/devices", OK, 2, "v1", "devices", "segments are split at slashes" },
        { "/v1/a%2Fb", OK, 2, "v1", "a/b", "an escaped slash belongs to its segment" },
        { "/a/%2541", OK, 2, "a", "%41", "a segment is decoded once" },
        { "/a/b+c", OK, 2, "a", "b+c", "a plus in a path is a plus" },
        { "/a//b", OK, 3, "a", "b", "an empty segment counts" },
        { "/a/", OK, 2, "a", "", "so does one at the end" },
        { "/%c3%a4?x=1", OK, 1, "\xc3\xa4", "\xc3\xa4", "UTF-8 is decoded" },
        { "/a/../b", ERR_MALFORMED, 1, "a", "a", "a dot segment is refused" },
        { "/a/%2e%2E", ERR_MALFORMED, 1, "a", "a", "an escaped one too" },
        { "/a/%ff", ERR_MALFORMED, 1, "a", "a", "bytes that are not UTF-8 are refused" },
        { "/a/%00", ERR_MALFORMED, 1, "a", "a", "NUL is refused" },
        { "/a/%4", ERR_MALFORMED, 1, "a", "a", "a short escape is refused" },
        { "/a/%", ERR_MALFORMED, 1, "a", "a", "a bare percent is refused" },
        { "/a/%zz", ERR_MALFORMED, 1, "a", "a", "a false escape is refused" },
        { "*", ERR_MALFORMED, 0, "", "", "a target that is no path is refused" },
        { "", ERR_MALFORMED, 0, "", "", "an empty target is refused" },
        { "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17", ERR_NOT_FOUND, 16, "1", "16",
          "no address is that deep" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request("GET", cases[i].target);
        struct http_request request;
        struct op op;
        bool is_right = parse(&fake, &op, &request) == cases[i].err && request.n_segments == cases[i].n;
        if (is_right && cases[i].n > 0) {
            is_right = str_equal(request.segments[0], str_of(cases[i].first)) &&
                       str_equal(request.segments[cases[i].n - 1], str_of(cases[i].last));
        }
        ok(is_right, "%s: %s", cases[i].target, cases[i].about);
    }
}

static void test_query(void)
{
    struct fake fake = fake_request("GET", "/x?a=1&b=2%263&a=4&c&&d=%c3%a4+e&=f");
    struct http_request request;
    struct op op;

    is_int(parse(&fake, &op, &request), OK, "a query is understood");
    is_view(http_query(&request, "a"), "1", "the first value of a name wins");
    is_view(http_query(&request, "b"), "2&3", "an escaped & is part of the value");
    ok(http_query(&request, "c").ptr && http_query(&request, "c").len == 0,
       "a name without = has an empty value");
    is_view(http_query(&request, "d"), "\xc3\xa4 e", "a plus is a space");
    ok(http_query(&request, "zz").ptr == NULL, "an absent name has none");

    fake = fake_request("GET", "/x?a=%f");
    is_int(parse(&fake, &op, &request), ERR_MALFORMED, "a bad escape in the query is refused");
    fake = fake_request("GET", "/x?1&2&3&4&5&6&7&8&9&10&11&12&13&14&15&16&17&18&19&20&21&22&23&24&25"
                               "&26&27&28&29&30&31&32&33");
    is_int(parse(&fake, &op, &request), ERR_MALFORMED, "more than 32 parameters are refused");
}

static void test_headers(void)
{
    struct fake fake = fake_request("PATCH", "/x");
    struct http_request request;
    struct op op;

    fake_set(&fake, "CONTENT_TYPE", "Text/HTML ; Charset=UTF-8");
    fake_set(&fake, "HTTP_ACCEPT_LANGUAGE", "de");
    fake_set(&fake, "HTTPS", "on");
    fake_set(&fake, "HTTP_COOKIE", "a=1; bb=\"two\";c = 3 ; a=4; d");
    is_int(parse(&fake, &op, &request), OK, "headers are understood");
    is_int(request.method, HTTP_PATCH, "the method is known");
    is_view(request.content_type, "text/html", "the media type is lower case, without parameters");
    is_view(http_header(&request, "Accept-Language"), "de", "a header is found by its name");
    is_view(http_header(&request, "content-type"), "Text/HTML ; Charset=UTF-8", "Content-Type too");
    is_int((int64_t)http_header(&request, "X-None").len, 0, "an absent header is empty");
    ok(request.is_https, "HTTPS=on is https");
    is_view(request.remote_addr, "192.0.2.7", "the client's address is taken over");
    is_view(http_cookie(&request, "a"), "1", "the first cookie of a name wins");
    is_view(http_cookie(&request, "bb"), "two", "quotes are taken off");
    is_view(http_cookie(&request, "c"), "3", "spaces around = are no part of it");
    is_int((int64_t)http_cookie(&request, "b").len, 0, "a name is matched whole");
    is_int((int64_t)http_cookie(&request, "d").len, 0, "a cookie without = is none");

    fake = fake_request("BREW", "/x");
    (void)!parse(&fake, &op, &request);
    is_int(request.method, HTTP_OTHER, "a strange method is other");
}

static void test_bodies(void)
{
    static const struct {
        const char *length, *body;
        bool is_cut;
        enum err err;
        const char *about;
    } cases[] = {
        { "11", "hello world", false, OK, "a body of its announced length is read whole" },
        { NULL, "hello world", false, OK, "so is one of no announced length" },
        { "0", "", false, OK, "an empty body is empty" },
        { NULL, "", false, OK, "an absent body is empty" },
        { "12", "hello world", false, ERR_MALFORMED, "a body shorter than announced is refused" },
        { "11", "hello", true, ERR_MALFORMED, "a cut body is refused" },
        { NULL, "hello", true, ERR_MALFORMED, "a cut chunked body is refused" },
        { "10", "hello world", false, ERR_MALFORMED, "a body longer than announced is refused" },
        { "17", "hello world, hello", false, ERR_TOO_LARGE, "an announced length over the cap is refused" },
        { NULL, "hello world, hello", false, ERR_TOO_LARGE, "an unannounced one too" },
        { "-1", "", false, ERR_MALFORMED, "a negative length is refused" },
        { "1e3", "", false, ERR_MALFORMED, "a length that is no number is refused" },
        { "99999999999999999999", "", false, ERR_MALFORMED, "a length beyond 64 bits is refused" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request("POST", "/x");
        struct http_request request;
        struct op op;
        struct str body = { NULL, 0 };
        if (cases[i].length) {
            fake_set(&fake, "CONTENT_LENGTH", cases[i].length);
        }
        fake.body = str_of(cases[i].body);
        fake.is_cut = cases[i].is_cut;
        enum err err = parse(&fake, &op, &request);
        if (err == OK) {
            err = http_read_body(&request, 16, &body);
        }
        ok(err == cases[i].err && (err != OK || str_equal(body, str_of(cases[i].body))), "%s", cases[i].about);
    }
}

/* Whoever asks for a body that is still to come may ask again. */
static void test_coming(void)
{
    struct fake fake = fake_request("POST", "/x");
    struct http_request request;
    struct str body;
    struct op op;

    fake.body = STR("hello");
    fake.transport.is_coming = true;
    ok(!parse(&fake, &op, &request), "a request whose body is still to come");
    is_int(http_read_decoded_body(&request, 16, &body), ERR_UNAVAILABLE, "  has none yet");
    ok(op.would_wait && fake.body.len == 5, "  which waiting helps, and nothing was read");
    fake.transport.is_coming = false;
    ok(!http_read_decoded_body(&request, 16, &body) && str_equal(body, STR("hello")), "  then it is there");
}

static void test_drain(void)
{
    struct fake fake = fake_request("POST", "/x");
    fake.body = STR("0123456789");
    ok(http_drain_body(&fake.transport, 100), "a body nobody read is dropped");
    is_int((int64_t)fake.body.len, 0, "to its end");
    fake.body = STR("0123456789");
    ok(!http_drain_body(&fake.transport, 3), "but not beyond the cap");
    fake.body = STR("01");
    fake.is_cut = true;
    ok(!http_drain_body(&fake.transport, 100), "a cut one has no end");
}

int main(void)
{
    arena = arena_new(1 << 20);
    test_targets();
    test_query();
    test_headers();
    test_bodies();
    test_coming();
    test_drain();
    arena_free(arena);
    return done_testing();
}

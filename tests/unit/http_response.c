/* Answers byte for byte: problem documents, headers, redirects; and the matching of paths. */
#include "http/response.h"
#include "http/router.h"
#include "http_test.h"
#include "tap.h"

static void test_problems(struct arena *arena)
{
    struct http_response response;
    struct op op;

    arena_reset(arena);
    op_init(&op, arena, "0123");
    http_response_init(&response, arena);
    buf_add_text(&response.body, "half an answer");
    (void)fail(&op, ERR_INVALID, "metric \"a\": not a number");
    http_problem(&response, &op, STR("/v1/event"));
    is_int(response.status, 422, "a failure has its status");
    is_str(response.content_type, "application/problem+json", "and RFC 9457's media type");
    is_view(buf_str(&response.body),
            "{\"type\":\"https://tidemark.dev/problems/invalid\",\"title\":\"Understood, but not valid\","
            "\"status\":422,\"detail\":\"metric \\\"a\\\": not a number\",\"instance\":\"/v1/event\","
            "\"request_id\":\"0123\"}", "the document replaces what was there");

    static const struct http_item_error items[] = { { 3, "time", "is in the future" }, { -1, NULL, "b" } };
    http_problem_items(&response, &op, STR("/"), items, 2);
    const char *tail = "\"request_id\":\"0123\",\"errors\":[{\"index\":3,\"field\":\"time\","
                       "\"detail\":\"is in the future\"},{\"detail\":\"b\"}]}";
    struct str body = buf_str(&response.body);
    ok(body.len > strlen(tail) && memcmp(body.ptr + body.len - strlen(tail), tail, strlen(tail)) == 0,
       "items are listed with what is known of them");
}

static void test_private_details(struct arena *arena)
{
    struct http_response response;
    struct op op;

    arena_reset(arena);
    op_init(&op, arena, "0123");
    http_response_init(&response, arena);
    (void)fail(&op, ERR_INTERNAL, "relation core.secret does not exist");
    http_problem(&response, &op, STR("/"));
    buf_add_char(&response.body, '\0');
    ok(!strstr(response.body.data, "secret"), "a failure of ours does not tell its detail");
    ok(http_response_header(&response, "Retry-After") == NULL, "nor promises anything");

    op_clear_fault(&op);
    http_response_init(&response, arena);
    (void)fail(&op, ERR_UNAVAILABLE, "could not connect to 10.0.0.1");
    http_problem(&response, &op, STR("/"));
    buf_add_char(&response.body, '\0');
    ok(!strstr(response.body.data, "10.0.0.1"), "nor does a failure of the database");
    is_str(http_response_header(&response, "retry-after"), "1", "but it says when to try again");
    http_response_init(&response, arena);
    ok(http_add_header(&response, "Retry-After", "30"), "a handler may say it better");
    http_problem(&response, &op, STR("/"));
    is_str(http_response_header(&response, "Retry-After"), "30", "and is not overruled");
}

static void test_headers(struct arena *arena)
{
    static const struct { const char *to, *location; } redirects[] = {
        { "/devices?a=1", "/devices?a=1" }, { "//evil.example", "/" }, { "/\\evil.example", "/" },
        { "https://evil.example", "/" }, { "/a\r\nSet-Cookie: b", "/" },
    };
    struct http_response response;

    arena_reset(arena);
    http_response_init(&response, arena);
    ok(!http_add_header(&response, "X-A", "b\r\nX-C: d"), "a header's value cannot hold a line end");
    ok(!http_add_header(&response, "X-A", NULL), "nor be missing");
    for (int i = 0; i < HTTP_MAX_HEADERS; i++) {
        (void)!http_add_header(&response, "X-A", "b");
    }
    ok(!http_add_header(&response, "X-A", "b"), "there is room for %d headers", HTTP_MAX_HEADERS);
    for (size_t i = 0; i < sizeof redirects / sizeof redirects[0]; i++) {
        http_response_init(&response, arena);
        http_redirect(&response, redirects[i].to);
        is_str(http_response_header(&response, "Location"), redirects[i].location, "a redirect leads to paths of ours");
    }
    is_int(response.status, 303, "by 303");
    is_str(http_reason(404), "Not Found", "a status has its words");
}

static void test_paths(struct arena *arena)
{
    static const struct { const char *target, *pattern; bool is_match; const char *captured; } cases[] = {
        { "/", "/", true, NULL }, { "/a", "/", false, NULL }, { "/", "/a", false, NULL },
        { "/v1/devices", "/v1/devices", true, NULL }, { "/v1/devices/", "/v1/devices", false, NULL },
        { "/v1/devices/a%2Fb", "/v1/devices/{key}", true, "a/b" },
        { "/v1/devices/", "/v1/devices/{key}", false, NULL },
        { "/v1/devices/a/samples", "/v1/devices/{key}", false, NULL },
        { "/v1/devices/a/samples", "/v1/devices/{key}/samples", true, "a" },
        { "/v1//samples", "/v1/{key}/samples", false, NULL },
        { "/V1/devices", "/v1/devices", false, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request("GET", cases[i].target);
        struct http_request request;
        struct op op;
        arena_reset(arena);
        op_init(&op, arena, "test");
        (void)!http_request_init(&request, &op, &fake.transport);
        bool is_match = http_path_matches(&request, cases[i].pattern);
        ok(is_match == cases[i].is_match, "%s %s %s", cases[i].target, cases[i].is_match ? "is" : "is not",
           cases[i].pattern);
        if (cases[i].captured) {
            is_view(http_capture(&request, "key"), cases[i].captured, "its key is captured, decoded");
        }
    }
}

int main(void)
{
    struct arena *arena = arena_new(4 << 20);
    test_problems(arena);
    test_private_details(arena);
    test_headers(arena);
    test_paths(arena);
    arena_free(arena);
    return done_testing();
}

/* The pipeline without a database: routing, methods, credentials asked for, failures by style,
 * what every answer carries. And the one list of URLs itself. */
#include "auth/token.h"
#include "db/conn.h"
#include "http_test.h"
#include "serve/dispatch.h"
#include "serve/metrics.h"
#include "tap.h"

static struct dispatcher dispatcher;
static struct config config;

static int answer(struct fake *fake, struct http_response *response)
{
    arena_reset(dispatcher.arena);
    int route = dispatch_answer(&dispatcher, &fake->transport, response);
    buf_add_char(&response->body, '\0');
    return route;
}

static void test_answers(void)
{
    static const struct {
        const char *method, *target, *accept;
        int status;
        const char *header, *value, *about;
    } cases[] = {
        { "GET", "/v1/healthz", "", 200, "Cache-Control", "no-store", "a public address answers anybody" },
        { "HEAD", "/v1/healthz", "", 200, NULL, NULL, "HEAD is answered as GET" },
        { "POST", "/v1/healthz", "", 405, "Allow", "GET, HEAD", "a wrong method names the right ones" },
        { "OPTIONS", "/login", "", 405, "Allow", "GET, HEAD, POST", "of all rows of the path" },
        { "BREW", "/v1/healthz", "", 405, NULL, NULL, "an unknown method is a wrong one" },
        { "GET", "/v1/nothing", "text/html", 404, NULL, NULL, "an unknown address below the API" },
        { "GET", "/nothing", "text/html", 404, NULL, NULL, "an unknown address for people" },
        { "GET", "/v1/devices", "", 401, "WWW-Authenticate", "Bearer realm=\"tidemark\"", "no credentials" },
        { "GET", "/devices?a=1&b=%20c", "text/html", 303, "Location", "/login?next=/devices%3Fa%3D1%26b%3D%2520c",
          "a page without a session leads to the login and back" },
        { "POST", "/logout", "text/html", 303, "Location", "/login", "a form without a session does not come back" },
        { "GET", "/", "text/html", 303, "Location", "/login", "nor needs the overview to be named" },
        { "GET", "/v1/devices/%ff", "", 400, NULL, NULL, "a malformed path" },
        { "GET", "/v1/event", "", 404, NULL, NULL, "ingest is another process's" },
        { "GET", "/v1/healthz", "", 200, "X-Request-Id", "0123456789abcdef", "the request's id comes back" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fake fake = fake_request(cases[i].method, cases[i].target);
        struct http_response response;
        fake_set(&fake, "HTTP_ACCEPT", cases[i].accept);
        answer(&fake, &response);
        is_int(response.status, cases[i].status, "%s %s: %s", cases[i].method, cases[i].target, cases[i].about);
        if (cases[i].header) {
            is_str(http_response_header(&response, cases[i].header), cases[i].value, "%s", cases[i].header);
        }
    }
}

static void test_styles(void)
{
    struct fake fake = fake_request("GET", "/nothing");
    struct http_response response;

    fake_set(&fake, "HTTP_ACCEPT", "application/xhtml+xml, Text/HTML;q=0.9, */*");
    answer(&fake, &response);
    is_str(response.content_type, "text/html; charset=utf-8", "a browser reads a page");
    ok(strstr(response.body.data, "0123456789abcdef") != NULL, "that names the request");
    fake = fake_request("GET", "/nothing");
    answer(&fake, &response);
    is_str(response.content_type, "application/problem+json", "a program reads a problem document");
    fake = fake_request("GET", "/v1/healthz");
    fake.variables[2].value = "evil\r\nX: y";
    answer(&fake, &response);
    const char *id = http_response_header(&response, "X-Request-Id");
    ok(id && strlen(id) == 32, "a request id that is none is replaced");
}

static void test_login_form(void)
{
    struct fake fake = fake_request("GET", "/login");
    struct http_response response;

    answer(&fake, &response);
    is_int(response.status, 200, "the login form needs no database");
    ok(strstr(response.body.data, "name=\"csrf\"") != NULL, "it carries a form token");
    fake = fake_request("POST", "/login");
    fake_set(&fake, "CONTENT_TYPE", "application/x-www-form-urlencoded");
    fake.body = STR("email=a%40b&password=c&csrf=forged");
    answer(&fake, &response);
    is_int(response.status, 403, "without which it is refused");
    fake = fake_request("POST", "/login");
    fake_set(&fake, "CONTENT_TYPE", "text/plain");
    answer(&fake, &response);
    is_int(response.status, 415, "a form of another type too");
    fake = fake_request("POST", "/login");
    fake_set(&fake, "CONTENT_TYPE", "application/x-www-form-urlencoded");
    fake_set(&fake, "HTTP_SEC_FETCH_SITE", "cross-site");
    answer(&fake, &response);
    is_int(response.status, 403, "and one that another site sends");
    fake = fake_request("POST", "/login");
    fake_set(&fake, "CONTENT_LENGTH", "1000000");
    answer(&fake, &response);
    is_int(response.status, 413, "and one beyond the limit, unread");
}

/* With a database that is not there. */
static void test_unavailable(void)
{
    struct fake fake = fake_request("GET", "/v1/devices");
    struct http_response response;

    fake_set(&fake, "HTTP_X_API_KEY", "tmk_0123456789abcdef0123456789abcdef");
    answer(&fake, &response);
    is_int(response.status, 503, "a token that cannot be looked up is neither good nor bad");
    is_str(http_response_header(&response, "Retry-After"), "1", "the client is told to try again");
    fake = fake_request("GET", "/v1/devices");
    fake_set(&fake, "HTTP_X_API_KEY", "nonsense");
    answer(&fake, &response);
    is_int(response.status, 401, "what can be no token is refused without asking");
    fake = fake_request("GET", "/v1/readyz");
    answer(&fake, &response);
    is_int(response.status, 503, "not ready without a database");
    fake = fake_request("GET", "/v1/healthz");
    answer(&fake, &response);
    is_int(response.status, 200, "but alive");
}

static void test_metrics(void)
{
    struct fake fake = fake_request("GET", "/v1/healthz");
    struct http_response response;
    int route = answer(&fake, &response);

    metrics_count(dispatcher.metrics, route, 200, 700);
    metrics_count(dispatcher.metrics, route, 503, 70000000);
    metrics_count(dispatcher.metrics, -1, 404, 10);
    fake = fake_request("GET", "/metrics");
    answer(&fake, &response);
    static const char *const lines[] = {
        "tidemark_http_requests_total{method=\"GET\",route=\"/v1/healthz\",status=\"2xx\"} 1\n",
        "tidemark_http_requests_total{method=\"GET\",route=\"/v1/healthz\",status=\"5xx\"} 1\n",
        "tidemark_http_requests_total{method=\"\",route=\"\",status=\"4xx\"} 1\n",
        "tidemark_http_request_seconds_bucket{method=\"GET\",route=\"/v1/healthz\",le=\"0.0005\"} 0\n",
        "tidemark_http_request_seconds_bucket{method=\"GET\",route=\"/v1/healthz\",le=\"0.001\"} 1\n",
        "tidemark_http_request_seconds_bucket{method=\"GET\",route=\"/v1/healthz\",le=\"5\"} 1\n",
        "tidemark_http_request_seconds_bucket{method=\"GET\",route=\"/v1/healthz\",le=\"+Inf\"} 2\n",
        "tidemark_http_request_seconds_sum{method=\"GET\",route=\"/v1/healthz\"} 70.000700\n",
        "# TYPE tidemark_ingest_events_total counter\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        ok(strstr(response.body.data, lines[i]) != NULL, "/metrics: %.*s", (int)strcspn(lines[i], "\n"), lines[i]);
    }
}

static void test_list(void)
{
    for (int i = 0; i < N_ROUTES; i++) {
        const struct route *route = &ROUTES[i];
        bool is_form = (route->methods & ~(unsigned)HTTP_GET) != 0;
        bool is_ask = route->process == PROCESS_INGEST && route->handler;
        ok(is_ask ? route->format != NULL : (route->handler != NULL) == (route->format == NULL),
           "%s is handled in one way, what a device asks in its convention's", route->path);
        ok(!is_form || route->style == STYLE_API || route->max_body > 0 || route->tx == TX_OWN,
           "%s limits its body", route->path);
        ok(i == 0 || strcmp(ROUTES[i - 1].path, route->path) <= 0, "%s stands in its order", route->path);
    }
}

int main(void)
{
    struct db_options options = { .url = "postgresql:///none?host=/nonexistent", .name = "test" };
    if (!crypto_open()) {
        return 1;
    }
    log_open(LOG_ERROR + 1, LOG_LOGFMT, "test");
    dispatcher = (struct dispatcher){ .config = &config, .process = PROCESS_WEB,
                                      .arena = arena_new(REQUEST_ARENA_BYTES),
                                      .conn = db_conn_new(&options), .tokens = token_cache_new(64),
                                      .metrics = metrics_new() };
    test_answers();
    test_styles();
    test_login_form();
    test_unavailable();
    test_metrics();
    test_list();
    db_conn_close(dispatcher.conn);
    token_cache_free(dispatcher.tokens);
    arena_free(dispatcher.arena);
    return done_testing();
}

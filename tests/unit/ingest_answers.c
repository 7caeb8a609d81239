/* What every convention answers to every failure: what passes by itself is told as that, so that no
 * sender drops what it brought, and nothing else is. */
#include "ingest_test.h"

/* The status that tells a sender of the convention to come back where it sends too much: 429 but for
 * those that know no such, or drop what it answers. */
static const struct {
    const struct ingest_format *format;
    int too_many;
} conventions[] = {
    { &ingest_format_event, 429 },
    { &ingest_format_events, 429 },
    { &ingest_format_influx_1, 503 },
    { &ingest_format_influx_2, 429 },
    { &ingest_format_influx_3, 429 },
    { &ingest_format_prometheus, 503 },
    { &ingest_format_otlp_metrics, 429 },
    { &ingest_format_otlp_logs, 429 },
    { &ingest_format_emoncms_post, 503 },
    { &ingest_format_emoncms_bulk, 503 },
    { &ingest_format_thingsboard_telemetry, 429 },
    { &ingest_format_thingsboard_attributes, 429 },
    { &ingest_format_collectd, 429 },
    { &ingest_format_acquisuite, 429 },
    { &ingest_format_egauge, 429 },
    { &ingest_format_pvoutput_status, 403 },
    { &ingest_format_pvoutput_batch, 403 },
    { &ingest_format_pvoutput_output, 403 },
};

static void answer(struct ingest_test *test, const struct ingest_format *format, enum err err,
                   struct http_response *response)
{
    struct http_request request = { .op = &test->op };

    ingest_test_reset(test);
    http_response_init(response, test->arena);
    (void)fail(&test->op, err, "why");
    format->answer_error(&request, response);
}

/* 200 is the convention's own refusal (emoncms), which its sender does not repeat either. */
static bool is_final(int status)
{
    return status == 200 || (status >= 400 && status < 500 && status != 429);
}

static void test_convention(struct ingest_test *test, const struct ingest_format *format,
                            int too_many)
{
    struct http_response response;

    for (int err = OK + 1; err < ERR_COUNT; err++) {
        int status = err_row((enum err)err)->status;
        answer(test, format, (enum err)err, &response);
        bool is_timed = http_response_header(&response, "Retry-After") != NULL;
        if (status == 503) {
            ok(response.status == 503 && is_timed, "%s: \"%s\" is 503, with when to come back",
               format->name, err_row((enum err)err)->slug);
        } else if (status == 429) {
            ok(response.status == too_many && is_timed, "%s: too many requests are %d, with when",
               format->name, too_many);
        } else if (status >= 500) {
            ok(response.status >= 500, "%s: \"%s\" is a fault of ours", format->name,
               err_row((enum err)err)->slug);
        } else {
            ok(is_final(response.status), "%s: \"%s\" is not worth another try (%d)", format->name,
               err_row((enum err)err)->slug, response.status);
        }
    }
}

int main(void)
{
    struct ingest_test test;

    ingest_test_open(&test);
    for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++) {
        test_convention(&test, conventions[i].format, conventions[i].too_many);
    }
    ingest_test_close(&test);
    return done_testing();
}

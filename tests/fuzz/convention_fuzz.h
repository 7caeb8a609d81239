/* What the fuzz targets of ingest conventions share: a request made of whatever bytes, given to a
 * format's parser, and what must hold of the columns it leaves. */
#ifndef TIDEMARK_TESTS_CONVENTION_FUZZ_H
#define TIDEMARK_TESTS_CONVENTION_FUZZ_H

#include "../unit/http_test.h"

#include "ingest_check.h"

#include "base/clock.h"
#include "http/router.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The answers must hold together whatever was asked. */
static inline void check_answers(struct http_request *request, const struct ingest_format *format,
                                 const struct ingest_columns *columns, enum err err)
{
    const struct ingest_outcome outcome = {
        .accepted = (uint32_t)columns->n_events, .rejected = columns->n_rejected,
        .errors = columns->errors, .n_errors = (int)columns->n_errors,
    };
    struct http_response response;

    http_response_init(&response, request->op->arena);
    if (err || format->answer(request, &outcome, &response)) {
        format->answer_error(request, &response);
    }
    require(response.status >= 200 && response.status < 600, "there is a status");
    require(!response.body.is_broken, "and the whole of the answer");
}

static const struct zone_offset BERLIN_OFFSETS[] = {
    { INT64_C(1774746000000000), 7200 }, { INT64_C(1792890000000000), 3600 },
};
static const struct zone BERLIN = { "Europe/Berlin", BERLIN_OFFSETS, 2 };

/* Gives the request to the format; a form's fields come from `target`'s query or the body. */
static inline void fuzz_format(const struct ingest_format *format, const char *pattern,
                               const char *target, const char *type, struct str body)
{
    struct arena *arena = arena_new(64u << 20);
    struct fake fake = fake_request("POST", target);
    struct ingest_rules rules = { .now_us = NOW_US, .oldest_us = 0, .newest_us = NOW_US + 1,
                                  .max_events = 200, .device = STR("own"),
                                  .zone = &BERLIN };
    struct http_request request;
    struct str read;
    struct op op;

    if (!arena || !crypto_open()) {
        abort();
    }
    log_open(LOG_ERROR, LOG_LOGFMT, "fuzz");
    op_init(&op, arena, "fuzz");
    fake.step = 4096;
    fake.body = body;
    fake_set(&fake, "CONTENT_TYPE", type);
    if (http_request_init(&request, &op, &fake.transport) == OK &&
        http_path_matches(&request, pattern) &&
        http_read_decoded_body(&request, MAX_INGEST_BODY_BYTES, &read) == OK) {
        struct ingest_columns *columns = columns_new(&op, &rules);
        enum err err = format->parse(&request, read, columns);
        require((err == OK) == (op.fault.code == OK), "a failure is recorded, and nothing else is");
        if (err == OK) {
            check_columns(arena, columns);
        }
        check_answers(&request, format, columns, err);
    }
    arena_free(arena);
}

#endif

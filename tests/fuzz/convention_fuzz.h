/* What the fuzz targets of ingest conventions share: a request made of whatever bytes, given to a
 * format's parser, and what must hold of the columns it leaves. */
#ifndef TIDEMARK_TESTS_CONVENTION_FUZZ_H
#define TIDEMARK_TESTS_CONVENTION_FUZZ_H

#include "../unit/http_test.h"

#include "base/clock.h"
#include "base/json.h"
#include "http/router.h"
#include "ingest/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_US INT64_C(1795176000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static inline void require_object(struct arena *arena, struct str text, const char *what)
{
    struct json_reader reader;

    json_reader_init(&reader, text, arena, MAX_JSON_DEPTH);
    require(json_peek(&reader) == JSON_OBJECT && json_skip(&reader, NULL) && json_at_end(&reader),
            what);
}

static inline void check_columns(struct arena *arena, const struct ingest_columns *columns)
{
    for (size_t at = 0; at < columns->n_events; at++) {
        const struct ingest_event *event = &columns->events[at];
        require(event->device < columns->n_devices, "an event's device is there");
        require(event->n_rows <= MAX_METRICS && event->first_row + event->n_rows <= columns->n_rows,
                "so are its rows");
        require(event->time_us <= columns->rules.newest_us &&
                    event->time_us >= columns->rules.oldest_us,
                "its time is within the rules");
        for (uint32_t i = 0; i < event->n_rows; i++) {
            const struct ingest_row *row = &columns->rows[event->first_row + i];
            require(row->event == at && row->series < columns->n_series, "a row is its event's");
            require(fabs(row->value) <= MAX_METRIC_MAGNITUDE, "and its value a reading");
        }
        if (event->data.ptr) {
            require_object(arena, event->data, "data is one object");
        }
    }
    for (size_t i = 0; i < columns->n_devices; i++) {
        require(str_is_utf8(columns->devices[i].key), "devices are text");
    }
    for (size_t i = 0; i < columns->n_series; i++) {
        require(str_is_utf8(columns->series[i].metric), "metrics are text");
        if (columns->series[i].labels.len) {
            require_object(arena, columns->series[i].labels, "labels are one object");
        }
    }
    for (size_t i = 0; i < columns->n_errors; i++) {
        require(str_is_utf8(str_of(columns->errors[i].detail)), "reasons are text");
    }
}

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
            require(columns_seal(columns) == OK, "what was parsed can be written");
            check_columns(arena, columns);
        }
        check_answers(&request, format, columns, err);
    }
    arena_free(arena);
}

#endif

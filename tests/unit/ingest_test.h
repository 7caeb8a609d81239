/* What the tests of ingest share: an operation, rules, columns written out as text. */
#ifndef TIDEMARK_TESTS_INGEST_TEST_H
#define TIDEMARK_TESTS_INGEST_TEST_H

#include "tap.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "ingest/format.h"

#include <stdlib.h>

/* 2026-11-20T12:00:00Z, what the tests call now. */
#define NOW_US INT64_C(1795176000000000)

struct ingest_test {
    struct arena *arena;
    struct op op;
    struct ingest_rules rules;
};

static inline void ingest_test_reset(struct ingest_test *test)
{
    arena_reset(test->arena);
    op_init(&test->op, test->arena, "test");
}

static inline void ingest_test_open(struct ingest_test *test)
{
    log_open(LOG_ERROR, LOG_LOGFMT, "test");
    test->arena = arena_new(96u << 20);
    if (!test->arena || !crypto_open()) {
        printf("Bail out! no memory, or no libsodium\n");
        exit(1);
    }
    test->rules = (struct ingest_rules){
        .now_us = NOW_US,
        .oldest_us = NOW_US - 90 * US_PER_DAY,
        .newest_us = NOW_US + MAX_FUTURE_HOURS * US_PER_HOUR,
        .max_events = MAX_BATCH_EVENTS,
    };
    ingest_test_reset(test);
}

static inline void ingest_test_close(struct ingest_test *test)
{
    arena_free(test->arena);
}

/* Parses a body as if it had been posted. */
static inline enum err ingest_test_parse(struct ingest_test *test,
                                         const struct ingest_format *format, const char *type,
                                         struct str body, struct ingest_columns **out)
{
    struct http_request request = { .op = &test->op, .method = HTTP_POST,
                                    .content_type = str_of(type) };
    *out = columns_new(&test->op, &test->rules);
    return *out ? format->parse(&request, body, *out) : ERR_INTERNAL;
}

static inline void ingest_test_dump_event(struct buf *out, const struct ingest_columns *columns,
                                          const struct ingest_event *event)
{
    char uuid[37];

    buf_add_str(out, columns->devices[event->device].key);
    if (event->time_us != NOW_US) {
        char time[CLOCK_TEXT_SIZE];
        buf_printf(out, " @%s", clock_format(event->time_us, time));
    }
    if (!str_equal(event->type, STR("telemetry"))) {
        buf_printf(out, " type=%.*s", (int)event->type.len, event->type.ptr);
    }
    if (event->has_seq) {
        buf_printf(out, " seq=%lld", (long long)event->seq);
    }
    if (event->has_id) {
        for (int i = 0; i < 16; i++) {
            (void)snprintf(uuid + 2 * i, 3, "%02x", event->id[i]);
        }
        buf_printf(out, " id=%s", uuid);
    }
    if (event->site != INGEST_NONE) {
        const struct str site = columns->sites[event->site].key;
        buf_printf(out, " site=%.*s", (int)site.len, site.ptr);
    }
    for (uint32_t i = 0; i < event->n_rows; i++) {
        const struct ingest_row *row = &columns->rows[event->first_row + i];
        const struct ingest_series *series = &columns->series[row->series];
        buf_printf(out, " %.*s%.*s=", (int)series->metric.len, series->metric.ptr,
                   (int)series->labels.len, series->labels.ptr);
        buf_add_double(out, row->value);
    }
    if (event->data.ptr) {
        buf_printf(out, " data=%.*s", (int)event->data.len, event->data.ptr);
    }
    buf_add_text(out, event->is_stored ? " +row" : "");
}

/* Events separated by " | ", then " # index: reason" for each rejection. */
static inline const char *ingest_test_dump(struct ingest_test *test,
                                           const struct ingest_columns *columns)
{
    struct buf out;

    buf_init(&out, test->arena, 1u << 20);
    for (size_t i = 0; i < columns->n_events; i++) {
        buf_add_text(&out, i ? " | " : "");
        ingest_test_dump_event(&out, columns, &columns->events[i]);
    }
    for (size_t i = 0; i < columns->n_errors; i++) {
        buf_printf(&out, "%s# %u: %s", out.len ? " " : "", columns->errors[i].index,
                   columns->errors[i].detail);
    }
    return arena_copy(test->arena, buf_str(&out));
}

#endif

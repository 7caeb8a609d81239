/* What must hold of columns that a parser has filled from whatever bytes. */
#ifndef TIDEMARK_TESTS_INGEST_CHECK_H
#define TIDEMARK_TESTS_INGEST_CHECK_H

#include "base/crypto.h"
#include "base/json.h"
#include "ingest/format.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define NOW_US INT64_C(1795176000000000)

static inline void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Text that jsonb takes for one object. */
static inline void check_object(struct arena *arena, struct str text)
{
    struct json_reader reader;

    json_reader_init(&reader, text, arena, MAX_JSON_DEPTH);
    require(json_peek(&reader) == JSON_OBJECT && json_skip(&reader, NULL) && json_at_end(&reader),
            "data and labels are one object");
}

static inline void check_event(struct arena *arena, const struct ingest_columns *columns, size_t at)
{
    const struct ingest_event *event = &columns->events[at];

    require(event->device < columns->n_devices, "an event's device is there");
    require(event->site == INGEST_NONE || event->site < columns->n_sites, "so is its site");
    require(event->n_rows <= MAX_METRICS && event->first_row + event->n_rows <= columns->n_rows,
            "so are its rows");
    require(event->time_us <= columns->rules.newest_us && event->time_us >= columns->rules.oldest_us,
            "its time is within the rules");
    for (uint32_t i = 0; i < event->n_rows; i++) {
        const struct ingest_row *row = &columns->rows[event->first_row + i];
        require(row->event == at && row->series < columns->n_series, "a row is its event's");
        require(columns->series[row->series].device == event->device, "and its series the device's");
        require(fabs(row->value) <= MAX_METRIC_MAGNITUDE, "and its value a reading");
    }
    require(str_is_utf8(event->type), "its type is text");
    if (event->data.ptr) {
        require(event->data.len <= MAX_EVENT_DATA_BYTES, "data has its limit");
        check_object(arena, event->data);
    }
}

/* All that must hold of columns that were filled. */
static inline void check_columns(struct arena *arena, struct ingest_columns *columns)
{
    require(columns_seal(columns) == OK, "what was parsed can be written");
    require(columns->n_events + columns->n_rejected == columns->n_items,
            "every item is kept or rejected");
    for (size_t i = 0; i < columns->n_events; i++) {
        check_event(arena, columns, i);
    }
    for (size_t i = 0; i < columns->n_devices; i++) {
        require(str_is_utf8(columns->devices[i].key), "names are text");
    }
    for (size_t i = 0; i < columns->n_series; i++) {
        require(str_is_utf8(columns->series[i].metric), "so are metrics");
        if (columns->series[i].labels.len) {
            check_object(arena, columns->series[i].labels);
        }
    }
    for (size_t i = 0; i < columns->n_errors; i++) {
        require(str_is_utf8(str_of(columns->errors[i].detail)), "so are reasons");
    }
}

/* Parses the body as if it had been posted, and looks at what is left. */
static inline void check_format(const struct ingest_format *format, const char *type, struct str body)
{
    struct arena *arena = arena_new(64u << 20);
    struct op op;
    const struct ingest_rules rules = { .now_us = NOW_US, .oldest_us = 0, .newest_us = NOW_US,
                                        .max_events = 1000 };
    struct http_request request = { .op = &op, .method = HTTP_POST, .content_type = str_of(type) };

    require(crypto_open(), "libsodium starts");
    op_init(&op, arena, "fuzz");
    struct ingest_columns *columns = columns_new(&op, &rules);
    enum err err = format->parse(&request, body, columns);
    require((err == OK) == (op.fault.code == OK), "a failure is recorded, and nothing else is");
    if (err == OK) {
        check_columns(arena, columns);
    }
    arena_free(arena);
}

#endif

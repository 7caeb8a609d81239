/* What clients of InfluxDB ask before they write, on whatever bytes: both languages end, what is
 * read lies in what was given, and a question written again from what was read is read as the same. */
#include "base/buf.h"
#include "domain/flux.h"
#include "domain/influxql.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void add_quoted(struct buf *out, struct str text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, text.ptr[i]);
    }
    buf_add_char(out, '"');
}

static bool is_same(const struct influx_point *a, const struct influx_point *b)
{
    bool is_same = str_equal(a->measurement, b->measurement) && str_equal(a->field, b->field) &&
                   a->n_tags == b->n_tags;

    for (int i = 0; is_same && i < a->n_tags; i++) {
        is_same = str_equal(a->tags[i].name, b->tags[i].name) && str_equal(a->tags[i].value, b->tags[i].value);
    }
    return is_same;
}

static void ask_again(struct arena *arena, const struct influx_point *point)
{
    struct buf text;
    struct influxql ql;
    struct influx_point again;

    buf_init(&text, arena, ARENA_BYTES / 4);
    buf_add_text(&text, "SELECT LAST(");
    add_quoted(&text, point->field);
    buf_add_text(&text, ") FROM ");
    add_quoted(&text, point->measurement);
    for (int i = 0; i < point->n_tags; i++) {
        buf_add_text(&text, i ? " AND " : " WHERE ");
        add_quoted(&text, point->tags[i].name);
        buf_add_char(&text, '=');
        add_quoted(&text, point->tags[i].value);
    }
    influxql_init(&ql, (struct str){ text.data, text.len }, arena);
    require(influxql_next(&ql, &again) == INFLUXQL_LAST, "what was a question is one again");
    require(is_same(point, &again), "the same");
    require(influxql_next(&ql, &again) == INFLUXQL_END, "and nothing comes after it");
}

static bool lies_within(struct str text, struct str all)
{
    return text.len == 0 || (text.ptr >= all.ptr && text.ptr + text.len <= all.ptr + all.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size };
    struct arena *arena = arena_new(ARENA_BYTES);
    struct influxql ql;
    struct influx_point point;
    struct flux *flux = arena_alloc(arena, sizeof *flux);
    enum influxql_kind kind;
    size_t n = 0;

    influxql_init(&ql, text, arena);
    while ((kind = influxql_next(&ql, &point)) != INFLUXQL_END) {
        if (kind == INFLUXQL_LAST && size < 4096) {
            ask_again(arena, &point);
        }
        require(++n <= size, "a statement has a byte at least");
    }
    if (flux_read(text, flux)) {
        require(flux->n <= FLUX_MAX_POINTS && flux->start_s >= 0, "within bounds");
        for (int i = 0; i < flux->n; i++) {
            const struct influx_point *at = &flux->points[i];
            require(at->measurement.len && at->field.len, "a point has a measurement and a field");
            require(lies_within(at->measurement, text) && lies_within(at->field, text), "of the query");
            for (int j = 0; j < at->n_tags; j++) {
                require(lies_within(at->tags[j].name, text) && lies_within(at->tags[j].value, text), "as its tags");
            }
        }
    }
    arena_free(arena);
    return 0;
}

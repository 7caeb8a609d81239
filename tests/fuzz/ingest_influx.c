/* Line protocol on whatever bytes, in every precision: it never reads beyond the body, the columns it
 * leaves hold together, and a line means by itself what it means among others, whatever was remembered
 * of their measurement and tags. What was kept, written again by the rules of the Python client's
 * encoder, is read as the same. */
#include "ingest_check.h"

#include "ingest/read_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct ingest_columns *parse(struct op *op, struct str body, enum line_precision precision,
                                    struct str bound)
{
    const struct ingest_rules rules = { .now_us = NOW_US, .oldest_us = INT64_MIN,
                                        .newest_us = NOW_US, .max_events = 2000, .device = bound,
                                        .is_device_bound = bound.ptr != NULL };
    struct ingest_columns *columns = columns_new(op, &rules);
    enum err err = ingest_read_lines(body, precision, columns);

    require((err == OK) == (op->fault.code == OK), "a failure is recorded, and nothing else is");
    return err ? NULL : columns;
}

static bool is_same_row(const struct ingest_columns *a, const struct ingest_row *x,
                        const struct ingest_columns *b, const struct ingest_row *y)
{
    const struct ingest_series *left = &a->series[x->series], *right = &b->series[y->series];

    return x->value == y->value && str_equal(left->metric, right->metric) &&
           str_equal(left->labels, right->labels) &&
           str_equal(a->devices[left->device].key, b->devices[right->device].key);
}

static void require_same(const struct ingest_columns *a, const struct ingest_event *x,
                         const struct ingest_columns *b, const struct ingest_event *y)
{
    require(x->time_us == y->time_us, "its time is the same");
    require(str_equal(a->devices[x->device].key, b->devices[y->device].key), "so is its device");
    require(x->n_rows == y->n_rows, "so is the number of its metrics");
    require(str_equal(x->data, y->data), "so is its data");
    for (uint32_t i = 0; i < x->n_rows; i++) {
        require(is_same_row(a, &a->rows[x->first_row + i], b, &b->rows[y->first_row + i]),
                "and each metric");
    }
}

/* ---- a line by itself ---- */

static void check_alone(const struct ingest_columns *columns, const struct ingest_event *event,
                        enum line_precision precision, struct str bound)
{
    struct arena *arena = arena_new(8u << 20);
    struct op op;

    op_init(&op, arena, "alone");
    const struct ingest_columns *alone = parse(&op, event->source, precision, bound);
    require(alone && alone->n_events == 1 && alone->n_rejected == 0, "a line is one by itself");
    require_same(columns, event, alone, alone->events);
    arena_free(arena);
}

/* ---- written again ---- */

static void add_escaped(struct buf *out, struct str text, const char *escaped)
{
    for (size_t i = 0; i < text.len; i++) {
        if (strchr(escaped, text.ptr[i])) {
            buf_add_char(out, '\\');
        }
        buf_add_char(out, text.ptr[i]);
    }
}

/* What the encoder could not write: it has no escape for these. */
static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\\' || text.ptr[i] == '\n' || text.ptr[i] == '\r') {
            return false;
        }
    }
    return text.len > 0;
}

/* The event as a line: the device for measurement, so that metrics keep their names. False where it
 * has none, or what no encoder writes. */
static bool write_line(struct buf *out, const struct ingest_columns *columns,
                       const struct ingest_event *event)
{
    const struct str device = columns->devices[event->device].key;
    struct json_reader reader;
    struct str name, value;

    if (event->n_rows == 0 || event->data.ptr || !is_plain(device) || device.ptr[0] == '#' ||
        strchr(" \t", device.ptr[0])) {
        return false;
    }
    const struct ingest_row *rows = &columns->rows[event->first_row];
    add_escaped(out, device, ", ");
    buf_add_text(out, ",device=");
    add_escaped(out, device, ",= ");
    struct str labels = columns->series[rows[0].series].labels;
    json_reader_init(&reader, labels.len ? labels : STR("{}"), columns->op->arena, 2);
    require(json_enter_object(&reader), "labels are an object");
    while (json_next_member(&reader, &name)) {
        require(json_read_string(&reader, &value), "of texts");
        if (!is_plain(name) || !is_plain(value) || str_equal(name, STR("device"))) {
            return false;
        }
        buf_add_char(out, ',');
        add_escaped(out, name, ",= ");
        buf_add_char(out, '=');
        add_escaped(out, value, ",= ");
    }
    for (uint32_t i = 0; i < event->n_rows; i++) {
        struct str metric = columns->series[rows[i].series].metric;
        if (!is_plain(metric) || metric.ptr[0] == '\t') {
            return false;
        }
        buf_add_char(out, i ? ',' : ' ');
        add_escaped(out, metric, ",= ");
        buf_add_char(out, '=');
        buf_add_double(out, rows[i].value);
    }
    buf_printf(out, " %lld", (long long)event->time_us);
    return !out->is_broken;
}

static void check_again(const struct ingest_columns *columns, const struct ingest_event *event)
{
    struct arena *arena = arena_new(8u << 20);
    struct buf line;
    struct op op;

    op_init(&op, arena, "again");
    buf_init(&line, arena, 4u << 20);
    if (write_line(&line, columns, event)) {
        const struct ingest_columns *again =
            parse(&op, buf_str(&line), LINE_US, (struct str){ 0 });
        require(again && again->n_events == 1 && again->n_rejected == 0, "it can be read again");
        require_same(columns, event, again, again->events);
    }
    arena_free(arena);
}

static void check_body(struct str body, enum line_precision precision, struct str bound)
{
    struct arena *arena = arena_new(64u << 20);
    struct op op;

    op_init(&op, arena, "fuzz");
    struct ingest_columns *columns = parse(&op, body, precision, bound);
    if (columns) {
        check_columns(arena, columns);
        for (size_t i = 0; i < columns->n_events && i < 20; i++) {
            check_alone(columns, &columns->events[i], precision, bound);
            check_again(columns, &columns->events[i]);
        }
        for (size_t i = 0; i < columns->n_errors; i++) {
            const struct str source = columns->errors[i].source;
            require(source.len > 0 && source.ptr >= body.ptr &&
                        source.ptr + source.len <= body.ptr + body.len,
                    "what is rejected is of the body");
        }
    }
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    require(crypto_open(), "libsodium starts");
    /* its own block, so that a read beyond it shows */
    char *text = malloc(size ? size : 1);
    memcpy(text, data, size);
    struct str body = { text, size };
    check_body(body, LINE_NS, (struct str){ 0 });
    check_body(body, LINE_BY_SIZE, STR("d"));
    check_body(body, size % 2 ? LINE_S : LINE_H, (struct str){ 0 });
    free(text);
    return 0;
}

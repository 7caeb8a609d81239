/* Lines of line protocol, in one pass and without a tree. Answers for fields, values, timestamps
 * and for where a line ends; measurement and tags are line_head's, the rules of all formats the
 * columns'. Called by format_influx.
 *
 *   measurement,tag=value field=1.5,on=t,n=3i,u=4u,text="a \"b\"" 1700000000000000000
 *
 * A number, an integer (i), an unsigned one (u) and a boolean (as 0 or 1) are metrics; a string
 * goes to the event's data under its field's name, with the line's measurement and tags beside
 * it, which would be lost otherwise. A line end inside a string is part of the string.
 *
 * Syntax: docs.influxdata.com, "Line protocol reference"; the words of what is refused, and how a
 * broken line ends: models/points.go of InfluxDB 1.8. */
#include "ingest/read_line.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/json_number.h"
#include "ingest/line_head.h"

#define STRING_ESCAPES "\"\\"
#define KEY_ESCAPES ",= "
#define MAX_TIME_DIGITS 19

/* Epochs told apart by size, as InfluxDB 3 does: seconds below this, then a thousand times
 * that, and so on. */
#define LARGEST_SECONDS INT64_C(5000000000)

struct lines {
    struct ingest_columns *columns;
    struct line_heads *heads;
    const char *at, *end;
    uint32_t number;      /* of the line at `at` */
    int64_t unit_us;      /* of timestamps; 0: nanoseconds */
    bool is_by_size;
    bool is_unbalanced;   /* a quote was seen that nothing closes: broken lines end at their end */
    struct line_head *head; /* of the line that is being read */
    struct buf data;      /* of its strings */
    struct json_writer writer;
    int n_strings;
};

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

/* The end of the line or of the body, or what is a line end to people. */
static bool is_line_end(const char *at, const char *end)
{
    return at == end || *at == '\n' || (*at == '\r' && (at + 1 == end || at[1] == '\n'));
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

/* Blanks between the parts of a line. */
static const char *pass_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at) && !is_line_end(at, end)) {
        at++;
    }
    return at;
}

/* ---- values: each returns where it ends, or NULL and what is wrong ---- */

/* Whether the digits of [at, end), which has at least one, fit an integer of 64 bits. */
static bool is_in_range(const char *at, const char *end, bool is_unsigned)
{
    uint64_t limit = is_unsigned ? UINT64_MAX : (uint64_t)INT64_MAX + (*at == '-');
    uint64_t value = 0;

    for (at += *at == '-'; at < end; at++) {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*at - '0'), &value)) {
            return false;
        }
    }
    return value <= limit;
}

static const char *read_number(const char *at, const char *end, double *out, const char **fault)
{
    const char *after = json_number_read_lax(at, end, out);

    *fault = "invalid number";
    if (!after || after == end || (*after != 'i' && *after != 'u')) {
        return after;
    }
    bool is_unsigned = *after == 'u';
    const char *digit = at + (!is_unsigned && *at == '-');
    while (digit < after && is_digit(*digit)) {
        digit++;
    }
    if (digit < after || !is_in_range(at, after, is_unsigned)) {
        return NULL;
    }
    return after + 1;
}

static const char *read_boolean(const char *at, const char *end, double *out, const char **fault)
{
    static const struct {
        struct str word;
        double value;
    } words[] = {
        { STR_INIT("true"), 1 },  { STR_INIT("True"), 1 },  { STR_INIT("TRUE"), 1 },
        { STR_INIT("false"), 0 }, { STR_INIT("False"), 0 }, { STR_INIT("FALSE"), 0 },
        { STR_INIT("t"), 1 },     { STR_INIT("T"), 1 },     { STR_INIT("f"), 0 },
        { STR_INIT("F"), 0 },
    };
    const struct str rest = { at, (size_t)(end - at) };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (str_starts_with(rest, words[i].word)) {
            *out = words[i].value;
            return at + words[i].word.len;
        }
    }
    *fault = "invalid boolean";
    return NULL;
}

/* The text whose opening quote is at `at`, its escapes still in it. */
static const char *read_string(struct lines *lines, const char *at, struct str *out,
                               const char **fault)
{
    const char *start = ++at;

    for (; at < lines->end && *at != '"'; at++) {
        at += *at == '\\' && at + 1 < lines->end;
        if (at < lines->end && *at == '\0') {
            *fault = "a string holds a NUL";
            return NULL;
        }
    }
    if (at >= lines->end) {
        lines->is_unbalanced = true;
        *fault = "unbalanced quotes";
        return NULL;
    }
    *out = (struct str){ start, (size_t)(at - start) };
    return at + 1;
}

/* ---- strings as data ---- */

static void open_data(struct lines *lines)
{
    const struct line_head *head = lines->head;

    buf_clear(&lines->data);
    json_writer_init(&lines->writer, &lines->data);
    json_open_object(&lines->writer);
    if (!head->is_metric_bare) {
        json_key(&lines->writer, "measurement");
        json_string(&lines->writer, head->measurement);
    }
    if (head->labels.len) {
        json_key(&lines->writer, "labels");
        json_raw(&lines->writer, head->labels);
    }
}

/* NULL, or what is wrong. */
static const char *keep_string(struct lines *lines, struct str field, struct str raw)
{
    struct op *op = lines->columns->op;
    struct str text = line_unescape(op, raw, STRING_ESCAPES);
    struct str name = line_unescape(op, field, KEY_ESCAPES);

    if (!text.ptr || !name.ptr) {
        return line_fail_memory(op);
    }
    if (!str_is_utf8(name)) {
        return "a field's name is not UTF-8";
    }
    if (lines->n_strings++ == 0) {
        open_data(lines);
    }
    json_key_str(&lines->writer, name);
    json_string(&lines->writer, text);
    return NULL;
}

/* The strings of the line as its event's data. */
static void close_data(struct lines *lines)
{
    struct ingest_draft *draft = &lines->columns->draft;

    struct op *op = lines->columns->op;

    json_close_object(&lines->writer);
    if (lines->data.is_broken) {
        /* longer than data may be: the columns refuse it */
        draft->data = (struct str){ "", MAX_EVENT_DATA_BYTES + 1 };
        return;
    }
    char *copy = arena_copy(op->arena, buf_str(&lines->data));
    if (!copy) {
        (void)line_fail_memory(op);
    }
    draft->data = (struct str){ copy, copy ? lines->data.len : 0 };
}

/* ---- fields ---- */

/* The field's name that starts at `at`: the position of its "=", or NULL. */
static const char *find_equals(const char *at, const char *end, const char **fault)
{
    const char *start = at;

    for (; at < end && *at != '\n'; at++) {
        bool is_stop = *at == '=' || *at == ',' || *at == ' ';
        if (is_stop && !line_is_escaped(start, at)) {
            break;
        }
    }
    if (at < end && *at == '=' && at > start) {
        return at;
    }
    *fault = at == start ? "missing field key" : "missing field value";
    return NULL;
}

/* The field "name=value" that starts at `at`, as the line's `position`th. */
static const char *read_field(struct lines *lines, const char *at, size_t position,
                              const char **fault)
{
    const char *equals = find_equals(at, lines->end, fault);
    struct str name = { at, equals ? (size_t)(equals - at) : 0 };
    double value = 0;

    if (!equals) {
        return NULL;
    }
    at = equals + 1;
    if (is_line_end(at, lines->end) || *at == ',' || *at == ' ') {
        *fault = "missing field value";
        return NULL;
    }
    if (*at == '"') {
        struct str text;
        at = read_string(lines, at, &text, fault);
        *fault = at ? keep_string(lines, name, text) : *fault;
        return *fault ? NULL : at;
    }
    at = is_digit(*at) || *at == '-' || *at == '.' ? read_number(at, lines->end, &value, fault)
                                                   : read_boolean(at, lines->end, &value, fault);
    if (!at) {
        return NULL;
    }
    struct line_field *field =
        line_head_field(lines->heads, lines->head, position, name, fault);
    if (!field) {
        return NULL;
    }
    const struct ingest_metric metric = { .name = field->metric, .labels = lines->head->labels,
                                          .value = value, .known = &field->series };
    if (!columns_metric_known(lines->columns, &metric)) {
        *fault = "too many fields";
        return NULL;
    }
    return at;
}

/* All of them; returns what follows the last. */
static const char *read_fields(struct lines *lines, const char *at, const char **fault)
{
    size_t position = 0;

    if (is_line_end(at, lines->end)) {
        *fault = "missing fields";
        return NULL;
    }
    for (;;) {
        *fault = NULL;
        at = read_field(lines, at, position++, fault);
        if (!at || is_line_end(at, lines->end) || *at == ' ' || *at == '\t') {
            return at;
        }
        if (*at++ != ',') {
            *fault = "invalid field format";
            return NULL;
        }
    }
}

/* ---- timestamps ---- */

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* Microseconds of a timestamp. False where they do not fit. */
static bool scale(const struct lines *lines, int64_t stamp, int64_t *out)
{
    if (lines->is_by_size) {
        uint64_t size = stamp < 0 ? -(uint64_t)stamp : (uint64_t)stamp;
        if (size < LARGEST_SECONDS) {
            *out = stamp * US_PER_SECOND;
        } else if (size < LARGEST_SECONDS * 1000) {
            *out = stamp * 1000;
        } else {
            *out = size < LARGEST_SECONDS * 1000000 ? stamp : floor_div(stamp, 1000);
        }
        return true;
    }
    if (lines->unit_us) {
        return !__builtin_mul_overflow(stamp, lines->unit_us, out);
    }
    *out = floor_div(stamp, 1000);
    return true;
}

/* The timestamp at `at`, or none where the line ends. NULL, or what follows it. */
static const char *read_time(struct lines *lines, const char *at, const char **fault)
{
    struct ingest_draft *draft = &lines->columns->draft;
    int64_t stamp;

    at = pass_blanks(at, lines->end);
    if (is_line_end(at, lines->end)) {
        return at;
    }
    const char *start = at;
    at += *at == '-';
    const char *digits = at;
    while (at < lines->end && is_digit(*at)) {
        at++;
    }
    bool is_fine = at > digits && at - digits <= MAX_TIME_DIGITS;
    if (is_fine && at - digits == MAX_TIME_DIGITS) {
        is_fine = is_in_range(start, at, false);
    }
    uint64_t value = 0;
    for (const char *digit = digits; is_fine && digit < at; digit++) {
        value = value * 10 + (uint64_t)(*digit - '0');
    }
    stamp = (int64_t)(*start == '-' ? -value : value);
    at = pass_blanks(at, lines->end);
    if (!is_fine || !is_line_end(at, lines->end) || !scale(lines, stamp, &draft->time_us)) {
        *fault = "bad timestamp";
        return NULL;
    }
    draft->has_time = true;
    return at;
}

/* ---- lines ---- */

/* Where a broken line ends: at its line end, but not at one inside a string. */
static const char *broken_end(struct lines *lines, const char *at)
{
    const char *start = at;
    bool is_quoted = false, is_among_fields = false;
    long equals = 0, commas = 0;

    for (; at < lines->end && !lines->is_unbalanced && (*at != '\n' || is_quoted); at++) {
        if (*at == '\\' && at + 1 < lines->end && at[1] != '\n') {
            at++;
            continue;
        }
        is_among_fields = is_among_fields || *at == ' ';
        equals += is_among_fields && !is_quoted && *at == '=';
        commas += is_among_fields && !is_quoted && *at == ',';
        is_quoted ^= is_among_fields && *at == '"' && equals > commas;
    }
    if (!is_quoted && !lines->is_unbalanced) {
        return at;
    }
    lines->is_unbalanced = true;
    at = memchr(start, '\n', (size_t)(lines->end - start));
    return at ? at : lines->end;
}

/* What stands at lines->at, which is not blank: NULL and what is wrong, or where it ends. */
static const char *read_parts(struct lines *lines, const char **fault)
{
    const char *at = lines->at;

    lines->n_strings = 0;
    lines->head = line_head_find(lines->heads, at, lines->end, fault);
    if (!lines->head) {
        return NULL;
    }
    lines->columns->draft.device = lines->head->device;
    lines->columns->draft.measurement = lines->head->measurement;
    lines->columns->draft.labels = lines->head->labels;
    lines->columns->draft.known_device = &lines->head->known_device;
    at = pass_blanks(at + lines->head->raw.len, lines->end);
    at = read_fields(lines, at, fault);
    return at ? read_time(lines, at, fault) : NULL;
}

/* One line, as an item. False where the columns take no more. */
static bool read_line(struct lines *lines)
{
    struct ingest_columns *columns = lines->columns;
    struct ingest_draft *draft = columns_begin(columns, lines->number);
    const char *start = lines->at;
    const char *fault = NULL;

    if (!draft) {
        return false;
    }
    const char *after = read_parts(lines, &fault);
    lines->at = after ? after : broken_end(lines, start);
    draft->source = str_trim((struct str){ start, (size_t)(lines->at - start) });
    if (!after) {
        columns_reject(columns, ERR_MALFORMED, NULL, "%s", fault);
    } else {
        if (lines->n_strings) {
            close_data(lines);
        }
        columns_end(columns);
    }
    for (const char *at = start; (!after || lines->n_strings) && at < lines->at; at++) {
        lines->number += *at == '\n';
    }
    return columns->op->fault.code == OK;
}

static void read_body(struct lines *lines)
{
    while (lines->at < lines->end) {
        const char *at = lines->at;
        if (*at == '\n') {
            lines->number++;
            lines->at++;
        } else if (is_blank(*at)) {
            lines->at++;
        } else if (*at == '#') {
            at = memchr(at, '\n', (size_t)(lines->end - at));
            lines->at = at ? at : lines->end;
        } else if (!read_line(lines)) {
            break;
        }
    }
}

enum err ingest_read_lines(struct str body, enum line_precision precision,
                           struct ingest_columns *columns)
{
    static const int64_t units_us[] = {
        [LINE_US] = 1,
        [LINE_MS] = 1000,
        [LINE_S] = US_PER_SECOND,
        [LINE_M] = US_PER_MINUTE,
        [LINE_H] = US_PER_HOUR,
        [LINE_BY_SIZE] = 0,
    };
    struct line_heads *heads = arena_alloc(columns->op->arena, sizeof *heads);
    struct lines lines = { .columns = columns, .heads = heads, .at = body.ptr,
                           .end = body.ptr + body.len, .unit_us = units_us[precision],
                           .is_by_size = precision == LINE_BY_SIZE };

    if (!heads) {
        return fail_memory(columns->op);
    }
    line_heads_init(heads, columns->op, columns->rules.seed, columns->rules.device);
    buf_init(&lines.data, columns->op->arena, 2 * MAX_EVENT_DATA_BYTES);
    if (body.len) {
        read_body(&lines);
    }
    return columns->broken ? columns->broken : columns->op->fault.code;
}

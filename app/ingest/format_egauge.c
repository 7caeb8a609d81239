/* eGauge's push: a meter's registers as XML, a row for each moment, the newest first. A register
 * adds up what it measures, second by second: power in watt-seconds, voltage in millivolt-seconds.
 * Here it is that in hours, kWh and Vh, so that the difference over an hour is its mean. One that
 * adds only what is positive (its name ends in +) counts; another may fall, and does where its
 * sensor looks the other way.
 *
 * With delta="true" all but the first row of the document say how much they differ from the row
 * before, across <data> too, of which the later ones have the first one's columns. The serial
 * number is the device, unless the token is bound to one.
 * Source: eGauge XML API (egauge.net), and bodies recorded from meters. */
#include "base/clock.h"
#include "base/xml.h"
#include "ingest/format.h"
#include "ingest/number.h"
#include "ingest/plain.h"

#define MAX_ROWS 10000           /* a push has 900 at most */
#define PER_HOUR 3600000.0       /* milli-unit seconds, and watt-seconds in a kWh */
#define MAX_STEP_SECONDS 31622400 /* between two rows; a year */
#define NO_PUSH "this is no eGauge push: it begins with no group"

struct column {
    struct str name, unit; /* unit empty: not known */
    double divisor;
    enum ingest_kind kind;
};

enum place { OUTSIDE, IN_GROUP, IN_DATA, IN_NAME, IN_ROW, IN_CELL };

struct push {
    struct http_request *request;
    struct ingest_columns *columns;
    enum place place;
    int n_unknown; /* tags that are open and say nothing to us */
    struct str serial, text;
    struct column registers[MAX_METRICS];
    uint64_t values[MAX_METRICS]; /* of this row; they wrap as the meter's do */
    int n_registers, n_cells;
    bool has_group, is_named, is_delta, has_row;
    bool is_lost; /* a row that others build on was no good */
    int64_t time_us, step_us; /* of the next row, and how much earlier the one after it is */
    uint32_t index;
    const char *fault; /* of the row being read */
};

/* ---- what tags say ---- */

/* "0x55036a10", or decimal. */
static bool read_seconds(struct str text, int64_t *out)
{
    double number = 0;

    if (text.len < 3 || text.len > 10 || !str_starts_with(text, STR("0x"))) {
        bool is_read = number_read(text, &number) && number >= 0 && number <= UINT32_MAX;
        *out = is_read ? (int64_t)(number * (double)US_PER_SECOND) : 0;
        return is_read;
    }
    uint64_t value = 0;
    for (size_t i = 2; i < text.len; i++) {
        char c = text.ptr[i], lower = (char)(c | 0x20);
        bool is_letter = lower >= 'a' && lower <= 'f';
        if (!is_letter && (c < '0' || c > '9')) {
            return false;
        }
        value = value << 4 | (uint64_t)(is_letter ? lower - 'a' + 10 : c - '0');
    }
    *out = (int64_t)value * US_PER_SECOND;
    return true;
}

static enum err open_data(struct push *push, const struct xml_token *tag)
{
    struct str delta = xml_attribute(tag, "delta");

    if (!read_seconds(xml_attribute(tag, "time_stamp"), &push->time_us) ||
        !read_seconds(xml_attribute(tag, "time_delta"), &push->step_us) ||
        push->step_us > MAX_STEP_SECONDS * US_PER_SECOND) {
        return fail(push->request->op, ERR_INVALID,
                    "data has no time_stamp or time_delta that can be read");
    }
    push->is_delta = push->is_delta || str_equal(delta, STR("true"));
    push->is_named = false;
    return OK;
}

/* What the register's type says; others are as they come. */
static void set_type(struct column *column, struct str type)
{
    static const struct {
        const char *type, *unit;
    } types[] = { { "P", "kWh" }, { "S", "kVAh" }, { "V", "Vh" }, { "I", "Ah" } };

    column->unit = STR("");
    column->divisor = 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (str_equal(type, str_of(types[i].type))) {
            column->unit = str_of(types[i].unit);
            column->divisor = PER_HOUR;
        }
    }
}

static enum err open_name(struct push *push, const struct xml_token *tag)
{
    if (!push->is_named) { /* the first of this data: its columns are others */
        push->n_registers = 0;
        push->is_named = true;
    }
    if (push->n_registers == MAX_METRICS) {
        return fail(push->request->op, ERR_INVALID, "more than %d registers", MAX_METRICS);
    }
    set_type(&push->registers[push->n_registers], xml_attribute(tag, "t"));
    return OK;
}

static enum err close_name(struct push *push)
{
    struct column *column = &push->registers[push->n_registers++];

    if (!xml_decode(push->request->op->arena, str_trim(push->text), &column->name)) {
        return fail(push->request->op, ERR_MALFORMED, "a register's name cannot be read");
    }
    bool is_positive = column->name.len > 0 && column->name.ptr[column->name.len - 1] == '+';
    column->kind = is_positive || str_equal(column->unit, STR("Vh")) ? INGEST_COUNTER
                                                                     : INGEST_GAUGE;
    return OK;
}

/* ---- rows ---- */

static void close_cell(struct push *push)
{
    long long value = 0;

    if (push->n_cells == push->n_registers) {
        push->fault = "a row has more values than there are registers";
    } else if (!str_to_int64(str_trim(push->text), &value)) {
        push->fault = "a value is not a whole number";
    } else {
        uint64_t *at = &push->values[push->n_cells++];
        *at = push->is_delta && push->has_row ? *at + (uint64_t)value : (uint64_t)value;
    }
}

static void add_values(struct push *push)
{
    for (int i = 0; i < push->n_registers; i++) {
        const struct column *column = &push->registers[i];
        const struct ingest_metric metric = {
            .name = column->name, .labels = STR_INIT(""), .unit = column->unit,
            .role = STR_INIT("none"), /* parts and sums stand beside each other */
            .value = (double)(int64_t)push->values[i] / column->divisor, .kind = column->kind,
        };
        (void)!columns_metric_known(push->columns, &metric); /* there are as many as it takes */
    }
}

static void close_row(struct push *push)
{
    struct ingest_draft *draft = columns_begin(push->columns, push->index++);

    if (!draft) {
        return;
    }
    if (!push->fault && push->n_cells < push->n_registers) {
        push->fault = "a row has fewer values than there are registers";
    }
    if (!push->fault && push->is_lost) {
        push->fault = "a row it builds on was no good";
    }
    draft->device = push->serial;
    draft->time_us = push->time_us;
    draft->has_time = true;
    push->time_us -= push->step_us;
    if (push->fault) {
        push->is_lost = push->is_delta;
        columns_reject(push->columns, ERR_INVALID, "row", "%s", push->fault);
        return;
    }
    push->has_row = true;
    add_values(push);
    columns_end(push->columns);
}

/* ---- the document ---- */

static enum err open_group(struct push *push, const struct xml_token *tag)
{
    struct str serial = xml_attribute(tag, "serial");

    push->has_group = true;
    if (push->columns->rules.is_device_bound || serial.len == 0) {
        return OK;
    }
    return xml_decode(push->request->op->arena, serial, &push->serial)
               ? OK
               : fail(push->request->op, ERR_MALFORMED, "the serial number cannot be read");
}

/* A tag, and where it may stand. */
static const struct {
    const char *name;
    enum place outside, inside;
} TAGS[] = {
    { "group", OUTSIDE, IN_GROUP }, { "data", IN_GROUP, IN_DATA }, { "cname", IN_DATA, IN_NAME },
    { "r", IN_DATA, IN_ROW },       { "c", IN_ROW, IN_CELL },
};
#define N_TAGS (sizeof TAGS / sizeof *TAGS)

static enum err open_tag(struct push *push, const struct xml_token *tag)
{
    for (size_t i = 0; push->n_unknown == 0 && i < N_TAGS; i++) {
        if (!str_equal(tag->name, str_of(TAGS[i].name)) || push->place != TAGS[i].outside) {
            continue;
        }
        push->place = TAGS[i].inside;
        push->text = STR("");
        switch (push->place) {
        case IN_GROUP: return open_group(push, tag);
        case IN_DATA: return open_data(push, tag);
        case IN_NAME: return open_name(push, tag);
        case IN_ROW:
            push->n_cells = 0;
            push->fault = NULL;
            return OK;
        default: return OK;
        }
    }
    push->n_unknown++;
    return push->place == OUTSIDE ? fail(push->request->op, ERR_INVALID, NO_PUSH) : OK;
}

static enum err close_tag(struct push *push, struct str name)
{
    if (push->n_unknown > 0) {
        push->n_unknown--;
        return OK;
    }
    for (size_t i = 0; i < N_TAGS; i++) {
        if (push->place != TAGS[i].inside || !str_equal(name, str_of(TAGS[i].name))) {
            continue;
        }
        push->place = TAGS[i].outside;
        if (TAGS[i].inside == IN_NAME) {
            return close_name(push);
        }
        if (TAGS[i].inside == IN_CELL) {
            close_cell(push);
        } else if (TAGS[i].inside == IN_ROW) {
            close_row(push);
        }
        return push->columns->broken;
    }
    return fail(push->request->op, ERR_MALFORMED, "a tag is closed that is not open");
}

static enum err parse_egauge(struct http_request *request, struct str body,
                             struct ingest_columns *columns)
{
    struct push *push = arena_alloc(request->op->arena, sizeof *push);
    struct xml_reader reader = xml_reader(body);
    struct xml_token token;
    enum err err = OK;

    if (!push) {
        return fail_memory(request->op);
    }
    *push = (struct push){ .request = request, .columns = columns, .text = STR_INIT("") };
    for (xml_next(&reader, &token); !err && token.kind != XML_END; xml_next(&reader, &token)) {
        if (token.kind == XML_BROKEN) {
            return fail(request->op, ERR_MALFORMED, "this is not XML");
        }
        if (token.kind == XML_TEXT) {
            push->text = push->n_unknown ? push->text : token.name;
        } else if (token.kind == XML_OPEN) {
            err = open_tag(push, &token);
        } else {
            err = close_tag(push, token.name);
        }
    }
    if (!err && push->place != OUTSIDE) {
        err = fail(request->op, ERR_MALFORMED, "the document is cut short");
    } else if (!err && !push->has_group) {
        err = fail(request->op, ERR_INVALID, NO_PUSH);
    }
    return err;
}

/* ---- answers ---- */

/* A meter sends again all that was not taken, and nothing later before it: what is no good is
 * rejected, and the push has succeeded. */
static enum err answer_egauge(struct http_request *request, const struct ingest_outcome *outcome,
                              struct http_response *response)
{
    uint32_t kept = outcome->accepted + outcome->duplicates + outcome->updated;

    (void)request;
    plain_answer(response, kept == 0 && outcome->rejected > 0 ? 422 : 200, "");
    buf_printf(&response->body, "%u stored", kept);
    if (outcome->rejected > 0) {
        buf_printf(&response->body, ", %u rejected; the first: %s", outcome->rejected,
                   outcome->n_errors ? outcome->errors[0].detail : "");
    }
    buf_add_char(&response->body, '\n');
    return OK;
}

static void answer_failure(struct http_request *request, struct http_response *response)
{
    plain_failure(response, request->op);
    response->content_type = "text/plain";
    buf_printf(&response->body, "%s\n", http_public_detail(request->op));
}

const struct ingest_format ingest_format_egauge = {
    .name = "egauge",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = MAX_ROWS,
    .parse = parse_egauge,
    .answer = answer_egauge,
    .answer_error = answer_failure,
};

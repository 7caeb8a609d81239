/* Prometheus remote write, 1.0 and 2.0: protobuf, mostly packed by snappy. A sample is an item; its
 * metric is __name__, its device the label `device`, else `host`, `instance`, `job` (of a token
 * bound to a device, `device` alone names one), the other labels are the series'. NaN, with which
 * Prometheus marks the end of a series and summaries say that they have none, is no sample. Of a
 * native histogram count and sum are kept, as metrics of their own; buckets and exemplars are
 * passed over. Version 2 says with a series what it is: the kind and unit of a new one; and since
 * when it counts, with the series or with each sample. Sources:
 * prometheus.io/docs/specs/prw/remote_write_spec{,_2_0} and their prompb/types.proto,
 * io/prometheus/write/v2/types.proto. */
#include "base/clock.h"
#include "base/proto.h"
#include "ingest/format.h"
#include "ingest/labels.h"
#include "ingest/unit.h"

#include <math.h>

/* More than other formats take: a sender sends what it was set to and drops what is refused. */
#define MAX_SAMPLES 100000

static const char *const prometheus_types[] = { "", "application/x-protobuf", NULL };

/* Where the two versions differ. */
struct prometheus_version {
    const char *message; /* of the content type's `proto` */
    uint32_t symbols;    /* the field of the request; 0: labels are written out */
    uint32_t series;     /* the field of the request */
    uint32_t histograms; /* the field of a series */
    uint32_t metadata;   /* the field of a series; 0: it has none */
    uint32_t created;    /* likewise */
    uint32_t start;      /* the field of a sample; likewise */
    bool has_counts;     /* the answer says how many were written */
};
static const struct prometheus_version version_1 = { .message = "prometheus.WriteRequest",
                                                     .series = 1, .histograms = 4 };
static const struct prometheus_version version_2 = {
    .message = "io.prometheus.write.v2.Request", .symbols = 4, .series = 5, .histograms = 3,
    .metadata = 5, .created = 6, .start = 3, .has_counts = true,
};

/* What the answer needs to know. */
struct prometheus_note {
    const struct prometheus_version *version;
    const struct ingest_columns *columns;
    uint32_t samples, histograms; /* that say nothing to be stored, and were taken as such */
};

struct prometheus_read {
    struct ingest_columns *columns;
    struct prometheus_note *note;
    const struct prometheus_version *version;
    const struct str *symbols;
    size_t n_symbols;
    bool is_broken;
    bool has_bad_reference;
    uint32_t n_items;
};

/* The series whose samples are being read. */
struct prometheus_series {
    struct str device, metric, labels, unit;
    enum ingest_kind kind;
    int64_t start_ms; /* since when it counts; 0: untold */
    const char *fault; /* why its samples are rejected; or NULL */
};

/* ---- labels ---- */

static const char *add_label(struct ingest_labels *labels, struct str name, struct str value)
{
    if (name.len == 0) {
        return "a label has no name";
    }
    if (!str_is_utf8(name) || !str_is_utf8(value)) {
        return "a label is not UTF-8";
    }
    return labels_add(labels, name, value) ? NULL : "too many labels";
}

/* Label {name = 1, value = 2} */
static const char *read_label(struct proto_reader message, struct ingest_labels *labels)
{
    struct str name = { "", 0 }, value = { "", 0 };
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            name = proto_bytes(&message, &field);
        } else if (field.number == 2) {
            value = proto_bytes(&message, &field);
        }
    }
    return add_label(labels, name, value);
}

static struct str symbol(struct prometheus_read *read, uint64_t reference)
{
    if (reference < read->n_symbols) {
        return read->symbols[reference];
    }
    read->has_bad_reference = true;
    return (struct str){ "", 0 };
}

/* References of names and values in turn. */
static const char *read_references(struct prometheus_read *read, struct proto_reader values,
                                   struct ingest_labels *labels)
{
    const char *fault = NULL;
    uint64_t name, value;

    while (proto_next_uint(&values, &name)) {
        if (!proto_next_uint(&values, &value)) {
            read->has_bad_reference = true;
            break;
        }
        const char *worse = add_label(labels, symbol(read, name), symbol(read, value));
        fault = fault ? fault : worse;
    }
    return fault;
}

static struct str take_device(struct ingest_labels *labels, bool is_bound)
{
    static const char *const names[] = { "device", "host", "instance", "job" };
    size_t n = is_bound ? 1 : sizeof names / sizeof *names;
    struct str device = { NULL, 0 };

    for (size_t i = 0; !device.ptr && i < n; i++) {
        device = labels_take(labels, names[i]);
    }
    return device;
}

/* Metadata {type = 1, unit_ref = 4}; what a histogram's series of the old kind say only rises. */
static void read_metadata(struct prometheus_read *read, struct proto_reader message,
                          struct prometheus_series *out)
{
    static const enum ingest_kind kinds[] = { INGEST_KIND_UNTOLD, INGEST_COUNTER, INGEST_GAUGE,
                                              INGEST_COUNTER };
    struct proto_field field;
    uint64_t type = 0;

    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            type = proto_uint(&message, &field);
        } else if (field.number == 4) {
            out->unit = unit_read(symbol(read, proto_uint(&message, &field)));
        }
    }
    out->kind = type < sizeof kinds / sizeof *kinds ? kinds[type] : INGEST_KIND_UNTOLD;
}

/* The labels of a series, wherever in the message they stand. */
static void read_labels(struct prometheus_read *read, struct proto_reader message,
                        struct prometheus_series *out)
{
    struct ingest_labels labels = { .n = 0 };
    struct proto_field field;

    *out = (struct prometheus_series){ .fault = NULL };
    while (proto_next(&message, &field)) {
        if (field.number == read->version->metadata) {
            read_metadata(read, proto_message(&message, &field), out);
        } else if (field.number == read->version->created) {
            out->start_ms = proto_int(&message, &field);
        }
        if (field.number != 1) {
            continue;
        }
        const char *fault =
            read->version->symbols
                ? read_references(read, proto_values(&message, &field, PROTO_VARINT), &labels)
                : read_label(proto_message(&message, &field), &labels);
        out->fault = out->fault ? out->fault : fault;
    }
    out->device = take_device(&labels, read->columns->rules.is_device_bound);
    out->metric = labels_take(&labels, "__name__");
    if (!out->metric.ptr) {
        out->fault = out->fault ? out->fault : "no label __name__";
    }
    if (!labels_write(&labels, read->columns->op->arena, &out->labels)) {
        out->fault = "labels are too long";
    }
}

/* ---- samples ---- */

/* Begins an item of the series; false when it is over with it already. */
static bool begin(struct prometheus_read *read, const struct prometheus_series *series,
                  int64_t time_ms, int64_t start_ms)
{
    struct ingest_draft *draft = columns_begin(read->columns, read->n_items++);

    if (!draft) {
        return false;
    }
    if (series->fault) {
        columns_reject(read->columns, ERR_INVALID, "labels", "%s", series->fault);
        return false;
    }
    if (time_ms < CLOCK_MIN_US / 1000 || time_ms > CLOCK_MAX_US / 1000) {
        columns_reject(read->columns, ERR_INVALID, "timestamp", "timestamp is out of range");
        return false;
    }
    draft->device = series->device;
    draft->time_us = time_ms * 1000;
    draft->has_time = true;
    draft->has_start = start_ms > 0 && start_ms < time_ms;
    draft->start_us = draft->has_start ? start_ms * 1000 : 0;
    return true;
}

/* A metric of the series, as far as its metadata say of it. */
static bool add_metric(struct ingest_columns *columns, const struct prometheus_series *series,
                       struct str name, double value)
{
    if (!columns_metric(columns, name, series->labels, value)) {
        return false;
    }
    columns->draft.metrics[columns->draft.n_metrics - 1].kind = series->kind;
    columns->draft.metrics[columns->draft.n_metrics - 1].unit = series->unit;
    return true;
}

/* Sample {value = 1, timestamp = 2, start_timestamp = 3 (version 2)} */
static void read_sample(struct prometheus_read *read, const struct prometheus_series *series,
                        struct proto_reader message)
{
    struct proto_field field;
    double value = 0;
    int64_t time_ms = 0, start_ms = series->start_ms;

    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            value = proto_double(&message, &field);
        } else if (field.number == 2) {
            time_ms = proto_int(&message, &field);
        } else if (field.number == read->version->start) {
            start_ms = proto_int(&message, &field);
        }
    }
    if (isnan(value)) {
        read->note->samples++;
    } else if (begin(read, series, time_ms, start_ms) &&
               add_metric(read->columns, series, series->metric, value)) {
        columns_end(read->columns);
    }
}

static bool add_part(struct ingest_columns *columns, const struct prometheus_series *series,
                     const char *part, double value)
{
    char *name = arena_printf(columns->op->arena, "%.*s_%s", (int)series->metric.len,
                              series->metric.ptr, part);

    if (!name || !add_metric(columns, series, str_of(name), value)) {
        return false;
    }
    if (str_equal(str_of(part), STR("count"))) { /* how many, of whatever unit */
        columns->draft.metrics[columns->draft.n_metrics - 1].unit = STR("");
    }
    return true;
}

/* Histogram {count_int = 1, count_float = 2, sum = 3, timestamp = 15, start_timestamp = 17
 * (version 2)} */
static void read_histogram(struct prometheus_read *read, const struct prometheus_series *series,
                           struct proto_reader message)
{
    struct proto_field field;
    double count = 0, sum = 0;
    int64_t time_ms = 0, start_ms = series->start_ms;

    while (proto_next(&message, &field)) {
        switch (field.number) {
        case 1: count = (double)proto_uint(&message, &field); break;
        case 2: count = proto_double(&message, &field); break;
        case 3: sum = proto_double(&message, &field); break;
        case 15: time_ms = proto_int(&message, &field); break;
        case 17: start_ms = proto_int(&message, &field); break;
        default: break;
        }
    }
    if (isnan(sum)) {
        read->note->histograms++;
    } else if (begin(read, series, time_ms, start_ms)) {
        if (add_part(read->columns, series, "count", count) &&
            add_part(read->columns, series, "sum", sum)) {
            columns_end(read->columns);
        } else {
            columns_reject(read->columns, ERR_INVALID, "labels", "the metric's name is too long");
        }
    }
}

/* TimeSeries {labels = 1, samples = 2, histograms = 4 (3 in version 2)} */
static void read_series(struct prometheus_read *read, struct proto_reader message)
{
    struct prometheus_series series;
    struct proto_field field;

    read_labels(read, message, &series);
    while (!read->columns->broken && proto_next(&message, &field)) {
        if (field.number == 2) {
            read_sample(read, &series, proto_message(&message, &field));
        } else if (field.number == read->version->histograms) {
            read_histogram(read, &series, proto_message(&message, &field));
        }
    }
}

/* ---- the request ---- */

/* By the body's first field: the two versions share none. */
static const struct prometheus_version *guess_version(struct str body)
{
    bool is_broken = false;
    struct proto_reader message = proto_reader(body, &is_broken);
    struct proto_field field;

    return proto_next(&message, &field) &&
                   (field.number == version_2.symbols || field.number == version_2.series)
               ? &version_2
               : &version_1;
}

/* By the parameter `proto` of the content type, else by the body. */
static enum err read_version(struct http_request *request, struct str body,
                             const struct prometheus_version **out)
{
    struct str rest = http_header(request, "Content-Type");

    *out = guess_version(body);
    (void)str_cut(&rest, ';');
    while (rest.ptr) {
        struct str value = str_cut(&rest, ';');
        struct str name = str_trim(str_cut(&value, '='));
        value = str_trim(value);
        if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
            value = (struct str){ value.ptr + 1, value.len - 2 };
        }
        if (!str_equal_nocase(name, STR("proto"))) {
            continue;
        }
        if (str_equal(value, str_of(version_2.message))) {
            *out = &version_2;
        } else if (str_equal(value, str_of(version_1.message))) {
            *out = &version_1;
        } else {
            return fail(request->op, ERR_MEDIA_TYPE, "proto may be %s or %s", version_1.message,
                        version_2.message);
        }
    }
    return OK;
}

/* The strings that labels refer to, counted before they are kept. */
static enum err read_symbols(struct prometheus_read *read, struct str body)
{
    struct proto_reader message = proto_reader(body, &read->is_broken);
    struct proto_reader again = message;
    struct proto_field field;
    size_t n = 0;

    while (read->version->symbols && proto_next(&message, &field)) {
        n += field.number == read->version->symbols;
    }
    struct str *symbols = arena_array(read->columns->op->arena, n + 1, sizeof *symbols);
    if (!symbols) {
        return fail(read->columns->op, ERR_TOO_LARGE, "too many symbols");
    }
    while (read->n_symbols < n && proto_next(&again, &field)) {
        if (field.number == read->version->symbols) {
            symbols[read->n_symbols++] = proto_bytes(&again, &field);
        }
    }
    read->symbols = symbols;
    return OK;
}

static enum err parse_prometheus(struct http_request *request, struct str body,
                                 struct ingest_columns *columns)
{
    struct prometheus_read read = { .columns = columns };
    struct proto_field field;
    enum err err = read_version(request, body, &read.version);

    read.note = arena_alloc(request->op->arena, sizeof *read.note);
    if (!read.note) {
        return err ? err : fail_memory(request->op);
    }
    if (!err) {
        *read.note = (struct prometheus_note){ .version = read.version, .columns = columns };
        request->note = read.note;
        err = read_symbols(&read, body);
    }
    if (err) {
        return err;
    }
    struct proto_reader message = proto_reader(body, &read.is_broken);
    while (!columns->broken && !read.has_bad_reference && proto_next(&message, &field)) {
        if (field.number == read.version->series) {
            read_series(&read, proto_message(&message, &field));
        }
    }
    if (columns->broken) {
        return columns->broken;
    }
    if (read.has_bad_reference) {
        return fail(request->op, ERR_MALFORMED, "a label refers to a symbol that is not there");
    }
    return read.is_broken
               ? fail(request->op, ERR_MALFORMED, "the body is not a %s", read.version->message)
               : OK;
}

/* ---- answering ---- */

static void add_count(struct http_response *response, const char *name, uint32_t count)
{
    char text[16];

    (void)snprintf(text, sizeof text, "%u", count);
    (void)http_add_header(response, name, text);
}

/* How many of each were taken: a sample has one row, a histogram two. */
static void add_counts(struct http_response *response, const struct prometheus_note *note)
{
    const struct ingest_columns *columns = note->columns;
    uint32_t samples = note->samples, histograms = note->histograms;

    for (size_t i = 0; i < columns->n_events; i++) {
        const struct ingest_event *event = &columns->events[i];
        if (!event->is_rejected && !event->is_start) {
            samples += event->n_rows == 1;
            histograms += event->n_rows == 2;
        }
    }
    add_count(response, "X-Prometheus-Remote-Write-Samples-Written", samples);
    add_count(response, "X-Prometheus-Remote-Write-Histograms-Written", histograms);
    add_count(response, "X-Prometheus-Remote-Write-Exemplars-Written", 0);
}

/* 204; or 400, after which nothing is sent again, though what is good was kept. */
static enum err answer_prometheus(struct http_request *request,
                                  const struct ingest_outcome *outcome,
                                  struct http_response *response)
{
    const struct prometheus_note *note = request->note;

    response->status = 204;
    if (outcome->rejected) {
        response->status = 400;
        response->content_type = "text/plain";
        buf_printf(&response->body,
                   "%u samples were rejected, the others are stored; the first: %s\n",
                   outcome->rejected, outcome->n_errors ? outcome->errors[0].detail : "");
    }
    if (note->version->has_counts) {
        add_counts(response, note);
    }
    return OK;
}

/* In words; what else a problem brings with it stays. Too many requests are 503: senders drop what
 * 429 answers unless they are told not to (queue_config.retry_on_http_429, false by default). */
static void answer_failure(struct http_request *request, struct http_response *response)
{
    http_problem(response, request->op, request->path);
    response->status = response->status == 429 ? 503 : response->status;
    response->content_type = "text/plain";
    buf_clear(&response->body);
    buf_add_text(&response->body, http_public_detail(request->op));
    buf_add_char(&response->body, '\n');
}

const struct ingest_format ingest_format_prometheus = {
    .name = "prometheus",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = MAX_SAMPLES,
    .media_types = prometheus_types,
    .parse = parse_prometheus,
    .answer = answer_prometheus,
    .answer_error = answer_failure,
};

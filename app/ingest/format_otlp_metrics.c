/* OTLP metrics. A data point is an item: its attributes, with those of its resource, name the
 * device and label the series; a gauge or sum has the metric's name, a histogram NAME_count,
 * NAME_sum, NAME_min, NAME_max and NAME_bucket with the label `le` (how many were at most that, as
 * Prometheus has it), an exponential one the first four, a summary NAME_count, NAME_sum and NAME
 * with the label `quantile`. What counts since the last report and not since the start carries the
 * label temporality="delta", so the two never share a series, and a new series is of the kind that
 * its metric is: a delta, a counter where it only rises, else what its name says. Since when a
 * counter counts (startTimeUnixNano) tells that it began anew, also where its value does not fall
 * (columns_add_starts). A new series has the metric's unit. Exemplars and descriptions are passed
 * over. Source: opentelemetry-proto, metrics/v1/metrics.proto. */
#include "ingest/otlp.h"
#include "ingest/unit.h"

#include <math.h>

#define NS_PER_US 1000
#define NO_RECORDED_VALUE 1 /* of a point's flags: the series has ended */
#define TEMPORALITY_DELTA 1
#define TEMPORALITY_CUMULATIVE 2

struct otlp_read {
    struct ingest_columns *columns;
    struct arena *arena;
    bool is_broken;
    struct ingest_labels resource;
    const char *resource_fault, *name_fault;
    struct str name, unit; /* the metric's */
    bool is_delta;
    enum ingest_kind kind; /* of the metric's series, but for those that do not count */
    uint32_t n_points;
};

/* Where a kind of point has its fields; start_time_unix_nano is 2 and time_unix_nano 3 in all. */
struct otlp_point_kind {
    uint32_t attributes, flags;
    void (*read)(struct otlp_read *read, struct proto_reader message,
                 struct ingest_labels *labels);
};

/* ---- metrics of a point ---- */

/* Rejects the point; a literal. */
static void reject(struct otlp_read *read, const char *fault)
{
    columns_reject(read->columns, ERR_INVALID, NULL, "%s", fault);
}

/* Adds a metric; one that `counts` is of the kind that the whole is. How many there were of
 * something has not its unit. */
static bool add(struct otlp_read *read, const char *suffix, struct str labels, double value,
                bool counts)
{
    struct ingest_draft *draft = &read->columns->draft;
    struct str name = read->name;

    if (suffix[0]) {
        name = str_of(arena_printf(read->arena, "%.*s%s", (int)name.len, name.ptr, suffix));
    }
    if (!columns_metric(read->columns, name, labels, value)) {
        return false;
    }
    draft->metrics[draft->n_metrics - 1].kind = counts ? read->kind : INGEST_KIND_UNTOLD;
    if (!str_equal(str_of(suffix), STR("_count")) && !str_equal(str_of(suffix), STR("_bucket"))) {
        draft->metrics[draft->n_metrics - 1].unit = read->unit;
    }
    return true;
}

/* Adds a metric that has one label more, a number. */
static bool add_labelled(struct otlp_read *read, const char *suffix, struct ingest_labels *labels,
                         const char *label, double bound, double value)
{
    struct buf text;
    struct str json;

    buf_init(&text, read->arena, 64);
    if (isfinite(bound)) {
        buf_add_double(&text, bound);
    } else {
        buf_add_text(&text, bound > 0 ? "+Inf" : bound < 0 ? "-Inf" : "NaN");
    }
    return labels_add(labels, str_of(label), buf_str(&text)) &&
           labels_write(labels, read->arena, &json) &&
           add(read, suffix, json, value, suffix[0] != '\0'); /* buckets count, quantiles do not */
}

static void end_point(struct otlp_read *read, bool has_all)
{
    if (has_all) {
        columns_end(read->columns);
    } else {
        columns_reject(read->columns, ERR_INVALID, NULL, "more than %d metrics, or labels too long",
                       MAX_METRICS);
    }
}

/* ---- gauges and sums ---- */

/* NumberDataPoint {as_double = 4, as_int = 6} */
static void read_number(struct otlp_read *read, struct proto_reader message,
                        struct ingest_labels *labels)
{
    struct proto_field field;
    bool has_value = false;
    double value = 0;
    struct str json;

    while (proto_next(&message, &field)) {
        if (field.number == 4) {
            value = proto_double(&message, &field);
        } else if (field.number == 6) {
            value = (double)(int64_t)proto_fixed64(&message, &field);
        }
        has_value = has_value || field.number == 4 || field.number == 6;
    }
    if (!has_value) {
        reject(read, "a point has no value");
        return;
    }
    end_point(read, labels_write(labels, read->arena, &json) && add(read, "", json, value, true));
}

/* ---- histograms ---- */

struct otlp_histogram {
    double values[4]; /* count, sum, min, max */
    bool has[4];
    double bounds[MAX_METRICS], counts[MAX_METRICS];
    size_t n_bounds, n_counts;
};

/* Adds what of a histogram is one number each. */
static bool add_parts(struct otlp_read *read, const struct otlp_histogram *histogram,
                      struct ingest_labels *labels)
{
    static const char *const suffixes[] = { "_count", "_sum", "_min", "_max" };
    struct str json;
    bool has_all = labels_write(labels, read->arena, &json);

    for (int i = 0; has_all && i < 4; i++) {
        has_all = !histogram->has[i] || add(read, suffixes[i], json, histogram->values[i], i < 2);
    }
    return has_all;
}

static bool add_buckets(struct otlp_read *read, const struct otlp_histogram *histogram,
                        struct ingest_labels *labels)
{
    bool has_all = true;
    double sum = 0;

    for (size_t i = 0; has_all && i < histogram->n_counts; i++) {
        double bound = i < histogram->n_bounds ? histogram->bounds[i] : INFINITY;
        sum += histogram->counts[i];
        has_all = add_labelled(read, "_bucket", labels, "le", bound, sum);
    }
    return has_all;
}

static void read_list(struct proto_reader values, bool is_double, double *out, size_t *n)
{
    uint64_t bits;

    while (*n < MAX_METRICS && proto_next_64(&values, &bits)) {
        out[(*n)++] = is_double ? proto_to_double(bits) : (double)bits;
    }
}

static void set_part(struct otlp_histogram *histogram, int part, double value)
{
    histogram->values[part] = value;
    histogram->has[part] = true;
}

/* HistogramDataPoint {count = 4, sum = 5, bucket_counts = 6, explicit_bounds = 7, min = 11,
 * max = 12} */
static void read_histogram(struct otlp_read *read, struct proto_reader message,
                           struct ingest_labels *labels)
{
    struct otlp_histogram histogram = { .has = { true } };
    struct proto_field field;

    while (proto_next(&message, &field)) {
        switch (field.number) {
        case 4: set_part(&histogram, 0, (double)proto_fixed64(&message, &field)); break;
        case 5: set_part(&histogram, 1, proto_double(&message, &field)); break;
        case 6:
            read_list(proto_values(&message, &field, PROTO_64), false, histogram.counts,
                      &histogram.n_counts);
            break;
        case 7:
            read_list(proto_values(&message, &field, PROTO_64), true, histogram.bounds,
                      &histogram.n_bounds);
            break;
        case 11: set_part(&histogram, 2, proto_double(&message, &field)); break;
        case 12: set_part(&histogram, 3, proto_double(&message, &field)); break;
        default: break;
        }
    }
    if (histogram.n_counts == MAX_METRICS) {
        end_point(read, false);
        return;
    }
    if (histogram.n_counts && histogram.n_counts != histogram.n_bounds + 1) {
        reject(read, "a histogram's buckets do not fit its bounds");
        return;
    }
    end_point(read, add_parts(read, &histogram, labels) && add_buckets(read, &histogram, labels));
}

/* ExponentialHistogramDataPoint {count = 4, sum = 5, min = 12, max = 13} */
static void read_exponential(struct otlp_read *read, struct proto_reader message,
                             struct ingest_labels *labels)
{
    struct otlp_histogram histogram = { .has = { true } };
    struct proto_field field;

    while (proto_next(&message, &field)) {
        switch (field.number) {
        case 4: set_part(&histogram, 0, (double)proto_fixed64(&message, &field)); break;
        case 5: set_part(&histogram, 1, proto_double(&message, &field)); break;
        case 12: set_part(&histogram, 2, proto_double(&message, &field)); break;
        case 13: set_part(&histogram, 3, proto_double(&message, &field)); break;
        default: break;
        }
    }
    end_point(read, add_parts(read, &histogram, labels));
}

/* ---- summaries ---- */

/* ValueAtQuantile {quantile = 1, value = 2}; one without observations is NaN, and left out. */
static bool read_quantile(struct otlp_read *read, struct proto_reader message,
                          struct ingest_labels *labels)
{
    double quantile = 0, value = 0;
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            quantile = proto_double(&message, &field);
        } else if (field.number == 2) {
            value = proto_double(&message, &field);
        }
    }
    return isnan(value) || add_labelled(read, "", labels, "quantile", quantile, value);
}

/* SummaryDataPoint {count = 4, sum = 5, quantile_values = 6} */
static void read_summary(struct otlp_read *read, struct proto_reader message,
                         struct ingest_labels *labels)
{
    struct otlp_histogram parts = { .has = { true, true } };
    struct proto_reader again = message;
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number == 4) {
            set_part(&parts, 0, (double)proto_fixed64(&message, &field));
        } else if (field.number == 5) {
            set_part(&parts, 1, proto_double(&message, &field));
        }
    }
    bool has_all = add_parts(read, &parts, labels);
    while (has_all && proto_next(&again, &field)) {
        has_all = field.number != 6 || read_quantile(read, proto_message(&again, &field), labels);
    }
    end_point(read, has_all);
}

/* ---- points ---- */

static const struct otlp_point_kind number_kind = { 7, 8, read_number };
static const struct otlp_point_kind histogram_kind = { 9, 10, read_histogram };
static const struct otlp_point_kind exponential_kind = { 1, 10, read_exponential };
static const struct otlp_point_kind summary_kind = { 7, 8, read_summary };

static void read_point(struct otlp_read *read, const struct otlp_point_kind *kind,
                       struct proto_reader message)
{
    struct ingest_labels labels = read->resource;
    const char *fault = read->resource_fault ? read->resource_fault : read->name_fault;
    struct proto_reader again = message;
    uint64_t start_ns = 0, time_ns = 0, flags = 0;
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number == kind->attributes) {
            const char *worse =
                otlp_read_label(proto_message(&message, &field), read->arena, &labels);
            fault = fault ? fault : worse;
        } else if (field.number == 2) {
            start_ns = proto_fixed64(&message, &field);
        } else if (field.number == 3) {
            time_ns = proto_fixed64(&message, &field);
        } else if (field.number == kind->flags) {
            flags = proto_uint(&message, &field);
        }
    }
    uint32_t index = read->n_points++;
    struct ingest_draft *draft =
        flags & NO_RECORDED_VALUE ? NULL : columns_begin(read->columns, index);
    if (!draft) {
        return;
    }
    if (read->is_delta && !labels_add(&labels, STR("temporality"), STR("delta"))) {
        fault = "too many attributes";
    }
    if (fault) {
        reject(read, fault);
        return;
    }
    draft->device = otlp_take_device(&labels, &read->columns->rules);
    draft->time_us = (int64_t)(time_ns / NS_PER_US);
    draft->has_time = time_ns != 0;
    draft->start_us = (int64_t)(start_ns / NS_PER_US);
    draft->has_start = start_ns != 0;
    kind->read(read, again, &labels);
}

/* Gauge, Sum, …: {data_points = 1, aggregation_temporality = 2, is_monotonic = 3} */
static void read_points(struct otlp_read *read, const struct otlp_point_kind *kind,
                        struct proto_reader message)
{
    struct proto_reader again = message;
    uint64_t temporality = kind == &summary_kind ? TEMPORALITY_CUMULATIVE : 0;
    bool is_monotonic = kind != &number_kind;
    struct proto_field field;

    while (proto_next(&message, &field)) {
        if (field.number == 2) {
            temporality = proto_uint(&message, &field);
        } else if (field.number == 3) {
            is_monotonic = proto_uint(&message, &field) != 0;
        }
    }
    read->is_delta = temporality == TEMPORALITY_DELTA;
    read->kind = read->is_delta                                           ? INGEST_DELTA
                 : temporality == TEMPORALITY_CUMULATIVE && is_monotonic ? INGEST_COUNTER
                                                                          : INGEST_KIND_UNTOLD;
    while (!read->columns->broken && proto_next(&again, &field)) {
        if (field.number == 1) {
            read_point(read, kind, proto_message(&again, &field));
        }
    }
}

/* Metric {name = 1, unit = 3, gauge = 5, sum = 7, histogram = 9, exponential_histogram = 10,
 * summary = 11} */
static void read_metric(struct otlp_read *read, struct proto_reader message)
{
    static const struct otlp_point_kind *const kinds[] = {
        [5] = &number_kind, [7] = &number_kind, [9] = &histogram_kind, [10] = &exponential_kind,
        [11] = &summary_kind,
    };
    struct proto_reader again = message;
    struct proto_field field;

    read->name = read->unit = (struct str){ "", 0 };
    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            read->name = proto_bytes(&message, &field);
        } else if (field.number == 3) {
            read->unit = unit_read(proto_bytes(&message, &field));
        }
    }
    read->name_fault = str_is_utf8(read->name) ? NULL : "the metric's name is not UTF-8";
    while (proto_next(&again, &field)) {
        if (field.number < sizeof kinds / sizeof *kinds && kinds[field.number]) {
            read_points(read, kinds[field.number], proto_message(&again, &field));
        }
    }
}

/* ---- the request ---- */

/* ScopeMetrics {metrics = 2} */
static void read_scope(struct otlp_read *read, struct proto_reader message)
{
    struct proto_field field;

    while (!read->columns->broken && proto_next(&message, &field)) {
        if (field.number == 2) {
            read_metric(read, proto_message(&message, &field));
        }
    }
}

/* ResourceMetrics {resource = 1, scope_metrics = 2} */
static void read_resource(struct otlp_read *read, struct proto_reader message)
{
    struct proto_reader again = message;
    struct proto_field field;

    read->resource.n = 0;
    read->resource_fault = NULL;
    while (proto_next(&message, &field)) {
        if (field.number == 1) {
            read->resource_fault = otlp_read_resource(proto_message(&message, &field),
                                                      read->arena, &read->resource);
        }
    }
    while (!read->columns->broken && proto_next(&again, &field)) {
        if (field.number == 2) {
            read_scope(read, proto_message(&again, &field));
        }
    }
}

/* ExportMetricsServiceRequest {resource_metrics = 1} */
static enum err parse_metrics(struct http_request *request, struct str body,
                              struct ingest_columns *columns)
{
    struct otlp_read *read = arena_alloc(request->op->arena, sizeof *read);
    struct proto_field field;
    enum err err = otlp_body(request, body, &otlp_metrics_request, &body);

    if (err || !read) {
        return err ? err : fail_memory(request->op);
    }
    read->columns = columns;
    read->arena = request->op->arena;
    struct proto_reader message = proto_reader(body, &read->is_broken);
    while (!columns->broken && proto_next(&message, &field)) {
        if (field.number == 1) {
            read_resource(read, proto_message(&message, &field));
        }
    }
    if (columns->broken) {
        return columns->broken;
    }
    return read->is_broken
               ? fail(request->op, ERR_MALFORMED, "the body is not an ExportMetricsServiceRequest")
               : OK;
}

static enum err answer_metrics(struct http_request *request, const struct ingest_outcome *outcome,
                               struct http_response *response)
{
    return otlp_answer(request, outcome, "rejectedDataPoints", response);
}

const struct ingest_format ingest_format_otlp_metrics = {
    .name = "otlp_metrics",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = OTLP_MAX_ITEMS,
    .media_types = otlp_types,
    .parse = parse_metrics,
    .answer = answer_metrics,
    .answer_error = otlp_answer_error,
};

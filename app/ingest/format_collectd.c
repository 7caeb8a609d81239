/* collectd's write_http with Format "JSON": a list of value lists, whose host is the device. A
 * value is the metric plugin.type.name, as short as it is clear: without the type where it is the
 * plugin's name, without the name where it is "value", and with `_total` where it counts (derive,
 * counter): "load.shortterm", "interface.if_octets.rx_total", "cpu_total". Instances are labels.
 * A list of notifications becomes events of type "notification".
 * Source: collectd 5.12, src/utils/format_json/format_json.c, and its types.db. */
#include "base/clock.h"
#include "base/json.h"
#include "ingest/format.h"
#include "ingest/labels.h"
#include "ingest/number.h"
#include "ingest/storable.h"

/* A value list as it is read, whatever the order of its members. */
struct value_list {
    struct json_reader *reader;
    struct ingest_columns *columns;
    struct str host, plugin, plugin_instance, type, type_instance;
    struct str labels, annotations, starts_at; /* of a notification; the first two as JSON */
    struct str time; /* a number, as it was written */
    double values[MAX_METRICS];
    bool is_known[MAX_METRICS]; /* null: not known */
    struct str names[MAX_METRICS], kinds[MAX_METRICS];
    int n_values, n_names, n_kinds;
    bool has_values;
    const char *fault; /* of the list; the last one found */
};

/* ---- members ---- */

static void read_text(struct value_list *list, struct str *out)
{
    if (json_peek(list->reader) == JSON_STRING) {
        (void)json_read_string(list->reader, out);
    } else if (json_skip(list->reader, NULL)) {
        list->fault = "host, plugin, type and their instances are texts";
    }
}

static void read_time(struct value_list *list)
{
    bool is_number = json_peek(list->reader) == JSON_NUMBER;

    if (json_skip(list->reader, &list->time) && !is_number) {
        list->fault = "time is not a number";
    }
}

static void read_values(struct value_list *list)
{
    list->has_values = true;
    if (json_peek(list->reader) != JSON_ARRAY) {
        (void)json_skip(list->reader, NULL);
        list->fault = "values is not a list";
        return;
    }
    (void)json_enter_array(list->reader);
    while (json_next_element(list->reader)) {
        enum json_type type = json_peek(list->reader);
        double value = 0;
        if (type == JSON_NUMBER) {
            (void)json_read_number(list->reader, &value, NULL);
        } else if (json_skip(list->reader, NULL) && type != JSON_NULL) {
            list->fault = "a value is neither a number nor null";
        }
        if (list->n_values == MAX_METRICS) {
            list->fault = "more values than an event may have";
            continue;
        }
        list->is_known[list->n_values] = type == JSON_NUMBER;
        list->values[list->n_values++] = value;
    }
}

static void read_texts(struct value_list *list, struct str *texts, int *n)
{
    if (json_peek(list->reader) != JSON_ARRAY) {
        (void)json_skip(list->reader, NULL);
        list->fault = "dsnames and dstypes are lists";
        return;
    }
    (void)json_enter_array(list->reader);
    while (json_next_element(list->reader)) {
        struct str text = { NULL, 0 };
        read_text(list, &text);
        if (*n < MAX_METRICS) {
            texts[(*n)++] = text;
        }
    }
}

static void read_object(struct value_list *list, struct str *out)
{
    bool is_object = json_peek(list->reader) == JSON_OBJECT;

    if (json_skip(list->reader, out) && !is_object) {
        list->fault = "labels and annotations are objects";
    }
}

static void read_member(struct value_list *list, struct str name)
{
    const struct {
        struct str name;
        struct str *text;
    } texts[] = {
        { STR("host"), &list->host },
        { STR("plugin"), &list->plugin },
        { STR("plugin_instance"), &list->plugin_instance },
        { STR("type"), &list->type },
        { STR("type_instance"), &list->type_instance },
        { STR("startsAt"), &list->starts_at },
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (str_equal(texts[i].name, name)) {
            read_text(list, texts[i].text);
            return;
        }
    }
    if (str_equal(name, STR("values"))) {
        read_values(list);
    } else if (str_equal(name, STR("dsnames"))) {
        read_texts(list, list->names, &list->n_names);
    } else if (str_equal(name, STR("dstypes"))) {
        read_texts(list, list->kinds, &list->n_kinds);
    } else if (str_equal(name, STR("time"))) {
        read_time(list);
    } else if (str_equal(name, STR("labels"))) {
        read_object(list, &list->labels);
    } else if (str_equal(name, STR("annotations"))) {
        read_object(list, &list->annotations);
    } else {
        (void)json_skip(list->reader, NULL); /* interval, meta */
    }
}

/* ---- value lists ---- */

/* NULL without memory. */
static const char *metric_name(const struct value_list *list, int at)
{
    struct str kind = list->kinds[at];
    bool is_counter = str_equal(kind, STR("derive")) || str_equal(kind, STR("counter"));
    bool has_type = !str_equal(list->type, list->plugin);
    bool has_name = !str_equal(list->names[at], STR("value"));

    return arena_printf(list->columns->op->arena, "%.*s%s%.*s%s%.*s%s", (int)list->plugin.len,
                        list->plugin.ptr, has_type ? "." : "", has_type ? (int)list->type.len : 0,
                        list->type.ptr, has_name ? "." : "",
                        has_name ? (int)list->names[at].len : 0, list->names[at].ptr,
                        is_counter ? "_total" : "");
}

static const char *check_list(const struct value_list *list)
{
    return list->fault                            ? list->fault
           : list->host.len == 0                  ? "host is missing"
           : list->plugin.len == 0                ? "plugin is missing"
           : list->type.len == 0                  ? "type is missing"
           : list->n_values != list->n_names ||
                   list->n_values != list->n_kinds ? "values, dsnames and dstypes differ in number"
                                                   : NULL;
}

static void keep_values(struct value_list *list)
{
    struct ingest_columns *columns = list->columns;
    struct ingest_labels labels = { .n = 0 };
    struct str text;
    bool is_whole = labels_add(&labels, STR("plugin_instance"), list->plugin_instance) &&
                    labels_add(&labels, STR("type_instance"), list->type_instance) &&
                    labels_write(&labels, columns->op->arena, &text);

    for (int i = 0; is_whole && i < list->n_values; i++) {
        if (list->is_known[i]) {
            const char *name = metric_name(list, i);
            is_whole = name && columns_metric(columns, str_of(name), text, list->values[i]);
        }
    }
    if (!is_whole) {
        columns_reject(columns, ERR_INVALID, "values", "the names are too long");
    } else if (columns->draft.n_metrics > 0) {
        columns_end(columns);
    }
}

/* ---- notifications ---- */

/* The host among the labels: `instance`, as collectd calls it, else `host`; ptr NULL where there
 * is none. */
static struct str host_of(const struct value_list *list)
{
    struct json_reader reader;
    struct str host = { NULL, 0 }, instance = { NULL, 0 }, name;

    json_reader_init(&reader, list->labels, list->columns->op->arena, MAX_JSON_DEPTH);
    (void)json_enter_object(&reader);
    while (json_next_member(&reader, &name)) {
        bool is_instance = str_equal(name, STR("instance"));
        if ((is_instance || str_equal(name, STR("host"))) &&
            json_peek(&reader) == JSON_STRING) {
            (void)json_read_string(&reader, is_instance ? &instance : &host);
        } else if (!json_skip(&reader, NULL)) {
            break;
        }
    }
    return instance.len ? instance : host;
}

static void keep_notification(struct value_list *list)
{
    struct ingest_columns *columns = list->columns;
    struct ingest_draft *draft = &columns->draft;
    struct json_writer writer;
    struct buf data;

    draft->device = host_of(list);
    draft->type = STR("notification");
    draft->labels = list->labels;
    if (!draft->device.len || !storable_json(list->labels) || !storable_json(list->annotations) ||
        (list->starts_at.ptr && !clock_parse_rfc3339(list->starts_at, &draft->time_us))) {
        columns_reject(columns, ERR_INVALID, "labels", "the notification's host or time is wrong");
        return;
    }
    draft->has_time = list->starts_at.ptr != NULL;
    buf_init(&data, columns->op->arena, 2 * MAX_EVENT_DATA_BYTES);
    json_writer_init(&writer, &data);
    json_open_object(&writer);
    json_key(&writer, "labels");
    json_raw(&writer, list->labels);
    json_key(&writer, "annotations");
    json_raw(&writer, list->annotations);
    json_close_object(&writer);
    draft->data = buf_str(&data);
    if (data.is_broken) {
        columns_reject(columns, ERR_INVALID, "labels", "data is over %u bytes",
                       MAX_EVENT_DATA_BYTES);
    } else {
        columns_end(columns);
    }
}

/* ---- the body ---- */

static void keep(struct value_list *list)
{
    struct ingest_columns *columns = list->columns;
    const char *fault = list->fault;
    bool is_notification = !list->has_values && list->labels.ptr;

    if (!fault && !is_notification) {
        fault = check_list(list);
    }
    if (fault) {
        columns_reject(columns, ERR_INVALID, NULL, "%s", fault);
    } else if (is_notification) {
        keep_notification(list);
    } else {
        columns->draft.device = list->host;
        columns->draft.has_time = list->time.ptr != NULL;
        if (list->time.ptr && !number_read_time(list->time, &columns->draft.time_us)) {
            columns_reject(columns, ERR_INVALID, "time", "time is no epoch");
            return;
        }
        keep_values(list);
    }
}

/* One element; false when the body cannot be read on. */
static bool read_item(struct json_reader *reader, uint32_t index, struct value_list *list)
{
    struct ingest_columns *columns = list->columns;
    bool is_object = json_peek(reader) == JSON_OBJECT;
    const char *begin = reader->at;
    struct str name;

    if (!columns_begin(columns, index)) {
        return false;
    }
    if (!is_object) {
        (void)json_skip(reader, NULL);
        list->fault = "a value list is an object";
    } else {
        (void)json_enter_object(reader);
        while (json_next_member(reader, &name)) {
            read_member(list, name);
        }
    }
    if (reader->error) {
        return false;
    }
    columns_source(columns, (struct str){ begin, (size_t)(reader->at - begin) });
    keep(list);
    return true;
}

static enum err parse(struct http_request *request, struct str body, struct ingest_columns *columns)
{
    struct value_list *list = arena_alloc(columns->op->arena, sizeof *list);
    struct json_reader reader;
    uint32_t index = 0;

    (void)request;
    if (!list) {
        return fail_memory(columns->op);
    }
    json_reader_init(&reader, body, columns->op->arena, MAX_JSON_DEPTH);
    bool is_list = json_peek(&reader) == JSON_ARRAY;
    if (is_list) {
        (void)json_enter_array(&reader);
    }
    while (is_list ? json_next_element(&reader) : index == 0) { /* one alone will do, too */
        *list = (struct value_list){ .reader = &reader, .columns = columns,
                                     .annotations = STR("{}") };
        if (!read_item(&reader, index++, list)) {
            break;
        }
    }
    if (columns->broken || json_at_end(&reader)) {
        return columns->broken;
    }
    return fail(columns->op, ERR_MALFORMED, "the body is not JSON: %s at byte %zu",
                reader.error ? reader.error : "more after the list", json_offset(&reader));
}

/* ---- answering ---- */

/* 200 and nothing else; collectd takes any other for a failure, and says so in its log. */
static enum err answer(struct http_request *request, const struct ingest_outcome *outcome,
                       struct http_response *response)
{
    struct op *op = request->op;
    struct http_item_error *items =
        arena_array(op->arena, (size_t)outcome->n_errors + 1, sizeof *items);

    if (outcome->rejected == 0) {
        return OK;
    }
    for (int i = 0; items && i < outcome->n_errors; i++) {
        const struct ingest_error *error = &outcome->errors[i];
        items[i] = (struct http_item_error){ (int)error->index, error->field, error->detail };
    }
    if (!items) {
        return fail_memory(op);
    }
    (void)fail(op, ERR_INVALID, "%u of the value lists were rejected, the others are stored",
               outcome->rejected);
    http_problem_items(response, op, request->path, items, outcome->n_errors);
    return OK;
}

static void answer_error(struct http_request *request, struct http_response *response)
{
    http_problem(response, request->op, request->path);
}

const struct ingest_format ingest_format_collectd = {
    .name = "collectd",
    .credentials = CREDENTIAL_IN_HEADERS,
    .parse = parse,
    .answer = answer,
    .answer_error = answer_error,
};

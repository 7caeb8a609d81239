/* Applying a mapping to a draft: its device, its labels, also those among the data of texts, and
 * its metrics. Labels, which the metrics of an item mostly share, are read once. Called by the
 * columns. */
#include "ingest/mapping.h"

#include "base/json.h"
#include "domain/mapped.h"
#include "ingest/labels.h"

/* ---- labels ---- */

/* False for what is no object of texts: such labels stay as they are. */
static bool read_labels(struct arena *arena, struct str text, struct ingest_labels *out)
{
    struct json_reader json;
    struct str name, value;

    out->n = 0;
    if (text.len == 0) {
        return true;
    }
    json_reader_init(&json, text, arena, MAX_JSON_DEPTH);
    if (!json_enter_object(&json)) {
        return false;
    }
    while (json_next_member(&json, &name)) {
        if (json_peek(&json) != JSON_STRING || !json_read_string(&json, &value) ||
            !labels_add(out, name, value)) {
            return false;
        }
    }
    return !json.error;
}

static bool add_renamed(const struct mapping *mapping, struct ingest_labels *out, struct str name,
                        struct str value)
{
    struct str other = mapped_label(mapping, name);

    return !other.ptr || labels_add(out, other, value);
}

/* The labels with their new names, without the one that names the device. False when there are too
 * many, or without memory. */
static bool rename_labels(const struct mapping *mapping, struct arena *arena,
                          const struct mapped_device *device, struct str *text)
{
    struct ingest_labels labels, renamed = { .n = 0 };

    if (!read_labels(arena, *text, &labels)) {
        return true;
    }
    if (device->former.ptr &&
        !add_renamed(mapping, &renamed, STR("device"), device->former)) {
        return false;
    }
    for (int i = 0; i < labels.n; i++) {
        const struct str_pair *label = &labels.items[i];
        bool is_device = device->tag.ptr && str_equal(label->name, device->tag);
        if (!is_device && !add_renamed(mapping, &renamed, label->name, label->value)) {
            return false;
        }
    }
    return labels_write(&renamed, arena, text);
}

/* Writes the data with other labels first. False where it does not hold the ones that there are. */
static bool replace_labels(struct json_reader *json, const struct ingest_draft *draft,
                           struct str labels, struct buf *out)
{
    bool is_found = draft->labels.len == 0;
    struct json_writer writer;
    struct str name, value;

    json_writer_init(&writer, out);
    json_open_object(&writer);
    if (labels.len) {
        json_key(&writer, "labels");
        json_raw(&writer, labels);
    }
    (void)json_enter_object(json);
    while (json_next_member(json, &name) && json_skip(json, &value)) {
        if (!is_found && str_equal(name, STR("labels")) && str_equal(value, draft->labels)) {
            is_found = true;
            continue;
        }
        json_key_str(&writer, name);
        json_raw(&writer, value);
    }
    json_close_object(&writer);
    return is_found && !json->error;
}

/* The same labels where the item's data has them. False as rename_labels. */
static bool rename_in_data(const struct mapping *mapping, struct arena *arena,
                           const struct mapped_device *device, struct ingest_draft *draft)
{
    struct str labels = draft->labels;
    struct json_reader json;
    struct buf data;

    if (!draft->data.ptr || !draft->labels.ptr || draft->data.len > MAX_EVENT_DATA_BYTES) {
        return true;
    }
    if (!rename_labels(mapping, arena, device, &labels)) {
        return false;
    }
    json_reader_init(&json, draft->data, arena, MAX_JSON_DEPTH);
    buf_init(&data, arena, 4 * MAX_EVENT_DATA_BYTES);
    if (replace_labels(&json, draft, labels, &data)) {
        draft->data = data.is_broken ? draft->data : buf_str(&data);
        return !data.is_broken;
    }
    return true;
}

/* ---- the device ---- */

/* Names the device. All metrics of an item have its tags, so the first one's are looked at. */
static struct mapped_device name_device(const struct ingest_columns *columns,
                                        struct ingest_draft *draft)
{
    const struct mapping *mapping = columns->rules.mapping;
    struct ingest_labels labels = { .n = 0 };
    struct mapped_reading reading = { .device = draft->device, .measurement = draft->measurement,
                                      .tags = labels.items };

    if (columns->rules.is_device_bound) {
        reading.bound = columns->rules.device;
    }
    if (mapping->n_sources) {
        (void)read_labels(columns->op->arena,
                          draft->n_metrics ? draft->metrics[0].labels : draft->labels, &labels);
        reading.n_tags = labels.n;
    }
    const struct mapped_device device = mapped_device(mapping, &reading);
    for (int i = 0; device.is_bare && i < draft->n_metrics; i++) {
        draft->metrics[i].name = mapped_bare(draft->metrics[i].name, draft->measurement);
    }
    draft->device = device.device;
    draft->known_device = NULL;
    return device;
}

/* ---- metrics ---- */

static enum ingest_kind kind_of(struct str kind)
{
    return str_equal(kind, STR("gauge"))     ? INGEST_GAUGE
           : str_equal(kind, STR("counter")) ? INGEST_COUNTER
                                             : INGEST_DELTA;
}

/* False where the metric is dropped. */
static bool map_metric(const struct mapping *mapping, struct ingest_metric *metric)
{
    const struct mapping_metric *rule = mapped_metric(mapping, metric->name);

    metric->known = NULL; /* remembered by its old name */
    if (!rule) {
        return true;
    }
    metric->name = rule->name;
    metric->unit = rule->unit.len ? rule->unit : metric->unit;
    metric->role = rule->role;
    if (rule->kind.len) {
        metric->kind = kind_of(rule->kind);
    }
    return rule->name.ptr != NULL;
}

/* The metrics and their labels. False as rename_labels. */
static bool map_metrics(const struct mapping *mapping, struct arena *arena,
                        const struct mapped_device *device, struct ingest_draft *draft)
{
    bool has_labels = device->tag.ptr || device->former.ptr || mapping->n_labels;
    struct str before = { NULL, 0 }, after = { NULL, 0 };
    int n = 0;

    for (int i = 0; i < draft->n_metrics; i++) {
        struct ingest_metric metric = draft->metrics[i];
        if (!map_metric(mapping, &metric)) {
            continue;
        }
        if (has_labels && (n == 0 || metric.labels.ptr != before.ptr)) {
            before = after = metric.labels;
            if (!rename_labels(mapping, arena, device, &after)) {
                return false;
            }
        }
        metric.labels = has_labels ? after : metric.labels;
        draft->metrics[n++] = metric;
    }
    draft->n_metrics = n;
    return !has_labels || rename_in_data(mapping, arena, device, draft);
}

bool ingest_map_names(struct ingest_columns *columns)
{
    struct ingest_draft *draft = &columns->draft;
    bool had_metrics = draft->n_metrics > 0;
    const struct mapped_device device = name_device(columns, draft);

    if (!map_metrics(columns->rules.mapping, columns->op->arena, &device, draft)) {
        columns_reject(columns, ERR_INVALID, "metrics", "more than %d labels", MAX_LABELS);
        return true;
    }
    return draft->n_metrics > 0 || !had_metrics || draft->data.ptr;
}

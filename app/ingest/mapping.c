/* Applying a mapping to a draft. Lists are short and walked; labels, which the metrics of an item
 * mostly share, are read once. Called by the columns. */
#include "ingest/mapping.h"

#include "base/json.h"
#include "domain/mapping.h"
#include "ingest/labels.h"

static const struct mapping_name *find_name(const struct mapping_name *rules, int n,
                                            struct str name)
{
    for (int i = 0; i < n; i++) {
        if (str_equal(rules[i].from, name)) {
            return &rules[i];
        }
    }
    return NULL;
}

static const struct mapping_metric *find_metric(const struct mapping *mapping, struct str name)
{
    for (int i = 0; i < mapping->n_metrics; i++) {
        if (str_equal(mapping->metrics[i].from, name)) {
            return &mapping->metrics[i];
        }
    }
    return NULL;
}

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

/* What became of the device's name. */
struct naming {
    struct str tag;    /* that names it now; ptr NULL: none */
    struct str former; /* what named it before, kept as the label "device"; ptr NULL: nothing did */
};

static bool add_renamed(const struct mapping *mapping, struct ingest_labels *out, struct str name,
                        struct str value)
{
    const struct mapping_name *rule = find_name(mapping->labels, mapping->n_labels, name);

    return (rule && !rule->to.ptr) || labels_add(out, rule ? rule->to : name, value);
}

/* The labels with their new names, without the one that names the device. False when there are too
 * many, or without memory. */
static bool rename_labels(const struct mapping *mapping, struct arena *arena,
                          const struct naming *naming, struct str *text)
{
    struct ingest_labels labels, renamed = { .n = 0 };

    if (!read_labels(arena, *text, &labels)) {
        return true;
    }
    if (naming->former.ptr &&
        !add_renamed(mapping, &renamed, STR("device"), naming->former)) {
        return false;
    }
    for (int i = 0; i < labels.n; i++) {
        const struct ingest_label *label = &labels.items[i];
        bool is_device = naming->tag.ptr && str_equal(label->name, naming->tag);
        if (!is_device && !add_renamed(mapping, &renamed, label->name, label->value)) {
            return false;
        }
    }
    return labels_write(&renamed, arena, text);
}

/* ---- the device ---- */

/* "energy.kwh" of the device "energy" is its metric "kwh". */
static void bare_metrics(struct ingest_draft *draft, struct str measurement)
{
    for (int i = 0; i < draft->n_metrics; i++) {
        struct str *name = &draft->metrics[i].name;
        if (name->len > measurement.len + 1 && str_starts_with(*name, measurement) &&
            name->ptr[measurement.len] == '.') {
            name->ptr += measurement.len + 1;
            name->len -= measurement.len + 1;
        }
    }
}

/* Names the device by the first source that is there. All metrics of an item have its tags, so the
 * first one's are looked at. */
static struct naming name_device(const struct mapping *mapping, struct ingest_draft *draft,
                                 struct arena *arena)
{
    struct naming naming = { .tag = { NULL, 0 } };
    struct ingest_labels labels = { .n = 0 };
    struct str before = draft->device, value = { NULL, 0 };

    if (mapping->n_sources && draft->n_metrics) {
        (void)read_labels(arena, draft->metrics[0].labels, &labels);
    }
    for (int i = 0; i < mapping->n_sources && !value.ptr; i++) {
        struct str source = mapping->sources[i];
        if (draft->measurement.ptr && str_equal(source, STR(MAPPING_MEASUREMENT))) {
            value = draft->measurement;
            bare_metrics(draft, value);
        }
        for (int k = 0; k < labels.n && !value.ptr; k++) {
            if (str_equal(labels.items[k].name, source)) {
                value = labels.items[k].value;
                naming.tag = source;
            }
        }
    }
    if (!value.ptr) {
        return naming;
    }
    draft->device = value;
    /* two senders that differed in it alone must not become one series */
    if (before.ptr && !str_equal(before, value) && !str_equal(before, draft->measurement)) {
        naming.former = before;
    }
    return naming;
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
    const struct mapping_metric *rule = find_metric(mapping, metric->name);

    metric->known = NULL; /* remembered by its old name */
    if (!rule) {
        return true;
    }
    metric->name = rule->name;
    metric->unit = rule->unit;
    metric->role = rule->role;
    if (rule->kind.len) {
        metric->kind = kind_of(rule->kind);
    }
    return rule->name.ptr != NULL;
}

bool ingest_map_names(struct ingest_columns *columns)
{
    const struct mapping *mapping = columns->rules.mapping;
    struct ingest_draft *draft = &columns->draft;
    struct arena *arena = columns->op->arena;
    const struct naming naming = name_device(mapping, draft, arena);
    bool has_labels = naming.tag.ptr || naming.former.ptr || mapping->n_labels;
    struct str before = { NULL, 0 }, after = { NULL, 0 };
    bool had_metrics = draft->n_metrics > 0;
    int n = 0;

    draft->known_device = NULL;
    const struct mapping_name *device =
        draft->device.ptr ? find_name(mapping->devices, mapping->n_devices, draft->device) : NULL;
    draft->device = device ? device->to : draft->device;
    for (int i = 0; i < draft->n_metrics; i++) {
        struct ingest_metric metric = draft->metrics[i];
        if (!map_metric(mapping, &metric)) {
            continue;
        }
        if (has_labels && (n == 0 || metric.labels.ptr != before.ptr)) {
            before = after = metric.labels;
            if (!rename_labels(mapping, arena, &naming, &after)) {
                columns_reject(columns, ERR_INVALID, "metrics", "more than %d labels",
                               MAX_LABELS);
                return true;
            }
        }
        metric.labels = has_labels ? after : metric.labels;
        draft->metrics[n++] = metric;
    }
    draft->n_metrics = n;
    return n > 0 || !had_metrics || draft->data.ptr;
}

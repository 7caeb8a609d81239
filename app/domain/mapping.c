/* Reading a mapping, with all that is wrong about it said at once, by field. Called by the
 * handlers of plugins and by ingest. */
#include "domain/mapping.h"

#include "base/json.h"
#include "base/limits.h"

const char *const ADAPTER_KEYS[] = { "acquisuite", "collectd",   "egauge",   "emoncms",
                                     "events",     "influxdb",   "otlp",     "prometheus",
                                     "pvoutput",   "thingsboard", NULL };

static const char *const kinds[] = { "gauge", "counter", "delta", NULL };
static const char *const roles[] = { "grid_import", "grid_export", "generation", "consumption",
                                     "storage", "sub_meter", "none", NULL };

static bool is_among(const char *const *list, struct str text)
{
    for (; *list; list++) {
        if (str_equal(str_of(*list), text)) {
            return true;
        }
    }
    return false;
}

bool mapping_is_adapter(struct str key)
{
    return is_among(ADAPTER_KEYS, key);
}

/* ---- what is wrong ---- */

struct reading {
    struct arena *arena;
    struct json_reader json;
    struct mapping *mapping;
    struct mapping_errors *errors;
    int n_rules;
};

/* Where it is wrong: "metrics", "metrics.x", "metrics.x.kind". */
static void refuse(struct reading *reading, const char *part, struct str name, const char *member,
                   const char *detail)
{
    struct mapping_errors *errors = reading->errors;
    const char *field =
        arena_printf(reading->arena, "%s%s%.*s%s%s", part, name.ptr ? "." : "", (int)name.len,
                     name.ptr ? name.ptr : "", member ? "." : "", member ? member : "");

    if (errors->n < MAPPING_MAX_ERRORS) {
        errors->items[errors->n++] = (struct mapping_error){ field ? field : part, detail };
    }
}

static const struct str NO_NAME = { NULL, 0 };

/* False when there are too many rules, which is said once. */
static bool count_rule(struct reading *reading, const char *part)
{
    if (++reading->n_rules == MAPPING_MAX_RULES + 1) {
        refuse(reading, part, NO_NAME, NULL, "must not have more than 200 rules with the others");
    }
    return reading->n_rules <= MAPPING_MAX_RULES;
}

static bool check_name(struct reading *reading, const char *part, struct str name, struct str value)
{
    if (value.len >= 1 && value.len <= MAX_NAME_BYTES) {
        return true;
    }
    refuse(reading, part, name, NULL, "must be a name of 1 to 128 bytes");
    return false;
}

/* ---- its parts ---- */

static void read_sources(struct reading *reading)
{
    struct mapping *mapping = reading->mapping;
    struct json_reader *json = &reading->json;
    struct str source;

    if (json_peek(json) != JSON_ARRAY) {
        refuse(reading, "device", NO_NAME, NULL, "must be a list of names of tags");
        (void)json_skip(json, NULL);
        return;
    }
    (void)json_enter_array(json);
    while (json_next_element(json)) {
        if (json_peek(json) != JSON_STRING) {
            refuse(reading, "device", NO_NAME, NULL, "must be a list of names of tags");
            (void)json_skip(json, NULL);
        } else if (json_read_string(json, &source) && count_rule(reading, "device") &&
                   check_name(reading, "device", NO_NAME, source)) {
            mapping->sources[mapping->n_sources++] = source;
        }
    }
}

/* One new name; to.ptr NULL where null drops what had it. */
static bool read_new_name(struct reading *reading, const char *part, struct mapping_name *rule,
                          bool may_drop)
{
    struct json_reader *json = &reading->json;
    enum json_type type = json_peek(json);

    if (type == JSON_NULL && may_drop) {
        rule->to = (struct str){ NULL, 0 };
        return json_read_null(json);
    }
    if (type != JSON_STRING) {
        refuse(reading, part, rule->from, NULL, may_drop ? "must be a name, or null"
                                                         : "must be a name");
        (void)json_skip(json, NULL);
        return false;
    }
    return json_read_string(json, &rule->to) && check_name(reading, part, rule->from, rule->to);
}

static void read_names(struct reading *reading, const char *part, struct mapping_name *rules,
                       int *n)
{
    struct json_reader *json = &reading->json;
    struct mapping_name rule;

    if (json_peek(json) != JSON_OBJECT) {
        refuse(reading, part, NO_NAME, NULL, "must be an object of names");
        (void)json_skip(json, NULL);
        return;
    }
    (void)json_enter_object(json);
    while (json_next_member(json, &rule.from)) {
        bool is_good = read_new_name(reading, part, &rule, strcmp(part, "labels") == 0);
        if (count_rule(reading, part) && is_good) {
            rules[(*n)++] = rule;
        }
    }
}

/* A member of a metric's object. */
static void read_metric_member(struct reading *reading, struct mapping_metric *rule,
                               struct str member)
{
    static const char *const members[] = { "name", "unit", "kind", "role", NULL };
    struct json_reader *json = &reading->json;
    const char *shown = arena_copy(reading->arena, member);
    struct str value = { NULL, 0 };

    if (!is_among(members, member)) {
        refuse(reading, "metrics", rule->from, shown, "is not known; there are name, unit, kind, "
                                                      "role");
        (void)json_skip(json, NULL);
        return;
    }
    if (json_peek(json) != JSON_STRING) {
        refuse(reading, "metrics", rule->from, shown, "must be a text");
        (void)json_skip(json, NULL);
        return;
    }
    if (!json_read_string(json, &value)) {
        return;
    }
    if (str_equal(member, STR("name"))) {
        rule->name = value;
        if (value.len == 0 || value.len > MAX_NAME_BYTES) {
            refuse(reading, "metrics", rule->from, shown, "must be a name of 1 to 128 bytes");
        }
    } else if (str_equal(member, STR("unit"))) {
        rule->unit = value;
        if (value.len > MAX_UNIT_BYTES) {
            refuse(reading, "metrics", rule->from, shown, "must have at most 32 bytes");
        }
    } else if (str_equal(member, STR("kind"))) {
        rule->kind = value;
        if (!is_among(kinds, value)) {
            refuse(reading, "metrics", rule->from, shown, "must be gauge, counter or delta");
        }
    } else {
        rule->role = value;
        if (!is_among(roles, value)) {
            refuse(reading, "metrics", rule->from, shown,
                   "must be grid_import, grid_export, generation, consumption, storage, sub_meter "
                   "or none");
        }
    }
}

/* null, a new name, or an object that says more. */
static void read_metric(struct reading *reading, struct mapping_metric *rule)
{
    struct json_reader *json = &reading->json;
    struct str member;

    switch (json_peek(json)) {
    case JSON_NULL:
        rule->name = (struct str){ NULL, 0 };
        (void)json_read_null(json);
        return;
    case JSON_STRING:
        (void)(json_read_string(json, &rule->name) &&
               check_name(reading, "metrics", rule->from, rule->name));
        return;
    case JSON_OBJECT:
        (void)json_enter_object(json);
        while (json_next_member(json, &member)) {
            read_metric_member(reading, rule, member);
        }
        return;
    default:
        refuse(reading, "metrics", rule->from, NULL, "must be a name, an object, or null");
        (void)json_skip(json, NULL);
    }
}

static void read_metrics(struct reading *reading)
{
    struct mapping *mapping = reading->mapping;
    struct json_reader *json = &reading->json;
    struct str from;

    if (json_peek(json) != JSON_OBJECT) {
        refuse(reading, "metrics", NO_NAME, NULL, "must be an object of metrics");
        (void)json_skip(json, NULL);
        return;
    }
    (void)json_enter_object(json);
    while (json_next_member(json, &from)) {
        struct mapping_metric rule = { .from = from, .name = from };
        read_metric(reading, &rule);
        if (count_rule(reading, "metrics")) {
            mapping->metrics[mapping->n_metrics++] = rule;
        }
    }
}

struct mapping *mapping_read(struct arena *arena, struct str config,
                             struct mapping_errors *errors)
{
    struct reading reading = { .arena = arena, .errors = errors };
    struct mapping *mapping = arena_alloc(arena, sizeof *mapping);
    struct str part;

    reading.mapping = mapping;
    errors->n = 0;
    if (!mapping) {
        return NULL;
    }
    mapping->n_sources = mapping->n_devices = mapping->n_labels = mapping->n_metrics = 0;
    json_reader_init(&reading.json, config, arena, MAX_JSON_DEPTH);
    (void)json_enter_object(&reading.json);
    while (json_next_member(&reading.json, &part)) {
        if (str_equal(part, STR("device"))) {
            read_sources(&reading);
        } else if (str_equal(part, STR("devices"))) {
            read_names(&reading, "devices", mapping->devices, &mapping->n_devices);
        } else if (str_equal(part, STR("labels"))) {
            read_names(&reading, "labels", mapping->labels, &mapping->n_labels);
        } else if (str_equal(part, STR("metrics"))) {
            read_metrics(&reading);
        } else {
            refuse(&reading, arena_copy(arena, part), NO_NAME, NULL,
                   "is not known; there are device, devices, labels, metrics");
            (void)json_skip(&reading.json, NULL);
        }
    }
    if (reading.json.error) {
        refuse(&reading, "config", NO_NAME, NULL, reading.json.error);
    }
    return errors->n ? NULL : mapping;
}

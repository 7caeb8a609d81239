/* Looking names up in a mapping, whose lists are short and walked, and reading one that is stored.
 * Called by ingest for each item, and by the helpers of conventions. */
#include "domain/mapped.h"

#include "db/db.h"
#include "gen/queries.h"

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

/* ---- the device ---- */

static struct str key_of(const struct mapping *mapping, struct str name)
{
    const struct mapping_name *rule = find_name(mapping->devices, mapping->n_devices, name);

    return rule ? rule->to : name;
}

static bool may_be_named(const struct mapped_reading *reading, struct str key)
{
    return !reading->bound.ptr || str_equal(reading->bound, key);
}

static struct str find_tag(const struct mapped_reading *reading, struct str name)
{
    for (int i = 0; i < reading->n_tags; i++) {
        if (str_equal(reading->tags[i].name, name)) {
            return reading->tags[i].value;
        }
    }
    return (struct str){ NULL, 0 };
}

/* Names it by what the source holds, where that is there and may. */
static bool name_by(const struct mapping *mapping, const struct mapped_reading *reading,
                    struct str source, struct mapped_device *out)
{
    const struct str before = reading->device;
    bool is_measurement = reading->measurement.ptr && str_equal(source, STR(MAPPING_MEASUREMENT));
    struct str value = is_measurement ? reading->measurement : find_tag(reading, source);
    struct str key = key_of(mapping, value);

    if (!value.ptr || !may_be_named(reading, key)) {
        return false;
    }
    out->device = key;
    out->is_bare = is_measurement;
    out->tag = is_measurement ? (struct str){ NULL, 0 } : source;
    /* two senders that differed in it alone must not become one series */
    if (before.ptr && !str_equal(before, value) && !str_equal(before, reading->measurement)) {
        out->former = before;
    }
    return true;
}

struct mapped_device mapped_device(const struct mapping *mapping,
                                   const struct mapped_reading *reading)
{
    struct mapped_device out = { .device = reading->device };

    for (int i = 0; i < mapping->n_sources; i++) {
        if (name_by(mapping, reading, mapping->sources[i], &out)) {
            return out;
        }
    }
    struct str key = key_of(mapping, reading->device);
    if (reading->device.ptr && may_be_named(reading, key)) {
        out.device = key;
    }
    return out;
}

/* ---- labels and metrics ---- */

struct str mapped_bare(struct str metric, struct str measurement)
{
    if (metric.len > measurement.len + 1 && str_starts_with(metric, measurement) &&
        metric.ptr[measurement.len] == '.') {
        metric.ptr += measurement.len + 1;
        metric.len -= measurement.len + 1;
    }
    return metric;
}

struct str mapped_label(const struct mapping *mapping, struct str name)
{
    const struct mapping_name *rule = find_name(mapping->labels, mapping->n_labels, name);

    return rule ? rule->to : name;
}

const struct mapping_metric *mapped_metric(const struct mapping *mapping, struct str name)
{
    for (int i = 0; i < mapping->n_metrics; i++) {
        if (str_equal(mapping->metrics[i].from, name)) {
            return &mapping->metrics[i];
        }
    }
    return NULL;
}

/* ---- what is stored ---- */

enum err mapped_read(struct op *op, const char *key, const char *config,
                     const struct mapping **out)
{
    struct mapping_errors errors;

    *out = mapping_read(op->arena, str_of(config), &errors);
    if (*out) {
        return OK;
    }
    if (errors.n == 0) {
        return fail_memory(op);
    }
    log_warn("an adapter's configuration is not understood", LOG_TEXT("id", op->id),
             LOG_TEXT("adapter", key), LOG_TEXT("field", errors.items[0].field));
    return fail(op, ERR_CHANGING,
                "This tenant's settings of what is sent this way (%s) are not understood: %s %s.",
                key, errors.items[0].field, errors.items[0].detail);
}

enum err mapped_load(struct db_tx *tx, const char *key, const struct mapping **out)
{
    struct db_rows *rows;
    enum err err = db_run(tx, &q_ingest_adapters, NULL, &rows);

    *out = NULL;
    for (int i = 0; !err && i < db_count(rows); i++) {
        if (!db_is_null(rows, i, INGEST_ADAPTERS_KEY) &&
            str_equal(db_str(rows, i, INGEST_ADAPTERS_KEY), str_of(key)) &&
            db_bool(rows, i, INGEST_ADAPTERS_IS_ENABLED)) {
            return mapped_read(db_op(tx), key, db_text(rows, i, INGEST_ADAPTERS_CONFIG), out);
        }
    }
    return err;
}

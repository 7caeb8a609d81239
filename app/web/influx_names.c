/* Measurement, field and tags as device, metric and labels. Called by compat_influx and
 * compat_flux. */
#include "web/influx_names.h"

#include "base/json.h"
#include "domain/mapped.h"

#define NO_TAG (-1)

static int find_tag(const struct influx_point *point, const char *name)
{
    for (int i = 0; i < point->n_tags; i++) {
        if (str_equal(point->tags[i].name, str_of(name))) {
            return i;
        }
    }
    return NO_TAG;
}

/* Which tag names the device; NO_TAG: none does. */
static int device_tag(const struct influx_point *point, struct str bound)
{
    int at = find_tag(point, "device");

    if (at == NO_TAG) {
        at = find_tag(point, "host");
        if (at != NO_TAG && bound.ptr && !str_equal(point->tags[at].value, bound)) {
            at = NO_TAG;
        }
    }
    return at;
}

/* The labels of the point's series. ptr NULL beyond a form's length. */
static struct str labels_of(struct arena *arena, const struct mapping *mapping,
                            const struct influx_point *point, const struct mapped_device *device)
{
    struct json_writer writer;
    struct buf text;

    buf_init(&text, arena, MAX_FORM_BODY_BYTES);
    json_writer_init(&writer, &text);
    json_open_object(&writer);
    for (int i = 0; i < point->n_tags; i++) {
        const struct str_pair *tag = &point->tags[i];
        bool is_device = device->tag.ptr && str_equal(tag->name, device->tag);
        struct str name = mapping ? mapped_label(mapping, tag->name) : tag->name;
        if (!is_device && name.ptr) {
            json_key_str(&writer, name);
            json_string(&writer, tag->value);
        }
    }
    struct str former = mapping ? mapped_label(mapping, STR("device")) : STR("device");
    if (device->former.ptr && former.ptr) {
        json_key_str(&writer, former);
        json_string(&writer, device->former);
    }
    json_close_object(&writer);
    return text.is_broken ? (struct str){ NULL, 0 } : buf_str(&text);
}

/* What the point says of its device by the convention, whose tag is taken out of it. ptr NULL: the
 * token's own. */
static struct str take_device(struct influx_point *point, struct str bound)
{
    int at = device_tag(point, bound);

    if (at == NO_TAG) {
        return bound.ptr ? (struct str){ NULL, 0 } : point->measurement;
    }
    struct str device = point->tags[at].value;
    point->tags[at] = point->tags[--point->n_tags];
    return device;
}

/* Its metric by the convention; empty without memory. */
static struct str metric_of(struct arena *arena, const struct influx_point *point,
                            struct str device)
{
    if (str_equal(point->measurement, device)) {
        return point->field;
    }
    return str_of(arena_printf(arena, "%.*s.%.*s", (int)point->measurement.len,
                               point->measurement.ptr, (int)point->field.len, point->field.ptr));
}

bool influx_series_of(const struct web *web, const struct mapping *mapping,
                      const struct influx_point *asked, struct last_time *out)
{
    const struct str bound = web->who->device_id ? str_of(web->who->device_key) : (struct str){ 0 };
    struct arena *arena = web->op->arena;
    struct influx_point point = *asked;
    struct mapped_reading reading = { .measurement = point.measurement, .bound = bound,
                                      .device = take_device(&point, bound) };
    struct mapped_device device = { .device = reading.device };
    struct str metric = metric_of(arena, &point, reading.device.ptr ? reading.device : bound);

    if (mapping) {
        reading.tags = point.tags;
        reading.n_tags = point.n_tags;
        device = mapped_device(mapping, &reading);
        metric = device.is_bare ? mapped_bare(metric, point.measurement) : metric;
        const struct mapping_metric *rule = mapped_metric(mapping, metric);
        metric = rule ? rule->name : metric;
    }
    device.device = device.device.ptr ? device.device : bound;
    if (bound.ptr && !str_equal(device.device, bound)) {
        return false;
    }
    *out = (struct last_time){ .device = device.device, .metric = metric,
                               .labels = labels_of(arena, mapping, &point, &device) };
    return out->labels.ptr && metric.len > 0;
}

enum err influx_mapping_load(const struct web *web, const struct mapping **out)
{
    *out = NULL;
    return web->who->adapters_version ? mapped_load(web->tx, "influxdb", out) : OK;
}

/* Measurement, field and tags as device, metric and labels. Called by compat_influx and
 * compat_flux. */
#include "web/influx_names.h"

#include "base/json.h"

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

static struct str labels_of(struct arena *arena, const struct influx_point *point, int device)
{
    struct json_writer writer;
    struct buf text;

    buf_init(&text, arena, MAX_FORM_BODY_BYTES);
    json_writer_init(&writer, &text);
    json_open_object(&writer);
    for (int i = 0; i < point->n_tags; i++) {
        if (i != device) {
            json_key_str(&writer, point->tags[i].name);
            json_string(&writer, point->tags[i].value);
        }
    }
    json_close_object(&writer);
    return text.is_broken ? (struct str){ NULL, 0 } : buf_str(&text);
}

bool influx_series_of(const struct web *web, const struct influx_point *point,
                      struct last_time *out)
{
    const struct str bound = web->who->device_id ? str_of(web->who->device_key) : (struct str){ 0 };
    struct arena *arena = web->op->arena;
    int tag = device_tag(point, bound);
    struct str device = tag != NO_TAG ? point->tags[tag].value
                        : bound.ptr   ? bound
                                      : point->measurement;

    if (bound.ptr && !str_equal(device, bound)) {
        return false;
    }
    *out = (struct last_time){ .device = device, .metric = point->field,
                               .labels = labels_of(arena, point, tag) };
    if (!str_equal(point->measurement, device)) {
        out->metric = str_of(arena_printf(arena, "%.*s.%.*s", (int)point->measurement.len,
                                          point->measurement.ptr, (int)point->field.len,
                                          point->field.ptr));
    }
    return out->labels.ptr && out->metric.len > 0;
}

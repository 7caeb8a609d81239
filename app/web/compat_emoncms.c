/* emoncms's input/get: IoTaWatt asks for the inputs of its node before it posts and goes on after
 * the newest `time` among them. A token that posts may not read, so the values are null. */
#include "web/compat_emoncms.h"

#include "base/clock.h"
#include "base/json.h"
#include "domain/emoncms.h"
#include "domain/mapped.h"
#include "http/form.h"

static enum err say(struct web *web, const char *words)
{
    struct json_writer writer;

    web->response->content_type = "application/json";
    json_writer_init(&writer, &web->response->body);
    json_text(&writer, words);
    return OK;
}

static void write_input(struct json_writer *writer, const struct emoncms_input *input)
{
    json_open_object(writer);
    json_key(writer, "time");
    json_int(writer, input->last_us / US_PER_SECOND);
    json_key(writer, "value");
    json_null(writer);
    json_close_object(writer);
}

static enum err write_one(struct web *web, const struct emoncms_inputs *inputs, struct str name)
{
    struct json_writer writer;

    for (int i = 0; i < inputs->n; i++) {
        if (str_equal(str_of(inputs->items[i].metric), name)) {
            web->response->content_type = "application/json";
            json_writer_init(&writer, &web->response->body);
            write_input(&writer, &inputs->items[i]);
            return OK;
        }
    }
    return say(web, "Node variable does not exist");
}

static enum err write_all(struct web *web, const struct emoncms_inputs *inputs)
{
    struct json_writer writer;

    web->response->content_type = "application/json";
    json_writer_init(&writer, &web->response->body);
    json_open_object(&writer);
    for (int i = 0; i < inputs->n; i++) {
        json_key(&writer, inputs->items[i].metric);
        write_input(&writer, &inputs->items[i]);
    }
    json_close_object(&writer);
    return OK;
}

/* Of the path, else of the query; ".json" at the end of the path is the answer's form. */
static struct str read_name(struct web *web, const char *name)
{
    const struct str json = STR(".json");
    struct str text = http_capture(web->request, name);

    if (text.ptr && text.len > json.len &&
        str_equal((struct str){ text.ptr + text.len - json.len, json.len }, json)) {
        text.len -= json.len;
    }
    return emoncms_name(web->op->arena, text.ptr ? text : http_query(web->request, name));
}

/* ---- the tenant's own names ---- */

/* The device that the node is; empty for one that the token may not ask for. */
static struct str device_of(const struct web *web, const struct mapping *mapping, struct str node)
{
    const struct identity *who = web->who;
    const struct str bound = who->device_id ? str_of(who->device_key) : (struct str){ 0 };
    const struct mapped_reading reading = { .device = node.len ? node : bound, .bound = bound };
    struct str device = mapping ? mapped_device(mapping, &reading).device : reading.device;

    return bound.ptr && !str_equal(device, bound) ? STR("") : device;
}

/* The inputs by the names that a sender may give them. What was stored by a name that has become
 * another one is not among them. */
static enum err name_as_sent(struct web *web, const struct mapping *mapping,
                             struct emoncms_inputs *inputs)
{
    size_t room = (size_t)inputs->n + (size_t)mapping->n_metrics + 1;
    struct emoncms_input *items = arena_array(web->op->arena, room, sizeof *items);
    int n = 0;

    if (!items) {
        return fail_memory(web->op);
    }
    for (int i = 0; i < inputs->n; i++) {
        const struct emoncms_input *input = &inputs->items[i];
        struct str metric = str_of(input->metric);
        if (!mapped_metric(mapping, metric)) {
            items[n++] = *input;
        }
        for (int k = 0; k < mapping->n_metrics; k++) {
            const struct mapping_metric *rule = &mapping->metrics[k];
            if (rule->name.ptr && str_equal(rule->name, metric)) {
                items[n].metric = arena_copy(web->op->arena, rule->from);
                items[n].last_us = input->last_us;
                n += items[n].metric != NULL;
            }
        }
    }
    *inputs = (struct emoncms_inputs){ .items = items, .n = n };
    return OK;
}

static enum err find_inputs(struct web *web, struct str node, struct emoncms_inputs *out)
{
    const struct mapping *mapping = NULL;
    enum err err =
        web->who->adapters_version ? mapped_load(web->tx, "emoncms", &mapping) : OK;
    struct str device = device_of(web, mapping, node);

    if (!err && device.len > 0) {
        err = emoncms_inputs(web->tx, device, out);
    }
    return err || !mapping ? err : name_as_sent(web, mapping, out);
}

enum err compat_emoncms_get(struct web *web)
{
    struct str node = read_name(web, "node");
    struct str name = read_name(web, "name");
    struct emoncms_inputs inputs = { .n = 0 };
    enum err err = find_inputs(web, node, &inputs);

    if (err) {
        return err;
    }
    if (inputs.n == 0) {
        return say(web, "Node does not exist");
    }
    return name.len > 0 ? write_one(web, &inputs, name) : write_all(web, &inputs);
}

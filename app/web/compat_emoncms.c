/* emoncms's input/get: IoTaWatt asks for the inputs of its node before it posts and goes on after
 * the newest `time` among them. A token that posts may not read, so the values are null. */
#include "web/compat_emoncms.h"

#include "base/clock.h"
#include "base/json.h"
#include "domain/emoncms.h"
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

enum err compat_emoncms_get(struct web *web)
{
    const struct identity *who = web->who;
    struct str node = read_name(web, "node");
    struct str name = read_name(web, "name");
    struct emoncms_inputs inputs = { .n = 0 };
    enum err err = OK;

    if (node.len == 0 && who->device_id) {
        node = str_of(who->device_key);
    }
    bool is_own = !who->device_id || str_equal(node, str_of(who->device_key));
    if (node.len > 0 && is_own) {
        err = emoncms_inputs(web->tx, node, &inputs);
    }
    if (err) {
        return err;
    }
    if (inputs.n == 0) {
        return say(web, "Node does not exist");
    }
    return name.len > 0 ? write_one(web, &inputs, name) : write_all(web, &inputs);
}

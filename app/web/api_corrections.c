/* PUT and DELETE of /v1/devices/{key}/samples, DELETE of /v1/devices/{key}: values put right,
 * samples deleted, a device erased. */
#include "base/json.h"
#include "domain/correction.h"
#include "web/api.h"
#include "web/correction_input.h"

/* Answers with all that is wrong. */
static enum err refuse(struct web *web, const struct correction_input *input)
{
    struct http_item_error *errors = arena_array(web->op->arena, (size_t)input->n_errors,
                                                 sizeof *errors);

    if (!errors) {
        return fail_memory(web->op);
    }
    memcpy(errors, input->errors, (size_t)input->n_errors * sizeof *errors);
    web->response->errors = errors;
    web->response->n_errors = input->n_errors;
    return fail(web->op, ERR_INVALID, "Nothing was changed: some items are not valid.");
}

static enum err check(struct web *web, struct str key, struct correction_input *input)
{
    struct correction_problems problems;
    enum err err = correction_check(web->tx, key, &input->list, MAX_ITEM_ERRORS, &problems);

    for (int i = 0; err == OK && i < problems.n; i++) {
        correction_input_refuse(input, problems.items[i].index, problems.items[i].field,
                                problems.items[i].detail);
    }
    return err == OK && input->n_errors > 0 ? refuse(web, input) : err;
}

enum err api_corrections_put(struct web *web)
{
    struct str key = http_capture(web->request, "key");
    struct correction_input *input = arena_alloc(web->op->arena, sizeof *input);
    struct correction_counts counts;
    struct json_writer json;

    if (!input) {
        return fail_memory(web->op);
    }
    enum err err = correction_input_read(web, input);
    if (err == OK) {
        err = check(web, key, input);
    }
    if (err == OK) {
        err = correction_put(web->tx, key, &input->list, &counts);
    }
    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "updated");
    json_int(&json, counts.updated);
    json_key(&json, "inserted");
    json_int(&json, counts.inserted);
    json_key(&json, "unchanged");
    json_int(&json, counts.unchanged);
    json_close_object(&json);
    return OK;
}

static enum err read_range(struct web *web, struct correction_range *range)
{
    *range = (struct correction_range){
        .device = http_capture(web->request, "key"),
        .metric = web_query_text(web, "metric"),
    };
    if (!web_query_text(web, "from").ptr || !web_query_text(web, "to").ptr) {
        return fail(web->op, ERR_INVALID, "from and to: both are needed to delete");
    }
    return web_query_span(web, &range->from_us, &range->to_us);
}

enum err api_corrections_delete(struct web *web)
{
    struct correction_range range;
    struct json_writer json;
    int64_t n_deleted = 0;
    enum err err = read_range(web, &range);

    if (err == OK) {
        err = correction_delete(web->tx, &range, &n_deleted);
    }
    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "deleted");
    json_int(&json, n_deleted);
    json_close_object(&json);
    return OK;
}

enum err api_devices_erase(struct web *web)
{
    struct json_writer json;
    const char *counts = NULL;
    enum err err = correction_device_erase(web->tx, http_capture(web->request, "key"), &counts);

    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "erased");
    json_raw(&json, str_of(counts));
    json_close_object(&json);
    return OK;
}

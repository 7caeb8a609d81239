/* GET /v1/bills: what a site, a device or all of a tenant is billed for a span of local days. */
#include "web/api_costs.h"

#include "domain/cost_counted.h"
#include "domain/span.h"
#include "web/bill_write.h"
#include "web/cost_input.h"

static void write_time(struct json_writer *json, const char *key, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    json_key(json, key);
    json_text(json, clock_format(time_us, text));
}

static void write_key(struct web *web, struct json_writer *json, const char *name, struct str key)
{
    json_key(json, name);
    json_text(json, key.ptr ? arena_copy(web->op->arena, key) : NULL);
}

static void write_text(struct json_writer *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

static void write_sources(struct json_writer *json, const struct cost_counted_list *counted)
{
    json_key(json, "sources");
    json_open_array(json);
    for (int i = 0; i < counted->n; i++) {
        const struct cost_counted *source = &counted->items[i];
        json_open_object(json);
        write_text(json, "device", source->device);
        write_text(json, "metric", source->metric);
        write_text(json, "role", source->role);
        json_key(json, "days");
        json_int(json, source->n_days);
        json_key(json, "counted_days");
        json_int(json, source->n_counted_days);
        json_close_object(json);
    }
    json_close_array(json);
}

static enum err write_bill(struct web *web, const struct cost_query *query,
                           const struct cost_accounts *accounts, const struct bill_sum *sum)
{
    const struct cost_account *first = &accounts->items[0];
    struct cost_counted_list counted;
    struct json_writer json;
    enum err err = cost_counted_load(web->tx, accounts, &counted);

    if (err != OK) {
        return err;
    }
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    write_key(web, &json, "site", query->site);
    write_key(web, &json, "device", query->device);
    write_time(&json, "from", span_day_start(&first->zone, first->from_day));
    write_time(&json, "to", span_day_start(&first->zone, first->to_day));
    json_key(&json, "timezone");
    json_text(&json, first->zone.name);
    write_time(&json, "as_of", query->as_of_us < query->now_us ? query->as_of_us : query->now_us);
    bill_write_members(web, &json, accounts, sum);
    write_sources(&json, &counted);
    json_close_object(&json);
    return OK;
}

enum err api_bills_show(struct web *web)
{
    struct cost_query query;
    struct cost_accounts accounts;
    struct bill_sum sum;
    struct list_writer list;
    enum answer_form form = ANSWER_JSON;
    enum err err = cost_input(web, &query);

    if (err == OK) {
        err = accept_form(web, &form);
    }
    if (err == OK) {
        err = cost_load(web->tx, &query, &accounts);
    }
    if (err == OK) {
        err = bill_sum(web, &accounts, &sum);
    }
    if (err == OK && form == ANSWER_JSON) {
        return write_bill(web, &query, &accounts, &sum);
    }
    if (err == OK) {
        err = list_begin(&list, web, BILL_COLUMNS, BILL_N_COLUMNS);
    }
    if (err == OK) {
        bill_write_lines(&list, &accounts, &sum);
        err = list_end(&list, CURSOR_COSTS, NULL);
    }
    return err;
}

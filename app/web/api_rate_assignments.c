/* /v1/rate-schedules/{id}/assign and what holds where: admins say where a schedule holds, everybody
 * of the tenant asks what holds, as it is known now or was known then. */
#include "web/api_rates.h"

#include "base/clock.h"
#include "domain/rate_schedule.h"
#include "domain/span.h"
#include "web/by_id.h"
#include "web/rate_input.h"

/* ---- assigning ---- */

/* Answers 201 with the assignment that was just made. */
static enum err answer_assigned(struct web *web, int32_t schedule_id, int32_t id)
{
    struct rate_assignment_list list;
    struct json_writer json;
    enum err err = rate_assignment_list(web->tx, schedule_id, false, &list);

    if (err != OK) {
        return err;
    }
    web->response->status = 201;
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    for (int i = 0; i < list.n; i++) {
        if (list.items[i].id == id) {
            api_rates_write_assignment(&json, &list.items[i]);
        }
    }
    return OK;
}

enum err api_rates_assign(struct web *web)
{
    struct rate_schedule schedule;
    struct rate_place place;
    int32_t schedule_id = 0, id = 0;
    enum err err = api_rates_capture(web, &schedule_id);

    if (err == OK) {
        err = rate_schedule_find(web->tx, schedule_id, &schedule);
    }
    if (err == OK) {
        err = rate_input_place(web, schedule.newest.timezone, &place);
    }
    if (err == OK) {
        err = rate_assignment_add(web->tx, schedule_id, &place, &id);
    }
    return err == OK ? answer_assigned(web, schedule_id, id) : err;
}

enum err api_rates_unassign(struct web *web)
{
    long long id = 0;
    int32_t schedule_id = 0;
    enum err err = api_rates_capture(web, &schedule_id);

    if (err == OK && (!str_to_int64(http_capture(web->request, "assignment"), &id) || id < 1 ||
                      id > INT32_MAX)) {
        err = fail(web->op, ERR_NOT_FOUND, "the rate schedule has no such assignment");
    }
    if (err == OK) {
        err = rate_assignment_withdraw(web->tx, schedule_id, (int32_t)id);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

/* ---- what holds ---- */

static const char *const COLUMNS[] = {
    "from", "to", "schedule", "name", "version", "assignment",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

#define DEFAULT_DAYS 365 /* from today on, where nothing is asked for */

static enum err read_query(struct web *web, struct rate_place *place, int64_t *known_us)
{
    struct str as_of = web_query_text(web, "as_of");
    int64_t from = 0, to = 0;

    *place = (struct rate_place){ .site = web_query_text(web, "site"),
                                  .device = web_query_text(web, "device") };
    enum err err = web_query_day(web, "from", clock_now_us() / US_PER_DAY, &from);
    if (err == OK) {
        err = web_query_day(web, "to", from + DEFAULT_DAYS, &to);
    }
    *known_us = INT64_MAX;
    if (err == OK && as_of.ptr && !clock_parse(as_of, known_us)) {
        err = fail(web->op, ERR_MALFORMED, "as_of: must be an RFC 3339 time or an integer epoch");
    }
    if (err == OK && to < from) {
        err = fail(web->op, ERR_INVALID, "to: must not be before from");
    }
    if (err != OK) {
        return err;
    }
    const char *from_text = span_day_text(web->op->arena, from);
    const char *to_text = span_day_text(web->op->arena, to);
    if (!from_text || !to_text) {
        return fail_memory(web->op);
    }
    place->from_day = str_of(from_text);
    place->to_day = str_of(to_text);
    return OK;
}

enum err api_rates_applied(struct web *web)
{
    struct rate_place place;
    struct rate_applied_list applied;
    struct list_writer list;
    int64_t known_us = 0;
    enum err err = read_query(web, &place, &known_us);

    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err == OK) {
        err = rate_applied_list(web->tx, &place, known_us, &applied);
    }
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < applied.n; i++) {
        const struct rate_applied *item = &applied.items[i];
        list_item(&list);
        list_text(&list, item->from_day);
        list_text(&list, item->to_day);
        list_int(&list, item->schedule_id);
        list_text(&list, item->name);
        list_int(&list, item->version);
        list_int(&list, item->assignment_id);
        list_end_item(&list);
    }
    return list_end(&list, CURSOR_RATES, NULL);
}

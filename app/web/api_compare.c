/* POST /v1/rate-schedules/compare: what the tenant's own history would have cost under each of
 * several schedules, side by side. */
#include "web/api_costs.h"

#include "domain/rate_schedule.h"
#include "domain/span.h"
#include "web/bill_write.h"
#include "web/body.h"
#include "web/cost_input.h"
#include "web/what_if.h"

#include <string.h>

#define MAX_SCHEDULES 10 /* compared at once */

struct choice {
    int32_t id;
    const char *name;
    struct cost_accounts accounts;
    struct bill_sum sum;
    bool is_cheapest; /* of those in its currency that lack nothing */
    const char *lacks; /* in words; NULL: nothing */
};

struct comparison {
    struct cost_query query;
    struct cost_memo memo;
    struct choice choices[MAX_SCHEDULES];
    int n;
};

static const char LIST_DETAIL[] = "must be a list of 1 to 10 numbers of rate schedules";

/* ---- what was asked for ---- */

static const struct body_member *find_member(const struct body *body, const char *name)
{
    for (int i = 0; i < body->n; i++) {
        if (str_equal(body->members[i].name, str_of(name))) {
            return &body->members[i];
        }
    }
    return NULL;
}

static bool read_numbers(struct web *web, struct str text, struct comparison *out)
{
    struct json_reader reader;

    json_reader_init(&reader, text, web->op->arena, 2);
    if (!json_enter_array(&reader)) {
        return false;
    }
    while (json_next_element(&reader)) {
        struct str number;
        long long id = 0;
        if (!json_skip(&reader, &number) || !str_to_int64(number, &id) || id < 1 ||
            id > INT32_MAX || out->n == MAX_SCHEDULES) {
            return false;
        }
        out->choices[out->n++] = (struct choice){ .id = (int32_t)id };
    }
    return json_at_end(&reader) && out->n > 0;
}

static void read_bound(struct body *body, const char *name, struct cost_bound *out)
{
    struct str text = body_text(body, name, 1, MAX_NAME_BYTES);

    *out = (struct cost_bound){ .kind = BOUND_NONE };
    if (text.ptr && !cost_input_bound(text, out)) {
        body_refuse(body, name, "must be a date such as 2026-11-20, or an RFC 3339 time");
    }
}

static enum err read_input(struct web *web, struct comparison *out)
{
    struct body body;
    enum err err = body_read(web, &body);

    if (err != OK) {
        return err;
    }
    *out = (struct comparison){ .query = { .as_of_us = COST_LATEST, .now_us = clock_now_us() } };
    body_require(&body, "schedules");
    for (int i = 0; i < body.n; i++) {
        body.members[i].is_known =
            body.members[i].is_known || str_equal(body.members[i].name, STR("schedules"));
    }
    const struct body_member *list = find_member(&body, "schedules");
    if (list && !read_numbers(web, list->raw, out)) {
        body_refuse(&body, "schedules", LIST_DETAIL);
    }
    out->query.site = body_text(&body, "site", 1, MAX_NAME_BYTES);
    out->query.device = body_text(&body, "device", 1, MAX_NAME_BYTES);
    read_bound(&body, "from", &out->query.from);
    read_bound(&body, "to", &out->query.to);
    return body_finish(&body);
}

/* ---- the comparison ---- */

static void mark_cheapest(struct arena *arena, struct comparison *all)
{
    const struct bill_sum *sums[MAX_SCHEDULES];
    const struct what_if side_by_side = { .sums = sums, .n = all->n };

    for (int i = 0; i < all->n; i++) {
        sums[i] = &all->choices[i].sum;
    }
    for (int i = 0; i < all->n; i++) {
        struct choice *choice = &all->choices[i];
        const struct bill_sum *cheapest =
            what_if_cheapest(&side_by_side, choice->sum.currency);
        choice->lacks = what_if_lack(arena, &side_by_side, i);
        choice->is_cheapest = cheapest && !choice->lacks &&
                              money_compare(choice->sum.total, cheapest->total) == 0;
    }
}

static enum err rate_choice(struct web *web, struct comparison *all, int index)
{
    struct choice *choice = &all->choices[index];
    struct rate_schedule schedule;

    all->query.schedule_id = choice->id;
    all->query.memo = &all->memo;
    enum err err = rate_schedule_find(web->tx, choice->id, &schedule);
    if (err == OK) {
        choice->name = schedule.name;
        err = cost_load(web->tx, &all->query, &choice->accounts);
    }
    return err == OK ? bill_sum(web, &choice->accounts, &choice->sum) : err;
}

static void write_choice(struct web *web, struct json_writer *json, const struct choice *choice)
{
    const struct cost_account *first = &choice->accounts.items[0];
    char text[CLOCK_TEXT_SIZE];

    json_open_object(json);
    json_key(json, "schedule");
    json_int(json, choice->id);
    json_key(json, "name");
    json_text(json, choice->name);
    json_key(json, "cheapest");
    json_bool(json, choice->is_cheapest);
    json_key(json, "lacks");
    json_text(json, choice->lacks);
    json_key(json, "from");
    json_text(json, clock_format(span_day_start(&first->zone, first->from_day), text));
    json_key(json, "to");
    json_text(json, clock_format(span_day_start(&first->zone, first->to_day), text));
    bill_write_members(web, json, &choice->accounts, &choice->sum);
    json_close_object(json);
}

enum err api_costs_compare(struct web *web)
{
    struct comparison *all = arena_alloc(web->op->arena, sizeof *all);
    struct json_writer json;

    if (!all) {
        return fail_memory(web->op);
    }
    enum err err = read_input(web, all);
    for (int i = 0; err == OK && i < all->n; i++) {
        err = rate_choice(web, all, i);
    }
    if (err != OK) {
        return err;
    }
    mark_cheapest(web->op->arena, all);
    web->response->content_type = "application/json";
    json_writer_init(&json, &web->response->body);
    json_open_object(&json);
    json_key(&json, "items");
    json_open_array(&json);
    for (int i = 0; i < all->n; i++) {
        write_choice(web, &json, &all->choices[i]);
    }
    json_close_array(&json);
    json_close_object(&json);
    return OK;
}

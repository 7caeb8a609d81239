/* /v1/rate-schedules: everybody of a tenant reads what energy costs, admins bring documents. A
 * document that is wrong in anything is refused with all that is wrong, and nothing is kept. */
#include "web/api_rates.h"

#include "base/clock.h"
#include "base/limits.h"
#include "domain/rate_holds.h"
#include "domain/tariff_read.h"
#include "domain/urdb.h"
#include "http/tag.h"
#include "web/by_id.h"
#include "web/rate_input.h"

static const char *const COLUMNS[] = {
    "id", "name", "timezone", "currency", "valid_from", "valid_to", "versions", "known_since",
    "assignments", "created_at",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

static const char NONE[] = "no rate schedule has this number";

enum err api_rates_capture(struct web *web, int32_t *out)
{
    int64_t id = 0;
    enum err err = by_id_capture(web, NONE, &id);

    if (err == OK && id > INT32_MAX) {
        err = fail(web->op, ERR_NOT_FOUND, "%s", NONE);
    }
    *out = (int32_t)id;
    return err;
}

/* ---- the list ---- */

/* The values of COLUMNS. */
static void write_schedule(struct list_writer *list, const struct rate_schedule *schedule)
{
    list_item(list);
    list_int(list, schedule->id);
    list_text(list, schedule->name);
    list_text(list, schedule->newest.timezone);
    list_text(list, schedule->newest.currency);
    list_text(list, schedule->newest.from_day);
    list_text(list, schedule->newest.to_day);
    list_int(list, schedule->newest.number);
    list_time(list, schedule->newest.known_us);
    list_int(list, schedule->assignments);
    list_time(list, schedule->created_us);
    list_end_item(list);
}

enum err api_rates_list(struct web *web)
{
    int limit = 0;
    int64_t after = 0;
    struct rate_schedule_list schedules;
    struct list_writer list;
    enum err err = by_id_span(web, CURSOR_RATES, &limit, &after);

    if (err == OK && after > INT32_MAX) {
        err = fail(web->op, ERR_MALFORMED, "cursor: is not one that this list gave out");
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err == OK) {
        err = rate_schedule_list(web->tx, (int32_t)after, limit + 1, &schedules);
    }
    if (err != OK) {
        return err;
    }
    int n = schedules.n > limit ? limit : schedules.n;
    for (int i = 0; i < n; i++) {
        write_schedule(&list, &schedules.items[i]);
    }
    return by_id_end(&list, CURSOR_RATES, schedules.n > limit ? schedules.items[n - 1].id : 0);
}

/* ---- one of them ---- */

static void write_text(struct json_writer *json, const char *name, const char *value)
{
    json_key(json, name);
    json_text(json, value);
}

static void write_time(struct json_writer *json, const char *name, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    write_text(json, name, time_us == RATE_IN_FORCE ? NULL : clock_format(time_us, text));
}

static void write_int(struct json_writer *json, const char *name, int64_t value)
{
    json_key(json, name);
    json_int(json, value);
}

void api_rates_write_assignment(struct json_writer *json, const struct rate_assignment *assignment)
{
    json_open_object(json);
    write_int(json, "id", assignment->id);
    write_text(json, "site", assignment->site);
    write_text(json, "device", assignment->device);
    write_text(json, "from", assignment->from_day);
    write_text(json, "to", assignment->to_day);
    write_time(json, "known_since", assignment->known_us);
    write_time(json, "known_until", assignment->known_until_us);
    write_text(json, "made_by", assignment->made_by);
    json_close_object(json);
}

/* "holds": [{"from", "to"}], "covers": [1]. */
static void write_holds(struct json_writer *json, const struct rate_holds *holds)
{
    json_key(json, "holds");
    json_open_array(json);
    for (int i = 0; i < holds->n_spans; i++) {
        json_open_object(json);
        write_text(json, "from", holds->spans[i].from_day);
        write_text(json, "to", holds->spans[i].to_day);
        json_close_object(json);
    }
    json_close_array(json);
    json_key(json, "covers");
    json_open_array(json);
    for (int i = 0; i < holds->n_covers; i++) {
        json_int(json, holds->covers[i]);
    }
    json_close_array(json);
}

static void write_version(struct json_writer *json, const struct rate_version *version,
                          const struct rate_holds *holds)
{
    json_open_object(json);
    write_int(json, "version", version->number);
    write_text(json, "valid_from", version->from_day);
    write_text(json, "valid_to", version->to_day);
    write_text(json, "timezone", version->timezone);
    write_text(json, "currency", version->currency);
    write_time(json, "known_since", version->known_us);
    write_text(json, "made_by", version->made_by);
    write_text(json, "format", version->format);
    write_holds(json, holds);
    json_close_object(json);
}

/* All there is to tell about a schedule. */
struct whole {
    struct rate_schedule schedule;
    struct rate_version_list versions;
    const struct rate_holds *holds; /* of each */
    struct rate_assignment_list assignments;
    int32_t number;       /* the version that is shown */
    const char *document;
    const struct problems *left; /* of what was brought; NULL: it is only shown */
};

/* `number` 0: the newest. */
static enum err load(struct web *web, int32_t id, int32_t number, struct whole *out)
{
    enum err err = rate_schedule_find(web->tx, id, &out->schedule);

    out->left = NULL;
    if (err == OK) {
        out->number = number ? number : out->schedule.newest.number;
        err = rate_version_document(web->tx, id, out->number, &out->document);
    }
    if (err == OK) {
        err = rate_version_list(web->tx, id, &out->versions);
    }
    if (err == OK) {
        err = rate_holds(web->op, &out->versions, &out->holds);
    }
    return err == OK ? rate_assignment_list(web->tx, id, true, &out->assignments) : err;
}

/* "left_out": [{"field", "detail"}] */
static void write_left(struct json_writer *json, const struct problems *left)
{
    if (!left) {
        return;
    }
    json_key(json, "left_out");
    json_open_array(json);
    for (int i = 0; i < left->n; i++) {
        json_open_object(json);
        write_text(json, "field", left->items[i].field);
        write_text(json, "detail", left->items[i].detail);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_whole(struct buf *body, const struct whole *whole)
{
    struct json_writer json;

    json_writer_init(&json, body);
    json_open_object(&json);
    write_int(&json, "id", whole->schedule.id);
    write_text(&json, "name", whole->schedule.name);
    write_time(&json, "created_at", whole->schedule.created_us);
    write_int(&json, "version", whole->number);
    json_key(&json, "document");
    json_raw(&json, str_of(whole->document));
    json_key(&json, "versions");
    json_open_array(&json);
    for (int i = 0; i < whole->versions.n; i++) {
        write_version(&json, &whole->versions.items[i], &whole->holds[i]);
    }
    json_close_array(&json);
    json_key(&json, "assignments");
    json_open_array(&json);
    for (int i = 0; i < whole->assignments.n; i++) {
        api_rates_write_assignment(&json, &whole->assignments.items[i]);
    }
    json_close_array(&json);
    write_left(&json, whole->left);
    json_close_object(&json);
}

/* A version as a document of URDB, where that has words for it. */
static enum err show_urdb(struct web *web, int32_t id, int32_t number)
{
    struct whole whole;
    struct problems problems;
    struct json_writer json;
    enum err err = load(web, id, number, &whole);

    if (err != OK) {
        return err;
    }
    problems_init(&problems, web->op->arena);
    const struct tariff *tariff = tariff_read(web->op->arena, str_of(whole.document), &problems);
    json_writer_init(&json, &web->response->body);
    if (!tariff || !urdb_write(&json, tariff, &problems)) {
        return rate_input_refuse(web, "rate schedule: URDB has no words for it", &problems);
    }
    web->response->content_type = URDB_MEDIA_TYPE;
    return OK;
}

/* `left`: of what was brought; or NULL. */
static enum err show(struct web *web, int32_t id, int32_t number, const struct problems *left)
{
    struct whole whole;
    enum err err = load(web, id, number, &whole);

    if (err == OK) {
        whole.left = left;
        web->response->content_type = "application/json";
        write_whole(&web->response->body, &whole);
    }
    return err;
}

/* The schedule's tag, which is of what a GET of it answers; NULL without memory. */
static const char *tag_of(struct web *web, const struct whole *whole)
{
    struct buf body;

    buf_init(&body, web->op->arena, MAX_RESPONSE_BYTES);
    write_whole(&body, whole);
    return body.is_broken ? NULL : http_tag_of(web->op->arena, buf_str(&body));
}

static enum err add_tag(struct web *web, const char *tag)
{
    return tag && http_add_header(web->response, "ETag", tag) ? OK : fail_memory(web->op);
}

/* With the tag that If-Match of a PUT is compared with. */
static enum err show_tagged(struct web *web, int32_t id, int32_t number)
{
    enum err err = show(web, id, number, NULL);

    if (err != OK) {
        return err;
    }
    return add_tag(web, web->response->body.is_broken
                            ? NULL
                            : http_tag_of(web->op->arena, buf_str(&web->response->body)));
}

/* What was just made, likewise. */
static enum err show_made(struct web *web, int32_t id, const struct problems *left)
{
    struct whole whole;
    enum err err = load(web, id, 0, &whole);

    if (err == OK) {
        err = add_tag(web, tag_of(web, &whole));
    }
    return err == OK ? show(web, id, 0, left) : err;
}

/* Where the request has an If-Match: ERR_PRECONDITION when the schedule is another by now. Nobody
 * changes it after that until the transaction ends. Weak tags are taken for strong ones: nginx
 * makes ours weak where it compresses the answer. */
static enum err check_match(struct web *web, int32_t id)
{
    struct str header = http_header(web->request, "If-Match");
    struct whole whole;

    if (header.len == 0) {
        return OK;
    }
    enum err err = rate_schedule_hold(web->tx, id);
    if (err == OK) {
        err = load(web, id, 0, &whole);
    }
    if (err != OK) {
        return err;
    }
    const char *tag = tag_of(web, &whole);
    if (!tag) {
        return fail_memory(web->op);
    }
    return http_names_tag(header, tag, true)
               ? OK
               : fail(web->op, ERR_PRECONDITION,
                      "The rate schedule was changed since: its newest version is %d, by %s. "
                      "Fetch it again.", (int)whole.versions.items[0].number,
                      whole.versions.items[0].made_by);
}

enum err api_rates_show(struct web *web)
{
    struct str text = http_query(web->request, "version");
    struct str as = web_query_text(web, "as");
    long long number = 0;
    int32_t id = 0;
    enum err err = api_rates_capture(web, &id);

    if (err == OK && text.ptr &&
        (!str_to_int64(text, &number) || number < 1 || number > INT32_MAX)) {
        err = fail(web->op, ERR_MALFORMED, "version: must be a version's number");
    }
    if (err == OK && as.ptr && !str_equal(as, STR("urdb"))) {
        err = fail(web->op, ERR_INVALID, "as: must be urdb");
    }
    if (err != OK) {
        return err;
    }
    return as.ptr ? show_urdb(web, id, (int32_t)number)
                  : show_tagged(web, id, (int32_t)number);
}

/* ---- changes ---- */

enum err api_rates_add(struct web *web)
{
    struct rate_input input;
    int32_t id = 0;
    enum err err = rate_input_document(web, &input);

    if (err == OK) {
        err = rate_version_add(web->tx, input.tariff, input.format, &id);
    }
    if (err == OK) {
        err = by_id_created(web, "/v1/rate-schedules/", id);
    }
    return err == OK ? show_made(web, id, input.left) : err;
}

enum err api_rates_put(struct web *web)
{
    struct rate_input input = { 0 };
    struct rate_schedule schedule;
    int32_t id = 0;
    enum err err = api_rates_capture(web, &id);

    if (err == OK) {
        err = rate_schedule_find(web->tx, id, &schedule);
    }
    if (err == OK) {
        err = rate_input_document(web, &input);
    }
    if (err == OK) {
        err = check_match(web, id);
    }
    if (err == OK) {
        err = rate_version_add(web->tx, input.tariff, input.format, &id);
    }
    return err == OK ? show(web, id, 0, input.left) : err;
}

enum err api_rates_remove(struct web *web)
{
    int32_t id = 0;
    enum err err = api_rates_capture(web, &id);

    if (err == OK) {
        err = rate_schedule_remove(web->tx, id);
    }
    if (err == OK) {
        web->response->status = 204;
    }
    return err;
}

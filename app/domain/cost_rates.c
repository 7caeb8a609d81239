/* Reads and compiles the rate schedules that hold at a place. Called by cost.c. */
#include "domain/cost_rates.h"

#include "db/db.h"
#include "domain/rate_assignment.h"
#include "domain/rate_schedule.h"
#include "domain/span.h"
#include "domain/tariff_read.h"
#include "gen/queries.h"

#include <string.h>

#define MAX_PRICES 400000 /* of a series: ten years of quarter hours */

/* ---- documents ---- */

static enum err compile(struct db_tx *tx, const struct cost_cite *cite,
                        const struct tariff_plan **out)
{
    struct op *op = db_op(tx);
    struct problems problems;
    const char *document = NULL;
    enum err err = rate_version_document(tx, cite->schedule_id, cite->number, &document);

    if (err != OK) {
        return err;
    }
    problems_init(&problems, op->arena);
    const struct tariff *tariff = tariff_read(op->arena, str_of(document), &problems);
    if (!tariff) {
        return fail(op, ERR_INTERNAL, "version %d of rate schedule %d is not valid any more: %s %s",
                    (int)cite->number, (int)cite->schedule_id, problems.items[0].field,
                    problems.items[0].detail);
    }
    *out = tariff_compile(op->arena, tariff);
    return *out ? OK : fail_memory(op);
}

/* The plan of a version; of one that is there already the same. */
static enum err find_plan(struct db_tx *tx, const struct cost_rates *rates, int index,
                          const struct tariff_plan **out)
{
    const struct cost_cite *cite = &rates->cites[index];

    for (int i = 0; i < index; i++) {
        if (rates->cites[i].schedule_id == cite->schedule_id &&
            rates->cites[i].number == cite->number) {
            *out = rates->versions[i].plan;
            return OK;
        }
    }
    return compile(tx, cite, out);
}

/* ---- prices by time ---- */

static enum err load_prices(struct db_tx *tx, const struct cost_rates_query *query,
                            int32_t schedule_id, const char *series, struct price_series *out)
{
    struct op *op = db_op(tx);
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, op->arena);
    db_arg_int(&args, schedule_id);
    db_arg_text(&args, series);
    db_arg_time(&args, (query->from_day - 2) * US_PER_DAY);
    db_arg_time(&args, (query->to_day + 2) * US_PER_DAY);
    db_arg_time(&args, query->known_us);
    db_arg_int(&args, MAX_PRICES);
    enum err err = db_run(tx, &q_cost_prices, &args, &rows);
    if (err != OK) {
        return err;
    }
    size_t n = (size_t)db_count(rows);
    struct price_point *points = arena_array(op->arena, n + 1, sizeof *points);
    if (!points) {
        return fail_memory(op);
    }
    for (size_t i = 0; i < n; i++) {
        points[i] = (struct price_point){
            .from_us = db_time(rows, (int)i, COST_PRICES_FROM_TIME),
            .to_us = db_time(rows, (int)i, COST_PRICES_TO_TIME),
            .rate = db_int64(rows, (int)i, COST_PRICES_NANO_RATE),
        };
        if (i > 0 && points[i - 1].to_us > points[i].from_us) {
            points[i - 1].to_us = points[i].from_us; /* a finer series took over */
        }
    }
    *out = (struct price_series){ points, n };
    return OK;
}

enum err cost_rates_add_prices(struct db_tx *tx, const struct cost_rates_query *query,
                               struct cost_rates *rates)
{
    enum err err = OK;

    for (int v = 0; v < rates->n; v++) {
        struct rating_version *version = &rates->versions[v];
        const struct tariff *tariff = tariff_of(version->plan);
        bool is_asked = version->from_day < query->to_day && version->to_day > query->from_day;
        for (int i = 0; err == OK && is_asked && i < tariff->n_series; i++) {
            err = load_prices(tx, query, rates->cites[v].schedule_id, tariff->series[i].name,
                              &version->prices[i]);
        }
    }
    return err;
}

static enum err make_room(struct op *op, int n, struct cost_rates *out)
{
    *out = (struct cost_rates){
        .versions = arena_array(op->arena, (size_t)n + 1, sizeof *out->versions),
        .cites = arena_array(op->arena, (size_t)n + 1, sizeof *out->cites),
    };
    return out->versions && out->cites ? OK : fail_memory(op);
}

enum err cost_rates_copy(struct op *op, struct cost_rates *rates)
{
    struct cost_rates copy;
    enum err err = make_room(op, rates->n, &copy);

    if (err == OK) {
        memcpy(copy.versions, rates->versions, (size_t)rates->n * sizeof *copy.versions);
        memcpy(copy.cites, rates->cites, (size_t)rates->n * sizeof *copy.cites);
        copy.n = rates->n;
        *rates = copy;
    }
    return err;
}

/* Adds a version, whose cite is there. Where it is the one before and follows it, that goes on. */
static void add_version(struct cost_rates *rates, const struct rating_version *version)
{
    int n = rates->n;
    struct rating_version *last = n > 0 ? &rates->versions[n - 1] : NULL;

    if (last && last->to_day == version->from_day &&
        rates->cites[n - 1].schedule_id == rates->cites[n].schedule_id &&
        rates->cites[n - 1].number == rates->cites[n].number) {
        last->to_day = version->to_day;
        return;
    }
    rates->versions[rates->n++] = *version;
}

/* ---- in force ---- */

static struct str text_or_none(const char *text)
{
    return text ? str_of(text) : (struct str){ NULL, 0 };
}

static enum err load_applied(struct db_tx *tx, const struct cost_rates_query *query,
                             struct rate_applied_list *out)
{
    struct arena *arena = db_op(tx)->arena;
    const char *from = span_day_text(arena, query->from_day);
    const char *to = span_day_text(arena, query->to_day);

    if (!from || !to) {
        return fail_memory(db_op(tx));
    }
    const struct rate_place place = { .site = text_or_none(query->device ? NULL : query->site),
                                      .device = text_or_none(query->device),
                                      .from_day = str_of(from),
                                      .to_day = str_of(to) };
    return rate_applied_list(tx, &place, query->known_us, out);
}

enum err cost_rates_load(struct db_tx *tx, const struct cost_rates_query *query,
                         struct cost_rates *out)
{
    struct op *op = db_op(tx);
    struct rate_applied_list applied = { NULL, 0 };
    enum err err = load_applied(tx, query, &applied);

    if (err == OK) {
        err = make_room(op, applied.n, out);
    }
    for (int i = 0; err == OK && i < applied.n; i++) {
        const struct rate_applied *item = &applied.items[i];
        struct rating_version version = { .schedule_id = item->schedule_id };
        if (!span_day_parse(str_of(item->from_day), &version.from_day) ||
            !span_day_parse(str_of(item->to_day), &version.to_day)) {
            return fail(op, ERR_INTERNAL, "a schedule holds from %s to %s", item->from_day,
                        item->to_day);
        }
        out->cites[out->n] = (struct cost_cite){ item->schedule_id, item->version, item->name };
        err = find_plan(tx, out, out->n, &version.plan);
        add_version(out, &version);
    }
    return err;
}

/* ---- as if ---- */

enum err cost_rates_only(struct op *op, const struct tariff *tariff, int32_t schedule_id,
                         struct cost_rates *out)
{
    enum err err = make_room(op, 1, out);

    if (err != OK) {
        return err;
    }
    out->cites[0] = (struct cost_cite){ schedule_id, 0, tariff->name };
    out->versions[0] = (struct rating_version){
        .schedule_id = schedule_id,
        .plan = tariff_compile(op->arena, tariff),
        .from_day = INT64_MIN,
        .to_day = TARIFF_NEVER,
        .known_since_us = INT64_MIN,
    };
    out->n = 1;
    return out->versions[0].plan ? OK : fail_memory(op);
}

/* Which of the plans, the newest first, holds on a day: the first that is valid on it, else the
 * newest. *until: it does so until then, at least. */
static int plan_on(const struct tariff_plan *const *plans, int n, int64_t day, int64_t *until)
{
    int found = -1;

    *until = TARIFF_NEVER;
    for (int i = 0; i < n; i++) {
        const struct tariff *tariff = tariff_of(plans[i]);
        const int64_t edges[] = { tariff->from_day, tariff->to_day };
        for (size_t e = 0; e < sizeof edges / sizeof edges[0]; e++) {
            *until = edges[e] > day && edges[e] < *until ? edges[e] : *until;
        }
        if (found < 0 && tariff->from_day <= day && day < tariff->to_day) {
            found = i;
        }
    }
    return found < 0 ? 0 : found;
}

/* Reads and compiles the versions of the list. */
static enum err compile_all(struct db_tx *tx, const struct rate_schedule *schedule,
                            const struct rate_version_list *list, const struct tariff_plan **plans)
{
    enum err err = OK;

    for (int i = 0; err == OK && i < list->n; i++) {
        const struct cost_cite cite = { schedule->id, list->items[i].number, schedule->name };
        err = compile(tx, &cite, &plans[i]);
    }
    return err;
}

enum err cost_rates_of(struct db_tx *tx, int32_t schedule_id, struct cost_rates *out)
{
    struct op *op = db_op(tx);
    struct rate_schedule schedule;
    struct rate_version_list list = { NULL, 0 };
    const struct tariff_plan **plans = NULL;
    enum err err = rate_schedule_find(tx, schedule_id, &schedule);

    if (err == OK) {
        err = rate_version_list(tx, schedule_id, &list);
    }
    if (err == OK) {
        plans = arena_array(op->arena, (size_t)list.n + 1, sizeof *plans);
        err = plans ? make_room(op, 2 * list.n + 1, out) : fail_memory(op);
    }
    if (err == OK) {
        err = compile_all(tx, &schedule, &list, plans);
    }
    for (int64_t day = INT64_MIN, until; err == OK && list.n > 0 && day < TARIFF_NEVER;
         day = until) {
        int i = plan_on(plans, list.n, day, &until);
        const struct rating_version version = {
            .schedule_id = schedule_id, .plan = plans[i], .from_day = day, .to_day = until
        };
        out->cites[out->n] =
            (struct cost_cite){ schedule_id, list.items[i].number, schedule.name };
        add_version(out, &version);
    }
    return err;
}

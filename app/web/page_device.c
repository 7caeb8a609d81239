/* One device: what it is, one of its metrics over a span, the list of the others, its latest
 * events. */
#include "web/page.h"
#include "web/pages.h"

#include "base/clock.h"
#include "domain/upload.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_device.h"
#include "web/span_input.h"

#define MONTH_US (32 * US_PER_DAY) /* weeks and months are shown whole */

/* The zone, as far back as anything is shown. */
static enum err load_zone(struct web *web, struct device_facts *facts)
{
    const struct span_query *query = &facts->query;
    int64_t from_us = facts->now_us - 366 * US_PER_DAY, to_us = facts->now_us + 2 * US_PER_DAY;
    if (query->range == SPAN_DATES) {
        int64_t first_us = query->from_day * US_PER_DAY, end_us = (query->to_day + 2) * US_PER_DAY;
        from_us = first_us < from_us ? first_us : from_us;
        to_us = end_us > to_us ? end_us : to_us;
    }
    return zone_load(web->tx, facts->device.timezone, from_us - MONTH_US, to_us, &facts->zone);
}

/* Raw samples where they are asked for, quarter hours where there are too many of them. */
static enum err load_trace(struct web *web, const struct trace_filter *filter,
                           const struct trace_open *open, struct device_facts *facts)
{
    struct span *span = &facts->trace.span;
    if (span->bucket == SAMPLE_RAW) {
        enum err err = trace_samples(web->tx, filter, &facts->trace.trace, &facts->is_cut);
        if (err != OK || !facts->is_cut) {
            return err;
        }
        span->bucket = SAMPLE_15M;
    }
    return trace_buckets(web->tx, &facts->look.closed, open, filter, span->bucket,
                         &facts->trace.trace);
}

/* Whole hours of the local clock; where they are none of UTC, from quarter hours. */
static enum err load_heat(struct web *web, struct trace_filter filter,
                          const struct trace_open *open, struct device_facts *facts)
{
    struct trace_facts *trace = &facts->trace;
    int64_t today = span_day_of(&facts->zone, facts->now_us);
    trace->heat_to_day = trace->span.to_day < today ? trace->span.to_day : today;
    trace->heat_from_day = trace->span.from_day > trace->heat_to_day - 6 ? trace->heat_to_day - 6
                                                                         : trace->span.from_day;
    if (trace->heat_to_day - trace->heat_from_day >= HEAT_MAX_DAYS) {
        trace->heat_from_day = trace->heat_to_day - HEAT_MAX_DAYS + 1;
    }
    filter.from_us = span_day_start(&facts->zone, trace->heat_from_day);
    filter.to_us = span_day_start(&facts->zone, trace->heat_to_day + 1);
    bool is_whole = zone_offset_at(&facts->zone, filter.from_us) % 3600 == 0 &&
                    zone_offset_at(&facts->zone, filter.to_us) % 3600 == 0;
    enum sample_bucket bucket = is_whole ? SAMPLE_1H : SAMPLE_15M;
    if (bucket == trace->span.bucket && filter.from_us == trace->span.from_us &&
        filter.to_us == trace->span.to_us) {
        trace->heat = trace->trace; /* what the chart shows, too */
        return OK;
    }
    return trace_buckets(web->tx, &facts->look.closed, open, &filter, bucket, &trace->heat);
}

static enum err load_chosen(struct web *web, const struct trace_open *open,
                            struct device_facts *facts)
{
    const struct device_series *chosen = facts->chosen;
    facts->trace = (struct trace_facts){
        .series = chosen,
        .zone = &facts->zone,
        .span = span_resolve(&facts->query, &facts->zone, facts->now_us, series_is_sum(chosen)),
        .now_us = facts->now_us,
        .heat_to_day = -1,
    };
    struct trace_filter filter = {
        .series_id = chosen->id,
        .from_us = facts->trace.span.from_us,
        .to_us = facts->trace.span.to_us,
    };
    enum err err = load_trace(web, &filter, open, facts);
    return err == OK && series_has_heat(chosen) ? load_heat(web, filter, open, facts) : err;
}

/* The last hours of the metrics on this page of the list; the open ones of what is drawn, too. */
static enum err load_sparks(struct web *web, struct device_facts *facts, struct trace_open *open)
{
    int32_t ids[DEVICE_SERIES_SHOWN + 1];
    int n = 0, first, end = series_on_page(&facts->look.series, facts->page, &first);
    for (int i = first; i < end; i++) {
        ids[n++] = facts->look.series.items[i].id;
    }
    if (facts->chosen != NULL) {
        ids[n++] = facts->chosen->id; /* may be on another page; twice is not told twice */
    }
    facts->spark_from_us =
        facts->now_us - facts->now_us % US_PER_HOUR - (SPARK_HOURS - 1) * US_PER_HOUR;
    const struct spark_filter filter = {
        ids, n, facts->spark_from_us, facts->now_us + 1,
    };
    return trace_sparks(web->tx, &facts->look.closed, &filter, &facts->sparks, open);
}

static enum err choose_series(struct web *web, struct device_facts *facts)
{
    struct str metric = web_query_text(web, "metric"), labels = web_query_text(web, "labels");
    device_sort_series(&facts->look.series);
    facts->chosen = device_choose_series(&facts->look.series, metric, labels);
    if (facts->chosen == NULL && metric.ptr != NULL) {
        return fail(web->op, ERR_NOT_FOUND, "the device has no such metric");
    }
    return OK;
}

static void read_query(struct web *web, struct device_facts *facts)
{
    long long page = 0;
    facts->query = span_input(web, &facts->from, &facts->to, &facts->span_error);
    if (str_to_int64(web_query_text(web, "page"), &page) && page > 1 && page < 100000) {
        facts->page = (int)page - 1;
    }
    facts->path = arena_copy(web->op->arena, web->request->path);
    facts->is_shared = web->who->kind == IDENTITY_SHARE;
}

static enum err load(struct web *web, struct str key, struct device_facts *facts)
{
    facts->now_us = clock_now_us();
    enum err err = device_find(web->tx, key, &facts->device);
    if (err == OK) {
        read_query(web, facts);
        err = device_look(web->tx, &facts->device, DEVICE_EVENTS_SHOWN, &facts->look);
    }
    if (err == OK) {
        err = choose_series(web, facts);
    }
    if (err == OK) {
        err = load_zone(web, facts);
    }
    if (err == OK && !facts->is_shared) {
        err = upload_mark_events(web->tx, &facts->look.events);
    }
    struct trace_open open = { NULL };
    if (err == OK && facts->look.series.n > 0) {
        err = load_sparks(web, facts, &open);
    }
    if (err == OK && facts->chosen != NULL) {
        err = load_chosen(web, &open, facts);
    }
    return err;
}

enum err page_device_show(struct web *web, struct str key)
{
    struct device_facts facts = { 0 };
    enum err err = load(web, key, &facts);
    if (err != OK) {
        return err;
    }
    struct device_view *view = arena_alloc(web->op->arena, sizeof *view);
    if (view == NULL || facts.path == NULL || !device_view(web->op->arena, &facts, view)) {
        return fail_memory(web->op);
    }
    view->page = page_view(web, view->name, "/devices");
    if (facts.span_error != NULL) {
        web->response->status = 422;
    }
    page_is_html(web);
    tpl_page_device(&web->response->body, view);
    return OK;
}

enum err page_device(struct web *web)
{
    return page_device_show(web, http_capture(web->request, "key"));
}

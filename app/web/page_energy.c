/* /energy: a place's energy by role in local buckets, with what it costs beside it. */
#include "web/page_costs.h"

#include "base/limits.h"
#include "domain/zone.h"
#include "gen/templates.h"
#include "view/model_energy.h"
#include "web/page.h"
#include "web/place_input.h"
#include "web/span_input.h"

#include <string.h>

#define PAGE_BYTES (8u << 20) /* of the request's memory, for the page itself */
#define MAX_SHORT_PAGES 4     /* of accounts that are too many to be rated at once */

static enum err read_query(struct web *web, struct place *place, struct energy_facts *facts)
{
    *facts = (struct energy_facts){ .costs_to_us = INT64_MAX };
    facts->query = span_input(web, &facts->from, &facts->to, &facts->span_error);
    if (!web_query_text(web, "range").ptr && facts->query.range == SPAN_24H) {
        facts->query.range = SPAN_30D;
    }
    if (facts->query.bucket == SAMPLE_RAW) {
        facts->query.is_auto = true;
    }
    bool is_dates = facts->query.range == SPAN_DATES;
    enum err err = place_read(web, is_dates ? facts->query.from_day : COST_LAST_DAY, place);
    if (err != OK) {
        return err;
    }
    facts->now_us = place->query.now_us;
    facts->zone = place->zone;
    facts->site = place->site;
    facts->device = place->device;
    facts->span = span_resolve(&facts->query, &facts->zone, facts->now_us, true);
    return OK;
}

/* Where the buckets begin. Hours of zones that are not whole hours off UTC are the database's to
 * say. */
static enum err load_edges(struct web *web, struct energy_facts *facts)
{
    const struct span *span = &facts->span;
    struct zone_starts starts;
    int n = 0;

    if (span->bucket >= SAMPLE_1D) {
        facts->edges = span_edges(web->op->arena, &facts->zone, span->bucket, span->from_us,
                                  span->to_us, &facts->n);
        return facts->edges ? OK : fail_memory(web->op);
    }
    enum err err =
        zone_bucket_starts(web->tx, facts->zone.name, sample_bucket_name(span->bucket),
                           span->from_us, span->to_us + 2 * US_PER_HOUR, &starts);
    while (err == OK && n < starts.n && starts.us[n] < span->to_us) {
        n++;
    }
    facts->edges = err == OK ? starts.us : NULL;
    facts->n = n < starts.n ? n : starts.n - 1;
    return err;
}

/* Adds a page of costs to those that are there. */
static enum err add_costs(struct web *web, const struct cost_list *page,
                          struct energy_facts *facts)
{
    struct cost_list *all = &facts->costs;
    const size_t size = sizeof *page->buckets.items;
    size_t n = (size_t)all->buckets.n, n_more = (size_t)page->buckets.n;

    if (all->currency && page->currency && strcmp(all->currency, page->currency) != 0) {
        return fail(web->op, ERR_INVALID,
                    "These days are billed in different currencies, %s and %s: choose days of one "
                    "of them.", all->currency, page->currency);
    }
    struct cost_bucket *items =
        arena_resize(web->op->arena, all->buckets.items, n * size, (n + n_more + 1) * size);
    if (!items) {
        return fail_memory(web->op);
    }
    for (size_t i = 0; i < n_more; i++) {
        items[n + i] = page->buckets.items[i];
    }
    all->buckets = (struct cost_buckets){ items, (int)(n + n_more) };
    if (page->currency) {
        all->currency = page->currency;
        all->decimals = page->decimals;
    }
    return OK;
}

/* Whether a further page of costs might not fit beside those in memory: none takes twice what the
 * largest so far did. */
static bool is_rated_out(const struct web *web, size_t largest_bytes)
{
    return arena_used(web->op->arena) + 2 * largest_bytes > REQUEST_ARENA_BYTES - PAGE_BYTES;
}

/* Page by page, from the accounts that the first one found, as far as memory and time reach. */
static enum err load_pages(struct web *web, struct cost_list_query *query,
                           struct energy_facts *facts)
{
    struct cost_memo memo = { .states = NULL };
    struct cost_list page;
    size_t largest_bytes = 0;
    int n_short = 0;
    enum err err;

    query->costs.memo = &memo;
    do {
        size_t used = arena_used(web->op->arena);
        err = cost_list_load(web->tx, query, &page);
        if (err == OK) {
            err = add_costs(web, &page, facts);
        }
        query->from_us = page.next_us;
        used = arena_used(web->op->arena) - used;
        largest_bytes = used > largest_bytes ? used : largest_bytes;
        n_short += page.is_short;
    } while (err == OK && page.next_us < query->to_us && n_short < MAX_SHORT_PAGES &&
             !is_rated_out(web, largest_bytes));
    facts->costs_to_us = page.next_us < query->to_us ? page.next_us : INT64_MAX;
    query->costs.memo = NULL;
    return err;
}

/* Where what is in force cannot be added up there is energy without costs, and a sentence. */
static enum err load_costs(struct web *web, const struct place *place, struct energy_facts *facts)
{
    const struct span *span = &facts->span;
    struct cost_list_query query = {
        .costs = place->query,
        .bucket = span->bucket,
        .zone_name = place->zone_name,
        .from_us = span->from_us,
        .to_us = span->to_us < facts->now_us ? span->to_us : facts->now_us,
        .limit = facts->n + 1,
    };

    if (query.from_us >= query.to_us) {
        return OK;
    }
    enum err err = load_pages(web, &query, facts);
    if (err == ERR_INVALID || err == ERR_CHANGING) {
        facts->costs_problem = arena_copy(web->op->arena, str_of(web->op->fault.detail));
        op_clear_fault(web->op);
        facts->costs = (struct cost_list){ .currency = NULL };
        facts->costs_to_us = INT64_MAX;
        err = OK;
    }
    return err;
}

static enum err load_energy(struct web *web, const struct place *place, struct energy_facts *facts)
{
    const struct energy_filter filter = {
        .bucket = facts->span.bucket,
        .device = place->query.device,
        .site = place->query.site,
        .zone_name = place->zone_name,
        .from_us = facts->span.from_us,
        .to_us = facts->span.to_us,
        .limit = facts->n + 1,
    };
    enum err err = energy_bucket_list(web->tx, &filter, &facts->energy);

    return err == OK ? load_costs(web, place, facts) : err;
}

static void keep(const struct energy_facts *facts, struct energy_view *view)
{
    bool is_dates = facts->query.range == SPAN_DATES;
    const struct kept_view kept[] = {
        { "range", is_dates ? NULL : span_range_name(facts->query.range) },
        { "from", is_dates ? view->from : NULL },
        { "to", is_dates ? view->to : NULL },
        { "bucket", facts->query.is_auto ? NULL : sample_bucket_name(facts->query.bucket) },
    };

    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        if (kept[i].value) {
            view->place.kept[view->place.n_kept++] = kept[i];
        }
    }
}

enum err page_energy(struct web *web)
{
    struct energy_facts *facts = arena_alloc(web->op->arena, sizeof *facts);
    struct energy_view *view = arena_alloc(web->op->arena, sizeof *view);
    struct place place;

    if (!facts || !view) {
        return fail_memory(web->op);
    }
    enum err err = read_query(web, &place, facts);
    if (err == OK) {
        err = load_edges(web, facts);
    }
    if (err == OK) {
        err = load_energy(web, &place, facts);
    }
    if (err == OK && !energy_view(web->op->arena, facts, view)) {
        err = fail_memory(web->op);
    }
    if (err == OK) {
        err = place_form(web, &place, "/energy", &view->place);
    }
    if (err != OK) {
        return err;
    }
    keep(facts, view);
    view->where = place_words(web->op->arena, &place);
    view->page = page_view(web, "Energy", "/energy");
    if (facts->span_error) {
        web->response->status = 422;
    }
    page_is_html(web);
    tpl_page_energy(&web->response->body, view);
    return OK;
}

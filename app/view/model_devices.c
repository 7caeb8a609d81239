/* Turns a page of devices into rows. Called by the page of devices. */
#include "view/model_devices.h"

#include "view/link.h"
#include "view/model_device.h"
#include "view/model_parts.h"

/* How the list is seen: what is left out is as it is now. */
static const char *list_link(struct arena *arena, const struct devices_facts *facts,
                             enum device_state state, const char *after)
{
    const struct device_page_filter *filter = &facts->filter;
    const struct link_param params[] = {
        { "q", filter->search.ptr ? arena_copy(arena, filter->search) : NULL },
        { "site", filter->site.ptr ? arena_copy(arena, filter->site) : NULL },
        { "state", device_state_name(state) },
        { "after", after },
    };
    return link_to(arena, "/devices", params, sizeof params / sizeof *params);
}

static void add_states(struct arena *arena, const struct devices_facts *facts,
                       struct devices_view *out)
{
    static const char *const labels[DEVICES_STATES] = {
        "In use", "Live", "Late", "Silent", "Retired",
    };
    for (int s = 0; s < DEVICES_STATES; s++) {
        out->states[s] = (struct choice_link){
            labels[s], list_link(arena, facts, (enum device_state)s, NULL),
            (int)facts->filter.state == s,
        };
    }
}

static bool add_sites(struct arena *arena, const struct devices_facts *facts,
                      struct devices_view *out)
{
    struct choice_link *sites = arena_array(arena, (size_t)facts->sites.n, sizeof *sites);
    for (int i = 0; sites != NULL && i < facts->sites.n; i++) {
        const char *key = facts->sites.items[i].key;
        sites[i] = (struct choice_link){
            .label = facts->sites.items[i].name,
            .href = key,
            .is_here = facts->filter.site.ptr && str_equal(str_of(key), facts->filter.site),
        };
    }
    out->sites = sites;
    out->n_sites = facts->sites.n;
    return sites != NULL || facts->sites.n == 0;
}

static bool add_item(struct arena *arena, const struct devices_facts *facts,
                     const struct device_line *line, struct device_item *out)
{
    struct device_row row = device_row(arena, &facts->zone, facts->now_us, &line->latest);
    bool is_retired = line->retired_us != DEVICE_NEVER;
    *out = (struct device_item){
        .key = row.key, .name = row.name, .model = row.model, .metric = row.metric,
        .value = row.value, .seen = row.seen,
        .site = line->site,
        .href = link_path(arena, "/devices/", row.key),
        .state = is_retired ? "Retired" : row.state,
        .state_class = is_retired ? "retired" : row.state_class,
    };
    struct spark_series spark = {
        line->series_id, facts->spark_from_us, line->kind, line->latest.role,
    };
    return line->series_id == 0 || spark_view(arena, &facts->sparks, &spark, &out->spark);
}

bool devices_view(struct arena *arena, const struct devices_facts *facts, struct devices_view *out)
{
    const struct device_page_filter *filter = &facts->filter;
    int n = facts->page.n < DEVICES_SHOWN ? facts->page.n : DEVICES_SHOWN;
    struct device_item *items = arena_array(arena, (size_t)n, sizeof *items);
    *out = (struct devices_view){
        .counts = counts_view(arena, &facts->counts),
        .q = filter->search.ptr ? arena_copy(arena, filter->search) : "",
        .site = filter->site.ptr ? arena_copy(arena, filter->site) : "",
        .state = device_state_name(filter->state),
        .is_filtered = filter->search.ptr || filter->site.ptr || filter->state != STATE_IN_USE,
        .devices = items,
        .n_devices = n,
        .first = filter->after_key.ptr ? list_link(arena, facts, filter->state, NULL) : NULL,
    };
    add_states(arena, facts, out);
    for (int i = 0; items != NULL && i < n; i++) {
        if (!add_item(arena, facts, &facts->page.items[i], &items[i])) {
            return false;
        }
    }
    if (facts->page.n > n) {
        out->next = list_link(arena, facts, filter->state, facts->page.items[n - 1].latest.key);
    }
    return add_sites(arena, facts, out) && (items != NULL || n == 0);
}

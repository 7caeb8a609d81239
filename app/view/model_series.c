/* The list of a device's metrics: their order, their words, their last hours. Called by the
 * device's page and model. */
#include "view/model_device.h"

#include "base/json.h"
#include "base/limits.h"
#include "view/model_parts.h"

#include <math.h>
#include <stdlib.h>

static bool has_unit(const struct device_series *series, const char *one, const char *other)
{
    return series->unit != NULL &&
           (strcmp(series->unit, one) == 0 || strcmp(series->unit, other) == 0);
}

static int rank_of(const struct device_series *series)
{
    return has_unit(series, "W", "kW") ? 0 : has_unit(series, "kWh", "Wh") ? 1 : 2;
}

bool series_has_heat(const struct device_series *series)
{
    return rank_of(series) < 2;
}

static int by_rank(const void *a, const void *b)
{
    const struct device_series *left = a, *right = b;
    int order = rank_of(left) - rank_of(right);
    if (order == 0) {
        order = strcmp(left->metric, right->metric);
    }
    return order != 0 ? order : left->id < right->id ? -1 : left->id > right->id;
}

void device_sort_series(struct device_series_list *list)
{
    if (list->n > 1) {
        qsort(list->items, (size_t)list->n, sizeof *list->items, by_rank);
    }
}

const struct device_series *device_choose_series(const struct device_series_list *list,
                                                 struct str metric, struct str labels)
{
    for (int i = 0; i < list->n; i++) {
        const struct device_series *series = &list->items[i];
        bool is_it = metric.len == 0 ? series->last_us != DEVICE_NEVER
                                     : str_equal(str_of(series->metric), metric);
        if (is_it && (labels.len == 0 || str_equal(str_of(series->labels), labels))) {
            return series;
        }
    }
    return metric.len == 0 && list->n > 0 ? &list->items[0] : NULL;
}

int series_on_page(const struct device_series_list *list, int page, int *first)
{
    *first = page * DEVICE_SERIES_SHOWN < list->n ? page * DEVICE_SERIES_SHOWN : 0;
    return *first + DEVICE_SERIES_SHOWN < list->n ? *first + DEVICE_SERIES_SHOWN : list->n;
}

/* ---- words ---- */

/* " · phase 1 · side left" of {"phase":"1","side":"left"}; what is no flat object as it is. */
static const char *label_words(struct arena *arena, const char *labels)
{
    struct json_reader reader;
    struct str name, value;
    const char *words = "";
    json_reader_init(&reader, str_of(labels), arena, MAX_JSON_DEPTH);
    if (!json_enter_object(&reader)) {
        return words;
    }
    while (json_next_member(&reader, &name)) {
        bool is_read = json_peek(&reader) == JSON_STRING ? json_read_string(&reader, &value)
                                                         : json_skip(&reader, &value);
        if (!is_read || words == NULL) {
            break;
        }
        words = arena_printf(arena, "%s · %.*s %.*s", words, (int)name.len, name.ptr,
                             (int)value.len, value.ptr);
    }
    return words;
}

const char *series_about(struct arena *arena, const struct device_series *series)
{
    bool has_role = strcmp(series->role, "none") != 0;
    /* Words for people: grid_import is "grid import". */
    char *role = arena_copy(arena, str_of(series->role));
    for (char *at = role; at != NULL && *at != '\0'; at++) {
        *at = *at == '_' ? ' ' : *at;
    }
    const char *labels = label_words(arena, series->labels);
    return arena_printf(arena, "%s%s%s%s", series->kind, has_role ? " · " : "",
                        has_role && role != NULL ? role : "", labels == NULL ? "" : labels);
}

struct figure series_value(struct arena *arena, const struct device_series *series)
{
    if (!series_is_counter(series)) {
        return format_figure(arena, series->last_value, series->unit);
    }
    /* As the meter itself shows it, not in the unit that reads best. */
    const char *unit = series->unit != NULL && !isnan(series->last_value) ? series->unit : "";
    return (struct figure){ format_number(arena, series->last_value, 1), unit };
}

/* ---- small lines ---- */

static double spark_value(const struct spark_point *point, const char *kind)
{
    return strcmp(kind, "delta") == 0     ? point->sum
           : strcmp(kind, "counter") == 0 ? point->last
                                          : point->mean;
}

bool spark_view(struct arena *arena, const struct sparks *sparks,
                const struct spark_series *series, struct line_chart *out)
{
    struct chart_point *points = arena_array(arena, SPARK_HOURS, sizeof *points);
    int n_known = 0;
    if (points == NULL) {
        return false;
    }
    for (int i = 0; i < SPARK_HOURS; i++) {
        points[i] = (struct chart_point){ 100.0 * i / (SPARK_HOURS - 1), NAN };
    }
    for (int i = 0; i < sparks->n; i++) {
        int64_t hour = (sparks->points[i].hour_us - series->from_us) / US_PER_HOUR;
        if (sparks->points[i].series_id == series->id && hour >= 0 && hour < SPARK_HOURS) {
            points[hour].value = spark_value(&sparks->points[i], series->kind);
            n_known++;
        }
    }
    *out = (struct line_chart){
        .tone = role_tone(series->role),
        .points = points,
        .n_points = n_known > 0 ? SPARK_HOURS : 0,
        .is_from_zero = strcmp(series->kind, "counter") != 0 && strcmp(series->role, "none") != 0,
    };
    return true;
}

/* ---- the list ---- */

bool series_rows(struct arena *arena, const struct device_facts *facts, struct device_view *out)
{
    int first, end = series_on_page(&facts->look.series, facts->page, &first);
    struct series_row *rows = arena_array(arena, (size_t)(end - first), sizeof *rows);
    if (rows == NULL) {
        return end == first;
    }
    for (int i = first; i < end; i++) {
        const struct device_series *series = &facts->look.series.items[i];
        struct device_place place = device_here(arena, facts);
        place.metric = series->metric;
        place.labels = strcmp(series->labels, "{}") == 0 ? NULL : series->labels;
        place.bucket = NULL;
        rows[i - first] = (struct series_row){
            .metric = series->metric,
            .about = series_about(arena, series),
            .href = device_link(arena, facts, &place),
            .value = series_value(arena, series),
            .at = moment_view(arena, &facts->zone, facts->now_us, series->last_us),
            .is_here = series == facts->chosen,
        };
        struct spark_series spark = {
            series->id, facts->spark_from_us, series->kind, series->role,
        };
        if (!spark_view(arena, &facts->sparks, &spark, &rows[i - first].spark)) {
            return false;
        }
    }
    out->series = rows;
    out->n_series = end - first;
    out->n_all = facts->look.series.n;
    struct device_place place = device_here(arena, facts);
    if (first > 0) {
        place.page = arena_printf(arena, "%d", first / DEVICE_SERIES_SHOWN);
        out->series_previous = device_link(arena, facts, &place);
    }
    if (end < facts->look.series.n) {
        place.page = arena_printf(arena, "%d", first / DEVICE_SERIES_SHOWN + 2);
        out->series_next = device_link(arena, facts, &place);
    }
    return true;
}

/* Rows, tiles and the chart of the operators' page. Times are UTC: an installation has no zone of
 * its own. */
#include "view/model_operator.h"

#include "view/model_parts.h"

#include <math.h>

static const struct zone utc = { .name = "UTC" };
static const struct chart_band bands[] = { { "Readings", "used" } };

static const char *count_text(struct arena *arena, int64_t n)
{
    return format_number(arena, (double)n, 0);
}

static const char *bytes_text(struct arena *arena, int64_t bytes)
{
    return format_quantity(arena, (double)bytes, "B");
}

/* INSTALLATION_NEVER is what the parts call DEVICE_NEVER. */
static struct moment_view moment(struct arena *arena, int64_t now_us, int64_t time_us)
{
    return moment_view(arena, &utc, now_us,
                       time_us == INSTALLATION_NEVER ? DEVICE_NEVER : time_us);
}

static bool add_tenants(struct arena *arena, const struct usage_list *list, int64_t now_us,
                        struct operator_view *out)
{
    struct tenant_row *rows = arena_array(arena, (size_t)list->n + 1, sizeof *rows);

    for (int i = 0; rows && i < list->n; i++) {
        const struct usage *usage = &list->items[i];
        bool is_active = strcmp(usage->status, "active") == 0;
        rows[i] = (struct tenant_row){
            .slug = usage->slug,
            .name = usage->name,
            .devices = count_text(arena, usage->devices),
            .series = count_text(arena, usage->series),
            .rows_day = count_text(arena, usage->samples_day),
            .size = bytes_text(arena, usage->bytes),
            .last_ingest = moment(arena, now_us, usage->last_ingest_us),
            .state = is_active ? "Active" : "Suspended",
            .state_class = is_active ? "live" : "late",
        };
    }
    out->rows = rows;
    out->n_rows = list->n;
    return rows != NULL;
}

static const char *packed_text(struct arena *arena, const struct storage *storage)
{
    if (storage->packed == 0) {
        return NULL;
    }
    const char *pieces = arena_printf(arena, "%lld of %lld", (long long)storage->packed,
                                      (long long)storage->pieces);
    return isfinite(storage->ratio)
               ? arena_printf(arena, "%s, %s to 1", pieces, format_number(arena, storage->ratio, 1))
               : pieces;
}

static bool add_storage(struct arena *arena, const struct installation *facts,
                        struct operator_view *out)
{
    struct storage_row *rows = arena_array(arena, (size_t)facts->n_storage + 1, sizeof *rows);

    for (int i = 0; rows && i < facts->n_storage; i++) {
        const struct storage *storage = &facts->storage[i];
        rows[i] = (struct storage_row){
            .relation = storage->relation,
            .size = bytes_text(arena, storage->bytes),
            .rows = count_text(arena, storage->rows),
            .pieces = count_text(arena, storage->pieces),
            .packed = packed_text(arena, storage),
        };
    }
    out->stored = rows;
    out->n_stored = facts->n_storage;
    return rows != NULL;
}

static const char *duration_text(struct arena *arena, double seconds)
{
    if (!isfinite(seconds)) {
        return FORMAT_NONE;
    }
    return seconds < 1 ? arena_printf(arena, "%.0f" FORMAT_NBSP "ms", seconds * 1000)
                       : arena_printf(arena, "%.1f" FORMAT_NBSP "s", seconds);
}

static void job_state(const struct job_health *job, struct job_row *out)
{
    if (job->started_us == INSTALLATION_NEVER) {
        out->state = "Waiting";
        out->state_class = "";
    } else if (job->is_running) {
        out->state = "Running";
        out->state_class = "live";
    } else if (!job->is_good) {
        out->state = "Failed";
        out->state_class = "silent";
    } else {
        out->state = job->is_overdue ? "Overdue" : "Good";
        out->state_class = job->is_overdue ? "late" : "live";
    }
}

static bool add_jobs(struct arena *arena, const struct installation *facts, int64_t now_us,
                     struct operator_view *out)
{
    struct job_row *rows = arena_array(arena, (size_t)facts->n_jobs + 1, sizeof *rows);

    for (int i = 0; rows && i < facts->n_jobs; i++) {
        const struct job_health *job = &facts->jobs[i];
        rows[i] = (struct job_row){
            .name = job->name,
            .last_run = moment(arena, now_us, job->started_us),
            .took = duration_text(arena, job->seconds),
            .failures = count_text(arena, job->failures),
            .detail = job->detail,
        };
        job_state(job, &rows[i]);
    }
    out->jobs = rows;
    out->n_jobs = facts->n_jobs;
    return rows != NULL;
}

static bool add_statements(struct arena *arena, const struct installation *facts,
                           struct operator_view *out)
{
    struct query_row *rows = arena_array(arena, (size_t)facts->n_statements + 1, sizeof *rows);

    for (int i = 0; rows && i < facts->n_statements; i++) {
        const struct statement *statement = &facts->statements[i];
        rows[i] = (struct query_row){
            .text = statement->text,
            .calls = count_text(arena, statement->calls),
            .mean = duration_text(arena, statement->mean_ms / 1000),
            .total = duration_text(arena, statement->total_ms / 1000),
        };
    }
    out->queries = rows;
    out->n_queries = facts->n_statements;
    out->queries_note =
        facts->has_statistics
            ? "By total time since the statistics were last reset; values are left out."
        : facts->n_statements > 0
            ? "Running for more than a second now. With pg_stat_statements installed, this shows "
              "what costs most over time."
            : "No statement has been running for more than a second. With pg_stat_statements "
              "installed, this shows what costs most over time.";
    return rows != NULL;
}

static bool add_chart(struct arena *arena, const struct installation *facts, int64_t now_us,
                      struct operator_view *out)
{
    struct chart_slot *slots = arena_array(arena, INSTALLATION_HOURS, sizeof *slots);
    int64_t first_us = facts->first_hour_us;
    double sum = 0;
    int n_known = 0;

    for (int i = 0; slots && i < INSTALLATION_HOURS; i++) {
        int64_t from_us = first_us + i * US_PER_HOUR;
        slots[i] = (struct chart_slot){
            .from = 100.0 * i / INSTALLATION_HOURS,
            .to = 100.0 * (i + 1) / INSTALLATION_HOURS,
            .name = span_name(arena, &utc, from_us, from_us + US_PER_HOUR, false),
            .values = { facts->rates[i] },
            .is_open = from_us + US_PER_HOUR > now_us,
        };
        if (isfinite(facts->rates[i])) {
            sum += facts->rates[i];
            n_known++;
        }
    }
    double mean = n_known > 0 ? sum / n_known : NAN;
    const char *mean_text = format_quantity(arena, mean, "/s");
    out->ingest = (struct bar_chart){
        .id = "ingest", .title = "Readings stored per second, last 24 hours", .unit = "/s",
        .summary = arena_printf(arena, "%s on average.", mean_text), .slot_heading = "Hour (UTC)",
        .bands = { bands[0] }, .n_bands = 1, .slots = slots, .n_slots = INSTALLATION_HOURS,
    };
    out->ingest.ticks = span_ticks(arena, &utc, first_us,
                                   first_us + INSTALLATION_HOURS * US_PER_HOUR, 8,
                                   &out->ingest.n_ticks);
    out->ingest_totals[0] = (struct total_view){ bands[0].name, bands[0].tone, mean_text };
    return slots && out->ingest.ticks;
}

static void add_tiles(struct arena *arena, const struct installation *facts,
                      const struct usage_list *tenants, struct operator_view *out)
{
    int64_t devices = 0, series = 0, suspended = 0, day = 0;
    int n_bad = 0;

    for (int i = 0; i < tenants->n; i++) {
        const struct usage *usage = &tenants->items[i];
        devices += usage->devices;
        series += usage->series;
        day += usage->samples_day;
        suspended += strcmp(usage->status, "active") != 0;
    }
    for (int i = 0; i < facts->n_jobs; i++) {
        const struct job_health *job = &facts->jobs[i];
        n_bad += job->started_us != INSTALLATION_NEVER &&
                 !job->is_running && (!job->is_good || job->is_overdue);
    }
    out->tiles[0] = (struct tile_view){
        "Tenants", suspended > 0 ? arena_printf(arena, "%lld suspended", (long long)suspended)
                                 : "none suspended",
        { count_text(arena, tenants->n), "" } };
    out->tiles[1] = (struct tile_view){
        "Devices", arena_printf(arena, "%s series", count_text(arena, series)),
        { count_text(arena, devices), "" } };
    out->tiles[2] = (struct tile_view){
        "Database", arena_printf(arena, "%s readings in 24 h", count_text(arena, day)),
        format_figure(arena, (double)facts->bytes, "B") };
    out->tiles[3] = (struct tile_view){
        "Jobs in trouble", n_bad > 0 ? "see below" : "all ran as they should",
        { count_text(arena, n_bad), "" } };
    out->n_tiles = 4;
}

bool operator_view(struct arena *arena, const struct installation *facts,
                   const struct usage_list *tenants, int64_t now_us, struct operator_view *out)
{
    add_tiles(arena, facts, tenants, out);
    return add_tenants(arena, tenants, now_us, out) && add_storage(arena, facts, out) &&
           add_jobs(arena, facts, now_us, out) && add_statements(arena, facts, out) &&
           add_chart(arena, facts, now_us, out);
}

/* One table of what the ingest service counts. Called by ingest_process, dispatch and metrics. */
#include "serve/ingest_metrics.h"

#include "ingest/service.h"

#include <stddef.h>

struct row {
    const char *name;
    const char *type;   /* "counter", "gauge" */
    const char *labels; /* "" or "{…}" */
    const char *help;   /* NULL: a further line of the name above */
    size_t offset;      /* of a uint64_t in struct ingest_stats */
};

#define AT(member) offsetof(struct ingest_stats, member)

static const struct row ROWS[] = {
    { "tidemark_ingest_received_total", "counter", "",
      "Events received: the sum of those answered, by outcome; an unreadable body is one.",
      AT(received) },
    { "tidemark_ingest_events_total", "counter", "{outcome=\"accepted\"}",
      "Events answered, by outcome.", AT(accepted) },
    { "tidemark_ingest_events_total", "counter", "{outcome=\"duplicate\"}", NULL, AT(duplicates) },
    { "tidemark_ingest_events_total", "counter", "{outcome=\"updated\"}", NULL, AT(updated) },
    { "tidemark_ingest_events_total", "counter", "{outcome=\"rejected\"}", NULL, AT(rejected) },
    { "tidemark_ingest_rejects_total", "counter", "{fate=\"kept\"}",
      "Rejected events kept for a replay, or dropped, as there were too many at once.",
      AT(rejects_kept) },
    { "tidemark_ingest_rejects_total", "counter", "{fate=\"dropped\"}", NULL,
      AT(rejects_dropped) },
    { "tidemark_ingest_rows_total", "counter", "{lane=\"fast\"}", "Rows committed, by lane.",
      AT(rows_fast) },
    { "tidemark_ingest_rows_total", "counter", "{lane=\"late\"}", NULL, AT(rows_late) },
    { "tidemark_ingest_batches_total", "counter", "", "Transactions that committed a batch.",
      AT(batches) },
    { "tidemark_ingest_retries_total", "counter", "",
      "Batches tried again after a deadlock or a lost connection.", AT(retries) },
    { "tidemark_ingest_poisoned_total", "counter", "", "Requests split off a batch they spoiled.",
      AT(poisoned) },
    { "tidemark_ingest_refused_total", "counter", "", "Requests that found the queue full.",
      AT(refused) },
    { "tidemark_ingest_limited_total", "counter", "{limit=\"token_rate\"}",
      "Posts refused for a limit of their token or tenant; for series: with events rejected.",
      AT(limited_token) },
    { "tidemark_ingest_limited_total", "counter", "{limit=\"request_rate\"}", NULL,
      AT(limited_tenant) },
    { "tidemark_ingest_limited_total", "counter", "{limit=\"rows_per_day\"}", NULL,
      AT(limited_rows) },
    { "tidemark_ingest_limited_total", "counter", "{limit=\"max_series\"}", NULL,
      AT(limited_series) },
    { "tidemark_ingest_queue_bytes", "gauge", "", "Bytes waiting for a writer.", AT(queue_bytes) },
    { "tidemark_ingest_series_cached", "gauge", "", "Series in the ingest process's memory.",
      AT(series_cached) },
};
#define N_ROWS ((int)(sizeof ROWS / sizeof ROWS[0]))

_Static_assert(sizeof ROWS / sizeof ROWS[0] <= METRICS_MAX_INGEST, "each figure has its place");

static bool is_counter(const struct row *row)
{
    return row->type[0] == 'c';
}

void ingest_metrics_begin(struct ingest_metrics *metrics, struct metrics *shared)
{
    metrics->shared = shared;
    for (int i = 0; i < N_ROWS; i++) {
        metrics->base[i] = is_counter(&ROWS[i]) ? atomic_load(&shared->ingest[i]) : 0;
    }
}

/* Threads may copy in another order than they read: a counter must not go back. */
static void raise_to(_Atomic uint64_t *figure, uint64_t value)
{
    uint64_t seen = atomic_load_explicit(figure, memory_order_relaxed);

    while (seen < value && !atomic_compare_exchange_weak(figure, &seen, value)) {
    }
}

void ingest_metrics_copy(const struct ingest_metrics *metrics, struct ingest_service *service)
{
    struct ingest_stats stats;

    ingest_read_stats(service, &stats);
    for (int i = 0; i < N_ROWS; i++) {
        uint64_t value;
        memcpy(&value, (const char *)&stats + ROWS[i].offset, sizeof value);
        if (is_counter(&ROWS[i])) {
            raise_to(&metrics->shared->ingest[i], metrics->base[i] + value);
        } else {
            atomic_store_explicit(&metrics->shared->ingest[i], value, memory_order_relaxed);
        }
    }
}

void ingest_metrics_print(const struct metrics *shared, struct buf *out)
{
    for (int i = 0; i < N_ROWS; i++) {
        if (ROWS[i].help) {
            metrics_print_head(out, ROWS[i].name, ROWS[i].type, ROWS[i].help);
        }
        buf_printf(out, "%s%s %llu\n", ROWS[i].name, ROWS[i].labels,
                   (unsigned long long)atomic_load(&shared->ingest[i]));
    }
}

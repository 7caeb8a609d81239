/* Counters in shared memory and their Prometheus text. Counting is a relaxed atomic addition:
 * no request waits for another one's metrics. Called by dispatch, supervisor and health. */
#include "serve/metrics.h"

#include "base/clock.h"
#include "gen/version.h"
#include "http/transport.h"
#include "serve/ingest_metrics.h"
#include "serve/route.h"

#include <sys/mman.h>

/* Seconds; the first ones tell single events apart, the last ones slow pages. */
static const double BUCKETS[METRICS_N_BUCKETS] = { 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                   0.05,   0.1,   0.25,   0.5,   1,    5 };

struct metrics *metrics_new(void)
{
    struct metrics *metrics =
        mmap(NULL, sizeof *metrics, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (metrics == MAP_FAILED) {
        return NULL;
    }
    metrics->started_us = clock_now_us();
    return metrics;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

void metrics_count(struct metrics *metrics, int route, int status, int64_t took_us)
{
    bool is_known = route >= 0 && route < METRICS_MAX_ROUTES;
    struct route_counters *counters = &metrics->routes[is_known ? route : METRICS_MAX_ROUTES];
    int bucket = 0;

    while (bucket < METRICS_N_BUCKETS && (double)took_us > BUCKETS[bucket] * 1e6) {
        bucket++;
    }
    add(&counters->by_class[status >= 100 && status < 600 ? status / 100 : 0], 1);
    add(&counters->by_latency[bucket], 1);
    add(&counters->total_us, (uint64_t)(took_us > 0 ? took_us : 0));
}

/* ---- printing ---- */

void metrics_print_head(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* `method="GET",route="/v1/devices"`; the patterns of routes need no escaping. */
static void print_labels(struct buf *out, int route)
{
    if (route == METRICS_MAX_ROUTES) {
        buf_add_text(out, "method=\"\",route=\"\"");
        return;
    }
    buf_add_text(out, "method=\"");
    buf_add_text(out, route_allow_list(out->arena, ROUTES[route].methods));
    buf_printf(out, "\",route=\"%s\"", ROUTES[route].path);
}

static bool is_listed(int route)
{
    return route < N_ROUTES || route == METRICS_MAX_ROUTES;
}

static void print_requests(const struct metrics *metrics, struct buf *out)
{
    metrics_print_head(out, "tidemark_http_requests_total", "counter",
                       "Requests answered, by route and class of status.");
    for (int i = 0; i <= METRICS_MAX_ROUTES; i++) {
        for (int class = 1; is_listed(i) && class < 6; class ++) {
            uint64_t n = get(&metrics->routes[i].by_class[class]);
            if (n > 0) {
                buf_add_text(out, "tidemark_http_requests_total{");
                print_labels(out, i);
                buf_printf(out, ",status=\"%dxx\"} %llu\n", class, (unsigned long long)n);
            }
        }
    }
}

static void print_histogram(const struct route_counters *counters, int route, struct buf *out)
{
    uint64_t total = 0;

    for (int b = 0; b <= METRICS_N_BUCKETS; b++) {
        total += get(&counters->by_latency[b]);
    }
    if (total == 0) {
        return;
    }
    total = 0;
    for (int b = 0; b <= METRICS_N_BUCKETS; b++) {
        total += get(&counters->by_latency[b]);
        buf_add_text(out, "tidemark_http_request_seconds_bucket{");
        print_labels(out, route);
        if (b < METRICS_N_BUCKETS) {
            buf_printf(out, ",le=\"%g\"} %llu\n", BUCKETS[b], (unsigned long long)total);
        } else {
            buf_printf(out, ",le=\"+Inf\"} %llu\n", (unsigned long long)total);
        }
    }
    buf_add_text(out, "tidemark_http_request_seconds_sum{");
    print_labels(out, route);
    buf_printf(out, "} %.6f\n", (double)get(&counters->total_us) / 1e6);
    buf_add_text(out, "tidemark_http_request_seconds_count{");
    print_labels(out, route);
    buf_printf(out, "} %llu\n", (unsigned long long)total);
}

static void print_latency(const struct metrics *metrics, struct buf *out)
{
    metrics_print_head(out, "tidemark_http_request_seconds", "histogram",
                       "Time from the arrival of a request to its answer, by route.");
    for (int i = 0; i <= METRICS_MAX_ROUTES; i++) {
        if (is_listed(i)) {
            print_histogram(&metrics->routes[i], i, out);
        }
    }
}

static void print_processes(const struct metrics *metrics, struct buf *out)
{
    metrics_print_head(out, "tidemark_process_up", "gauge", "1 while the process runs.");
    for (int i = 0; i < metrics->n_processes; i++) {
        bool is_up = atomic_load(&metrics->processes[i].pid) != 0;
        buf_printf(out, "tidemark_process_up{process=\"%s\",slot=\"%d\"} %d\n",
                   metrics->process_names[i], i, is_up);
    }
    metrics_print_head(out, "tidemark_process_starts_total", "counter",
                       "How often the process was started; more than 1: it died.");
    for (int i = 0; i < metrics->n_processes; i++) {
        buf_printf(out, "tidemark_process_starts_total{process=\"%s\",slot=\"%d\"} %llu\n",
                   metrics->process_names[i], i,
                   (unsigned long long)get(&metrics->processes[i].starts));
    }
}

void metrics_print(const struct metrics *metrics, struct buf *out)
{
    metrics_print_head(out, "tidemark_build_info", "gauge", "The running version.");
    buf_printf(out, "tidemark_build_info{version=\"%s\",commit=\"%s\"} 1\n", TIDEMARK_VERSION,
               TIDEMARK_COMMIT);
    metrics_print_head(out, "tidemark_start_time_seconds", "gauge",
                       "When this server was started.");
    buf_printf(out, "tidemark_start_time_seconds %.3f\n", (double)metrics->started_us / 1e6);
    print_processes(metrics, out);
    print_requests(metrics, out);
    print_latency(metrics, out);
    ingest_metrics_print(metrics, out);
}

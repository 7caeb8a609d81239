/* Folds the points of a series into fewer pieces of time. Pure arithmetic. */
#include "domain/trace.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>

static void add(struct trace_point *to, const struct trace_point *point)
{
    if (to->count == 0) {
        int64_t time_us = to->time_us;
        *to = *point;
        to->time_us = time_us;
        return;
    }
    to->count += point->count;
    to->sum += point->sum;
    to->rise += point->rise;
    if (point->least < to->least) {
        to->least = point->least;
        to->least_us = point->least_us;
    }
    if (point->most > to->most) {
        to->most = point->most;
        to->most_us = point->most_us;
    }
    to->last = point->last;
    to->last_us = point->last_us;
}

void trace_fold(const struct trace *trace, const int64_t *edges, int n, struct trace_point *out)
{
    int at = 0;
    for (int i = 0; i < n; i++) {
        out[i] = (struct trace_point){ .time_us = edges[i] };
    }
    for (int i = 0; i < trace->n; i++) {
        const struct trace_point *point = &trace->points[i];
        while (at < n && point->time_us >= edges[at + 1]) {
            at++;
        }
        if (at < n && point->time_us >= edges[at]) {
            add(&out[at], point);
        }
    }
}

struct trace_point trace_total(const struct trace *trace)
{
    struct trace_point total = { 0 };
    for (int i = 0; i < trace->n; i++) {
        if (i == 0) {
            total.time_us = trace->points[0].time_us;
        }
        add(&total, &trace->points[i]);
    }
    return total;
}

double trace_mean(const struct trace_point *point)
{
    return point->count == 0 ? NAN : point->sum / (double)point->count;
}

#define MOST_INTERVALS 999   /* looked at for what is usual */

static int by_length(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

int64_t trace_patience(struct arena *arena, const struct trace *trace, int64_t least_us)
{
    int step = trace->n / MOST_INTERVALS + 1;
    int64_t *intervals = arena_array(arena, MOST_INTERVALS + 1, sizeof *intervals);
    int n = 0;
    if (intervals == NULL) {
        return least_us;
    }
    for (int i = 1; i < trace->n && n < MOST_INTERVALS; i += step) {
        intervals[n++] = trace->points[i].time_us - trace->points[i - 1].time_us;
    }
    if (n == 0) {
        return least_us;
    }
    qsort(intervals, (size_t)n, sizeof *intervals, by_length);
    int64_t usual_us = intervals[n / 2] * 5 / 2;
    return usual_us > least_us ? usual_us : least_us;
}

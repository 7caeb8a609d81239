/* domain/trace_fold: what is folded is neither lost nor doubled, and extremes keep their time. */
#include "base/clock.h"
#include "domain/trace.h"

#include "tap.h"

#include <math.h>

#define M US_PER_MINUTE

static struct trace_point sample(int64_t time_us, double value, double rise)
{
    return (struct trace_point){
        .time_us = time_us, .count = 1, .sum = value, .least = value, .most = value,
        .least_us = time_us, .most_us = time_us, .first = value, .last = value, .last_us = time_us,
        .rise = rise,
    };
}

static void check_fold(void)
{
    struct trace_point points[] = {
        sample(-1, 100, 0), sample(0, 4, 0), sample(1, 9, 5), sample(2, 1, 0), sample(20, 7, 6),
        sample(29, 7, 0), sample(30, 50, 43),
    };
    struct trace trace = { points, 7 };
    const int64_t edges[] = { 0, 10, 20, 30 };
    struct trace_point out[3];
    trace_fold(&trace, edges, 3, out);
    ok(out[0].count == 3 && out[0].sum == 14 && out[0].rise == 5, "what lies between two edges is summed");
    ok(out[0].least == 1 && out[0].least_us == 2 && out[0].most == 9 && out[0].most_us == 1,
       "the extremes say when they were");
    ok(out[0].first == 4 && out[0].last == 1 && out[0].last_us == 2, "first and last are by time");
    ok(out[0].time_us == 0 && out[2].time_us == 20, "a piece begins at its edge");
    is_int(out[1].count, 0, "where nothing is, nothing is known");
    is_int(out[2].count, 2, "an edge belongs to what it begins, and outside is outside");

    struct trace inside = { points + 1, 5 };
    struct trace_point total = trace_total(&inside);
    ok(total.count == 5 && total.sum == 28 && total.most == 9, "all of it is the sum of its pieces");
    ok(fabs(trace_mean(&total) - 5.6) < 1e-12, "the mean is that of the samples");
    struct trace none = { NULL, 0 };
    total = trace_total(&none);
    ok(total.count == 0 && isnan(trace_mean(&total)), "of nothing there is no mean");
}

static void check_patience(struct arena *arena)
{
    struct trace_point points[5000];
    for (int i = 0; i < 5000; i++) {
        points[i] = sample(10 * M * i + (i > 2000 ? 600 * M : 0), 0, 0);
    }
    struct trace trace = { points, 5000 };
    is_int(trace_patience(arena, &trace, M), 25 * M, "two and a half times what is usual, gaps or not");
    is_int(trace_patience(arena, &trace, 60 * M), 60 * M, "and never less than the least");
    trace.n = 1;
    is_int(trace_patience(arena, &trace, 3 * M), 3 * M, "of one point nothing is usual");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 20);
    check_fold();
    check_patience(arena);
    arena_free(arena);
    return done_testing();
}

/* view/thin: of every column the first, the last, the least and the greatest value stay, in their
 * order, and gaps that can be seen. The first cases by hand, then against a plain recount. */
#include "view/thin.h"

#include "tap.h"

#include <math.h>

#define N_MANY 20000
#define COLUMNS 400

static void check_by_hand(void)
{
    /* Two columns: [0, 50) and [50, 100]. */
    const struct chart_point points[] = {
        { 0, 5 }, { 10, 9 }, { 20, 6 }, { 30, 1 }, { 40, 4 },
        { 50, 7 }, { 60, NAN }, { 70, 7 }, { 100, 8 },
    };
    const double expected[] = { 5, 9, 1, 4, 7, 8 };
    struct chart_point out[2 * THIN_PER_COLUMN];
    int n = thin_line(points, 9, 2, out);
    is_int(n, 6, "two columns: what is neither first, last nor extreme goes");
    bool is_same = n == 6;
    for (int i = 0; i < n && i < 6; i++) {
        is_same = is_same && out[i].value == expected[i];
    }
    ok(is_same, "in their order, each once; a gap within a column is not seen");

    const struct chart_point parted[] = { { 10, 1 }, { 30, NAN }, { 40, NAN }, { 60, 2 }, { 90, NAN } };
    n = thin_line(parted, 5, 2, out);
    ok(n == 3 && out[0].value == 1 && isnan(out[1].value) && out[2].value == 2,
       "a gap between columns stays, one at the end says nothing");
    is_int(thin_line(parted, 0, 2, out), 0, "nothing stays nothing");
    const struct chart_point unknown[] = { { 1, NAN }, { 2, NAN } };
    is_int(thin_line(unknown, 2, 2, out), 0, "so does what is not known");
    const struct chart_point one[] = { { 100, 3 } };
    ok(thin_line(one, 1, 2, out) == 1 && out[0].at == 100, "one value at the very end stays");
}

/* The extremes, first and last of each column of the points, recounted. */
static bool has_same_extremes(const struct chart_point *points, int n, const struct chart_point *out,
                              int n_out)
{
    for (int c = 0; c < COLUMNS; c++) {
        double facts[2][4] = { { NAN, NAN, NAN, NAN }, { NAN, NAN, NAN, NAN } };
        for (int side = 0; side < 2; side++) {
            const struct chart_point *list = side == 0 ? points : out;
            for (int i = 0; i < (side == 0 ? n : n_out); i++) {
                if (isnan(list[i].value) || (int)(list[i].at * COLUMNS / 100) != c) {
                    continue;
                }
                facts[side][0] = isnan(facts[side][0]) ? list[i].value : facts[side][0];
                facts[side][1] = list[i].value;
                facts[side][2] = fmin(facts[side][2], list[i].value);
                facts[side][3] = fmax(facts[side][3], list[i].value);
            }
        }
        if (memcmp(facts[0], facts[1], sizeof facts[0]) != 0) {
            diag("column %d differs", c);
            return false;
        }
    }
    return true;
}

static void check_many(struct arena *arena)
{
    struct chart_point *points = arena_array(arena, N_MANY, sizeof *points);
    struct chart_point *out = arena_array(arena, COLUMNS * THIN_PER_COLUMN, sizeof *out);
    uint32_t seed = 12345;
    for (int i = 0; i < N_MANY; i++) {
        seed = seed * 1664525 + 1013904223;
        points[i].at = 99.99 * i / N_MANY;
        points[i].value = seed % 97 == 0 ? NAN : (double)(seed >> 12);
    }
    /* An hour without readings, and a spike of one reading. */
    for (int i = 7000; i < 7800; i++) {
        points[i].value = NAN;
    }
    points[15001].value = 1e9;
    int n = thin_line(points, N_MANY, COLUMNS, out);
    ok(n <= COLUMNS * THIN_PER_COLUMN, "twenty thousand points become at most five a column: %d", n);
    ok(has_same_extremes(points, N_MANY, out, n),
       "every column keeps its first, last, least and greatest value");
    int n_gaps = 0;
    bool has_spike = false, is_ascending = true;
    for (int i = 0; i < n; i++) {
        n_gaps += isnan(out[i].value);
        has_spike = has_spike || out[i].value == 1e9;
        is_ascending = is_ascending && (i == 0 || out[i].at > out[i - 1].at);
    }
    ok(n_gaps >= 1, "what is missing for columns stays missing");
    ok(has_spike, "the spike of one reading is there");
    ok(is_ascending, "in the order of time");
}

int main(void)
{
    struct arena *arena = arena_new(1 << 24);
    check_by_hand();
    check_many(arena);
    arena_free(arena);
    return done_testing();
}

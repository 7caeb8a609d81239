/* Every zone of the installed time zone database over ten years: energy and costs that are rated in
 * its days and folded into quarter hours, hours, days and months are the same in each, nothing lost
 * or twice. Offsets are those that the C library reads of the database's files, local dates are
 * worked out from them here, and each bucket is held to the sum of its quarter hours. */
#include "domain/cost_bucket.h"
#include "domain/span.h"
#include "domain/tariff_read.h"

#include "tap.h"

#include <ftw.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define FOLDER "/usr/share/zoneinfo/"
#define FROM_YEAR 2016
#define TO_YEAR 2026
#define STEP_S (4 * 86400)  /* no clock is set twice in so short a time */
#define MAX_CHANGES 64      /* of a zone in ten years; Morocco has 21 */
#define MAX_NAMES 2000
#define MAX_KINDS 600
#define MAX_SPANS 4000
#define MAX_QUARTERS (370 * 96)

static struct arena *arena;
static struct op op;

/* ---- zones ---- */

static char *names[MAX_NAMES];
static int n_names;

static int add_name(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    char magic[4] = "";
    FILE *file = type == FTW_F || type == FTW_SL ? fopen(path, "r") : NULL;
    bool is_zone = file && fread(magic, 1, sizeof magic, file) == sizeof magic &&
                   memcmp(magic, "TZif", sizeof magic) == 0;
    (void)about;
    (void)walk;
    if (file) {
        fclose(file);
    }
    const char *name = path + sizeof FOLDER - 1;
    bool is_copy = strncmp(name, "posix/", 6) == 0 || strncmp(name, "right/", 6) == 0;
    if (is_zone && !is_copy && n_names < MAX_NAMES) {
        names[n_names++] = strdup(name);
    }
    return 0;
}

static int32_t offset_of(time_t at)
{
    struct tm local;
    return localtime_r(&at, &local) ? (int32_t)local.tm_gmtoff : INT32_MAX;
}

/* What the C library's clock shows over the years, a day more on each side. */
struct kind {
    struct zone_offset offsets[MAX_CHANGES];
    int n;
    int n_zones;
};
static struct kind kinds[MAX_KINDS];
static int n_kinds;

static time_t year_start(int year)
{
    const struct clock_fields at = { .year = year, .month = 1, .day = 1 };
    return (time_t)(clock_join(&at) / US_PER_SECOND);
}

/* To the second, of a change that lies in (from, to]. */
static time_t change_in(time_t from, time_t to, int32_t before)
{
    while (to - from > 1) {
        time_t middle = from + (to - from) / 2;
        *(offset_of(middle) == before ? &from : &to) = middle;
    }
    return to;
}

static void read_kind(const char *name, struct kind *out)
{
    time_t from = year_start(FROM_YEAR) - 2 * 86400, to = year_start(TO_YEAR) + 2 * 86400;
    memset(out, 0, sizeof *out);
    setenv("TZ", name, 1);
    tzset();
    int32_t offset = offset_of(from);
    out->offsets[out->n++] = (struct zone_offset){ from * US_PER_SECOND, offset };
    for (time_t at = from; at < to; at += STEP_S) {
        int32_t next = offset_of(at + STEP_S);
        if (next != offset && out->n < MAX_CHANGES) {
            out->offsets[out->n++] =
                (struct zone_offset){ change_in(at, at + STEP_S, offset) * US_PER_SECOND, next };
            offset = next;
        }
    }
    out->n_zones = 1;
}

static bool is_same(const struct zone_offset *a, int n_a, const struct zone_offset *b, int n_b)
{
    bool same = n_a == n_b;
    for (int i = 0; same && i < n_a; i++) {
        same = a[i].from_us == b[i].from_us && a[i].offset_s == b[i].offset_s;
    }
    return same;
}

static void read_zones(void)
{
    nftw(FOLDER, add_name, 16, FTW_PHYS);
    for (int i = 0; i < n_names && n_kinds < MAX_KINDS; i++) {
        struct kind *kind = &kinds[n_kinds];
        read_kind(names[i], kind);
        int at = 0;
        while (!is_same(kinds[at].offsets, kinds[at].n, kind->offsets, kind->n)) {
            at++;
        }
        if (at == n_kinds) {
            n_kinds++;
        } else {
            kinds[at].n_zones++;
        }
    }
}

/* ---- what is known of a year ---- */

/* Sums of all quarter hours before one: what a bucket is held to. */
__extension__ typedef __int128 wide;
static wide energy_before[MAX_QUARTERS + 1], cost_before[MAX_QUARTERS + 1];
static int64_t local_day[MAX_QUARTERS]; /* that the clock shows when it begins */
static struct rating_interval intervals[MAX_QUARTERS];
static uint8_t known[MAX_QUARTERS];
static int n_quarters;
static int n_wrong;
static long n_checked;

static void wrong(const char *zone, const char *what, int64_t at_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (n_wrong++ < 20) {
        diag("%s: %s at %s", zone, what, clock_format(at_us, text));
    }
}

/* No two alike, so that none can stand for another. */
static int64_t energy_of(int i)
{
    uint64_t mixed = (uint64_t)(i + 1) * 0x9e3779b97f4a7c15u;
    return (int64_t)(mixed >> 34);
}

/* The first quarter hour whose local date is in the year, and those up to the next year's. */
static void set_year(const struct zone *zone, int year, int64_t *from_day, int64_t *to_day)
{
    *from_day = year_start(year) / 86400;
    *to_day = year_start(year + 1) / 86400;
    int64_t at_us = *from_day * US_PER_DAY - 26 * US_PER_HOUR;
    int z = 0;
    n_quarters = 0;
    for (;; at_us += COST_QUARTER_US) {
        while (z + 1 < zone->n_offsets && zone->offsets[z + 1].from_us <= at_us) {
            z++;
        }
        int64_t day = (at_us + zone->offsets[z].offset_s * US_PER_SECOND) / US_PER_DAY;
        if (day >= *to_day) {
            break;
        }
        if (day >= *from_day) {
            int i = n_quarters++;
            int64_t nkwh = energy_of(i);
            local_day[i] = day;
            intervals[i] = (struct rating_interval){ .start_us = at_us, .import_nkwh = nkwh };
            energy_before[i + 1] = energy_before[i] + nkwh;
        }
    }
}

/* ---- what is made of it ---- */

static const struct tariff_plan *plan;
static struct rating_version version;

static void rate(const struct zone *zone, int64_t from_day, int64_t to_day,
                 struct cost_account *account)
{
    memset(account, 0, sizeof *account);
    account->zone = *zone;
    account->ledger_day = INT64_MIN;
    account->rates = (struct cost_rates){ .versions = &version, .n = 1 };
    account->energy = (struct cost_energy){ .start_us = intervals[0].start_us, .known = known };
    account->energy.n = (size_t)n_quarters;
    account->input = (struct rating_input){
        .versions = &version, .n_versions = 1, .zone = &account->zone, .intervals = intervals,
        .n_intervals = (size_t)n_quarters, .from_day = from_day, .to_day = to_day,
        .as_of_us = INT64_MAX, .known_until_us = INT64_MAX, .has_slots = true,
    };
    if (rating_run(&op, &account->input, &account->rating) != OK) {
        diag("%s: %s", zone->name, op.fault.detail);
        abort();
    }
}

static int index_of(int64_t time_us)
{
    int64_t i = (time_us - intervals[0].start_us) / COST_QUARTER_US;
    return i < 0 ? 0 : i > n_quarters ? n_quarters : (int)i;
}

/* Folds into buckets of a kind: they follow one another over all quarter hours, and each has what
 * those in it have. */
static void check_grain(struct cost_account *account, enum sample_bucket grain)
{
    const char *zone = account->zone.name;
    int64_t from_us = intervals[0].start_us;
    int64_t to_us = intervals[n_quarters - 1].start_us + COST_QUARTER_US;
    /* an hour of UTC may begin before the local year */
    int64_t first_us = from_us - (grain == SAMPLE_1H ? from_us % US_PER_HOUR : 0);
    struct cost_accounts accounts = { account, 1 };
    struct cost_buckets out;
    int n;
    const int64_t *edges = span_edges(arena, &account->zone, grain, first_us, to_us, &n);
    struct zone_starts starts = { arena_array(arena, (size_t)n + 1, sizeof *starts.us), n + 1 };
    memcpy(starts.us, edges, (size_t)starts.n * sizeof *edges);
    if (cost_fold(&op, &accounts, &starts, INT64_MAX, &out) != OK) {
        abort();
    }
    if (n == 0 || out.items[0].from_us != first_us || out.items[n - 1].to_us < to_us ||
        (grain != SAMPLE_1H && out.items[n - 1].to_us != to_us)) {
        wrong(zone, "buckets do not cover the year", from_us);
        return;
    }
    for (int b = 0; b < n; b++) {
        const struct cost_bucket *bucket = &out.items[b];
        int from = index_of(bucket->from_us), to = index_of(bucket->to_us);
        if (b > 0 && bucket->from_us != out.items[b - 1].to_us) {
            wrong(zone, "a gap between buckets", bucket->from_us);
        }
        if (grain == SAMPLE_15M) {
            cost_before[b + 1] = cost_before[b] + bucket->cost.atto;
        }
        if (bucket->import.nano != energy_before[to] - energy_before[from]) {
            wrong(zone, sample_bucket_name(grain), bucket->from_us);
        }
        if (bucket->cost.atto != cost_before[to] - cost_before[from] || !bucket->is_final) {
            wrong(zone, "costs", bucket->from_us);
        }
        n_checked++;
    }
}

/* The days that rating and pages have are those that the clock shows. */
static void check_days(const struct cost_account *account)
{
    const struct zone *zone = &account->zone;
    int hint = 0;
    for (int i = 0; i < n_quarters; i++) {
        int64_t at_us = intervals[i].start_us;
        bool is_first = i == 0 || local_day[i] != local_day[i - 1];
        if (span_day_near(zone, at_us, &hint) != local_day[i]) {
            wrong(zone->name, "another day", at_us);
        }
        if (is_first && (span_day_start(zone, local_day[i]) != at_us ||
                         span_day_of(zone, at_us) != local_day[i])) {
            wrong(zone->name, "a day begins elsewhere", at_us);
        }
    }
}

/* Each day's lines have its quarter hours' energy, and its month's fixed charge in parts. */
static void check_lines(const struct cost_account *account)
{
    const struct rating *rating = &account->rating;
    wide total = 0, lines = 0, folded = cost_before[n_quarters];
    int i = 0;
    for (size_t l = 0; l < rating->n_lines; l++) {
        const struct rating_line *line = &rating->lines[l];
        lines += line->amount.atto;
        if (tariff_of(plan)->charges[line->charge].kind != CHARGE_ENERGY) {
            continue;
        }
        int from = i;
        while (i < n_quarters && local_day[i] == line->day) {
            i++;
        }
        total += line->quantity;
        if (line->quantity != (int64_t)(energy_before[i] - energy_before[from])) {
            wrong(account->zone.name, "a day's line", intervals[from].start_us);
        }
    }
    int64_t year = 12 * 5 * NANO; /* twelve months of 5.00; energy is 0.25 a kWh */
    if (total != energy_before[n_quarters] || folded != lines ||
        lines != total * (NANO / 4) + (wide)year * NANO) {
        wrong(account->zone.name, "the year's sum", intervals[0].start_us);
    }
}

/* ---- all of them ---- */

static void check_year(const struct zone *zone, int year)
{
    struct cost_account account;
    int64_t from_day, to_day;
    set_year(zone, year, &from_day, &to_day);
    rate(zone, from_day, to_day, &account);
    check_days(&account);
    check_grain(&account, SAMPLE_15M);
    check_lines(&account);
    check_grain(&account, SAMPLE_1H);
    check_grain(&account, SAMPLE_1D);
    check_grain(&account, SAMPLE_1MO);
}

/* Years in which zones have the same offsets are looked at once; without a change of the clock one
 * of 365 and one of 366 days stand for all. */
struct year_seen {
    int year, n;
    const struct zone_offset *offsets;
};

static bool is_seen(int year, const struct zone_offset *offsets, int n)
{
    static struct year_seen seen[MAX_SPANS];
    static int n_seen;
    for (int i = 0; i < n_seen; i++) {
        if (seen[i].year == year && n == seen[i].n && offsets[0].offset_s == seen[i].offsets[0].offset_s &&
            is_same(offsets + 1, n - 1, seen[i].offsets + 1, n - 1)) {
            return true;
        }
    }
    if (n_seen == MAX_SPANS) {
        abort();
    }
    seen[n_seen++] = (struct year_seen){ year, n, offsets };
    return false;
}

static int check_kind(struct arena *plans, const struct kind *kind)
{
    int n_years = 0;
    for (int year = FROM_YEAR; year < TO_YEAR; year++) {
        int64_t from_us = (year_start(year) - 2 * 86400) * US_PER_SECOND;
        int64_t to_us = (year_start(year + 1) + 2 * 86400) * US_PER_SECOND;
        int first = 0, end = 0;
        while (first + 1 < kind->n && kind->offsets[first + 1].from_us <= from_us) {
            first++;
        }
        while (end < kind->n && kind->offsets[end].from_us < to_us) {
            end++;
        }
        int shape = end - first > 1 ? year : (year_start(year + 1) - year_start(year)) / 86400 > 365;
        if (!is_seen(shape, kind->offsets + first, end - first)) {
            char *name = arena_printf(plans, "kind %d", (int)(kind - kinds));
            const struct zone zone = { name, kind->offsets, kind->n };
            check_year(&zone, year);
            arena_reset(arena);
            n_years++;
        }
    }
    return n_years;
}

int main(void)
{
    static char tariff_text[] =
        "{\"name\":\"x\",\"timezone\":\"UTC\",\"currency\":\"EUR\",\"charges\":["
        "{\"type\":\"energy\",\"rate\":\"0.25\"},{\"type\":\"fixed\",\"amount\":\"5\",\"per\":\"month\"}]}";
    struct arena *plans = arena_new(1 << 24);
    struct problems problems;
    /* what a year takes is taken again for the next, without asking the kernel */
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    arena = arena_new(1 << 28);
    op_init(&op, arena, "zones");
    problems_init(&problems, plans);
    const struct tariff *tariff = tariff_read(plans, str_of(tariff_text), &problems);
    plan = tariff ? tariff_compile(plans, tariff) : NULL;
    if (!plan) {
        diag("the schedule is not read");
        abort();
    }
    version = (struct rating_version){ .plan = plan, .to_day = TARIFF_NEVER };
    memset(known, COST_WHOLE, sizeof known);

    read_zones();
    ok(n_names > 400, "%d zones are installed, of %d kinds", n_names, n_kinds);
    int n_years = 0;
    for (int k = 0; k < n_kinds; k++) {
        n_years += check_kind(plans, &kinds[k]);
    }
    is_int(n_wrong, 0, "%d years of them, %ld quarter hours, hours, days and months: none lost or twice", n_years,
           n_checked);
    arena_free(arena);
    arena_free(plans);
    return done_testing();
}

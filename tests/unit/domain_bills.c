/* Bills with known answers: tests/bills/NAME.json, each a rate schedule, how much was used, and the bill's
 * lines with their arithmetic, worked out by hand. tests/unit/bills.t checks the same files with other
 * arithmetic. Use is told by local time: {"kw": "1.5", "from": DATE, "to": DATE, "between": ["16:00","21:00"]},
 * without a date or a time always; export_kw is what is fed in. Where it has a member "new_version", that follows
 * the first as a version of the same schedule; "then" is another schedule, which follows them. */
#include "domain/bill.h"
#include "domain/document.h"
#include "domain/span.h"
#include "domain/tariff_read.h"

#include "tap.h"

#include <dirent.h>
#include <stdlib.h>

#define FOLDER "tests/bills"
#define QUARTER_US (15 * US_PER_MINUTE)
#define HOUR 3600

static struct arena *arena;
static int n_bills;

/* ---- zones: offsets of the IANA database ---- */

static struct zone_offset offsets[8];

static void set_offset(int i, const char *from, int32_t offset_s)
{
    offsets[i].offset_s = offset_s;
    if (!clock_parse_rfc3339(str_of(from), &offsets[i].from_us)) {
        abort();
    }
}

static const struct {
    const char *name;
    int32_t winter_s, summer_s;
    const char *changes[2]; /* of 2024, by which the second and then the first holds */
} ZONES[] = {
    { "Europe/Berlin", HOUR, 2 * HOUR, { "2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z" } },
    { "Europe/London", 0, HOUR, { "2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z" } },
    { "America/Los_Angeles",
      -8 * HOUR,
      -7 * HOUR,
      { "2024-03-10T10:00:00Z", "2024-11-03T09:00:00Z" } },
    { "Australia/Lord_Howe",
      11 * HOUR,
      21 * HOUR / 2,
      { "2024-04-06T15:00:00Z", "2024-10-05T15:30:00Z" } },
    { "Asia/Kolkata", 11 * HOUR / 2, 0, { NULL } },
    { "Asia/Kathmandu", 23 * HOUR / 4, 0, { NULL } },
    { "Asia/Tokyo", 9 * HOUR, 0, { NULL } },
    { "Asia/Bahrain", 3 * HOUR, 0, { NULL } },
};

static struct zone zone_named(const char *name)
{
    for (size_t i = 0; i < sizeof ZONES / sizeof *ZONES; i++) {
        if (strcmp(ZONES[i].name, name) == 0) {
            set_offset(0, "2000-01-01T00:00:00Z", ZONES[i].winter_s);
            if (ZONES[i].changes[0]) {
                set_offset(1, ZONES[i].changes[0], ZONES[i].summer_s);
                set_offset(2, ZONES[i].changes[1], ZONES[i].winter_s);
            }
            return (struct zone){ name, offsets, ZONES[i].changes[0] ? 3 : 1 };
        }
    }
    diag("no zone %s", name);
    abort();
}

/* ---- files ---- */

static struct str read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    char *text = arena_alloc(arena, 1 << 20);
    size_t len = file && text ? fread(text, 1, 1 << 20, file) : 0;
    if (!file || len == 0) {
        diag("%s cannot be read", path);
        abort();
    }
    fclose(file);
    return (struct str){ text, len };
}

static struct str text_of(struct doc_node *object, const char *name)
{
    struct doc_node *node = doc_member(object, name);
    return node ? node->text : STR("");
}

static int64_t day_of(struct doc_node *object, const char *name, int64_t other)
{
    int64_t out = other;
    struct str text = text_of(object, name);
    if (text.len > 0 && !span_day_parse(text, &out)) {
        diag("no date: %.*s", (int)text.len, text.ptr);
        abort();
    }
    return out;
}

/* The bytes of the file's member of that name. */
static struct str tariff_text(struct str file, struct str name)
{
    struct json_reader reader;
    struct str key, text = { NULL, 0 };
    json_reader_init(&reader, file, arena, 32);
    json_enter_object(&reader);
    while (json_next_member(&reader, &key)) {
        json_skip(&reader, str_equal(key, name) ? &text : NULL);
    }
    return text;
}

/* ---- use ---- */

/* "16:30" */
static int minute_of(const struct doc_node *node)
{
    const char *at = node->text.ptr;
    return ((at[0] - '0') * 10 + at[1] - '0') * 60 + (at[3] - '0') * 10 + at[4] - '0';
}

static bool is_within(struct doc_node *use, int64_t day, int minute)
{
    struct doc_node *between = doc_member(use, "between");
    if (day < day_of(use, "from", INT64_MIN) || day >= day_of(use, "to", INT64_MAX)) {
        return false;
    }
    return !between ||
           (minute >= minute_of(between->first) && minute < minute_of(between->first->next));
}

static int64_t nkwh_of(struct doc_node *use, const char *name)
{
    int64_t nkw = 0;
    struct str text = text_of(use, name);
    if (text.len > 0 && (!decimal_parse(text, 9, &nkw) || nkw % 4 != 0)) {
        diag("%s", "use is in nano-kW that can be cut into quarter hours");
        abort();
    }
    return nkw / 4;
}

static void fill(struct doc_node *bill, struct rating_input *input)
{
    int64_t from_us = span_day_start(input->zone, input->from_day);
    size_t n = (size_t)((span_day_start(input->zone, input->to_day) - from_us) / QUARTER_US);
    struct rating_interval *intervals = arena_array(arena, n, sizeof *intervals);
    for (size_t i = 0; i < n; i++) {
        int64_t start_us = from_us + (int64_t)i * QUARTER_US;
        int64_t local_us = start_us + zone_offset_at(input->zone, start_us) * US_PER_SECOND;
        int minute = (int)(local_us % US_PER_DAY / US_PER_MINUTE);
        intervals[i].start_us = start_us;
        for (struct doc_node *use = doc_member(bill, "use")->first; use; use = use->next) {
            if (is_within(use, local_us / US_PER_DAY, minute)) {
                intervals[i].import_nkwh += nkwh_of(use, "kw");
                intervals[i].export_nkwh += nkwh_of(use, "export_kw");
            }
        }
    }
    input->intervals = intervals;
    input->n_intervals = n;
}

/* ---- comparing ---- */

static const char *line_text(const struct bill *bill, const struct bill_line *line)
{
    char quantity[MONEY_TEXT_SIZE], rate[MONEY_TEXT_SIZE], amount[MONEY_TEXT_SIZE];
    const char *text = arena_printf(
        arena, "%s|%s|%d|%s|%s|%s|%s", line->charge->code, line->period ? line->period : "",
        line->tier, quantity_format(line->quantity, 0, quantity), BILL_UNIT_NAMES[line->unit],
        decimal_format(line->rate, 9, 0, rate), money_format(line->amount, bill->decimals, amount));
    return text;
}

static const char *expected_text(struct doc_node *line)
{
    static const char *const members[] = { "charge", "period", "tier",  "quantity",
                                           "unit",   "rate",   "amount" };
    struct buf text;
    buf_init(&text, arena, 1 << 12);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        buf_add_text(&text, i > 0 ? "|" : "");
        buf_add_str(&text, text_of(line, members[i]));
    }
    buf_add_char(&text, 0);
    return text.data;
}

/* A file's tariff, and those that follow it. */
struct tariffs {
    struct rating_version versions[3];
    int n;
    struct zone zone;
};

static void check_bill(const struct tariffs *tariffs, struct doc_node *expected)
{
    int64_t from_day = day_of(expected, "from", 0), to_day = day_of(expected, "to", 0);
    struct rating_input input = {
        .versions = tariffs->versions,
        .n_versions = tariffs->n,
        .zone = &tariffs->zone,
        .from_day = day_of(expected, "rated_from", from_day),
        .to_day = day_of(expected, "rated_to", to_day),
        .as_of_us = INT64_MAX,
        .known_until_us = INT64_MAX,
    };
    struct str name = text_of(expected, "name");
    struct rating rating;
    struct bill bill = { .n_lines = 0 };
    struct op op;
    char total[MONEY_TEXT_SIZE];

    op_init(&op, arena, "test");
    fill(expected, &input);
    if (rating_run(&op, &input, &rating) != OK ||
        bill_make(&op, &rating, from_day, to_day, &bill) != OK) {
        ok(false, "%.*s: %s", (int)name.len, name.ptr, op.fault.detail);
        return;
    }
    size_t i = 0;
    for (struct doc_node *line = doc_member(expected, "lines")->first; line;
         line = line->next, i++) {
        is_str(i < bill.n_lines ? line_text(&bill, &bill.lines[i]) : "nothing", expected_text(line),
               "%.*s: line %zu", (int)name.len, name.ptr, i + 1);
    }
    is_int((int64_t)bill.n_lines, (int64_t)i, "and no other");
    is_view(text_of(expected, "total"), money_format(bill.total, bill.decimals, total),
            "the total");
    ok(bill.status == BILL_FINAL, "it is final");
    n_bills++;
}

/* Nothing where there is no text. */
static bool add_tariff(struct tariffs *tariffs, struct str text, int64_t schedule_id)
{
    struct problems problems;
    if (!text.ptr) {
        return true;
    }
    problems_init(&problems, arena);
    const struct tariff *tariff = tariff_read(arena, text, &problems);
    if (!tariff) {
        diag("%s %s", problems.items[0].field, problems.items[0].detail);
        return false;
    }
    tariffs->zone = zone_named(tariff->timezone);
    tariffs->versions[tariffs->n++] = (struct rating_version){ .schedule_id = schedule_id,
                                                               .plan = tariff_compile(arena, tariff),
                                                               .from_day = tariff->from_day,
                                                               .to_day = tariff->to_day };
    return true;
}

static void check_file(const char *path)
{
    struct str text = read_file(path);
    struct tariffs tariffs = { .n = 0 };
    struct problems problems;
    struct doc doc;
    problems_init(&problems, arena);
    if (!ok(add_tariff(&tariffs, tariff_text(text, STR("tariff")), 1) &&
                add_tariff(&tariffs, tariff_text(text, STR("new_version")), 1) &&
                add_tariff(&tariffs, tariff_text(text, STR("then")), 2) && tariffs.n > 0 &&
                doc_parse(&doc, text, arena, &problems),
            "%s is read", path)) {
        return;
    }
    for (struct doc_node *bill = doc_member(doc.root, "bills")->first; bill; bill = bill->next) {
        check_bill(&tariffs, bill);
    }
}

int main(void)
{
    struct dirent **entries;
    int n = scandir(FOLDER, &entries, NULL, alphasort), n_kinds = 0;
    arena = arena_new(64 << 20);
    for (int i = 0; i < n; i++) {
        if (strstr(entries[i]->d_name, ".json")) {
            check_file(arena_printf(arena, FOLDER "/%s", entries[i]->d_name));
            arena_reset(arena);
            n_kinds++;
        }
        free(entries[i]);
    }
    if (n >= 0) {
        free(entries);
    }
    ok(n_kinds >= 12 && n_bills >= 40, "%d bills over %d kinds of tariff", n_bills, n_kinds);
    arena_free(arena);
    return done_testing();
}

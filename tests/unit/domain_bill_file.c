/* domain/bill_file: Green Button files. The documents follow NAESB REQ.21's schema as the published
 * samples of utilities have it (an Atom feed; links from blocks by meter readings to their types; a
 * summary of 67.52 USD for 625.716 kWh in February 2014); numbers by hand. */
#include "base/buf.h"
#include "base/clock.h"
#include "domain/bill_compare.h"

#include "tap.h"

#define KWH NANO

static struct arena *arena;

/* One of the seeds of fuzzing. */
static struct str seed(const char *name)
{
    char path[256];
    static char text[1 << 16];

    snprintf(path, sizeof path, "tests/fuzz/corpus/bill_file/%s", name);
    FILE *file = fopen(path, "r");
    size_t n = file ? fread(text, 1, sizeof text, file) : 0;
    if (file) {
        fclose(file);
    }
    return (struct str){ text, n };
}

static enum err read_text(struct str text, struct bill_file *out, struct op *op)
{
    arena_reset(arena);
    op_init(op, arena, "test");
    return bill_file_read(op, text, out);
}

#define DETAIL(text) "<costAdditionalDetailLastPeriod>" text "</costAdditionalDetailLastPeriod>"

/* Lines of a bill: their note or kind, those without an amount left out, others' not taken. */
static void check_details(void)
{
    static const char feed[] =
        "<feed>" DETAIL("<amount>1</amount>")
        "<entry><content><UsageSummary><billingPeriod><duration>86400</duration>"
        "<start>1391230800</start></billingPeriod>"
        DETAIL("<amount>123456</amount><note>12</note><itemKind>2</itemKind>")
        DETAIL("<note>nothing</note>")
        DETAIL("<itemKind>6</itemKind><amount>-5</amount><measurement><value>7</value></measurement>")
        DETAIL("<amount>9223372036854775807</amount>")
        DETAIL("<amount>0</amount><itemKind>99</itemKind><note>a &lt; b</note>")
        "</UsageSummary></content></entry></feed>";
    struct bill_file file;
    struct op op;

    if (!is_int(read_text(STR(feed), &file, &op), OK, "a bill's lines are read") ||
        !is_int(file.summaries[0].n_details, 3, "those that have an amount")) {
        return;
    }
    const struct bill_detail *details = file.summaries[0].details;
    is_str(details[0].name, "12", "a note goes before the kind");
    is_int(details[0].amount, 1234560000, "123456 hundred-thousandths are 1.23456");
    is_str(details[1].name, "Generation credit", "which is told where there is no note");
    is_int(details[1].amount, -50000, "a credit");
    is_str(details[2].name, "a < b", "as it is meant");
}

static void check_feed(void)
{
    struct bill_file file;
    struct op op;

    if (!is_int(read_text(seed("hours.xml"), &file, &op), OK, "a feed is read")) {
        return;
    }
    is_int(file.n_readings, 3, "three intervals");
    const struct bill_reading *first = &file.readings[0], *export = &file.readings[2];
    is_int(first->start_us / US_PER_SECOND, 1720065600, "in the order of time");
    is_int(first->duration_s, 3600, "of an hour");
    is_int(first->nkwh, KWH, "1000 × 10^0 Wh are 1 kWh");
    is_int(first->cost, 453770000, "45377 hundred-thousandths are 0.45377");
    is_int(file.readings[1].cost, 588730000, "58873 are 0.58873");
    ok(!first->is_export && export->is_export, "flow 19 is to the grid");
    is_int(export->nkwh, 250500000, "250500 × 10^-3 Wh are 0.2505 kWh");
    ok(!export->has_cost, "without a cost");
    is_str(file.currency, "USD", "840 is USD");
    is_int(file.n_summaries, 1, "a summary");
    is_int(file.summaries[0].bill, INT64_C(67520000000), "6752000 are 67.52");
    is_int(file.summaries[0].nkwh, INT64_C(625716000000), "625716 Wh");
    is_int(file.summaries[0].start_us / US_PER_SECOND, 1391230800, "from February 2014");
    is_int(file.n_ignored, 0, "nothing is left out");
}

static void check_prefixed(void)
{
    struct bill_file file;
    struct op op;

    is_int(read_text(seed("prefixed.xml"), &file, &op), OK, "prefixes of names do not matter");
    is_int(file.n_readings, 1, "one interval");
    is_int(file.readings[0].nkwh, 12 * KWH, "12 × 10^3 Wh, by the only type there is");
    is_int(file.n_ignored, 1, "what is told twice counts once");
}

/* As a utility exports it: 480100 × 10^-3 Wh for 18432 hundred-thousandths on the day before clocks go
 * forward (its midnight is 1709971200), then the hours from 1 and, behind the one that is not, from 3. */
static void check_utility(void)
{
    struct bill_file file;
    struct op op;

    if (!is_int(read_text(seed("utility.xml"), &file, &op), OK, "a utility's file is read")) {
        return;
    }
    is_int(file.n_readings, 3, "hours of two days' blocks in one entry");
    is_int(file.n_ignored, 1, "gas is left out");
    is_int(file.readings[0].start_us / US_PER_SECOND, 1709971200, "from midnight");
    is_int(file.readings[0].nkwh, 480100000, "480100 × 10^-3 Wh are 0.4801 kWh");
    is_int(file.readings[0].cost, 184320000, "18432 are 0.18432");
    is_int(file.readings[2].nkwh, 0, "an hour without any is an hour");
    ok(file.readings[2].has_cost, "that costs nothing");
    is_str(file.currency, "USD", "the types' currency");
    is_int(file.n_summaries, 1, "a summary by its former name");
    is_int(file.summaries[0].bill, INT64_C(153030000000), "15303000 are 153.03");
    is_int(file.summaries[0].nkwh, INT64_C(412337000000), "412337 Wh");
}

#define READING(value)                                                                     \
    "<IntervalReading><timePeriod><duration>3600</duration><start>0</start></timePeriod>" \
    "<value>" value "</value></IntervalReading>"
#define FEED(type, reading)                                                      \
    "<feed><entry><ReadingType>" type "</ReadingType></entry><entry><IntervalBlock>" reading \
    "</IntervalBlock></entry></feed>"
#define WH "<uom>72</uom>"

static const struct {
    const char *text, *name;
} refused[] = {
    { "", "an empty file" },
    { "no XML", "text" },
    { "<feed>", "what is not closed" },
    { "<feed></entry>", "tags that do not match" },
    { "<feed/>", "a feed without anything" },
    { "<feed><ReadingType>" WH "</ReadingType>" READING("1"), "a feed that is cut" },
    { FEED(WH, "<IntervalReading>" READING("1") "</IntervalReading>"), "an interval in an interval" },
    { FEED("<uom>169</uom>", READING("1")), "gas" },
    { FEED(WH "<accumulationBehaviour>3</accumulationBehaviour>", READING("1")), "a running total" },
    { FEED(WH, READING("many")), "a value that is no number" },
    { FEED(WH "<powerOfTenMultiplier>40</powerOfTenMultiplier>", READING("1")), "an absurd scale" },
    { FEED(WH, READING("9223372036854775807")), "more than can be" },
    { FEED(WH, "<IntervalReading><value>1</value></IntervalReading>"), "no time" },
};

/* ---- usage points ---- */

#define METER(point, meter)                                                                  \
    "<entry><link rel='self' href='/P/" point "/M/" meter "'/><link rel='up' href='/P/" point \
    "/M'/><link rel='related' href='/T'/><MeterReading/></entry>"
#define AT(start, length, rest, value)                                                    \
    "<IntervalReading>" rest "<timePeriod><duration>" length "</duration><start>" start \
    "</start></timePeriod><value>" value "</value></IntervalReading>"
#define BLOCK(point, meter, readings)                                                            \
    "<entry><link rel='self' href='/P/" point "/M/" meter "/B/1'/><IntervalBlock>" readings \
    "</IntervalBlock></entry>"
#define OF_TYPE(rest) \
    "<feed><entry><link rel='self' href='/T'/><ReadingType>" WH "</ReadingType></entry>" rest "</feed>"
#define COST(number) "<cost>" number "</cost>"

/* The intervals as "start+length=Wh", those of which others tell too with a "~". */
static const char *told(const struct bill_file *file)
{
    static char text[256];
    size_t len = 0;

    text[0] = '\0';
    for (int i = 0; i < file->n_readings; i++) {
        const struct bill_reading *reading = &file->readings[i];
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%lld+%d=%lld%s", i > 0 ? " " : "",
                                (long long)(reading->start_us / US_PER_SECOND), reading->duration_s,
                                (long long)(reading->nkwh / 1000000),
                                reading->is_overlapping ? "~" : "");
    }
    return text;
}

static const struct {
    const char *text, *told;
    int n_ignored;
    const char *name;
} feeds[] = {
    { OF_TYPE(METER("1", "1") METER("2", "1") BLOCK("1", "1", AT("0", "3600", "", "5"))
                  BLOCK("2", "1", AT("0", "3600", "", "7") AT("3600", "3600", "", "1"))),
      "0+3600=12 3600+3600=1", 0, "two usage points are added up" },
    { OF_TYPE(METER("1", "1") METER("1", "2")
                  BLOCK("1", "1", AT("0", "3600", "", "5") AT("3600", "3600", "", "6"))
                      BLOCK("1", "2", AT("0", "7200", "", "11"))),
      "0+3600=5 0+7200=11~ 3600+3600=6", 0, "hours and days of one stand side by side" },
    { OF_TYPE(METER("1", "1") BLOCK("1", "1", AT("1800", "3600", "", "6") AT("0", "7200", "", "9"))),
      "0+7200=9~ 1800+3600=6", 0, "the shorter counts where it begins later, too" },
    { OF_TYPE(METER("1", "1")
                  BLOCK("1", "1", AT("0", "3600", "", "5") AT("0", "3600", "", "4") AT("0", "3600", "", "3"))
                      METER("2", "1") BLOCK("2", "1", AT("0", "3600", "", "1") AT("0", "3600", "", "2"))),
      "0+3600=6", 3, "of what is told again the first counts" },
    { OF_TYPE(BLOCK("1", "1", AT("0", "3600", "", "5")) BLOCK("2", "1", AT("0", "3600", "", "7"))),
      "0+3600=12", 0, "usage points are told apart without meters, too" },
};

static void check_points(void)
{
    struct bill_file file;
    struct op op;

    for (size_t i = 0; i < sizeof feeds / sizeof *feeds; i++) {
        is_int(read_text(str_of(feeds[i].text), &file, &op), OK, "read: %s", feeds[i].name);
        is_str(told(&file), feeds[i].told, "%s", feeds[i].name);
        is_int(file.n_ignored, feeds[i].n_ignored, "so many are left out");
    }
    is_int(read_text(STR(OF_TYPE(METER("1", "1") METER("2", "1")
                                     BLOCK("1", "1", AT("0", "3600", COST("10"), "5"))
                                         BLOCK("2", "1", AT("0", "3600", COST("5"), "7")))),
                     &file, &op),
           OK, "costs, too");
    is_int(file.readings[0].cost, 150000, "10 and 5 hundred-thousandths are 0.00015");
    is_int(file.readings[0].unit_nkwh, 2 * 1000000, "each is rounded to a Wh");
    is_int(read_text(STR(OF_TYPE(METER("1", "1") METER("2", "1")
                                     BLOCK("1", "1", AT("0", "3600", "", "5"))
                                         BLOCK("2", "1", AT("0", "7200", "", "7")))),
                     &file, &op),
           ERR_INVALID, "hours of one usage point and two hours of another are refused");
}

/* ---- a file made to be slow ---- */

#define MANY 1660 /* of each kind: as many as are allowed */

/* Nothing leads anywhere but at the last: blocks by meters, these by types. */
static struct str slow_feed(struct buf *buf)
{
    buf_add_str(buf, STR("<feed>"));
    for (int i = 0; i < MANY; i++) {
        buf_printf(buf, "<entry><link rel='self' href='/T/%d'/><ReadingType>" WH "</ReadingType></entry>", i);
    }
    for (int i = 0; i < MANY; i++) {
        buf_printf(buf, "<entry><link rel='self' href='/P/1'/><link rel='related' href='/B'/>"
                        "<link rel='related' href='/T/%d'/><MeterReading/></entry>", i < MANY - 1 ? MANY : 7);
    }
    for (int i = 0; i < MANY; i++) {
        buf_printf(buf, "<entry><link rel='self' href='/P/1/B/%d'/><link rel='up' href='/B'/><IntervalBlock>"
                        "<IntervalReading><timePeriod><duration>900</duration><start>%d</start></timePeriod>"
                        "<value>1</value></IntervalReading></IntervalBlock></entry>", i, i * 900);
    }
    buf_add_str(buf, STR("</feed>"));
    return buf_str(buf);
}

static void check_slow(void)
{
    struct bill_file file;
    struct op op;
    struct arena *text = arena_new(16u << 20);
    struct buf buf;

    buf_init(&buf, text, 8u << 20);
    struct str feed = slow_feed(&buf);
    int64_t from_us = clock_monotonic_us();
    is_int(read_text(feed, &file, &op), OK, "as many entries as are allowed are read");
    ok(clock_monotonic_us() - from_us < US_PER_SECOND, "within a second");
    is_int(file.n_readings, MANY, "all of their intervals");
    arena_free(text);
}

/* ---- beside what was measured ---- */

/* An account that knows the first `n` quarter hours from 1970 on, each with 1 Wh for `nano`. */
static struct cost_account account(int n, int64_t nano, int period)
{
    struct rating_interval *intervals = arena_array(arena, (size_t)n + 1, sizeof *intervals);
    struct rating_slot *slots = arena_array(arena, (size_t)n + 1, sizeof *slots);

    for (int i = 0; i < n; i++) {
        intervals[i] = (struct rating_interval){ .start_us = i * COST_QUARTER_US,
                                                 .import_nkwh = 1000000 };
        slots[i] = (struct rating_slot){ .period = period, .import = money_of_nano(nano) };
    }
    return (struct cost_account){ .energy = { .start_us = 0, .n = (size_t)n },
                                  .input = { .intervals = intervals, .n_intervals = (size_t)n },
                                  .rating = { .slots = slots } };
}

static void check_accounts(void)
{
    struct bill_file file;
    struct bill_comparison out;
    struct op op;

    is_int(read_text(STR(FEED(WH, AT("0", "900", COST("3"), "2") AT("900", "900", "", "1"))), &file, &op),
           OK, "two quarter hours");
    struct cost_account accounts[] = { account(1, 20000, 0), account(2, 10000, 0), account(0, 0, 0) };
    is_int(bill_compare(&op, &file, &(struct cost_accounts){ accounts, 3 }, &out), OK, "compared");
    is_int(out.lines[0].match, BILL_SAME, "two accounts together; one that tells nothing does not count");
    ok(out.lines[0].has_cost, "with a cost");
    is_int(out.lines[1].match, BILL_ABSENT, "what one of them did not measure is absent");
    accounts[0] = account(1, 0, TARIFF_ANY);
    is_int(bill_compare(&op, &file, &(struct cost_accounts){ accounts, 3 }, &out), OK, "compared");
    ok(!out.lines[0].has_cost, "without a cost where one has no schedule");
}

int main(void)
{
    struct bill_file file;
    struct op op;

    arena = arena_new(16u << 20);
    check_feed();
    check_details();
    check_prefixed();
    check_utility();
    check_points();
    check_slow();
    check_accounts();
    is_int(read_text(STR(FEED(WH, READING("5"))), &file, &op), OK, "the least of a file");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        is_int(read_text(str_of(refused[i].text), &file, &op), ERR_INVALID, "refused: %s",
               refused[i].name);
    }
    arena_free(arena);
    return done_testing();
}

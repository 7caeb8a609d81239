/* domain/bill_file: Green Button files. The documents follow NAESB REQ.21's schema as the published
 * samples of utilities have it (an Atom feed; links from blocks by meter readings to their types; a
 * summary of 67.52 USD for 625.716 kWh in February 2014); numbers by hand. */
#include "base/clock.h"
#include "domain/bill_file.h"

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

int main(void)
{
    struct bill_file file;
    struct op op;

    arena = arena_new(16u << 20);
    check_feed();
    check_prefixed();
    is_int(read_text(STR(FEED(WH, READING("5"))), &file, &op), OK, "the least of a file");
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        is_int(read_text(str_of(refused[i].text), &file, &op), ERR_INVALID, "refused: %s",
               refused[i].name);
    }
    arena_free(arena);
    return done_testing();
}

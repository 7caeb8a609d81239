/* Rate schedules: whatever is sent as a document is refused with a reason or can be compiled, rated,
 * billed and written, and reads back as the same. The same of URDB's documents, which begin with "urdb "
 * here, and of lists of prices ("json ", "csv "). */
#include "domain/bill.h"
#include "domain/price_import.h"
#include "domain/span.h"
#include "domain/tariff_read.h"
#include "domain/tariff_write.h"
#include "domain/urdb.h"

#include <stdlib.h>

#define QUARTER_US (15 * US_PER_MINUTE)
#define N_DAYS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Three days of it, the last of April and the first of May 2024 in summer time of Berlin. */
static void rate(struct op *op, const struct tariff *tariff)
{
    static const struct zone_offset offset = { 0, 7200 };
    const struct zone zone = { "Europe/Berlin", &offset, 1 };
    struct rating_interval intervals[N_DAYS * QUARTERS_PER_DAY];
    struct rating_version version = {
        .plan = tariff_compile(op->arena, tariff),
        .from_day = tariff->from_day,
        .to_day = tariff->to_day,
    };
    struct rating_input input = {
        .versions = &version,
        .n_versions = 1,
        .zone = &zone,
        .from_day = 19843,
        .to_day = 19843 + N_DAYS,
        .as_of_us = INT64_MAX,
        .known_until_us = INT64_MAX,
        .intervals = intervals,
        .n_intervals = N_DAYS * QUARTERS_PER_DAY,
        .has_slots = true,
    };
    struct rating rating;
    struct bill bill;
    struct money sum = { 0 };
    int64_t start_us = span_day_start(&zone, input.from_day);

    for (size_t i = 0; i < input.n_intervals; i++) {
        intervals[i] = (struct rating_interval){
            .start_us = start_us + (int64_t)i * QUARTER_US,
            .import_nkwh = NANO / 3,
            .export_nkwh = (int64_t)i,
        };
    }
    require(version.plan != NULL, "what was read can be compiled");
    require(rating_run(op, &input, &rating) == OK, "and rated");
    require(bill_make(op, &rating, input.from_day, input.to_day, &bill) == OK, "and billed");
    for (size_t i = 0; i < bill.n_lines; i++) {
        sum = money_add(sum, bill.lines[i].amount);
    }
    require(money_compare(money_round(sum, bill.decimals, tariff->rounding), bill.total) == 0,
            "the total is the sum");
}

static struct str written(struct arena *arena, const struct tariff *tariff)
{
    struct json_writer json;
    struct buf text;

    buf_init(&text, arena, 16 << 20);
    json_writer_init(&json, &text);
    tariff_write(&json, tariff);
    require(!text.is_broken, "what was read can be written");
    return buf_str(&text);
}

static void check_tariff(struct op *op, const struct tariff *tariff, struct problems *problems)
{
    if (!tariff) {
        require(problems->n > 0, "what is refused is told");
        return;
    }
    require(problems->n_total == 0, "what is taken is right");
    struct str once = written(op->arena, tariff);
    const struct tariff *again = tariff_read(op->arena, once, problems);
    require(again != NULL, "what is written can be read");
    require(str_equal(written(op->arena, again), once), "as the same");
    rate(op, again);
}

/* What can be said in URDB can be heard from it. */
static void check_urdb(struct op *op, struct str text, struct problems *problems)
{
    const struct tariff *tariff =
        urdb_read(op->arena, text, STR("Europe/Berlin"), STR("EUR"), problems, NULL);
    struct json_writer json;
    struct buf out;

    check_tariff(op, tariff, problems);
    buf_init(&out, op->arena, 16 << 20);
    json_writer_init(&json, &out);
    if (tariff && urdb_write(&json, tariff, problems)) {
        require(urdb_read(op->arena, buf_str(&out), STR("Europe/Berlin"), STR("EUR"), problems, NULL) !=
                    NULL,
                "what is written as URDB can be read");
    }
}

static void check_prices(struct op *op, struct str text, bool is_csv, struct problems *problems)
{
    static const struct zone_offset offsets[] = { { 0, 0 },
                                                  { 1679792400000000, 3600 },
                                                  { 1698541200000000, 0 } };
    static const struct zone zone = { "Europe/London", offsets, 3 };
    const struct price_import how = { .zone = &zone, .unit_nano = NANO / 100, .minutes = 30 };
    struct price_series series = { NULL, 0 };
    bool is_read = is_csv ? price_import_csv(op->arena, text, &how, &series, problems)
                          : price_import_json(op->arena, text, &how, &series, problems);

    require(is_read == (problems->n_total == 0), "what is refused is told");
    for (size_t i = 0; is_read && i < series.n; i++) {
        require(series.points[i].from_us < series.points[i].to_us, "a price holds for a time");
        require(i == 0 || series.points[i - 1].to_us <= series.points[i].from_us,
                "and not beside another");
    }
}

static struct str behind(struct str text, struct str head)
{
    return (struct str){ text.ptr + head.len, text.len - head.len };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char nothing[] = "";
    struct arena *arena = arena_new(256 << 20);
    struct str text = { size > 0 ? (const char *)data : nothing, size };
    struct problems problems;
    struct op op;

    require(arena != NULL, "there is memory");
    op_init(&op, arena, "fuzz");
    problems_init(&problems, arena);
    if (str_starts_with(text, STR("urdb "))) {
        check_urdb(&op, behind(text, STR("urdb ")), &problems);
    } else if (str_starts_with(text, STR("json "))) {
        check_prices(&op, behind(text, STR("json ")), false, &problems);
    } else if (str_starts_with(text, STR("csv "))) {
        check_prices(&op, behind(text, STR("csv ")), true, &problems);
    } else {
        check_tariff(&op, tariff_read(arena, text, &problems), &problems);
    }
    arena_free(arena);
    return 0;
}

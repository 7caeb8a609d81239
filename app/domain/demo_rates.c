/* What energy costs the demo's tenants: rate schedules, where they hold, and prices by time that
 * are computed, so that they are the same on every machine. Called by serve/cmd_seed.c. */
#include "domain/demo_rates.h"

#include "db/db.h"
#include "domain/rate_assignment.h"
#include "domain/rate_price.h"
#include "domain/rate_schedule.h"
#include "domain/span.h"
#include "domain/tariff_read.h"

#define HALF_HOURS 48

struct demo_rate {
    const char *tenant;
    const char *document;
    bool is_assigned; /* to the tenant's site */
    bool is_dynamic;  /* has the series "spot" */
};

/* Figures of PG&E's bundled tariffs, summer, as of early 2024. */
static const struct demo_rate RATES[] = {
    { "aetherlens",
      "{\"name\":\"PG&E Time-of-Use Summer 2024\",\"timezone\":\"America/Los_Angeles\","
      "\"currency\":\"USD\",\"valid_from\":\"2024-01-01\","
      "\"description\":\"A fixture for the demo: E-TOU-C at its summer prices of early "
      "2024, held all "
      "year. Not today's prices.\",\"source\":\"PG&E, bundled residential, E-TOU-C, early 2024\","
      "\"periods\":[{\"name\":\"off_peak\",\"title\":\"Off-peak\"},"
      "{\"name\":\"peak\",\"title\":\"Peak\"}],"
      "\"windows\":[{\"period\":\"off_peak\"},"
      "{\"period\":\"peak\",\"from\":\"16:00\",\"to\":\"21:00\"}],"
      "\"charges\":[{\"type\":\"energy\",\"prices\":[{\"period\":\"off_peak\","
      "\"rate\":\"0.53605\"},"
      "{\"period\":\"peak\",\"rate\":\"0.61949\"}]}]}",
      true, false },
    { "aetherlens",
      "{\"name\":\"PG&E E-TOU-D Summer 2024\",\"timezone\":\"America/Los_Angeles\","
      "\"currency\":\"USD\",\"valid_from\":\"2024-01-01\","
      "\"description\":\"A fixture for the demo: E-TOU-D at its summer prices of early "
      "2024, held all "
      "year. Not today's prices.\",\"source\":\"PG&E, bundled residential, E-TOU-D, early 2024\","
      "\"holidays\":[{\"name\":\"New Year's "
      "Day\",\"on\":\"01-01\",\"observed\":\"sunday_to_monday\"},"
      "{\"name\":\"Presidents' Day\",\"month\":2,\"weekday\":\"mon\",\"nth\":3},"
      "{\"name\":\"Memorial Day\",\"month\":5,\"weekday\":\"mon\",\"nth\":-1},"
      "{\"name\":\"Independence Day\",\"on\":\"07-04\",\"observed\":\"sunday_to_monday\"},"
      "{\"name\":\"Labor Day\",\"month\":9,\"weekday\":\"mon\",\"nth\":1},"
      "{\"name\":\"Veterans Day\",\"on\":\"11-11\",\"observed\":\"sunday_to_monday\"},"
      "{\"name\":\"Thanksgiving Day\",\"month\":11,\"weekday\":\"thu\",\"nth\":4},"
      "{\"name\":\"Christmas Day\",\"on\":\"12-25\",\"observed\":\"sunday_to_monday\"}],"
      "\"periods\":[{\"name\":\"off_peak\",\"title\":\"Off-peak\"},"
      "{\"name\":\"peak\",\"title\":\"Peak\"}],"
      "\"windows\":[{\"period\":\"off_peak\"},{\"period\":\"peak\",\"days\":[\"weekdays\"],"
      "\"from\":\"17:00\",\"to\":\"20:00\"}],"
      "\"charges\":[{\"type\":\"energy\",\"prices\":[{\"period\":\"off_peak\","
      "\"rate\":\"0.45377\"},"
      "{\"period\":\"peak\",\"rate\":\"0.58873\"}]}]}",
      false, false },
    { "aetherlens",
      "{\"name\":\"Flat Rate Test Plan\",\"timezone\":\"America/Los_Angeles\",\"currency\":\"USD\","
      "\"valid_from\":\"2024-01-01\",\"description\":\"A fixture for the demo.\","
      "\"charges\":[{\"type\":\"energy\",\"rate\":\"0.30\"}]}",
      false, false },
    { "monsoon-mills",
      "{\"name\":\"Flat Rate Test Plan\",\"timezone\":\"Asia/Kolkata\",\"currency\":\"INR\","
      "\"valid_from\":\"2024-01-01\",\"description\":\"A fixture for the demo.\","
      "\"charges\":[{\"type\":\"energy\",\"rate\":\"7.50\"}]}",
      false, false },
    { "monsoon-mills",
      "{\"name\":\"Half-Hourly Dynamic\",\"timezone\":\"Asia/Kolkata\",\"currency\":\"INR\","
      "\"valid_from\":\"2024-01-01\",\"description\":\"A fixture for the demo: a price "
      "for every half "
      "hour, below nothing on sunny Sundays.\","
      "\"price_series\":[{\"name\":\"spot\",\"minutes\":30}],"
      "\"charges\":[{\"type\":\"energy\",\"series\":\"spot\"}]}",
      true, true },
};
#define N_RATES ((int)(sizeof RATES / sizeof *RATES))

/* ---- prices by time ---- */

/* Hundredths per kWh by the local hour: the morning, the sun at noon, the evening. */
static const int16_t HOURLY[24] = { 520, 490, 470, 460, 480, 560, 720, 860, 840, 640, 480, 380,
                                    340, 350, 420, 560, 720, 890, 1060, 1120, 980, 820, 680, 580 };

static int64_t price_of(int64_t day, int half_hour)
{
    int64_t hundredths = HOURLY[half_hour / 2] + (day * 37 + half_hour * 11) % 60 - 30;

    if (day % 7 == 3 && half_hour >= 22 && half_hour < 28) { /* 1970 began on a Thursday */
        hundredths -= 440;
    }
    return hundredths * (NANO / 100);
}

/* Half hours of whole days of the zone, which has no changes of its clock. */
static enum err put_prices(struct db_tx *tx, const struct demo_store *store, int32_t id)
{
    const int64_t today = span_day_of(&store->zone, clock_now_us());
    const int64_t from_day = today - DEMO_DAYS - 1, to_day = today + 2;
    const size_t n = (size_t)(to_day - from_day) * HALF_HOURS;
    struct price_point *points = arena_array(db_op(tx)->arena, n, sizeof *points);
    int32_t added;

    if (!points) {
        return fail_memory(db_op(tx));
    }
    for (size_t i = 0; i < n; i++) {
        int64_t day = from_day + (int64_t)i / HALF_HOURS;
        int half_hour = (int)(i % HALF_HOURS);
        int64_t at = span_day_start(&store->zone, day) + half_hour * 30 * US_PER_MINUTE;
        points[i] = (struct price_point){ at, at + 30 * US_PER_MINUTE, price_of(day, half_hour) };
    }
    return rate_price_add(tx, id, "spot", &(struct price_series){ points, n }, &added);
}

/* ---- schedules ---- */

/* A schedule that is not there yet, by its name. */
static enum err put_rate(struct db_tx *tx, const struct demo_store *store,
                         const struct demo_rate *rate, const struct rate_schedule_list *there)
{
    struct op *op = db_op(tx);
    struct problems problems;
    int32_t id = 0, assignment;
    enum err err = OK;

    problems_init(&problems, op->arena);
    const struct tariff *tariff = tariff_read(op->arena, str_of(rate->document), &problems);
    if (!tariff) {
        return fail(op, ERR_INTERNAL, "demo rates: %s %s", problems.items[0].field,
                    problems.items[0].detail);
    }
    for (int i = 0; i < there->n; i++) {
        if (str_equal(str_of(there->items[i].name), str_of(tariff->name))) {
            id = there->items[i].id;
        }
    }
    if (id == 0) {
        err = rate_version_add(tx, tariff, "json", &id);
        if (err == OK && rate->is_assigned) {
            struct rate_place place = { .site = str_of(store->tenant->site_key) };
            err = rate_assignment_add(tx, id, &place, &assignment);
        }
    }
    return err == OK && rate->is_dynamic ? put_prices(tx, store, id) : err;
}

enum err demo_rates_put(struct op *op, const struct demo_conns *conns,
                        const struct demo_store *store)
{
    struct db_tx *tx;
    struct rate_schedule_list there;
    enum err err = db_begin(op, conns->web_conn, DB_WRITE, store->tenant_id, &tx);

    if (err != OK) {
        return err;
    }
    err = db_bind_actor(tx, "the demo");
    if (err == OK) {
        err = rate_schedule_list(tx, 0, RATE_MAX_SHOWN, &there);
    }
    for (int i = 0; err == OK && i < N_RATES; i++) {
        if (str_equal(str_of(RATES[i].tenant), str_of(store->tenant->slug))) {
            err = put_rate(tx, store, &RATES[i], &there);
        }
    }
    return db_end(tx, err);
}

/* The table of costs: the ledger's lines with the names of what they cite. Amounts, rates and
 * quantities are decimals in text, exact. */
#include "archive/table.h"

#include "gen/queries.h"

enum {
    COST_DAY,
    COST_SITE,
    COST_DEVICE,
    COST_ZONE,
    COST_FROM,
    COST_TO,
    COST_SCHEDULE,
    COST_VERSION,
    COST_CHARGE,
    COST_TITLE,
    COST_SEASON,
    COST_PERIOD,
    COST_TIER,
    COST_QUANTITY,
    COST_UNIT,
    COST_RATE,
    COST_AMOUNT,
    COST_CURRENCY,
    COST_AT,
    COST_DAYS,
    COST_OF_DAYS,
    COST_UNPRICED,
    COST_FINAL,
    COST_COLUMNS
};
static const struct parquet_column cost_columns[COST_COLUMNS] = {
    [COST_DAY] = { "day", PARQUET_STRING, false },
    [COST_SITE] = { "site", PARQUET_STRING, true },
    [COST_DEVICE] = { "device", PARQUET_STRING, true },
    [COST_ZONE] = { "zone", PARQUET_STRING, true },
    [COST_FROM] = { "from", PARQUET_TIME, true },
    [COST_TO] = { "to", PARQUET_TIME, true },
    [COST_SCHEDULE] = { "schedule", PARQUET_STRING, true },
    [COST_VERSION] = { "version", PARQUET_INT32, false },
    [COST_CHARGE] = { "charge", PARQUET_STRING, false },
    [COST_TITLE] = { "title", PARQUET_STRING, true },
    [COST_SEASON] = { "season", PARQUET_INT32, true },
    [COST_PERIOD] = { "period", PARQUET_STRING, true },
    [COST_TIER] = { "tier", PARQUET_INT32, true },
    [COST_QUANTITY] = { "quantity", PARQUET_STRING, false },
    [COST_UNIT] = { "unit", PARQUET_STRING, true },
    [COST_RATE] = { "rate", PARQUET_STRING, true },
    [COST_AMOUNT] = { "amount", PARQUET_STRING, false },
    [COST_CURRENCY] = { "currency", PARQUET_STRING, true },
    [COST_AT] = { "at", PARQUET_TIME, true },
    [COST_DAYS] = { "days", PARQUET_INT32, false },
    [COST_OF_DAYS] = { "of_days", PARQUET_INT32, false },
    [COST_UNPRICED] = { "unpriced", PARQUET_INT32, false },
    [COST_FINAL] = { "final", PARQUET_BOOLEAN, true },
};
static const struct parquet_schema cost_rows = { cost_columns, COST_COLUMNS };

/* Where `fetch` has each column: after the day's begin, in their order. */
#define FETCHED(column) (ARCHIVE_FETCH_COSTS_DAY + (column))

static enum err put_cost(const struct archive *archive, struct parquet_writer *out,
                         const struct db_rows *batch, int row)
{
    (void)archive;
    for (int i = 0; i < COST_COLUMNS; i++) {
        int fetched = FETCHED(i);
        if (db_is_null(batch, row, fetched)) {
            continue;
        }
        switch (cost_columns[i].type) {
        case PARQUET_TIME: parquet_put_time(out, i, db_time(batch, row, fetched)); break;
        case PARQUET_INT32: parquet_put_int(out, i, db_int(batch, row, fetched)); break;
        case PARQUET_BOOLEAN: parquet_put_bool(out, i, db_bool(batch, row, fetched)); break;
        default: parquet_put_str(out, i, db_str(batch, row, fetched)); break;
        }
    }
    return parquet_end_row(out);
}

const struct archive_table archive_table_costs = {
    .name = "costs",
    .is_derived = true,
    .rows = &cost_rows,
    .voids = &archive_voids,
    .n_names = 3,
    .fetch = &q_archive_fetch_costs,
    .time_column = ARCHIVE_FETCH_COSTS_TIME,
    .put = put_cost,
};

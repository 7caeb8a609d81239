/* Records of a CSV file as events. Two forms, told apart by the header: long, with the columns
 * `metric` and `value` (a sample a line), and wide, where every column that is not the time or
 * the device is a metric. */
#ifndef TIDEMARK_INGEST_IMPORT_CSV_H
#define TIDEMARK_INGEST_IMPORT_CSV_H

#include "base/clock.h"
#include "ingest/columns.h"

#define IMPORT_MAX_COLUMNS 1024

struct import_csv {
    struct str time_column;   /* its name; ptr NULL: time, timestamp, datetime or date */
    struct str device_column; /* its name; ptr NULL: device */
    const struct zone *zone;  /* of times that name none */

    /* read from the header */
    int n_columns;            /* 0: the header is still to come */
    int time, device, metric, value; /* columns; -1: none */
    struct str names[IMPORT_MAX_COLUMNS];
};

/* Reads the header. ERR_INVALID when it has no column for the time, or is no header at all. */
enum err import_csv_header(struct import_csv *csv, struct op *op, char *record, size_t len)
    MUST_CHECK;

/* Reads one record as the item `line`. Empty cells are no readings; of the wide form text that is
 * no number goes to the event's data. */
void import_csv_record(const struct import_csv *csv, char *record, size_t len, uint32_t line,
                       struct ingest_columns *columns);

/* Reads what people write for a time: RFC 3339, an integer epoch, a date, or a date and a time
 * without a zone, which are the zone's; / may stand for - in a date. */
bool import_parse_time(struct str text, const struct zone *zone, int64_t *out_us);

#endif

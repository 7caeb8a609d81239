/* CSV to events: the header's meaning, cells to times and values. Called by the importer and by
 * format_event. */
#include "ingest/import_csv.h"

#include "base/csv.h"
#include "base/json.h"
#include "base/json_number.h"

/* ---- times ---- */

/* The instant at which the zone's clocks show `local_us`: the first of two where they are put
 * back, and an hour on where they skip it. */
static int64_t from_local(const struct zone *zone, int64_t local_us)
{
    int64_t before = local_us - zone_offset_at(zone, local_us - US_PER_DAY) * US_PER_SECOND;
    int64_t after = local_us - zone_offset_at(zone, local_us + US_PER_DAY) * US_PER_SECOND;

    if (before + zone_offset_at(zone, before) * US_PER_SECOND == local_us) {
        return before;
    }
    return after + zone_offset_at(zone, after) * US_PER_SECOND == local_us ? after : before;
}

bool import_parse_time(struct str text, const struct zone *zone, int64_t *out_us)
{
    /* "2026-11-20T12:00:00.123456789", room for seconds and a zone to be added */
    char copy[48];
    long long epoch;

    text = str_trim(text);
    if (clock_parse_rfc3339(text, out_us)) {
        return true;
    }
    if (str_to_int64(text, &epoch)) {
        *out_us = clock_from_epoch(epoch);
        return true;
    }
    if (text.len < 10 || text.len > 30) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[4] = copy[4] == '/' ? '-' : copy[4];
    copy[7] = copy[7] == '/' ? '-' : copy[7];
    const char *missing = text.len == 10 ? "T00:00:00Z" : text.len == 16 ? ":00Z" : "Z";
    memcpy(copy + text.len, missing, strlen(missing));
    if (!clock_parse_rfc3339((struct str){ copy, text.len + strlen(missing) }, out_us)) {
        return false;
    }
    *out_us = from_local(zone, *out_us);
    return true;
}

/* ---- the header ---- */

static int find_column(const struct import_csv *csv, struct str name)
{
    for (int i = 0; i < csv->n_columns; i++) {
        if (str_equal_nocase(csv->names[i], name)) {
            return i;
        }
    }
    return -1;
}

static int find_time(const struct import_csv *csv)
{
    static const char *const usual[] = { "time", "timestamp", "datetime", "date" };

    if (csv->time_column.ptr) {
        return find_column(csv, csv->time_column);
    }
    for (size_t i = 0; i < sizeof usual / sizeof *usual; i++) {
        int at = find_column(csv, str_of(usual[i]));
        if (at >= 0) {
            return at;
        }
    }
    return -1;
}

enum err import_csv_header(struct import_csv *csv, struct op *op, char *record, size_t len)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of UTF-8, as spreadsheets write it */
    struct str *names = csv->names;

    if (len >= 3 && memcmp(record, mark, 3) == 0) {
        record += 3;
        len -= 3;
    }
    if (!str_is_utf8((struct str){ record, len })) {
        return fail(op, ERR_INVALID, "the header is not UTF-8");
    }
    int n = csv_split(record, len, names, IMPORT_MAX_COLUMNS);
    if (n <= 0) {
        return fail(op, ERR_INVALID, "the first line is no header");
    }
    for (int i = 0; i < n; i++) {
        const char *copy = arena_copy(op->arena, str_trim(names[i]));
        if (!copy) {
            return fail_memory(op);
        }
        names[i] = str_of(copy);
    }
    csv->n_columns = n;
    csv->time = find_time(csv);
    csv->device = find_column(csv, csv->device_column.ptr ? csv->device_column : STR("device"));
    csv->metric = find_column(csv, STR("metric"));
    csv->value = find_column(csv, STR("value"));
    if (csv->time < 0) {
        return csv->time_column.ptr
                   ? fail(op, ERR_INVALID, "the header names no column \"%s\" (--time-column)",
                          csv->time_column.ptr)
                   : fail(op, ERR_INVALID, "the header names no column for the time: time, "
                                           "timestamp, datetime or date");
    }
    if (csv->device < 0 && csv->device_column.ptr) {
        return fail(op, ERR_INVALID, "the header names no column \"%s\" (--device-column)",
                    csv->device_column.ptr);
    }
    if (csv->metric < 0 || csv->value < 0) {
        csv->metric = csv->value = -1;
    }
    return OK;
}

/* ---- records ---- */

/* A cell as a number: JSON's, with a plus sign, or true and false. */
static bool parse_value(struct str text, double *out)
{
    const char *end = text.ptr + text.len;

    if (str_equal_nocase(text, STR("true")) || str_equal_nocase(text, STR("false"))) {
        *out = (text.ptr[0] | 0x20) == 't';
        return true;
    }
    if (text.len > 1 && text.ptr[0] == '+') {
        text.ptr++;
    }
    return json_number_read(text.ptr, end, out) == end;
}

/* What stands for no reading. */
static bool is_missing(struct str text)
{
    return text.len == 0 || str_equal_nocase(text, STR("null")) ||
           str_equal_nocase(text, STR("nan")) || str_equal_nocase(text, STR("na"));
}

static void reject_number(struct ingest_columns *columns, struct str name)
{
    columns_reject(columns, ERR_INVALID, "value", "the value of \"%.*s\" is not a number",
                   columns_shown(name), name.ptr);
}

static bool read_long(const struct import_csv *csv, const struct str *fields,
                      struct ingest_columns *columns)
{
    struct str text = str_trim(fields[csv->value]);
    struct str name = str_trim(fields[csv->metric]);
    double value;

    if (is_missing(text) || !parse_value(text, &value)) {
        reject_number(columns, name);
        return false;
    }
    return columns_metric(columns, name, STR(""), value);
}

/* The cells as metrics, text among them as members of `data`. */
static bool read_wide(const struct import_csv *csv, const struct str *fields, struct buf *data,
                      struct ingest_columns *columns)
{
    struct json_writer writer;
    double value;

    json_writer_init(&writer, data);
    json_open_object(&writer);
    for (int i = 0; i < csv->n_columns; i++) {
        struct str text = str_trim(fields[i]);
        if (i == csv->time || i == csv->device || is_missing(text)) {
            continue;
        }
        if (!parse_value(text, &value)) {
            json_key_str(&writer, csv->names[i]);
            json_string(&writer, text);
        } else if (!columns_metric(columns, csv->names[i], STR(""), value)) {
            columns_reject(columns, ERR_INVALID, "metrics", "more than %d metrics", MAX_METRICS);
            return false;
        }
    }
    json_close_object(&writer);
    return true;
}

/* The record's device and time. False when it is rejected. */
static bool read_frame(const struct import_csv *csv, const struct str *fields,
                       struct ingest_columns *columns)
{
    struct ingest_draft *draft = &columns->draft;

    if (csv->device >= 0 && str_trim(fields[csv->device]).len) {
        draft->device = str_trim(fields[csv->device]);
    }
    draft->has_time = import_parse_time(fields[csv->time], csv->zone, &draft->time_us);
    if (!draft->has_time) {
        columns_reject(columns, ERR_INVALID, "time", "\"%.*s\" is not a time",
                       columns_shown(fields[csv->time]), fields[csv->time].ptr);
    }
    return draft->has_time;
}

static bool is_text(const struct str *fields, int n)
{
    for (int i = 0; i < n; i++) {
        if (!str_is_utf8(fields[i])) {
            return false;
        }
    }
    return true;
}

void import_csv_record(const struct import_csv *csv, char *record, size_t len, uint32_t line,
                       struct ingest_columns *columns)
{
    struct str fields[IMPORT_MAX_COLUMNS];
    struct buf data;
    int n = csv_split(record, len, fields, IMPORT_MAX_COLUMNS);

    if (n == 0) {
        return;
    }
    struct ingest_draft *draft = columns_begin(columns, line);
    if (!draft) {
        return;
    }
    if (n != csv->n_columns) {
        columns_reject(columns, ERR_MALFORMED, NULL,
                       n < 0 ? "a quote stands where none may"
                             : "%d cells where the header has %d columns", n, csv->n_columns);
        return;
    }
    if (!is_text(fields, n)) {
        columns_reject(columns, ERR_MALFORMED, NULL, "a cell that is not UTF-8");
        return;
    }
    if (!read_frame(csv, fields, columns)) {
        return;
    }
    buf_init(&data, columns->op->arena, 2 * MAX_EVENT_DATA_BYTES);
    bool is_read = csv->value >= 0 ? read_long(csv, fields, columns)
                                   : read_wide(csv, fields, &data, columns);
    if (!is_read) {
        return;
    }
    if (data.is_broken) {
        columns_reject(columns, ERR_INVALID, "data", "too much text");
        return;
    }
    if (data.len > 2) {
        draft->data = buf_str(&data);
    }
    columns_end(columns);
}

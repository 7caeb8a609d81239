/* AcquiSuite and AcquiLite (Obvius, Leviton): gateways that post the log of each Modbus device as a
 * file, a line for each moment, and now and then their own status. Values are known by their place:
 * point_1, point_2, … A device is "SERIALNUMBER-MODBUSDEVICE"; a bound token's device has all, told
 * apart by the label `modbus`. What is answered SUCCESS is deleted at the sender; after FAILURE it
 * is sent again. So lines that are rejected fail the upload, though the good ones are kept.
 * Source: Obvius, AcquiSuite user manual (log file format) and HTTP upload kit. */
#include "base/crypto.h"
#include "base/md5.h"
#include "http/form.h"
#include "http/inflate.h"
#include "http/multipart.h"
#include "ingest/fields.h"
#include "ingest/format.h"
#include "ingest/labels.h"
#include "ingest/local_time.h"
#include "ingest/number.h"
#include "ingest/plain.h"

#define MAX_LINES 100000 /* weeks of minutes, as after an outage */
#define MAX_PARTS 64
#define N_LEADING 4 /* time, error, low and high alarms stand before the points */
#define REFUSED 406 /* as its makers' own servers say no */

struct upload {
    struct http_request *request;
    struct ingest_columns *columns;
    struct http_part parts[MAX_PARTS];
    int n_parts;
    struct str device, labels; /* of a log's lines */
};

/* ---- fields ---- */

/* A field of the form, or of the query; "" where there is none. */
static struct str field(const struct upload *upload, const char *name)
{
    struct str value = http_field(upload->request, name);

    for (int i = 0; i < upload->n_parts; i++) {
        const struct http_part *part = &upload->parts[i];
        if (!part->file_name.ptr && str_equal(part->name, str_of(name))) {
            value = part->content;
        }
    }
    return value.ptr && str_is_utf8(value) ? str_trim(value) : STR("");
}

static const struct http_part *file(const struct upload *upload, const char *name)
{
    for (int i = 0; i < upload->n_parts; i++) {
        if (str_equal(upload->parts[i].name, str_of(name))) {
            return &upload->parts[i];
        }
    }
    return NULL;
}

/* The gateway, or one of the devices behind it. ptr NULL: the bound token's own, or none. */
static struct str device_of(const struct upload *upload, struct str address)
{
    struct str serial = field(upload, "SERIALNUMBER");

    if (upload->columns->rules.is_device_bound || serial.len == 0) {
        return (struct str){ NULL, 0 };
    }
    if (address.len == 0) {
        return serial;
    }
    char *key = arena_printf(upload->request->op->arena, "%.*s-%.*s", (int)serial.len, serial.ptr,
                             (int)address.len, address.ptr);
    return key ? str_of(key) : serial;
}

/* ---- the log ---- */

/* The file as it was before it was packed (AcquiLite does not pack). */
static enum err read_file(struct upload *upload, struct str *out)
{
    struct op *op = upload->request->op;
    const struct http_part *part = file(upload, "LOGFILE");
    struct str said = field(upload, "MD5CHECKSUM");
    uint8_t sum[MD5_BYTES];
    char hex[MD5_BYTES * 2 + 1];

    if (!part) {
        return fail(op, ERR_INVALID, "no LOGFILE");
    }
    *out = part->content;
    md5(*out, sum);
    crypto_hex(sum, sizeof sum, hex);
    if (said.len > 0 && !str_equal_nocase(said, str_of(hex))) {
        return fail(op, ERR_INVALID, "MD5CHECKSUM is not that of LOGFILE");
    }
    if (out->len < 2 || (uint8_t)out->ptr[0] != 0x1f || (uint8_t)out->ptr[1] != 0x8b) {
        return OK;
    }
    return http_inflate(op, *out, INFLATE_GZIP, MAX_INGEST_BODY_BYTES, out);
}

/* The cell without blanks and quotes. */
static struct str next_cell(struct str *line)
{
    struct str cell = str_trim(str_cut(line, ','));

    if (cell.len >= 2 && (cell.ptr[0] == '\'' || cell.ptr[0] == '"') &&
        cell.ptr[cell.len - 1] == cell.ptr[0]) {
        cell = (struct str){ cell.ptr + 1, cell.len - 2 };
    }
    return cell;
}

static bool is_missing(struct str cell)
{
    return cell.len == 0 || str_equal_nocase(cell, STR("NULL"));
}

/* Error and alarms, where there are any: kept with the event. */
static void read_leading(struct ingest_fields *fields, struct str *line)
{
    static const char *const names[] = { "error", "low_alarm", "high_alarm" };

    for (int i = 1; i < N_LEADING; i++) {
        struct str cell = next_cell(line);
        double value;
        bool is_zero = (number_read(cell, &value) && value == 0) ||
                       str_equal_nocase(cell, STR("0x00")) || str_equal_nocase(cell, STR("0x0"));
        if (is_missing(cell) || is_zero) {
            continue;
        }
        if (str_is_utf8(cell)) {
            fields_text(fields, str_of(names[i - 1]), cell);
        } else {
            fields_reject(fields, names[i - 1], "%s is not text", names[i - 1]);
        }
    }
}

static void read_points(const struct upload *upload, struct ingest_fields *fields, struct str *line)
{
    for (int point = 1; line->ptr && !fields->is_rejected; point++) {
        struct str cell = next_cell(line);
        double value;
        if (is_missing(cell)) {
            continue;
        }
        const char *name = arena_printf(upload->request->op->arena, "point_%d", point);
        if (!number_read(cell, &value)) {
            fields_reject(fields, "point", "point %d is not a number", point);
        } else if (!name ||
                   !columns_metric(upload->columns, str_of(name), upload->labels, value)) {
            fields_reject(fields, "metrics", "more than %d points", MAX_METRICS);
        }
    }
}

/* 'YYYY-MM-DD HH:MM:SS' of UTC, error, low and high alarms, values. */
static void read_line(const struct upload *upload, uint32_t index, struct str line)
{
    struct ingest_draft *draft = columns_begin(upload->columns, index);
    struct ingest_fields fields;

    if (!draft) {
        return;
    }
    fields_begin(&fields, upload->columns);
    draft->device = upload->device;
    draft->has_time = true;
    struct str time = next_cell(&line);
    struct str date = str_cut(&time, ' ');
    if (!time.ptr || !local_time_read(date, str_trim(time), &draft->time_us)) {
        fields_reject(&fields, "time", "a line does not begin with a time");
    } else if (!line.ptr) {
        fields_reject(&fields, "point", "a line has no values");
    }
    read_leading(&fields, &line);
    read_points(upload, &fields, &line);
    fields_end(&fields);
}

static enum err read_log(struct upload *upload)
{
    struct ingest_labels labels = { .n = 0 };
    struct str address = field(upload, "MODBUSDEVICE"), text = STR("");
    enum err err = read_file(upload, &text);
    uint32_t index = 0;

    if (err) {
        return err;
    }
    upload->device = device_of(upload, address);
    upload->labels = STR("");
    if (upload->columns->rules.is_device_bound &&
        !(labels_add(&labels, STR("modbus"), address) &&
          labels_write(&labels, upload->request->op->arena, &upload->labels))) {
        return fail_memory(upload->request->op);
    }
    while (text.ptr && !upload->columns->broken) {
        struct str line = str_trim(str_cut(&text, '\n'));
        if (line.len > 0) {
            read_line(upload, index++, line);
        }
    }
    return upload->columns->broken;
}

/* ---- the gateway's status ---- */

/* All that it says of itself, but who it is and its password. */
static enum err read_status(struct upload *upload)
{
    static const char *const others[] = { "MODE", "SERIALNUMBER", "PASSWORD", "SENDDATATRACE" };
    struct ingest_draft *draft = columns_begin(upload->columns, 0);
    struct ingest_fields fields;

    if (!draft) {
        return upload->columns->broken;
    }
    fields_begin(&fields, upload->columns);
    draft->type = STR("status");
    draft->device = device_of(upload, STR(""));
    for (int i = 0; i < upload->n_parts; i++) {
        const struct http_part *part = &upload->parts[i];
        struct str value = str_trim(part->content);
        bool is_other = part->file_name.ptr || !str_is_utf8(part->name) || !str_is_utf8(value);
        for (size_t j = 0; j < sizeof others / sizeof *others; j++) {
            is_other = is_other || str_equal(part->name, str_of(others[j]));
        }
        if (!is_other) {
            fields_text(&fields, part->name, value);
        }
    }
    fields_end(&fields);
    return upload->columns->broken;
}

/* ---- requests ---- */

static enum err read_parts(struct upload *upload, struct str body)
{
    struct http_request *request = upload->request;

    if (!str_equal(request->content_type, STR("multipart/form-data"))) {
        return http_read_form(request, MAX_INGEST_BODY_BYTES);
    }
    return http_read_multipart(request->op, http_header(request, "Content-Type"), body,
                               upload->parts, MAX_PARTS, &upload->n_parts);
}

static enum err parse_acquisuite(struct http_request *request, struct str body,
                                 struct ingest_columns *columns)
{
    struct upload upload = { .request = request, .columns = columns };
    enum err err = read_parts(&upload, body);

    if (err) {
        return err;
    }
    struct str mode = field(&upload, "MODE");
    if (str_equal(mode, STR("LOGFILEUPLOAD"))) {
        return read_log(&upload);
    }
    if (str_equal(mode, STR("STATUS"))) {
        return read_status(&upload);
    }
    if (str_equal(mode, STR("CONFIGFILEMANIFEST")) || str_equal(mode, STR("CONFIGFILEUPLOAD"))) {
        return OK; /* an empty list: no settings are wanted of it, and none given */
    }
    return mode.len == 0 ? fail(request->op, ERR_INVALID, "no MODE")
                         : fail(request->op, ERR_INVALID, "MODE %.*s is not known here",
                                columns_shown(mode), mode.ptr);
}

/* ---- answers ---- */

static enum err answer_acquisuite(struct http_request *request,
                                  const struct ingest_outcome *outcome,
                                  struct http_response *response)
{
    (void)request;
    if (outcome->rejected == 0) {
        plain_answer(response, 200, "\nSUCCESS\n");
        return OK;
    }
    plain_answer(response, REFUSED, "");
    buf_printf(&response->body, "FAILURE: %u rejected, the others are stored; the first: %s\n",
               outcome->rejected, outcome->n_errors ? outcome->errors[0].detail : "");
    return OK;
}

static void answer_failure(struct http_request *request, struct http_response *response)
{
    plain_failure(response, request->op);
    if (response->status == 400 || response->status == 422) {
        response->status = REFUSED;
    }
    response->content_type = "text/plain";
    buf_printf(&response->body, "FAILURE: %s\n", http_public_detail(request->op));
}

const struct ingest_format ingest_format_acquisuite = {
    .name = "acquisuite",
    .credentials = CREDENTIAL_IN_HEADERS,
    .max_events = MAX_LINES,
    .parse = parse_acquisuite,
    .answer = answer_acquisuite,
    .answer_error = answer_failure,
};

/* PVOutput's addoutput: what a system made on a day. Its energy is what the statuses of that day
 * add up to, so as metrics it would count twice; each output is an event of type "output" on the
 * midnight that begins the day, with its fields as data.
 * Source: pvoutput.org/help/api_specification.html. */
#include "base/json.h"
#include "http/form.h"
#include "ingest/local_time.h"
#include "ingest/number.h"
#include "ingest/pvoutput.h"

#define MAX_OUTPUTS 100

/* In the order of `data`; the parameters of the same names stand for one output without it. */
static const struct {
    const char *parameter, *name;
    bool is_text;
} FIELDS[] = {
    { "d", "date", true },
    { "g", "generation_wh", false },
    { "e", "export_wh", false },
    { "pp", "peak_power_w", false },
    { "pt", "peak_time", true },
    { "cd", "condition", true },
    { "tm", "min_temperature_c", false },
    { "tx", "max_temperature_c", false },
    { "cm", "comments", true },
    { "ip", "import_peak_wh", false },
    { "io", "import_off_peak_wh", false },
    { "is", "import_shoulder_wh", false },
    { "c", "consumption_wh", false },
    { "ih", "import_high_shoulder_wh", false }, /* a parameter alone */
};
#define N_FIELDS ((int)(sizeof FIELDS / sizeof FIELDS[0]))
#define N_LISTED (N_FIELDS - 1)

/* The fields as a JSON object; the reason where one cannot be read. */
static const char *write_fields(struct json_writer *writer, const struct str *values)
{
    json_open_object(writer);
    for (int i = 0; i < N_FIELDS; i++) {
        struct str text = str_trim(values[i]);
        double number;
        if (text.len == 0) {
            continue;
        }
        json_key(writer, FIELDS[i].name);
        if (FIELDS[i].is_text) {
            json_string(writer, text);
        } else if (number_read(text, &number)) {
            json_double(writer, number);
        } else {
            return FIELDS[i].parameter;
        }
    }
    json_close_object(writer);
    return NULL;
}

static void read_output(struct http_request *request, struct ingest_columns *columns,
                        uint32_t index, const struct str *values)
{
    struct ingest_draft *draft = columns_begin(columns, index);
    struct json_writer writer;
    struct buf data;
    int64_t local_us;

    if (!draft) {
        return;
    }
    if (!local_time_read(values[0], STR(""), &local_us)) {
        columns_reject(columns, ERR_INVALID, "d", "Could not read date");
        return;
    }
    draft->device = pvoutput_system(request, columns);
    draft->type = STR("output");
    draft->has_time = true;
    draft->time_us =
        local_time_to_utc(columns->rules.zone, local_us, INT64_MIN, columns->rules.now_us);
    buf_init(&data, columns->op->arena, 2 * MAX_EVENT_DATA_BYTES);
    json_writer_init(&writer, &data);
    const char *fault = write_fields(&writer, values);
    draft->data = buf_str(&data);
    if (fault) {
        columns_reject(columns, ERR_INVALID, "data", "Could not read %s", fault);
    } else if (data.is_broken) {
        columns_reject(columns, ERR_INVALID, "data", "data is over %u bytes",
                       MAX_EVENT_DATA_BYTES);
    } else {
        columns_end(columns);
    }
}

static enum err parse(struct http_request *request, struct str body, struct ingest_columns *columns)
{
    struct str values[N_FIELDS] = { { NULL, 0 } };
    uint32_t index = 0;
    enum err err = http_read_form(request, MAX_INGEST_BODY_BYTES);

    (void)body;
    if (err) {
        return err;
    }
    struct str data = http_field(request, "data");
    if (data.len == 0) {
        for (int i = 0; i < N_FIELDS; i++) {
            values[i] = http_field(request, FIELDS[i].parameter);
        }
        read_output(request, columns, 0, values);
        return columns->broken;
    }
    while (data.ptr && !columns->broken) {
        struct str piece = str_trim(str_cut(&data, ';'));
        for (int i = 0; i < N_LISTED; i++) {
            values[i] = piece.ptr ? str_cut(&piece, ',') : (struct str){ NULL, 0 };
        }
        if (values[0].len > 0) {
            read_output(request, columns, index++, values);
        }
    }
    return columns->broken;
}

static enum err answer(struct http_request *request, const struct ingest_outcome *outcome,
                       struct http_response *response)
{
    return pvoutput_answer(request, outcome, response, "OK 200: Added Output");
}

const struct ingest_format ingest_format_pvoutput_output = {
    .name = "pvoutput output",
    .credentials = CREDENTIAL_IN_PVOUTPUT,
    .max_events = MAX_OUTPUTS,
    .needs_zone = true,
    .kept_header = PVOUTPUT_SYSTEM_HEADER,
    .kept_as = PVOUTPUT_SYSTEM_FIELD,
    .parse = parse,
    .answer = answer,
    .answer_error = pvoutput_answer_error,
};

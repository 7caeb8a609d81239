/* PVOutput's addstatus and addbatchstatus: energy (Wh), power (W), temperature and voltage of a
 * system at a local time. Energy counts from the start of the day, or of the system's life where
 * `c1` says so: a counter either way, whose daily drop is a reset, but two different ones. With `n`
 * the powers are what is exported and imported. The system is the device; a bound token's device
 * where there is one, since a system's id is a number that PVOutput gave.
 * Source: pvoutput.org/help/api_specification.html. */
#include "http/form.h"
#include "ingest/fields.h"
#include "ingest/local_time.h"
#include "ingest/number.h"
#include "ingest/pvoutput.h"

#define MAX_STATUSES 100 /* PVOutput's own for those who donate */
#define N_VALUES 12      /* v1 to v12 */

struct status {
    uint32_t index;
    struct str date, time, message;
    struct str values[N_VALUES];
};

/* What holds for all statuses of a request. */
struct statuses {
    struct http_request *request;
    struct ingest_columns *columns;
    bool is_net, is_life_generation, is_life_consumption;
    int64_t last_us; /* of the status before */
};

/* ---- values ---- */

/* The metric of v1, v2, …; those after v6 are the user's own and called as they are. */
static struct str name_of(const struct statuses *statuses, int at)
{
    static const char *const own[] = { "v7", "v8", "v9", "v10", "v11", "v12" };

    switch (at) {
    case 0:
        return statuses->is_life_generation ? STR("generation_wh_total")
                                            : STR("generation_today_wh_total");
    case 1: return statuses->is_net ? STR("grid_export_w") : STR("generation_w");
    case 2:
        return statuses->is_life_consumption ? STR("consumption_wh_total")
                                             : STR("consumption_today_wh_total");
    case 3: return statuses->is_net ? STR("grid_import_w") : STR("consumption_w");
    case 4: return STR("temperature_c");
    case 5: return STR("voltage_v");
    default: return str_of(own[at - 6]);
    }
}

/* Nothing, NaN, and -1 of energy and power mean that there is no value. */
static bool is_missing(struct str text, int at)
{
    return text.len == 0 || str_equal_nocase(text, STR("nan")) ||
           str_equal_nocase(text, STR("null")) || (at < 4 && str_equal(text, STR("-1")));
}

static void read_values(const struct statuses *statuses, const struct status *status,
                        struct ingest_fields *fields)
{
    for (int i = 0; i < N_VALUES; i++) {
        struct str text = str_trim(status->values[i]);
        double value;
        if (is_missing(text, i)) {
            continue;
        }
        if (!number_read(text, &value)) {
            fields_reject(fields, "v", "Could not read v%d", i + 1);
            return;
        }
        fields_number(fields, name_of(statuses, i), value);
    }
    if (status->message.len > 0) {
        fields_text(fields, STR("message"), status->message);
    }
}

static void read_status(struct statuses *statuses, const struct status *status)
{
    struct ingest_columns *columns = statuses->columns;
    struct ingest_draft *draft = columns_begin(columns, status->index);
    struct ingest_fields fields;
    int64_t local_us;

    if (!draft) {
        return;
    }
    fields_begin(&fields, columns);
    draft->device = pvoutput_system(statuses->request, columns);
    if (status->date.len == 0 || status->time.len == 0) {
        fields_reject(&fields, "d", "Missing required data");
    } else if (!local_time_read(status->date, status->time, &local_us)) {
        fields_reject(&fields, "d", "Could not read date or time");
    } else {
        draft->has_time = true;
        draft->time_us = local_time_to_utc(columns->rules.zone, local_us, statuses->last_us,
                                           columns->rules.now_us);
        statuses->last_us = draft->time_us;
    }
    read_values(statuses, status, &fields);
    if (!fields.is_rejected && draft->n_metrics == 0 && fields.n_texts == 0) {
        fields_reject(&fields, "v", "Missing required data");
    }
    fields_end(&fields);
}

/* ---- requests ---- */

static enum err begin(struct statuses *statuses, struct http_request *request,
                      struct ingest_columns *columns)
{
    enum err err = http_read_form(request, MAX_INGEST_BODY_BYTES);
    struct str cumulative = http_field(request, "c1");

    *statuses = (struct statuses){
        .request = request, .columns = columns, .last_us = INT64_MIN,
        .is_net = str_equal(http_field(request, "n"), STR("1")),
        .is_life_generation =
            str_equal(cumulative, STR("1")) || str_equal(cumulative, STR("2")),
        .is_life_consumption =
            str_equal(cumulative, STR("1")) || str_equal(cumulative, STR("3")),
    };
    return err;
}

static enum err parse_status(struct http_request *request, struct str body,
                             struct ingest_columns *columns)
{
    static const char *const names[N_VALUES] = { "v1", "v2", "v3", "v4",  "v5",  "v6",
                                                 "v7", "v8", "v9", "v10", "v11", "v12" };
    struct statuses statuses;
    enum err err = begin(&statuses, request, columns);

    (void)body;
    if (err) {
        return err;
    }
    struct status status = { .date = http_field(request, "d"), .time = http_field(request, "t"),
                             .message = http_field(request, "m1") };
    for (int i = 0; i < N_VALUES; i++) {
        status.values[i] = http_field(request, names[i]);
    }
    read_status(&statuses, &status);
    return columns->broken;
}

static enum err parse_batch(struct http_request *request, struct str body,
                            struct ingest_columns *columns)
{
    struct statuses statuses;
    uint32_t index = 0;
    enum err err = begin(&statuses, request, columns);

    (void)body;
    struct str data = http_field(request, "data");
    if (err || data.len == 0) {
        return err ? err : fail(request->op, ERR_INVALID, "Missing required data");
    }
    while (data.ptr && !columns->broken) {
        struct str piece = str_trim(str_cut(&data, ';'));
        if (piece.len == 0) {
            continue;
        }
        struct status status = { .index = index };
        index++;
        status.date = str_cut(&piece, ',');
        status.time = str_cut(&piece, ',');
        for (int i = 0; i < N_VALUES && piece.ptr; i++) {
            status.values[i] = str_cut(&piece, ',');
        }
        status.message = str_trim(piece);
        read_status(&statuses, &status);
    }
    return columns->broken;
}

/* ---- answers ---- */

static enum err answer_status(struct http_request *request, const struct ingest_outcome *outcome,
                              struct http_response *response)
{
    return pvoutput_answer(request, outcome, response, "OK 200: Added Status");
}

static bool is_rejected(const struct ingest_outcome *outcome, uint32_t index)
{
    for (int i = 0; i < outcome->n_errors; i++) {
        if (outcome->errors[i].index == index) {
            return true;
        }
    }
    return false;
}

/* Each status with 1, or 0 where it was not added: "20110327,15:40,1;20110327,15:45,0". */
static enum err answer_batch(struct http_request *request, const struct ingest_outcome *outcome,
                             struct http_response *response)
{
    struct str data = http_field(request, "data");
    uint32_t index = 0;

    if (outcome->rejected > 0 && outcome->accepted + outcome->duplicates + outcome->updated == 0) {
        return pvoutput_answer(request, outcome, response, "");
    }
    response->content_type = "text/plain";
    while (data.ptr) {
        struct str piece = str_trim(str_cut(&data, ';'));
        if (piece.len == 0) {
            continue;
        }
        buf_add_text(&response->body, index ? ";" : "");
        buf_add_str(&response->body, str_trim(str_cut(&piece, ',')));
        buf_add_char(&response->body, ',');
        buf_add_str(&response->body, str_trim(str_cut(&piece, ',')));
        buf_add_text(&response->body, is_rejected(outcome, index) ? ",0" : ",1");
        index++;
    }
    return OK;
}

const struct ingest_format ingest_format_pvoutput_status = {
    .name = "pvoutput",
    .credentials = CREDENTIAL_IN_PVOUTPUT,
    .max_events = 1,
    .needs_zone = true,
    .kept_header = PVOUTPUT_SYSTEM_HEADER,
    .kept_as = PVOUTPUT_SYSTEM_FIELD,
    .parse = parse_status,
    .answer = answer_status,
    .answer_error = pvoutput_answer_error,
};

const struct ingest_format ingest_format_pvoutput_batch = {
    .name = "pvoutput batch",
    .credentials = CREDENTIAL_IN_PVOUTPUT,
    .max_events = MAX_STATUSES,
    .needs_zone = true,
    .kept_header = PVOUTPUT_SYSTEM_HEADER,
    .kept_as = PVOUTPUT_SYSTEM_FIELD,
    .parse = parse_batch,
    .answer = answer_batch,
    .answer_error = pvoutput_answer_error,
};

/* What OTLP's metrics and logs share: both encodings of a request, attributes as labels and as
 * JSON, the device that they name, and the answers (opentelemetry.io/docs/specs/otlp, OTLP/HTTP;
 * the messages are opentelemetry-proto's). Used by format_otlp_metrics and format_otlp_logs. */
#ifndef TIDEMARK_INGEST_OTLP_H
#define TIDEMARK_INGEST_OTLP_H

#include "base/json.h"
#include "base/proto.h"
#include "ingest/format.h"
#include "ingest/labels.h"

#define OTLP_JSON "application/json"
#define OTLP_PROTOBUF "application/x-protobuf"

/* More than other formats take: a collector sends what it was set to and drops what is refused. */
#define OTLP_MAX_ITEMS 100000

extern const char *const otlp_types[]; /* media types */

/* ---- requests ---- */

/* A message as its JSON names it; see otlp_json.c. */
struct otlp_message;
extern const struct otlp_message otlp_metrics_request, otlp_logs_request;

/* The body as protobuf: itself, or what its JSON says. ERR_MALFORMED. */
enum err otlp_body(struct http_request *request, struct str body,
                   const struct otlp_message *message, struct str *out) MUST_CHECK;

/* ---- attributes ---- */

/* Reads a KeyValue and adds it to the labels. Returns why it cannot be one, a literal, or NULL. */
const char *otlp_read_label(struct proto_reader message, struct arena *arena,
                            struct ingest_labels *labels);

/* The attributes of a Resource that tell things apart; what merely describes where they run
 * (telemetry.*, process.*, os.*, host.* but its name) is left out. Likewise. */
const char *otlp_read_resource(struct proto_reader message, struct arena *arena,
                               struct ingest_labels *labels);

/* Adds only what may name a device, by the convention or by the tenant's mapping (or NULL), or an
 * event, among the KeyValues that are the message's field `number`. Likewise. */
#define OTLP_EVENT_NAME "event.name"
struct otlp_names {
    const struct mapping *mapping;
    struct arena *arena;
    struct ingest_labels labels;
};
const char *otlp_read_names(struct proto_reader message, uint32_t number,
                            struct otlp_names *names);

/* Takes the device's key out of the labels: `device`, else `host.name`, `host`,
 * `service.instance.id`, `service.name`; of a token bound to a device `device` alone. */
struct str otlp_take_device(struct ingest_labels *labels, const struct ingest_rules *rules);

/* Writes an AnyValue as JSON; what is no text in it becomes U+FFFD. */
void otlp_write_value(struct json_writer *writer, struct proto_reader message);

/* Writes the attributes (KeyValue, field `number` of the message) as an object's members. */
void otlp_write_attributes(struct json_writer *writer, struct proto_reader message,
                           uint32_t number);

/* ---- answers, in the request's encoding ---- */

/* 200; with `rejected` as the name of the count where some were; a failure where all were. */
enum err otlp_answer(struct http_request *request, const struct ingest_outcome *outcome,
                     const char *rejected, struct http_response *response) MUST_CHECK;

/* A google.rpc.Status. */
void otlp_answer_error(struct http_request *request, struct http_response *response);

#endif

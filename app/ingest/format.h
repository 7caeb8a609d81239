/* What a format of ingest is: a parser from a request's body to columns, and the shape of its
 * answers. Everything between (limits, credentials, series, storing) is the service's, so a
 * new format is one file with one of these and a row in the list of URLs. */
#ifndef TIDEMARK_INGEST_FORMAT_H
#define TIDEMARK_INGEST_FORMAT_H

#include "auth/credential.h"
#include "http/request.h"
#include "http/response.h"
#include "ingest/columns.h"

/* What became of a request that was understood; it counts events. */
struct ingest_outcome {
    uint32_t accepted;   /* something of it was new */
    uint32_t duplicates; /* nothing was, and nothing changed */
    uint32_t updated;    /* a value was replaced */
    uint32_t rejected;
    const struct ingest_error *errors; /* of rejections, MAX_ITEM_ERRORS at most */
    int n_errors;
    bool is_dry_run;
};

struct ingest_format {
    const char *name;     /* in the log and the statistics */
    unsigned credentials; /* where its senders show them: a set of enum credential_place */
    uint32_t max_events;  /* of one request; 0: MAX_BATCH_EVENTS */
    bool needs_zone;      /* its times are local: rules.zone is the tenant's, loaded */
    /* Content types without parameters, in lower case, ended by NULL; "" allows none given.
     * NULL: any. */
    const char *const *media_types;

    /* Reads `body` into columns: columns_begin, the draft, columns_metric, then columns_end or
     * columns_reject for each item. Fails (ERR_MALFORMED, ERR_INVALID, ERR_TOO_LARGE) only
     * where the request as a whole is no good.
     *
     * What is rejected is kept, and may be replayed: read again with the request's method, address
     * (without credentials) and content type, but no header but kept_header, as of the time of its
     * arrival.
     * A format whose items can stand by themselves says the text of each by columns_source: a line
     * of line protocol, an object of a list (which `item` below reads). Where none is said the
     * whole body is kept, and the item taken out of it by its index; a body over MAX_REJECT_BYTES
     * is kept once for all its items; one over MAX_REJECT_WHOLE_BYTES, packed, is cut, and its
     * items cannot be replayed. */
    enum err (*parse)(struct http_request *request, struct str body,
                      struct ingest_columns *columns);

    /* A header that says what items mean, and the parameter that says the same: it is kept as
     * that. NULL: none. */
    const char *kept_header, *kept_as;

    /* The format of which an item's `source` is a whole body; NULL: this one. */
    const struct ingest_format *item;

    /* Answers a request that was stored, wholly or in part or not at all. A failure it returns
     * is answered by answer_error. */
    enum err (*answer)(struct http_request *request, const struct ingest_outcome *outcome,
                       struct http_response *response);

    /* Answers the failure recorded in request->op, in this convention's shape. */
    void (*answer_error)(struct http_request *request, struct http_response *response);
};

extern const struct ingest_format ingest_format_event;  /* POST /v1/event */
extern const struct ingest_format ingest_format_events; /* POST /v1/events/batch */
extern const struct ingest_format ingest_format_influx_1; /* POST /write */
extern const struct ingest_format ingest_format_influx_2; /* POST /api/v2/write */
extern const struct ingest_format ingest_format_influx_3; /* POST /api/v3/write_lp */
extern const struct ingest_format ingest_format_influx_health; /* failures of GET /health */
extern const struct ingest_format ingest_format_prometheus; /* POST /api/v1/write */
extern const struct ingest_format ingest_format_otlp_metrics; /* POST /v1/metrics */
extern const struct ingest_format ingest_format_otlp_logs; /* POST /v1/logs */
extern const struct ingest_format ingest_format_emoncms_post; /* /input/post */
extern const struct ingest_format ingest_format_emoncms_bulk; /* /input/bulk */
extern const struct ingest_format ingest_format_thingsboard_telemetry;  /* /api/v1/{token}/… */
extern const struct ingest_format ingest_format_thingsboard_attributes;
extern const struct ingest_format ingest_format_collectd; /* POST /collectd */
extern const struct ingest_format ingest_format_acquisuite; /* POST /acquisuite */
extern const struct ingest_format ingest_format_egauge; /* POST /egauge */
extern const struct ingest_format ingest_format_pvoutput_status; /* /service/r2/addstatus.jsp */
extern const struct ingest_format ingest_format_pvoutput_batch;  /* …/addbatchstatus.jsp */
extern const struct ingest_format ingest_format_pvoutput_output; /* …/addoutput.jsp */

/* Reads the event object where `reader` stands as the item `index`. An item that is no good is
 * rejected in the columns, also one whose text jsonb could not hold (the reader is past it
 * then). False when the rest of the input cannot be read: the reader's error says why. */
struct json_reader;
bool ingest_read_event(struct json_reader *reader, uint32_t index, struct ingest_columns *columns)
    MUST_CHECK;

/* Reads one line of NDJSON as the item `index`; a line that is not JSON is a rejected item. */
void ingest_read_event_line(struct str line, uint32_t index, struct ingest_columns *columns);

#endif

/* The native format on whatever bytes, as a list, an object around one, NDJSON, CSV and a single
 * event: it never reads beyond the body, and the columns it leaves hold together. Data it keeps
 * must be what the JSON reader takes for one object. */
#include "ingest_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };

    check_format(&ingest_format_event, "", body);
    check_format(&ingest_format_events, "application/json", body);
    check_format(&ingest_format_events, "application/x-ndjson", body);
    check_format(&ingest_format_events, "text/csv", body);
    return 0;
}

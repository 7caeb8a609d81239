/* Prometheus remote write on whatever bytes: it never reads beyond the body, and the columns it
 * leaves hold together. */
#include "ingest_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_format(&ingest_format_prometheus, "application/x-protobuf",
                 (struct str){ (const char *)data, size });
    return 0;
}

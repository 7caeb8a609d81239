/* ThingsBoard's telemetry and attributes on whatever bytes. */
#include "convention_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };

    fuzz_format(&ingest_format_thingsboard_telemetry, "/api/v1/{token}/telemetry",
                "/api/v1/tmk_x/telemetry", "application/json", body);
    fuzz_format(&ingest_format_thingsboard_attributes, "/api/v1/{token}/attributes",
                "/api/v1/tmk_x/attributes", "application/json", body);
    return 0;
}

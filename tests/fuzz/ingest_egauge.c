/* eGauge's pushes on whatever bytes. */
#include "convention_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format(&ingest_format_egauge, "/egauge", "/egauge", "text/xml",
                (struct str){ (const char *)data, size });
    return 0;
}

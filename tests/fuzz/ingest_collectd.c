/* collectd's value lists on whatever bytes. */
#include "convention_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_format(&ingest_format_collectd, "/collectd", "/collectd", "application/json",
                (struct str){ (const char *)data, size });
    return 0;
}

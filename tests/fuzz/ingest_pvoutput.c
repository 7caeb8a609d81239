/* PVOutput's statuses, batches and outputs on whatever bytes, as forms and as the query of a GET. */
#include "convention_fuzz.h"

#define FORM "application/x-www-form-urlencoded"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };

    fuzz_format(&ingest_format_pvoutput_status, "/service/r2/addstatus.jsp",
                "/service/r2/addstatus.jsp?sid=77", FORM, body);
    fuzz_format(&ingest_format_pvoutput_batch, "/service/r2/addbatchstatus.jsp",
                "/service/r2/addbatchstatus.jsp?sid=77&c1=1", FORM, body);
    fuzz_format(&ingest_format_pvoutput_output, "/service/r2/addoutput.jsp",
                "/service/r2/addoutput.jsp?sid=77", FORM, body);
    return 0;
}

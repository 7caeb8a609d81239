/* AcquiSuite's uploads on whatever bytes: as a whole form, and as the log within a good one. */
#include "convention_fuzz.h"

#define TYPE "multipart/form-data; boundary=b"
#define HEAD                                                                                   \
    "--b\nContent-Disposition: form-data; name=MODE\n\nLOGFILEUPLOAD\n"                        \
    "--b\nContent-Disposition: form-data; name=SERIALNUMBER\n\n444D50000879\n"                 \
    "--b\nContent-Disposition: form-data; name=LOGFILE; filename=x\n\n"
#define TAIL "\n--b--"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = { (const char *)data, size };
    struct arena *arena = arena_new(16u << 20);
    struct buf form;

    fuzz_format(&ingest_format_acquisuite, "/acquisuite", "/acquisuite", TYPE, body);
    buf_init(&form, arena, 8u << 20);
    buf_add_text(&form, HEAD);
    buf_add_str(&form, body);
    buf_add_text(&form, TAIL);
    if (!form.is_broken) {
        fuzz_format(&ingest_format_acquisuite, "/acquisuite", "/acquisuite", TYPE, buf_str(&form));
    }
    arena_free(arena);
    return 0;
}

/* CSV on whatever bytes, cut into records as import does: it never reads beyond them, and every
 * record is kept, rejected or blank. */
#include "ingest_check.h"

#include "base/csv.h"
#include "ingest/import_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct zone utc = { .name = "UTC" };
    struct arena *arena = arena_new(64u << 20);
    struct import_csv csv = { .zone = &utc };
    const struct ingest_rules rules = { .now_us = NOW_US, .oldest_us = INT64_MIN,
                                        .newest_us = NOW_US, .device = STR("d"),
                                        .max_events = UINT32_MAX };
    unsigned line = 1, lines;
    struct op op;

    require(crypto_open(), "libsodium starts");
    op_init(&op, arena, "fuzz");
    struct ingest_columns *columns = columns_new(&op, &rules);
    /* its own block, so that a read beyond it shows */
    char *text = malloc(size ? size : 1);
    memcpy(text, data, size);
    for (size_t at = 0; at < size;) {
        size_t len = csv_record((struct str){ text + at, size - at }, true, &lines);
        if (len == 0) {
            break;
        }
        require(len <= size - at && lines > 0, "a record ends within the text");
        if (csv.n_columns) {
            import_csv_record(&csv, text + at, len, line, columns);
        } else if (import_csv_header(&csv, &op, text + at, len)) {
            break;
        }
        line += lines;
        at += len;
    }
    check_columns(arena, columns);
    free(text);
    arena_free(arena);
    return 0;
}

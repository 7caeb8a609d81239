/* Utilities' files: whatever is sent is refused with a reason, or read into intervals that ascend,
 * each once a direction and length, within bounds. */
#include "domain/bill_compare.h"
#include "domain/bill_file.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static bool is_after(const struct bill_reading *reading, const struct bill_reading *before)
{
    if (reading->start_us != before->start_us) {
        return reading->start_us > before->start_us;
    }
    return reading->is_export != before->is_export ? reading->is_export
                                                   : reading->duration_s > before->duration_s;
}

static void check(const struct bill_file *file)
{
    int64_t from_us, to_us;

    require(file->n_readings <= BILL_FILE_MAX_READINGS, "too many readings");
    for (int i = 0; i < file->n_readings; i++) {
        const struct bill_reading *reading = &file->readings[i];
        require(reading->start_us >= 0 && reading->duration_s > 0, "a time is out of bounds");
        require(i == 0 || is_after(reading, reading - 1), "readings do not ascend");
    }
    for (int i = 0; i < file->n_summaries; i++) {
        require(file->summaries[i].duration_s > 0, "a summary without a period");
    }
    bill_file_span(file, &from_us, &to_us);
    require(from_us < to_us, "an empty span");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_new(64u << 20);
    struct bill_file file;
    struct op op;

    if (!arena) {
        return 0;
    }
    op_init(&op, arena, "fuzz");
    if (bill_file_read(&op, (struct str){ (const char *)data, size }, &file) == OK) {
        check(&file);
    } else {
        require(op.fault.detail[0] != '\0', "refused without a reason");
    }
    arena_free(arena);
    return 0;
}

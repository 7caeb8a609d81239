/* What the files of app/archive share: the schemas of the files, and one of them in the store. */
#ifndef TIDEMARK_ARCHIVE_PARTS_H
#define TIDEMARK_ARCHIVE_PARTS_H

#include "archive/archive.h"
#include "base/sha256.h"
#include "parquet/reader.h"
#include "parquet/writer.h"

/* Columns of samples, and of what voids them. */
enum {
    SAMPLE_TIME,
    SAMPLE_DEVICE,
    SAMPLE_METRIC,
    SAMPLE_VALUE,
    SAMPLE_UNIT,
    SAMPLE_SITE,
    SAMPLE_LABELS,
    SAMPLE_COLUMNS
};
enum { VOID_DEVICE, VOID_METRIC, VOID_LABELS, VOID_FROM, VOID_TO, VOID_COLUMNS };
extern const struct parquet_schema archive_samples, archive_voids;

/* A Parquet file on its way into the store; one of an archive at a time. */
struct archive_writing {
    struct archive *archive;
    struct store_put *put;
    struct parquet_writer *parquet;
};

/* Begins the object of that key; archive_file_end or archive_file_abort must follow. */
enum err archive_file_begin(struct archive *archive, const char *key,
                            const struct parquet_schema *schema,
                            struct archive_writing *out) MUST_CHECK;
/* Ends it with its notes and makes it visible; on a failure it is aborted. */
enum err archive_file_end(struct archive_writing *writing, const struct parquet_note *notes, int n,
                          struct store_written *out) MUST_CHECK;
void archive_file_abort(struct archive_writing *writing);

/* A file in the store, to be read. */
struct archive_reading {
    struct archive *archive;
    const char *object;
    struct parquet_source source;
    struct parquet_reader *parquet;
};

/* Opens a file of so many bytes, and refuses one of another schema. Memory is the archive's file
 * arena's. */
enum err archive_file_open(struct archive *archive, const char *object, int64_t n_bytes,
                           const struct parquet_schema *schema,
                           struct archive_reading *out) MUST_CHECK;

/* Whether its notes and the number of its rows are what is known of it; ERR_INVALID. */
enum err archive_file_check(struct archive_reading *reading,
                            const struct archive_file *file) MUST_CHECK;

/* Whether the file holds rows, else tombstones. */
static inline bool archive_is_rows(const struct archive_file *file)
{
    return strcmp(file->kind, "rows") == 0;
}

/* Moves a failure of the file's or the rows' operation to the caller's; returns `err`. */
enum err archive_fail(struct archive *archive, enum err err) MUST_CHECK;

#endif

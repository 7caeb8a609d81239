/* GET and HEAD of a file of the archive. */
#include "transfer/transfer.h"

#include "domain/archived.h"
#include "transfer/download.h"
#include "web/by_id.h"

static const char *file_name(struct arena *arena, const struct archived *file)
{
    bool is_rows = strcmp(file->kind, "rows") == 0;

    return arena_printf(arena, "%s-%s-%d%s.parquet", file->table, file->day, file->n,
                        is_rows ? "" : "-tombstones");
}

enum err transfer_archives_show(struct web *web)
{
    struct archived file;
    int64_t id;
    enum err err = by_id_capture(web, ARCHIVED_NONE, &id);

    if (err == OK) {
        err = web->own->begin(web, false);
    }
    if (err == OK) {
        err = web->own->end(web, archived_find(web->tx, id, &file));
    }
    if (err != OK) {
        return err;
    }
    const struct upload sent = {
        .key = file.object, .name = file_name(web->op->arena, &file), .size = file.n_bytes,
        .type = "application/vnd.apache.parquet", .sha256 = file.sha256,
    };
    return sent.name != NULL ? download_answer(web, &sent) : fail_memory(web->op);
}

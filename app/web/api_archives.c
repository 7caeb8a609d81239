/* /v1/archives: what of the tenant is in the archive, and days that are wanted back. The files
 * themselves are transfer/'s. */
#include "web/api.h"

#include "domain/archived.h"
#include "web/by_id.h"

static const char *const COLUMNS[] = {
    "id",     "table",       "day",         "number", "kind",    "rows",    "bytes",
    "sha256", "archived_at", "verified_at", "place",  "restore", "problem",
};
#define N_COLUMNS ((int)(sizeof COLUMNS / sizeof *COLUMNS))

static void write_file(struct list_writer *list, const struct archived *file)
{
    list_item(list);
    list_int(list, file->id);
    list_text(list, file->table);
    list_text(list, file->day);
    list_int(list, file->n);
    list_text(list, file->kind);
    list_int(list, file->n_rows);
    list_int(list, file->n_bytes);
    list_text(list, file->sha256);
    list_time(list, file->archived_us);
    list_time(list, file->verified_us);
    list_text(list, file->place);
    list_text(list, file->wish);
    list_text(list, file->problem);
    list_end_item(list);
}

enum err api_archives_list(struct web *web)
{
    struct archived_list files;
    struct list_writer list;
    int64_t before = 0;
    int limit = 0;
    enum err err = by_id_span(web, CURSOR_ARCHIVES, &limit, &before);

    if (err == OK) {
        err = archived_list(web->tx, before, limit + 1, &files);
    }
    if (err == OK) {
        err = list_begin(&list, web, COLUMNS, N_COLUMNS);
    }
    if (err != OK) {
        return err;
    }
    int n = files.n > limit ? limit : files.n;
    for (int i = 0; i < n; i++) {
        write_file(&list, &files.items[i]);
    }
    return by_id_end(&list, CURSOR_ARCHIVES, files.n > limit ? files.items[n - 1].id : 0);
}

enum err api_archives_restore(struct web *web)
{
    struct archived file;
    struct list_writer item;
    bool is_there = false;
    int64_t id;
    enum err err = by_id_capture(web, ARCHIVED_NONE, &id);

    if (err == OK) {
        err = archived_restore(web->tx, id, &is_there);
    }
    if (err == OK) {
        err = archived_find(web->tx, id, &file);
    }
    if (err == OK) {
        list_single(&item, web, COLUMNS, N_COLUMNS);
        write_file(&item, &file);
        web->response->status = is_there ? 200 : 202;
    }
    return err;
}

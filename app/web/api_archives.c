/* /v1/archives: what of the tenant is in the archive, files that are to be verified, and days that
 * are wanted back. The files themselves are transfer/'s. */
#include "web/api.h"

#include "domain/archived.h"
#include "domain/span.h"
#include "web/by_id.h"

static const char *const COLUMNS[] = {
    "id",     "table",       "day",         "number", "kind",    "rows",    "bytes",
    "sha256", "archived_at", "verified_at", "place",  "restore", "problem", "verify", "checked_at",
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
    list_text(list, file->verify);
    if (file->checked_us == ARCHIVED_UNCHECKED) {
        list_null(list);
    } else {
        list_time(list, file->checked_us);
    }
    list_end_item(list);
}

#define NO_DAY INT64_MIN

/* A day of the query as the list takes it; NULL when absent. */
static enum err read_day(struct web *web, const char *name, int64_t *day, const char **out)
{
    enum err err = web_query_day(web, name, NO_DAY, day);

    *out = err == OK && *day != NO_DAY ? span_day_text(web->op->arena, *day) : NULL;
    return err == OK && *day != NO_DAY && !*out ? fail_memory(web->op) : err;
}

static enum err read_filter(struct web *web, int *limit, struct archived_filter *out)
{
    int64_t from = NO_DAY, to = NO_DAY;
    enum err err = by_id_span(web, CURSOR_ARCHIVES, limit, &out->before_id);

    out->table = web_query_text(web, "table");
    err = err ? err : read_day(web, "from", &from, &out->from_day);
    err = err ? err : read_day(web, "to", &to, &out->to_day);
    if (err == OK && to != NO_DAY && to < from) {
        err = fail(web->op, ERR_INVALID, "to: must not be before from");
    }
    return err;
}

enum err api_archives_list(struct web *web)
{
    struct archived_filter filter;
    struct archived_list files;
    struct list_writer list;
    int limit = 0;
    enum err err = read_filter(web, &limit, &filter);

    if (err == OK) {
        err = archived_list(web->tx, &filter, limit + 1, &files);
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

/* Answers with the file as it is. */
static enum err show_file(struct web *web, int64_t id, int status)
{
    struct archived file;
    struct list_writer item;
    enum err err = archived_find(web->tx, id, &file);

    if (err == OK) {
        list_single(&item, web, COLUMNS, N_COLUMNS);
        write_file(&item, &file);
        web->response->status = status;
    }
    return err;
}

enum err api_archives_verify(struct web *web)
{
    int64_t id;
    enum err err = by_id_capture(web, ARCHIVED_NONE, &id);

    err = err ? err : archived_verify(web->tx, id);
    return err ? err : show_file(web, id, 202);
}

enum err api_archives_restore(struct web *web)
{
    bool is_there = false;
    int64_t id;
    enum err err = by_id_capture(web, ARCHIVED_NONE, &id);

    err = err ? err : archived_restore(web->tx, id, &is_there);
    return err ? err : show_file(web, id, is_there ? 200 : 202);
}

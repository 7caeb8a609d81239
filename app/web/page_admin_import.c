/* /admin/devices/import: devices as CSV. The first step shows what would become of each row and
 * stores nothing; the second stores the good rows in one transaction, and only of the text that
 * was shown. */
#include "web/form_input.h"
#include "web/page.h"
#include "web/pages.h"

#include "base/crypto.h"
#include "base/limits.h"
#include "domain/device_import.h"
#include "gen/templates.h"

#define ROWS_SHOWN 200

static void add_field(struct admin_import_view *view)
{
    view->text = (struct field_view){
        .name = "text", .label = "The list", .type = "textarea", .is_required = true,
        .is_code = true, .rows = 10, .max_bytes = MAX_LIST_BODY_BYTES,
        .hint = "CSV. The first line names columns: key, and any of name, model, site, timezone "
                "and config. An empty cell keeps what is there. A time zone makes a site that is "
                "not there yet.",
    };
}

static enum err show(struct web *web, struct admin_import_view *view)
{
    view->page = page_view(web, "Import devices", "/admin/devices");
    page_is_html(web);
    tpl_page_admin_import(&web->response->body, view);
    return OK;
}

enum err page_admin_import(struct web *web)
{
    struct admin_import_view view = { .is_preview = false };

    add_field(&view);
    return show(web, &view);
}

/* ---- the preview ---- */

/* What tells one text from another, so that no other is stored than was shown. */
static const char *mark_of(struct arena *arena, struct str text)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    char hex[CRYPTO_HASH_BYTES * 2 + 1];

    crypto_sha256(text, hash);
    crypto_hex(hash, sizeof hash, hex);
    return arena_copy(arena, str_of(hex));
}

static const char *cell(struct arena *arena, const struct device_import_row *row,
                        enum device_column column)
{
    return row->cells[column].ptr ? arena_copy(arena, row->cells[column]) : NULL;
}

static struct import_row row_view(struct arena *arena, const struct device_import_row *row)
{
    static const struct {
        const char *word, *state_class;
    } FATES[N_DEVICE_FATES] = {
        [DEVICE_REFUSED] = { "Wrong", "silent" },
        [DEVICE_ADDED] = { "New", "live" },
        [DEVICE_CHANGED] = { "Changes", "late" },
        [DEVICE_SAME] = { "As it is", "" },
    };

    return (struct import_row){
        .line = row->line,
        .key = cell(arena, row, DEVICE_COLUMN_KEY),
        .name = cell(arena, row, DEVICE_COLUMN_NAME),
        .model = cell(arena, row, DEVICE_COLUMN_MODEL),
        .site = cell(arena, row, DEVICE_COLUMN_SITE),
        .config = cell(arena, row, DEVICE_COLUMN_CONFIG),
        .fate = FATES[row->fate].word,
        .state_class = FATES[row->fate].state_class,
        .problem = row->problem,
    };
}

/* "3 new, 1 changed, 2 wrong", without those that there are none of. */
static const char *summary_of(struct arena *arena, const struct device_import *list)
{
    const struct {
        int n;
        const char *word;
    } PARTS[] = {
        { list->counts[DEVICE_ADDED], "new" },
        { list->counts[DEVICE_CHANGED], "changed" },
        { list->counts[DEVICE_SAME], "as they are" },
        { list->counts[DEVICE_REFUSED], "wrong" },
    };
    const char *text = "";

    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS && text; i++) {
        if (PARTS[i].n > 0) {
            text = arena_printf(arena, "%s%s%d %s", text, text[0] ? ", " : "", PARTS[i].n,
                                PARTS[i].word);
        }
    }
    return text;
}

/* The wrong rows first: they are what one looks for. */
static enum err add_rows(struct web *web, const struct device_import *list,
                         struct admin_import_view *view)
{
    struct arena *arena = web->op->arena;
    struct import_row *rows = arena_array(arena, ROWS_SHOWN, sizeof *rows);
    int n = 0;

    if (!rows) {
        return fail_memory(web->op);
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < list->n && n < ROWS_SHOWN; i++) {
            if ((list->rows[i].fate == DEVICE_REFUSED) == (pass == 0)) {
                rows[n++] = row_view(arena, &list->rows[i]);
            }
        }
    }
    view->rows = rows;
    view->n_rows = n;
    view->n_more = list->n - n;
    view->n_good = list->counts[DEVICE_ADDED] + list->counts[DEVICE_CHANGED];
    view->summary = summary_of(arena, list);
    view->is_preview = true;
    return OK;
}

/* Shows the form again with what is wrong with the whole text. */
static enum err reject(struct web *web, struct admin_import_view *view)
{
    view->notice = form_rejected(web, &view->text, 1);
    return show(web, view);
}

enum err page_admin_import_post(struct web *web)
{
    struct admin_import_view view = { .is_preview = false };
    struct device_import list = { .n = 0 };
    bool is_asked = str_equal(web_form(web, "step"), STR("import"));

    add_field(&view);
    if (!form_take(web, &view.text, 1)) {
        return reject(web, &view);
    }
    struct str text = str_of(view.text.value);
    enum err err = device_import_read(web->op, text, &list);
    if (err == ERR_INVALID) {
        view.text.error = arena_copy(web->op->arena, str_of(web->op->fault.detail));
        op_clear_fault(web->op);
        return reject(web, &view);
    }
    view.seen = mark_of(web->op->arena, text);
    bool is_seen = view.seen && str_equal(web_form(web, "seen"), str_of(view.seen));
    if (err == OK) {
        err = device_import_run(web->tx, NULL, !(is_asked && is_seen), &list);
    }
    if (err == OK && is_asked && is_seen) {
        return form_done(web, "/admin/devices", "imported");
    }
    if (err == OK && is_asked) {
        view.notice = (struct notice_view){
            "The list was changed after the preview. Nothing is stored yet: look at it again.",
            "warn",
        };
    }
    if (err == OK) {
        err = add_rows(web, &list, &view);
    }
    return err == OK ? show(web, &view) : err;
}

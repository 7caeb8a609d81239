/* Lists of devices: CSV to rows, rows to the database and their fates back. Called by the page
 * of the import and by `tidemark device import`. */
#include "domain/device_import.h"

#include "base/csv.h"
#include "db/db.h"
#include "gen/queries.h"

#define MAX_FIELDS 32 /* of a record; more than there are columns, to say which is too many */

const char *const DEVICE_COLUMNS[N_DEVICE_COLUMNS] = { "key",  "name",     "model",
                                                       "site", "timezone", "config" };

/* ---- reading ---- */

struct reader {
    struct op *op;
    char *at, *end;     /* a copy that is unquoted in place */
    unsigned line;      /* where `at` is, from 1 */
    enum device_column columns[N_DEVICE_COLUMNS]; /* of the header, in its order */
    int n_columns;
};

/* Cuts the next record that is not blank. The number of its fields, 0 at the end, -1 where it
 * cannot be cut; *line is where it begins. */
static int next_record(struct reader *reader, struct str *fields, unsigned *line)
{
    int n = 0;

    while (n == 0 && reader->at < reader->end) {
        unsigned lines = 0;
        struct str rest = { reader->at, (size_t)(reader->end - reader->at) };
        size_t len = csv_record(rest, true, &lines);
        *line = reader->line;
        if (len == 0) { /* a quote that is not closed takes all the rest */
            reader->at = reader->end;
            return -1;
        }
        n = csv_split(reader->at, len, fields, MAX_FIELDS);
        reader->at += len;
        reader->line += lines;
    }
    return n;
}

static enum err read_column(struct reader *reader, struct str name)
{
    for (int i = 0; i < N_DEVICE_COLUMNS; i++) {
        if (!str_equal_nocase(name, str_of(DEVICE_COLUMNS[i]))) {
            continue;
        }
        for (int k = 0; k < reader->n_columns; k++) {
            if ((int)reader->columns[k] == i) {
                return fail(reader->op, ERR_INVALID, "The column “%s” is there twice.",
                            DEVICE_COLUMNS[i]);
            }
        }
        reader->columns[reader->n_columns++] = (enum device_column)i;
        return OK;
    }
    return fail(reader->op, ERR_INVALID,
                "“%.*s” in the first line is no column. There are key, name, model, site, "
                "timezone and config, separated by commas.",
                (int)(name.len < 64 ? name.len : 64), name.ptr ? name.ptr : "");
}

static enum err read_header(struct reader *reader)
{
    struct str fields[MAX_FIELDS];
    unsigned line;
    int n = next_record(reader, fields, &line);

    if (n <= 0) {
        return fail(reader->op, ERR_INVALID, "%s",
                    n < 0 ? "The first line cannot be read: a quote is not closed."
                          : "There is nothing in the list.");
    }
    for (int i = 0; i < n; i++) {
        enum err err = read_column(reader, str_trim(fields[i]));
        if (err != OK) {
            return err;
        }
    }
    for (int i = 0; i < reader->n_columns; i++) {
        if (reader->columns[i] == DEVICE_COLUMN_KEY) {
            return OK;
        }
    }
    return fail(reader->op, ERR_INVALID, "The first line names no column “key”.");
}

static void read_row(const struct reader *reader, const struct str *fields, int n,
                     struct device_import_row *row)
{
    if (n < 0) {
        row->problem = "cannot be read: a quote is out of place, or there are too many cells";
        return;
    }
    if (n > reader->n_columns) {
        row->problem = "has more cells than there are columns";
        return;
    }
    for (int i = 0; i < n; i++) {
        struct str cell = str_trim(fields[i]);
        if (cell.len > 0) {
            row->cells[reader->columns[i]] = cell;
        }
    }
}

static enum err read_rows(struct reader *reader, struct device_import *out)
{
    struct str fields[MAX_FIELDS];
    unsigned line;
    int n, room = 0;

    while ((n = next_record(reader, fields, &line)) != 0) {
        if (out->n == DEVICE_IMPORT_MAX_ROWS) {
            return fail(reader->op, ERR_INVALID,
                        "The list has more than %d devices. Import it in parts.",
                        DEVICE_IMPORT_MAX_ROWS);
        }
        if (out->n == room) {
            int more = room > 0 ? room * 2 : 64;
            void *rows = arena_resize(reader->op->arena, out->rows,
                                      (size_t)room * sizeof *out->rows,
                                      (size_t)more * sizeof *out->rows);
            if (!rows) {
                return fail_memory(reader->op);
            }
            out->rows = rows;
            room = more;
        }
        out->rows[out->n] = (struct device_import_row){ .line = line };
        read_row(reader, fields, n, &out->rows[out->n++]);
    }
    return out->n > 0 ? OK
                      : fail(reader->op, ERR_INVALID,
                             "The list has a first line, but no device.");
}

enum err device_import_read(struct op *op, struct str text, struct device_import *out)
{
    static const struct str MARK = STR_INIT("\xEF\xBB\xBF"); /* what spreadsheets begin with */
    struct reader reader = { .op = op, .line = 1 };

    *out = (struct device_import){ .n = 0 };
    if (!str_is_utf8(text)) {
        return fail(op, ERR_INVALID, "The list is not UTF-8 text.");
    }
    if (str_starts_with(text, MARK)) {
        text = (struct str){ text.ptr + MARK.len, text.len - MARK.len };
    }
    reader.at = arena_copy(op->arena, text);
    if (!reader.at) {
        return fail_memory(op);
    }
    reader.end = reader.at + text.len;
    enum err err = read_header(&reader);
    return err == OK ? read_rows(&reader, out) : err;
}

/* ---- running ---- */

/* One column of the rows that could be read, as an array. */
static bool add_column(struct db_args *args, const struct device_import *list, int column)
{
    struct str *values = arena_array(args->arena, (size_t)list->n, sizeof *values);
    size_t n = 0;

    for (int i = 0; values && i < list->n; i++) {
        if (!list->rows[i].problem) {
            values[n++] = list->rows[i].cells[column];
        }
    }
    if (values) {
        db_arg_str_array(args, values, n);
    }
    return values != NULL;
}

static enum device_fate fate_of(const char *action)
{
    return strcmp(action, "add") == 0      ? DEVICE_ADDED
           : strcmp(action, "change") == 0 ? DEVICE_CHANGED
           : strcmp(action, "same") == 0   ? DEVICE_SAME
                                           : DEVICE_REFUSED;
}

enum err device_import_run(struct db_tx *tx, const char *tenant_slug, bool is_trial,
                           struct device_import *list)
{
    struct db_rows *rows;
    struct db_args args;
    int told = 0;

    db_args_init(&args, db_op(tx)->arena);
    for (int column = 0; column < N_DEVICE_COLUMNS; column++) {
        if (!add_column(&args, list, column)) {
            return fail_memory(db_op(tx));
        }
    }
    db_arg_bool(&args, is_trial);
    if (tenant_slug) {
        db_arg_text(&args, tenant_slug);
    }
    enum err err =
        db_run(tx, tenant_slug ? &q_operator_device_import : &q_device_import, &args, &rows);
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < list->n; i++) {
        struct device_import_row *row = &list->rows[i];
        if (!row->problem && told < db_count(rows)) {
            row->fate = fate_of(db_text(rows, told, DEVICE_IMPORT_ACTION));
            row->problem = db_text(rows, told, DEVICE_IMPORT_PROBLEM);
            told++;
        }
        list->counts[row->fate]++;
    }
    return OK;
}

/* Counting and comparing tables. */
#include "backup/tables.h"

#include "gen/queries.h"

enum err tables_read(struct db_tx *tx, struct tables *out)
{
    struct op *op = db_op(tx);
    struct db_rows *rows;
    enum err err = db_run(tx, &q_backup_settle, NULL, NULL);

    err = err ? err : db_run(tx, &q_backup_count, NULL, &rows);
    if (err != OK) {
        return err;
    }
    *out = (struct tables){ .n = db_count(rows) };
    out->list = arena_array(op->arena, (size_t)out->n + 1, sizeof *out->list);
    for (int i = 0; out->list && i < out->n; i++) {
        struct backup_table *table = &out->list[i];
        table->name = arena_copy(op->arena, db_str(rows, i, BACKUP_COUNT_RELATION));
        table->n_rows = db_int64(rows, i, BACKUP_COUNT_N);
        table->sum = arena_copy(op->arena, db_str(rows, i, BACKUP_COUNT_CHECKSUM));
        out->n_rows += table->n_rows;
        if (!table->name || !table->sum) {
            return fail_memory(op);
        }
    }
    return out->list ? OK : fail_memory(op);
}

static const struct backup_table *find(const struct tables *tables, const char *name)
{
    for (int i = 0; i < tables->n; i++) {
        if (strcmp(tables->list[i].name, name) == 0) {
            return &tables->list[i];
        }
    }
    return NULL;
}

enum err tables_compare(struct op *op, const struct backup *backup, const struct tables *found,
                        int major, bool *has_sums)
{
    *has_sums = major == backup->server_major && backup->n_tables > 0 && backup->tables[0].sum;
    for (int i = 0; i < backup->n_tables; i++) {
        const struct backup_table *wanted = &backup->tables[i];
        const struct backup_table *table = find(found, wanted->name);
        if (!table) {
            return fail(op, ERR_INTERNAL, "%s is missing after the restore", wanted->name);
        }
        if (table->n_rows != wanted->n_rows) {
            return fail(op, ERR_INTERNAL, "%s has %lld rows after the restore, not %lld",
                        wanted->name, (long long)table->n_rows, (long long)wanted->n_rows);
        }
        if (*has_sums && strcmp(table->sum, wanted->sum) != 0) {
            return fail(op, ERR_INTERNAL,
                        "the rows of %s are others after the restore: their checksum differs",
                        wanted->name);
        }
    }
    return OK;
}

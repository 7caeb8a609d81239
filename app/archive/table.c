/* The list of the tables that are archived. */
#include "archive/table.h"

static const struct archive_table *const tables[] = {
    &archive_table_samples,
    &archive_table_events,
    &archive_table_costs,
};
#define N_TABLES ((int)(sizeof tables / sizeof *tables))

const struct archive_table *archive_table_at(int at)
{
    return at < N_TABLES ? tables[at] : NULL;
}

const struct archive_table *archive_table_named(const char *name)
{
    for (int i = 0; i < N_TABLES; i++) {
        if (strcmp(tables[i]->name, name) == 0) {
            return tables[i];
        }
    }
    return NULL;
}

enum err archive_table_find(struct op *op, const char *name, const struct archive_table **out)
{
    *out = archive_table_named(name);
    return *out != NULL ? OK : fail(op, ERR_INTERNAL, "%s: no table of the archive", name);
}

/* Names of series, in a table of open addresses by the series' number. */
#include "archive/names.h"

#include "gen/queries.h"

#define FIRST_PLACES 1024  /* a power of two */

void archive_names_init(struct archive_names *names, struct arena *arena)
{
    *names = (struct archive_names){ .arena = arena };
}

void archive_names_forget(struct archive_names *names)
{
    arena_reset(names->arena);
    *names = (struct archive_names){ .arena = names->arena };
}

/* The place of the series, or the free one where it would be; there is always a free one. */
static size_t place_of(const struct archive_names *names, int32_t id)
{
    size_t mask = names->n_places - 1;
    size_t at = (size_t)id * 2654435761u & mask;

    while (names->places[at].id != 0 && names->places[at].id != id) {
        at = (at + 1) & mask;
    }
    return at;
}

const struct archive_name *archive_names_find(const struct archive_names *names, int32_t id)
{
    if (names->n_places == 0) {
        return NULL;
    }
    const struct archive_name *name = &names->places[place_of(names, id)];
    return name->id == id ? name : NULL;
}

/* Makes room for `more` at half the places. */
static bool reserve(struct archive_names *names, size_t more)
{
    struct archive_names grown = *names;
    size_t least = 2 * (names->n + more) + 1;

    if (names->n_places >= least) {
        return true;
    }
    grown.n_places = FIRST_PLACES;
    while (grown.n_places < least) {
        grown.n_places *= 2;
    }
    grown.places = arena_array(names->arena, grown.n_places, sizeof *grown.places);
    if (grown.places == NULL) {
        return false;
    }
    for (size_t i = 0; i < names->n_places; i++) {
        if (names->places[i].id != 0) {
            grown.places[place_of(&grown, names->places[i].id)] = names->places[i];
        }
    }
    *names = grown;
    return true;
}

static bool copy(struct archive_names *names, struct str text, struct str *out)
{
    *out = text;
    if (text.ptr != NULL) {
        out->ptr = arena_copy(names->arena, text);
    }
    return text.ptr == NULL || out->ptr != NULL;
}

static bool add(struct archive_names *names, const struct db_rows *rows, int at)
{
    struct archive_name name = { .id = db_int(rows, at, ARCHIVE_SERIES_SERIES_ID) };
    bool is_copied = copy(names, db_str(rows, at, ARCHIVE_SERIES_DEVICE), &name.device) &&
                     copy(names, db_str(rows, at, ARCHIVE_SERIES_METRIC), &name.metric) &&
                     copy(names, db_str(rows, at, ARCHIVE_SERIES_UNIT), &name.unit) &&
                     copy(names, db_str(rows, at, ARCHIVE_SERIES_SITE), &name.site) &&
                     copy(names, db_str(rows, at, ARCHIVE_SERIES_LABELS), &name.labels);

    if (is_copied) {
        names->places[place_of(names, name.id)] = name;
        names->n++;
    }
    return is_copied;
}

/* Adds those of the ids that are not known. *is_full: there is no memory for them. */
static enum err add_missing(struct archive_names *names, struct op *op, struct db_tx *tx,
                            int32_t *ids, size_t n, bool *is_full)
{
    struct db_args args;
    struct db_rows *rows;
    size_t n_missing = 0;

    *is_full = false;
    for (size_t i = 0; i < n; i++) {
        int32_t id = ids[i];
        if (archive_names_find(names, id) == NULL) {
            ids[i] = ids[n_missing];
            ids[n_missing++] = id;
        }
    }
    if (n_missing == 0) {
        return OK;
    }
    db_args_init(&args, op->arena);
    db_arg_int_array(&args, ids, n_missing);
    enum err err = db_run(tx, &q_archive_series, &args, &rows);
    if (err != OK) {
        return err;
    }
    *is_full = !reserve(names, (size_t)db_count(rows));
    for (int i = 0; !*is_full && i < db_count(rows); i++) {
        *is_full = !add(names, rows, i);
    }
    return OK;
}

enum err archive_names_load(struct archive_names *names, struct op *op, struct db_tx *tx,
                            int32_t *ids, size_t n)
{
    bool is_full;
    enum err err = add_missing(names, op, tx, ids, n, &is_full);

    if (err == OK && is_full) {
        archive_names_forget(names);
        err = add_missing(names, op, tx, ids, n, &is_full);
    }
    return err == OK && is_full ? fail_memory(op) : err;
}

/* Lists of the directory store: a walk through its folders in the order of keys. Symbolic links to
 * folders are followed, as they are where keys are read and written. What cannot be read is a
 * failure, and so is a link that leads nowhere (a disk that is not mounted) or back to a folder
 * that it is in; what is removed meanwhile is not there. */
#include "objects/dir.h"

#include <fts.h>

struct listing {
    const char *root;
    size_t root_len; /* of paths, with the slash */
    struct str prefix, after;
    int max;
    struct store_page *page;
    bool is_full;
};

static unsigned char byte_at(const FTSENT *entry, size_t at)
{
    if (at < entry->fts_namelen) {
        return (unsigned char)entry->fts_name[at];
    }
    return entry->fts_info == FTS_D && at == entry->fts_namelen ? '/' : '\0';
}

/* The order of keys: a folder stands where its name with a slash does. */
static int compare_entries(const FTSENT **a, const FTSENT **b)
{
    for (size_t i = 0;; i++) {
        unsigned char left = byte_at(*a, i), right = byte_at(*b, i);
        if (left != right || left == '\0') {
            return (int)left - (int)right;
        }
    }
}

static int compare_keys(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* That a folder ("a/b/") may hold keys of the prefix that come after `after`. */
static bool is_worth_entering(const struct listing *listing, struct str folder)
{
    return (str_starts_with(folder, listing->prefix) || str_starts_with(listing->prefix, folder)) &&
           (compare_keys(folder, listing->after) > 0 || str_starts_with(listing->after, folder));
}

static enum err note_object(struct listing *listing, struct op *op, struct str key,
                            const struct stat *status)
{
    struct store_page *page = listing->page;

    if (!str_starts_with(key, listing->prefix) || compare_keys(key, listing->after) <= 0) {
        return OK;
    }
    if (page->n == listing->max) {
        listing->is_full = true;
        page->next = page->objects[page->n - 1].key;
        return OK;
    }
    char *copy = arena_copy(op->arena, key);
    page->objects[page->n++] = (struct store_object){ copy, status->st_size,
                                                        dir_modified_us(status) };
    return copy ? OK : fail_memory(op);
}

static enum err take_entry(struct listing *listing, struct op *op, FTS *tree, FTSENT *entry)
{
    struct str key = { entry->fts_path + listing->root_len, 0 };

    if (entry->fts_level == FTS_ROOTLEVEL) {
        return OK;
    }
    key.len = strlen(key.ptr);
    if (entry->fts_name[0] == '.') {
        (void)fts_set(tree, entry, FTS_SKIP);
    } else if (entry->fts_info == FTS_D) {
        char *folder = arena_printf(op->arena, "%s/", key.ptr);
        if (!folder) {
            return fail_memory(op);
        }
        if (!is_worth_entering(listing, str_of(folder))) {
            (void)fts_set(tree, entry, FTS_SKIP);
        }
    } else if (entry->fts_info == FTS_F) {
        return note_object(listing, op, key, entry->fts_statp);
    }
    return OK;
}

/* Why the entry or what is in it is not known, as an errno; 0: it is known, or there is none. */
static int unread(const FTSENT *entry)
{
    bool is_object = entry->fts_name[0] != '.' || entry->fts_level == FTS_ROOTLEVEL;
    if (is_object && (entry->fts_info == FTS_SLNONE || entry->fts_info == FTS_DC)) {
        return entry->fts_info == FTS_DC ? ELOOP : ENOENT;
    }
    bool is_unread = entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
                     entry->fts_info == FTS_NS;
    bool is_none = entry->fts_errno == ENOENT || entry->fts_errno == ENOTDIR;

    return is_unread && !is_none ? entry->fts_errno : 0;
}

static enum err walk(struct listing *listing, struct op *op, FTS *tree)
{
    enum err err = OK;
    FTSENT *entry;

    while (err == OK && !listing->is_full) {
        errno = 0;
        entry = fts_read(tree);
        if (entry) {
            errno = unread(entry);
        }
        if (errno != 0) {
            return dir_fail(op, "list", entry ? entry->fts_path : listing->root);
        }
        if (!entry) {
            return OK;
        }
        err = take_entry(listing, op, tree, entry);
    }
    return err;
}

/* The folder that the prefix leads into: the root, or as far as its last slash. */
static char *first_folder(const struct dir_store *store, struct arena *arena, const char *prefix)
{
    const char *slash = strrchr(prefix, '/');

    return slash ? arena_printf(arena, "%s/%.*s", store->root, (int)(slash - prefix), prefix)
                 : arena_copy(arena, str_of(store->root));
}

enum err dir_list(void *self, struct op *op, const char *prefix, const char *after, int max,
                         struct store_page *out)
{
    const struct dir_store *store = self;
    struct listing listing = { store->root, strlen(store->root) + 1, str_of(prefix), str_of(after),
                               max, out, false };
    char *paths[2] = { first_folder(store, op->arena, prefix), NULL };

    *out = (struct store_page){ .objects =
                                    arena_array(op->arena, (size_t)max, sizeof *out->objects) };
    if (!paths[0] || !out->objects) {
        return fail_memory(op);
    }
    enum err err = dir_check(store, op, true);
    if (err != OK) {
        return err;
    }
    FTS *tree = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, compare_entries);
    if (!tree) {
        return dir_fail(op, "list", paths[0]);
    }
    err = walk(&listing, op, tree);
    fts_close(tree);
    return err ? err : dir_check(store, op, true); /* its disk may have gone meanwhile */
}

/* The directory store: an object is the file of its key's path below the root. It is written under
 * `.put/`, brought to the disk, and renamed, so that what has a key's path is whole. Keys begin no
 * segment with a dot (store.h), so none can reach `.put` or climb out. A root without `.put` is no
 * store: it is another folder, or where a disk is to be mounted, and store_prepare alone makes
 * either. Lists are dir_list.c's. Called by store.c. */
#include "objects/dir.h"

#include "base/clock.h"

#include <dirent.h>

#define PUT_DIR ".put"
#define PIECE_BYTES (64u << 10) /* read at a time */
#define RENAME_TRIES 5          /* while somebody removes the folder, which was empty */

struct dir_put {
    struct arena *arena;
    struct dir_store *store;
    const char *temporary, *path; /* absolute */
    int fd;                       /* -1 once closed */
};

/* ---- paths ---- */

enum err dir_fail(struct op *op, const char *verb, const char *path)
{
    bool is_refused = errno == EACCES || errno == EPERM || errno == EROFS;

    return fail(op, is_refused ? ERR_INTERNAL : ERR_UNAVAILABLE, "cannot %s %s: %s", verb, path,
                strerror(errno));
}

/* "<root>/<name>" in the arena, NULL without memory. */
static char *path_of(const struct dir_store *store, struct arena *arena, const char *name)
{
    return arena_printf(arena, "%s/%s", store->root, name);
}

/* Brings a folder's entries to the disk. */
static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_synced = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return is_synced;
}

/* What root makes is given to whom the folder belongs that it is in: a store is one user's, whoever
 * runs a command by hand. `path` is changed meanwhile; no link is followed at its end. */
static bool give(char *path)
{
    char *slash = strrchr(path, '/');
    struct stat folder;

    if (geteuid() != 0 || !slash || slash == path) {
        return true;
    }
    *slash = '\0';
    bool is_found = stat(path, &folder) == 0;
    *slash = '/';
    return is_found &&
           fchownat(AT_FDCWD, path, folder.st_uid, folder.st_gid, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Makes the folders above the file `path`, but none of its first `there` bytes; it is changed
 * meanwhile and put right again. What was made is on the disk: each folder it was made in is
 * brought there. */
static bool make_folders(char *path, size_t there)
{
    for (char *slash = strchr(path + there + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool is_made = mkdir(path, 0750) == 0;
        bool is_there = is_made ? give(path) : errno == EEXIST;
        char *above = is_made ? strrchr(path, '/') : NULL;
        if (is_there && above && above > path) {
            *above = '\0';
            is_there = sync_folder(path);
            *above = '/';
        }
        *slash = '/';
        if (!is_there) {
            return false;
        }
    }
    return true;
}

/* Brings the entry of `path` in its folder to the disk. */
static bool sync_entry(char *path)
{
    char *slash = strrchr(path, '/');

    *slash = '\0';
    bool is_synced = sync_folder(path);
    *slash = '/';
    return is_synced;
}

/* Removes the folders above `path` that are empty, below the root. */
static void remove_folders(const struct dir_store *store, char *path)
{
    size_t root_len = strlen(store->root);

    for (char *slash = strrchr(path, '/'); slash > path + root_len; slash = strrchr(path, '/')) {
        *slash = '\0';
        if (rmdir(path) != 0) {
            return;
        }
    }
}

static void dir_close(void *self)
{
    (void)self;
}

/* Whether there is anything in the root that could have been put or copied there. */
static bool has_entries(const struct dir_store *store)
{
    DIR *folder = opendir(store->root);
    bool is_any = false;

    if (!folder) {
        return false;
    }
    for (struct dirent *entry = readdir(folder); entry && !is_any; entry = readdir(folder)) {
        is_any = entry->d_name[0] != '.' && strcmp(entry->d_name, "lost+found") != 0;
    }
    closedir(folder);
    return is_any;
}

enum err dir_check(const struct dir_store *store, struct op *op, bool is_read)
{
    if (access(store->mark, F_OK) == 0) {
        return OK;
    }
    if (errno != ENOENT && errno != ENOTDIR) {
        return dir_fail(op, "find", store->mark);
    }
    return is_read && store->is_named && has_entries(store)
               ? OK
               : fail(op, ERR_UNAVAILABLE,
                      "%s is not there, or nothing was ever kept in it (it has no " PUT_DIR
                      "): its disk may not be mounted",
                      store->root);
}

static enum err dir_prepare(void *self, struct op *op, enum store_step step)
{
    const struct dir_store *store = self;
    char *inside = path_of(store, op->arena, PUT_DIR "/x");

    if (!inside) {
        return fail_memory(op);
    }
    if (step == STORE_MAKE || (step == STORE_ADOPT && has_entries(store))) {
        return make_folders(inside, 0) ? OK : dir_fail(op, "make", store->root);
    }
    return dir_check(store, op, false);
}

/* ---- writing ---- */

static enum err dir_put_begin(void *self, struct op *op, struct arena *arena, const char *key,
                              void **out)
{
    struct dir_store *store = self;
    struct dir_put *put = arena_alloc(arena, sizeof *put);
    uint8_t random[16];
    char name[sizeof PUT_DIR + 1 + sizeof random * 2 + 1] = PUT_DIR "/";

    crypto_random(random, sizeof random);
    crypto_hex(random, sizeof random, name + sizeof PUT_DIR);
    char *temporary = path_of(store, arena, name);
    char *path = path_of(store, arena, key);
    if (!put || !temporary || !path) {
        return fail_memory(op);
    }
    enum err err = dir_check(store, op, false);
    if (err != OK) {
        return err;
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0 || !give(temporary)) {
        err = dir_fail(op, "write", temporary);
        if (fd >= 0) {
            close(fd);
            (void)unlink(temporary);
        }
        return err;
    }
    *put = (struct dir_put){ arena, store, temporary, path, fd };
    *out = put;
    return OK;
}

static enum err dir_put_write(void *self, struct op *op, struct str bytes)
{
    struct dir_put *put = self;

    while (bytes.len > 0) {
        ssize_t n = write(put->fd, bytes.ptr, bytes.len);
        if (n < 0 && errno != EINTR) {
            return dir_fail(op, "write", put->temporary);
        }
        if (n > 0) {
            bytes.ptr += n;
            bytes.len -= (size_t)n;
        }
    }
    return OK;
}

/* All is on the disk, and it is as much as was written. */
static enum err settle(struct dir_put *put, struct op *op, int64_t size)
{
    struct stat status;
    bool is_synced = fsync(put->fd) == 0 && fstat(put->fd, &status) == 0;
    bool is_closed = close(put->fd) == 0;

    put->fd = -1;
    if (!is_synced || !is_closed) {
        return dir_fail(op, "write", put->temporary);
    }
    return status.st_size == size
               ? OK
               : fail(op, ERR_INTERNAL, "%s has %lld bytes, not the %lld that were written",
                      put->temporary, (long long)status.st_size, (long long)size);
}

static enum err dir_put_finish(void *self, struct op *op, const struct store_written *written)
{
    struct dir_put *put = self;
    char *path = arena_copy(put->arena, str_of(put->path));

    if (!path) {
        return fail_memory(op);
    }
    enum err err = settle(put, op, written->size);
    if (err != OK) {
        return err;
    }
    for (int i = 0; i < RENAME_TRIES; i++) {
        if (!make_folders(path, strlen(put->store->root))) {
            return dir_fail(op, "make the folders of", put->path);
        }
        if (rename(put->temporary, path) == 0) {
            return sync_entry(path) ? OK : dir_fail(op, "write", put->path);
        }
        if (errno != ENOENT) {
            break;
        }
    }
    err = dir_fail(op, "rename to", put->path);
    remove_folders(put->store, path);
    return err;
}

static void dir_put_abort(void *self)
{
    struct dir_put *put = self;

    if (put->fd >= 0) {
        close(put->fd);
    }
    (void)unlink(put->temporary);
}

/* ---- reading ---- */

static enum err open_object(const struct dir_store *store, struct op *op, const char *key,
                            int *out_fd, struct stat *out)
{
    char *path = path_of(store, op->arena, key);

    if (!path) {
        return fail_memory(op);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno != ENOENT && errno != ENOTDIR) {
        return dir_fail(op, "read", path);
    }
    enum err err = dir_check(store, op, true); /* after it: a disk may go meanwhile */
    if (err == OK && fd >= 0 && fstat(fd, out) == 0 && S_ISREG(out->st_mode)) {
        *out_fd = fd;
        return OK;
    }
    if (fd >= 0) {
        close(fd);
    }
    return err ? err : fail(op, ERR_NOT_FOUND, "There is no such object.");
}

int64_t dir_modified_us(const struct stat *status)
{
    return (int64_t)status->st_mtim.tv_sec * US_PER_SECOND + status->st_mtim.tv_nsec / 1000;
}

static enum err dir_head(void *self, struct op *op, const char *key, struct store_object *out)
{
    struct stat status = { 0 };
    int fd = -1;
    enum err err = open_object(self, op, key, &fd, &status);

    if (err != OK) {
        return err;
    }
    close(fd);
    char *copy = arena_copy(op->arena, str_of(key));
    *out = (struct store_object){ copy, status.st_size, dir_modified_us(&status) };
    return copy ? OK : fail_memory(op);
}

/* `len` bytes to the sink, all there are when negative. */
static enum err hand_on(struct op *op, int fd, const char *key, struct store_range range,
                        store_sink sink, void *context)
{
    char piece[PIECE_BYTES];
    int64_t at = range.from, len = range.len;

    while (len != 0) {
        size_t want = len > 0 && len < (int64_t)sizeof piece ? (size_t)len : sizeof piece;
        ssize_t n = pread(fd, piece, want, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return dir_fail(op, "read", key);
        }
        if (n == 0) {
            return len < 0 ? OK : fail(op, ERR_INTERNAL, "%s ends early", key);
        }
        enum err err = sink(context, op, (struct str){ piece, (size_t)n });
        if (err != OK) {
            return err;
        }
        at += n;
        len = len < 0 ? len : len - n;
    }
    return OK;
}

static enum err dir_get(void *self, struct op *op, const char *key, struct store_range range,
                        store_sink sink, void *context)
{
    struct stat status = { 0 };
    int fd = -1;
    enum err err = open_object(self, op, key, &fd, &status);

    if (err != OK) {
        return err;
    }
    err = hand_on(op, fd, key, range, sink, context);
    close(fd);
    return err;
}

/* ---- removing ---- */

static enum err dir_delete_many(void *self, struct op *op, const char *const *keys, int n)
{
    const struct dir_store *store = self;
    enum err err = dir_check(store, op, false);

    for (int i = 0; i < n && err == OK; i++) {
        char *path = path_of(store, op->arena, keys[i]);
        if (!path) {
            return fail_memory(op);
        }
        if (unlink(path) == 0) {
            remove_folders(store, path);
        } else if (errno == ENOENT || errno == ENOTDIR) {
            err = dir_check(store, op, false); /* it is not there, nor elsewhere */
        } else {
            return dir_fail(op, "remove", path);
        }
    }
    return err;
}

static enum err dir_sweep(void *self, struct op *op, int64_t age_s, int *out_n)
{
    const struct dir_store *store = self;
    DIR *folder = opendir(store->mark);
    int64_t limit_us = clock_now_us() - age_s * US_PER_SECOND;

    if (!folder) {
        enum err err = dir_check(store, op, false);
        return err ? err : dir_fail(op, "list", store->mark);
    }
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        struct stat status;
        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(status.st_mode) && dir_modified_us(&status) < limit_us &&
            unlinkat(dirfd(folder), entry->d_name, 0) == 0) {
            ++*out_n;
        }
    }
    closedir(folder);
    return OK;
}

/* ---- the store ---- */

static const struct store_kind KIND = {
    .close = dir_close,
    .prepare = dir_prepare,
    .put_begin = dir_put_begin,
    .put_write = dir_put_write,
    .put_finish = dir_put_finish,
    .put_abort = dir_put_abort,
    .head = dir_head,
    .get = dir_get,
    .list = dir_list,
    .delete_many = dir_delete_many,
    .sweep = dir_sweep,
};

enum err dir_open(struct op *op, struct store *store, const char *path, bool is_named)
{
    struct dir_store *self = arena_alloc(store->arena, sizeof *self);
    const char *mark = arena_printf(store->arena, "%s/" PUT_DIR, path);

    if (!self || !mark) {
        return fail_memory(op);
    }
    *self = (struct dir_store){ path, mark, is_named };
    store->kind = &KIND;
    store->self = self;
    store->name = path;
    return OK;
}

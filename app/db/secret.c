/* The roles' passwords: one file each in TIDEMARK_HOME/secrets, readable by its owner alone,
 * made once and never changed. Answers for their making, keeping and reading; that a role has
 * the password is migrate_roles.c's. */
#include "db/private_url.h"

#include "base/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_RANDOM_BYTES 24 /* 192 bits */
#define SECRET_MAX_BYTES 256

static enum err fail_file(struct op *op, const char *doing, const char *path)
{
    return fail(op, ERR_INTERNAL, "cannot %s %s: %s", doing, path, strerror(errno));
}

enum err db_secret_read(struct op *op, const char *home, const char *role, const char **out)
{
    char text[SECRET_MAX_BYTES];
    const char *path = arena_printf(op->arena, "%s/secrets/%s", home, role);
    *out = NULL;
    if (!path) {
        return fail_memory(op);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? fail(op, ERR_NOT_FOUND, "no file %s", path)
                               : fail_file(op, "read", path);
    }
    ssize_t len = read(fd, text, sizeof text);
    close(fd);
    if (len < 0) {
        return fail_file(op, "read", path);
    }
    struct str secret = str_trim((struct str){ text, (size_t)len });
    if (secret.len == 0 || (size_t)len == sizeof text) {
        return fail(op, ERR_INTERNAL, "%s does not hold a password", path);
    }
    *out = arena_copy(op->arena, secret);
    return *out ? OK : fail_memory(op);
}

/* Makes every folder of the path that is missing; the last one for its owner alone. */
static enum err make_folders(struct op *op, const char *path)
{
    char *part = arena_copy(op->arena, str_of(path));
    if (!part) {
        return fail_memory(op);
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST) {
            return fail_file(op, "make the folder", part);
        }
        *slash = '/';
    }
    return mkdir(path, 0700) == 0 || errno == EEXIST ? OK : fail_file(op, "make the folder", path);
}

/* As root: what is made belongs to whoever owns the home, or the processes could not read it. */
static bool give_to_owner_of(const char *home, int fd)
{
    struct stat stat_home;
    return geteuid() != 0 ||
           (stat(home, &stat_home) == 0 && fchown(fd, stat_home.st_uid, stat_home.st_gid) == 0);
}

static bool give_folder(const char *home, const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool is_given = fd >= 0 && give_to_owner_of(home, fd);
    if (fd >= 0) {
        close(fd);
    }
    return is_given;
}

/* Writes a whole new file; false with errno set. */
static bool write_file(const char *home, const char *path, const char *text)
{
    size_t len = strlen(text);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool is_written =
        write(fd, text, len) == (ssize_t)len && give_to_owner_of(home, fd) && fsync(fd) == 0;
    return close(fd) == 0 && is_written;
}

/* Puts a random password at `path`, whole or not at all: a link appears only where no file is,
 * so that of two processes the first one's stays. */
static enum err make_file(struct op *op, const char *home, const char *path)
{
    uint8_t random[SECRET_RANDOM_BYTES];
    char secret[CRYPTO_BASE64URL_SIZE(SECRET_RANDOM_BYTES)];
    crypto_random(random, sizeof random);
    crypto_base64url(random, sizeof random, secret);
    crypto_random(random, sizeof random);
    char suffix[2 * 8 + 1];
    crypto_hex(random, 8, suffix);
    const char *partial = arena_printf(op->arena, "%s.%s", path, suffix);
    const char *text = arena_printf(op->arena, "%s\n", secret);
    if (!partial || !text) {
        return fail_memory(op);
    }
    enum err err = OK;
    if (!write_file(home, partial, text) || (link(partial, path) != 0 && errno != EEXIST)) {
        err = fail_file(op, "write", path);
    }
    unlink(partial);
    return err;
}

enum err db_secret_make(struct op *op, const char *home, const char *role, const char **out,
                        bool *is_new)
{
    struct fault earlier = op->fault;
    enum err err = db_secret_read(op, home, role, out);
    *is_new = err == ERR_NOT_FOUND;
    if (!*is_new) {
        return err;
    }
    op->fault = earlier;
    const char *folder = arena_printf(op->arena, "%s/secrets", home);
    const char *path = arena_printf(op->arena, "%s/secrets/%s", home, role);
    if (!folder || !path) {
        return fail_memory(op);
    }
    err = make_folders(op, folder);
    if (err) {
        return err;
    }
    if (!give_folder(home, folder)) {
        return fail_file(op, "give away", folder);
    }
    err = make_file(op, home, path);
    return err ? err : db_secret_read(op, home, role, out);
}

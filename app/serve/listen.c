/* Unix sockets: opened once by cmd_serve and inherited by the processes; probed by cmd_check. */
#include "serve/listen.h"

#include <sys/un.h>

#define LISTEN_BACKLOG 1024 /* beyond it nginx answers 503 by itself */

static bool make_address(const char *path, struct sockaddr_un *address)
{
    size_t len = strlen(path);

    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (len >= sizeof address->sun_path) {
        return false;
    }
    memcpy(address->sun_path, path, len + 1);
    return true;
}

bool listen_is_answered(const char *path)
{
    struct sockaddr_un address;
    int fd = make_address(path, &address) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;

    if (fd < 0) {
        return false;
    }
    bool is_answered = connect(fd, (const struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return is_answered;
}

static int bind_and_listen(const char *path, const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    (void)unlink(path);
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        chmod(path, 0660) != 0 || listen(fd, LISTEN_BACKLOG) != 0) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    return fd;
}

enum err listen_open(struct op *op, const char *path, int *out_fd)
{
    struct sockaddr_un address;

    if (!make_address(path, &address)) {
        return fail(op, ERR_UNAVAILABLE, "the socket's path is longer than %zu bytes: %s",
                    sizeof address.sun_path - 1, path);
    }
    if (listen_is_answered(path)) {
        return fail(op, ERR_CONFLICT, "another tidemark serve is listening at %s", path);
    }
    *out_fd = bind_and_listen(path, &address);
    if (*out_fd < 0) {
        return fail(op, ERR_UNAVAILABLE, "cannot listen at %s: %s", path, strerror(errno));
    }
    return OK;
}

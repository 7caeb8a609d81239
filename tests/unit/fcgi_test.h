/* A client that writes FastCGI's records by hand, for tests of its servers. */
#ifndef TIDEMARK_TESTS_FCGI_TEST_H
#define TIDEMARK_TESTS_FCGI_TEST_H

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

static inline void send_record(int fd, int type, const void *content, size_t len)
{
    unsigned char head[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len, 0, 0 };
    (void)!send(fd, head, sizeof head, MSG_NOSIGNAL);
    (void)!send(fd, content, len, MSG_NOSIGNAL);
}

static inline void send_head(int fd, const char *method, const char *target, const char *length)
{
    const char *pairs[] = { "REQUEST_METHOD", method, "REQUEST_URI", target, "CONTENT_LENGTH", length };
    unsigned char begin[8] = { 0, 1, 1 /* keep the connection */, 0, 0, 0, 0, 0 };
    char params[256];
    size_t len = 0;

    send_record(fd, BEGIN, begin, sizeof begin);
    for (int i = 0; i < 6; i += 2) {
        params[len++] = (char)strlen(pairs[i]);
        params[len++] = (char)strlen(pairs[i + 1]);
        len += (size_t)snprintf(params + len, sizeof params - len, "%s%s", pairs[i], pairs[i + 1]);
    }
    send_record(fd, PARAMS, params, len);
    send_record(fd, PARAMS, "", 0);
}

static inline void send_body(int fd, size_t len)
{
    static char block[5000];
    for (; len > 0; len -= len < sizeof block ? len : sizeof block) {
        send_record(fd, STDIN, block, len < sizeof block ? len : sizeof block);
    }
    send_record(fd, STDIN, "", 0);
}

static inline bool read_exactly(int fd, void *out, size_t len)
{
    return len == 0 || recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

/* Reads an answer to its end record into `out`; false when the connection ended before. */
static inline bool read_answer(int fd, char *out, size_t size)
{
    unsigned char head[8], padding[256];
    size_t at = 0;

    for (;;) {
        if (!read_exactly(fd, head, sizeof head)) {
            return false;
        }
        size_t len = (size_t)head[4] << 8 | head[5];
        if (at + len >= size || !read_exactly(fd, out + at, len) || !read_exactly(fd, padding, head[6])) {
            return false;
        }
        if (head[1] == STDOUT) {
            at += len;
            out[at] = '\0';
        }
        if (head[1] == END) {
            return true;
        }
    }
}

static inline int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    struct timeval patience = { .tv_sec = 10 };
    (void)!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

/* A socket that listens in a new folder made of the template `directory`; exits on failure. */
static inline int listen_in(char *directory, char *path, size_t size)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (!mkdtemp(directory)) {
        exit(1);
    }
    snprintf(path, size, "%s/s", directory);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0) {
        exit(1);
    }
    return fd;
}

#endif

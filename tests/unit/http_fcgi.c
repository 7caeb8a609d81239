/* The FastCGI server against a client that writes the protocol's records by hand: kept
 * connections, bodies that nobody reads, cut ones, more connections than slots, the stop. */
#include "http/fcgi.h"
#include "http_test.h"
#include "tap.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BODY_CAP 100000
enum { BEGIN = 1, END = 3, PARAMS = 4, STDIN = 5, STDOUT = 6 };

struct peer {
    struct fcgi_server *server;
    pthread_t thread;
    enum fcgi_next end;
};

/* Answers with the length of the body, or 400; a target of "/unread" is answered unread. */
static void *serve(void *argument)
{
    struct peer *peer = argument;
    struct fcgi_exchange *exchange;
    struct arena *arena = arena_new(1 << 20);

    while ((peer->end = fcgi_server_next(peer->server, &exchange)) == FCGI_NEXT_REQUEST) {
        struct http_request request;
        struct http_response response;
        struct str body = { NULL, 0 };
        struct op op;
        op_init(&op, arena, "test");
        http_response_init(&response, arena);
        enum err err = http_request_init(&request, &op, fcgi_transport(exchange));
        if (err == OK && !str_equal(request.target, STR("/unread"))) {
            err = http_read_body(&request, BODY_CAP, &body);
        }
        response.status = err == OK ? 200 : 400;
        response.content_type = "text/plain";
        buf_printf(&response.body, "%zu bytes", body.len);
        fcgi_send(exchange, &response, request.method == HTTP_HEAD);
        fcgi_finish(exchange);
        arena_reset(arena);
    }
    arena_free(arena);
    return NULL;
}

static void send_record(int fd, int type, const void *content, size_t len)
{
    unsigned char head[8] = { 1, (unsigned char)type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len, 0, 0 };
    (void)!send(fd, head, sizeof head, MSG_NOSIGNAL);
    (void)!send(fd, content, len, MSG_NOSIGNAL);
}

static void send_head(int fd, const char *method, const char *target, const char *length)
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

static void send_body(int fd, size_t len)
{
    static char block[5000];
    for (; len > 0; len -= len < sizeof block ? len : sizeof block) {
        send_record(fd, STDIN, block, len < sizeof block ? len : sizeof block);
    }
    send_record(fd, STDIN, "", 0);
}

static bool read_exactly(int fd, void *out, size_t len)
{
    return len == 0 || recv(fd, out, len, MSG_WAITALL) == (ssize_t)len;
}

/* Reads an answer to its end record into `out`; false when the connection ended before. */
static bool read_answer(int fd, char *out, size_t size)
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

static void test_kept(int fd)
{
    char answer[1000] = "";

    send_head(fd, "GET", "/", "");
    send_body(fd, 0);
    ok(read_answer(fd, answer, sizeof answer), "a request is answered");
    is_str(answer, "Status: 200 OK\r\nContent-Length: 7\r\nContent-Type: text/plain\r\n\r\n0 bytes",
           "with status, length and type");
    send_head(fd, "POST", "/", "12345");
    send_body(fd, 12345);
    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, "12345 bytes"), "the connection takes another one");
    send_head(fd, "POST", "/unread", "65000");
    send_body(fd, 65000);
    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, "200"), "a body may be left unread");
    send_head(fd, "HEAD", "/", "");
    send_body(fd, 0);
    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, "Content-Length: 7\r\n") && !strstr(answer, "0 bytes"),
       "and is not taken for the next request; HEAD has the length without the body");
    send_head(fd, "POST", "/", "100");
    send_body(fd, 10);
    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, "400"), "a body shorter than announced is noticed");
    send_head(fd, "POST", "/", "-5");
    send_body(fd, 10);
    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, "400"), "a nonsensical length too");
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    struct timeval patience = { .tv_sec = 10 };
    (void)!setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ? fd : -1;
}

static void test_rude(const char *path)
{
    char answer[1000];
    int fd = connect_to(path);
    send_head(fd, "POST", "/", "100");
    send_record(fd, STDIN, "abc", 3);
    close(fd);
    fd = connect_to(path);
    (void)!send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
    ok(recv(fd, answer, sizeof answer, 0) <= 0, "what is no FastCGI is closed");
    close(fd);
    fd = connect_to(path);
    send_head(fd, "GET", "/", "");
    send_body(fd, 0);
    ok(read_answer(fd, answer, sizeof answer), "a body cut by its sender harms nobody else");
    close(fd);
}

/* As many silent connections as there are threads, and one that speaks. */
static void test_silent(const char *path)
{
    char answer[1000];
    int a = connect_to(path), b = connect_to(path), c = connect_to(path);
    send_head(c, "GET", "/", "");
    send_body(c, 0);
    ok(read_answer(c, answer, sizeof answer), "connections that say nothing hold no thread for long");
    send_head(a, "GET", "/", "");
    send_body(a, 0);
    ok(read_answer(a, answer, sizeof answer), "and may speak later");
    close(a);
    close(b);
    close(c);
}

static void test_crowd(const char *path)
{
    enum { CROWD = 12 };
    int fds[CROWD], answered = 0;
    char answer[1000];

    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_to(path);
        send_head(fds[i], "POST", "/", "5");
        send_body(fds[i], 5);
    }
    for (int i = 0; i < CROWD; i++) {
        answered += read_answer(fds[i], answer, sizeof answer);
    }
    is_int(answered, CROWD, "more connections than slots are all answered, idle ones making room");
    for (int i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
}

int main(void)
{
    char directory[] = "/tmp/tidemark-fcgi-XXXXXX", path[64];
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct peer peers[2];
    int listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int stop_fd = eventfd(0, 0);

    if (!mkdtemp(directory)) {
        return 1;
    }
    snprintf(path, sizeof path, "%s/s", directory);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (bind(listen_fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(listen_fd, 64) != 0) {
        return 1;
    }
    struct fcgi_server *server = fcgi_server_new(listen_fd, stop_fd, 4);
    for (int i = 0; i < 2; i++) {
        peers[i].server = server;
        pthread_create(&peers[i].thread, NULL, serve, &peers[i]);
    }
    int fd = connect_to(path);
    test_kept(fd);
    test_rude(path);
    test_silent(path);
    test_crowd(path);
    int idle = connect_to(path);
    char answer[1000];
    send_head(idle, "GET", "/", "");
    send_body(idle, 0);
    ok(read_answer(idle, answer, sizeof answer), "a connection that stays open");
    (void)!write(stop_fd, &(uint64_t){ 1 }, 8);
    for (int i = 0; i < 2; i++) {
        pthread_join(peers[i].thread, NULL);
        is_int(peers[i].end, FCGI_NEXT_STOP, "does not hold up the stop of thread %d", i + 1);
    }
    fcgi_server_free(server);
    is_int(recv(idle, answer, sizeof answer, 0), 0, "and is closed by it");
    close(idle);
    close(fd);
    unlink(path);
    rmdir(directory);
    return done_testing();
}

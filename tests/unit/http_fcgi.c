/* The FastCGI server against a client that writes the protocol's records by hand: kept
 * connections, bodies that nobody reads, cut ones, more connections than slots, the stop. */
#include "fcgi_test.h"
#include "http/fcgi.h"
#include "http_test.h"
#include "tap.h"

#include <pthread.h>
#include <sys/eventfd.h>

#define BODY_CAP 100000

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

/* Some bytes a second would hold a thread for as long as they like. */
static void test_slow(const char *path)
{
    char answer[1000] = "";
    int fd = connect_to(path);
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    int n = 0;

    send_head(fd, "POST", "/", "1000");
    for (; n < 100 && poll(&ready, 1, 100) == 0; n++) {
        send_record(fd, STDIN, "x", 1);
    }
    ok(n < 100 && read_answer(fd, answer, sizeof answer) && strstr(answer, "400"), "a body that hardly comes is ended");
    close(fd);
}

int main(void)
{
    char directory[] = "/tmp/tidemark-fcgi-XXXXXX", path[64];
    struct peer peers[2];
    int listen_fd = listen_in(directory, path, sizeof path);
    int stop_fd = eventfd(0, 0);

    struct fcgi_server *server = fcgi_server_new(listen_fd, stop_fd, 4);
    fcgi_server_set_pace(server, 1000000, 500);
    for (int i = 0; i < 2; i++) {
        peers[i].server = server;
        pthread_create(&peers[i].thread, NULL, serve, &peers[i]);
    }
    int fd = connect_to(path);
    test_kept(fd);
    test_rude(path);
    test_silent(path);
    test_slow(path);
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

/* The FastCGI loop against a client that writes the protocol's records by hand: calls answered at
 * once, later, and by threads; requests in pieces; large bodies; more connections than slots;
 * nonsense; slow readers; the stop. */
#include "fcgi_test.h"
#include "http/fcgi_loop.h"
#include "http_test.h"
#include "tap.h"

#include <pthread.h>
#include <sys/eventfd.h>

#define QUICK_BODY 2000
#define BODY_CAP 300000

/* ---- the server: answers with the body's length, and who answered ---- */

struct later {
    pthread_mutex_t lock;
    struct fcgi_call *call; /* whose end is the test's */
};
static struct later later = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct fcgi_loop_options options;
static int loop_result = -1;

static void fill(struct fcgi_call *call, const char *who)
{
    struct http_response *response = fcgi_call_response(call);
    struct http_request request;
    struct str body = { NULL, 0 };
    struct op op;

    op_init(&op, fcgi_call_arena(call), "test");
    enum err err = http_request_init(&request, &op, fcgi_call_transport(call));
    err = err ? err : http_read_body(&request, BODY_CAP, &body);
    response->status = err ? 400 : 200;
    response->content_type = "text/plain";
    buf_printf(&response->body, "%zu bytes %s", body.len, who);
    if (str_equal(request.target, STR("/much"))) {
        buf_clear(&response->body);
        for (int i = 0; i < 100000; i++) {
            buf_add_text(&response->body, "0123456789");
        }
    }
}

static enum fcgi_admission admit(void *context, struct fcgi_call *call, bool may_wait)
{
    struct http_transport *transport = fcgi_call_transport(call);
    struct http_response *response = fcgi_call_response(call);

    const char *target = transport->variable(transport, "REQUEST_URI");

    (void)context;
    if (!may_wait && strncmp(target, "/asked", 6) == 0) {
        return FCGI_UNKNOWN;
    }
    if (!strstr(target, "/full")) {
        *fcgi_call_data(call) = &later;
        return FCGI_ADMITTED;
    }
    response->status = 503;
    response->content_type = "text/plain";
    buf_add_text(&response->body, arena_used(fcgi_call_arena(call)) < BODY_CAP / 2 ? "no room" : "it was kept");
    return FCGI_REFUSED;
}

static enum fcgi_call_state begin(void *context, struct fcgi_call *call)
{
    struct http_transport *transport = fcgi_call_transport(call);
    const char *target = transport->variable(transport, "REQUEST_URI");

    (void)context;
    if (strcmp(target, "/waits") == 0 || strcmp(target, "/begun") == 0) {
        return FCGI_CALL_WAITS;
    }
    if (strcmp(target, "/long") == 0) {
        return FCGI_CALL_LONG;
    }
    if (strcmp(target, "/pending") == 0) {
        *fcgi_call_data(call) = &later;
        fcgi_call_end(call); /* before it is said to be pending */
        return FCGI_CALL_PENDING;
    }
    if (strcmp(target, "/later") == 0) {
        *fcgi_call_data(call) = &later;
        pthread_mutex_lock(&later.lock);
        later.call = call;
        pthread_mutex_unlock(&later.lock);
        return FCGI_CALL_PENDING;
    }
    fill(call, "at once");
    return FCGI_CALL_ANSWERED;
}

static void end(void *context, struct fcgi_call *call)
{
    (void)context;
    fill(call, *fcgi_call_data(call) == &later ? "later" : "by a stranger");
}

static enum fcgi_call_state serve(void *context, struct fcgi_call *call)
{
    const char *target = fcgi_call_transport(call)->variable(fcgi_call_transport(call), "REQUEST_URI");

    (void)context;
    if (strcmp(target, "/begun") == 0) {
        *fcgi_call_data(call) = &later;
        fcgi_call_end(call); /* before it is said to be pending */
        return FCGI_CALL_PENDING;
    }
    bool was_admitted = *fcgi_call_data(call) == &later;
    fill(call, was_admitted ? "by a thread, admitted" : "by a thread");
    return FCGI_CALL_ANSWERED;
}

static void *run(void *argument)
{
    (void)argument;
    loop_result = fcgi_loop_run(&options);
    return NULL;
}

/* ---- the client ---- */

static void post(int fd, const char *target, size_t len)
{
    char length[32];

    snprintf(length, sizeof length, "%zu", len);
    send_head(fd, "POST", target, length);
    send_body(fd, len);
}

static void is_answer(int fd, const char *wanted, const char *what)
{
    char answer[1000] = "";

    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, wanted), "%s: %s", what, wanted);
}

static void test_ways(int fd)
{
    char answer[1000] = "";

    send_head(fd, "GET", "/", "");
    send_body(fd, 0);
    ok(read_answer(fd, answer, sizeof answer), "a request is answered");
    is_str(answer, "Status: 200 OK\r\nContent-Length: 15\r\nContent-Type: text/plain\r\n\r\n0 bytes at once",
           "with status, length and type");
    post(fd, "/", 1234);
    is_answer(fd, "1234 bytes at once", "the connection takes another one");
    post(fd, "/", 250000);
    is_answer(fd, "250000 bytes by a thread, admitted", "a large body is a thread's");
    post(fd, "/full", 250000);
    is_answer(fd, "no room", "or is dropped as it comes, where nobody has room for it");
    post(fd, "/asked", 250000);
    is_answer(fd, "250000 bytes by a thread, admitted", "a thread asks where the loop could not know");
    post(fd, "/asked/full", 250000);
    is_answer(fd, "no room", "and lets it pass by as well");
    post(fd, "/full", 1000);
    is_answer(fd, "1000 bytes at once", "the connection goes on, and small bodies are taken");
    post(fd, "/waits", 100);
    is_answer(fd, "100 bytes by a thread", "what has to wait, too");
    post(fd, "/long", 100);
    is_answer(fd, "100 bytes by a thread", "and what takes long");
    post(fd, "/begun", 100);
    is_answer(fd, "100 bytes later", "what a thread begins and does not wait for");
    post(fd, "/pending", 100);
    is_answer(fd, "100 bytes later", "what is done before it is pending");
    send_head(fd, "HEAD", "/", "");
    send_body(fd, 0);
    ok(read_answer(fd, answer, sizeof answer) && strstr(answer, "Content-Length: 15\r\n") && !strstr(answer, "bytes"),
       "HEAD has the length without the body");
    send_head(fd, "POST", "/", "100");
    send_body(fd, 10);
    is_answer(fd, "400", "a body shorter than announced is noticed");
}

/* The call that was left pending, once it is there. */
static struct fcgi_call *await_pending(void)
{
    struct fcgi_call *call = NULL;

    while (!call) {
        pthread_mutex_lock(&later.lock);
        call = later.call;
        later.call = NULL;
        pthread_mutex_unlock(&later.lock);
    }
    return call;
}

static void test_pending(const char *path, int other)
{
    int fd = connect_to(path);

    post(fd, "/later", 7);
    struct fcgi_call *call = await_pending();
    post(other, "/", 3);
    is_answer(other, "3 bytes at once", "others pass by a pending call");
    fcgi_call_end(call);
    is_answer(fd, "7 bytes later", "which is answered when it is done");
    close(fd);
}

/* Every byte by itself: what a request is made of may come in any pieces. */
static void test_pieces(const char *path)
{
    int pair[2], fd = connect_to(path);
    unsigned char bytes[600];

    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    post(pair[0], "/", 40);
    ssize_t n = recv(pair[1], bytes, sizeof bytes, 0);
    while (n < (ssize_t)sizeof bytes && poll(&(struct pollfd){ .fd = pair[1], .events = POLLIN }, 1, 0) > 0) {
        n += recv(pair[1], bytes + n, sizeof bytes - (size_t)n, 0);
    }
    for (ssize_t i = 0; i < n; i++) {
        (void)!send(fd, bytes + i, 1, MSG_NOSIGNAL);
        while (i % 16 == 0 && poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 0) <= 0) {
        }
    }
    is_answer(fd, "40 bytes at once", "a request in pieces");
    close(pair[0]);
    close(pair[1]);
    close(fd);
}

/* Each is closed without an answer. */
static void test_nonsense(const char *path)
{
    static const struct { const char *what, *bytes; size_t len; } cases[] = {
        { "HTTP", "GET / HTTP/1.1\r\n\r\n", 18 },
        { "another version", "\2\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0", 16 },
        { "another role", "\1\1\0\1\0\10\0\0\0\2\1\0\0\0\0\0", 16 },
        { "a beginning of other length", "\1\1\0\1\0\4\0\0\0\1\1\0", 12 },
        { "a body before the parameters", "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\5\0\1\0\0\0\0", 24 },
        { "two beginnings", "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0", 32 },
        { "another request's record", "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\2\0\0\0\0", 24 },
        { "an abort", "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\2\0\1\0\0\0\0", 24 },
        { "a name longer than its record",
          "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\2\0\0\50\1\1\4\0\1\0\0\0\0", 34 },
        { "a length that is cut",
          "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0\1\4\0\1\0\1\0\0\200\1\4\0\1\0\0\0\0", 33 },
    };
    char answer[100];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int fd = connect_to(path);
        (void)!send(fd, cases[i].bytes, cases[i].len, MSG_NOSIGNAL);
        is_int(recv(fd, answer, sizeof answer, 0), 0, "%s is closed", cases[i].what);
        close(fd);
    }
    int fd = connect_to(path);
    post(fd, "/", 400000);
    ok(recv(fd, answer, sizeof answer, 0) <= 0, "more than the most is closed");
    close(fd);
    fd = connect_to(path);
    send_head(fd, "POST", "/", "100");
    send_record(fd, STDIN, "abc", 3);
    close(fd);
    fd = connect_to(path);
    post(fd, "/", 9000);
    close(fd); /* a thread's, whose answer nobody hears */
    fd = connect_to(path);
    unsigned char begin_unkept[] = "\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0\1\4\0\1\0\20\0\0\13\1REQUEST_URI/x\0\0";
    begin_unkept[21] = 14;
    (void)!send(fd, begin_unkept, 38, MSG_NOSIGNAL);
    send_record(fd, PARAMS, "", 0);
    send_body(fd, 0);
    char whole[1000];
    ok(read_answer(fd, whole, sizeof whole), "a connection that is not to be kept is answered");
    is_int(recv(fd, answer, sizeof answer, 0), 0, "and closed");
    close(fd);
}

/* A reader that takes its megabyte after others were served. */
static void test_slow(const char *path, int other)
{
    static char much[1100000];
    int fd = connect_to(path);

    send_head(fd, "GET", "/much", "");
    send_body(fd, 0);
    post(other, "/", 5);
    is_answer(other, "5 bytes at once", "a slow reader holds up nobody");
    ok(read_answer(fd, much, sizeof much) && strlen(much) > 1000000, "and gets all of its answer");
    post(fd, "/", 6);
    is_answer(fd, "6 bytes at once", "and may ask again");
    close(fd);
}

static void test_crowd(const char *path)
{
    enum { CROWD = 12 };
    int fds[CROWD], answered = 0;
    char answer[1000];

    for (int i = 0; i < CROWD; i++) {
        fds[i] = connect_to(path);
        post(fds[i], i % 2 ? "/waits" : "/", 5);
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
    char directory[] = "/tmp/tidemark-loop-XXXXXX", path[64], answer[1000];
    int listen_fd = listen_in(directory, path, sizeof path);
    int stop_fd = eventfd(0, 0);
    pthread_t thread;

    log_open(LOG_ERROR, LOG_LOGFMT, "test");
    options = (struct fcgi_loop_options){
        .listen_fd = listen_fd, .stop_fd = stop_fd, .max_connections = 4, .n_threads = 2,
        .max_body = BODY_CAP, .quick_body = QUICK_BODY, .arena_bytes = 8u << 20,
        .admit = admit, .begin = begin, .end = end, .serve = serve,
    };
    pthread_create(&thread, NULL, run, NULL);
    int fd = connect_to(path);
    test_ways(fd);
    test_pending(path, fd);
    test_pieces(path);
    test_nonsense(path);
    test_slow(path, fd);
    test_crowd(path);
    int idle = connect_to(path), under_way = connect_to(path);
    post(idle, "/", 1);
    is_answer(idle, "1 bytes at once", "a connection that stays open");
    post(under_way, "/later", 7);
    struct fcgi_call *call = await_pending();
    (void)!write(stop_fd, &(uint64_t){ 1 }, 8);
    is_int(recv(idle, answer, sizeof answer, 0), 0, "is closed at the stop");
    fcgi_call_end(call);
    is_answer(under_way, "7 bytes later", "what is under way is still answered");
    pthread_join(thread, NULL);
    is_int(loop_result, 0, "and the loop ends");
    close(idle);
    close(under_way);
    close(fd);
    unlink(path);
    rmdir(directory);
    return done_testing();
}

/* The floors that `make bench` compares single events with, behind the same nginx: the same FastCGI
 * loop, or libfcgi's own way, a thread for each connection; either reads the body and answers at once,
 * without tokens, JSON or a database.
 *
 *   echo SOCKET_PATH [threads] */
#include "base/log.h"
#include "http/fcgi_loop.h"

#include <fcgiapp.h>
#include <pthread.h>
#include <sys/eventfd.h>

enum { CONNECTIONS = 512, BODY_BYTES = 1 << 20, N_THREADS = 64 };

#define ANSWER "{\"accepted\":1,\"duplicates\":0,\"updated\":0,\"rejected\":0}"

static enum fcgi_call_state begin(void *context, struct fcgi_call *call)
{
    struct http_transport *transport = fcgi_call_transport(call);
    struct http_response *response = fcgi_call_response(call);
    char body[8192];

    (void)context;
    while (transport->read(transport, body, sizeof body) > 0) {
    }
    response->content_type = "application/json";
    buf_add_text(&response->body, ANSWER);
    return FCGI_CALL_ANSWERED;
}

/* ---- libfcgi ---- */

static void *accept_all(void *listen_fd)
{
    FCGX_Request request;
    char body[8192];

    if (FCGX_InitRequest(&request, *(int *)listen_fd, 0) != 0) {
        return NULL;
    }
    while (FCGX_Accept_r(&request) == 0) {
        while (FCGX_GetStr(body, sizeof body, request.in) > 0) {
        }
        (void)FCGX_FPrintF(request.out, "Content-Type: application/json\r\n\r\n%s", ANSWER);
    }
    return NULL;
}

static int run_threads(int listen_fd)
{
    pthread_t threads[N_THREADS];

    for (int i = 0; i < N_THREADS; i++) {
        if (pthread_create(&threads[i], NULL, accept_all, &listen_fd) != 0) {
            return 1;
        }
    }
    return pthread_join(threads[0], NULL); /* it never ends */
}

/* ---- ours ---- */

static int run_loop(int listen_fd)
{
    const struct fcgi_loop_options options = {
        .listen_fd = listen_fd, .stop_fd = eventfd(0, 0), .max_connections = CONNECTIONS,
        .n_threads = 1, .max_body = BODY_BYTES, .quick_body = BODY_BYTES,
        .arena_bytes = 4 * BODY_BYTES, .begin = begin,
    };

    if (fcntl(listen_fd, F_SETFL, O_NONBLOCK) != 0) {
        return 1;
    }
    return fcgi_loop_run(&options);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argc > 3 || FCGX_Init() != 0) {
        return 2;
    }
    log_open(LOG_ERROR, LOG_LOGFMT, "echo");
    int listen_fd = FCGX_OpenSocket(argv[1], 1024);
    if (listen_fd < 0) {
        return 1;
    }
    return argc == 3 ? run_threads(listen_fd) : run_loop(listen_fd);
}

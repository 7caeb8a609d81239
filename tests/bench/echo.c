/* The floor that `make bench` compares single events with: the same FastCGI loop behind the same
 * nginx, that reads the body and answers at once, without tokens, JSON or a database.
 *
 *   echo SOCKET_PATH */
#include "base/log.h"
#include "http/fcgi_loop.h"

#include <fcgiapp.h>
#include <sys/eventfd.h>

enum { CONNECTIONS = 512, BODY_BYTES = 1 << 20 };

static enum fcgi_call_state begin(void *context, struct fcgi_call *call)
{
    struct http_transport *transport = fcgi_call_transport(call);
    struct http_response *response = fcgi_call_response(call);
    char body[8192];

    (void)context;
    while (transport->read(transport, body, sizeof body) > 0) {
    }
    response->content_type = "application/json";
    buf_add_text(&response->body,
                 "{\"accepted\":1,\"duplicates\":0,\"updated\":0,\"rejected\":0}");
    return FCGI_CALL_ANSWERED;
}

int main(int argc, char **argv)
{
    if (argc != 2 || FCGX_Init() != 0) {
        return 2;
    }
    log_open(LOG_ERROR, LOG_LOGFMT, "echo");
    int listen_fd = FCGX_OpenSocket(argv[1], 1024);
    if (listen_fd < 0 || fcntl(listen_fd, F_SETFL, O_NONBLOCK) != 0) {
        return 1;
    }
    const struct fcgi_loop_options options = {
        .listen_fd = listen_fd, .stop_fd = eventfd(0, 0), .max_connections = CONNECTIONS,
        .n_threads = 1, .max_body = BODY_BYTES, .quick_body = BODY_BYTES,
        .arena_bytes = 4 * BODY_BYTES, .begin = begin,
    };
    return fcgi_loop_run(&options);
}

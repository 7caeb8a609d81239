/* The threads of the loop: each takes a call that has to wait for something, reads what is left of
 * its request, and serves it, or begins to. Called by http/fcgi_loop. */
#include "http/fcgi_call.h"

#include <poll.h>

static bool is_readable_soon(int fd)
{
    struct pollfd ready = { .fd = fd, .events = POLLIN };
    int n;

    do {
        n = poll(&ready, 1, FCGI_STALL_SECONDS * 1000);
    } while (n < 0 && errno == EINTR);
    return n > 0;
}

/* Reads the rest of the request, however long it takes, within a stall. */
static bool read_rest(struct fcgi_call *call, uint8_t *bytes, size_t size)
{
    fcgi_wire_expect_body(&call->wire);
    while (call->wire.state == FCGI_WIRE_BODY) {
        ssize_t n = is_readable_soon(call->fd) ? recv(call->fd, bytes, size, MSG_DONTWAIT) : 0;
        if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK)) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        if (fcgi_wire_feed(&call->wire, bytes, (size_t)n) < (size_t)n) {
            call->wire.is_kept = false;
        }
    }
    return call->wire.state == FCGI_WIRE_WHOLE;
}

static void run_calls(struct fcgi_threads *threads, struct fcgi_call *take(struct call_list *list))
{
    struct arena *arena = arena_new(2 * FCGI_READ_BYTES);
    uint8_t *bytes = arena ? arena_alloc(arena, FCGI_READ_BYTES) : NULL;
    struct fcgi_call *call;

    while ((call = take(&threads->waiting)) != NULL) {
        if (bytes && read_rest(call, bytes, FCGI_READ_BYTES)) {
            fcgi_wire_rewind(&call->wire); /* it may have been tried before */
            http_response_init(&call->response, call->arena);
            call->is_served = false; /* while it is pending it is the loop's */
            if (threads->options->serve(threads->options->context, call) == FCGI_CALL_PENDING) {
                continue;
            }
        }
        call->is_served = true;
        fcgi_call_end(call);
    }
    arena_free(arena);
}

void *fcgi_threads_run(void *threads)
{
    run_calls(threads, call_list_wait);
    return NULL;
}

void *fcgi_threads_run_urgent(void *threads)
{
    run_calls(threads, call_list_wait_urgent);
    return NULL;
}

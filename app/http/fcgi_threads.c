/* The threads of the loop: each takes a call that has to wait for something, asks whether it is to
 * be taken where the loop could not know, reads what is left of its request, and serves it, or
 * begins to. Called by http/fcgi_loop. */
#include "http/fcgi_call.h"

#include "base/log.h"

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

/* Asks what the loop could not know. False: it was answered, and its body is to be dropped. */
static bool is_admitted(const struct fcgi_loop_options *options, struct fcgi_call *call)
{
    if (call->wire.state != FCGI_WIRE_BODY || call->is_admitted) {
        return true;
    }
    http_response_init(&call->response, call->arena);
    call->is_refused = options->admit(options->context, call, true) == FCGI_REFUSED;
    if (call->is_refused) {
        fcgi_wire_drop_body(&call->wire);
    }
    return !call->is_refused;
}

static void run_calls(struct fcgi_threads *threads, struct fcgi_call *take(struct call_list *list))
{
    struct arena *arena = arena_new(2 * FCGI_READ_BYTES);
    uint8_t *bytes = arena ? arena_alloc(arena, FCGI_READ_BYTES) : NULL;
    struct fcgi_call *call;

    while ((call = take(&threads->waiting)) != NULL) {
        if (is_admitted(threads->options, call) && bytes &&
            read_rest(call, bytes, FCGI_READ_BYTES)) {
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

static void *run_all(void *threads)
{
    run_calls(threads, call_list_wait);
    return NULL;
}

static void *run_urgent(void *threads)
{
    run_calls(threads, call_list_wait_urgent);
    return NULL;
}

int fcgi_threads_start(struct fcgi_threads *threads, const struct fcgi_loop_options *options)
{
    /* the last quarter is kept for those who would wait for little */
    int first_kept = options->n_threads - options->n_threads / 4;

    threads->options = options;
    while (threads->n < options->n_threads && threads->n < FCGI_MAX_THREADS) {
        if (pthread_create(&threads->ids[threads->n], NULL,
                           threads->n >= first_kept ? run_urgent : run_all, threads) != 0) {
            log_error("starting a thread failed", LOG_INT("running", threads->n));
            break;
        }
        threads->n++;
    }
    return threads->n;
}

void fcgi_threads_stop(struct fcgi_threads *threads)
{
    call_list_close(&threads->waiting);
    for (int i = 0; i < threads->n; i++) {
        (void)pthread_join(threads->ids[i], NULL);
    }
}

/* The loop: epoll over the listening socket, the stop, a wake-up for pending calls, and every
 * connection. Connections belong to the loop's thread, but while a call is with a thread of its
 * own. Events are edge-triggered, so that a request costs no epoll_ctl: what stirs while a call
 * is under way is remembered and looked at afterwards. Called by serve/ingest_process. */
#include "http/fcgi_loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/fcgi_call.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#define SWEEP_MS 1000
#define EVENTS_AT_ONCE 64
#define COLLECT_US 400 /* between two looks at what has come, while calls are pending */
#define KEY_LISTEN UINT64_MAX
#define KEY_STOP (UINT64_MAX - 1)
#define KEY_WAKE (UINT64_MAX - 2)

struct fcgi_loop {
    struct fcgi_loop_options options;
    struct arena *arena;
    int epoll_fd, wake_fd;
    bool is_stopping, is_listening, is_failed;
    struct fcgi_call *calls;
    int n_open, n_pending;
    struct fcgi_threads threads;
    struct call_list done; /* for the loop */
    uint8_t bytes[FCGI_READ_BYTES];
};

void fcgi_call_end(struct fcgi_call *call)
{
    uint64_t one = 1;

    struct fcgi_loop *loop = call->loop;
    /* the loop takes all that is there: who finds others before it need not wake it again */
    if (call_list_add(&loop->done, call) && write(loop->wake_fd, &one, sizeof one) < 0) {
        log_error("waking the loop failed", LOG_INT("errno", errno));
    }
}

/* ---- connections ---- */

static bool watch(struct fcgi_loop *loop, int op, int fd, uint32_t events, uint64_t key)
{
    struct epoll_event event = { .events = events, .data.u64 = key };

    return epoll_ctl(loop->epoll_fd, op, fd, &event) == 0;
}

static uint64_t key_of(const struct fcgi_call *call)
{
    return (uint64_t)call->generation << 32 | call->index;
}

static void listen_again(struct fcgi_loop *loop)
{
    if (!loop->is_listening && !loop->is_stopping) {
        loop->is_listening =
            watch(loop, EPOLL_CTL_ADD, loop->options.listen_fd, EPOLLIN, KEY_LISTEN);
    }
}

static void stop_listening(struct fcgi_loop *loop)
{
    if (loop->is_listening) {
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->options.listen_fd, NULL);
        loop->is_listening = false;
    }
}

static void close_call(struct fcgi_call *call)
{
    close(call->fd);
    arena_reset(call->arena);
    call->fd = -1;
    call->state = CALL_EMPTY;
    call->generation++;
    call->loop->n_open--;
    listen_again(call->loop);
}

/* Ready for the connection's next request. */
static void make_idle(struct fcgi_call *call)
{
    arena_reset(call->arena);
    fcgi_wire_begin(&call->wire, call->arena, call->loop->options.max_body);
    call->state = CALL_IDLE;
    call->since_us = clock_monotonic_us();
    call->data = NULL;
    call->sharer = 0;
    call->is_admitted = false;
    call->is_refused = false;
    call->is_served = false;
    call->is_stirred = false;
    listen_again(call->loop); /* it can make room now */
}

static bool watch_reading(struct fcgi_call *call, int op)
{
    return watch(call->loop, op, call->fd, EPOLLIN | EPOLLRDHUP | EPOLLET, key_of(call));
}

/* The answer was sent, or cannot be. */
static void end_exchange(struct fcgi_call *call, bool is_sent)
{
    bool is_kept = is_sent && call->wire.is_kept && call->wire.state == FCGI_WIRE_WHOLE &&
                   !call->loop->is_stopping;

    /* what came meanwhile is told again by watching anew */
    if (!is_kept || (call->is_stirred && !watch_reading(call, EPOLL_CTL_MOD))) {
        close_call(call);
        return;
    }
    make_idle(call);
}

/* Sends what is left of the answer. */
static void send_out(struct fcgi_call *call)
{
    while (call->out_at < call->out.len) {
        ssize_t n = send(call->fd, call->out.data + call->out_at, call->out.len - call->out_at,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            call->state = CALL_WRITING;
            call->since_us = clock_monotonic_us();
            if (!watch(call->loop, EPOLL_CTL_MOD, call->fd, EPOLLOUT | EPOLLET, key_of(call))) {
                end_exchange(call, false);
            }
            return;
        }
        if (n <= 0) {
            end_exchange(call, false);
            return;
        }
        call->out_at += (size_t)n;
    }
    call->is_stirred |= call->state == CALL_WRITING; /* reading was not watched */
    end_exchange(call, true);
}

static void answer(struct fcgi_call *call)
{
    const char *method = call->wire.transport.variable(&call->wire.transport, "REQUEST_METHOD");

    if (call->wire.state != FCGI_WIRE_WHOLE) {
        end_exchange(call, false); /* a thread could not read it */
        return;
    }
    buf_init(&call->out, call->arena, call->loop->options.arena_bytes);
    call->out_at = 0;
    fcgi_wire_answer(&call->out, call->wire.id, &call->response,
                     method && strcmp(method, "HEAD") == 0);
    if (call->out.is_broken) {
        log_error("an answer had no room");
        end_exchange(call, false);
        return;
    }
    send_out(call);
}

/* ---- requests ---- */

/* The request is there. */
static void begin_call(struct fcgi_call *call)
{
    const struct fcgi_loop_options *options = &call->loop->options;

    call->state = CALL_BUSY;
    if (call->is_refused) {
        answer(call);
        return;
    }
    http_response_init(&call->response, call->arena);
    switch (options->begin(options->context, call)) {
    case FCGI_CALL_ANSWERED: answer(call); break;
    case FCGI_CALL_PENDING:
        call->is_awaited = true;
        call->loop->n_pending++;
        break;
    /* before the large ones: it waits for little, and is of somebody who sends little */
    case FCGI_CALL_WAITS: call_list_add_urgent(&call->loop->threads.waiting, call); break;
    case FCGI_CALL_LONG: (void)call_list_add(&call->loop->threads.waiting, call); break;
    }
}

/* True when the rest of the body is for a thread to read. */
static bool is_large(const struct fcgi_call *call)
{
    size_t quick = call->loop->options.quick_body;

    return call->wire.state == FCGI_WIRE_BODY &&
           (call->wire.content_length > (int64_t)quick || call->wire.body.len > quick);
}

/* A long body is coming: leaves it to a thread, or lets it pass by. True when it is a thread's. */
static bool hand_over(struct fcgi_call *call)
{
    struct fcgi_loop *loop = call->loop;

    http_response_init(&call->response, call->arena);
    enum fcgi_admission admission = loop->options.admit(loop->options.context, call, false);
    call->is_admitted = admission == FCGI_ADMITTED;
    if (admission == FCGI_REFUSED) {
        call->is_refused = true;
        fcgi_wire_drop_body(&call->wire);
        return false;
    }
    call->state = CALL_BUSY;
    (void)call_list_add(&loop->threads.waiting, call);
    return true;
}

/* Takes what is there. */
static void read_call(struct fcgi_call *call)
{
    struct fcgi_loop *loop = call->loop;

    for (;;) {
        ssize_t n = recv(call->fd, loop->bytes, sizeof loop->bytes, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (loop->is_stopping && call->state == CALL_IDLE) {
                close_call(call);
            }
            return;
        }
        if (n <= 0) {
            close_call(call);
            return;
        }
        if (call->state == CALL_IDLE) {
            call->state = CALL_READING;
            call->since_us = clock_monotonic_us();
        }
        size_t used = fcgi_wire_feed(&call->wire, loop->bytes, (size_t)n);
        if (call->wire.state == FCGI_WIRE_BROKEN) {
            close_call(call);
            return;
        }
        if (call->wire.state == FCGI_WIRE_WHOLE) {
            call->is_stirred = (size_t)n == sizeof loop->bytes; /* less: that was all */
            if (used < (size_t)n) {
                call->wire.is_kept = false; /* nobody asks twice at once */
            }
            begin_call(call);
            return;
        }
        if (!call->is_refused && is_large(call) && hand_over(call)) {
            return;
        }
    }
}

/* ---- events ---- */

/* A place for a new connection. When all are taken, the longest idle one makes room: a request
 * that waits now is worth more than one that may come. NULL when every one is at work. */
static struct fcgi_call *find_place(struct fcgi_loop *loop)
{
    struct fcgi_call *idlest = NULL;

    for (int i = 0; i < loop->options.max_connections; i++) {
        struct fcgi_call *call = &loop->calls[i];
        if (call->state == CALL_EMPTY) {
            return call;
        }
        if (call->state == CALL_IDLE && (!idlest || call->since_us < idlest->since_us)) {
            idlest = call;
        }
    }
    if (idlest) {
        read_call(idlest); /* its next request may be there already */
        if (idlest->state == CALL_IDLE) {
            close_call(idlest);
        }
    }
    return idlest && idlest->state == CALL_EMPTY ? idlest : NULL;
}

static void accept_one(struct fcgi_loop *loop)
{
    struct fcgi_call *call = find_place(loop);

    if (!call) {
        stop_listening(loop); /* until a connection ends */
        return;
    }
    int fd = accept(loop->options.listen_fd, NULL, NULL);
    if (fd < 0) {
        loop->is_failed = errno == EBADF || errno == ENOTSOCK;
        return;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    call->fd = fd;
    loop->n_open++;
    make_idle(call);
    if (!watch_reading(call, EPOLL_CTL_ADD)) {
        close_call(call);
    }
}

/* A thread refused it: what is still to come of its body passes by. */
static void let_pass(struct fcgi_call *call)
{
    call->state = CALL_READING;
    call->since_us = clock_monotonic_us();
    if (!watch_reading(call, EPOLL_CTL_MOD)) {
        close_call(call);
    }
}

static void finish_done(struct fcgi_loop *loop)
{
    struct fcgi_call *call = call_list_take(&loop->done);

    while (call) {
        struct fcgi_call *next = call->next;
        if (!call->is_served) {
            loop->n_pending -= call->is_awaited;
            call->is_awaited = false;
            loop->options.end(loop->options.context, call);
        }
        if (call->is_refused) {
            let_pass(call);
        } else {
            answer(call);
        }
        call = next;
    }
}

/* Takes no more, and lets go of who is idle. */
static void begin_stop(struct fcgi_loop *loop)
{
    if (loop->is_stopping) {
        return;
    }
    loop->is_stopping = true;
    stop_listening(loop);
    (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, loop->options.stop_fd, NULL);
    for (int i = 0; i < loop->options.max_connections; i++) {
        if (loop->calls[i].state == CALL_IDLE) {
            read_call(&loop->calls[i]);
        }
    }
}

static void handle_event(struct fcgi_loop *loop, uint64_t key)
{
    uint64_t count;

    if (key == KEY_LISTEN) {
        accept_one(loop);
    } else if (key == KEY_STOP) {
        begin_stop(loop);
    } else if (key == KEY_WAKE) {
        (void)!read(loop->wake_fd, &count, sizeof count);
        finish_done(loop);
    } else {
        struct fcgi_call *call = &loop->calls[(uint32_t)key];
        if (key_of(call) != key) {
            return; /* of a connection that was closed meanwhile */
        }
        switch (call->state) {
        case CALL_IDLE:
        case CALL_READING: read_call(call); break;
        case CALL_WRITING: send_out(call); break;
        case CALL_BUSY: call->is_stirred = true; break;
        case CALL_EMPTY: break;
        }
    }
}

/* Closes connections that stall amid a request. */
static void sweep(struct fcgi_loop *loop, int64_t now_us)
{
    for (int i = 0; i < loop->options.max_connections; i++) {
        struct fcgi_call *call = &loop->calls[i];
        if ((call->state == CALL_READING || call->state == CALL_WRITING) &&
            now_us - call->since_us > FCGI_STALL_SECONDS * US_PER_SECOND) {
            close_call(call);
        }
    }
}

/* While calls are pending, events are collected for a moment instead of waking the loop one by one:
 * who waits for a commit does not notice, and most of what an event costs is the waking. */
static void collect(const struct fcgi_loop *loop, int64_t woken_us)
{
    int64_t left_us = woken_us + COLLECT_US - clock_monotonic_us();

    if (loop->n_pending > 0 && left_us > 0) {
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){ .tv_nsec = left_us * 1000 },
                              NULL);
    }
}

static void run(struct fcgi_loop *loop)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int64_t swept_us = clock_monotonic_us();
    int64_t now_us = swept_us;

    while (!loop->is_failed && !(loop->is_stopping && loop->n_open == 0)) {
        collect(loop, now_us);
        int n = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, SWEEP_MS);
        now_us = clock_monotonic_us();
        for (int i = 0; i < n; i++) {
            handle_event(loop, events[i].data.u64);
        }
        if (n < 0 && errno != EINTR) {
            loop->is_failed = true;
        }
        if (now_us - swept_us > SWEEP_MS * (US_PER_SECOND / 1000)) {
            sweep(loop, now_us);
            swept_us = now_us;
        }
    }
}

/* ---- life ---- */

static bool start(struct fcgi_loop *loop)
{
    const struct fcgi_loop_options *options = &loop->options;

    for (int i = 0; i < options->max_connections; i++) {
        loop->calls[i] = (struct fcgi_call){ .loop = loop, .index = (uint32_t)i, .fd = -1,
                                             .arena = arena_new(options->arena_bytes) };
        if (!loop->calls[i].arena) {
            return false;
        }
    }
    if (!watch(loop, EPOLL_CTL_ADD, options->stop_fd, EPOLLIN, KEY_STOP) ||
        !watch(loop, EPOLL_CTL_ADD, loop->wake_fd, EPOLLIN, KEY_WAKE)) {
        return false;
    }
    listen_again(loop);
    return loop->is_listening && fcgi_threads_start(&loop->threads, options) > 0;
}

static void stop(struct fcgi_loop *loop)
{
    fcgi_threads_stop(&loop->threads);
    for (int i = 0; i < loop->options.max_connections; i++) {
        if (loop->calls[i].fd >= 0) {
            close(loop->calls[i].fd);
        }
        arena_free(loop->calls[i].arena);
    }
}

int fcgi_loop_run(const struct fcgi_loop_options *options)
{
    size_t n = (size_t)options->max_connections;
    struct arena *arena = arena_new(sizeof(struct fcgi_loop) + n * sizeof(struct fcgi_call) + 4096);
    struct fcgi_loop *loop = arena ? arena_alloc(arena, sizeof *loop) : NULL;

    if (!loop || !(loop->calls = arena_array(arena, n, sizeof *loop->calls))) {
        arena_free(arena);
        return 1;
    }
    loop->arena = arena;
    loop->options = *options;
    call_list_init(&loop->threads.waiting);
    call_list_init(&loop->done);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    for (size_t i = 0; i < n; i++) {
        loop->calls[i].fd = -1;
    }
    bool is_started = start(loop);
    if (is_started) {
        run(loop);
    } else {
        log_error("starting the FastCGI loop failed", LOG_INT("errno", errno));
    }
    stop(loop);
    close(loop->epoll_fd);
    close(loop->wake_fd);
    call_list_free(&loop->threads.waiting);
    call_list_free(&loop->done);
    bool is_failed = !is_started || loop->is_failed;
    arena_free(arena);
    return is_failed ? 1 : 0;
}

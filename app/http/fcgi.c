/* The FastCGI server of a process. One epoll instance watches the listening socket, the stop
 * descriptor and every idle connection; libfcgi is handed a connection only when a request is
 * arriving on it, and never the listening socket: its own accept can neither be interrupted
 * nor watched. Called by serve/web_process and serve/ingest_process. */
#include "http/fcgi.h"

#include "base/clock.h"
#include "http/fcgi_body.h"

#include <fcgiapp.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/time.h>

#define DRAIN_MAX_BYTES (32u << 20) /* of a body nobody read; beyond it the connection is closed */
#define STALL_SECONDS 30            /* nginx buffers both ways: longer silence is a dead peer */
#define FIRST_BYTE_MS 1000          /* nginx writes at once, but may be kept from the processor */
#define GATE_MS 3                   /* how often a closed gate is asked again */
#define LIBFCGI_BYTES 8192          /* what libfcgi hands on at once */
#define KEY_LISTEN UINT64_MAX
#define KEY_STOP (UINT64_MAX - 1)

enum slot_state { SLOT_EMPTY, SLOT_IDLE, SLOT_BUSY };

struct fcgi_exchange {
    struct http_transport transport; /* first, so that it converts back */
    FCGX_Request fcgx;
    struct fcgi_server *server;
    enum slot_state state;
    uint32_t generation; /* of the slot's connection: tells a stale event */
    uint32_t index;
    int64_t idle_since_us;
    bool is_body_over; /* the end of the body was read */
    bool is_broken;    /* the connection cannot carry another request */
    bool is_cut;       /* nor the end of this answer: it broke off within a record */
    int64_t waited_us, waited_bytes; /* for the body, and what that brought, of this window */
};

struct fcgi_server {
    struct arena *arena;
    pthread_mutex_t lock; /* over state and generation of the slots */
    atomic_bool is_stopping;
    int listen_fd, epoll_fd, stop_fd;
    int n_slots;
    struct fcgi_exchange *slots;
    bool (*may_take)(const void *context); /* or NULL */
    const void *gate_context;
    int64_t pace_us, pace_bytes; /* 0: bodies may be of any slowness */
};

/* ---- the wire, as http/request sees it ---- */

static const char *read_variable(struct http_transport *transport, const char *name)
{
    struct fcgi_exchange *exchange = (struct fcgi_exchange *)transport;

    return FCGX_GetParam(name, exchange->fcgx.envp);
}

/* Counts what a wait for the body brought. False when a window of waiting brought too little. */
static bool keeps_pace(struct fcgi_exchange *exchange, int64_t waited_us, int got)
{
    const struct fcgi_server *server = exchange->server;

    exchange->waited_us += waited_us;
    exchange->waited_bytes += got;
    if (server->pace_us == 0 || exchange->waited_us < server->pace_us) {
        return true;
    }
    bool is_fast = exchange->waited_bytes >= server->pace_bytes;
    exchange->waited_us = exchange->waited_bytes = 0;
    return is_fast;
}

/* What libfcgi holds of the body, or else the first byte that comes. */
static int read_some(struct fcgi_exchange *exchange, char *out, int want)
{
    FCGX_Stream *in = exchange->fcgx.in;
    int held = (int)(in->stop - in->rdNext);
    int64_t began_us = held < 1 ? clock_monotonic_us() : 0;
    int most = held < 1 ? 1 : held < want ? held : want;
    int got = FCGX_GetStr(out, most, in);

    if (got < most) {
        exchange->is_body_over = true;
        exchange->is_broken = FCGX_GetError(in) != 0; /* the only sign of a cut chunked body */
    } else if (!keeps_pace(exchange, held < 1 ? clock_monotonic_us() - began_us : 0, got)) {
        exchange->is_broken = true;
    }
    return got;
}

static int64_t read_body(struct http_transport *transport, char *out, size_t cap)
{
    struct fcgi_exchange *exchange = (struct fcgi_exchange *)transport;
    int want = cap > (1u << 30) ? 1 << 30 : (int)cap, got = 0;

    while (got < want && !exchange->is_body_over && !exchange->is_broken) {
        got += read_some(exchange, out + got, want - got);
    }
    return exchange->is_broken ? -1 : got;
}

struct http_transport *fcgi_transport(struct fcgi_exchange *exchange)
{
    return &exchange->transport;
}

/* ---- connections ---- */

static uint64_t slot_key(const struct fcgi_exchange *slot)
{
    return (uint64_t)slot->generation << 32 | slot->index;
}

static bool watch(struct fcgi_server *server, int op, int fd, uint32_t events, uint64_t key)
{
    struct epoll_event event = { .events = events, .data.u64 = key };

    return epoll_ctl(server->epoll_fd, op, fd, &event) == 0;
}

/* Of an idle connection: libfcgi's own way of closing waits for the peer. */
static void close_idle(struct fcgi_exchange *slot)
{
    close(slot->fcgx.ipcFd);
    slot->fcgx.ipcFd = -1;
}

static bool is_readable_within(int fd, int wait_ms)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

    return poll(&poll_fd, 1, wait_ms) > 0;
}

static bool is_readable(int fd)
{
    return is_readable_within(fd, 0);
}

/* Called with the lock. */
static struct fcgi_exchange *find_slot(struct fcgi_server *server, enum slot_state state)
{
    struct fcgi_exchange *found = NULL;

    for (int i = 0; i < server->n_slots; i++) {
        struct fcgi_exchange *slot = &server->slots[i];
        if (slot->state != state) {
            continue;
        }
        if (state == SLOT_EMPTY) {
            return slot;
        }
        if (!is_readable(slot->fcgx.ipcFd) &&
            (!found || slot->idle_since_us < found->idle_since_us)) {
            found = slot;
        }
    }
    return found;
}

/* A slot for a new connection. When all are taken, the longest idle connection makes room:
 * a request that waits now is worth more than one that may come. */
static struct fcgi_exchange *take_slot(struct fcgi_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct fcgi_exchange *slot = find_slot(server, SLOT_EMPTY);
    if (!slot) {
        slot = find_slot(server, SLOT_IDLE);
        if (slot) {
            close_idle(slot);
        }
    }
    if (slot) {
        slot->state = SLOT_BUSY;
        slot->generation++;
    }
    pthread_mutex_unlock(&server->lock);
    return slot;
}

static void release_slot(struct fcgi_exchange *slot)
{
    pthread_mutex_lock(&slot->server->lock);
    slot->state = SLOT_EMPTY;
    pthread_mutex_unlock(&slot->server->lock);
}

static bool is_every_slot_taken(struct fcgi_server *server)
{
    pthread_mutex_lock(&server->lock);
    bool is_taken = find_slot(server, SLOT_EMPTY) == NULL;
    pthread_mutex_unlock(&server->lock);
    return is_taken;
}

/* A peer that stalls in the middle of a request must not hold its thread for ever. */
static void prepare_connection(int fd)
{
    struct timeval stall = { .tv_sec = STALL_SECONDS };

    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &stall, sizeof stall);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
}

/* Waits for the next request on the connection without a thread. */
static void park(struct fcgi_exchange *slot)
{
    struct fcgi_server *server = slot->server;

    pthread_mutex_lock(&server->lock);
    slot->state = SLOT_IDLE;
    slot->idle_since_us = clock_monotonic_us();
    /* with the lock: once watched, another thread may claim the slot */
    if (!watch(server, EPOLL_CTL_MOD, slot->fcgx.ipcFd, EPOLLIN | EPOLLRDHUP | EPOLLONESHOT,
               slot_key(slot))) {
        close_idle(slot);
        slot->state = SLOT_EMPTY;
    }
    pthread_mutex_unlock(&server->lock);
}

/* Takes a waiting connection. NULL when it has no request yet, or when another process or thread
 * was quicker. */
static struct fcgi_exchange *accept_connection(struct fcgi_server *server, bool *is_failed)
{
    struct fcgi_exchange *slot = take_slot(server);
    if (!slot) {
        return NULL; /* all are about to be served */
    }
    int fd = accept(server->listen_fd, NULL, NULL);
    if (fd < 0) {
        *is_failed = errno == EBADF || errno == ENOTSOCK;
        release_slot(slot);
        return NULL;
    }
    prepare_connection(fd);
    (void)FCGX_InitRequest(&slot->fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR);
    slot->fcgx.ipcFd = fd;
    if (!watch(server, EPOLL_CTL_ADD, fd, EPOLLONESHOT, slot_key(slot))) {
        close_idle(slot);
        release_slot(slot);
        return NULL;
    }
    /* parked sooner, it could be the idle connection that makes room for the next one */
    if (!is_readable_within(fd, FIRST_BYTE_MS)) {
        park(slot);
        return NULL;
    }
    return slot;
}

/* The idle connection that an event is for; NULL when it was closed or taken meanwhile. */
static struct fcgi_exchange *claim_idle(struct fcgi_server *server, uint64_t key)
{
    struct fcgi_exchange *slot = &server->slots[(uint32_t)key];

    pthread_mutex_lock(&server->lock);
    bool is_ours = slot->state == SLOT_IDLE && slot_key(slot) == key;
    if (is_ours) {
        slot->state = SLOT_BUSY;
    }
    pthread_mutex_unlock(&server->lock);
    return is_ours ? slot : NULL;
}

/* Lets libfcgi read the request's head. False when the peer closed or speaks nonsense; the
 * connection is closed then. */
static bool read_head(struct fcgi_exchange *slot)
{
    slot->fcgx.keepConnection = 1; /* else libfcgi closes what it believes is the last request's */
    slot->is_body_over = false;
    slot->waited_us = slot->waited_bytes = 0;
    slot->is_broken = slot->is_cut = false;
    if (FCGX_Accept_r(&slot->fcgx) == 0) {
        return true;
    }
    release_slot(slot);
    return false;
}

/* ---- the server ---- */

struct fcgi_server *fcgi_server_new(int listen_fd, int stop_fd, int max_connections)
{
    size_t size = sizeof(struct fcgi_exchange) * (size_t)max_connections;
    struct arena *arena = arena_new(size + sizeof(struct fcgi_server) + 4096);
    struct fcgi_server *server = arena ? arena_alloc(arena, sizeof *server) : NULL;
    struct fcgi_exchange *slots =
        server ? arena_array(arena, (size_t)max_connections, sizeof *slots) : NULL;

    if (!slots || FCGX_Init() != 0) {
        log_error("starting FastCGI failed");
        arena_free(arena);
        return NULL;
    }
    server->arena = arena;
    server->listen_fd = listen_fd;
    server->stop_fd = stop_fd;
    server->n_slots = max_connections;
    server->slots = slots;
    for (int i = 0; i < max_connections; i++) {
        slots[i] = (struct fcgi_exchange){
            .transport = { .variable = read_variable, .read = read_body },
            .server = server,
            .index = (uint32_t)i,
        };
        (void)FCGX_InitRequest(&slots[i].fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR);
    }
    pthread_mutex_init(&server->lock, NULL);
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0 ||
        !watch(server, EPOLL_CTL_ADD, listen_fd, EPOLLIN | EPOLLEXCLUSIVE, KEY_LISTEN) ||
        !watch(server, EPOLL_CTL_ADD, stop_fd, EPOLLIN, KEY_STOP)) {
        log_error("watching the listening socket failed", LOG_INT("errno", errno));
        fcgi_server_free(server);
        return NULL;
    }
    return server;
}

void fcgi_server_set_gate(struct fcgi_server *server, bool (*may_take)(const void *context),
                          const void *context)
{
    server->may_take = may_take;
    server->gate_context = context;
}

void fcgi_server_set_pace(struct fcgi_server *server, int64_t pace_us, int64_t pace_bytes)
{
    server->pace_us = pace_us;
    server->pace_bytes = pace_bytes;
}

void fcgi_server_free(struct fcgi_server *server)
{
    if (!server) {
        return;
    }
    for (int i = 0; i < server->n_slots; i++) {
        if (server->slots[i].state == SLOT_IDLE) {
            close_idle(&server->slots[i]);
        }
    }
    if (server->epoll_fd >= 0) {
        close(server->epoll_fd);
    }
    pthread_mutex_destroy(&server->lock);
    arena_free(server->arena);
}

/* Waits for one event. At the stop, what is on its way on open connections still comes first;
 * new connections are not taken any more. False on failure. */
static bool wait_event(struct fcgi_server *server, uint64_t *key)
{
    struct epoll_event event = { .data.u64 = KEY_STOP };
    int n;

    do {
        n = epoll_wait(server->epoll_fd, &event, 1, -1);
    } while (n < 0 && errno == EINTR);
    if (n > 0 && event.data.u64 == KEY_STOP) {
        if (!atomic_exchange(&server->is_stopping, true)) {
            (void)epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, server->listen_fd, NULL);
        }
        /* the stop was put behind all else that is ready */
        (void)epoll_wait(server->epoll_fd, &event, 1, 0);
    }
    *key = event.data.u64;
    return n > 0;
}

enum fcgi_next fcgi_server_next(struct fcgi_server *server, struct fcgi_exchange **out)
{
    for (;;) {
        struct fcgi_exchange *exchange;
        bool is_failed = false;
        uint64_t key;

        if (!wait_event(server, &key)) {
            return FCGI_NEXT_FAILED;
        }
        if (key == KEY_STOP) {
            return FCGI_NEXT_STOP;
        }
        if (key == KEY_LISTEN && server->may_take && !server->may_take(server->gate_context)) {
            (void)is_readable_within(server->stop_fd, GATE_MS);
            continue;
        }
        exchange =
            key == KEY_LISTEN ? accept_connection(server, &is_failed) : claim_idle(server, key);
        if (is_failed) {
            return FCGI_NEXT_FAILED;
        }
        if (exchange && read_head(exchange)) {
            *out = exchange;
            return FCGI_NEXT_REQUEST;
        }
    }
}

/* ---- the answer ---- */

static void put_header(FCGX_Stream *out, const char *name, const char *value)
{
    (void)FCGX_PutS(name, out);
    (void)FCGX_PutS(": ", out);
    (void)FCGX_PutS(value, out);
    (void)FCGX_PutS("\r\n", out);
}

/* The body past libfcgi, whose records are of 8 KiB each. */
static bool send_body(struct fcgi_exchange *exchange, struct str body)
{
    const FCGX_Request *fcgx = &exchange->fcgx;
    bool is_sent = FCGX_FFlush(fcgx->out) == 0 && FCGX_GetError(fcgx->out) == 0 &&
                   fcgi_body_send(fcgx->ipcFd, fcgx->requestId, body);

    exchange->is_cut = !is_sent;
    return is_sent;
}

bool fcgi_send(struct fcgi_exchange *exchange, const struct http_response *response, bool is_head)
{
    FCGX_Stream *out = exchange->fcgx.out;
    bool has_body = response->status != 204 && response->status != 304;
    char text[64];

    (void)snprintf(text, sizeof text, "%d %s", response->status, http_reason(response->status));
    put_header(out, "Status", text);
    if (has_body && !response->is_streamed) {
        (void)snprintf(text, sizeof text, "%zu", response->body.len);
        put_header(out, "Content-Length", text);
    }
    if (has_body && response->content_type) {
        put_header(out, "Content-Type", response->content_type);
    }
    for (int i = 0; i < response->n_headers; i++) {
        put_header(out, response->headers[i].name, response->headers[i].value);
    }
    (void)FCGX_PutS("\r\n", out);
    if (has_body && !is_head && response->body.len > 0) {
        struct str body = { response->body.data, response->body.len };
        if (body.len > LIBFCGI_BYTES) {
            return send_body(exchange, body);
        }
        (void)FCGX_PutStr(body.ptr, (int)body.len, out);
    }
    return FCGX_GetError(out) == 0;
}

bool fcgi_send_more(struct fcgi_exchange *exchange, struct str bytes)
{
    FCGX_Stream *out = exchange->fcgx.out;

    (void)FCGX_PutStr(bytes.ptr, (int)bytes.len, out);
    (void)FCGX_FFlush(out);
    return FCGX_GetError(out) == 0;
}

bool fcgi_is_stopping(const struct fcgi_exchange *exchange)
{
    return is_readable(exchange->server->stop_fd);
}

void fcgi_cut(struct fcgi_exchange *exchange)
{
    close_idle(exchange);
    FCGX_Free(&exchange->fcgx, 0); /* without sending what ends an answer */
    release_slot(exchange);
}

void fcgi_finish(struct fcgi_exchange *exchange)
{
    struct fcgi_server *server = exchange->server;

    if (exchange->is_cut) {
        fcgi_cut(exchange);
        return;
    }
    /* Unread records of this request would be taken for the next one's head. */
    if (!exchange->is_body_over && !exchange->is_broken) {
        exchange->is_broken = !http_drain_body(&exchange->transport, DRAIN_MAX_BYTES);
    }
    /* Full, and somebody waits: nginx does not reuse a connection that ends with its answer. */
    if (exchange->is_broken || atomic_load(&server->is_stopping) ||
        (is_every_slot_taken(server) && is_readable(server->listen_fd))) {
        exchange->fcgx.keepConnection = 0;
    }
    FCGX_Finish_r(&exchange->fcgx);
    if (exchange->fcgx.ipcFd < 0) {
        release_slot(exchange);
        return;
    }
    park(exchange);
}

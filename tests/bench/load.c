/* Load for `make bench`: many HTTP/1.1 connections in one thread, so that its own cost stays far
 * below the server's; measures every request's latency. Prints one JSON object. Not a general
 * tool: it knows this product's ingest bodies and patches devices, times and values in place.
 *
 *   load --port P --path /v1/events/batch… --events 1000 --metrics 5 --token T
 *        --connections 8 --seconds 5 [--base-ms EPOCH] [--cookie C]… [--get] [--gzip]
 *        [--lines] [--same] [--rate N [--give-up]] [--devices N]
 *
 * Several cookies are dealt out to the connections in turn, several paths to their requests. --lines:
 * InfluxDB's line protocol, in milliseconds. --same: the same times again and again. --rate: so many
 * requests a second are due, whatever becomes of those before; a latency counts from when its request
 * was due. --give-up: what could not be begun by the end is not sent. --devices: the requests are of
 * so many devices in turn, instead of one a connection; time goes on with a round. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LATENCIES = 4000000, MAX_HEADER = 2048, MAX_ANSWER = 1 << 20, MAX_COOKIES = 16, MAX_PATHS = 2000,
       EVENTS_AT_ONCE = 256, TIME_DIGITS = 13, DEVICE_DIGITS = 6 };

struct options {
    int port, events, metrics, connections, devices;
    double seconds;
    int64_t base_ms;   /* time of the first event; each further one is a millisecond later */
    const char *paths[MAX_PATHS], *token, *label;
    int n_paths;
    const char *cookies[MAX_COOKIES];
    int n_cookies;
    double rate;       /* 0: each request follows the answer before */
    bool is_get, is_gzip, is_lines, is_same, is_giving_up;
};

struct places {
    size_t time, device; /* where an event's digits stand */
};

struct connection {
    int index, fd;
    char *request;          /* header and body, patched before every send */
    size_t request_len, header_len, sent;
    struct places *places;  /* of each event */
    int64_t next_ms;
    char *answer;
    size_t answer_len, answer_need; /* need 0: not known yet */
    bool is_busy, is_patched, is_writing;
    size_t n_begun, n_due;  /* requests */
    double start;           /* of the one under way, or when it was due */
};

struct load {
    struct options options;
    struct connection *connections;
    int epoll_fd, n_busy;
    double begin, end;
    size_t n_due;           /* of all connections */
    int n_paths_asked;
    int64_t n_events;       /* sent, of the devices in turn */
    double *latencies_ms;
    size_t n_latencies, n_errors;
    size_t n_limited, n_unavailable; /* errors that were 429, and 503 */
    int bad_status;
};

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static void *memory(size_t size)
{
    void *bytes = calloc(1, size);
    if (!bytes)
        die("calloc");
    return bytes;
}

static void watch(const struct load *load, struct connection *connection, int op, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = connection };
    if (epoll_ctl(load->epoll_fd, op, connection->fd, &event) != 0)
        die("epoll_ctl");
}

static void open_connection(const struct load *load, struct connection *connection)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)load->options.port) };
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    watch(load, connection, EPOLL_CTL_ADD, EPOLLIN);
    connection->is_writing = false;
}

/* ---- requests ---- */

static size_t write_line(const struct options *o, int index, char *out, size_t size, struct places *places)
{
    size_t len = (size_t)snprintf(out, size, "load,device=%s-", o->label);
    places->device = len;
    len += (size_t)snprintf(out + len, size - len, "%0*d ", DEVICE_DIGITS, index);
    for (int m = 0; m < o->metrics; m++)
        len += (size_t)snprintf(out + len, size - len, "%sm%d_w=%d.%d", m ? "," : "", m, 100 + m * 37, m % 10);
    places->time = len + 1;
    return len + (size_t)snprintf(out + len, size - len, " %0*d\n", TIME_DIGITS, 0);
}

static size_t write_event(const struct options *o, int index, char *out, size_t size, struct places *places)
{
    if (o->is_lines)
        return write_line(o, index, out, size, places);
    size_t len = (size_t)snprintf(out, size, "{\"device\":\"%s-", o->label);
    places->device = len;
    len += (size_t)snprintf(out + len, size - len, "%0*d\",\"time\":", DEVICE_DIGITS, index);
    places->time = len;
    len += (size_t)snprintf(out + len, size - len, "%0*d,\"metrics\":{", TIME_DIGITS, 0);
    for (int m = 0; m < o->metrics; m++)
        len += (size_t)snprintf(out + len, size - len, "%s\"m%d_w\":%d.%d", m ? "," : "", m, 100 + m * 37, m % 10);
    len += (size_t)snprintf(out + len, size - len, "}}");
    return len;
}

/* The body, in memory of its own; its length. */
static size_t build_body(const struct options *o, struct connection *connection, char **out)
{
    size_t event_size = 96 + (size_t)o->metrics * 24, n = (size_t)o->events, len = 0;
    bool is_array = n > 1 && !o->is_lines;
    char *body = memory(event_size * n + 16);

    if (is_array)
        body[len++] = '[';
    for (size_t i = 0; i < n; i++) {
        struct places places;
        if (i && is_array)
            body[len++] = ',';
        size_t event_len = write_event(o, connection->index, body + len, event_size, &places);
        connection->places[i] = (struct places){ len + places.time, len + places.device };
        len += event_len;
    }
    if (is_array)
        body[len++] = ']';
    *out = body;
    return len;
}

static size_t add_header(char *out, size_t len, const char *name, const char *value)
{
    return len + (size_t)snprintf(out + len, MAX_HEADER - len, "%s: %s\r\n", name, value);
}

static void build_request(const struct options *o, struct connection *connection, const char *path)
{
    free(connection->places);
    free(connection->request);
    char *body = NULL, text[32];
    connection->places = memory(((size_t)o->events + 1) * sizeof *connection->places);
    size_t body_len = o->is_get ? 0 : build_body(o, connection, &body);
    char *out = memory(body_len + MAX_HEADER);
    size_t len = (size_t)snprintf(out, MAX_HEADER, "%s %s HTTP/1.1\r\nHost: localhost\r\n",
                                  o->is_get ? "GET" : "POST", path);
    if (o->token)
        len += (size_t)snprintf(out + len, MAX_HEADER - len, "Authorization: Bearer %s\r\n", o->token);
    if (o->n_cookies)
        len = add_header(out, len, "Cookie", o->cookies[connection->index % o->n_cookies]);
    if (o->is_gzip)
        len = add_header(out, len, "Accept-Encoding", "gzip");
    if (!o->is_get) {
        snprintf(text, sizeof text, "%zu", body_len);
        len = add_header(out, len, "Content-Type", o->is_lines ? "text/plain" : "application/json");
        len = add_header(out, len, "Content-Length", text);
    }
    len += (size_t)snprintf(out + len, MAX_HEADER - len, "\r\n");
    if (body)
        memcpy(out + len, body, body_len);
    free(body);
    connection->request = out;
    connection->header_len = len;
    connection->request_len = len + body_len;
}

static void write_digits(char *out, int n, int64_t value)
{
    for (int d = n - 1; d >= 0; d--, value /= 10)
        out[d] = (char)('0' + value % 10);
}

static void patch_events(struct load *load, struct connection *connection)
{
    const struct options *o = &load->options;
    for (int i = 0; i < o->events; i++) {
        char *body = connection->request + connection->header_len;
        int64_t time_ms = connection->next_ms++;
        if (o->devices) {
            time_ms = o->base_ms + load->n_events / o->devices;
            write_digits(body + connection->places[i].device, DEVICE_DIGITS, load->n_events++ % o->devices);
        }
        write_digits(body + connection->places[i].time, TIME_DIGITS, time_ms);
    }
    connection->is_patched = true;
}

/* ---- exchanges ---- */

static void begin_next(struct load *load, struct connection *connection);

/* The answer is there; status 0: the connection broke. */
static void end_request(struct load *load, struct connection *connection, int status)
{
    double now = now_s();
    connection->is_busy = false;
    load->n_busy--;
    if (status / 100 != 2) {
        load->n_errors++;
        load->n_limited += status == 429;
        load->n_unavailable += status == 503;
        load->bad_status = status;
        close(connection->fd);
        open_connection(load, connection);
    } else if (load->n_latencies < MAX_LATENCIES) {
        load->latencies_ms[load->n_latencies++] = (now - connection->start) * 1e3;
    }
    begin_next(load, connection);
}

static void send_rest(struct load *load, struct connection *connection)
{
    while (connection->sent < connection->request_len) {
        ssize_t n = send(connection->fd, connection->request + connection->sent,
                         connection->request_len - connection->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            if (!connection->is_writing)
                watch(load, connection, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            connection->is_writing = true;
            return;
        }
        if (n <= 0) {
            end_request(load, connection, 0);
            return;
        }
        connection->sent += (size_t)n;
    }
    if (connection->is_writing)
        watch(load, connection, EPOLL_CTL_MOD, EPOLLIN);
    connection->is_writing = false;
}

/* Sends the connection's next request where one is due. */
static void begin_next(struct load *load, struct connection *connection)
{
    const struct options *o = &load->options;
    double now = now_s();

    if (o->rate > 0) {
        if (connection->n_begun == connection->n_due || (o->is_giving_up && now >= load->end))
            return;
        connection->start =
            load->begin + ((double)connection->n_begun * o->connections + connection->index) / o->rate;
    } else if (now >= load->end) {
        return;
    } else {
        connection->start = now;
    }
    connection->n_begun++;
    connection->is_busy = true;
    load->n_busy++;
    if (o->n_paths > 1)
        build_request(o, connection, o->paths[load->n_paths_asked++ % o->n_paths]);
    if (!o->is_get && (!connection->is_patched || !o->is_same))
        patch_events(load, connection);
    connection->sent = connection->answer_len = connection->answer_need = 0;
    send_rest(load, connection);
}

/* How long the answer will be, once its head is there. False when it cannot be known. */
static bool find_length(struct connection *connection)
{
    char *answer = connection->answer, *end = strstr(answer, "\r\n\r\n");
    if (!end)
        return true;
    char *length = strcasestr(answer, "\r\nContent-Length:");
    if (strncmp(answer + 9, "204", 3) == 0)
        connection->answer_need = (size_t)(end + 4 - answer);
    else if (length && length < end)
        connection->answer_need = (size_t)(end + 4 - answer) + strtoul(length + 17, NULL, 10);
    else if (!strcasestr(answer, "\r\nTransfer-Encoding: chunked"))
        return false;
    /* compressed answers come in chunks; that the last one's five bytes end a read by chance is
     * not to be feared */
    else if (memcmp(answer + connection->answer_len - 5, "0\r\n\r\n", 5) == 0)
        connection->answer_need = connection->answer_len;
    return true;
}

static void read_answer(struct load *load, struct connection *connection)
{
    ssize_t n = recv(connection->fd, connection->answer + connection->answer_len,
                     MAX_ANSWER - 1 - connection->answer_len, MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN)
        return;
    bool is_good = n > 0 && connection->is_busy;
    if (is_good) {
        connection->answer_len += (size_t)n;
        connection->answer[connection->answer_len] = '\0';
        is_good = connection->answer_need || find_length(connection);
    }
    if (!connection->is_busy) { /* closed between two requests */
        close(connection->fd);
        open_connection(load, connection);
    } else if (!is_good) {
        end_request(load, connection, 0);
    } else if (connection->answer_need && connection->answer_len >= connection->answer_need) {
        end_request(load, connection, (int)strtol(connection->answer + 9, NULL, 10));
    }
}

/* ---- the loop ---- */

static double due_of(const struct load *load, size_t n)
{
    return load->begin + (double)n / load->options.rate;
}

/* Begins what is due by now. */
static void begin_due(struct load *load)
{
    double now = now_s();
    while (due_of(load, load->n_due) <= now && due_of(load, load->n_due) < load->end) {
        struct connection *connection = &load->connections[load->n_due++ % (size_t)load->options.connections];
        connection->n_due++;
        if (!connection->is_busy)
            begin_next(load, connection);
    }
}

static void run(struct load *load)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    bool is_paced = load->options.rate > 0;

    load->begin = now_s();
    load->end = load->begin + load->options.seconds;
    for (int i = 0; i < load->options.connections && !is_paced; i++)
        begin_next(load, &load->connections[i]);
    while (load->n_busy || (is_paced && due_of(load, load->n_due) < load->end)) {
        double wait = is_paced && due_of(load, load->n_due) < load->end ? due_of(load, load->n_due) - now_s() : 1;
        wait = wait > 0 ? wait : 0;
        struct timespec timeout = { (time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9) };
        int n = epoll_pwait2(load->epoll_fd, events, EVENTS_AT_ONCE, &timeout, NULL);
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if (connection->is_writing && events[i].events & EPOLLOUT)
                send_rest(load, connection);
            if (events[i].events & ~(uint32_t)EPOLLOUT)
                read_answer(load, connection);
        }
        if (is_paced)
            begin_due(load);
    }
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const struct load *load, double elapsed)
{
    const struct options *o = &load->options;
    size_t n = load->n_latencies;
    double *all = load->latencies_ms;

    qsort(all, n, sizeof *all, compare_double);
    double per_request = o->is_get ? 0 : (double)o->events * o->metrics;
    printf("{\"requests\":%zu,\"errors\":%zu,\"limited\":%zu,\"unavailable\":%zu,\"bad_status\":%d,"
           "\"seconds\":%.3f,\"rps\":%.1f,\"rows\":%.0f,"
           "\"rows_per_s\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           n, load->n_errors, load->n_limited, load->n_unavailable, load->bad_status, elapsed,
           (double)n / elapsed, (double)n * per_request,
           (double)n * per_request / elapsed, n ? all[n / 2] : 0, n ? all[(size_t)((double)(n - 1) * 0.99)] : 0,
           n ? all[n - 1] : 0);
}

static struct options read_options(int argc, char **argv)
{
    struct options o = { .events = 1, .metrics = 1, .connections = 1, .seconds = 3, .label = "load" };
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(name, "--get") == 0) {
            o.is_get = true;
            continue;
        }
        if (strcmp(name, "--gzip") == 0) {
            o.is_gzip = true;
            continue;
        }
        if (strcmp(name, "--lines") == 0) {
            o.is_lines = true;
            continue;
        }
        if (strcmp(name, "--give-up") == 0) {
            o.is_giving_up = true;
            continue;
        }
        if (strcmp(name, "--same") == 0) {
            o.is_same = true;
            continue;
        }
        i++;
        if (strcmp(name, "--port") == 0) o.port = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--events") == 0) o.events = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--metrics") == 0) o.metrics = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--connections") == 0) o.connections = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--seconds") == 0) o.seconds = strtod(value, NULL);
        else if (strcmp(name, "--base-ms") == 0) o.base_ms = strtoll(value, NULL, 10);
        else if (strcmp(name, "--path") == 0) { if (o.n_paths < MAX_PATHS) o.paths[o.n_paths++] = value; }
        else if (strcmp(name, "--token") == 0) o.token = value;
        else if (strcmp(name, "--cookie") == 0 && o.n_cookies < MAX_COOKIES) o.cookies[o.n_cookies++] = value;
        else if (strcmp(name, "--devices") == 0) o.devices = (int)strtol(value, NULL, 10);
        else if (strcmp(name, "--rate") == 0) o.rate = strtod(value, NULL);
        else if (strcmp(name, "--label") == 0) o.label = value;
        else { fprintf(stderr, "load: unknown option %s\n", name); exit(2); }
    }
    o.paths[0] = o.n_paths ? o.paths[0] : "/";
    return o;
}

int main(int argc, char **argv)
{
    struct load load = { .options = read_options(argc, argv), .epoll_fd = epoll_create1(0) };
    size_t n = (size_t)load.options.connections;

    load.connections = memory(n * sizeof *load.connections);
    load.latencies_ms = malloc(MAX_LATENCIES * sizeof *load.latencies_ms);
    if (!load.latencies_ms || load.epoll_fd < 0)
        die("epoll");
    for (int i = 0; i < load.options.connections; i++) {
        struct connection *connection = &load.connections[i];
        *connection = (struct connection){ .index = i, .next_ms = load.options.base_ms, .answer = malloc(MAX_ANSWER) };
        if (!connection->answer)
            die("malloc");
        build_request(&load.options, connection, load.options.paths[0]);
        open_connection(&load, connection);
    }
    run(&load);
    report(&load, now_s() - load.begin);
    return 0;
}

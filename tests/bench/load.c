/* Load for `make bench`: a closed loop of HTTP/1.1 connections, one thread each, that
 * measures every request's latency. Prints one JSON object. Not a general tool: it knows
 * this product's ingest body and patches times and values in place, so that its own cost
 * stays far below the server's.
 *
 *   load --port P --path /v1/events/batch --events 1000 --metrics 5 --token T
 *        --connections 8 --seconds 5 [--base-ms EPOCH] [--cookie C]… [--get] [--gzip]
 *        [--lines] [--same] [--rate N]
 *
 * Several cookies are dealt out to the connections in turn. --lines: InfluxDB's line protocol, in
 * milliseconds. --same: the same times again and again. --rate: so many requests a second are due,
 * whatever becomes of those before; a latency counts from when its request was due. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LATENCIES = 4000000, MAX_HEADER = 2048, MAX_ANSWER = 1 << 20, MAX_COOKIES = 16 };

struct options {
    int port, events, metrics, connections;
    double seconds;
    int64_t base_ms;   /* time of the first event; each further one is a millisecond later */
    const char *path, *token, *label;
    const char *cookies[MAX_COOKIES];
    int n_cookies;
    double rate;       /* 0: each request follows the answer before */
    bool is_get, is_gzip, is_lines, is_same;
};

struct worker {
    const struct options *options;
    int index, fd;
    char *request;          /* header and body, patched before every send */
    size_t request_len, header_len;
    size_t *time_offsets;   /* where each event's 13 digits stand */
    int64_t next_ms;
    char *answer;
    double *latencies_ms;
    size_t n_latencies, max_latencies, n_errors;
    int last_status;
    pthread_t thread;
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

static int open_connection(int port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static size_t write_line(const struct worker *worker, char *out, size_t size, size_t *time_offset)
{
    size_t len = (size_t)snprintf(out, size, "load,device=%s-%04d ", worker->options->label, worker->index);
    for (int m = 0; m < worker->options->metrics; m++)
        len += (size_t)snprintf(out + len, size - len, "%sm%d_w=%d.%d", m ? "," : "", m, 100 + m * 37, m % 10);
    *time_offset = len + 1;
    return len + (size_t)snprintf(out + len, size - len, " 0000000000000\n");
}

static size_t write_event(const struct worker *worker, char *out, size_t size, size_t *time_offset)
{
    if (worker->options->is_lines)
        return write_line(worker, out, size, time_offset);
    size_t len = (size_t)snprintf(out, size, "{\"device\":\"%s-%04d\",\"time\":", worker->options->label,
                                  worker->index);
    *time_offset = len;
    len += (size_t)snprintf(out + len, size - len, "0000000000000,\"metrics\":{");
    for (int m = 0; m < worker->options->metrics; m++)
        len += (size_t)snprintf(out + len, size - len, "%s\"m%d_w\":%d.%d", m ? "," : "", m, 100 + m * 37, m % 10);
    len += (size_t)snprintf(out + len, size - len, "}}");
    return len;
}

static void build_request(struct worker *worker)
{
    const struct options *o = worker->options;
    size_t event_size = 96 + (size_t)o->metrics * 24, n = (size_t)o->events;
    char *body = malloc(event_size * n + 16);
    size_t len = 0;
    worker->time_offsets = calloc(n + 1, sizeof *worker->time_offsets);
    worker->request = malloc(event_size * n + MAX_HEADER);
    if (!body || !worker->time_offsets || !worker->request)
        die("malloc");
    bool is_array = n > 1 && !o->is_lines;
    if (is_array)
        body[len++] = '[';
    for (size_t i = 0; i < n && !o->is_get; i++) {
        size_t offset;
        if (i && is_array)
            body[len++] = ',';
        size_t event_len = write_event(worker, body + len, event_size, &offset);
        worker->time_offsets[i] = len + offset;
        len += event_len;
    }
    if (is_array)
        body[len++] = ']';
    worker->header_len = (size_t)snprintf(
        worker->request, MAX_HEADER, "%s %s HTTP/1.1\r\nHost: localhost\r\n", o->is_get ? "GET" : "POST", o->path);
    if (o->token)
        worker->header_len += (size_t)snprintf(worker->request + worker->header_len, 512,
                                               "Authorization: Bearer %s\r\n", o->token);
    if (o->n_cookies)
        worker->header_len +=
            (size_t)snprintf(worker->request + worker->header_len, 512, "Cookie: %s\r\n",
                             o->cookies[worker->index % o->n_cookies]);
    if (o->is_gzip)
        worker->header_len += (size_t)snprintf(worker->request + worker->header_len, 64,
                                               "Accept-Encoding: gzip\r\n");
    if (!o->is_get)
        worker->header_len += (size_t)snprintf(worker->request + worker->header_len, 128,
                                               "Content-Type: %s\r\nContent-Length: %zu\r\n",
                                               o->is_lines ? "text/plain" : "application/json", len);
    worker->header_len += (size_t)snprintf(worker->request + worker->header_len, 8, "\r\n");
    if (!o->is_get)
        memcpy(worker->request + worker->header_len, body, len);
    worker->request_len = worker->header_len + (o->is_get ? 0 : len);
    free(body);
}

static void patch_times(struct worker *worker)
{
    for (int i = 0; i < worker->options->events; i++) {
        char *digits = worker->request + worker->header_len + worker->time_offsets[i];
        int64_t value = worker->next_ms++;
        for (int d = 12; d >= 0; d--, value /= 10)
            digits[d] = (char)('0' + value % 10);
    }
}

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* Reads one answer; returns its status, 0 when the connection broke. */
static int read_answer(struct worker *worker)
{
    size_t len = 0, need = 0;
    while (need == 0 || len < need) {
        ssize_t n = recv(worker->fd, worker->answer + len, MAX_ANSWER - 1 - len, 0);
        if (n <= 0)
            return 0;
        len += (size_t)n;
        worker->answer[len] = '\0';
        char *end = strstr(worker->answer, "\r\n\r\n");
        if (!need && end) {
            char *length = strcasestr(worker->answer, "\r\nContent-Length:");
            if (strncmp(worker->answer + 9, "204", 3) == 0)
                need = (size_t)(end + 4 - worker->answer);
            else if (length && length < end)
                need = (size_t)(end + 4 - worker->answer) + strtoul(length + 17, NULL, 10);
            else if (!strcasestr(worker->answer, "\r\nTransfer-Encoding: chunked"))
                return 0;
        }
        /* compressed answers come in chunks; that the last one's five bytes end a read by chance
         * is not to be feared */
        if (!need && len > 5 && memcmp(worker->answer + len - 5, "0\r\n\r\n", 5) == 0)
            need = len;
    }
    return (int)strtol(worker->answer + 9, NULL, 10);
}

static void wait_until(double due)
{
    struct timespec ts = { .tv_sec = (time_t)due, .tv_nsec = (long)((due - (double)(time_t)due) * 1e9) };
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

/* When the worker's next request is due: the last one's answer is there, or by the rate. */
static double next_due(const struct worker *worker, double begin, size_t n)
{
    const struct options *o = worker->options;
    if (o->rate <= 0)
        return now_s();
    return begin + ((double)n * o->connections + worker->index) / o->rate;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    double begin = now_s(), end = begin + worker->options->seconds;
    size_t n = 0;
    for (double start = begin; worker->n_latencies < worker->max_latencies; n++) {
        start = next_due(worker, begin, n);
        if (start >= end)
            break;
        if (worker->options->rate > 0)
            wait_until(start);
        if (!worker->options->is_get && (n == 0 || !worker->options->is_same))
            patch_times(worker);
        int status = send_all(worker->fd, worker->request, worker->request_len) ? read_answer(worker) : 0;
        worker->last_status = status;
        if (status / 100 != 2) {
            worker->n_errors++;
            close(worker->fd);
            worker->fd = open_connection(worker->options->port);
            continue;
        }
        worker->latencies_ms[worker->n_latencies++] = (now_s() - start) * 1e3;
    }
    return NULL;
}

static int compare_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const struct options *o, struct worker *workers, double elapsed)
{
    size_t n = 0, errors = 0;
    int bad_status = 0;
    for (int i = 0; i < o->connections; i++) {
        n += workers[i].n_latencies;
        errors += workers[i].n_errors;
        if (workers[i].n_errors)
            bad_status = workers[i].last_status;
    }
    double *all = calloc(n + 1, sizeof *all);
    if (!all)
        die("calloc");
    size_t at = 0;
    for (int i = 0; i < o->connections; i++) {
        memcpy(all + at, workers[i].latencies_ms, workers[i].n_latencies * sizeof *all);
        at += workers[i].n_latencies;
    }
    qsort(all, n, sizeof *all, compare_double);
    double per_request = o->is_get ? 0 : (double)o->events * o->metrics;
    printf("{\"requests\":%zu,\"errors\":%zu,\"bad_status\":%d,\"seconds\":%.3f,\"rps\":%.1f,\"rows\":%.0f,"
           "\"rows_per_s\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
           n, errors, bad_status, elapsed, (double)n / elapsed, (double)n * per_request,
           (double)n * per_request / elapsed, n ? all[n / 2] : 0, n ? all[(size_t)((double)(n - 1) * 0.99)] : 0,
           n ? all[n - 1] : 0);
    free(all);
}

static struct options read_options(int argc, char **argv)
{
    struct options o = { .events = 1, .metrics = 1, .connections = 1, .seconds = 3, .path = "/", .label = "load" };
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
        else if (strcmp(name, "--path") == 0) o.path = value;
        else if (strcmp(name, "--token") == 0) o.token = value;
        else if (strcmp(name, "--cookie") == 0 && o.n_cookies < MAX_COOKIES) o.cookies[o.n_cookies++] = value;
        else if (strcmp(name, "--rate") == 0) o.rate = strtod(value, NULL);
        else if (strcmp(name, "--label") == 0) o.label = value;
        else { fprintf(stderr, "load: unknown option %s\n", name); exit(2); }
    }
    return o;
}

int main(int argc, char **argv)
{
    struct options o = read_options(argc, argv);
    struct worker *workers = calloc((size_t)o.connections, sizeof *workers);
    if (!workers)
        die("calloc");
    for (int i = 0; i < o.connections; i++) {
        workers[i] = (struct worker){ .options = &o, .index = i, .next_ms = o.base_ms };
        workers[i].answer = malloc(MAX_ANSWER);
        workers[i].max_latencies = MAX_LATENCIES / (size_t)o.connections;
        workers[i].latencies_ms = malloc(workers[i].max_latencies * sizeof(double));
        if (!workers[i].answer || !workers[i].latencies_ms)
            die("malloc");
        build_request(&workers[i]);
        workers[i].fd = open_connection(o.port);
    }
    double start = now_s();
    for (int i = 0; i < o.connections; i++)
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            die("pthread_create");
    for (int i = 0; i < o.connections; i++)
        pthread_join(workers[i].thread, NULL);
    report(&o, workers, now_s() - start);
    return 0;
}

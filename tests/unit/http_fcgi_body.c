/* The body of a long answer in FastCGI's records, over a real connection: every byte of every length
 * that is next to a record's, to a peer that reads slowly, and what becomes of one that goes away. */
#include "tap.h"

#include "http/fcgi_body.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define REQUEST_ID 0x0102
#define MOST 300000

/* What a peer made of the records. */
struct peer {
    int fd;
    size_t chunk; /* read at once */
    unsigned char body[MOST];
    size_t len;
    bool is_good; /* all records were of the request, of its output, whole */
};

static bool read_all(struct peer *peer, unsigned char *out, size_t n)
{
    while (n > 0) {
        ssize_t got = read(peer->fd, out, n < peer->chunk ? n : peer->chunk);
        if (got <= 0) {
            return false;
        }
        out += got;
        n -= (size_t)got;
    }
    return true;
}

static void *read_records(void *context)
{
    struct peer *peer = context;
    unsigned char head[8];

    peer->is_good = true;
    while (read_all(peer, head, sizeof head)) {
        size_t n = (size_t)head[4] << 8 | head[5];
        peer->is_good = peer->is_good && head[0] == 1 && head[1] == 6 && head[2] == 1 &&
                        head[3] == 2 && n > 0 && head[6] == 0 && peer->len + n <= MOST &&
                        read_all(peer, peer->body + peer->len, n);
        if (!peer->is_good) {
            break;
        }
        peer->len += n;
    }
    return NULL;
}

static void check_length(size_t n, size_t chunk)
{
    static struct peer peer;
    static char body[MOST];
    int ends[2];
    pthread_t reader;

    for (size_t i = 0; i < n; i++) {
        body[i] = (char)(i * 31 >> 3);
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        abort();
    }
    peer = (struct peer){ .fd = ends[1], .chunk = chunk };
    pthread_create(&reader, NULL, read_records, &peer);
    bool is_sent = fcgi_body_send(ends[0], REQUEST_ID, (struct str){ body, n });
    close(ends[0]);
    pthread_join(reader, NULL);
    close(ends[1]);
    ok(is_sent && peer.is_good && peer.len == n && memcmp(peer.body, body, n) == 0,
       "%zu bytes, read %zu at once", n, chunk);
}

/* One that reads nothing, and one that is gone. */
static void check_failures(void)
{
    static char body[MOST];
    struct timeval stall = { .tv_usec = 50000 };
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        abort();
    }
    int small = 4096;
    setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &stall, sizeof stall);
    ok(!fcgi_body_send(ends[0], REQUEST_ID, (struct str){ body, MOST }),
       "who reads nothing is waited for as long as the connection allows");
    close(ends[1]);
    ok(!fcgi_body_send(ends[0], REQUEST_ID, (struct str){ body, MOST }),
       "who is gone is told of, not by a signal");
    close(ends[0]);
}

int main(void)
{
    static const size_t lengths[] = { 1, 8193, 65527, 65528, 65529, 131056, 131057, 200000 };

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        check_length(lengths[i], MOST);
    }
    check_length(200000, 777);
    check_failures();
    return done_testing();
}

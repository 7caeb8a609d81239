/* Puts a long body into records, each sent with its header in one call. */
#include "http/fcgi_body.h"

#include <errno.h>
#include <fastcgi.h>
#include <stdint.h>
#include <sys/socket.h>

#define RECORD_BYTES 65528u /* at most 65,535, and whole words: no padding */

/* A record, and how it is handed to the kernel. */
struct record {
    FCGI_Header header;
    struct iovec parts[2];
};

static void make_record(struct record *record, int id, const char *bytes, size_t n)
{
    record->header = (FCGI_Header){
        .version = FCGI_VERSION_1, .type = FCGI_STDOUT,
        .requestIdB1 = (uint8_t)(id >> 8), .requestIdB0 = (uint8_t)id,
        .contentLengthB1 = (uint8_t)(n >> 8), .contentLengthB0 = (uint8_t)n,
    };
    record->parts[0] = (struct iovec){ &record->header, sizeof record->header };
    record->parts[1] = (struct iovec){ (void *)(uintptr_t)bytes, n };
}

static bool send_record(int fd, struct record *record)
{
    struct msghdr message = { .msg_iov = record->parts, .msg_iovlen = 2 };

    while (message.msg_iovlen > 0) {
        ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return false;
        }
        size_t sent = (size_t)n;
        while (message.msg_iovlen > 0 && sent >= message.msg_iov->iov_len) {
            sent -= message.msg_iov->iov_len;
            message.msg_iov++;
            message.msg_iovlen--;
        }
        if (message.msg_iovlen > 0) {
            message.msg_iov->iov_base = (char *)message.msg_iov->iov_base + sent;
            message.msg_iov->iov_len -= sent;
        }
    }
    return true;
}

bool fcgi_body_send(int fd, int request_id, struct str body)
{
    struct record record;
    bool is_sent = true;

    for (size_t at = 0; is_sent && at < body.len; at += RECORD_BYTES) {
        size_t left = body.len - at;
        make_record(&record, request_id, body.ptr + at, left < RECORD_BYTES ? left : RECORD_BYTES);
        is_sent = send_record(fd, &record);
    }
    return is_sent;
}

/* Waits for the server's answers. Where somebody else waits for ours, not for ever: a server that
 * stands still (a stopped process, a disk that hangs) closes no connection and answers nothing.
 * Such a connection is shut, and libpq finds it lost. Called by what runs statements. */
#include "db/pq.h"

#include "base/clock.h"

#include <poll.h>
#include <sys/socket.h>

#define LOOK_US (3 * US_PER_SECOND)  /* without an answer: is the server there? */
#define GRACE_US (5 * US_PER_SECOND) /* for a timeout of the server's own to be told */
#define PING_TIMEOUT_S "2"           /* libpq's least */
#define SILENT_US (2 * US_PER_SECOND) /* nobody tries a server that did not answer for so long */

/* False where the server does not answer newcomers either. */
static bool is_server_there(const struct db_conn *conn)
{
    const char *const keys[] = { "dbname", "connect_timeout", NULL };
    const char *const values[] = { conn->options.url, PING_TIMEOUT_S, NULL };

    return PQpingParams(keys, values, 1) != PQPING_NO_RESPONSE;
}

void db_note_silent(struct db_conn *conn)
{
    conn->silent_until_us = clock_monotonic_us() + SILENT_US;
}

bool db_is_silent(const struct db_conn *conn)
{
    return conn->silent_until_us > clock_monotonic_us();
}

static void give_up(struct db_conn *conn, const struct op *op)
{
    log_warn("the database does not answer; its connection is given up",
             LOG_TEXT("connection", conn->options.name), LOG_TEXT("id", op->id));
    (void)shutdown(PQsocket(conn->pq), SHUT_RDWR);
}

/* Waits for bytes; false: until then there were none. */
static bool has_bytes(PGconn *pq, int64_t until_us)
{
    struct pollfd fd = { .fd = PQsocket(pq), .events = POLLIN };
    int64_t left_us = until_us - clock_monotonic_us();

    return poll(&fd, 1, left_us > 0 ? (int)(left_us / 1000) + 1 : 0) > 0;
}

void db_await(struct db_conn *conn, const struct op *op)
{
    bool is_hurried = op->db_patience_ms > 0;
    int64_t now_us, look_us, end_us;

    if (!is_hurried && !conn->options.is_watched) {
        return;
    }
    now_us = clock_monotonic_us();
    look_us = now_us + LOOK_US;
    end_us = now_us + (is_hurried ? op->db_patience_ms * INT64_C(1000)
                                  : conn->options.statement_timeout_ms * INT64_C(1000) + GRACE_US);
    while (PQstatus(conn->pq) == CONNECTION_OK && PQisBusy(conn->pq)) {
        if (has_bytes(conn->pq, look_us < end_us ? look_us : end_us)) {
            if (!PQconsumeInput(conn->pq)) {
                return; /* it is lost, as PQgetResult says */
            }
            continue;
        }
        now_us = clock_monotonic_us();
        if (now_us < look_us && now_us < end_us) {
            continue; /* a signal */
        }
        bool is_silent = !is_hurried && now_us < end_us && !is_server_there(conn);
        if (is_silent) {
            db_note_silent(conn);
        }
        if (is_silent || now_us >= end_us) {
            give_up(conn, op);
            return;
        }
        look_us = now_us + LOOK_US;
    }
}

PGresult *db_answer_last(struct db_conn *conn, const struct op *op, int is_sent)
{
    PGresult *last = NULL, *result = NULL;

    while (is_sent) {
        db_await(conn, op);
        result = PQgetResult(conn->pq);
        if (result == NULL) {
            break;
        }
        PQclear(last);
        last = result;
        if (PQresultStatus(result) == PGRES_COPY_IN || PQstatus(conn->pq) != CONNECTION_OK) {
            break;
        }
    }
    return last;
}

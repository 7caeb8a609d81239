/* One connection to PostgreSQL: described once, opened when first needed, dropped when it
 * breaks, opened again by the next transaction. Answers for how we log in and for keeping
 * a dead server from holding us; not for transactions (tx.c) nor statements (run.c). */
#include "db/conn.h"

#include "base/clock.h"
#include "db/pq.h"

#include "gen/queries.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The link's own limits. No `options`: a pooler refuses startup parameters that it does not
 * know, so timeouts of the server's side are bound with each transaction (tx.c). */
#define CONNECT_TIMEOUT_S "5"
#define WATCHED_CONNECT_TIMEOUT_S "3"
#define SLOW_CONNECT_US (2 * US_PER_SECOND) /* a refusal that takes as long is a timeout */
#define KEEPALIVE_IDLE_S "30"
#define TCP_USER_TIMEOUT_MS "30000" /* unacknowledged data for so long means a dead server */

#define CONN_ARENA_BYTES (sizeof(struct db_conn) + 4096)

struct db_conn *db_conn_new(const struct db_options *options)
{
    struct arena *arena = arena_new(CONN_ARENA_BYTES);
    if (!arena) {
        return NULL;
    }
    struct db_conn *conn = arena_alloc(arena, sizeof *conn);
    if (!conn) {
        arena_free(arena);
        return NULL;
    }
    (void)pthread_mutex_init(&conn->lock, NULL);
    conn->arena = arena;
    conn->options = *options;
    conn->tx.conn = conn;
    snprintf(conn->timeout_text, sizeof conn->timeout_text, "%d", options->statement_timeout_ms);
    return conn;
}

void db_conn_close(struct db_conn *conn)
{
    if (conn) {
        db_conn_drop(conn);
        db_keep_clear(&conn->keep);
        (void)pthread_mutex_destroy(&conn->lock);
        arena_free(conn->arena);
    }
}

void db_conn_tell_commit(struct db_conn *conn, void (*told)(void *context), void *context)
{
    conn->on_commit = told;
    conn->on_commit_context = context;
}

static void set_cancel(struct db_conn *conn, PGcancel *cancel)
{
    (void)pthread_mutex_lock(&conn->lock);
    PQfreeCancel(conn->cancel);
    conn->cancel = cancel;
    (void)pthread_mutex_unlock(&conn->lock);
}

void db_conn_cancel(struct db_conn *conn)
{
    char why[256];

    (void)pthread_mutex_lock(&conn->lock);
    if (conn->cancel && !PQcancel(conn->cancel, why, sizeof why)) {
        log_warn("cancelling a statement failed", LOG_TEXT("connection", conn->options.name),
                 LOG_TEXT("error", why));
    }
    (void)pthread_mutex_unlock(&conn->lock);
}

bool db_conn_is_open(const struct db_conn *conn)
{
    return conn->pq && !conn->is_stale && PQstatus(conn->pq) == CONNECTION_OK;
}

void db_conn_drop(struct db_conn *conn)
{
    if (conn->pq) {
        set_cancel(conn, NULL);
        PQfinish(conn->pq);
        conn->pq = NULL;
    }
    conn->is_stale = false;
    conn->is_bind_prepared = false;
    conn->is_settled = conn->is_pooled = false;
    conn->n_prepared = 0;
    memset(conn->prepared, 0, sizeof conn->prepared);
}

/* The server's notices ("relation exists, skipping") are for whoever debugs, not for users. */
static void log_notice(void *name, const PGresult *result)
{
    char line[256];
    const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    log_debug("database notice", LOG_TEXT("connection", name),
              LOG_TEXT("notice", db_error_line(text, line, sizeof line)));
}

/* Opens the link. Settings before `dbname` are defaults that the URL may override, those
 * after it are ours. libpq suppresses SIGPIPE itself, by MSG_NOSIGNAL. */
static PGconn *connect_to(const struct db_options *options)
{
    const char *const keys[] = { "connect_timeout",
                                 "keepalives_idle",
                                 "tcp_user_timeout",
                                 "fallback_application_name",
                                 "dbname",
                                 "client_encoding",
                                 NULL };
    const char *const values[] = { options->is_watched ? WATCHED_CONNECT_TIMEOUT_S
                                                       : CONNECT_TIMEOUT_S,
                                   KEEPALIVE_IDLE_S,
                                   TCP_USER_TIMEOUT_MS,
                                   options->name,
                                   options->url,
                                   "UTF8",
                                   NULL };
    return PQconnectdbParams(keys, values, 1);
}

/* Whether the database is the process's; the first one is. Tells the process to end where it is
 * not. */
static bool is_home(struct db_home *home, const char *name)
{
    (void)pthread_mutex_lock(&home->lock);
    if (home->name[0] == '\0') {
        snprintf(home->name, sizeof home->name, "%s", name);
    }
    bool is_same = strcmp(home->name, name) == 0;
    if (!is_same && !home->is_gone) {
        home->is_gone = true;
        log_error("another database is in the place of ours; this process ends, to be started anew",
                  LOG_TEXT("was", home->name), LOG_TEXT("is", name));
        (void)kill(getpid(), SIGTERM);
    }
    (void)pthread_mutex_unlock(&home->lock);
    return is_same;
}

static enum err check_home(struct db_conn *conn, struct op *op)
{
    PGresult *result = db_answer_last(conn, op, PQsendQuery(conn->pq, q_db_home.sql));
    enum err err = OK;
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        char line[256];
        db_error_line(PQerrorMessage(conn->pq), line, sizeof line);
        err = fail(op, ERR_UNAVAILABLE, "asking which database this is: %s", line);
    } else if (!is_home(conn->options.home, PQgetvalue(result, 0, 0))) {
        err = fail(op, ERR_UNAVAILABLE, "another database is in the place of ours");
    }
    PQclear(result);
    if (err) {
        db_conn_drop(conn);
    }
    return err;
}

enum err db_conn_open(struct db_conn *conn, struct op *op)
{
    if (db_conn_is_open(conn)) {
        return OK;
    }
    db_conn_drop(conn);
    if (conn->options.is_watched && db_is_silent(conn)) {
        return fail(op, ERR_UNAVAILABLE, "the database does not answer");
    }
    int64_t began_us = clock_monotonic_us();
    conn->pq = connect_to(&conn->options);
    if (conn->pq && PQstatus(conn->pq) == CONNECTION_OK) {
        set_cancel(conn, PQgetCancel(conn->pq));
        PQsetNoticeReceiver(conn->pq, log_notice, (void *)(uintptr_t)conn->options.name);
        return conn->options.home ? check_home(conn, op) : OK;
    }
    char line[256];
    db_error_line(conn->pq ? PQerrorMessage(conn->pq) : "out of memory", line, sizeof line);
    db_conn_drop(conn);
    if (clock_monotonic_us() - began_us >= SLOW_CONNECT_US) {
        db_note_silent(conn);
    }
    return fail(op, ERR_UNAVAILABLE, "cannot connect to the database: %s", line);
}

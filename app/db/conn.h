/* Connections: opened per role, kept alive, reopened when lost. A process of one
 * thread holds one struct db_conn; a threaded one takes them from a pool. */
#ifndef TIDEMARK_DB_CONN_H
#define TIDEMARK_DB_CONN_H

#include "db/db.h"

#include <pthread.h>

/* The database that a process works on. Numbers that the process keeps in memory (of devices,
 * series, tenants) are that one's, and may be others' in a database that takes its place. */
struct db_home {
    pthread_mutex_t lock;
    char name[48]; /* as db_home names it; empty until it was reached */
    bool is_gone;  /* another one is in its place */
};
#define DB_HOME_NONE                                                                               \
    {                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER                                                          \
    }

struct db_options {
    const char *url;          /* libpq connection string or URI */
    const char *name;         /* application_name */
    bool is_prepared;         /* named statements (off behind a transaction pooler) */
    int statement_timeout_ms; /* 0: none */
    bool is_watched; /* a server that stands still is not waited for longer than that, nor tried
                      * again at once: somebody waits for our own answer */
    /* NULL, or what all connections of the process share: one that would be to another database
     * than the first one was is not opened (ERR_UNAVAILABLE), and the process is told to end
     * (SIGTERM), to be started anew by whoever started it. */
    struct db_home *home;
};

/* Describes a connection; it is opened by the first transaction. NULL without memory.
 * `options` strings must outlive it. Release with db_conn_close. */
struct db_conn *db_conn_new(const struct db_options *options);
void db_conn_close(struct db_conn *conn);

/* Has `told` called with `context` in each db_transact of the connection once the server has
 * executed all statements and commits: what waits for the disk leaves the processor to others.
 * NULL: nobody. */
void db_conn_tell_commit(struct db_conn *conn, void (*told)(void *context), void *context);

/* Asks the server to give up what the connection is waiting for; its statement fails with
 * ERR_UNAVAILABLE then, or was done already. From any thread, while the connection is not
 * closed. */
void db_conn_cancel(struct db_conn *conn);

/* True when the connection is open now, without asking the server. */
bool db_conn_is_open(const struct db_conn *conn);

/* ---- pool ---- */

struct db_pool;

/* At most `max` connections, opened when first needed. NULL without memory. */
struct db_pool *db_pool_new(const struct db_options *options, int max);
void db_pool_free(struct db_pool *pool);

/* Takes a connection, waiting at most `wait_ms`; ERR_UNAVAILABLE when none came free. */
enum err db_pool_take(struct db_pool *pool, struct op *op, int wait_ms,
                      struct db_conn **out) MUST_CHECK;
void db_pool_give(struct db_pool *pool, struct db_conn *conn);

#endif

/* What PostgreSQL's errors mean to us. Answers for the mapping of SQLSTATE to our codes and
 * for what a failure says: the log learns the statement, the server's words and the code;
 * a client only what our own functions meant for it, or a general sentence.
 *
 * The convention for functions in SQL that refuse something: RAISE EXCEPTION with a sentence
 * for whoever called, and an ERRCODE that says which kind of refusal it is: one of the
 * server's (22023, 23505, …), or 'TM' and the HTTP status ('TM404'; the list is below). */
#include "db/pq.h"

#include <stdio.h>

static const struct {
    const char *sqlstate; /* a whole code, or the two letters of its class */
    enum err code;
} meanings[] = {
    { "TM400", ERR_MALFORMED },   { "TM401", ERR_UNAUTHORIZED }, { "TM403", ERR_FORBIDDEN },
    { "TM404", ERR_NOT_FOUND },   { "TM409", ERR_CONFLICT },     { "TM413", ERR_TOO_LARGE },
    { "TM422", ERR_INVALID },     { "TM429", ERR_RATE_LIMITED }, { "TM503", ERR_UNAVAILABLE },
    { "P0001", ERR_INVALID },     /* RAISE EXCEPTION without a code */
    { "23505", ERR_CONFLICT },    /* unique_violation */
    { "23P01", ERR_CONFLICT },    /* exclusion_violation */
    { "22", ERR_INVALID },        /* data exception */
    { "23", ERR_INVALID },        /* other integrity constraints */
    { "08", ERR_UNAVAILABLE },    /* connection */
    { "53", ERR_UNAVAILABLE },    /* out of memory, disk or connections */
    { "57", ERR_UNAVAILABLE },    /* shutdown, crash, starting, cancelled by a timeout */
    { "58", ERR_UNAVAILABLE },    /* the server's disk failed */
    { "25P03", ERR_UNAVAILABLE }, /* idle_in_transaction_session_timeout */
    { "25P04", ERR_UNAVAILABLE }, /* transaction_timeout */
    { "40P01", ERR_UNAVAILABLE }, /* deadlock */
    { "40001", ERR_UNAVAILABLE }, /* serialization */
    { "40003", ERR_UNAVAILABLE }, /* statement completion unknown */
    { "55P03", ERR_UNAVAILABLE }, /* lock_timeout, NOWAIT */
    { "55006", ERR_UNAVAILABLE }, /* object in use */
    { "26000", ERR_UNAVAILABLE }, /* a named statement is gone, or there already: */
    { "42P05", ERR_UNAVAILABLE }, /* a pooler mixed up sessions; see spoils_connection */
};

static enum err code_of(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (strncmp(sqlstate, meanings[i].sqlstate, strlen(meanings[i].sqlstate)) == 0) {
            return meanings[i].code;
        }
    }
    return ERR_INTERNAL;
}

const char *db_error_line(const char *message, char *line, size_t size)
{
    size_t len = message ? strcspn(message, "\n") : 0;
    snprintf(line, size, "%.*s", (int)(len < size ? len : size - 1), message ? message : "");
    return line;
}

/* True when the message was written by the author of one of our functions for whoever called
 * it: PL/pgSQL's RAISE is where the error comes from. */
static bool is_raised(const PGresult *result)
{
    const char *source = result ? PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION) : NULL;
    return source && strcmp(source, "exec_stmt_raise") == 0;
}

/* The sentence for a client where the server's own would show what is none of its business. */
static const char *general_sentence(enum err code)
{
    return code == ERR_CONFLICT ? "this already exists, or contradicts what is stored"
                                : "a value is outside of what can be stored";
}

/* True when a named statement's result changed its shape under a migration. The code says only
 * "feature not supported"; the function that raised it is not translated. */
static bool is_plan_outdated(const PGresult *result, const char *sqlstate)
{
    const char *function = result ? PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION) : NULL;
    return strcmp(sqlstate, "0A000") == 0 && function &&
           strcmp(function, "RevalidateCachedQuery") == 0;
}

/* True when something between us and the server forgot our named statements or kept those of
 * another session: the connection's memory of them is wrong. */
static bool spoils_connection(const char *sqlstate)
{
    return strcmp(sqlstate, "26000") == 0 || strcmp(sqlstate, "42P05") == 0;
}

/* Records what is known: all of it where the log alone reads it, else what a client may read. */
static enum err record(struct db_tx *tx, enum err code, bool is_for_client, const char *what,
                       const char *line)
{
    if (!err_row(code)->is_detail_public) {
        return fail(tx->op, code, "%s: %s (SQLSTATE %s)", what, line, tx->sqlstate);
    }
    if (is_for_client) {
        return fail(tx->op, code, "%s", line);
    }
    log_info("statement refused", LOG_TEXT("id", tx->op->id), LOG_TEXT("statement", what),
             LOG_TEXT("sqlstate", tx->sqlstate), LOG_TEXT("error", line));
    return fail(tx->op, code, "%s", general_sentence(code));
}

enum err db_error_record(struct db_tx *tx, const PGresult *result, const char *what)
{
    char line[256];
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    const char *text = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    /* What the server says has a code. Without one it is libpq's own, which may not have closed
     * the connection yet. */
    bool is_lost = !state || PQstatus(tx->conn->pq) != CONNECTION_OK;
    if (!state) {
        state = "08006";
    }
    db_error_line(text ? text : PQerrorMessage(tx->conn->pq), line, sizeof line);
    snprintf(tx->sqlstate, sizeof tx->sqlstate, "%s", state);
    bool is_outdated = is_plan_outdated(result, state);
    tx->failed = is_lost || is_outdated ? ERR_UNAVAILABLE : code_of(state);
    if (is_lost || is_outdated || spoils_connection(state)) {
        tx->conn->is_stale = true;
    }
    return record(tx, tx->failed, is_raised(result), what, line);
}

/* What `tidemark tenant`, `user` and `token` share: a transaction over the operator's connection,
 * and the choice of the verb. */
#ifndef TIDEMARK_SERVE_OPERATOR_H
#define TIDEMARK_SERVE_OPERATOR_H

#include "base/config.h"
#include "base/op.h"

struct db_conn;
struct db_tx;

/* `tidemark tenant add`: the "add". Gets argv from the verb on. */
struct verb {
    const char *name;
    int (*run)(const struct config *config, int argc, char **argv);
    const char *help;
};

/* Runs the verb that argv[1] names; `verbs` end with a name of NULL. */
int operator_verb(const struct config *config, int argc, char **argv, const struct verb *verbs);

/* Asks whoever types whether everything of `name` is to go; false with a word on standard error
 * where the answer is another, or nobody is there to ask. */
bool operator_confirms(const char *name);

struct operator_session {
    struct arena *arena;
    struct op op;
    struct db_conn *conn;
    struct db_tx *tx;
};

/* Connects and opens a transaction. ERR_UNAVAILABLE where that fails; operator_close is due in
 * any case. */
enum err operator_open(struct operator_session *session, const struct config *config) MUST_CHECK;

/* Commits when `err` is OK, else rolls back and tells the failure on standard error. Everything
 * in the arena stays until operator_free. Returns the exit status. */
int operator_close(struct operator_session *session, enum err err);
void operator_free(struct operator_session *session);

/* "2026-11-20T12:00:00Z" in the arena, or "-" for ACCOUNT_NEVER. */
const char *operator_time(struct operator_session *session, int64_t time_us);

#endif

/* Whether maintenance mode is on, remembered for a few seconds. Called by dispatch once a request
 * has been admitted. */
#include "serve/maintenance.h"

#include "base/clock.h"
#include "gen/queries.h"
#include "serve/passage.h"

#define MAINTENANCE_AGE_US (3 * US_PER_SECOND) /* with a request's own time, under 5 s */

static enum err ask(struct passage *passage, bool *is_on)
{
    struct db_conn *conn;
    struct db_tx *tx;
    struct db_rows *rows;
    enum err err = passage_begin(passage, false, 0, &tx, &conn);

    if (err != OK) {
        return err;
    }
    err = db_run(tx, &q_maintenance_since, NULL, &rows);
    if (err == OK) {
        *is_on = !db_is_null(rows, 0, MAINTENANCE_SINCE_SINCE);
    }
    return passage_end(passage, tx, conn, err);
}

/* One thread asks when the answer is old; the others go by what it was. */
static enum err look(struct passage *passage, bool *is_on)
{
    struct maintenance *known = passage->dispatcher->maintenance;
    int64_t now_us = clock_monotonic_us();
    int64_t asked_us = atomic_load(&known->asked_us);
    bool is_old = asked_us == 0 || now_us - asked_us > MAINTENANCE_AGE_US;
    bool answer;

    if (is_old && !op_may_wait(&passage->op)) {
        return fail(&passage->op, ERR_UNAVAILABLE, "not without waiting");
    }
    if (is_old && atomic_compare_exchange_strong(&known->asked_us, &asked_us, now_us)) {
        if (ask(passage, &answer) == OK) {
            atomic_store(&known->is_on, answer);
        } else {
            op_clear_fault(&passage->op); /* the request's own transaction will say */
        }
    }
    *is_on = atomic_load(&known->is_on);
    return OK;
}

enum err maintenance_check(struct passage *passage)
{
    enum route_access access = passage->route->access;
    bool is_on = false;

    if (passage->dispatcher->maintenance == NULL || access == ACCESS_PUBLIC ||
        access == ACCESS_LOGIN || passage->who.operator_role != OPERATOR_NONE) {
        return OK;
    }
    enum err err = look(passage, &is_on);
    if (err != OK || !is_on) {
        return err;
    }
    return fail(&passage->op, ERR_MAINTENANCE,
                "Tidemark is being maintained. Nothing is lost; please try again in a minute.");
}

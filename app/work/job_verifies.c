/* Verifying files of the archive that admins want verified. Called by the table. */
#include "work/jobs.h"

#include "archive/archive.h"
#include "base/clock.h"
#include "db/conn.h"
#include "gen/queries.h"

#include <stdio.h>

#define BUDGET_US US_PER_MINUTE /* of a pass: the archiver is to have its turn */

struct verifies {
    struct archive archive;
    int n_sound, n_failed;
    bool is_end; /* none is due */
};

enum err job_verifies_due(struct job_pass *pass, bool *out)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_archive_verify_next, NULL, &rows);

    *out = err == OK && db_count(rows) > 0;
    return err;
}

/* Notes what was found in the file. */
static enum err end(struct job_pass *pass, int32_t tenant_id, int64_t id, const char *found)
{
    struct db_args args;

    db_args_init(&args, pass->op->arena);
    db_arg_int64(&args, id);
    db_arg_text(&args, found);
    return db_run_committed(pass->op, pass->conn, tenant_id, &q_archive_verify_done, &args, NULL);
}

/* Verifies the next file that is due; the log says what is wrong with it. Fails where nothing can
 * be noted of it. */
static enum err verify_next(struct job_pass *pass, struct verifies *verifies)
{
    struct db_rows *rows;
    enum err err = job_run_alone(pass, &q_archive_verify_next, NULL, &rows);

    verifies->is_end = err != OK || db_count(rows) == 0;
    if (verifies->is_end) {
        return err;
    }
    const struct archive_file file = {
        .tenant = db_text(rows, 0, ARCHIVE_VERIFY_NEXT_SLUG),
        .relation = db_text(rows, 0, ARCHIVE_VERIFY_NEXT_RELATION),
        .day = db_text(rows, 0, ARCHIVE_VERIFY_NEXT_DAY),
        .n = db_int(rows, 0, ARCHIVE_VERIFY_NEXT_N),
        .kind = db_text(rows, 0, ARCHIVE_VERIFY_NEXT_KIND),
        .object = db_text(rows, 0, ARCHIVE_VERIFY_NEXT_OBJECT),
        .n_rows = db_int64(rows, 0, ARCHIVE_VERIFY_NEXT_N_ROWS),
        .n_bytes = db_int64(rows, 0, ARCHIVE_VERIFY_NEXT_N_BYTES),
        .sha256 = db_str(rows, 0, ARCHIVE_VERIFY_NEXT_SHA256),
    };
    err = archive_verify_file(&verifies->archive, &file);
    verifies->n_sound += err == OK;
    verifies->n_failed += err != OK;
    if (err != OK) {
        op_log_fault(pass->op);
        op_clear_fault(pass->op);
    }
    return end(pass, db_int(rows, 0, ARCHIVE_VERIFY_NEXT_TENANT_ID),
               db_int64(rows, 0, ARCHIVE_VERIFY_NEXT_ID), archive_finding(err));
}

enum err job_verifies(struct job_pass *pass)
{
    struct verifies verifies = { .n_sound = 0 };
    int64_t end_us = clock_monotonic_us() + BUDGET_US;
    bool is_due;
    enum err err = job_verifies_due(pass, &is_due);

    if (err != OK || !is_due) {
        return err;
    }
    err = archive_open(&verifies.archive, pass->op, pass->conn, pass->config);
    while (err == OK && !verifies.is_end && job_goes_on(pass, end_us)) {
        err = verify_next(pass, &verifies);
    }
    archive_close(&verifies.archive);
    snprintf(pass->detail, sizeof pass->detail, "files=%d failed=%d", verifies.n_sound,
             verifies.n_failed);
    return err;
}

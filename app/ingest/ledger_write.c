/* A page of the ledger as statements: one transaction that says who writes and for which time,
 * adds to the hours and keeps the rejections. Called by the ledger's thread. */
#include "ingest/ledger_page.h"

#include "base/log.h"
#include "gen/queries.h"

/* Whether this write is still to be made. */
static enum err begin_write(struct db_tx *tx, const char *writer, int64_t number, bool *is_new)
{
    struct db_args args;
    struct db_rows *rows;

    db_args_init(&args, db_op(tx)->arena);
    db_arg_text(&args, writer);
    db_arg_int64(&args, number);
    enum err err = db_run(tx, &q_ingest_write_begin, &args, &rows);
    if (!err) {
        *is_new = db_bool(rows, 0, INGEST_WRITE_BEGIN_IS_NEW);
    }
    return err;
}

static enum err write_hours(struct db_tx *tx, const struct ledger_page *page)
{
    struct arena *arena = db_op(tx)->arena;
    size_t n = page->n_hours;
    int32_t *tenants = arena_array(arena, n, sizeof *tenants);
    int64_t *hours = arena_array(arena, n, sizeof *hours);
    int64_t *figures = arena_array(arena, n, sizeof *figures);
    struct db_args args;

    if (!tenants || !hours || !figures) {
        return fail_memory(db_op(tx));
    }
    for (size_t i = 0; i < n; i++) {
        tenants[i] = page->hours[i].tenant_id;
        hours[i] = page->hours[i].hour_us;
    }
    db_args_init(&args, arena);
    db_arg_int_array(&args, tenants, n);
    db_arg_time_array(&args, hours, n);
    for (int figure = 0; figure < LEDGER_FIGURES; figure++) {
        for (size_t i = 0; i < n; i++) {
            figures[i] = (int64_t)page->hours[i].account.figures[figure];
        }
        db_arg_int64_array(&args, figures, n); /* copies them */
    }
    return db_run(tx, &q_ingest_hours_add, &args, NULL);
}

/* One member of all rejections as an array; each copies what it is given. */
struct columns_of {
    const struct ingest_reject *rejects;
    size_t n;
    int32_t *ints;
    int64_t *longs;
    struct str *texts;
};
#define ADD_ARRAY(args, of, array, member, add)        \
    do {                                               \
        for (size_t i = 0; i < (of)->n; i++) {         \
            (of)->array[i] = (of)->rejects[i].member;  \
        }                                              \
        add((args), (of)->array, (of)->n);             \
    } while (0)
#define ADD_INTS(args, of, member) ADD_ARRAY(args, of, ints, member, db_arg_int_array)
#define ADD_TEXTS(args, of, member) ADD_ARRAY(args, of, texts, member, db_arg_str_array)

static enum err write_rejects(struct db_tx *tx, const struct ledger_page *page)
{
    struct arena *arena = db_op(tx)->arena;
    size_t n = page->n_rejects;
    struct columns_of of = {
        .rejects = page->rejects,
        .n = n,
        .ints = arena_array(arena, n + 1, sizeof *of.ints),
        .longs = arena_array(arena, n + 1, sizeof *of.longs),
        .texts = arena_array(arena, n + 1, sizeof *of.texts),
    };
    struct db_args args;

    if (!of.ints || !of.longs || !of.texts) {
        return fail_memory(db_op(tx));
    }
    db_args_init(&args, arena);
    ADD_INTS(&args, &of, tenant_id);
    ADD_ARRAY(&args, &of, longs, time_us, db_arg_time_array);
    ADD_TEXTS(&args, &of, request_id);
    ADD_ARRAY(&args, &of, longs, token_id, db_arg_int64_array);
    ADD_INTS(&args, &of, device_id);
    ADD_INTS(&args, &of, flags);
    ADD_TEXTS(&args, &of, device);
    ADD_TEXTS(&args, &of, convention);
    ADD_INTS(&args, &of, item);
    ADD_TEXTS(&args, &of, field);
    ADD_TEXTS(&args, &of, reason);
    ADD_TEXTS(&args, &of, method);
    ADD_TEXTS(&args, &of, target);
    ADD_TEXTS(&args, &of, content_type);
    ADD_ARRAY(&args, &of, texts, text, db_arg_bytes_array);
    ADD_INTS(&args, &of, size);
    return db_run(tx, &q_ingest_reject_add, &args, NULL);
}

static enum err write_page(const struct ledger_page *page, struct db_tx *tx, const char *writer,
                           int64_t number, bool with_rejects)
{
    bool is_new = false;
    enum err err = begin_write(tx, writer, number, &is_new);

    if (err || !is_new) {
        return err;
    }
    err = write_hours(tx, page);
    return err || !with_rejects ? err : write_rejects(tx, page);
}

static enum err write_once(const struct ledger_page *page, struct op *op, struct db_conn *conn,
                           const char *writer, int64_t number, bool with_rejects)
{
    struct db_tx *tx;
    enum err err = db_begin(op, conn, DB_WRITE, 0, &tx);

    if (err) {
        return err;
    }
    err = write_page(page, tx, writer, number, with_rejects);
    if (err) {
        db_rollback(tx);
        return err;
    }
    return db_commit(tx);
}

enum err ledger_page_write(const struct ledger_page *page, struct op *op, struct db_conn *conn,
                           const char *writer, int64_t number)
{
    enum err err = write_once(page, op, conn, writer, number, page->n_rejects > 0);

    if (err && err != ERR_UNAVAILABLE && page->n_rejects > 0) {
        op_log_fault(op);
        op_clear_fault(op);
        log_error("rejections could not be kept", LOG_INT("rejections", page->n_rejects));
        err = write_once(page, op, conn, writer, number, false);
    }
    return err;
}

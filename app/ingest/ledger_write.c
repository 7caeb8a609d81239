/* A page of the ledger as statements: one transaction that says who writes and for which time,
 * adds to the hours and keeps the rejections. Called by the ledger's thread. */
#include "ingest/ledger_page.h"

#include "base/log.h"
#include "gen/queries.h"

#include <stddef.h>

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

/* Members of all rejections as arrays. */
struct columns_of {
    struct db_args *args;
    const struct ingest_reject *rejects;
    size_t n;
    int32_t *ints;
    int64_t *longs;
    struct str *texts;
};

/* The member at an offset of each into `out`, values of `size` bytes. */
static void collect(const struct columns_of *of, size_t member, void *out, size_t size)
{
    for (size_t i = 0; i < of->n; i++) {
        memcpy((char *)out + i * size, (const char *)&of->rejects[i] + member, size);
    }
}

/* Each argument copies what it is given. */
static void add_ints(const struct columns_of *of, size_t member)
{
    collect(of, member, of->ints, sizeof *of->ints);
    db_arg_int_array(of->args, of->ints, of->n);
}

static void add_texts(const struct columns_of *of, size_t member)
{
    collect(of, member, of->texts, sizeof *of->texts);
    db_arg_str_array(of->args, of->texts, of->n);
}

#define MEMBER(name) offsetof(struct ingest_reject, name)

static void add_rejects(const struct columns_of *of)
{
    add_ints(of, MEMBER(tenant_id));
    collect(of, MEMBER(time_us), of->longs, sizeof *of->longs);
    db_arg_time_array(of->args, of->longs, of->n);
    add_texts(of, MEMBER(request_id));
    collect(of, MEMBER(token_id), of->longs, sizeof *of->longs);
    db_arg_int64_array(of->args, of->longs, of->n);
    add_ints(of, MEMBER(device_id));
    add_ints(of, MEMBER(flags));
    add_texts(of, MEMBER(device));
    add_texts(of, MEMBER(convention));
    add_ints(of, MEMBER(item));
    add_texts(of, MEMBER(field));
    add_texts(of, MEMBER(reason));
    add_texts(of, MEMBER(method));
    add_texts(of, MEMBER(target));
    add_texts(of, MEMBER(content_type));
    collect(of, MEMBER(text), of->texts, sizeof *of->texts);
    db_arg_bytes_array(of->args, of->texts, of->n);
    add_ints(of, MEMBER(size));
}

static enum err write_rejects(struct db_tx *tx, const struct ledger_page *page)
{
    struct arena *arena = db_op(tx)->arena;
    size_t n = page->n_rejects;
    struct db_args args;
    const struct columns_of of = {
        .args = &args,
        .rejects = page->rejects,
        .n = n,
        .ints = arena_array(arena, n + 1, sizeof *of.ints),
        .longs = arena_array(arena, n + 1, sizeof *of.longs),
        .texts = arena_array(arena, n + 1, sizeof *of.texts),
    };

    if (!of.ints || !of.longs || !of.texts) {
        return fail_memory(db_op(tx));
    }
    db_args_init(&args, arena);
    add_rejects(&of);
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

    return err ? err : db_end(tx, write_page(page, tx, writer, number, with_rejects));
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

/* The rest of an answer of any length. Each page is read in a transaction of its own, which ends
 * before the page is sent: a slow reader holds no snapshot, so vacuum and the upkeep of partitions
 * are never kept waiting. Lists are ordered by what does not change, so pages neither overlap nor
 * leave a gap. The memory is that of one page. Called by dispatch. */
#include "serve/stream.h"

#include "base/clock.h"

#define STOP_GRACE_US (10 * US_PER_SECOND) /* for what runs, of the supervisor's patience */

/* A page, in a transaction of its own. */
static enum err read_page(struct passage *passage, struct http_response *page, bool *is_more)
{
    struct db_conn *conn;
    struct db_tx *tx;
    enum err err = passage_begin(passage, false, passage->who.tenant_id, &tx, &conn);

    if (err != OK) {
        return err;
    }
    struct web web = passage_web(passage, page, tx);
    err = passage->stream.next(&web, passage->stream.state, is_more);
    if (err == OK && page->body.is_broken) {
        err = fail_memory(&passage->op);
    }
    return passage_end(passage, tx, conn, err);
}

/* One page: the credentials again (a revoked token stops within TOKEN_CACHE_AGE_MS, streams too;
 * so does a session that was turned to another tenant, whose rows do not belong into this answer),
 * then a transaction. */
static enum err make_page(struct passage *passage, struct http_response *page, bool *is_more)
{
    const struct http_response begun = *page;
    int32_t tenant_id = passage->who.tenant_id;
    enum err err = gate_identify(passage);

    if (err == OK) {
        err = gate_admit(passage);
    }
    if (err == OK && passage->who.tenant_id != tenant_id) {
        err = fail(&passage->op, ERR_FORBIDDEN, "The session has turned to another tenant.");
    }
    if (err != OK) {
        return err;
    }
    err = read_page(passage, page, is_more);
    return passage_reads_anew(passage, err, page, &begun) ? read_page(passage, page, is_more) : err;
}

/* Asked to stop, a stream may finish if it is quick. */
static bool is_out_of_time(const struct fcgi_exchange *exchange, int64_t *stop_us)
{
    if (*stop_us == 0 && fcgi_is_stopping(exchange)) {
        *stop_us = clock_monotonic_us() + STOP_GRACE_US;
    }
    return *stop_us != 0 && clock_monotonic_us() > *stop_us;
}

static bool give_up(struct passage *passage, const char *why)
{
    log_warn("an answer was cut short", LOG_TEXT("id", passage->op.id),
             LOG_TEXT("route", passage->route->path), LOG_TEXT("why", why));
    return false;
}

bool stream_send(struct passage *passage, struct fcgi_exchange *exchange)
{
    struct arena *arena = passage->dispatcher->page_arena;
    const char *id = passage->op.id;
    bool is_more = true;
    int64_t stop_us = 0;

    while (is_more) {
        struct http_response page;

        if (is_out_of_time(exchange, &stop_us)) {
            return give_up(passage, "the server stops");
        }
        arena_reset(arena);
        op_init(&passage->op, arena, id);
        http_response_init(&page, arena);
        enum err err = make_page(passage, &page, &is_more);
        if (err != OK) {
            (void)fail(&passage->op, err, "a page failed without a word");
            op_log_fault(&passage->op);
            return give_up(passage, passage->op.fault.detail);
        }
        if (!fcgi_send_more(exchange, buf_str(&page.body))) {
            return false;
        }
    }
    return true;
}

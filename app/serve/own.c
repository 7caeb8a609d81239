/* Routes whose handlers take a body as it comes and send as they go: their short transactions, and
 * what they send. A revoked token or an ended session stops them within seconds. Called by
 * dispatch, and by the handlers through struct web_own. */
#include "serve/passage.h"

#include "base/clock.h"
#include "serve/crowd.h"

#define IDENTITY_AGE_US (5 * US_PER_SECOND) /* after which who asks is looked at again */

/* Whoever began may still go on. */
static enum err identify_again(struct passage *passage)
{
    int32_t tenant_id = passage->who.tenant_id;

    if (clock_monotonic_us() - passage->identified_us < IDENTITY_AGE_US) {
        return OK;
    }
    enum err err = gate_identify(passage);
    if (err == OK) {
        err = gate_admit(passage);
    }
    if (err == OK && passage->who.tenant_id != tenant_id) {
        err = fail(&passage->op, ERR_FORBIDDEN, "The session has turned to another tenant.");
    }
    passage->identified_us = clock_monotonic_us();
    return err;
}

static enum err own_begin(struct web *web, bool is_write)
{
    struct passage *passage = web->own->passage;
    enum err err = identify_again(passage);

    if (err == OK) {
        err = passage_begin(passage, is_write, passage_tenant(passage), &web->tx,
                            &passage->own_conn);
    }
    if (err != OK) {
        return err;
    }
    err = passage_bind_actor(passage, web->tx);
    return err == OK ? OK : web->own->end(web, err);
}

static enum err own_end(struct web *web, enum err err)
{
    struct db_tx *tx = web->tx;

    web->tx = NULL;
    return passage_end(web->own->passage, tx, web->own->passage->own_conn, err);
}

static enum err send_head(struct passage *passage)
{
    passage->response->is_streamed = true; /* the handler says how long it is */
    passage_add_headers(passage);
    passage->has_sent = true;
    return fcgi_send(passage->exchange, passage->response, passage->is_head)
               ? OK
               : fail(&passage->op, ERR_UNAVAILABLE, "the client is gone");
}

static enum err own_send(struct web *web, struct str bytes)
{
    struct passage *passage = web->own->passage;
    enum err err = identify_again(passage);

    if (err == OK && !passage->exchange) {
        err = fail(&passage->op, ERR_INTERNAL, "there is nobody to send to");
    }
    if (err == OK && !passage->has_sent) {
        err = send_head(passage);
    }
    if (err != OK || bytes.len == 0 || passage->is_head) {
        return err;
    }
    return fcgi_send_more(passage->exchange, bytes)
               ? OK
               : fail(&passage->op, ERR_UNAVAILABLE, "the client is gone");
}

/* A place among those who send; fetching needs none, nginx takes what a slow reader leaves. */
static enum err enter(struct passage *passage, struct crowd_place **place)
{
    struct crowd *crowd = passage->dispatcher->crowd;
    enum http_method method = passage->request.method;
    char seconds[16];

    *place = NULL;
    if (!crowd || (method != HTTP_POST && method != HTTP_PUT)) {
        return OK;
    }
    enum err err = crowd_enter(crowd, &passage->op, &passage->who, place);
    if (err != OK) {
        (void)snprintf(seconds, sizeof seconds, "%d", CROWD_RETRY_S);
        (void)http_add_header(passage->response, "Retry-After", seconds);
    }
    return err;
}

enum err own_run(struct passage *passage)
{
    const struct web_own own = {
        .begin = own_begin,
        .end = own_end,
        .send = own_send,
        .passage = passage,
        .store = passage->dispatcher->store,
        .copy_store = passage->dispatcher->copy_store,
    };
    struct web web = passage_web(passage, passage->response, NULL);

    struct crowd_place *place;
    enum err err = enter(passage, &place);

    if (err != OK) {
        return err;
    }
    web.own = &own;
    err = passage->route->handler(&web);
    crowd_leave(passage->dispatcher->crowd, place);
    if (err == OK && passage->response->body.is_broken) {
        err = fail_memory(&passage->op);
    }
    return err;
}

/* Ingest without waiting. The loop's thread tries the whole way: token, device and series are
 * mostly known, so nothing has to be asked, and the answer follows when the writers say that it is
 * committed. Where something is not known, what was tried is forgotten and a thread does it
 * from the start. Called by http/fcgi_loop for ingest_process. */
#include "serve/dispatch_calls.h"

#include "base/clock.h"
#include "serve/metrics.h"
#include "serve/passage.h"

#include <stdatomic.h>

static void on_done(void *context)
{
    fcgi_call_end(context);
}

/* A call that a thread has begun ends when the writers are done and the thread has let go of it,
 * in either order: the loop frees what both look at. */
struct shared_call {
    struct fcgi_call *call;
    atomic_int holders;
};

static void let_go(void *context)
{
    struct shared_call *shared = context;

    if (atomic_fetch_sub(&shared->holders, 1) == 1) {
        fcgi_call_end(shared->call);
    }
}

/* A dispatcher like the model, that works in the call's arena. NULL without memory. */
static struct passage *begin_passage(const struct dispatcher *model, struct fcgi_call *call)
{
    struct arena *arena = fcgi_call_arena(call);
    struct dispatcher *own = arena_alloc(arena, sizeof *own);
    struct http_response *response = fcgi_call_response(call);

    if (!own) {
        response->status = 500;
        return NULL;
    }
    *own = *model;
    own->arena = arena;
    struct passage *passage = passage_new(own, fcgi_call_transport(call), response);
    *fcgi_call_data(call) = passage;
    return passage;
}

static bool is_pending(const struct passage *passage, enum err err)
{
    return err == OK && passage->pending && ingest_is_queued(passage->pending);
}

/* Counted before the client can know: who reads /metrics next finds this request in it. */
static void conclude(struct passage *passage, enum err err)
{
    passage_conclude(passage, err);
    metrics_count(passage->dispatcher->metrics, passage_route_index(passage),
                  passage->response->status, clock_monotonic_us() - passage->began_us);
}

enum fcgi_admission dispatch_call_admit(void *dispatcher, struct fcgi_call *call, bool may_wait)
{
    struct passage *passage = begin_passage(dispatcher, call);

    if (!passage) {
        return FCGI_REFUSED;
    }
    passage->op.must_not_wait = !may_wait;
    enum err err = passage_admit(passage, fcgi_call_transport(call));
    if (err == OK) {
        return FCGI_ADMITTED;
    }
    if (passage->op.would_wait) {
        return FCGI_UNKNOWN;
    }
    conclude(passage, err);
    return FCGI_REFUSED;
}

/* Whose turn a request takes that has to ask the database: its tenant's or, before that is known,
 * its client's. */
static uint32_t sharer_of(const struct passage *passage)
{
    struct str address = passage->request.remote_addr;
    uint32_t sum = 0;

    if (passage->who.tenant_id) {
        return (uint32_t)passage->who.tenant_id;
    }
    for (size_t i = 0; i < address.len; i++) {
        sum = sum * 31 + (unsigned char)address.ptr[i];
    }
    return sum;
}

/* A small body that unpacks to a large one waits for a thread as such do, with room. */
static enum fcgi_call_state leave_long(struct passage *passage)
{
    enum err err = passage_postpone(passage);

    if (err == OK) {
        return FCGI_CALL_LONG;
    }
    conclude(passage, err);
    return FCGI_CALL_ANSWERED;
}

enum fcgi_call_state dispatch_call_begin(void *dispatcher, struct fcgi_call *call)
{
    struct passage *passage = begin_passage(dispatcher, call);

    if (!passage) {
        return FCGI_CALL_ANSWERED;
    }
    passage->op.must_not_wait = true;
    passage->notice = (struct ingest_notice){ on_done, call, NULL };
    enum err err = passage_run(passage, fcgi_call_transport(call));
    if (is_pending(passage, err)) {
        return FCGI_CALL_PENDING;
    }
    if (passage->op.would_wait && passage->op.is_long) {
        return leave_long(passage);
    }
    if (passage->op.would_wait) {
        gate_unlimit(passage);
        fcgi_call_share(call, sharer_of(passage));
        return FCGI_CALL_WAITS;
    }
    conclude(passage, err);
    return FCGI_CALL_ANSWERED;
}

void dispatch_call_end(void *dispatcher, struct fcgi_call *call)
{
    struct passage *passage = *fcgi_call_data(call);

    (void)dispatcher;
    conclude(passage, passage_finish_ingest(passage));
}

enum fcgi_call_state dispatch_call_serve(void *dispatcher, struct fcgi_call *call)
{
    const struct passage *tried = *fcgi_call_data(call);
    struct passage *passage = begin_passage(dispatcher, call);
    struct shared_call *shared = arena_alloc(fcgi_call_arena(call), sizeof *shared);

    if (!passage) {
        return FCGI_CALL_ANSWERED;
    }
    if (!shared) {
        conclude(passage, fail_memory(&passage->op));
        return FCGI_CALL_ANSWERED;
    }
    shared->call = call;
    atomic_init(&shared->holders, 2);
    passage->notice = (struct ingest_notice){ let_go, shared, tried ? tried->notice.room : NULL };
    enum err err = ingest_weigh(passage->dispatcher->ingest, &passage->op,
                                &passage->who.tenant_id, &passage->notice.room);
    if (err == OK) {
        err = passage_run(passage, fcgi_call_transport(call));
    }
    if (is_pending(passage, err)) {
        let_go(shared);
        return FCGI_CALL_PENDING;
    }
    conclude(passage, err);
    return FCGI_CALL_ANSWERED;
}

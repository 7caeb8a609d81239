/* Ingest without waiting. The loop's thread tries the whole way: token, device and series are
 * mostly known, so nothing has to be asked, and the answer follows when the writers say that it is
 * committed. Where something is not known, what was tried is forgotten and a thread does it
 * from the start. Called by http/fcgi_loop for ingest_process. */
#include "serve/dispatch_calls.h"

#include "base/clock.h"
#include "serve/metrics.h"
#include "serve/passage.h"

static void on_done(void *context)
{
    fcgi_call_end(context);
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
    return passage_new(own, fcgi_call_transport(call), response);
}

/* Counted before the client can know: who reads /metrics next finds this request in it. */
static void conclude(struct passage *passage, enum err err)
{
    passage_conclude(passage, err);
    metrics_count(passage->dispatcher->metrics, passage_route_index(passage),
                  passage->response->status, clock_monotonic_us() - passage->began_us);
}

enum fcgi_call_state dispatch_call_begin(void *dispatcher, struct fcgi_call *call)
{
    struct passage *passage = begin_passage(dispatcher, call);

    if (!passage) {
        return FCGI_CALL_ANSWERED;
    }
    *fcgi_call_data(call) = passage;
    passage->op.must_not_wait = true;
    passage->notice = (struct ingest_notice){ on_done, call };
    enum err err = passage_run(passage, fcgi_call_transport(call));
    if (err == OK && passage->pending && ingest_is_queued(passage->pending)) {
        return FCGI_CALL_PENDING;
    }
    if (passage->op.would_wait) {
        gate_unlimit(passage);
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

void dispatch_call_serve(void *dispatcher, struct fcgi_call *call)
{
    struct passage *passage = begin_passage(dispatcher, call);

    if (passage) {
        conclude(passage, passage_run(passage, fcgi_call_transport(call)));
    }
}

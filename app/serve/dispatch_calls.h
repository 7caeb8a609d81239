/* The way of a request through the ingest process's loop (http/fcgi_loop): as far as it goes
 * without waiting on the loop's thread, else on one of its own. */
#ifndef TIDEMARK_SERVE_DISPATCH_CALLS_H
#define TIDEMARK_SERVE_DISPATCH_CALLS_H

#include "http/fcgi_loop.h"
#include "serve/dispatch.h"

/* The four steps of fcgi_loop_options; their context is a struct dispatcher, whose arena is not
 * used: each call has its own. */
enum fcgi_admission dispatch_call_admit(void *dispatcher, struct fcgi_call *call, bool may_wait);
enum fcgi_call_state dispatch_call_begin(void *dispatcher, struct fcgi_call *call);
void dispatch_call_end(void *dispatcher, struct fcgi_call *call);
enum fcgi_call_state dispatch_call_serve(void *dispatcher, struct fcgi_call *call);

#endif

/* What users of the loop see of a call. Called by them, through http/fcgi_loop.h. */
#include "http/fcgi_call.h"

struct http_transport *fcgi_call_transport(struct fcgi_call *call)
{
    return &call->wire.transport;
}

struct arena *fcgi_call_arena(struct fcgi_call *call)
{
    return call->arena;
}

struct http_response *fcgi_call_response(struct fcgi_call *call)
{
    return &call->response;
}

void **fcgi_call_data(struct fcgi_call *call)
{
    return &call->data;
}

void fcgi_call_share(struct fcgi_call *call, uint32_t sharer)
{
    call->sharer = sharer;
}

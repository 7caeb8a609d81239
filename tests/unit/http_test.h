/* A request that comes from memory instead of a web server, for tests of http, auth and serve. */
#ifndef TIDEMARK_TESTS_HTTP_TEST_H
#define TIDEMARK_TESTS_HTTP_TEST_H

#include "base/arena.h"
#include "base/crypto.h"
#include "http/transport.h"

#define MAX_VARIABLES 16

struct fake {
    struct http_transport transport; /* first, so that it converts back */
    struct { const char *name, *value; } variables[MAX_VARIABLES];
    int n_variables;
    struct str body;
    size_t step;   /* bytes a read gives at most */
    bool is_cut;   /* the body ends in an error */
};

static const char *fake_variable(struct http_transport *transport, const char *name)
{
    struct fake *fake = (struct fake *)transport;
    for (int i = 0; i < fake->n_variables; i++) {
        if (strcmp(fake->variables[i].name, name) == 0) {
            return fake->variables[i].value;
        }
    }
    return NULL;
}

static int64_t fake_read(struct http_transport *transport, char *out, size_t cap)
{
    struct fake *fake = (struct fake *)transport;
    size_t n = fake->body.len < cap ? fake->body.len : cap;
    n = n < fake->step ? n : fake->step;
    if (n == 0) {
        return fake->is_cut ? -1 : 0;
    }
    memcpy(out, fake->body.ptr, n);
    fake->body.ptr += n;
    fake->body.len -= n;
    return (int64_t)n;
}

static inline void fake_set(struct fake *fake, const char *name, const char *value)
{
    if (fake->n_variables < MAX_VARIABLES) {
        fake->variables[fake->n_variables].name = name;
        fake->variables[fake->n_variables].value = value;
        fake->n_variables++;
    }
}

static inline struct fake fake_request(const char *method, const char *target)
{
    struct fake fake = { .transport = { .variable = fake_variable, .read = fake_read }, .step = 7 };
    fake_set(&fake, "REQUEST_METHOD", method);
    fake_set(&fake, "REQUEST_URI", target);
    fake_set(&fake, "REQUEST_ID", "0123456789abcdef");
    fake_set(&fake, "REMOTE_ADDR", "192.0.2.7");
    return fake;
}

/* Gives the request a body. */
static inline void fake_body(struct fake *fake, const char *type, const char *body)
{
    fake_set(fake, "CONTENT_TYPE", type);
    fake->body = str_of(body);
}

#endif

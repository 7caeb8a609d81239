/* What the tokens of a tenant have in common, kept once for all of them: for the token cache alone,
 * whose lock covers it. */
#ifndef TIDEMARK_AUTH_TOKEN_TENANT_H
#define TIDEMARK_AUTH_TOKEN_TENANT_H

#include "auth/identity.h"
#include "base/arena.h"

#define TOKEN_TENANT_SLOTS 1024

struct token_tenant {
    struct token_tenant *next; /* whose number has the same slot */
    bool is_past;              /* it changed: its tokens have to be asked for anew */
    size_t n_bytes;            /* of its texts, which lie together behind it */
    struct identity who;       /* its tenant's part, never changed */
    char texts[];
};

struct token_tenants {
    struct token_tenant *slots[TOKEN_TENANT_SLOTS];
};

/* The tenant as it is known; NULL: it is not. */
struct token_tenant *token_tenant_find(struct token_tenants *tenants, int32_t tenant_id);

/* The tenant of `who`: as it is known or, where it is said to be otherwise now, a new one in the
 * arena; the former is past then. NULL when there is no room. */
struct token_tenant *token_tenant_have(struct token_tenants *tenants, struct arena *arena,
                                       const struct identity *who);

/* Lets `who` have its tenant's texts in one piece at `to`, of n_bytes. */
void token_tenant_move_texts(struct identity *who, char *to);

#endif

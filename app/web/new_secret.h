/* The secret of a token that is made or rotated, and what is stored of it. Used by the handlers of
 * /v1/tokens and the pages of tokens. */
#ifndef TIDEMARK_WEB_NEW_SECRET_H
#define TIDEMARK_WEB_NEW_SECRET_H

#include "auth/token.h"
#include "domain/tokens.h"
#include "web/web.h"

struct new_secret {
    char text[TOKEN_SIZE];
    char prefix[TOKEN_SHOWN_BYTES + 1];
    uint8_t hash[CRYPTO_HASH_BYTES];
    bool is_encrypted; /* its key is kept: it is of hexadecimal digits */
};

/* A new one. */
void new_secret_make(struct new_secret *secret, bool is_encrypted);

/* Keeps the key of the token that just got it, where it is to be kept. */
enum err new_secret_keep(struct web *web, const struct new_secret *secret, int64_t token_id)
    MUST_CHECK;

#endif

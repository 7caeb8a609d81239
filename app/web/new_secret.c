/* Secrets of tokens: made here, shown once by the handlers. */
#include "web/new_secret.h"

void new_secret_make(struct new_secret *secret, bool is_encrypted)
{
    secret->is_encrypted = is_encrypted;
    if (is_encrypted) {
        token_make_hex(secret->text);
    } else {
        token_make(secret->text);
    }
    token_hash(str_of(secret->text), secret->hash);
    memcpy(secret->prefix, secret->text, TOKEN_SHOWN_BYTES);
    secret->prefix[TOKEN_SHOWN_BYTES] = '\0';
}

enum err new_secret_keep(struct web *web, const struct new_secret *secret, int64_t token_id)
{
    uint8_t *key = arena_alloc(web->op->arena, TOKEN_HEX_BYTES);

    if (!secret->is_encrypted) {
        return OK;
    }
    if (!key || !token_key(str_of(secret->text), key)) {
        return fail(web->op, ERR_INTERNAL, "a token of digits was not made of them");
    }
    return tokens_key_set(web->tx, token_id, key);
}

/* What the pages of tokens share. Included by page_token.c and page_tokens.c. */
#ifndef TIDEMARK_WEB_PAGE_TOKEN_H
#define TIDEMARK_WEB_PAGE_TOKEN_H

#include "domain/zone.h"
#include "view/models.h"
#include "web/new_secret.h"

/* A token as the list shows it. */
struct token_line token_line(struct arena *arena, const struct zone *zone, int64_t now_us,
                           const struct token_item *token);

/* The select of an expiry, and what was chosen in it: µs, or TOKENS_NEVER. */
struct field_view token_expiry_field(void);
int64_t token_expiry_of(struct str days, int64_t now_us);

/* A new secret of the token `id` as it is shown once. */
struct secret_view token_secret(struct op *op, const struct new_secret *secret, int64_t id);

#endif

/* emoncms's encrypted form, for senders that have no TLS. The body is base64 of 16 bytes and of
 * what was encrypted by AES-128-CBC from them on: a form as /input/post and /input/bulk take it,
 * but without escapes, or that packed by zlib. The header is "Authorization: TOKEN'S NUMBER:HMAC",
 * the HMAC-SHA256 of what was encrypted, in hexadecimal digits. The key of both are the 16 bytes
 * whose digits are the token's. The sender knows by a hash in the answer that it was understood.
 *
 * Nothing in it says when it was made: who hears a request may send it again. One with times
 * changes nothing then; one without is stored anew, as of now.
 * Source: emoncms, docs/input_encrypted.md and param.php. Called by serve/gate. */
#ifndef TIDEMARK_AUTH_SEALED_H
#define TIDEMARK_AUTH_SEALED_H

#include "auth/token.h"
#include "domain/credential.h"
#include "http/request.h"

/* Whether the request's body is of this form, by its type. */
bool sealed_is(const struct http_request *request);

/* The token that the header's value names. False for a value that is none. */
bool sealed_read_name(struct str authorization, int64_t *out_token_id);

/* Reads and opens the body. Where one of the keys fits, `token` gets the text of its token, with
 * its NUL, and the request becomes what was sealed: a form, without query or parts of the path,
 * since those anybody may have written; request->receipt is what to answer. `token` is empty where
 * none does, for whatever reason. Fails as http_read_decoded_body does, and where a sender with the
 * right key packed badly. */
enum err sealed_open(struct http_request *request, struct str authorization,
                     const struct token_keys *keys, char token[TOKEN_SIZE]) MUST_CHECK;

#endif

/* Passwords: what is accepted as one, and whether it fits. Hashing itself is base/crypto's. */
#ifndef TIDEMARK_AUTH_PASSWORD_H
#define TIDEMARK_AUTH_PASSWORD_H

#include "base/err.h"
#include "base/op.h"
#include "base/str.h"

/* Refuses (ERR_INVALID, with what to do) a password that is too short or long, not UTF-8, of one
 * repeated character, or the e-mail itself. `email` may be empty. */
enum err password_check(struct op *op, struct str password, struct str email) MUST_CHECK;

/* True when the password fits the stored string. NULL (no such person) costs the same time and
 * is false. */
bool password_fits(struct str password, const char *encoded);

#endif

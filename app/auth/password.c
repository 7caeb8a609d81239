/* Passwords. Called by auth/login and `tidemark user`. */
#include "auth/password.h"

#include "base/crypto.h"
#include "base/limits.h"

/* Of the same cost as real ones; what it hashes is nobody's password. */
#define NOBODYS_PASSWORD                                     \
    "$argon2id$v=19$m=65536,t=2,p=1$dGlkZW1hcmsgbm9ib2R5IQ$" \
    "n6vQ3mB0V2mZ0bC1r8yQm3m1d5fV0kXw7n4oK2cT1uA"

static bool is_one_character(struct str password)
{
    for (size_t i = 1; i < password.len; i++) {
        if (password.ptr[i] != password.ptr[0]) {
            return false;
        }
    }
    return true;
}

enum err password_check(struct op *op, struct str password, struct str email)
{
    if (password.len < MIN_PASSWORD_BYTES) {
        return fail(op, ERR_INVALID, "The password has fewer than %d characters.",
                    MIN_PASSWORD_BYTES);
    }
    if (password.len > MAX_PASSWORD_BYTES) {
        return fail(op, ERR_INVALID, "The password is longer than %d bytes.", MAX_PASSWORD_BYTES);
    }
    if (!str_is_utf8(password)) {
        return fail(op, ERR_INVALID, "The password is not UTF-8 text.");
    }
    if (is_one_character(password)) {
        return fail(op, ERR_INVALID, "The password repeats a single character.");
    }
    if (str_equal_nocase(password, email)) {
        return fail(op, ERR_INVALID, "The password is the e-mail address.");
    }
    return OK;
}

bool password_fits(struct str password, const char *encoded)
{
    bool is_fit = crypto_password_verify(password, encoded ? encoded : NOBODYS_PASSWORD);

    return is_fit && encoded;
}

/* Sessions: cookie ↔ secret ↔ hash ↔ person. Logging in is auth/login's business. Called by
 * serve/gate, auth/login and the page that ends a session. */
#include "auth/session.h"

#include "auth/cookie.h"
#include "auth/csrf.h"
#include "base/crypto.h"
#include "base/json.h"
#include "base/limits.h"
#include "domain/credential.h"

#define SESSION_COOKIE "tidemark_session"
#define SECRET_BYTES 32
#define SECONDS_PER_DAY 86400
#define MAX_HOMES 100 /* shown to choose from */

struct str session_secret(const struct http_request *request, bool is_secure)
{
    return cookie_read(request, SESSION_COOKIE, is_secure);
}

static enum identity_role role_of(const char *role)
{
    if (role && strcmp(role, "admin") == 0) {
        return ROLE_ADMIN;
    }
    return role && strcmp(role, "viewer") == 0 ? ROLE_VIEWER : ROLE_NONE;
}

static enum operator_role operator_role_of(const char *role)
{
    if (role && strcmp(role, "operator_admin") == 0) {
        return OPERATOR_ADMIN;
    }
    return role && strcmp(role, "operator") == 0 ? OPERATOR_VIEW : OPERATOR_NONE;
}

/* Reads [[slug, name, role], …] of the database's own making. */
static enum err read_homes(struct op *op, const char *text, struct identity *who)
{
    struct identity_home *homes = arena_array(op->arena, MAX_HOMES, sizeof *homes);
    struct json_reader reader;

    if (!homes) {
        return fail_memory(op);
    }
    json_reader_init(&reader, str_of(text), op->arena, 2);
    bool is_good = json_enter_array(&reader);
    while (is_good && who->n_homes < MAX_HOMES && json_next_element(&reader)) {
        struct str words[3] = { { NULL, 0 } };
        is_good = json_enter_array(&reader);
        for (int i = 0; is_good && i < 3; i++) {
            is_good = json_next_element(&reader) && json_read_string(&reader, &words[i]);
        }
        is_good = is_good && !json_next_element(&reader) && !reader.error;
        homes[who->n_homes++] = (struct identity_home){
            .slug = arena_copy(op->arena, words[0]),
            .name = arena_copy(op->arena, words[1]),
        };
    }
    who->homes = homes;
    return is_good ? OK : fail(op, ERR_INTERNAL, "the list of a person's tenants is malformed");
}

enum err session_resolve(struct op *op, struct db_conn *conn, struct str secret,
                         struct identity *who)
{
    struct session_record record;
    uint8_t hash[CRYPTO_HASH_BYTES];
    char csrf[CSRF_SIZE];
    bool is_found = false;

    *who = (struct identity){ .kind = IDENTITY_NONE };
    crypto_sha256(secret, hash);
    enum err err = credential_session_find(op, conn, hash, &record, &is_found);
    if (err != OK || !is_found) {
        return err;
    }
    csrf_token(secret, csrf);
    *who = (struct identity){
        .kind = IDENTITY_PERSON,
        .tenant_id = record.tenant_id,
        .tenant_slug = record.tenant_slug,
        .tenant_name = record.tenant_name,
        .tenant_timezone = record.tenant_timezone,
        .tenant_currency = record.tenant_currency,
        .role = role_of(record.role),
        .operator_role = operator_role_of(record.operator_role),
        .person_id = record.person_id,
        .person_email = record.email,
        .person_name = record.name,
        .csrf = arena_copy(op->arena, str_of(csrf)),
    };
    if (!who->csrf) {
        return fail_memory(op);
    }
    return record.homes ? read_homes(op, record.homes, who) : OK;
}

enum err session_issue(struct op *op, struct http_response *response, bool is_secure,
                       uint8_t hash[32])
{
    uint8_t random[SECRET_BYTES];
    char secret[CRYPTO_BASE64URL_SIZE(SECRET_BYTES)];

    crypto_random(random, sizeof random);
    crypto_base64url(random, sizeof random, secret);
    crypto_sha256(str_of(secret), hash);
    if (!cookie_write(response, SESSION_COOKIE, secret, is_secure,
                      (int64_t)SESSION_DAYS * SECONDS_PER_DAY)) {
        return fail_memory(op);
    }
    return OK;
}

enum err session_switch(struct op *op, struct db_tx *tx, struct str secret,
                        struct str tenant_slug)
{
    uint8_t hash[CRYPTO_HASH_BYTES];
    const char *slug = arena_copy(op->arena, tenant_slug);
    bool is_switched = false;

    if (!slug) {
        return fail_memory(op);
    }
    crypto_sha256(secret, hash);
    enum err err = credential_session_switch(tx, hash, slug, &is_switched);
    if (err == OK && !is_switched) {
        err = fail(op, ERR_NOT_FOUND, "There is no such tenant.");
    }
    return err;
}

enum err session_logout(struct db_tx *tx, const struct http_request *request,
                        struct http_response *response, bool is_secure)
{
    struct str secret = session_secret(request, is_secure);
    uint8_t hash[CRYPTO_HASH_BYTES];

    if (!cookie_write(response, SESSION_COOKIE, "", is_secure, 0)) {
        return fail_memory(request->op);
    }
    if (secret.len == 0) {
        return OK;
    }
    crypto_sha256(secret, hash);
    return credential_session_end(tx, hash);
}

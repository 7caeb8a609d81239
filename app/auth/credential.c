/* Extraction of credentials: one function a place, in one table. A convention that shows its
 * token elsewhere (a query parameter, the path) is one more function and one more place.
 * Called by serve/dispatch. */
#include "auth/credential.h"

#include "auth/sealed.h"
#include "auth/session.h"
#include "auth/token.h"
#include "base/crypto.h"
#include "http/form.h"

#define MAX_SECRET_BYTES 512 /* ours have 36 and 43; longer ones are nobody's */
#define EMONCMS_KEY_BYTES 32

/* "user:password" → the password; a lone user name is taken for it, as curl -u TOKEN: sends it. */
static struct str password_of_pair(struct str pair)
{
    struct str password = pair;
    struct str user = str_cut(&password, ':');

    return password.len > 0 ? password : user;
}

static struct str basic_password(const struct http_request *request, struct str encoded)
{
    uint8_t *bytes = arena_alloc(request->op->arena, MAX_SECRET_BYTES);
    size_t len = 0;

    if (!bytes || !crypto_base64_decode(encoded, bytes, MAX_SECRET_BYTES, &len)) {
        return (struct str){ NULL, 0 };
    }
    return password_of_pair((struct str){ (const char *)bytes, len });
}

static bool from_authorization(struct http_request *request, struct credential *out)
{
    struct str value = str_trim(http_header(request, "Authorization"));
    struct str rest = value;
    struct str scheme = str_cut(&rest, ' ');

    if (value.len == 0) {
        return false;
    }
    rest = str_trim(rest);
    *out = (struct credential){ .kind = CREDENTIAL_TOKEN, .secret = rest };
    if (str_equal_nocase(scheme, STR("Basic"))) {
        out->secret = basic_password(request, rest);
    } else if (str_equal_nocase(scheme, STR("Token"))) {
        out->secret = password_of_pair(rest); /* InfluxDB 1 puts "user:password" here */
    } else if (!str_equal_nocase(scheme, STR("Bearer"))) {
        out->kind = CREDENTIAL_NONSENSE;
    }
    return true;
}

static bool from_api_key(struct http_request *request, struct credential *out)
{
    *out = (struct credential){ .kind = CREDENTIAL_TOKEN,
                                .secret = str_trim(http_header(request, "X-API-Key")) };
    return out->secret.len > 0;
}

static bool is_shown(struct credential *out, struct str secret)
{
    *out = (struct credential){ .kind = CREDENTIAL_TOKEN, .secret = secret };
    return secret.len > 0;
}

static bool from_influx(struct http_request *request, struct credential *out)
{
    return is_shown(out, http_query(request, "p")) || is_shown(out, http_header(request, "P"));
}

/* A field of the query or of the form, which is read for it; a form that cannot be read shows
 * nothing. */
static bool from_field(struct http_request *request, const char *name, struct credential *out)
{
    if (is_shown(out, http_query(request, name))) {
        return true;
    }
    return http_read_form(request, http_stranger_cap(request)) == OK &&
           is_shown(out, http_field(request, name));
}

static bool from_sealed(struct http_request *request, struct credential *out)
{
    *out = (struct credential){ .kind = CREDENTIAL_SEALED,
                                .secret = str_trim(http_header(request, "Authorization")) };
    return sealed_is(request);
}

static bool from_emoncms(struct http_request *request, struct credential *out)
{
    return from_field(request, "apikey", out) || from_field(request, "devicekey", out);
}

static bool from_pvoutput(struct http_request *request, struct credential *out)
{
    return is_shown(out, str_trim(http_header(request, "X-Pvoutput-Apikey"))) ||
           from_field(request, "key", out);
}

static bool from_path(struct http_request *request, struct credential *out)
{
    return is_shown(out, http_capture(request, "token"));
}

/* emoncms's keys have 32 characters, and some of its senders take no other: what follows the prefix
 * of one of our tokens is a key there. */
static void complete_key(struct http_request *request, struct credential *found)
{
    const size_t bytes = sizeof TOKEN_PREFIX - 1 + EMONCMS_KEY_BYTES;

    if (found->secret.len != EMONCMS_KEY_BYTES) {
        return;
    }
    char *token = arena_alloc(request->op->arena, bytes);
    if (token) {
        memcpy(token, TOKEN_PREFIX, sizeof TOKEN_PREFIX - 1);
        memcpy(token + sizeof TOKEN_PREFIX - 1, found->secret.ptr, EMONCMS_KEY_BYTES);
        found->secret = (struct str){ token, bytes };
    }
}

static const struct {
    enum credential_place place;
    bool (*find)(struct http_request *request, struct credential *out);
} FINDERS[] = {
    { CREDENTIAL_IN_EMONCMS, from_sealed }, /* before it is taken for a header of another kind */
    { CREDENTIAL_IN_HEADERS, from_authorization }, { CREDENTIAL_IN_HEADERS, from_api_key },
    { CREDENTIAL_IN_INFLUX, from_influx },         { CREDENTIAL_IN_EMONCMS, from_emoncms },
    { CREDENTIAL_IN_PVOUTPUT, from_pvoutput },     { CREDENTIAL_IN_PATH, from_path },
};

struct credential credential_find(struct http_request *request, unsigned places, bool is_secure)
{
    struct credential found = { .kind = CREDENTIAL_NONE };

    for (size_t i = 0; i < sizeof FINDERS / sizeof FINDERS[0]; i++) {
        if ((FINDERS[i].place & places) && FINDERS[i].find(request, &found)) {
            if (found.secret.len == 0 || found.secret.len > MAX_SECRET_BYTES) {
                found.kind = CREDENTIAL_NONSENSE;
            }
            if (places & CREDENTIAL_IN_EMONCMS) {
                complete_key(request, &found);
            }
            return found;
        }
    }
    found = (struct credential){ .kind = CREDENTIAL_NONE };
    if (places & CREDENTIAL_IN_COOKIE) {
        found.secret = session_secret(request, is_secure);
        if (found.secret.len > 0) {
            found.kind =
                found.secret.len <= MAX_SECRET_BYTES ? CREDENTIAL_SESSION : CREDENTIAL_NONSENSE;
        }
    }
    return found;
}

/* Crossing out. The text keeps its length, so that what is kept can be compared with what came. */
#include "ingest/redact.h"

#include "auth/token.h"
#include "http/form.h"

#define MIN_KEY_BYTES 16 /* shorter ones are nobody's, and would cross out innocent words */
#define PREFIX STR(TOKEN_PREFIX)

struct redact redact_of(struct http_request *request, const struct ingest_format *format)
{
    struct credential found = credential_find(request, format->credentials, false);
    struct str key = found.kind == CREDENTIAL_TOKEN ? found.secret : (struct str){ 0 };

    if (str_starts_with(key, PREFIX)) {
        key.ptr += PREFIX.len;
        key.len -= PREFIX.len;
    }
    return (struct redact){
        .arena = request->op->arena,
        .key = key.len >= MIN_KEY_BYTES ? key : (struct str){ 0 },
        .places = format->credentials,
        .is_form = str_equal(request->content_type, STR("application/x-www-form-urlencoded")),
        .is_multipart = str_equal(request->content_type, STR("multipart/form-data")),
    };
}

static char *find(char *at, const char *end, struct str what)
{
    return what.len && at < end ? memmem(at, (size_t)(end - at), what.ptr, what.len) : NULL;
}

static bool has(struct str text, struct str what)
{
    return text.len && what.len && memmem(text.ptr, text.len, what.ptr, what.len);
}

static bool holds_token(const struct redact *redact, struct str text)
{
    return has(text, PREFIX) || has(text, redact->key);
}

static bool names_credential(const struct redact *redact, struct str name)
{
    static const char *const names[] = { "p", "u", "apikey", "devicekey", "token" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (str_equal(name, str_of(names[i]))) {
            return true;
        }
    }
    return str_equal_nocase(name, STR("password")) ||
           ((redact->places & CREDENTIAL_IN_PVOUTPUT) && str_equal(name, STR("key")));
}

bool redact_is_credential(const struct redact *redact, struct str name, struct str value)
{
    return names_credential(redact, name) || holds_token(redact, name) ||
           holds_token(redact, value);
}

static bool is_token_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

static void cross_out(const struct redact *redact, char *text, size_t len)
{
    const char *end = text + len;

    for (char *at = find(text, end, redact->key); at; at = find(at, end, redact->key)) {
        memset(at, 'x', redact->key.len);
        at += redact->key.len;
    }
    for (char *at = find(text, end, PREFIX); at; at = find(at, end, PREFIX)) {
        at += PREFIX.len;
        while (at < end && is_token_character(*at)) {
            *at++ = 'x';
        }
    }
}

/* The text itself where there is no token; "" without memory, and for ptr NULL. */
static struct str without_tokens(const struct redact *redact, struct str text)
{
    if (!holds_token(redact, text)) {
        return text.ptr ? text : STR("");
    }
    char *copy = arena_copy(redact->arena, text);
    if (!copy) {
        return STR("");
    }
    cross_out(redact, copy, text.len);
    return (struct str){ copy, text.len };
}

struct str redact_item(const struct redact *redact, struct str text, size_t max)
{
    /* a token that the cut would divide is found whole */
    size_t len = text.len < max + TOKEN_SIZE ? text.len : max + TOKEN_SIZE;
    struct str kept = without_tokens(redact, (struct str){ text.ptr, len });

    return (struct str){ kept.ptr, kept.len < max ? kept.len : max };
}

/* Crosses out the values of a form that are credentials, or hold a token behind escapes. */
static void cross_out_fields(const struct redact *redact, char *text, size_t len)
{
    struct str rest = { text, len };

    while (rest.ptr) {
        struct str value = str_cut(&rest, '&');
        struct str name = str_cut(&value, '='), plain;
        bool is_credential = !http_decode(redact->arena, name, true, &plain) ||
                             names_credential(redact, plain);
        if (!is_credential && http_decode(redact->arena, value, true, &plain)) {
            is_credential = holds_token(redact, plain) && !holds_token(redact, value);
        }
        if (is_credential && value.len) {
            memset(text + (value.ptr - text), 'x', value.len);
        }
    }
}

/* Crosses out the gateway's password, as AcquiSuites name that part (RFC 7578). */
static void cross_out_password(char *text, size_t len)
{
    const char *end = text + len;
    char *at = find(text, end, STR("name=\"PASSWORD\""));

    at = at ? find(at, end, STR("\r\n\r\n")) : NULL;
    for (at = at ? at + 4 : NULL; at && at < end && *at != '\r'; at++) {
        *at = 'x';
    }
}

struct str redact_body(const struct redact *redact, struct str body, size_t max)
{
    struct str text = redact_item(redact, body, max);

    if ((!redact->is_form && !redact->is_multipart) || text.len == 0) {
        return text;
    }
    char *copy = arena_copy(redact->arena, text);
    if (!copy) {
        return STR("");
    }
    if (redact->is_form) {
        cross_out_fields(redact, copy, text.len);
    } else {
        cross_out_password(copy, text.len);
    }
    return (struct str){ copy, text.len };
}

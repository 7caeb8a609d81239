/* `tidemark token add|revoke|list`. The token itself is shown once, alone on standard output. */
#include "auth/token.h"
#include "base/clock.h"
#include "base/limits.h"
#include "domain/account.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

/* ---- add ---- */

static const struct options_help ADD_HELP = {
    .usage = "tidemark token add --tenant SLUG --kind device|api|admin [--device KEY] [--name N] "
             "[--expires 90d] [--backfill] [--hex] [--encrypted]",
    .about = "Makes a token and prints it, alone and only this once.",
};

struct add_options {
    const char *tenant, *kind, *device, *name, *expires;
    bool is_backfill, is_hex, is_encrypted;
};

/* "90d", "12h", "4w", "1y", or a time. */
static bool read_expiry(const char *text, int64_t now_us, int64_t *out_us)
{
    static const struct {
        char letter;
        int64_t us;
    } UNITS[] = {
        { 'h', US_PER_HOUR },
        { 'd', US_PER_DAY },
        { 'w', 7 * US_PER_DAY },
        { 'y', 365 * US_PER_DAY },
    };
    size_t len = strlen(text);
    long long n;

    for (size_t i = 0; len > 1 && i < sizeof UNITS / sizeof UNITS[0]; i++) {
        if (text[len - 1] == UNITS[i].letter && str_to_int64((struct str){ text, len - 1 }, &n)) {
            *out_us = now_us + n * UNITS[i].us;
            return n > 0 && n <= 100 * 366 * US_PER_DAY / UNITS[i].us;
        }
    }
    return clock_parse(str_of(text), out_us) && *out_us > now_us;
}

static int check_options(const struct add_options *options, int64_t *expires_us)
{
    bool is_device = options->kind && strcmp(options->kind, "device") == 0;

    if (!options->tenant) {
        return options_misused(&ADD_HELP, "--tenant is needed");
    }
    if (!is_device && (!options->kind || (strcmp(options->kind, "api") != 0 &&
                                          strcmp(options->kind, "admin") != 0))) {
        return options_misused(&ADD_HELP, "--kind needs device, api or admin");
    }
    if (!is_device && (options->device || options->is_backfill || options->is_hex ||
                       options->is_encrypted)) {
        return options_misused(&ADD_HELP, "--device, --backfill, --hex and --encrypted belong to "
                                          "--kind device");
    }
    if (options->device &&
        (options->device[0] == '\0' || strlen(options->device) > MAX_NAME_BYTES ||
         !str_is_utf8(str_of(options->device)))) {
        return options_misused(&ADD_HELP, "--device needs a key of 1 to %d bytes", MAX_NAME_BYTES);
    }
    if (options->expires && !read_expiry(options->expires, clock_now_us(), expires_us)) {
        return options_misused(&ADD_HELP, "--expires needs 90d, 12h, 4w, 1y or a time to come");
    }
    return -1;
}

static int add_token(const struct config *config, const struct add_options *options,
                     int64_t expires_us)
{
    char token[TOKEN_SIZE], prefix[TOKEN_SHOWN_BYTES + 1];
    uint8_t hash[CRYPTO_HASH_BYTES], key[TOKEN_KEY_BYTES];
    struct operator_session session;
    int64_t id = 0;

    if (options->is_hex || options->is_encrypted) {
        token_make_hex(token);
    } else {
        token_make(token);
    }
    token_hash(str_of(token), hash);
    (void)snprintf(prefix, sizeof prefix, "%.*s", TOKEN_SHOWN_BYTES, token);
    struct new_token made = {
        .tenant_slug = options->tenant,
        .kind = options->kind,
        .device_key = options->device,
        .name = options->name,
        .hash = hash,
        .prefix = prefix,
        .expires_us = expires_us,
        .key = options->is_encrypted && token_key(str_of(token), key) ? key : NULL,
        .is_backfill = options->is_backfill,
    };
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_token_add(session.tx, &made, &id);
    }
    int status = operator_close(&session, err);
    if (status == EXIT_OK) {
        printf("%s\n", token);
        fprintf(stderr, "made the token %lld (%s…); it is not shown again\n", (long long)id,
                prefix);
    }
    operator_free(&session);
    explicit_bzero(token, sizeof token);
    explicit_bzero(key, sizeof key);
    return status;
}

static int add(const struct config *config, int argc, char **argv)
{
    struct add_options options = { .tenant = NULL };
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose token", &options.tenant, NULL },
        { "--kind", "K", "device: may ingest; api: may read; admin: may change", &options.kind,
          NULL },
        { "--device", "KEY", "the only device it may post for; made where missing", &options.device,
          NULL },
        { "--name", "N", "to tell it apart in lists", &options.name, NULL },
        { "--expires", "90d", "after hours (h), days (d), weeks (w), years (y), or at a time",
          &options.expires, NULL },
        { "--backfill", NULL, "may post readings of any age", NULL, &options.is_backfill },
        { "--hex", NULL, "for devices that take only 32 hexadecimal digits for a key (emoncms)",
          NULL, &options.is_hex },
        { "--encrypted", NULL, "such a token, whose key is kept: the device encrypts what it sends "
          "(emoncms), with the token's number as its user id", NULL, &options.is_encrypted },
        { .name = NULL },
    };
    int64_t expires_us = ACCOUNT_NEVER;
    int status = options_parse(argc, argv, &ADD_HELP, rows, NULL);

    if (status < 0) {
        status = check_options(&options, &expires_us);
    }
    return status >= 0 ? status : add_token(config, &options, expires_us);
}

/* ---- revoke ---- */

static const struct options_help REVOKE_HELP = {
    .usage = "tidemark token revoke ID|PREFIX|TOKEN [--tenant SLUG]",
    .about = "Revokes a token by its number, its beginning as listed, or itself. It stops\n"
             "everywhere within five seconds.",
};

static int revoke_token(const struct config *config, int argc, char **argv)
{
    const char *which, *tenant = NULL;
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "only a token of this tenant", &tenant, NULL },
        { .name = NULL },
    };
    char prefix[TOKEN_SHOWN_BYTES + 1];
    struct operator_session session;
    struct option_words words = { &which, 1, 0 };
    int n = 0;
    int status = options_parse(argc, argv, &REVOKE_HELP, rows, &words);

    if (status >= 0 || words.n != 1) {
        return status >= 0 ? status : options_misused(&REVOKE_HELP, "which token?");
    }
    if (token_is_plausible(str_of(which))) {
        (void)snprintf(prefix, sizeof prefix, "%.*s", TOKEN_SHOWN_BYTES, which);
        which = prefix;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_token_revoke(session.tx, tenant, which, &n);
    }
    if (err == OK && n == 0) {
        err = fail(&session.op, ERR_NOT_FOUND, "there is no such token that is not revoked yet");
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "revoked %d\n", n);
    }
    operator_free(&session);
    return status;
}

/* ---- list ---- */

static const struct options_help LIST_HELP = {
    .usage = "tidemark token list [--tenant SLUG]",
    .about =
        "Lists tokens, one a line: id, tenant, kind, beginning, device, name, made, last used,\n"
        "expires, revoked, and whether it may backfill.",
};

static const char *or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

static void print_token(struct operator_session *session, const struct issued_token *token)
{
    printf("%lld\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", (long long)token->id, token->tenant,
           token->kind, token->prefix, or_dash(token->device), or_dash(token->name),
           operator_time(session, token->created_us), operator_time(session, token->last_used_us),
           operator_time(session, token->expires_us), operator_time(session, token->revoked_us),
           token->is_backfill ? "backfill" : "-");
}

static int list(const struct config *config, int argc, char **argv)
{
    const struct issued_token *tokens = NULL;
    const char *tenant = NULL;
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "only its tokens", &tenant, NULL },
        { .name = NULL },
    };
    struct operator_session session;
    int n = 0;
    int status = options_parse(argc, argv, &LIST_HELP, rows, NULL);

    if (status >= 0) {
        return status;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_token_list(session.tx, tenant, &tokens, &n);
    }
    status = operator_close(&session, err);
    for (int i = 0; status == EXIT_OK && i < n; i++) {
        print_token(&session, &tokens[i]);
    }
    operator_free(&session);
    return status;
}

int cmd_token(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "add", add, "make a token" },
        { "revoke", revoke_token, "revoke a token" },
        { "list", list, "list tokens" },
        { .name = NULL },
    };

    return operator_verb(config, argc, argv, VERBS);
}

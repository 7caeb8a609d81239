/* `tidemark tenant add|set|list|remove`. */
#include "base/str.h"
#include "domain/account.h"
#include "domain/operator.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

static const struct options_help ADD_HELP = {
    .usage = "tidemark tenant add SLUG [--name N] [--timezone TZ] [--currency CUR]",
    .about = "Makes a tenant.",
};

static int add(const struct config *config, int argc, char **argv)
{
    const char *slug, *name = NULL, *zone = NULL, *currency = NULL;
    const struct option_row rows[] = {
        { "--name", "N", "what people call it; default: the slug", &name, NULL },
        { "--timezone", "TZ", "IANA zone of its sites; default: UTC", &zone, NULL },
        { "--currency", "CUR", "ISO 4217; default: USD", &currency, NULL },
        { .name = NULL },
    };
    struct option_words words = { &slug, 1, 0 };
    int status = options_parse(argc, argv, &ADD_HELP, rows, &words);
    struct operator_session session;

    if (status >= 0 || words.n != 1) {
        return status >= 0 ? status : options_misused(&ADD_HELP, "which tenant?");
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_check_slug(&session.op, slug);
    }
    if (err == OK && currency) {
        err = account_check_currency(&session.op, currency);
    }
    if (err == OK) {
        err = account_tenant_add(session.tx, slug, name, zone, currency);
    }
    if (err == ERR_CONFLICT) {
        op_clear_fault(&session.op);
        err = fail(&session.op, ERR_CONFLICT, "there is a tenant %s already", slug);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "made the tenant %s\n", slug);
    }
    operator_free(&session);
    return status;
}

static const struct options_help SET_HELP = {
    .usage = "tidemark tenant set SLUG [--name N] [--timezone TZ] [--currency CUR] [--status S]\n"
             "         [--request-rate N] [--token-rate N] [--max-series N] [--rows-per-day N]",
    .about = "Changes a tenant. A limit is a number, 0 for none, or \"default\" for what the\n"
             "installation's settings say; it holds within five seconds.",
};

/* The limit that an option names; NULL leaves it as it is. */
static bool read_limit(enum tenant_limit which, const char *text, struct tenant_limits *limits)
{
    long long value = LIMIT_KEEP;
    bool is_number = text && str_to_int64(str_of(text), &value);

    if (text && strcmp(text, "default") == 0) {
        value = LIMIT_DEFAULT;
    } else if (text && (!is_number || value < 0 || value > LIMIT_ROWS_OF[which].max)) {
        return false;
    }
    limits->values[which] = value;
    return true;
}

static enum err change(struct operator_session *session, const char *slug,
                       const struct tenant_change *facts, const struct tenant_limits *limits)
{
    enum err err =
        facts->currency ? account_check_currency(&session->op, facts->currency) : OK;
    bool has_facts = facts->name || facts->timezone || facts->currency || facts->status;

    if (err == OK && has_facts) {
        err = operator_tenant_patch(session->tx, str_of(slug), facts);
    }
    return err == OK ? limits_change(session->tx, str_of(slug), limits) : err;
}

static int set(const struct config *config, int argc, char **argv)
{
    const char *slug, *texts[TENANT_LIMITS] = { NULL };
    struct tenant_change facts = { .name = NULL };
    struct tenant_limits limits;
    const struct option_row rows[] = {
        { "--name", "N", "what people call it", &facts.name, NULL },
        { "--timezone", "TZ", "IANA zone of its sites", &facts.timezone, NULL },
        { "--currency", "CUR", "ISO 4217", &facts.currency, NULL },
        { "--status", "S", "active or suspended", &facts.status, NULL },
        { "--request-rate", "N", "posts a second", &texts[LIMIT_REQUEST_RATE], NULL },
        { "--token-rate", "N", "posts a second of each token", &texts[LIMIT_TOKEN_RATE], NULL },
        { "--max-series", "N", "series that it may have", &texts[LIMIT_SERIES], NULL },
        { "--rows-per-day", "N", "rows that it may store a day", &texts[LIMIT_ROWS], NULL },
        { .name = NULL },
    };
    struct option_words words = { &slug, 1, 0 };
    int status = options_parse(argc, argv, &SET_HELP, rows, &words);
    struct operator_session session;

    if (status >= 0 || words.n != 1) {
        return status >= 0 ? status : options_misused(&SET_HELP, "which tenant?");
    }
    for (int i = 0; i < TENANT_LIMITS; i++) {
        if (!read_limit((enum tenant_limit)i, texts[i], &limits)) {
            return options_misused(&SET_HELP, "a limit is a number, or \"default\"");
        }
    }
    if (facts.status && strcmp(facts.status, "active") != 0 &&
        strcmp(facts.status, "suspended") != 0) {
        return options_misused(&SET_HELP, "a tenant is active or suspended");
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = change(&session, slug, &facts, &limits);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "changed the tenant %s\n", slug);
    }
    operator_free(&session);
    return status;
}

static const struct options_help LIST_HELP = {
    .usage = "tidemark tenant list",
    .about = "Lists the tenants, one a line: slug, name, zone, currency, status, devices.",
};

static int list(const struct config *config, int argc, char **argv)
{
    const struct tenant_record *tenants = NULL;
    struct operator_session session;
    int n = 0;
    int status = options_none(argc, argv, &LIST_HELP);

    if (status >= 0) {
        return status;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_tenant_list(session.tx, &tenants, &n);
    }
    status = operator_close(&session, err);
    for (int i = 0; status == EXIT_OK && i < n; i++) {
        printf("%s\t%s\t%s\t%s\t%s\t%lld\n", tenants[i].slug, tenants[i].name, tenants[i].timezone,
               tenants[i].currency, tenants[i].status, (long long)tenants[i].devices);
    }
    operator_free(&session);
    return status;
}

static const struct options_help REMOVE_HELP = {
    .usage = "tidemark tenant remove SLUG [--yes]",
    .about = "Erases a tenant with everything it has. Asks first; --yes is the answer.",
};

static int remove_tenant(const struct config *config, int argc, char **argv)
{
    const char *slug, *counts = NULL;
    bool is_sure = false;
    const struct option_row rows[] = {
        { "--yes", NULL, "do not ask", NULL, &is_sure },
        { .name = NULL },
    };
    struct option_words words = { &slug, 1, 0 };
    int status = options_parse(argc, argv, &REMOVE_HELP, rows, &words);
    struct operator_session session;

    if (status >= 0 || words.n != 1) {
        return status >= 0 ? status : options_misused(&REMOVE_HELP, "which tenant?");
    }
    if (!is_sure && !operator_confirms(slug)) {
        return EXIT_FAILED;
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = account_tenant_remove(session.tx, slug, &counts);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        fprintf(stderr, "removed %s: %s\n", slug, counts);
    }
    operator_free(&session);
    return status;
}

int cmd_tenant(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "add", add, "make a tenant" },
        { "set", set, "change a tenant and its limits" },
        { "list", list, "list the tenants" },
        { "remove", remove_tenant, "erase a tenant with everything it has" },
        { .name = NULL },
    };

    return operator_verb(config, argc, argv, VERBS);
}

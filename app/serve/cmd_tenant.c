/* `tidemark tenant add|list|remove`. */
#include "domain/account.h"
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
        { "list", list, "list the tenants" },
        { "remove", remove_tenant, "erase a tenant with everything it has" },
        { .name = NULL },
    };

    return operator_verb(config, argc, argv, VERBS);
}

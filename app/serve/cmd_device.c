/* `tidemark device add|list|import`. */
#include "base/buf.h"
#include "domain/account.h"
#include "domain/device.h"
#include "domain/device_change.h"
#include "domain/device_import.h"
#include "serve/commands.h"
#include "serve/operator.h"
#include "serve/options.h"

#include <errno.h>

#define MAX_LIST_BYTES (16u << 20) /* of a file of devices */

/* ---- add ---- */

static const struct options_help ADD_HELP = {
    .usage = "tidemark device add KEY --tenant SLUG [--name N] [--model M] [--site KEY]",
    .about = "Makes a device. The site must be there; the name is the key where none is given.",
};

static int add(const struct config *config, int argc, char **argv)
{
    const char *key, *tenant = NULL, *name = NULL, *model = NULL, *site = NULL;
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose device", &tenant, NULL },
        { "--name", "N", "as people call it", &name, NULL },
        { "--model", "M", "maker and type", &model, NULL },
        { "--site", "KEY", "where it is", &site, NULL },
        { .name = NULL },
    };
    struct option_words words = { &key, 1, 0 };
    struct operator_session session;
    int status = options_parse(argc, argv, &ADD_HELP, rows, &words);

    if (status >= 0) {
        return status;
    }
    if (words.n != 1 || !tenant) {
        return options_misused(&ADD_HELP, words.n != 1 ? "which key?" : "--tenant is needed");
    }
    struct device_facts_given given = {
        .name = str_of(name),
        .model = str_of(model),
        .site = str_of(site),
    };
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = device_add_to(session.tx, tenant, str_of(key), &given);
    }
    status = operator_close(&session, err);
    operator_free(&session);
    return status;
}

/* ---- list ---- */

static const struct options_help LIST_HELP = {
    .usage = "tidemark device list --tenant SLUG",
    .about = "Lists a tenant's devices, one a line: key, name, model, site, made, last seen,\n"
             "retired.",
};

static const char *or_dash(const char *text)
{
    return text && text[0] ? text : "-";
}

static const char *time_text(struct operator_session *session, int64_t time_us)
{
    return operator_time(session, time_us == DEVICE_NEVER ? ACCOUNT_NEVER : time_us);
}

static int list(const struct config *config, int argc, char **argv)
{
    const char *tenant = NULL;
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose devices", &tenant, NULL },
        { .name = NULL },
    };
    struct device_list devices = { .n = 0 };
    struct operator_session session;
    int status = options_parse(argc, argv, &LIST_HELP, rows, NULL);

    if (status >= 0 || !tenant) {
        return status >= 0 ? status : options_misused(&LIST_HELP, "--tenant is needed");
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = device_list_of(session.tx, tenant, &devices);
    }
    status = operator_close(&session, err);
    for (int i = 0; status == EXIT_OK && i < devices.n; i++) {
        const struct device *device = &devices.items[i];
        printf("%s\t%s\t%s\t%s\t%s\t%s\t%s\n", device->key, device->name, or_dash(device->model),
               or_dash(device->site), time_text(&session, device->created_us),
               time_text(&session, device->last_seen_us), time_text(&session, device->retired_us));
    }
    operator_free(&session);
    return status;
}

/* ---- import ---- */

static const struct options_help IMPORT_HELP = {
    .usage = "tidemark device import [FILE] --tenant SLUG [--dry-run]",
    .about = "Reads devices from CSV (standard input without FILE). The first line names columns:\n"
             "key, and any of name, model, site, timezone, config. An empty cell keeps what is\n"
             "there; a zone makes a site that is not there yet. What is wrong is told by line;\n"
             "the rest is stored in one transaction. Exits 1 where anything was wrong.",
};

/* The whole of an open file. */
static enum err read_all(struct op *op, FILE *file, struct str *out)
{
    struct buf text;
    size_t n = 1;

    buf_init(&text, op->arena, MAX_LIST_BYTES);
    while (n > 0) {
        char *room = buf_reserve(&text, 64u << 10);
        if (!room) {
            return fail(op, ERR_TOO_LARGE, "the list is longer than %u bytes", MAX_LIST_BYTES);
        }
        n = fread(room, 1, 64u << 10, file);
        text.len += n;
    }
    *out = buf_str(&text);
    return ferror(file) ? fail(op, ERR_UNAVAILABLE, "cannot read: %s", strerror(errno)) : OK;
}

static enum err read_file(struct op *op, const char *path, struct str *out)
{
    FILE *file = path ? fopen(path, "re") : stdin;

    if (!file) {
        return fail(op, ERR_MALFORMED, "%s: %s", path, strerror(errno));
    }
    enum err err = read_all(op, file, out);
    if (path) {
        (void)fclose(file);
    }
    return err;
}

static void tell(const struct device_import *found, bool is_trial)
{
    for (int i = 0; i < found->n; i++) {
        const struct device_import_row *row = &found->rows[i];
        if (row->fate == DEVICE_REFUSED) {
            fprintf(stderr, "line %u: %s\n", row->line, row->problem);
        }
    }
    fprintf(stderr, "%s%d added, %d changed, %d as they were, %d refused\n",
            is_trial ? "nothing is stored; would be: " : "", found->counts[DEVICE_ADDED],
            found->counts[DEVICE_CHANGED], found->counts[DEVICE_SAME],
            found->counts[DEVICE_REFUSED]);
}

static int import_devices(const struct config *config, int argc, char **argv)
{
    const char *path = NULL, *tenant = NULL;
    bool is_trial = false;
    const struct option_row rows[] = {
        { "--tenant", "SLUG", "whose devices", &tenant, NULL },
        { "--dry-run", NULL, "only say what would be", NULL, &is_trial },
        { .name = NULL },
    };
    struct option_words words = { &path, 1, 0 };
    struct device_import found = { .n = 0 };
    struct operator_session session;
    struct str text = { .len = 0 };
    int status = options_parse(argc, argv, &IMPORT_HELP, rows, &words);

    if (status >= 0 || !tenant) {
        return status >= 0 ? status : options_misused(&IMPORT_HELP, "--tenant is needed");
    }
    enum err err = operator_open(&session, config);
    if (err == OK) {
        err = read_file(&session.op, path, &text);
    }
    if (err == OK) {
        err = device_import_read(&session.op, text, &found);
    }
    if (err == OK) {
        err = device_import_run(session.tx, tenant, is_trial, &found);
    }
    status = operator_close(&session, err);
    if (status == EXIT_OK) {
        tell(&found, is_trial);
        status = found.counts[DEVICE_REFUSED] > 0 ? EXIT_FAILED : EXIT_OK;
    }
    operator_free(&session);
    return status;
}

int cmd_device(const struct config *config, int argc, char **argv)
{
    static const struct verb VERBS[] = {
        { "add", add, "make a device" },
        { "list", list, "list a tenant's devices" },
        { "import", import_devices, "make and change devices from CSV" },
        { .name = NULL },
    };

    return operator_verb(config, argc, argv, VERBS);
}
